"""How handlers are run."""

import functools
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.event_queue import QueueLimits
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Direction, Exchange
from foxtrot.util.errors import Closed
from foxtrot.util.event_type import EVENT_ACCOUNT, EVENT_LOG, EVENT_ORDER, EVENT_PUBLIC_TRADE, EVENT_TICK, EVENT_TIMER
from foxtrot.util.object import AccountData, OrderData
from tests.core.waiting import wait_until

KEY = "X.LOCAL"


class Value:
    """Data of a symbol."""

    def __init__(self, vt_symbol: str = KEY, number: int = 0) -> None:
        self.vt_symbol = vt_symbol
        self.number = number


class HandClock:
    """Moves by hand, and counts how often it was read."""

    def __init__(self) -> None:
        self.ns = 0
        self.reads = 0

    def monotonic_ns(self) -> int:
        self.reads += 1
        return self.ns

    def now_ns(self) -> int:
        return self.ns

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError("threads do not sleep on a clock")


@pytest.fixture
def engine() -> Iterator[EventEngine]:
    """A running engine without a timer that matters."""
    engine = EventEngine(timer_seconds=3_600)
    engine.start()
    yield engine
    engine.stop()


def settle(engine: EventEngine) -> None:
    """Waits until everything put before has been handled."""
    done = threading.Event()

    def on_done(_event: Event) -> None:
        done.set()

    engine.register("eSettled", on_done)
    engine.put(Event("eSettled"))
    assert done.wait(10)
    engine.unregister("eSettled", on_done)


def raise_it(error: BaseException, _event: Event) -> NoReturn:
    raise error


def test_one_put_reaches_type_key_and_general_handlers(engine: EventEngine) -> None:
    """A tick goes to the handlers of all ticks, of its symbol, and of everything."""
    got: list[str] = []
    engine.register(EVENT_TICK, lambda _event: got.append("type"))
    engine.register(EVENT_TICK + KEY, lambda _event: got.append("key"))
    engine.register(EVENT_TICK + "Y.LOCAL", lambda _event: got.append("other"))
    engine.register_general(lambda event: got.append(event.type))
    engine.put(Event(EVENT_TICK, Value()))
    settle(engine)
    assert got == ["type", "key", EVENT_TICK, "eSettled"]


def test_orders_are_also_told_by_their_id_and_accounts_by_theirs(engine: EventEngine) -> None:
    """An order's key is its vt_orderid, an account's its vt_accountid."""
    got: list[str] = []
    engine.register(EVENT_ORDER + "LOCAL.7", lambda event: got.append(event.data.orderid))
    engine.register(EVENT_ACCOUNT + "LOCAL.USDT", lambda event: got.append(event.data.accountid))
    for orderid in ("7", "8"):
        engine.put(Event(EVENT_ORDER, OrderData("X", Exchange.LOCAL, "LOCAL", orderid=orderid, direction=Direction.LONG)))
    engine.put(Event(EVENT_ACCOUNT, AccountData("LOCAL", "USDT")))
    settle(engine)
    assert got == ["7", "USDT"]


def test_data_without_a_key_goes_to_the_handlers_of_its_type(engine: EventEngine) -> None:
    """A type of one's own may carry anything."""
    got: list[object] = []
    engine.register("eMine.", lambda event: got.append(event.data))
    engine.register("eMine.X", lambda event: got.append("never"))
    engine.put(Event("eMine.", 5))
    settle(engine)
    assert got == [5]


def test_data_that_fails_to_tell_its_key_costs_only_its_own_event(engine: EventEngine, caplog: pytest.LogCaptureFixture) -> None:
    """An error outside of any handler neither ends the thread nor loses what came behind."""

    class Broken:
        @property
        def vt_symbol(self) -> str:
            raise ZeroDivisionError

    got: list[object] = []
    engine.register(EVENT_PUBLIC_TRADE + KEY, lambda event: got.append(event.data.number))
    engine.put(Event(EVENT_PUBLIC_TRADE, Broken()))
    engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=1)))
    settle(engine)
    assert got == [1]
    assert "event_engine.interrupted" in caplog.text


def test_an_unregistered_handler_is_called_no_more(engine: EventEngine) -> None:
    """Handlers come and go, those of a type and general ones."""
    got: list[Event] = []
    engine.register(EVENT_TICK, got.append)
    engine.register_general(got.append)
    engine.unregister(EVENT_TICK, got.append)
    engine.unregister_general(got.append)
    engine.put(Event(EVENT_TICK, Value()))
    settle(engine)
    assert got == []


def test_a_handler_may_register_another(engine: EventEngine) -> None:
    """What a handler registers hears the next event."""
    got: list[int] = []
    engine.register(EVENT_TICK, lambda _event: engine.register(EVENT_TICK, late))

    def late(event: Event) -> None:
        got.append(event.data.number)

    engine.put(Event(EVENT_TICK, Value(number=1)))
    engine.put(Event(EVENT_TICK, Value(number=2)))
    settle(engine)
    assert got == [2]


