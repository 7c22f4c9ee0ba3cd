"""A hub whose venue begins its ids anew, as a testnet does that is reset."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Health, LaneState, Reason
from tests.support.hub_rig import BTC, TICK, HubRig

BEFORE = 1_000_000
OTHER = LaneKey("ETHUSDT", "trades")


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """Closed at the end."""
    made = HubRig()
    made.rest.trades |= {"BTCUSDT": BEFORE, "ETHUSDT": 5}
    yield made
    await made.hub.close()


async def trade_on(rig: HubRig, seconds: int) -> None:
    """A trade and a quote a second."""
    for second in range(seconds):
        rig.trade()
        rig.quote(1.0 + second % 7)
        await rig.clock.advance(1.0)


async def reset(rig: HubRig) -> None:
    """The venue goes down and comes back with ids from the start."""
    if rig.dialler.wires:
        rig.dialler.wire.end("reset")
    rig.rest.trades["BTCUSDT"] = rig.rest.book_ids["BTCUSDT"] = 3
    await trade_on(rig, 45)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_lanes_begin_anew_with_the_venue(rig: HubRig, is_streamed: bool) -> None:
    """Closed with the reason, opened again at once, and whole from there: no id of before comes after."""
    await rig.open(BTC, TICK, streaming=is_streamed)
    await trade_on(rig, 40)
    rig.rest.book_ids["BTCUSDT"] = BEFORE
    rig.quote(9.0)
    rig.feed.delivered.clear()
    await reset(rig)
    ends = [(key, reason) for key, state, reason in rig.moves if state is LaneState.CLOSED]
    assert sorted(ends) == [(TICK, Reason.IDS_BEGAN_ANEW), (BTC, Reason.IDS_BEGAN_ANEW)]
    ids = [number for key, number, _ in rig.feed.delivered if key == BTC]
    fresh = [number for number in ids if number < BEFORE]
    assert ids[len(ids) - len(fresh) :] == fresh == list(range(fresh[0], rig.rest.trades["BTCUSDT"] + 1))
    assert rig.hub.finding("BTCUSDT").health in {Health.LIVE, Health.DEGRADED}  # type: ignore[union-attr]  # -- subscribed
    assert rig.quotes[-1][0].bid == rig.rest.bids["BTCUSDT"]
    assert len([problem for problem in rig.problems if "ids anew" in problem]) == 1
    assert rig.gaps == []


async def test_a_tick_alone_that_is_polled_begins_anew_too(rig: HubRig) -> None:
    """What it knows it knows from polls."""
    await rig.open(TICK)
    await trade_on(rig, 3)
    await reset(rig)
    assert (TICK, LaneState.CLOSED, Reason.IDS_BEGAN_ANEW) in rig.moves
    assert rig.hub.finding("BTCUSDT").health is Health.LIVE  # type: ignore[union-attr]  # -- it is subscribed


async def test_other_symbols_and_the_hold_stay_as_they_were(rig: HubRig) -> None:
    """A subscription without a bound keeps to have none."""
    rig.hub.open_lanes([BTC], hold_ns=None)
    await rig.open(OTHER)
    await trade_on(rig, 3)
    await reset(rig)
    assert {key for key, state, _ in rig.moves if state is LaneState.CLOSED} == {BTC}
    assert rig.hub._lanes[BTC].values.hold_ns is None
    assert rig.status(BTC).state is LaneState.POLLING


async def test_a_stream_that_is_switched_off_stays_off(rig: HubRig) -> None:
    """The breaker is the lane's, whatever the ids are."""
    await rig.open(BTC, streaming=True)
    rig.hub.force_open(["BTCUSDT"])
    await trade_on(rig, 3)
    await reset(rig)
    assert (rig.status(BTC).state, rig.status(BTC).reason) == (LaneState.FALLBACK, Reason.FORCED_OPEN)
    assert rig.arrived[-1] == rig.rest.trades["BTCUSDT"]
