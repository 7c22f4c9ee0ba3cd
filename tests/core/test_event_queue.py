"""How events get from any thread to the one that handles them."""

import threading
from collections.abc import Callable, Iterator

import pytest

from foxtrot.core.event import Event
from foxtrot.core.event_queue import EventQueue, QueueLimits
from foxtrot.util.event_type import EVENT_LOG, EVENT_ORDER, EVENT_PUBLIC_TRADE, EVENT_TICK
from tests.core.waiting import wait_until

SMALL = QueueLimits(conflate_above=300, hold_above=1_000, resume_below=200, capacity=3_000, log_capacity=5, urgent_capacity=10)


class Value:
    """Data of a symbol, with the number under which it was put."""

    def __init__(self, symbol: str, number: int) -> None:
        self.vt_symbol = symbol
        self.number = number


def trade(number: int) -> Event:
    return Event(EVENT_PUBLIC_TRADE, Value("X", number))


def tick(number: int, symbol: str = "X") -> Event:
    return Event(EVENT_TICK, Value(symbol, number))


def drain(queue: EventQueue) -> list[int]:
    """Closes the queue and takes everything, as the consumer does."""
    queue.close()
    got: list[int] = []
    while (chunk := queue.take()) is not None:
        for event in chunk:
            while (urgent := queue.take_urgent()) is not None:
                got.append(urgent.data)
            got.append(event.data.number)
        while (urgent := queue.take_urgent()) is not None:
            got.append(urgent.data)
    return got


def take_some(queue: EventQueue, count: int) -> int:
    """Takes at least ``count`` waiting market events; how many it took."""
    taken = 0
    while taken < count:
        chunk = queue.take()
        assert chunk is not None
        taken += len(list(chunk))
    return taken


def test_events_arrive_in_the_order_in_which_they_were_put() -> None:
    """Market events are first in, first out."""
    queue = EventQueue(SMALL)
    for number in range(1_000):
        queue.put(trade(number))
    assert drain(queue) == list(range(1_000))


def test_urgent_events_overtake_the_market() -> None:
    """An order does not wait behind trades."""
    queue = EventQueue(SMALL)
    queue.put(trade(0))
    queue.put(Event(EVENT_ORDER, "order"))
    assert drain(queue) == ["order", 0]


def test_an_urgent_event_overtakes_the_rest_of_the_chunk() -> None:
    """What was taken but not yet handled waits for the order too."""
    queue = EventQueue(SMALL)
    for number in range(3):
        queue.put(trade(number))
    chunk = queue.take()
    assert chunk is not None
    assert next(chunk).data.number == 0
    queue.put(Event(EVENT_ORDER, "order"))
    assert queue.urgent
    assert queue.take_urgent() == Event(EVENT_ORDER, "order")
    assert [event.data.number for event in chunk] == [1, 2]


def test_every_event_is_accounted_for() -> None:
    """The counts say what waits, what was handled and what was replaced."""
    queue = EventQueue(SMALL)
    for number in range(400):
        queue.put(tick(number))
    chunk = queue.take()
    assert chunk is not None
    for _ in range(10):
        next(chunk)
    stats = queue.stats()
    assert (stats.waiting_market, stats.handled, stats.conflated, stats.put) == (290, 10, 100, 400)
    assert (stats.high_water_market, stats.dropped, stats.late) == (300, 0, 0)


def test_the_chunk_in_hand_counts_as_waiting() -> None:
    """A consumer that is stuck in its first event has not made room."""
    queue = EventQueue(SMALL)
    queue.put(tick(0))
    queue.put(tick(1))
    chunk = queue.take()
    assert chunk is not None
    next(chunk)
    for number in range(2, 301):
        queue.put(tick(number))
    assert queue.stats().waiting_market == 300
    queue.put(tick(301))
    assert queue.stats().conflated == 1


def test_under_pressure_the_newest_tick_of_each_symbol_survives() -> None:
    """Ticks beyond the threshold replace each other; trades never."""
    queue = EventQueue(SMALL)
    for number in range(300):
        queue.put(trade(number))
    for number in range(300, 900):
        queue.put(tick(number, symbol="AB"[number % 2]))
    assert drain(queue) == [*range(300), 898, 899]
    assert queue.stats().conflated == 598


def test_the_put_that_crosses_tells_the_listeners() -> None:
    """The hold begins in the very put that passes the threshold, once."""
    told: list[bool] = []
    queue = EventQueue(SMALL)
    queue.add_listener(told.append)
    for number in range(1_000):
        queue.put(trade(number))
    assert told == []
    queue.put(trade(1_000))
    assert told == [True]
    for number in range(1_001, 1_500):
        queue.put(trade(number))
    assert told == [True]
    assert queue.is_holding
    assert queue.stats().holds == 1


