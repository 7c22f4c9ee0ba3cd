"""The hub with lanes of order books: how they start, switch, are resynced, compared and judged."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.transport.values_book import AUDIT_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Health, LaneState, Reason, Serving, Source
from foxtrot.util.errors import Unavailable
from tests.support.fake_book import FakeBook
from tests.support.hub_rig import BTC, TICK, HubRig

BOOK = LaneKey("BTCUSDT", "book")
MANY = [LaneKey(f"S{number}USDT", "book") for number in range(200)]


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """A hub, not started yet."""
    made = HubRig()
    yield made
    await made.close()


@pytest.fixture
async def many(rig: HubRig) -> HubRig:
    """Two hundred books, all of them streamed; each answer takes 0.2 s."""
    for key in MANY:
        rig.rest.trades[key.symbol] = 10
    rig.rest.delay = 0.2
    await rig.open(*MANY, streaming=True)
    await rig.clock.advance_until(lambda: all(each.state is LaneState.STREAMING for each in rig.hub.statuses()), 240)
    return rig


def health(rig: HubRig) -> Health:
    """Of the symbol, now."""
    finding = rig.hub.finding("BTCUSDT")
    assert finding is not None
    return finding.health


def streamed(rig: HubRig, key: LaneKey, number: int) -> None:
    """The venue says on a lane's own connection that its book is at that update."""
    rig.rest.book_ids[key.symbol] = number
    carrier = next(wire for wire in rig.dialler.wires if wire.is_open and f"{key.symbol}@book" in wire.streams)
    carrier.bring(frame_of(key, number))


def frame_of(key: LaneKey, number: int) -> bytes:
    return b'{"stream":"%b@book","symbol":"%b","id":%d,"bid":1.0}' % (key.symbol.encode(), key.symbol.encode(), number)


def depths(rig: HubRig, since_ns: int = 0) -> list[tuple[str, int]]:
    return [(symbols[0], at) for call, symbols, at in rig.rest.asked if call == "depth" and at >= since_ns]


async def test_a_polled_book_starts_with_the_ticker_and_goes_on_each_beat(rig: HubRig) -> None:
    """Nothing of it is asked before the start answer; an unchanged one is told once."""
    await rig.open(BOOK)
    assert [call for call, _, _ in rig.rest.asked][:2] == ["ticker", "depth"]
    await rig.clock.advance(5)
    assert rig.rest.times("depth") in {5, 6}
    assert rig.feed.delivered == [(BOOK, 100, Source.POLL)]
    rig.move(BOOK, is_streamed=False)
    await rig.clock.advance(1)
    assert rig.feed.delivered[-1] == (BOOK, 101, Source.POLL)
    assert rig.status(BOOK).reason is Reason.SUBSCRIBED


async def test_a_book_streams_and_falls_back(rig: HubRig) -> None:
    """Update ids never go back: by poll, by stream, by poll again."""
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    for _ in range(5):
        rig.move(BOOK)
        await rig.clock.advance(0.2)
    rig.dialler.failing = Unavailable("down")
    rig.dialler.wire.end("reset")
    rig.move(BOOK, is_streamed=False)
    await rig.clock.advance(0.5)
    ids = [number for _, number, _ in rig.feed.delivered]
    assert ids == [100, 101, 102, 103, 104, 105, 106]
    assert [source for _, _, source in rig.feed.delivered[-2:]] == [Source.STREAM, Source.POLL]
    assert rig.status(BOOK).state is LaneState.FALLBACK


async def test_a_serving_book_asks_rest_for_nothing(rig: HubRig) -> None:
    """Beats audit it, which are asked anyway."""
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    await rig.clock.advance(2)
    asked = rig.rest.times("depth")
    for _ in range(60):
        rig.move(BOOK)
        await rig.clock.advance(1)
    assert rig.rest.times("depth") == asked
    assert rig.problems == []


async def test_an_unequal_book_is_told_as_a_problem(rig: HubRig) -> None:
    """With the share of levels that were as the venue shows them."""
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    rig.move(BOOK)
    await rig.clock.advance(1)
    served = next(book for book in reversed(rig.kinds.books) if book.is_valid and book.update_id == 101)
    assert isinstance(served, FakeBook)
    served.bids[0.5] = 7.0
    asked = rig.rest.times("depth")
    await rig.clock.advance(AUDIT_NS / NS_PER_S + 1)
    assert rig.rest.times("depth") == asked + 1
    assert [problem for problem in rig.problems if "75.0%" in problem]