def test_urgent_events_overtake_what_waits(engine: EventEngine) -> None:
    """An order that arrives while trades wait is handled before them."""
    got: list[str] = []
    is_blocked, go_on = threading.Event(), threading.Event()

    def block_once(event: Event) -> None:
        if not got:
            is_blocked.set()
            go_on.wait(10)
        got.append(event.type)

    engine.register_general(block_once)
    for _ in range(3):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value()))
    assert is_blocked.wait(10)
    engine.put(Event(EVENT_LOG, None))
    go_on.set()
    settle(engine)
    assert got[:4] == [EVENT_PUBLIC_TRADE, EVENT_LOG, EVENT_PUBLIC_TRADE, EVENT_PUBLIC_TRADE]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(1)])
def test_a_handler_that_raises_is_named_and_the_others_run(engine: EventEngine, error: BaseException) -> None:
    """Whatever a handler raises, it is told by name, counted, and costs the others nothing."""
    logs: list[str] = []
    got: list[Event] = []
    engine.register(EVENT_LOG, lambda event: logs.append(event.data.msg))
    engine.register(EVENT_TICK, functools.partial(raise_it, error))
    engine.register(EVENT_TICK, got.append)
    engine.put(Event(EVENT_TICK, Value()))
    settle(engine)
    assert len(got) == 1
    assert engine.stats().handler_errors == 1
    assert len(logs) == 1
    assert "test_event_engine.raise_it" in logs[0]
    assert type(error).__name__ in logs[0]


def test_a_flood_of_errors_makes_two_lines() -> None:
    """A handler that raises a thousand times a second is told once, then as a count."""
    clock = HandClock()
    engine = EventEngine(clock, timer_seconds=3_600)
    engine.start()
    logs: list[str] = []
    engine.register(EVENT_LOG, lambda event: logs.append(event.data.msg))
    engine.register(EVENT_TICK, functools.partial(raise_it, ValueError("bad")))
    for number in range(1_000):
        engine.put(Event(EVENT_TICK, Value(number=number)))
    settle(engine)
    clock.ns = NS_PER_S
    engine.put(Event(EVENT_TIMER))
    settle(engine)
    engine.stop()
    assert len(logs) == 2
    assert "999 more times" in logs[1]
    assert engine.stats().handler_errors == 1_000


def test_a_log_handler_that_raises_does_not_tell_itself(caplog: pytest.LogCaptureFixture) -> None:
    """An error while handling a log goes to the logging module alone: no event is made of it, ever."""
    clock = HandClock()
    engine = EventEngine(clock, timer_seconds=3_600)
    engine.start()
    engine.register(EVENT_LOG, functools.partial(raise_it, ValueError("bad")))
    for _ in range(3):
        engine.put(Event(EVENT_LOG, None))
    settle(engine)
    clock.ns = NS_PER_S
    engine.put(Event(EVENT_TIMER))
    settle(engine)
    engine.stop()
    assert engine.stats().handler_errors == 3
    assert "raise_it on eLog" in caplog.text
    assert "raise_it, 2 more times" in caplog.text


def test_the_timer_beats_and_never_twice_at_once() -> None:
    """While the event thread is busy, one timer event waits, not one for each beat missed."""
    clock = HandClock()
    engine = EventEngine(clock, timer_seconds=0.001)
    beats: list[Event] = []
    is_blocked, go_on = threading.Event(), threading.Event()

    def block(_event: Event) -> None:
        is_blocked.set()
        go_on.wait(10)

    engine.register("eBlock", block)
    engine.register(EVENT_TIMER, beats.append)
    engine.start()
    wait_until(lambda: advance(clock) and len(beats) > 3)
    engine.put(Event("eBlock"))
    assert is_blocked.wait(10)
    wait_until(lambda: advance(clock) and engine.stats().waiting_urgent == 1)
    reads = clock.reads
    wait_until(lambda: advance(clock) and clock.reads > reads + 20)
    assert engine.stats().waiting_urgent == 1
    go_on.set()
    engine.stop()


def advance(clock: HandClock) -> bool:
    clock.ns += NS_PER_S // 100
    return True


def test_a_consumer_that_is_late_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """While a handler holds up the rest, logging names it at once; what was let go is told as well."""
    limits = QueueLimits(conflate_above=10, hold_above=20, resume_below=5, capacity=100)
    engine = EventEngine(limits=limits, timer_seconds=0.01)
    logs: list[str] = []
    is_blocked, go_on = threading.Event(), threading.Event()

    def dawdle(_event: Event) -> None:
        is_blocked.set()
        go_on.wait(10)

    engine.register(EVENT_LOG, lambda event: logs.append(event.data.msg))
    engine.register(EVENT_PUBLIC_TRADE, dawdle)
    engine.start()
    engine.put(Event(EVENT_PUBLIC_TRADE, Value()))
    assert is_blocked.wait(10)
    for number in range(110):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=number)))
    wait_until(lambda: "events were let go" in caplog.text)
    go_on.set()
    engine.stop()
    assert "dawdle at" in caplog.text
    assert [text for text in logs if "let go" in text] == ["10 events were let go: the handlers cannot keep up"]
    assert len([text for text in logs if "dawdle" in text]) == 1


