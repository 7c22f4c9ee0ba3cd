"""The order of waiting market events, and what is left of them where too many wait."""

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.backlog import Backlog
from foxtrot.core.event import Event
from foxtrot.util.event_type import EVENT_BAR, EVENT_BOOK, EVENT_GAP, EVENT_PUBLIC_TRADE, EVENT_TICK, EVENT_TRANSPORT


class Value:
    """Data of a symbol, with the number under which it was put."""

    def __init__(self, symbol: str, number: int) -> None:
        self.vt_symbol = symbol
        self.number = number


class Bar(Value):
    """A bar of an interval."""

    def __init__(self, interval: str, number: int, *, is_closed: bool = False) -> None:
        super().__init__("X", number)
        self.interval = interval
        self.is_closed = is_closed


def event(event_type: str, symbol: str, number: int) -> Event:
    return Event(event_type, Value(symbol, number))


def numbers(events: list[Event]) -> list[int]:
    return [waiting.data.number for waiting in events]


def filled(*events: Event, conflate_above: int = 3, capacity: int = 1_000) -> Backlog:
    backlog = Backlog(conflate_above, capacity)
    for each in events:
        backlog.incoming.append(each)
        backlog.sift(in_hand=0)
    return backlog


def test_few_events_are_left_alone() -> None:
    """Up to the threshold, every tick arrives."""
    backlog = filled(*(event(EVENT_TICK, "X", number) for number in range(3)))
    assert numbers(backlog.pop(9)) == [0, 1, 2]
    assert backlog.conflated == 0


def test_a_newer_tick_replaces_the_waiting_one_and_goes_to_the_tail() -> None:
    """Above the threshold the newest tick of a symbol takes the place at the end."""
    backlog = filled(
        event(EVENT_TICK, "X", 0), event(EVENT_TICK, "Y", 1), event(EVENT_PUBLIC_TRADE, "X", 2), event(EVENT_TICK, "X", 3)
    )
    assert numbers(backlog.pop(9)) == [1, 2, 3]
    assert backlog.conflated == 1


def test_a_newer_book_replaces_the_waiting_one() -> None:
    """As with ticks: only the present counts in it. Those of other symbols stay."""
    backlog = filled(*(event(EVENT_BOOK, symbol, number) for number, symbol in enumerate("XYXX")), conflate_above=1)
    assert numbers(backlog.pop(9)) == [1, 3]
    assert backlog.conflated == 2


def test_an_open_bar_is_replaced_by_a_newer_one_of_its_interval_and_a_closed_one_never() -> None:
    """What is final must arrive, in its place; other intervals are other values."""
    bars = [
        Bar("1m", 0),
        Bar("5m", 1),
        Bar("1m", 2),
        Bar("1m", 3, is_closed=True),
        Bar("1m", 4),
        Bar("1m", 5),
        Bar("1m", 6, is_closed=True),
    ]
    backlog = filled(*(Event(EVENT_BAR, bar) for bar in bars), conflate_above=1)
    assert numbers(backlog.pop(9)) == [1, 3, 5, 6]
    assert backlog.conflated == 3


def test_what_is_in_hand_counts_as_waiting() -> None:
    """Events taken but not yet handled bring the threshold nearer."""
    backlog = Backlog(conflate_above=3, capacity=1_000)
    backlog.incoming.extend(event(EVENT_TICK, "X", number) for number in range(3))
    backlog.sift(in_hand=2)
    assert numbers(backlog.pop(9)) == [2]


def test_a_tick_without_a_symbol_is_never_replaced() -> None:
    """What has no key has no newer value."""
    backlog = filled(*(Event(EVENT_TICK, number) for number in range(6)))
    assert [waiting.data for waiting in backlog.pop(9)] == [0, 1, 2, 3, 4, 5]


def test_a_taken_tick_is_replaced_no_more() -> None:
    """A value that has left is not touched by a newer one."""
    backlog = filled(*(event(EVENT_TICK, symbol, number) for number, symbol in enumerate("ABCDE")))
    assert numbers(backlog.pop(1)) == [0]
    backlog.incoming.append(event(EVENT_TICK, "A", 9))
    backlog.sift(in_hand=0)
    assert numbers(backlog.pop(9)) == [1, 2, 3, 4, 9]
    assert backlog.conflated == 0


def test_at_capacity_the_oldest_is_let_go() -> None:
    """Past the hard bound the newest survive, and the loss is counted."""
    backlog = filled(*(event(EVENT_PUBLIC_TRADE, "X", number) for number in range(8)), capacity=5)
    assert numbers(backlog.pop(9)) == [3, 4, 5, 6, 7]
    assert backlog.dropped == 3


