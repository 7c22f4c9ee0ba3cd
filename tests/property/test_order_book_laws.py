"""What an order book promises, whatever its stream loses, repeats or swaps, and however far the price wanders.

``BOOK_EXAMPLES=4000`` makes the long run: more than 100,000 events.
"""

import os
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.order_book import SPARE, OrderBook
from foxtrot.transport.base import Diff
from foxtrot.transport.book import Fit
from foxtrot.util.constants import Source
from foxtrot.util.object import OrderBookData
from tests.support.book_venue import BookVenue, best_first

EXAMPLES = int(os.environ.get("BOOK_EXAMPLES", "60"))
MEMORY = 8
"""So many frames are kept for a snapshot that comes late."""

seen = {"events": 0, "valid": 0, "joined": 0, "ended": 0, "narrow": 0}


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    """Tells how much was tried, so that nobody believes in a run that tried nothing."""
    yield
    print(f"order book laws: {seen}")  # noqa: T201 -- the long run's figures


class Reader:
    """A book on a stream with faults: a snapshot makes a new book, which takes the old one's place unless it is behind it."""

    def __init__(self, venue: BookVenue, reach: BookReach) -> None:
        self.venue = venue
        self.reach = reach
        self.book = OrderBook("ETHUSDT", "BINANCE", reach)
        self.limit = 0  # of the snapshot that the book began with
        self.held: Diff | None = None
        self.recent: list[Diff] = []

    def frame(self, fate: str) -> None:
        """The venue sends a frame: it arrives, is lost, arrives twice, or after the next one."""
        frame = self.venue.frame()
        if frame is None or fate == "lost":
            return
        if fate == "late" and self.held is None:
            self.held = frame
            return
        self.take(frame)
        if fate == "twice":
            self.take(frame)
        if self.held is not None:
            late, self.held = self.held, None
            self.take(late)

    def take(self, diff: Diff) -> None:
        """One frame arrives."""
        self.recent = [*self.recent, diff][-MEMORY:]
        was_valid = self.book.is_valid
        fit = self.book.apply(diff)
        assert (fit is Fit.GAP) == (not self.book.is_valid)
        seen["ended"] += was_valid and not self.book.is_valid
        self.check()

    def snapshot(self, limit: int, ago: int) -> None:
        """A snapshot arrives, from a replica that is behind."""
        fresh = OrderBook("ETHUSDT", "BINANCE", self.reach)
        fresh.load(self.venue.snapshot(limit, ago))
        for diff in sorted(self.recent, key=lambda each: each.last_id):
            fresh.apply(diff)
        if fresh.is_valid and not (self.book.is_valid and fresh.update_id < self.book.update_id):
            self.book, self.limit = fresh, limit
            seen["joined"] += 1
        self.check()

    def cut(self) -> None:
        """The connection is lost, with whatever was under way."""
        self.book.clear()
        self.held = None
        self.recent.clear()
        self.venue.frame()
        self.check()

    def check(self) -> None:
        """The book is the venue's as far as it is known, or says that it is none."""
        book = self.book
        seen["events"] += 1
        item = book.item(Source.STREAM, 0, 0)
        value = item.value
        assert isinstance(value, OrderBookData)
        assert (item.id, value.update_id, value.is_valid) == (book.update_id, book.update_id, book.is_valid)
        if not book.is_valid:
            assert (value.bids, value.asks, value.known_low, value.known_high) == ((), (), 0.0, 0.0)
            return
        seen["valid"] += 1
        seen["narrow"] += book.is_narrow
        low, high = book.known
        bids, asks = self.venue.at(book.update_id)
        known_bids = [level for level in best_first(bids, is_bid=True) if level[0] >= low]
        known_asks = [level for level in best_first(asks, is_bid=False) if level[0] <= high]
        assert list(book.bids) == known_bids
        assert list(book.asks) == known_asks
        assert max(len(known_bids), len(known_asks)) < self.reach.kept
        self.check_delivered(value, known_bids, known_asks)
        least = max(self.reach.depth, min(self.limit, self.reach.kept) // SPARE)
        assert book.is_narrow == any(
            len(known) < min(least, len(side)) or (len(known) < least and edge not in {0.0, float("inf")})
            for known, side, edge in ((known_bids, bids, low), (known_asks, asks, high))
        )

    def check_delivered(self, value: OrderBookData, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        """What is delivered is the best of what is known, and says up to where it is all there is."""
        depth = self.reach.depth
        assert (list(value.bids), list(value.asks)) == (bids[:depth], asks[:depth])
        assert [level for level in bids if level[0] >= value.known_low] == bids[:depth]
        assert [level for level in asks if level[0] <= value.known_high] == asks[:depth]
        assert not (value.bids and value.asks and value.bids[0][0] >= value.asks[0][0])


changes = st.tuples(
    st.just("change"), st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.sampled_from([0.0, 1.0, 2.5])), max_size=8)
)
moves = st.tuples(st.just("move"), st.one_of(st.integers(-6, 6), st.integers(-200, 200)))
good_frames = st.tuples(st.just("frame"), st.just("good"))
frames = st.tuples(st.just("frame"), st.sampled_from(["good", "good", "good", "good", "lost", "late", "twice"]))
snapshots = st.tuples(st.just("snapshot"), st.tuples(st.sampled_from([3, 20, 100, 500]), st.integers(0, 6)))
cuts = st.tuples(st.just("cut"), st.none())
reaches = st.sampled_from([(5, 8), (5, 60), (20, 60), (20, 300), (100, 300), (20, None)])


