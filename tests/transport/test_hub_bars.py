"""The hub with lanes of bars: how they start, close, switch and are judged."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Health, LaneState, Reason, Serving, Source
from foxtrot.util.errors import Unavailable
from tests.support.fake_transports import frame
from tests.support.hub_rig import HubRig

BARS = LaneKey("BTCUSDT", "bars:1m")


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """A hub, not started yet."""
    made = HubRig()
    yield made
    await made.close()


def health(rig: HubRig) -> Health:
    """Of the symbol, now."""
    finding = rig.hub.finding("BTCUSDT")
    assert finding is not None
    return finding.health


def minute(rig: HubRig) -> int:
    return rig.clock.now_ns() // (60 * NS_PER_S)


def trade(rig: HubRig, *, is_streamed: bool = True) -> None:
    """The venue trades: the open bar grows."""
    rig.rest.trades["BTCUSDT"] += 1
    if is_streamed:
        newest = rig.rest.trades["BTCUSDT"]
        rig.dialler.wire.bring(frame(BARS, minute(rig), rank=newest))


async def test_polled_bars_grow_and_close_by_time(rig: HubRig) -> None:
    """Also those of a quiet symbol; the one that was open at the start is the first."""
    await rig.open(BARS)
    first = minute(rig)
    trade(rig, is_streamed=False)
    await rig.clock.advance(3)
    assert [(draft.id, draft.rank) for draft, _ in rig.drafts] == [(first, 11)]
    await rig.clock.advance(180)
    closed = [(number, source) for _, number, source in rig.feed.delivered]
    assert closed == [(first, Source.POLL), (first + 1, Source.POLL), (first + 2, Source.POLL)]


async def test_a_quiet_polled_bar_costs_one_page_a_close(rig: HubRig) -> None:
    """Between two closes the beat confirms it."""
    await rig.open(BARS)
    await rig.clock.advance(60)
    asked = rig.rest.times("page")
    await rig.clock.advance(300)
    assert rig.rest.times("page") == asked + 5
    assert health(rig) is Health.LIVE


async def test_bars_stream(rig: HubRig) -> None:
    """Frames by the door; what the stream does not close comes by page."""
    await rig.open(BARS, streaming=True)
    for _ in range(8):
        trade(rig)
        await rig.clock.advance(0.5)
    assert rig.status(BARS).state is LaneState.STREAMING
    first, known = minute(rig), len(rig.feed.drafts)
    trade(rig)
    assert rig.feed.drafts[known:] == [(BARS, first, rig.rest.trades["BTCUSDT"])]
    rig.dialler.wire.bring(frame(BARS, first))
    assert rig.feed.delivered[-1] == (BARS, first, Source.STREAM)
    await rig.clock.advance((first + 2) * 60 - rig.clock.now_ns() / NS_PER_S + 4)
    assert rig.feed.delivered[-1] == (BARS, first + 1, Source.BACKFILL)


async def test_bars_that_closed_without_a_stream_come_by_poll(rig: HubRig) -> None:
    """Each once, in order, and the stream goes on behind them."""
    await rig.open(BARS, streaming=True)
    await rig.until(BARS, LaneState.STREAMING)
    first = minute(rig)
    rig.dialler.failing = Unavailable("down")
    rig.dialler.wire.end("reset")
    await rig.clock.advance(150)
    rig.dialler.failing = None
    await rig.until(BARS, LaneState.STREAMING)
    rig.dialler.wire.bring(frame(BARS, minute(rig)))
    closed = [number for _, number, _ in rig.feed.delivered]
    assert closed == list(range(first, minute(rig) + 1))
    assert rig.gaps == []


async def test_silent_bars_are_given_up(rig: HubRig) -> None:
    """The venue trades on for five seconds."""
    await rig.open(BARS, streaming=True)
    await rig.until(BARS, LaneState.STREAMING)
    for _ in range(20):
        trade(rig, is_streamed=False)
        await rig.clock.advance(0.5)
    assert (BARS, LaneState.FALLBACK, Reason.SILENCE) in rig.moves
    assert rig.status(BARS).serving is Serving.POLL


async def test_bars_that_nothing_confirms_are_blind(rig: HubRig) -> None:
    """The venue trades, and its pages fail."""
    await rig.open(BARS)
    await rig.clock.advance(5)
    rig.rest.failing["page"] = Unavailable("down")
    trade(rig, is_streamed=False)
    await rig.clock.advance(6)
    assert health(rig) is Health.BLIND
    del rig.rest.failing["page"]
    await rig.clock.advance(6)
    assert health(rig) is Health.LIVE


async def test_a_slow_consumer_gets_every_bar(rig: HubRig) -> None:
    """In order, once it has caught up."""
    await rig.open(BARS, streaming=True)
    await rig.until(BARS, LaneState.STREAMING)
    first = minute(rig)
    rig.hub.hold(is_on=True)
    await rig.clock.advance(200)
    assert rig.feed.delivered == []
    rig.hub.hold(is_on=False)
    await rig.clock.advance(5)
    assert [number for _, number, _ in rig.feed.delivered] == list(range(first, minute(rig)))


async def test_nothing_follows_the_end_of_bars(rig: HubRig) -> None:
    """Neither the page under way nor a close."""
    rig.rest.delay = 0.2
    await rig.open(BARS)
    await rig.clock.advance(2)
    trade(rig, is_streamed=False)
    await rig.clock.advance(1)
    rig.hub.close_lane(BARS, Reason.UNSUBSCRIBED)
    told = len(rig.feed.delivered) + len(rig.drafts)
    await rig.clock.advance(120)
    assert len(rig.feed.delivered) + len(rig.drafts) == told
    assert rig.hub.statuses() == []
