"""Bars of one lane: closed ones in order, the newest draft of the next."""

import pytest

from foxtrot.transport.bar_order import BarOrder
from foxtrot.transport.base import Cursor, Draft, Item
from foxtrot.transport.ordering import Standing
from foxtrot.util.clock import NS_PER_S


def live(next_id: int = 5) -> BarOrder:
    """It serves; trade 10 is in what was delivered."""
    order = BarOrder(Cursor(next_id - 1, 10))
    order.listen()
    order.open()
    return order


def draft(number: int, rank: int, trade_id: int = -1) -> Draft:
    return Draft(number, rank, trade_id, None)


def bar(number: int, trade_id: int = -1) -> Item:
    return Item(number, trade_id, None)


def test_the_door_takes_the_next_bar() -> None:
    """One without trades takes nothing back of what is known of them."""
    order = live()
    assert order.accept(5, -1, 1, 2)
    assert (order.next_id, order.last_trade_id, order.heard_ns, order.event_ms) == (6, 10, 1, 2)
    assert not order.accept(7, 12, 3)
    assert order.accept(6, 12, 3)
    assert (order.last_trade_id, order.streamed_trade_id) == (12, 12)


def test_drafts_of_the_next_bar_grow() -> None:
    """A lower rank or the same is no news."""
    order = live()
    assert order.accept_draft(draft(5, 0), 1)
    assert order.accept_draft(draft(5, 2, 12), 2, 3)
    assert not order.accept_draft(draft(5, 2, 12), 4)
    assert not order.accept_draft(draft(5, 1, 11), 4)
    assert (order.delivered, order.heard_ns, order.event_ms, order.last_trade_id) == (2, 2, 3, 12)


@pytest.mark.parametrize("number", [4, 6])
def test_drafts_of_other_bars_are_not_taken(number: int) -> None:
    """Of one that has closed, or of one behind a bar that has not come."""
    assert not live().accept_draft(draft(number, 9, 20), 1)


def test_the_first_draft_of_a_new_bar_follows_the_closed_one() -> None:
    """With fewer trades than the last draft of that: by the door, from the buffer, from a page."""
    order = live()
    order.accept_draft(draft(5, 7, 17), 1)
    order.accept(5, 17, 2)
    assert order.accept_draft(draft(6, 0), 3)
    order.accept_draft(draft(6, 4, 21), 4)
    order.offer(bar(7), 5)
    order.fill([bar(6)], is_full=False)
    order.ready()
    assert order.accept_draft(draft(8, 1, 22), 6)


def test_the_door_is_closed_behind_a_hole() -> None:
    """The open bar is not told before those that have closed."""
    order = live()
    order.offer(bar(6), 1)
    assert not order.accept_draft(draft(5, 9, 20), 2)
    assert order.hole() == (5, 5)


def test_a_draft_of_a_later_bar_shows_that_bars_are_missing() -> None:
    """They are asked for, and then no longer."""
    order = live()
    assert not order.wants_page()
    order.offer_draft(draft(6, 0), 1)
    assert order.draft_id == 6
    assert order.wants_page()
    order.fill([bar(5)], is_full=False)
    assert not order.wants_page()


def test_a_stream_comes_up_without_a_past() -> None:
    """What an older one had shown is not waited for."""
    order = live()
    order.offer_draft(draft(8, 0), 1)
    order.shut()
    order.listen()
    assert not order.wants_page()


@pytest.mark.parametrize(
    ("given", "event_ms"), [(draft(5, 3, 13), 7), (draft(5, 2, 12), 9), (draft(4, 9, 10), 9)], ids=["again", "older", "closed"]
)
def test_what_the_stream_repeats_refreshes_nothing(given: Draft, event_ms: int) -> None:
    """The same frame on another line, an older one, one of a bar that has closed."""
    order = live()
    order.accept_draft(draft(5, 3, 13), 1, 7)
    order.offer_draft(given, 5, event_ms)
    assert (order.heard_ns, order.duplicates) == (1, 1)


def test_an_unchanged_bar_sent_anew_is_heard() -> None:
    """The stream lives: the venue has sent it later."""
    order = live()
    order.accept_draft(draft(5, 3, 13), 1, 7)
    order.offer_draft(draft(5, 3, 13), 5, 9)
    assert (order.heard_ns, order.event_ms, order.duplicates) == (5, 9, 0)


def test_a_page_brings_the_open_bar() -> None:
    """If it is of the next one, and newer than what is known."""
    order = BarOrder(Cursor(4, -1))
    assert order.fill_draft(draft(5, 3)) == draft(5, 3)
    assert order.fill_draft(draft(5, 3)) is None
    assert order.fill_draft(draft(6, 9)) is None
    assert order.delivered == 1


def test_pages_do_not_speak_for_the_stream() -> None:
    """What they were credited with it still owes."""
    order = live()
    order.credit(15)
    order.credit(12)
    assert (order.last_trade_id, order.streamed_trade_id) == (15, 10)
    assert order.polled(15, 1) is Standing.AHEAD
    assert order.polled(15, 1 + BarOrder.PATIENCE_NS) is Standing.DEAD
    assert order.accept_draft(draft(5, 5, 15), 5 * NS_PER_S)
    assert order.polled(15, 6 * NS_PER_S) is Standing.LEVEL


def test_a_stream_owes_nothing_that_polls_had_shown_before_it_served() -> None:
    """Its lane may have begun without a trade id, and the symbol be quiet since."""
    order = BarOrder(Cursor(4, -1))
    order.listen()
    order.polled(10, 1)
    order.open()
    assert order.polled(10, 2) is Standing.LEVEL
    assert order.polled(11, 3) is Standing.AHEAD


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_frame_that_a_page_was_faster_with_shows_how_far_the_stream_has_come(is_closed: bool) -> None:
    """Our loop stood still, and reads it last: the stream does not owe the trade in it."""
    order = live()
    order.is_incomplete = True
    order.fill([bar(5)], is_full=False)
    assert order.next_id == 6
    if is_closed:
        order.offer(bar(5, 11), 8, 8)
    else:
        order.offer_draft(draft(5, 1, 11), 8, 8)
    assert (order.heard_trade_id, order.heard_ns) == (11, 0)
    assert order.polled(11, 20 * NS_PER_S) is Standing.LEVEL
