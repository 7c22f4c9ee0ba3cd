"""Hands events from any thread to the event thread: urgent before market, never blocking, bounded.

``put`` takes no lock unless a threshold is passed or the consumer sleeps: at a million events a second a lock would cost more
than everything else in the path.
"""

import enum
import logging
import operator
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from foxtrot.core.backlog import Backlog
from foxtrot.core.event import Event
from foxtrot.util.event_type import EVENT_LOG, URGENT_TYPES

_log = logging.getLogger(__name__)

PressureListener = Callable[[bool], object]

_CHUNK: Final = 128  # events the consumer takes at once: pays for the lock, and is small beside every threshold
_SIFT: Final = 256  # events that may lie unsifted under pressure


class QueueLimits(msgspec.Struct, frozen=True):
    """How many events may wait, and what happens then. Raises ValueError unless the thresholds follow each other.

    Market events: above ``conflate_above`` a tick, book or open bar replaces the waiting one of its symbol (and interval); above
    ``hold_above`` the pressure listeners are told True, and False again below ``resume_below``; at ``capacity`` the oldest is let
    go for the newest (counted as dropped). Urgent events: at ``log_capacity`` new log events are refused, at
    ``urgent_capacity`` the oldest is let go, whatever it is (both counted as dropped).
    """

    conflate_above: int = 10_000
    hold_above: int = 20_000
    resume_below: int = 5_000
    capacity: int = 200_000
    log_capacity: int = 10_000
    urgent_capacity: int = 1_000_000

    def __post_init__(self) -> None:
        """Refuses thresholds that contradict each other."""
        if not 0 < self.conflate_above <= self.hold_above < self.capacity:
            raise ValueError("queue limits: 0 < conflate_above <= hold_above < capacity")
        if not 0 < self.resume_below <= self.hold_above:
            raise ValueError("queue limits: 0 < resume_below <= hold_above")
        if not 0 < self.log_capacity <= self.urgent_capacity:
            raise ValueError("queue limits: 0 < log_capacity <= urgent_capacity")


class QueueStats(msgspec.Struct, frozen=True):
    """Counts since the start. Each event put is exactly one of waiting, handled, conflated, dropped or late.

    ``handled`` counts what was given to the consumer, the event in its hand included; ``late`` what came after the close;
    ``dropped`` what a capacity, or a close that ran out of time, let go; ``holds`` how often ``hold_above`` was crossed. The high
    waters are looked at once a chunk, and at each threshold.
    """

    waiting_urgent: int
    waiting_market: int
    high_water_urgent: int
    high_water_market: int
    handled: int
    conflated: int
    dropped: int
    late: int
    holds: int
    is_holding: bool

    @property
    def put(self) -> int:
        """All events ever put."""
        return self.waiting_urgent + self.waiting_market + self.handled + self.conflated + self.dropped + self.late


class _Hold(enum.Enum):
    """FLOWING -> TELLING (a producer tells True) -> HELD -> RELEASING (the consumer tells False) -> FLOWING."""

    FLOWING = enum.auto()
    TELLING = enum.auto()
    HELD = enum.auto()
    RELEASING = enum.auto()


