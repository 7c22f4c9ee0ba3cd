"""One lane's order book: what continues it, what ends it, what may be told after what."""

import pytest
from typing_extensions import override

from foxtrot.transport.base import Depth, Diff
from foxtrot.transport.book_order import CAPACITY, MEMORY, BookOrder
from foxtrot.util.constants import Source
from tests.support.fake_book import FakeBook, ShownBook


def diff(first: int, last: int, *bids: tuple[float, float]) -> Diff:
    return Diff(first, last, list(bids), [])


def depth(update_id: int, *bids: tuple[float, float]) -> Depth:
    return Depth(update_id, list(bids) or [(1.0, 1.0)], [(2.0, 1.0)], 100, 0, 7)


def live(update_id: int = 100) -> BookOrder:
    """It serves from a snapshot, which has been told."""
    order = BookOrder(FakeBook)
    assert order.load(depth(update_id))
    order.is_live = True
    assert order.stream_item() is not None
    return order


def shown(value: object) -> tuple[int, bool]:
    assert isinstance(value, ShownBook)
    return (value.update_id, value.is_valid)


# --- the door ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [101, 100, 99])
def test_the_door_takes_what_continues_the_book(first: int) -> None:
    """Also a diff that begins with what it holds already."""
    order = live()
    assert shown(order.accept(diff(first, 103), 5, 0)) == (103, True)
    assert (order.delivered, order.heard_ns) == (2, 5)


@pytest.mark.parametrize("given", [diff(102, 103), diff(99, 100)])
def test_the_door_refuses_all_else(given: Diff) -> None:
    """A hole before it, or nothing new in it; it changes nothing."""
    order = live()
    assert order.accept(given, 5) is None
    assert (order.book.update_id, order.heard_ns) == (100, 0)


def test_the_door_is_closed_while_the_stream_does_not_serve() -> None:
    """Polling does."""
    order = live()
    order.is_live = False
    assert order.accept(diff(101, 101), 5) is None


def test_a_diff_that_crosses_the_book_is_told_by_the_door() -> None:
    """As an invalid book, once; nothing passes the door after it."""
    order = live()
    assert shown(order.accept(diff(101, 101, (2.0, 1.0)), 5)) == (101, False)
    assert (order.ends, order.ended_by) == (1, 101)
    assert order.accept(diff(102, 102), 6) is None


# --- what is offered --------------------------------------------------------------------------------------------------------


def test_a_hole_ends_the_book() -> None:
    """It keeps the update of which it was right."""
    order = live()
    assert order.offer(diff(102, 103), 5)
    item = order.stream_item()
    assert item is not None
    assert shown(item.value) == (100, False)
    assert not order.offer(diff(104, 104), 6)
    assert (order.ends, order.ended_by) == (1, 102)


def test_a_duplicate_refreshes_nothing() -> None:
    """Of the book, or of what waits for a snapshot."""
    order = live()
    order.offer(diff(99, 100), 5)
    order.offer(diff(102, 103), 6)
    order.offer(diff(102, 103), 7)
    assert (order.duplicates, order.heard_ns) == (2, 6)


def test_a_hole_before_it_serves_is_noted() -> None:
    """Between two diffs; before the first one there is nothing to miss, and what a snapshot holds is not missing."""
    order = BookOrder(FakeBook)
    order.load(depth(100))
    order.offer(diff(105, 105), 5)
    assert not order.has_gap
    order.load(depth(110))
    order.offer(diff(111, 111), 6)
    assert not order.has_gap
    order.offer(diff(113, 113), 7)
    assert order.has_gap
    order.forget()
    assert not order.has_gap


# --- snapshots --------------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_brought_to_the_newest_diff() -> None:
    """What came since the hole is kept for it."""
    order = live()
    order.offer(diff(103, 104, (0.5, 4.0)), 5)
    order.offer(diff(105, 105, (0.5, 5.0)), 6)
    assert order.load(depth(103))
    assert (order.book.update_id, order.book.is_valid) == (105, True)
    assert isinstance(order.book, FakeBook)
    assert order.book.bids[0.5] == 5.0


def test_a_snapshot_that_is_too_old_does_not_fit() -> None:
    """The diffs that would continue it never came."""
    order = live()
    order.offer(diff(103, 104), 5)
    assert not order.load(depth(101))
    assert not order.book.is_valid


def test_a_valid_book_does_not_go_back() -> None:
    """To a snapshot of a replica behind it."""
    order = live()
    assert not order.load(depth(99))
    assert order.load(depth(100))


def test_so_many_diffs_are_kept_without_a_snapshot_under_way() -> None:
    """A replica may be so far behind; with a snapshot under way all are kept."""
    order = live()
    for number in range(101, 101 + 2 * MEMORY):
        order.accept(diff(number, number), 5)
    assert not order.load(depth(100))
    assert order.load(depth(order.book.update_id - MEMORY))
    order.keeps_all = True
    begun = order.book.update_id
    for number in range(begun + 1, begun + 1 + 2 * MEMORY):
        order.accept(diff(number, number), 5)
    assert order.load(depth(begun))


