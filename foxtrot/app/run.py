"""Runs the main job: connects, subscribes, shows, ends."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from foxtrot.adapter.binance import BinanceAdapter
from foxtrot.app.foreign_logs import ForeignLogs
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.screen import Screen
from foxtrot.app.summary import FAILED, Ending, Outcome, conclude
from foxtrot.app.tally import Tally
from foxtrot.app.view import Observer, View
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.server.engine import MainEngine
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Exchange
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import LogData, SubscribeRequest

ADAPTER: Final = "BINANCE"
FRAME_S: Final = 0.25
"""Seconds between two looks."""

START_ALLOWANCE_S: Final = 30.0
"""A duration counts from the first value; where none comes, from so many seconds after the start."""

CLOSE_S: Final = 1.6
"""The most that a close takes."""

INSIST_S: Final = 6.0
"""Seconds after a signal when the process ends, whatever the main thread hangs in: more than a close takes on a busy machine."""

INTERRUPTED: Final = 130
"""The exit code after a second signal, as shells know it of a Ctrl-C."""

RESTORE_S: Final = 0.3
"""The most that a terminal gets to be restored after a second signal; one that stalls takes nothing."""

_TOLD: Final = (EVENT_LOG, EVENT_TRANSPORT, EVENT_HEALTH, EVENT_GAP, EVENT_BACKFILL)
_VALUES: Final = (EVENT_TICK, EVENT_PUBLIC_TRADE, EVENT_AGG_TRADE, EVENT_BOOK, EVENT_BAR)
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """The wish that a run ends; from any thread, the first reason counts."""

    def __init__(self) -> None:
        self._wished: Final = threading.Event()
        self.ending = Ending.SIGNAL

    def wish(self, ending: Ending) -> None:
        """Ends the run soon."""
        if not self._wished.is_set():
            self.ending = ending
            self._wished.set()

    def wait(self, seconds: float) -> bool:
        """Whether the end was wished for, now or within ``seconds``."""
        return self._wished.wait(seconds)


class Run:
    """One run of the main job. ``tells_values``: each value is told to the screen too."""

    def __init__(self, plan: RunPlan, screen: Screen, stop: Stop, clock: Clock, *, tells_values: bool = False) -> None:
        self._plan: Final = plan
        self._screen: Final = screen
        self._stop: Final = stop
        self._clock: Final = clock
        self._told: Final = _TOLD + (_VALUES if tells_values else ())

    def run(self) -> Outcome:
        """From the start to the end; returns how it went. Raises ConfigError for a setting that cannot be."""
        with MainEngine(EventEngine(self._clock), close_seconds=CLOSE_S) as engine, ForeignLogs(self._tell_log):
            adapter = engine.add_adapter(BinanceAdapter, ADAPTER)
            tally = Tally(engine.event_engine, self._plan.keys)
            for event_type in self._told:
                engine.event_engine.register(event_type, self._tell)
            for symbol in self._plan.symbols:
                request = SubscribeRequest(symbol=symbol, exchange=Exchange.BINANCE, channels=self._plan.channels)
                engine.subscribe(request, ADAPTER)
            engine.connect(self._plan.setting, ADAPTER)
            self._screen.open(self._plan)
            last = self._watch(Observer(self._plan, engine, adapter, tally), adapter, tally)
            self._screen.ending()
            engine.close()
        outcome = conclude(self._stop.ending, last.elapsed, last, tally, START_ALLOWANCE_S)
        self._screen.close(outcome)
        return outcome

    def _watch(self, observer: Observer, adapter: BinanceAdapter, tally: Tally) -> View:
        """Shows the run until its end; returns how it stood then."""
        started_ns = self._clock.monotonic_ns()
        while True:
            left = self._left(started_ns, tally.first_ns)
            view = observer.look(left)
            self._screen.show(view)
            if left is not None and left <= 0:
                self._stop.wish(Ending.DURATION if tally.first_ns else Ending.NO_DATA)
            if tally.closed.keys() >= tally.lanes.keys():
                self._stop.wish(Ending.NO_SYMBOL)
            if self._stop.wait(FRAME_S if left is None else max(0.0, min(FRAME_S, left))):
                return observer.look(left)
            tally.offset_ns = adapter.clock_offset_ns

    def _left(self, started_ns: int, first_ns: int) -> float | None:
        """Seconds to go; None where no end is set."""
        if self._plan.duration is None:
            return None
        begin_ns = first_ns or started_ns + int(START_ALLOWANCE_S * NS_PER_S)
        return self._plan.duration - (self._clock.monotonic_ns() - begin_ns) / NS_PER_S

    def _tell(self, event: Event) -> None:
        self._screen.tell(event, self._clock.now_ns())

    def _tell_log(self, level: int, text: str) -> None:
        now_ns = self._clock.now_ns()
        log = LogData(adapter_name="", msg=text, level=level, time_ns=now_ns)
        self._screen.tell(Event(EVENT_LOG, log), now_ns, may_block=False)  # it may come from the loop


@contextmanager
def ended_by_signals(stop: Stop, at_once: Callable[[], None]) -> Iterator[None]:
    """While entered, Ctrl-C, SIGTERM and SIGHUP wish for the end; the second one ends the process there, with ``INTERRUPTED``.

    Before that it calls ``at_once``, in a thread. The handlers stay once a signal has come, so that a second one means the same
    until the very end. A watch does the same ``INSIST_S`` after the first one, with ``FAILED``: the main thread may hang in a
    terminal that takes nothing more. Enter it in the main thread. The embedded exchange ends with us: it watches its stdin.
    """
    is_told, is_over = threading.Event(), threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if is_told.is_set():
            _call_briefly(at_once)
            os._exit(INTERRUPTED)
        is_told.set()
        stop.wish(Ending.SIGNAL)

    def insist() -> None:
        is_told.wait()
        if not is_over.wait(INSIST_S):
            _call_briefly(at_once)
            os._exit(FAILED)

    threading.Thread(target=insist, name="foxtrot-insist", daemon=True).start()
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        if not is_told.is_set():
            for number, handler in before.items():
                signal.signal(number, handler)
        is_over.set()
        is_told.set()  # lets the watch end


def _call_briefly(call: Callable[[], None]) -> None:
    thread = threading.Thread(target=call, name="foxtrot-at-once", daemon=True)
    with suppress(RuntimeError):  # no thread starts any more where Python itself is ending
        thread.start()
        thread.join(RESTORE_S)