def test_the_hold_ends_once_drained() -> None:
    """The release comes below the lower threshold, not before; then a new hold may begin."""
    told: list[bool] = []
    queue = EventQueue(SMALL)
    queue.add_listener(told.append)
    for number in range(1_001):
        queue.put(trade(number))
    take_some(queue, 700)
    assert told == [True]
    take_some(queue, 200)
    assert told == [True, False]
    for number in range(1_001):
        queue.put(trade(number))
    assert told == [True, False, True]


def test_a_listener_that_raises_keeps_the_others_informed(caplog: pytest.LogCaptureFixture) -> None:
    """Foreign code fails for itself alone."""
    told: list[bool] = []

    def fail(is_pressed: bool) -> None:
        raise RuntimeError("broken listener")

    queue = EventQueue(SMALL)
    queue.add_listener(fail)
    queue.add_listener(told.append)
    for number in range(1_001):
        queue.put(trade(number))
    assert told == [True]
    assert "listener_failed" in caplog.text


def test_a_removed_listener_hears_nothing() -> None:
    """An adapter that has closed is told no more."""
    told: list[bool] = []
    queue = EventQueue(SMALL)
    queue.add_listener(told.append)
    queue.remove_listener(told.append)
    for number in range(1_001):
        queue.put(trade(number))
    assert told == []


def test_a_listener_may_put() -> None:
    """Telling of the hold by an event does not lock up."""
    queue = EventQueue(SMALL)
    queue.add_listener(lambda is_pressed: queue.put(Event(EVENT_ORDER, is_pressed)))
    for number in range(1_001):
        queue.put(trade(number))
    assert queue.take_urgent() == Event(EVENT_ORDER, True)


def test_a_hold_that_was_drained_while_it_was_told_still_ends() -> None:
    """The consumer sleeps on an empty queue while a producer tells of the hold; the release follows all the same."""
    told: list[bool] = []
    queue = EventQueue(SMALL)
    consumer = threading.Thread(target=lambda: consume(queue, lambda _event: None), daemon=True)

    def drain_meanwhile(is_pressed: bool) -> None:
        told.append(is_pressed)
        if is_pressed:
            consumer.start()
            wait_until(lambda: queue._is_asleep)

    queue.add_listener(drain_meanwhile)
    for number in range(1_001):
        queue.put(trade(number))
    wait_until(lambda: told == [True, False])
    queue.close()
    consumer.join(5)
    assert not queue.is_holding


def test_memory_is_bounded_whatever_is_put() -> None:
    """At capacity the oldest event goes for the newest, and is counted."""
    queue = EventQueue(SMALL)
    for number in range(5_000):
        queue.put(trade(number))
    stats = queue.stats()
    assert (stats.waiting_market, stats.dropped) == (3_000, 2_000)
    assert drain(queue) == list(range(2_000, 5_000))


def test_logs_are_the_first_urgent_events_to_go() -> None:
    """A flood of logs leaves room for orders."""
    queue = EventQueue(SMALL)
    for number in range(8):
        queue.put(Event(EVENT_LOG, number))
    queue.put(Event(EVENT_ORDER, "order"))
    assert queue.stats().dropped == 3
    assert drain(queue) == [0, 1, 2, 3, 4, "order"]


def test_the_oldest_urgent_event_goes_at_the_far_bound() -> None:
    """Even orders are bounded; the newest state of things survives."""
    queue = EventQueue(SMALL)
    for number in range(12):
        queue.put(Event(EVENT_ORDER, number))
    assert queue.stats().dropped == 2
    assert queue.stats().high_water_urgent == 10
    assert drain(queue) == list(range(2, 12))


def test_what_comes_after_the_close_is_late() -> None:
    """A closed queue takes no more market events, and says how many came."""
    queue = EventQueue(SMALL)
    queue.put(trade(0))
    queue.close()
    queue.put(trade(1))
    assert drain(queue) == [0]
    queue.put(Event(EVENT_ORDER, "order"))
    stats = queue.stats()
    assert (stats.late, stats.handled, stats.put) == (2, 1, 3)


def test_urgent_events_are_taken_until_the_end() -> None:
    """An order that is cancelled while the engine closes is still told."""
    queue = EventQueue(SMALL)
    queue.put(trade(0))
    queue.close()
    queue.put(Event(EVENT_ORDER, "order"))
    assert drain(queue) == ["order", 0]


