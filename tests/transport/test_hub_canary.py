"""Whose quotes watch over the hub's stream connections, and what comes after them."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.util.constants import LaneState
from foxtrot.util.errors import Unavailable
from tests.support.hub_rig import BTC, HubRig

BUSY, NEXT = "BUSYUSDT@tick", "NEXTUSDT@tick"


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """Two symbols busier than the subscribed one; closed at the end."""
    made = HubRig()
    made.rest.trades |= {"BUSYUSDT": 9_000, "NEXTUSDT": 8_000}
    yield made
    await made.hub.close()


async def test_the_busiest_symbol_watches(rig: HubRig) -> None:
    """It is asked for again until there is an answer."""
    rig.rest.failing["busiest"] = Unavailable("down")
    await rig.streaming(BTC)
    await rig.clock.advance(15.0)
    assert BUSY not in rig.dialler.wire.streams
    del rig.rest.failing["busiest"]
    await rig.clock.advance(15.0)
    assert BUSY in rig.dialler.wire.streams
    assert rig.rest.times("busiest") == 3


async def test_a_canary_that_the_venue_does_not_know_any_more_is_followed_by_another(rig: HubRig) -> None:
    """After the minute in which it may be a mistake; once, and said."""
    await rig.streaming(BTC)
    await rig.clock.advance(3.0)
    del rig.rest.trades["BUSYUSDT"]
    await rig.clock.advance(90.0)
    assert NEXT in rig.dialler.wire.streams
    assert BUSY not in rig.dialler.wire.streams
    assert len([problem for problem in rig.problems if "watches over the stream connections no longer" in problem]) == 1
    assert rig.status(BTC).state is LaneState.STREAMING


async def test_a_canary_that_is_halted_is_followed_by_another(rig: HubRig) -> None:
    """Its quotes show nothing; halts of others change nothing."""
    await rig.streaming(BTC)
    await rig.clock.advance(3.0)
    rig.hub.halted(frozenset({"BTCUSDT"}))
    assert rig.hub.canary.symbol == "BUSYUSDT"
    rig.hub.halted(frozenset({"BUSYUSDT"}))
    await rig.clock.advance(3.0)
    assert rig.hub.canary.symbol == "NEXTUSDT"
    assert NEXT in rig.dialler.wire.streams
    assert rig.rest.times("busiest") == 2


async def test_a_canary_whose_ids_begin_anew_is_looked_at_anew(rig: HubRig) -> None:
    """Or its polls would count as old ones for ever."""
    await rig.streaming(BTC)
    await rig.clock.advance(3.0)
    rig.rest.trades["BUSYUSDT"] = 1
    for _ in range(40):
        rig.rest.trades["BUSYUSDT"] += 1
        await rig.clock.advance(1.0)
    assert any("BUSYUSDT" in problem and "anew" in problem for problem in rig.problems)
    assert rig.hub.canary.symbol == "NEXTUSDT"