def reader(levels: int, shape: tuple[int, int | None], margin: int | None) -> Reader:
    """A book of (depth, kept) on a venue that sends what changed in all levels, or in the best ``kept`` and some more."""
    reach = BookReach(*shape)
    return Reader(BookVenue(levels, None if margin is None else reach.kept + margin), reach)


def play(subject: Reader, event: tuple[str, object]) -> None:
    """One event of a run."""
    match event:
        case ("change", list(found)):
            for is_bid, distance, size in found:
                subject.venue.set_level(is_bid=is_bid, distance=distance, size=size)
        case ("move", int(ticks)):
            subject.venue.move(ticks)
        case ("frame", str(fate)):
            subject.frame(fate)
        case ("snapshot", (int(limit), int(ago))):
            subject.snapshot(limit, ago)
        case _:
            subject.cut()


@settings(max_examples=EXAMPLES)
@given(
    st.integers(0, 300),
    reaches,
    st.sampled_from([None, 0, 5]),
    st.lists(st.one_of(changes, changes, moves, frames, frames, frames, snapshots, cuts), min_size=20, max_size=120),
)
def test_the_book_is_the_venues_or_says_that_it_is_none(
    levels: int, shape: tuple[int, int | None], margin: int | None, events: list[tuple[str, object]]
) -> None:
    """Losses, repeats, swaps, cuts, late snapshots, any wandering: after each event equal where it is known, or invalid."""
    subject = reader(levels, shape, margin)
    for event in events:
        play(subject, event)


@settings(max_examples=EXAMPLES)
@given(
    st.integers(0, 300),
    reaches,
    st.sampled_from([None, 0, 5]),
    st.lists(st.one_of(changes, moves, good_frames), min_size=20, max_size=120),
)
def test_a_stream_without_faults_ends_the_book_only_where_the_price_leaves_its_range(
    levels: int, shape: tuple[int, int | None], margin: int | None, events: list[tuple[str, object]]
) -> None:
    """While the best levels are in the known range it is valid after each event, and with the newest frame at its update."""
    subject = reader(levels, shape, margin)
    subject.snapshot(500, 0)
    for event in [*events, ("frame", "good")]:
        low, high = subject.book.known
        play(subject, event)
        if not subject.book.is_valid:
            best_bid, best_ask = max(subject.venue.bids, default=0.0), min(subject.venue.asks, default=float("inf"))
            assert best_bid < low or best_ask > high
            subject.snapshot(500, 0)
    assert subject.book.update_id == subject.venue.update_id
    subject.snapshot(500, 0)
    assert not subject.book.is_narrow


@given(
    st.integers(0, 100),
    st.lists(st.one_of(changes, moves, good_frames), max_size=40),
    st.integers(0, 6),
    st.sets(st.tuples(st.booleans(), st.integers(0, 30)), max_size=6),
)
def test_agreement_is_the_share_of_equal_levels(
    levels: int, events: list[tuple[str, object]], ago: int, wrong: set[tuple[bool, int]]
) -> None:
    """A later snapshot brought to the same update agrees wholly; of a book with wrong levels, the share of the others."""
    subject = reader(levels, (20, 300), None)
    subject.snapshot(100, 0)
    for event in events:
        play(subject, event)
    subject.frame("good")
    if not subject.book.is_valid:
        subject.snapshot(100, 0)
    other = OrderBook("ETHUSDT", "BINANCE", subject.reach)
    other.load(subject.venue.snapshot(100, 0))
    assert subject.book.agreement(other) == other.agreement(subject.book) == 1.0
    bids, asks = subject.venue.at(other.update_id)
    names = [(is_bid, price) for is_bid, side in ((True, bids), (False, asks)) for price in sorted(side)]
    low, high = (pick(mine, its) for pick, mine, its in zip((max, min), subject.book.known, other.known, strict=True))
    named = {names[number % len(names)] for _, number in wrong} if names else set()
    wrong_bids, wrong_asks = ([(price, 9.0) for is_bid, price in named if is_bid is side] for side in (True, False))
    subject.book.apply(Diff(other.update_id + 1, other.update_id + 1, wrong_bids, wrong_asks))
    other.apply(Diff(other.update_id + 1, other.update_id + 1, [], []))
    common = [(is_bid, price) for is_bid, price in names if (price >= low if is_bid else price <= high)]
    expected = 1 - len(named & set(common)) / len(common) if common else 1.0
    assert subject.book.agreement(other) == pytest.approx(expected)