def test_at_capacity_replaced_events_go_first() -> None:
    """The place of a replaced tick does not count against the bound."""
    ticks = [event(EVENT_TICK, "X", number) for number in range(3)]
    trades = [event(EVENT_PUBLIC_TRADE, "X", number) for number in range(3, 9)]
    backlog = filled(*ticks, event(EVENT_TICK, "X", 2), *trades, conflate_above=1, capacity=5)
    assert numbers(backlog.pop(9)) == [4, 5, 6, 7, 8]
    assert (backlog.conflated, backlog.dropped) == (3, 2)


def test_a_capacity_filled_by_events_in_hand_lets_nothing_go() -> None:
    """What the consumer holds cannot be taken back."""
    backlog = Backlog(conflate_above=1, capacity=2)
    backlog.incoming.append(event(EVENT_TICK, "X", 0))
    backlog.sift(in_hand=5)
    assert backlog.dropped == 1
    assert backlog.waiting == 0


def test_replaced_events_do_not_pile_up() -> None:
    """A million ticks of one symbol behind a stuck consumer take the room of some thousand."""
    backlog = Backlog(conflate_above=100, capacity=1_000)
    for number in range(20_000):
        backlog.incoming.append(event(EVENT_TICK, "X", number))
        backlog.sift(in_hand=0)
    assert len(backlog._front) <= 1_101
    assert backlog.waiting == 100
    assert numbers(backlog.pop(1_000))[-1] == 19_999


def test_settling_keeps_the_order() -> None:
    """What waits at the close stays in order; what comes later stands apart and may be discarded."""
    backlog = filled(event(EVENT_PUBLIC_TRADE, "X", 0), event(EVENT_PUBLIC_TRADE, "X", 1))
    backlog.settle()
    backlog.incoming.append(event(EVENT_PUBLIC_TRADE, "X", 2))
    assert backlog.discard_incoming() == 1
    assert numbers(backlog.pop(9)) == [0, 1]


def test_clearing_counts_only_what_still_waited() -> None:
    """A replaced event is not lost a second time."""
    backlog = filled(*(event(EVENT_TICK, "X", number) for number in range(6)))
    assert backlog.clear() == 3
    assert backlog.waiting == 0


PUTS = st.tuples(st.sampled_from([EVENT_TICK, EVENT_PUBLIC_TRADE, EVENT_TRANSPORT, EVENT_GAP]), st.sampled_from("XYZ"))
STEPS = st.lists(st.one_of(PUTS, st.integers(1, 6)), max_size=120)


@given(steps=STEPS, conflate_above=st.integers(1, 12), sift_every=st.integers(1, 7))
def test_events_keep_their_order_and_only_older_ticks_are_let_go(
    steps: list[tuple[str, str] | int], conflate_above: int, sift_every: int
) -> None:
    """What arrives is what was put, in order, less ticks of which a newer one of the same symbol arrives."""
    backlog = Backlog(conflate_above, capacity=1_000)
    put: list[Event] = []
    got: list[Event] = []
    for step in steps:
        if isinstance(step, int):
            got += backlog.pop(step)
            continue
        put.append(event(*step, number=len(put)))
        backlog.incoming.append(put[-1])
        if len(put) % sift_every == 0:
            backlog.sift(in_hand=0)
    assert len(got) + backlog.waiting + backlog.conflated == len(put)
    got += backlog.pop(1_000)
    arrived = numbers(got)
    assert arrived == sorted(set(arrived))
    missing = [each for each in put if each.data.number not in set(arrived)]
    for lost in missing:
        assert lost.type == EVENT_TICK
        assert any(
            later.type == EVENT_TICK and later.data.vt_symbol == lost.data.vt_symbol
            for later in got
            if later.data.number > lost.data.number
        )


@given(steps=STEPS, capacity=st.integers(4, 12))
def test_never_more_than_the_capacity_waits(steps: list[tuple[str, str] | int], capacity: int) -> None:
    """Memory is bounded whatever is put, and every event is accounted for."""
    backlog = Backlog(conflate_above=2, capacity=capacity)
    put = got = 0
    for step in steps:
        if isinstance(step, int):
            got += len(backlog.pop(step))
        else:
            backlog.incoming.append(event(*step, number=put))
            put += 1
            backlog.sift(in_hand=0)
        assert backlog.waiting <= capacity
        assert put == got + backlog.waiting + backlog.conflated + backlog.dropped