async def test_a_lost_diff_is_resynced(rig: HubRig) -> None:
    """At once: the book is invalid for a round trip."""
    rig.rest.delay = 0.2
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    await rig.clock.advance(2)
    asked = rig.rest.times("depth")
    rig.move(BOOK, is_streamed=False)
    rig.move(BOOK)
    rig.move(BOOK)
    await rig.clock.advance(0.3)
    assert rig.rest.times("depth") == asked + 1
    assert [number for _, number, _ in rig.feed.delivered][-2:] == [100, 103]
    assert rig.status(BOOK).gaps == 1


async def test_a_silent_book_is_given_up(rig: HubRig) -> None:
    """Polls show best levels that it has not."""
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    rig.move(BOOK)
    for bid in range(2, 9):
        rig.move(BOOK, float(bid), is_streamed=False)
        await rig.clock.advance(0.5)
    assert (BOOK, LaneState.FALLBACK, Reason.AUDIT) in rig.moves


async def test_a_storm_of_resyncs_keeps_to_the_weight(many: HubRig) -> None:
    """Two hundred books lose a diff in the same moment: no minute holds more than the share, and all come back."""
    await many.clock.advance(60)
    start = many.clock.now_ns()
    for key in MANY:
        streamed(many, key, 200)
    await many.clock.advance(30)
    asked = depths(many, start)
    assert {symbol for symbol, _ in asked} == {key.symbol for key in MANY}
    assert len(asked) == len(MANY)
    assert [symbol for symbol, _ in asked] == [key.symbol for key in MANY], "who asked first goes first"
    assert len([at for _, at in asked if at < start + NS_PER_S]) * 5 <= 600 + 40, "a burst, and a second of the rest of the share"
    delivered = [key for key, number, source in many.feed.delivered if number == 200 and source is Source.STREAM]
    assert len(delivered) == len(MANY)
    assert {each.state for each in many.hub.statuses()} == {LaneState.STREAMING}


async def test_a_mass_fall_polls_books_as_the_weight_allows(many: HubRig) -> None:
    """Health waits for them as long as that takes: nobody is blind who is asked as planned."""
    await many.clock.advance(60)
    many.dialler.failing = Unavailable("down")
    for wire in many.dialler.wires:
        wire.end("reset")
    start = many.clock.now_ns()
    await many.clock.advance(30)
    many.healths.clear()
    await many.clock.advance(40)
    for _, at in depths(many, start):
        within = [other for _, other in depths(many, at) if other < at + 60 * NS_PER_S]
        assert len(within) * 5 <= 3_000
    asked = [symbol for symbol, at in depths(many, start + 30 * NS_PER_S)]
    counts = [asked.count(key.symbol) for key in MANY]
    assert min(counts) >= max(counts) - 1, "nobody starves"
    assert [finding.health for _, finding in many.healths if finding.health is Health.BLIND] == []


async def test_a_book_that_nothing_confirms_is_blind(rig: HubRig) -> None:
    """Its snapshots fail, though the beat goes on."""
    await rig.open(BOOK)
    rig.rest.failing["depth"] = Unavailable("down")
    await rig.clock.advance(5)
    assert health(rig) is Health.BLIND
    assert any("depth BTCUSDT" in problem for problem in rig.problems)
    del rig.rest.failing["depth"]
    await rig.clock.advance(2)
    assert health(rig) is Health.LIVE


async def test_a_book_without_rest_streams_on(rig: HubRig) -> None:
    """What moves confirms itself."""
    await rig.open(BOOK, streaming=True)
    await rig.until(BOOK, LaneState.STREAMING)
    for call in ("ticker", "depth"):
        rig.rest.failing[call] = Unavailable("down")
    for _ in range(20):
        rig.move(BOOK)
        await rig.clock.advance(0.5)
    assert rig.status(BOOK).serving is Serving.STREAM
    assert health(rig) is Health.LIVE


async def test_nothing_follows_the_end_of_a_book(rig: HubRig) -> None:
    """Neither the snapshot under way nor a frame; other lanes of the symbol go on."""
    rig.rest.delay = 0.2
    await rig.open(BOOK, TICK, BTC)
    await rig.clock.advance(2)
    rig.move(BOOK, is_streamed=False)
    await rig.clock.advance(0.05)
    rig.hub.close_lane(BOOK, Reason.UNSUBSCRIBED)
    rig.feed.delivered.clear()
    await rig.clock.advance(3)
    assert [key for key, _, _ in rig.feed.delivered if key == BOOK] == []
    assert {each.key for each in rig.hub.statuses()} == {TICK, BTC}