def test_the_pressure_listener_hears_the_release_on_the_event_thread() -> None:
    """The hold is told where it was caused, the release where the queue was drained."""
    engine = EventEngine(limits=QueueLimits(conflate_above=10, hold_above=20, resume_below=5, capacity=100), timer_seconds=3_600)
    told: list[tuple[bool, bool]] = []

    def listen(is_pressed: bool) -> None:
        told.append((is_pressed, engine.is_event_thread()))

    engine.add_pressure_listener(listen)
    for number in range(30):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=number)))
    assert told == [(True, False)]
    assert engine.is_holding
    engine.start()
    wait_until(lambda: not engine.is_holding)
    engine.remove_pressure_listener(listen)
    engine.stop()
    assert told == [(True, False), (False, True)]


def test_what_was_put_before_the_start_is_handled_first() -> None:
    """An engine may be filled before it runs, and be started twice."""
    engine = EventEngine()
    got: list[int] = []
    engine.register(EVENT_TICK, lambda event: got.append(event.data.number))
    engine.put(Event(EVENT_TICK, Value(number=1)))
    engine.start()
    engine.start()
    engine.put(Event(EVENT_TICK, Value(number=2)))
    engine.stop()
    assert got == [1, 2]


def test_stop_handles_what_waits_and_refuses_what_comes() -> None:
    """At the stop nothing that was put is lost; what comes later is late."""
    engine = EventEngine()
    got: list[int] = []
    engine.register(EVENT_PUBLIC_TRADE, lambda event: got.append(event.data.number))
    engine.start()
    for number in range(5_000):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=number)))
    engine.stop()
    engine.put(Event(EVENT_PUBLIC_TRADE, Value()))
    assert got == list(range(5_000))
    assert engine.stats().late == 1


def test_an_engine_that_was_stopped_does_not_start_again() -> None:
    """A stop before the start ends it too."""
    engine = EventEngine()
    engine.put(Event(EVENT_TICK, Value()))
    engine.stop()
    assert engine.stats().dropped == 1
    with pytest.raises(Closed, match="make a new one"):
        engine.start()


def hang_until(go_on: threading.Event, _event: Event) -> None:
    go_on.wait(30)


def run_with(handler: Callable[[Event], object], events: int) -> EventEngine:
    engine = EventEngine(timer_seconds=3_600)
    engine.register(EVENT_PUBLIC_TRADE, handler)
    engine.start()
    for number in range(events):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=number)))
    wait_until(lambda: engine.stats().handled == 1)
    return engine


def test_a_handler_that_never_returns_is_named_at_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    """Stop returns in its time, and says who hangs and where."""
    go_on = threading.Event()
    engine = run_with(functools.partial(hang_until, go_on), events=10)
    engine.stop(timeout=0.1)
    go_on.set()
    assert "handler_never_returned: test_event_engine.hang_until at" in caplog.text
    assert "unhandled: 9 events" in caplog.text
    engine.stop()
    assert engine.stats().dropped == 9


def test_a_slow_handler_is_not_blamed_for_hanging(caplog: pytest.LogCaptureFixture) -> None:
    """When time runs out between two events, the rest is let go and nobody is named."""
    go_on = threading.Event()
    engine = run_with(functools.partial(hang_until, go_on), events=10)
    stopper = threading.Thread(target=engine.stop, args=(1.0,))
    stopper.start()
    wait_until(lambda: engine.stats().dropped == 9)
    go_on.set()
    stopper.join(10)
    assert "unhandled: 9 events" in caplog.text
    assert "never_returned" not in caplog.text


def test_a_handler_may_stop_the_engine() -> None:
    """Called in a handler, stop returns at once; what waits is handled after it."""
    engine = EventEngine()
    got: list[int] = []

    def stop_first(event: Event) -> None:
        if not got:
            engine.stop()
            engine.stop()
        got.append(event.data.number)

    engine.register(EVENT_PUBLIC_TRADE, stop_first)
    for number in range(5):
        engine.put(Event(EVENT_PUBLIC_TRADE, Value(number=number)))
    engine.start()
    wait_until(lambda: not engine._thread.is_alive())
    assert got == [0, 1, 2, 3, 4]


def test_nobody_is_named_when_no_handler_runs(engine: EventEngine) -> None:
    """An idle event thread is busy with nothing."""
    settle(engine)
    wait_until(lambda: engine._busy_with() == "no handler")
