"""Bounds how often a lane switches (design, section 5, rule 8).

A lane returns to its stream only if it made at most ``MOST`` switches in the last hour: the return and a trip after it make six.
Switches that a decision, a kill or POLL_DOWN caused are not counted.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from foxtrot.util.clock import NS_PER_S

MOST: Final = 4
SPAN_NS: Final = 3_600 * NS_PER_S


class SwitchLog:
    """The instants (nanoseconds since 1970 UTC) of a lane's counted switches within the last hour."""

    __slots__ = ("_times",)

    def __init__(self, times: Iterable[int] = ()) -> None:
        self._times: deque[int] = deque(times, maxlen=MOST + 2)

    @property
    def times(self) -> tuple[int, ...]:
        """What is to be remembered over a restart, oldest first."""
        return tuple(self._times)

    def add(self, now_ns: int) -> None:
        """A counted switch."""
        self._times.append(now_ns)

    def free_at(self) -> int:
        """From when on the lane may return to its stream; 0: at any time."""
        return self._times[-1 - MOST] + SPAN_NS if len(self._times) > MOST else 0

    def forget(self) -> None:
        """By hand: the past does not count."""
        self._times.clear()
