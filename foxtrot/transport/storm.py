"""Notices a stream that keeps losing frames (design, section 5, "Trip")."""

from collections import deque
from typing import Final

from foxtrot.util.clock import NS_PER_S

GAPS: Final = 3
SPAN_NS: Final = 60 * NS_PER_S
"""So many gaps within such a span are a storm; one that is filled is just a gap."""


class Storm:
    """The gaps of one serving stream. A gap is known by the id behind it, however often it is asked for."""

    __slots__ = ("_behind", "_times")

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=GAPS)
        self._behind = -1

    def gap(self, behind: int, now_ns: int) -> bool:
        """Whether this gap, before the id ``behind``, makes a storm; the count begins anew then."""
        if behind == self._behind:
            return False
        self._behind = behind
        self._times.append(now_ns)
        if len(self._times) < GAPS or now_ns - self._times[0] > SPAN_NS:
            return False
        self._times.clear()
        return True
