"""An order book follows the venue's rules, rule by rule."""

import pytest

from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.order_book import OrderBook
from foxtrot.transport.base import Depth, Diff, Level
from foxtrot.transport.book import Book, Fit
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import OrderBookData

INFINITY = float("inf")
BIDS = [(9.0, 1.0), (8.0, 2.0), (7.0, 3.0)]
ASKS = [(10.0, 1.0), (11.0, 2.0), (12.0, 3.0)]


def depth(bids: list[Level] = BIDS, asks: list[Level] = ASKS, limit: int = 100, at_ns: int = 0) -> Depth:
    """A snapshot at update 50; of fewer levels than its limit: the whole book."""
    return Depth(50, bids, asks, limit, at_ns, at_ns)


def loaded(found: Depth | None = None, reach: BookReach | None = None) -> OrderBook:
    """A book that has begun."""
    book = OrderBook("ETHUSDT", "BINANCE", reach or BookReach())
    book.load(found or depth())
    return book


def diff(first_id: int, last_id: int, bids: list[Level] | None = None, asks: list[Level] | None = None, at_ns: int = 0) -> Diff:
    """An event."""
    return Diff(first_id, last_id, bids or [], asks or [], at_ns)


def data(book: OrderBook) -> OrderBookData:
    """What would be delivered."""
    value = book.item(Source.STREAM, 5, 6).value
    assert isinstance(value, OrderBookData)
    return value


def test_a_new_book_is_none() -> None:
    """Not valid, at no update, and a snapshot is due; every event is a gap."""
    book: Book = OrderBook("ETHUSDT", "BINANCE", BookReach())
    assert (book.is_valid, book.update_id, book.is_narrow, book.limit) == (False, 0, True, 100)
    assert book.top == (0.0, 0.0, 0.0, 0.0)
    assert book.apply(diff(1, 2)) is Fit.GAP


def test_rule_5_the_book_becomes_the_snapshot() -> None:
    """All of its levels, at its update id."""
    book = loaded()
    assert (book.is_valid, book.update_id, book.is_narrow) == (True, 50, False)
    assert (book.bids, book.asks, book.top) == (tuple(BIDS), tuple(ASKS), (9.0, 1.0, 10.0, 1.0))


@pytest.mark.parametrize(("first_id", "last_id"), [(40, 49), (40, 50), (50, 50)])
def test_rule_4_what_the_snapshot_holds_is_dropped(first_id: int, last_id: int) -> None:
    """``u <= lastUpdateId``: old, and without effect."""
    book = loaded()
    assert book.apply(diff(first_id, last_id, [(9.0, 0.0)])) is Fit.OLD
    assert (book.update_id, book.bids) == (50, tuple(BIDS))


@pytest.mark.parametrize(("first_id", "last_id"), [(51, 51), (51, 60), (50, 51), (40, 60)])
def test_rule_7_the_first_event_holds_the_next_id(first_id: int, last_id: int) -> None:
    """``U <= lastUpdateId + 1 <= u``, also where it does not hold ``lastUpdateId``."""
    book = loaded()
    assert book.apply(diff(first_id, last_id, [(9.0, 4.0)])) is Fit.NEXT
    assert (book.update_id, book.top) == (last_id, (9.0, 4.0, 10.0, 1.0))


def test_rule_6_sizes_are_absolute_and_none_removes() -> None:
    """Also a level that is not there; a new level stands in its place."""
    book = loaded()
    assert book.apply(diff(51, 52, [(9.0, 0.0), (8.5, 4.0), (1.0, 0.0)], [(10.0, 7.0), (99.0, 0.0)])) is Fit.NEXT
    assert book.bids == ((8.5, 4.0), (8.0, 2.0), (7.0, 3.0))
    assert book.asks == ((10.0, 7.0), (11.0, 2.0), (12.0, 3.0))


def test_rule_6_a_gap_ends_the_book() -> None:
    """It keeps its last update id, and serves nothing until the next snapshot."""
    book = loaded()
    assert book.apply(diff(52, 53, [(9.0, 4.0)])) is Fit.GAP
    assert (book.is_valid, book.update_id, book.bids, book.asks, book.known) == (False, 50, (), (), (0.0, 0.0))
    assert book.apply(diff(51, 53)) is Fit.GAP
    book.load(depth())
    assert book.apply(diff(51, 53)) is Fit.NEXT


@pytest.mark.parametrize("price", [10.0, 10.5])
def test_a_crossed_book_is_none(price: float) -> None:
    """A bid that reaches the best ask ends the book; so does such a snapshot."""
    book = loaded()
    assert book.apply(diff(51, 51, [(price, 1.0)])) is Fit.GAP
    assert not book.is_valid
    assert not loaded(depth(bids=[(price, 1.0)])).is_valid


def test_a_side_may_be_empty() -> None:
    """Nothing is crossed then, and the other side goes on."""
    book = loaded(depth(asks=[]))
    assert (book.is_valid, book.top) == (True, (9.0, 1.0, 0.0, 0.0))
    assert book.apply(diff(51, 51, [(level[0], 0.0) for level in BIDS], [(3.0, 1.0)])) is Fit.NEXT
    assert book.top == (0.0, 0.0, 3.0, 1.0)


def test_clearing_forgets_everything() -> None:
    """At no update; larger snapshots are not asked for any more."""
    reach = BookReach()
    book = loaded(reach=reach)
    reach.was_narrow(100, 0)
    book.clear()
    assert (book.is_valid, book.update_id, book.bids, book.limit) == (False, 0, (), 100)


