"""Ids of one lane: what is next, what came before, what is missing."""

from foxtrot.transport.base import Cursor, Item
from foxtrot.transport.ordering import IdOrder, Standing
from foxtrot.util.clock import NS_PER_S


def items(*ids: int) -> list[Item]:
    return [Item(number, number, number) for number in ids]


def ids_of(found: list[Item]) -> list[int]:
    return [item.id for item in found]


def at(cursor: int) -> IdOrder:
    return IdOrder(Cursor(cursor, cursor))


def live(cursor: int) -> IdOrder:
    order = at(cursor)
    order.open()
    return order


def offer(order: IdOrder, *ids: int) -> list[int]:
    return [number for item in items(*ids) for number in ids_of(order.offer(item, 5))]


def test_the_door_admits_the_next_id_only() -> None:
    """Not one twice, not one behind a hole."""
    order = live(10)
    assert [order.accept(number, number, 7) for number in (11, 11, 13, 12)] == [True, False, False, True]
    assert (order.delivered, order.last_trade_id, order.heard_ns) == (2, 12, 7)


def test_the_door_is_closed_until_the_stream_serves() -> None:
    """The next id is known, and waits."""
    order = at(10)
    assert not order.accept(11, 11, 7)
    assert offer(order, 11) == []
    assert (order.waiting, order.next_id) == (1, 11)


def test_opening_hands_out_what_waited() -> None:
    """In order, whatever order it came in; what a page has brought meanwhile is not repeated."""
    order = at(10)
    offer(order, 13, 12, 14)
    assert order.hole() == (11, 11)
    assert ids_of(order.fill(items(11, 12), is_full=False).items) == [11, 12]
    assert ids_of(order.open()) == [13, 14]
    assert order.accept(15, 15, 0)


def test_values_behind_a_hole_wait_for_it() -> None:
    """The hole is filled by id, then what waited follows."""
    order = live(10)
    assert offer(order, 13, 12) == []
    assert (order.hole(), order.wants_page()) == ((11, 11), True)
    assert ids_of(order.fill(items(11, 12, 13), is_full=False).items) == [11]
    assert ids_of(order.ready()) == [12, 13]
    assert (order.hole(), order.wants_page()) == (None, False)


def test_a_late_value_fills_its_hole_itself() -> None:
    """A reordered frame needs no page."""
    order = live(10)
    offer(order, 12)
    assert offer(order, 11) == [11, 12]


def test_the_door_sends_what_fills_a_hole_past_what_waits() -> None:
    """Else 12 would wait for another frame although nothing is missing before it."""
    order = live(9)
    offer(order, 12)
    assert not order.accept(10, 10, 7)
    assert offer(order, 10) == [10]
    assert not order.accept(11, 11, 7)
    assert offer(order, 11) == [11, 12]
    assert order.accept(13, 13, 7)


def test_a_full_buffer_takes_what_is_next() -> None:
    """It brings out what waits; only what lies behind the hole is let go."""
    order = live(0)
    offer(order, *range(2, order.CAPACITY + 2))
    assert offer(order, 1) == list(range(1, order.CAPACITY + 2))


def test_old_and_waiting_values_are_duplicates() -> None:
    """They are counted, and refresh nothing."""
    order = live(10)
    offer(order, 13)
    heard = order.heard_ns
    assert [order.offer(item, 99) for item in items(13, 10)] == [[], []]
    assert (order.duplicates, order.heard_ns) == (2, heard)


def test_at_most_so_many_values_wait() -> None:
    """The newest are let go; they are known of, and fetched by id."""
    order = live(0)
    offer(order, *range(2, order.CAPACITY + 3))
    assert order.waiting == order.CAPACITY
    order.fill(items(1), is_full=False)
    assert len(order.ready()) == order.CAPACITY
    assert order.wants_page()


def test_a_polled_lane_fetches_what_the_venue_has() -> None:
    """As soon as a poll shows a newer trade; and on after a full page."""
    order = at(10)
    assert not order.wants_page()
    order.polled(12, 0)
    assert order.wants_page()
    assert ids_of(order.fill(items(11, 12), is_full=True).items) == [11, 12]
    assert order.wants_page()
    order.fill([], is_full=False)
    assert not order.wants_page()


def test_a_join_waits_for_what_polls_have_shown() -> None:
    """Though no hole lies before the stream's first value: it may be a replay, and the stream bring nothing after it."""
    order = at(10)
    order.polled(13, 0)
    offer(order, 11)
    assert order.wants_page()
    order.fill(items(11, 12, 13), is_full=False)
    assert not order.wants_page()
    assert order.open() == []
    assert order.accept(14, 14, 0)