def test_a_snapshot_that_never_comes_costs_no_more_than_so_many_diffs() -> None:
    """The oldest go."""
    order = BookOrder(FakeBook)
    for number in range(1, CAPACITY + 3):
        order.offer(diff(number, number), 5)
    assert not order.load(depth(1))
    assert order.load(depth(2))


# --- what may be told after what --------------------------------------------------------------------------------------------


def test_polled_books_never_go_back() -> None:
    """An older answer is dropped, an equal one is known."""
    order = BookOrder(FakeBook)
    item = order.polled_item(depth(100))
    assert item is not None
    assert isinstance(item.value, ShownBook)
    assert (item.id, item.value.source) == (100, Source.POLL)
    assert order.polled_item(depth(100)) is None
    assert order.is_known(depth(100))
    assert order.polled_item(depth(99)) is None
    assert not order.is_known(depth(99))


def test_a_crossed_snapshot_is_not_told() -> None:
    """It is no book."""

    class Strict(FakeBook):
        @override
        def load(self, depth: Depth) -> None:
            super().load(depth)
            self.is_valid = max(self.bids) < min(self.asks)

    order = BookOrder(Strict)
    assert order.polled_item(depth(100, (3.0, 1.0))) is None
    assert order.delivered == 0


def test_after_an_invalid_book_the_same_update_may_follow() -> None:
    """Polled, it is news and no confirmation."""
    order = live()
    order.offer(diff(102, 102), 5)
    order.stream_item()
    order.forget()
    assert not order.is_known(depth(100))
    assert order.polled_item(depth(100)) is not None
    assert order.is_known(depth(100))


def test_after_an_invalid_book_none_before_it_follows() -> None:
    """It ended at 101."""
    order = live()
    order.accept(diff(101, 101, (2.0, 1.0)), 5)
    order.forget()
    assert order.polled_item(depth(100)) is None
    assert order.polled_item(depth(101)) is not None


def test_a_stream_behind_what_polls_told_has_not_joined() -> None:
    """It has once it stands there; nothing new is told then."""
    order = BookOrder(FakeBook)
    order.polled_item(depth(101))
    order.load(depth(100))
    assert not order.is_joined
    order.offer(diff(101, 101), 5)
    assert order.is_joined
    assert order.stream_item() is None


# --- comparisons ------------------------------------------------------------------------------------------------------------


def test_a_comparison_waits_for_the_snapshots_update() -> None:
    """The stream is behind it; then both are of one update."""
    order = live()
    assert order.compare(depth(102, (1.0, 1.0), (0.5, 9.0)))
    assert order.is_behind
    assert not order.is_comparable
    order.accept(diff(101, 102, (0.5, 9.0)), 5)
    assert order.is_comparable
    assert not order.is_behind
    assert order.compared(0.99) == 1.0
    assert not order.is_comparable
    assert not order.is_behind


def test_an_unequal_book_makes_way_and_is_told_again() -> None:
    """With the same update id: what was told was wrong."""
    order = live()
    assert order.compare(depth(100, (1.0, 2.0)))
    assert order.compared(0.99) == 0.5
    item = order.stream_item()
    assert item is not None
    assert isinstance(item.value, ShownBook)
    assert (item.id, item.value.bids) == (100, {1.0: 2.0})
    assert order.stream_item() is None


def test_a_book_that_nobody_was_told_makes_way_in_silence() -> None:
    """Polling serves: what it told was right."""
    order = BookOrder(FakeBook)
    order.polled_item(depth(100))
    order.load(depth(100, (1.0, 5.0)))
    order.compare(depth(100))
    assert order.compared(0.99) == 0.5
    assert order.polled_item(depth(100)) is None


@pytest.mark.parametrize("update_id", [97, 99])
def test_a_snapshot_that_cannot_be_brought_so_far_is_not_compared(update_id: int) -> None:
    """It is older than all diffs at hand, or there are none."""
    order = live()
    if update_id == 97:
        order.accept(diff(101, 101), 5)
    assert not order.compare(depth(update_id))
    assert not order.is_comparable
    assert not order.is_behind


def test_without_a_book_nothing_is_compared() -> None:
    """It has ended while the snapshot was under way."""
    order = live()
    order.offer(diff(102, 102), 5)
    assert not order.compare(depth(102))


def test_a_snapshot_that_a_diff_ends_is_not_compared() -> None:
    """It is crossed where the stream's book is not: two such books cannot be compared."""
    order = live()
    order.compare(Depth(100, [(1.0, 1.0)], [(1.5, 1.0)], 100, 0, 0))
    assert order.is_comparable
    assert order.accept(diff(101, 101, (1.6, 1.0)), 5) is not None
    assert not order.is_comparable
    assert not order.is_behind
    assert order.book.is_valid


def test_what_is_forgotten_is_not_compared() -> None:
    """The stream is over."""
    order = live()
    order.compare(depth(100))
    order.forget()
    assert not order.is_comparable
    assert not order.is_behind
    assert not order.book.is_valid
