"""A hub whose REST answers from the past: what that blinds, and what it leaves alone."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.transport.base import LaneKey, Stats
from foxtrot.transport.lane_door import LaneDoor
from foxtrot.util.constants import Health, LaneState, Reason
from tests.support.hub_rig import BTC, TICK, HubRig

QUIET = LaneKey("ETHUSDT", "tick")


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """Closed at the end."""
    made = HubRig()
    made.rest.trades["ETHUSDT"] = 5
    yield made
    await made.hub.close()


def streams_show(rig: HubRig, last_id: int) -> None:
    """The 24 h figures on the stream name a newer trade than REST does."""
    lane = rig.hub._lanes[TICK]
    LaneDoor(lane, rig.hub.step, rig.hub.check.streamed).offer_stats(Stats(last_id, 1, (1.0,) * 8, rig.clock.now_ns()))


async def test_one_symbol_behind_its_stream_tells_of_the_whole_answer(rig: HubRig) -> None:
    """The polled neighbour is not confirmed by it: blind, and said so; a poll of the present ends that."""
    await rig.open(TICK, QUIET)
    await rig.clock.advance(1.5)
    assert rig.hub.finding("ETHUSDT").health is Health.LIVE  # type: ignore[union-attr]  # -- it is subscribed
    streams_show(rig, rig.rest.trades["BTCUSDT"] + 50)
    await rig.clock.advance(7.0)
    assert rig.hub.finding("ETHUSDT").health is Health.BLIND  # type: ignore[union-attr]  # -- it is subscribed
    assert any("REST repeats what is over" in problem for problem in rig.problems)
    rig.rest.trades["BTCUSDT"] += 50
    await rig.clock.advance(1.5)
    assert rig.hub.finding("ETHUSDT").health is Health.LIVE  # type: ignore[union-attr]  # -- it is subscribed


async def test_no_stream_is_blamed_for_an_old_answer(rig: HubRig) -> None:
    """Its quote has moved on, the cache has not."""
    await rig.streaming(TICK)
    streams_show(rig, rig.rest.trades["BTCUSDT"] + 50)
    await rig.clock.advance(2.5)
    for number in range(10):
        rig.quote(2.0 + number)
        rig.rest.bids["BTCUSDT"] = 1.0  # what REST goes on to say
        await rig.clock.advance(1.0)
    assert rig.status(TICK).state is LaneState.STREAMING
    assert BTC not in {key for key, _, _ in rig.moves}


async def test_a_symbol_that_stands_still_alone_blinds_no_other(rig: HubRig) -> None:
    """Its neighbour trades, and each poll shows it."""
    await rig.open(TICK, QUIET)
    await rig.clock.advance(1.5)
    rig.healths.clear()
    streams_show(rig, rig.rest.trades["BTCUSDT"] + 50)
    for _ in range(10):
        rig.rest.trades["ETHUSDT"] += 1
        await rig.clock.advance(1.0)
    await rig.clock.advance(10.0)  # nor while it does not trade
    assert Health.BLIND not in [finding.health for symbol, finding in rig.healths if symbol == "ETHUSDT"]
    assert rig.hub.finding("BTCUSDT").health is Health.BLIND  # type: ignore[union-attr]  # -- it is subscribed
    assert len([problem for problem in rig.problems if "REST repeats what is over" in problem]) == 1


async def test_what_was_known_of_a_symbol_ends_with_its_last_lane(rig: HubRig) -> None:
    """Who subscribes it again begins with what the venue says now."""
    await rig.open(TICK, QUIET)
    streams_show(rig, rig.rest.trades["BTCUSDT"] + 50)
    await rig.clock.advance(7.0)
    rig.hub.close_lane(TICK, Reason.UNSUBSCRIBED)
    rig.hub.open_lanes([TICK])
    await rig.clock.advance(3.0)
    assert rig.hub.finding("BTCUSDT").health is Health.LIVE  # type: ignore[union-attr]  # -- it is subscribed