def test_a_join_waits_no_longer_than_until_the_stream_has_caught_up() -> None:
    """A stream that brings what polls have shown needs no page."""
    order = at(10)
    order.polled(12, 0)
    offer(order, 11)
    assert order.wants_page()
    offer(order, 12)
    assert not order.wants_page()


def test_a_page_of_before_the_switch_is_let_go() -> None:
    """What it brings comes on the stream."""
    order = live(10)
    assert order.fill(items(11, 12), is_full=False).items == []
    assert order.accept(11, 11, 0)


def test_ids_that_the_venue_does_not_have_are_told_once() -> None:
    """A polled lane: the jump is a gap, and what follows it is next."""
    order = at(10)
    assert order.fill(items(15, 16), is_full=False) == (items(15, 16), (11, 14))
    assert order.fill(items(17), is_full=False) == (items(17), None)


def test_a_jump_on_the_stream_is_told_once() -> None:
    """A served lane: the page begins behind the hole, so nothing will ever fill it."""
    order = live(10)
    offer(order, 15)
    assert order.fill(items(15, 16), is_full=False) == ([], (11, 14))
    assert ids_of(order.ready()) == [15]
    assert order.accept(16, 16, 0)


def test_a_jump_within_a_hole_is_asked_for_again() -> None:
    """What lies before it is taken; the next page tells the gap."""
    order = live(10)
    offer(order, 15)
    assert order.fill(items(11, 13), is_full=False) == (items(11), None)
    assert order.fill(items(13), is_full=False) == (items(13), (12, 12))
    assert order.fill(items(16), is_full=False) == ([], (14, 14))
    assert ids_of(order.ready()) == [15]


def test_before_the_first_id_there_is_nothing_to_miss() -> None:
    """A symbol without trades begins with whatever id comes first, polled or streamed."""
    polled, streamed = at(-1), live(-1)
    assert polled.fill(items(7), is_full=False) == (items(7), None)
    offer(streamed, 7)
    assert streamed.fill(items(7), is_full=False) == ([], None)
    assert ids_of(streamed.ready()) == [7]


def test_a_page_that_trails_brings_nothing() -> None:
    """Old items are not repeated, the hole stays."""
    order = live(10)
    offer(order, 13)
    assert order.fill(items(9, 10), is_full=False) == ([], None)
    assert order.hole() == (11, 12)


def test_what_the_stream_left_is_fetched_by_id() -> None:
    """Values that waited when it was given up."""
    order = live(10)
    offer(order, 14)
    order.shut()
    assert not order.accept(11, 11, 0)
    assert order.wants_page()
    assert ids_of(order.fill(items(11, 12, 13, 14), is_full=False).items) == [11, 12, 13, 14]
    assert not order.wants_page()


def test_a_pause_closes_the_door() -> None:
    """Frames are let go; afterwards they are asked for, and the door opens where they ended."""
    order = live(10)
    offer(order, 13)
    order.pause()
    assert not order.accept(11, 11, 0)
    assert offer(order, 11, 14) == []
    assert order.waiting == 0
    order.resume()
    assert order.wants_page()
    assert ids_of(order.fill(items(11, 12, 13), is_full=False).items) == [11, 12, 13]
    assert order.wants_page(), "14 was heard of, and a replica behind the stream does not have it yet"
    assert ids_of(order.fill(items(14), is_full=False).items) == [14]
    assert order.accept(15, 15, 0)


def test_a_pause_closes_an_open_door() -> None:
    """Nothing waited: the next frame is let go all the same, and the place is kept."""
    order = live(10)
    order.pause()
    assert not order.accept(11, 11, 0)
    assert order.next_id == 11


def test_a_pause_outlasts_the_stream() -> None:
    """Given up while paused, and resumed while polled: the door stays closed, the place is kept."""
    order = live(10)
    order.pause()
    order.shut()
    order.resume()
    assert not order.accept(11, 11, 0)
    assert order.next_id == 11


def test_opening_again_or_during_a_pause_moves_nothing() -> None:
    """The next id stays the next, and a paused door stays closed."""
    order = live(10)
    assert order.accept(11, 11, 0)
    order.open()
    assert order.next_id == 12
    order.pause()
    order.open()
    assert not order.accept(12, 12, 0)
    order.resume()
    assert order.accept(12, 12, 0)


