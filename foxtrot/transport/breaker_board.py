"""Keeps a pybreaker in step with each of our breakers, for its listeners.

pybreaker is commanded after the fact: it decides nothing, its own clock never half-opens it, and no listener can hold a
transition up. Listeners hear of a change once it stands, on a thread of their own, outside of any lock (CB-8).
"""

import logging
import queue
import threading
from typing import Final

import pybreaker

from foxtrot.util.constants import BreakerState

NEVER: Final = 10**9
CAPACITY: Final = 1000

_log = logging.getLogger(__name__)

_Change = tuple[pybreaker.CircuitBreaker, pybreaker.CircuitBreakerState, pybreaker.CircuitBreakerState]


class BreakerBoard:
    """One pybreaker a name. ``dropped`` counts changes that listeners were too slow to hear of (1,000 wait at most)."""

    def __init__(self) -> None:
        self.dropped = 0
        self._breakers: dict[str, pybreaker.CircuitBreaker] = {}
        self._listeners: tuple[pybreaker.CircuitBreakerListener, ...] = ()
        self._changes: queue.Queue[_Change | None] = queue.Queue(CAPACITY)
        self._teller: threading.Thread | None = None
        self._lock = threading.Lock()

    def add_listener(self, listener: pybreaker.CircuitBreakerListener) -> None:
        """Has ``listener.state_change(breaker, old, new)`` called for every breaker; nothing waits for it, whatever it does."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            if self._teller is None:
                self._teller = threading.Thread(target=self._tell, name="breaker listeners", daemon=True)
                self._teller.start()

    def breaker(self, name: str) -> pybreaker.CircuitBreaker:
        """The pybreaker of a lane (``BTCUSDT trades``) or a connection; made closed when first asked for."""
        with self._lock:
            if name not in self._breakers:
                self._breakers[name] = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=NEVER, name=name)
            return self._breakers[name]

    def move(self, name: str, state: BreakerState) -> None:
        """Brings a pybreaker to our state; forced open is open to it."""
        breaker = self.breaker(name)
        old = breaker.state
        if state is BreakerState.CLOSED:
            breaker.close()
        elif state is BreakerState.HALF_OPEN:
            breaker.half_open()
        else:
            breaker.open()
        if self._listeners:
            try:
                self._changes.put_nowait((breaker, old, breaker.state))
            except queue.Full:
                self.dropped += 1

    def states(self) -> dict[str, str]:
        """What pybreaker calls each state (``closed``, ``open``, ``half-open``)."""
        with self._lock:
            return {name: breaker.current_state for name, breaker in self._breakers.items()}

    def close(self) -> None:
        """Ends the listeners' thread after what waits has been told; a listener that blocks is left behind."""
        if self._teller is not None:
            try:
                self._changes.put_nowait(None)
            except queue.Full:
                return

    def _tell(self) -> None:
        while (change := self._changes.get()) is not None:
            for listener in self._listeners:
                try:
                    listener.state_change(*change)
                except Exception:  # noqa: BLE001 -- a listener of the user's
                    _log.exception("breaker_board.listener_raised")
