"""Runs handlers, one event at a time, in a thread of its own."""

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

import msgspec

from foxtrot.core.event import Event
from foxtrot.core.event_queue import EventQueue, PressureListener, QueueLimits, QueueStats
from foxtrot.core.handler_errors import HandlerErrors, name_of
from foxtrot.core.routes import Handler, Routes
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.errors import Closed
from foxtrot.util.event_type import EVENT_LOG, EVENT_TIMER
from foxtrot.util.object import LogData, MarketData
from foxtrot.util.system_clock import SystemClock

_log = logging.getLogger(__name__)

_GRACE: Final = 0.1  # share of stop's time that is kept for the handler in progress once the rest was let go


class EngineStats(QueueStats, frozen=True):
    """The queue's counts, and how many times a handler raised."""

    handler_errors: int


class EventEngine:
    """Takes events from any thread and hands them to their handlers on the event thread.

    Urgent types (orders, fills, health, logs ...) always come before market data. Market data of one producer stays in the order
    in which it was put. Under pressure ticks, books and open bars are conflated and the pressure listeners are told
    (:class:`QueueLimits`). A handler that raises is named in a log event, counted, and costs the others nothing.
    """

    put: Callable[[Event], None]
    """Adds an event, from any thread; never blocks. After :meth:`stop` it is refused and counted as late."""

    def __init__(self, clock: Clock | None = None, *, limits: QueueLimits | None = None, timer_seconds: float = 1.0) -> None:
        self.clock: Final[Clock] = clock or SystemClock()
        self._timer_ns: Final = int(timer_seconds * NS_PER_S)
        self._queue: Final = EventQueue(limits or QueueLimits())
        self.put = self._queue.put
        self._routes: Final = Routes()
        self._routes.register(EVENT_TIMER, self._on_timer)
        self._errors: Final = HandlerErrors()
        self._log_errors: Final = HandlerErrors()  # of handlers of EVENT_LOG: telling them by EVENT_LOG would never end
        self._is_timer_waiting = False
        self._stopping: Final = threading.Event()
        self._guard: Final = threading.Lock()
        self._thread: Final = threading.Thread(target=self._run, name="foxtrot-events", daemon=True)
        self._timer: Final = threading.Thread(target=self._run_timer, name="foxtrot-timer", daemon=True)

    # --- handlers

    def register(self, event_type: str, handler: Handler) -> None:
        """Calls ``handler(event)`` for each event of a type, or of a type + key; registering it twice changes nothing.

        A handler of ``EVENT_TICK`` and of ``EVENT_TICK + "BTCUSDT.BINANCE"`` is called twice for a tick of that symbol. Raises
        ValueError for a known type that lacks its closing dot.
        """
        self._routes.register(event_type, handler)

    def unregister(self, event_type: str, handler: Handler) -> None:
        """Calls it no more; an event that is being handled may still reach it. One that is not registered is no error."""
        self._routes.unregister(event_type, handler)

    def register_general(self, handler: Handler) -> None:
        """Calls ``handler(event)`` for every event, after the handlers of its type."""
        self._routes.register_general(handler)

    def unregister_general(self, handler: Handler) -> None:
        """Calls it no more."""
        self._routes.unregister_general(handler)

    # --- pressure

    @property
    def is_holding(self) -> bool:
        """Whether lanes that must be whole are to hold back."""
        return self._queue.is_holding

    def add_pressure_listener(self, listener: PressureListener) -> None:
        """Calls ``listener(True)`` in the put that crosses ``hold_above``, ``listener(False)`` on the event thread once drained.

        Always in turns, True first. Whoever joins during a hold looks at :attr:`is_holding`. A listener returns at once.
        """
        self._queue.add_listener(listener)

    def remove_pressure_listener(self, listener: PressureListener) -> None:
        """Calls it no more."""
        self._queue.remove_listener(listener)

    def stats(self) -> EngineStats:
        """Counts of this moment, from any thread."""
        return EngineStats(
            **msgspec.structs.asdict(self._queue.stats()), handler_errors=self._errors.total + self._log_errors.total
        )

    # --- life

    def start(self) -> None:
        """Starts the threads; events put before are handled first. Again: nothing. After :meth:`stop` raises Closed."""
        with self._guard:
            if self._stopping.is_set():
                raise Closed("this event engine has been stopped; make a new one")
            if self._thread.ident is None:
                self._thread.start()
                self._timer.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Refuses market events, handles what waits, ends the threads; after ``timeout`` seconds lets the rest go.

        Returns within ``timeout`` whatever a handler does; one that never returns is named in an error log. From a handler:
        returns at once, the rest is done as soon as the handler has returned.
        """
        with self._guard:
            is_first = not self._stopping.is_set()
            self._stopping.set()
            self._queue.close()
        if self._thread.ident is None:
            self._queue.abandon()
        elif not self.is_event_thread():
            self._finish(timeout)
        elif is_first:
            threading.Thread(target=self._finish, args=(timeout,), name="foxtrot-events-stop", daemon=True).start()

    def is_event_thread(self) -> bool:
        """Whether the caller is a handler."""
        return threading.current_thread() is self._thread

    def _finish(self, timeout: float) -> None:
        self._thread.join(timeout * (1 - _GRACE))
        if not self._thread.is_alive():
            return
        lost = self._queue.abandon()
        if lost:
            _log.error("event_engine.unhandled: %d events after %s s", lost, timeout)
        self._thread.join(timeout * _GRACE)
        if self._thread.is_alive():
            _log.error("event_engine.handler_never_returned: %s", self._busy_with())

    def _busy_with(self) -> str:
        """The handler that runs now, and where it stands."""
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 -- the documented way to another thread's stack
        position = traceback.extract_stack(frame)[-1] if frame else None
        while frame is not None and frame.f_code is not EventEngine._handle.__code__:
            frame = frame.f_back
        if frame is None or position is None:
            return "no handler"
        return f"{name_of(frame.f_locals.get('handler'))} at {position.filename}:{position.lineno} in {position.name}"

    # --- the timer thread

    def _run_timer(self) -> None:
        due_ns = self.clock.monotonic_ns() + self._timer_ns
        last = self._queue.stats()
        while not self._stopping.wait(max(due_ns - self.clock.monotonic_ns(), 0) / NS_PER_S):
            behind = (self.clock.monotonic_ns() - due_ns) // self._timer_ns
            due_ns += (max(behind, 0) + 1) * self._timer_ns
            if not self._is_timer_waiting or not self._queue.urgent:
                self._is_timer_waiting = True
                self.put(Event(EVENT_TIMER))
            stats = self._queue.stats()
            self._complain(last, stats)
            last = stats

    def _complain(self, last: QueueStats, now: QueueStats) -> None:
        """Tells of a consumer that does not keep up; on the timer thread, since the event thread is the one that is late."""
        if now.is_holding and now.holds > last.holds:
            self._tell(logging.WARNING, f"{now.waiting_market} events wait; the event thread is in {self._busy_with()}")
        if now.dropped > last.dropped:
            self._tell(logging.ERROR, f"{now.dropped - last.dropped} events were let go: the handlers cannot keep up")

    # --- the event thread

    def _run(self) -> None:
        chunk: Iterator[Event] | None = iter(())
        while chunk is not None:
            try:
                self._handle(iter(self._queue.take_urgent, None), ())
                self._handle(chunk, self._queue.urgent)
                chunk = self._queue.take()
            except BaseException:  # noqa: BLE001 -- thrown in from outside, or data that fails to tell its key: the rest comes next
                _log.exception("event_engine.interrupted")

    def _handle(self, events: Iterable[Event], urgent: Collection[Event]) -> None:
        """Calls the handlers of each event; before each, those of every urgent one. The hot path: no call but the handlers'."""
        table = self._routes.table
        for event in events:
            if urgent:
                self._handle(iter(self._queue.take_urgent, None), ())
            route = table.get(event.type)
            if route is None:
                handlers = self._routes.general
            elif not route.by_key:
                handlers = route.plain
            elif isinstance(event.data, MarketData):
                exchanges = route.by_symbol.get(event.data.symbol)
                handlers = exchanges.get(event.data.exchange, route.plain) if exchanges else route.plain
            else:
                handlers = route.by_key.get(getattr(event.data, route.key_attribute, ""), route.plain)
            for handler in handlers:
                try:
                    handler(event)
                except BaseException as error:  # noqa: BLE001 -- whatever a handler raises, the thread and the others go on
                    self._on_error(handler, event, error)

    def _on_error(self, handler: Handler, event: Event, error: BaseException) -> None:
        is_log = event.type == EVENT_LOG
        errors = self._log_errors if is_log else self._errors
        name = name_of(handler)
        if not errors.is_told(name, self.clock.monotonic_ns()):
            return
        _log.error("event_engine.handler_failed: %s on %s", name, event.type, exc_info=error)
        if not is_log:
            self._put_log(logging.ERROR, f"handler {name} raised {type(error).__name__} on {event.type}: {error}")

    def _on_timer(self, _event: Event) -> None:
        self._is_timer_waiting = False
        now_ns = self.clock.monotonic_ns()
        for name, count in self._log_errors.due(now_ns):
            _log.error("event_engine.handler_failed: %s, %d more times", name, count)
        for name, count in self._errors.due(now_ns):
            self._tell(logging.ERROR, f"handler {name} raised {count} more times")

    def _tell(self, level: int, text: str) -> None:
        _log.log(level, "event_engine: %s", text)
        self._put_log(level, text)

    def _put_log(self, level: int, text: str) -> None:
        self.put(Event(EVENT_LOG, LogData(adapter_name="", msg=text, level=level, time_ns=self.clock.now_ns())))