class EventQueue:
    """Any number of producers, one consumer."""

    def __init__(self, limits: QueueLimits) -> None:
        self.urgent: Final[deque[Event]] = deque()
        """For the consumer to look at between two market events: when it is not empty, call :meth:`take_urgent`."""
        self._limits: Final = limits
        self._lock: Final = threading.Lock()
        self._bell: Final = threading.Lock()  # held while nobody rings: wakes the sleeping consumer
        self._bell.acquire()
        self._is_asleep = False
        self._is_closed = False
        self._backlog: Final = Backlog(limits.conflate_above, limits.capacity)
        self._incoming: Final = self._backlog.incoming
        self._incoming_limit = limits.conflate_above
        self._urgent_limit = limits.log_capacity
        self._chunk: list[Event] = []
        self._hand: Iterator[Event] = iter(self._chunk)
        self._hold = _Hold.FLOWING
        self._listeners: tuple[PressureListener, ...] = ()
        self._taken = self._taken_urgent = self._dropped = self._late = self._holds = 0
        self._high_urgent = self._high_market = 0

    # --- producers

    def put(self, event: Event) -> None:
        """Adds an event, from any thread; never blocks."""
        if event.type in URGENT_TYPES:
            if len(self.urgent) >= self._urgent_limit and not self._admits(event):
                return
            self.urgent.append(event)
        else:
            self._incoming.append(event)
            if len(self._incoming) > self._incoming_limit:
                self._relieve()
        if self._is_asleep:
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._is_asleep:
                self._is_asleep = False
                self._bell.release()

    def _admits(self, event: Event) -> bool:
        """Whether one more urgent event may come in although many wait."""
        with self._lock:
            if self._urgent_limit < 0:
                self._late += 1
                return False
            if event.type == EVENT_LOG:
                self._dropped += 1
                return False
            if len(self.urgent) >= self._limits.urgent_capacity:
                self.urgent.popleft()
                self._dropped += 1
            return True

    def _relieve(self) -> None:
        """Sifts what came in, and tells the listeners when that crosses ``hold_above``."""
        with self._lock:
            self._sift()
            is_crossing = self._hold is _Hold.FLOWING and self._settled() > self._limits.hold_above
            if is_crossing:
                self._hold = _Hold.TELLING
                self._holds += 1
            self._incoming_limit = self._room()
        if is_crossing:
            self._tell(is_pressed=True)
            with self._lock:
                self._hold = _Hold.HELD
            if self._is_asleep:  # everything was taken while the listeners were told: the consumer has a hold to release
                self._wake()

    def _sift(self) -> None:
        if self._is_closed:
            self._late += self._backlog.discard_incoming()
            return
        self._backlog.sift(operator.length_hint(self._hand))
        self._high_market = max(self._high_market, self._settled())

    def _settled(self) -> int:
        """Waiting market events but for those in ``incoming``."""
        return self._backlog.sifted + operator.length_hint(self._hand)

    def _room(self) -> int:
        """How long ``incoming`` may become before the next look: what is in hand now only shrinks, so it is never too long."""
        if self._is_closed:
            return -1
        settled = self._settled()
        if settled < self._limits.conflate_above:
            return self._limits.conflate_above - settled
        threshold = self._limits.hold_above if self._hold is _Hold.FLOWING else self._limits.capacity
        return min(max(threshold - settled, 0), _SIFT - 1)

    # --- pressure

    @property
    def is_holding(self) -> bool:
        """Whether the queue passed ``hold_above`` and has not yet drained below ``resume_below``."""
        return self._hold is not _Hold.FLOWING

    def add_listener(self, listener: PressureListener) -> None:
        """Tells ``listener`` every later hold (True) and release (False)."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def remove_listener(self, listener: PressureListener) -> None:
        """Tells ``listener`` nothing more; one that is not there is no error."""
        with self._lock:
            self._listeners = tuple(present for present in self._listeners if present != listener)

    def _tell(self, *, is_pressed: bool) -> None:
        for listener in self._listeners:
            try:
                listener(is_pressed)
            except Exception:  # noqa: BLE001 -- foreign code; the other listeners must hear of it
                _log.exception("event_queue.listener_failed: %r", listener)

    # --- the consumer

    def take(self) -> Iterator[Event] | None:
        """Waits for events; gives the next market events, none of them when only urgent ones wait, or None after the close.

        Finish one iterator before taking the next, and look at ``urgent`` before each of its events.
        """
        while True:
            with self._lock:
                is_release = self._hold is _Hold.HELD and self._backlog.waiting < self._limits.resume_below
                if is_release:
                    self._hold = _Hold.RELEASING
                elif self._fill_hand():
                    return self._hand
                elif self._is_closed:
                    self._urgent_limit = -1
                    return None
                elif self._stays_awake():
                    return self._hand
            if is_release:
                self._tell(is_pressed=False)
                with self._lock:
                    self._hold = _Hold.FLOWING
                    self._incoming_limit = self._room()
            else:
                self._bell.acquire()

    def _stays_awake(self) -> bool:
        """Announces the sleep, then looks once more: whoever appends after this look sees the announcement."""
        self._is_asleep = True
        self._bell.acquire(blocking=False)  # forgets a ring that found nobody asleep
        if self._fill_hand():
            self._is_asleep = False
        return not self._is_asleep

    def _fill_hand(self) -> bool:
        """Takes the next chunk; whether there is anything to handle."""
        self._sift()
        self._high_market = max(self._high_market, self._backlog.waiting)
        self._chunk = self._backlog.pop(_CHUNK)
        self._hand = iter(self._chunk)
        self._taken += len(self._chunk)
        self._incoming_limit = self._room()
        return bool(self._chunk or self.urgent)

    def take_urgent(self) -> Event | None:
        """The next urgent event, if any."""
        self._high_urgent = max(self._high_urgent, len(self.urgent))
        try:
            event = self.urgent.popleft()
        except IndexError:  # let go meanwhile by a capacity or a close
            return None
        self._taken_urgent += 1
        return event

    # --- the end

    def close(self) -> None:
        """Refuses market events from here on; what waits, and urgent events, are still given until nothing waits."""
        with self._lock:
            if not self._is_closed:
                self._sift()
                self._backlog.settle()
                self._is_closed = True
                self._incoming_limit = -1
        self._wake()

    def abandon(self) -> int:
        """Closes, and lets everything go that waits, also what is in the consumer's hand; how many events that were."""
        self.close()
        with self._lock:
            in_hand = operator.length_hint(self._hand)
            self._chunk.clear()  # ends the consumer's iterator too
            self._taken -= in_hand
            lost = in_hand + self._backlog.clear() + len(self.urgent)
            self._urgent_limit = -1
            self.urgent.clear()
            self._dropped += lost
            return lost

    def stats(self) -> QueueStats:
        """Counts of this moment, from any thread."""
        with self._lock:
            self._sift()
            self._incoming_limit = self._room()
            in_hand = operator.length_hint(self._hand)
            market, urgent = self._backlog.waiting + in_hand, len(self.urgent)
            return QueueStats(
                waiting_urgent=urgent,
                waiting_market=market,
                high_water_urgent=max(self._high_urgent, urgent),
                high_water_market=max(self._high_market, market),
                handled=self._taken - in_hand + self._taken_urgent,
                conflated=self._backlog.conflated,
                dropped=self._dropped + self._backlog.dropped,
                late=self._late,
                holds=self._holds,
                is_holding=self.is_holding,
            )
