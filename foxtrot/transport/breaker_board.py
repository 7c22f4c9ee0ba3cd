"""Keeps a pybreaker in step with each of our breakers, for its listeners.

pybreaker is commanded after the fact: it decides nothing, its own clock never half-opens it, and no listener can hold a
transition up or keep it from happening. Listeners, the board's and those added to a pybreaker itself, hear of a change once it
stands, on a thread of their own, outside of any lock (CB-8).
"""

import logging
import queue
import threading
from typing import Final, cast

import pybreaker

from foxtrot.util.constants import BreakerState

NEVER: Final = 10**9
CAPACITY: Final = 1000

_log = logging.getLogger(__name__)

_Listeners = tuple[pybreaker.CircuitBreakerListener, ...]
_Change = tuple[_Listeners, pybreaker.CircuitBreaker, pybreaker.CircuitBreakerState, pybreaker.CircuitBreakerState]


class BreakerBoard:
    """One pybreaker a name. ``dropped`` counts changes that listeners were too slow to hear of (1,000 wait at most)."""

    def __init__(self) -> None:
        self.dropped = 0
        self._breakers: dict[str, pybreaker.CircuitBreaker] = {}
        self._listeners: _Listeners = ()
        self._changes: queue.Queue[_Change | None] = queue.Queue(CAPACITY)
        self._teller: threading.Thread | None = None
        self._lock = threading.Lock()

    def add_listener(self, listener: pybreaker.CircuitBreakerListener) -> None:
        """Has ``listener.state_change(breaker, old, new)`` called for every breaker; nothing waits for it, whatever it does."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def breaker(self, name: str) -> pybreaker.CircuitBreaker:
        """The pybreaker of a lane (``BTCUSDT trades``) or a connection; made closed when first asked for."""
        with self._lock:
            if name not in self._breakers:
                self._breakers[name] = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=NEVER, name=name)
            return self._breakers[name]

    def move(self, name: str, state: BreakerState) -> None:
        """Brings a pybreaker to our state; forced open is open to it."""
        breaker = self.breaker(name)
        old, own = breaker.state, cast(_Listeners, breaker.listeners)
        for listener in own:
            breaker.remove_listener(listener)  # pybreaker calls them before the change stands, and one that raises undoes it
        if state is BreakerState.CLOSED:
            breaker.close()
        elif state is BreakerState.HALF_OPEN:
            breaker.half_open()
        else:
            breaker.open()
        breaker.add_listeners(*own)
        if listeners := (*self._listeners, *own):
            self._say((listeners, breaker, old, breaker.state))

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

    def _say(self, change: _Change) -> None:
        with self._lock:
            if self._teller is None:
                self._teller = threading.Thread(target=self._tell, name="breaker listeners", daemon=True)
                self._teller.start()
        try:
            self._changes.put_nowait(change)
        except queue.Full:
            self.dropped += 1

    def _tell(self) -> None:
        while (change := self._changes.get()) is not None:
            listeners, breaker, old, new = change
            for listener in listeners:
                try:
                    listener.state_change(breaker, old, new)
                except BaseException:  # noqa: BLE001 -- a listener of the user's, and one that calls sys.exit() ends no other
                    _log.exception("breaker_board.listener_raised")