def test_abandoning_lets_everything_go() -> None:
    """What is not handled in time is counted, also the rest of the chunk in hand."""
    queue = EventQueue(SMALL)
    for number in range(500):
        queue.put(trade(number))
    queue.put(Event(EVENT_ORDER, "order"))
    chunk = queue.take()
    assert chunk is not None
    next(chunk)
    assert queue.abandon() == 500
    assert list(chunk) == []
    assert queue.take_urgent() is None
    assert queue.take() is None
    stats = queue.stats()
    assert (stats.handled, stats.dropped, stats.put) == (1, 500, 501)


@pytest.mark.parametrize(
    "limits",
    [
        {"conflate_above": 0},
        {"conflate_above": 30_000},
        {"capacity": 20_000},
        {"resume_below": 0},
        {"resume_below": 20_001},
        {"log_capacity": 0},
        {"urgent_capacity": 9_999},
    ],
)
def test_thresholds_that_contradict_each_other_are_refused(limits: dict[str, int]) -> None:
    """Limits out of order raise at once."""
    with pytest.raises(ValueError, match="queue limits"):
        QueueLimits(**limits)


# --- threads


def consume(queue: EventQueue, handle: Callable[[Event], object]) -> None:
    while (chunk := queue.take()) is not None:
        while (urgent := queue.take_urgent()) is not None:
            handle(urgent)
        for event in chunk:
            while (urgent := queue.take_urgent()) is not None:
                handle(urgent)
            handle(event)


def produce(put: Callable[[Event], None], events: Iterator[Event]) -> threading.Thread:
    def run() -> None:
        for event in events:
            put(event)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def one_order_in_five(name: str) -> Iterator[Event]:
    return (Event(EVENT_PUBLIC_TRADE if number % 5 else EVENT_ORDER, Value(name, number)) for number in range(20_000))


def one_trade_in_three(name: str) -> Iterator[Event]:
    return (Event(EVENT_TICK if number % 3 else EVENT_PUBLIC_TRADE, Value(name, number)) for number in range(10_000))


@pytest.mark.usefixtures("restless_threads")
def test_nothing_is_lost_between_threads_and_each_producer_keeps_its_order() -> None:
    """Four threads put 20,000 events each; all arrive, in each thread's order."""
    queue = EventQueue(QueueLimits(capacity=1_000_000))
    got: dict[str, list[int]] = {name: [] for name in "ABCD"}
    consumer = threading.Thread(
        target=consume, args=(queue, lambda event: got[event.data.vt_symbol].append(event.data.number)), daemon=True
    )
    consumer.start()
    producers = [produce(queue.put, one_order_in_five(name)) for name in got]
    for producer in producers:
        producer.join(30)
    queue.close()
    consumer.join(30)
    for numbers in got.values():
        assert [number for number in numbers if number % 5] == [number for number in range(20_000) if number % 5]
        assert [number for number in numbers if not number % 5] == list(range(0, 20_000, 5))
    assert queue.stats().put == queue.stats().handled == 80_000


@pytest.mark.usefixtures("restless_threads")
def test_under_pressure_from_threads_trades_are_whole_and_ticks_end_with_the_newest() -> None:
    """Conflation among threads loses no trade, reorders nothing, and keeps each symbol's last tick."""
    queue = EventQueue(QueueLimits(conflate_above=200, hold_above=400, resume_below=100, capacity=1_000_000))
    told: list[bool] = []
    queue.add_listener(told.append)
    got: dict[str, list[tuple[str, int]]] = {name: [] for name in "ABC"}
    consumer = threading.Thread(
        target=consume,
        args=(queue, lambda event: got[event.data.vt_symbol].append((event.type, event.data.number))),
        daemon=True,
    )
    producers = [produce(queue.put, one_trade_in_three(name)) for name in got]
    consumer.start()
    for producer in producers:
        producer.join(30)
    wait_until(lambda: not queue.is_holding)
    queue.close()
    consumer.join(30)
    for events in got.values():
        numbers = [number for _, number in events]
        assert numbers == sorted(set(numbers))
        assert [number for kind, number in events if kind == EVENT_PUBLIC_TRADE] == list(range(0, 10_000, 3))
        assert max(number for kind, number in events if kind == EVENT_TICK) == 9_998
    stats = queue.stats()
    assert stats.put == 30_000 == stats.handled + stats.conflated
    assert told == [True, False] * stats.holds
    assert stats.holds > 0