def test_rule_8_what_the_snapshot_did_not_show_stays_unknown() -> None:
    """Events of levels behind its worst are passed over, whether they come or go."""
    book = loaded(depth(limit=3))
    assert book.known == (7.0, 12.0)
    book.apply(diff(51, 51, [(6.0, 1.0), (7.0, 0.0)], [(13.0, 1.0), (12.0, 0.0)]))
    assert (book.bids, book.asks) == (tuple(BIDS[:2]), tuple(ASKS[:2]))
    assert book.known == (7.0, 12.0)


def test_rule_8_a_whole_side_has_no_end() -> None:
    """The snapshot showed less than it was asked for."""
    assert loaded().known == (0.0, INFINITY)


def test_rule_8_a_level_that_turned_stale_unseen_is_never_shown() -> None:
    """A venue that speaks of its best 8: one leaves these, is changed from 1 to 3 without a word, and comes back."""
    better = [(float(price), 1.0) for price in range(116, 108, -1)]
    bids = {}
    for kept in (8, 100):
        book = loaded(depth([(float(price), 1.0) for price in range(108, 100, -1)], asks=[]), BookReach(5, kept))
        book.apply(diff(51, 58, better))
        book.apply(diff(59, 59))
        book.apply(diff(60, 66, [(price, 0.0) for price, _ in better[1:]]))
        bids[kept] = book.bids
    assert bids[8] == ((116.0, 1.0),)
    assert (105.0, 1.0) in bids[100]


def test_rule_8_a_narrow_book_goes_on_and_asks_for_a_larger_snapshot() -> None:
    """Fewer levels known than delivered: still valid; the next snapshot is the next size."""
    levels = [(float(price), 1.0) for price in range(1_000, 900, -1)]
    book = loaded(depth(levels, asks=[], limit=100, at_ns=NS_PER_S))
    assert (book.is_narrow, book.limit) == (False, 100)
    assert book.apply(diff(51, 51, [(price, 0.0) for price, _ in levels[:81]], at_ns=2 * NS_PER_S)) is Fit.NEXT
    assert (book.is_valid, book.is_narrow, book.limit, len(book.bids)) == (True, True, 500, 19)


def test_rule_8_a_book_whose_best_is_not_known_is_none() -> None:
    """The last bid of the known range is gone, and there may be others behind it."""
    book = loaded(depth(limit=3))
    assert book.apply(diff(51, 51, [(price, 0.0) for price, _ in BIDS[:2]])) is Fit.NEXT
    assert book.apply(diff(52, 52, [(price, 0.0) for price, _ in BIDS[2:]])) is Fit.GAP
    assert not book.is_valid


def test_a_book_that_became_narrow_asks_for_one_size_more_not_two() -> None:
    """Every further event finds it narrow; only the first says so."""
    book = loaded(depth(BIDS, limit=3, at_ns=0))
    for number in range(51, 54):
        assert book.apply(diff(number, number, at_ns=1)) is Fit.NEXT
    assert (book.is_narrow, book.limit) == (True, 100)


def test_a_snapshot_that_lasted_ten_minutes_was_large_enough() -> None:
    """The same size is asked for again."""
    levels = [(float(price), 1.0) for price in range(1_000, 900, -1)]
    book = loaded(depth(levels, asks=[], limit=100, at_ns=NS_PER_S))
    book.apply(diff(51, 51, [(price, 0.0) for price, _ in levels[:81]], at_ns=601 * NS_PER_S))
    assert (book.is_narrow, book.limit) == (True, 100)


def test_an_item_says_what_and_whence() -> None:
    """The best levels under the update id, with source, times and range."""
    item = loaded(reach=BookReach(2)).item(Source.STREAM, 5, 6)
    assert (item.id, item.last_trade_id) == (50, -1)
    assert item.value == OrderBookData(
        "ETHUSDT", Exchange.BINANCE, "BINANCE", Source.STREAM, 5, 6, tuple(BIDS[:2]), tuple(ASKS[:2]), 50, True, 8.0, 11.0
    )  # fmt: skip


def test_an_item_that_shows_all_says_so() -> None:
    """Its range is the book's."""
    found = data(loaded(depth(limit=3)))
    assert (found.known_low, found.known_high) == (7.0, 12.0)
    found = data(loaded())
    assert (found.known_low, found.known_high) == (0.0, INFINITY)


def test_an_ended_book_is_delivered_empty() -> None:
    """Not valid, no levels, no range, under its last update id."""
    book = loaded()
    book.apply(diff(60, 61))
    found = data(book)
    assert (found.is_valid, found.update_id, found.bids, found.asks) == (False, 50, (), ())
    assert (found.known_low, found.known_high) == (0.0, 0.0)


def test_agreement_is_the_share_of_equal_levels() -> None:
    """One size differs, one level is missing: four of six; outside of what both know nothing counts."""
    book, other = loaded(depth(limit=3)), loaded(depth([*BIDS[:1], (8.0, 9.0), BIDS[2], (6.0, 1.0)], ASKS[:2]))
    assert book.agreement(other) == other.agreement(book) == 4 / 6
    assert book.agreement(loaded()) == 1.0
    assert loaded(depth([], [])).agreement(loaded(depth([], []))) == 1.0


def test_books_that_cannot_be_compared_are_not() -> None:
    """Of another update, or ended."""
    book, later = loaded(), loaded()
    later.apply(diff(51, 51))
    ended = loaded()
    ended.apply(diff(52, 52))
    for one, other in ((book, later), (book, ended), (ended, book)):
        with pytest.raises(ValueError, match="can be compared"):
            one.agreement(other)


def test_the_depth_may_be_raised_while_the_book_serves() -> None:
    """The next item shows as much as is known; a larger snapshot is due where that is less than wanted."""
    reach = BookReach(2)
    book = loaded(depth(limit=3), reach)
    assert not book.is_narrow
    reach.depth = 200
    assert (book.is_narrow, book.limit) == (True, 500)
    assert data(book).bids == tuple(BIDS)