def test_a_hole_can_be_given_up() -> None:
    """The ids let go are named; without a hole there are none."""
    order = live(10)
    offer(order, 13)
    assert order.skip_to_buffer() == (11, 12)
    assert order.skip_to_buffer() is None
    assert ids_of(order.ready()) == [13]


def test_a_stream_that_keeps_up_is_level() -> None:
    """The venue's newest trade is known: delivered, or waiting behind a hole."""
    order = live(10)
    offer(order, 13)
    assert order.polled(13, 0) is Standing.LEVEL


def test_a_stream_behind_for_five_seconds_is_dead() -> None:
    """Before that it is behind."""
    order = live(10)
    assert order.polled(11, 1) is Standing.AHEAD
    assert order.polled(12, 5 * NS_PER_S) is Standing.AHEAD
    assert order.polled(12, 5 * NS_PER_S + 1) is Standing.DEAD


def test_a_late_stream_is_not_a_dead_one() -> None:
    """As long as it brings within five seconds what a poll had shown."""
    order = live(10)
    for second in range(1, 20):
        assert order.polled(10 + second, second * NS_PER_S) is Standing.AHEAD
        order.accept(8 + second, 8 + second, 0)


def test_an_old_answer_says_nothing() -> None:
    """A replica behind an earlier answer shows that the stream has what nobody doubted; the patience runs on."""
    order = live(10)
    assert order.polled(12, 1) is Standing.AHEAD
    assert order.polled(10, 2 * NS_PER_S) is Standing.OLD
    assert order.polled(10, 5 * NS_PER_S + 1) is Standing.DEAD


def test_an_old_answer_confirms_no_stream_that_keeps_up() -> None:
    """It says nothing either way."""
    order = live(10)
    order.polled(11, 1)
    order.accept(11, 11, 2)
    assert order.polled(10, 3) is Standing.OLD
    assert order.polled(11, 4) is Standing.LEVEL


def test_a_day_without_trades_is_level() -> None:
    """The window is empty, so there is nothing newer; it is not an old answer."""
    order = live(10)
    assert order.polled(-1, 1) is Standing.LEVEL


def test_a_polled_lane_is_behind_and_never_dead() -> None:
    """There is no stream to give up, however long its pages take."""
    order = at(10)
    assert [order.polled(12, second * NS_PER_S) for second in (1, 9)] == [Standing.AHEAD, Standing.AHEAD]


def test_what_polls_were_faster_with_has_been_heard_of() -> None:
    """It came on the stream for the first time: a duplicate, and a sign of life."""
    order = at(10)
    order.listen()
    order.fill(items(11, 12), is_full=False)
    assert order.offer(items(12)[0], 7, 3) == []
    assert (order.heard_ns, order.event_ms, order.heard_trade_id, order.duplicates, order.waiting) == (7, 3, 12, 1, 0)
    assert order.offer(items(11)[0], 8) == []
    assert (order.heard_ns, order.duplicates) == (7, 2)


def test_what_was_there_before_the_stream_is_a_replay() -> None:
    """Whichever source had brought it."""
    order = at(10)
    order.fill(items(11, 12), is_full=False)
    order.listen()
    order.offer(items(12)[0], 7)
    assert (order.heard_ns, order.duplicates) == (0, 1)


def test_what_is_only_watched_does_not_wait() -> None:
    """The stream is in the shadow: it is heard of."""
    order = at(10)
    assert order.offer(items(11)[0], 7, is_kept=False) == []
    assert (order.waiting, order.heard_ns, order.heard_trade_id) == (0, 7, 11)


def test_polling_fetches_what_polls_show_whatever_waits() -> None:
    """The switch to the stream needs no page, for all of it waits; but polling serves until then."""
    order = at(10)
    offer(order, 11, 12)
    assert not order.wants_poll()
    order.polled(12, 0)
    assert (order.wants_poll(), order.wants_page()) == (True, False)
    order.fill(items(11, 12), is_full=False)
    assert (order.wants_poll(), order.waiting) == (False, 0)


def test_polling_goes_on_after_a_full_page() -> None:
    """There may be more."""
    order = at(10)
    order.fill(items(11), is_full=True)
    assert order.wants_poll()


def test_it_is_known_how_many_trades_are_missing() -> None:
    """Shown by a poll, or heard of on the stream."""
    order = at(10)
    order.polled(12, 0)
    assert order.missing == 2
    offer(order, 15)
    assert order.missing == 5
