"""How many requests may be tried again: a venue in trouble is not asked much more often than one that is well (RT-4)."""

from collections import deque
from typing import Final

from foxtrot.util.clock import NS_PER_S

SPAN_NS: Final = 10 * NS_PER_S
SHARE: Final = 0.2
PER_SECOND: Final = 1.0


class RetryBudget:
    """Retries of any 10 s are at most a fifth of the requests of the same 10 s, and one a second besides."""

    __slots__ = ("_requests", "_retries", "refused")

    def __init__(self) -> None:
        self._requests: deque[int] = deque()
        self._retries: deque[int] = deque()
        self.refused = 0
        """Retries that were not allowed: what they were for failed at once."""

    def request(self, now_ns: int) -> None:
        """Counts the first attempt of a request."""
        self._requests.append(now_ns)
        self._drop(now_ns)

    def may_retry(self, now_ns: int) -> bool:
        """Whether one more retry is allowed now; if so, it is counted."""
        self._drop(now_ns)
        if len(self._retries) + 1 > SHARE * len(self._requests) + PER_SECOND * SPAN_NS / NS_PER_S:
            self.refused += 1
            return False
        self._retries.append(now_ns)
        return True

    def _drop(self, now_ns: int) -> None:
        for times in (self._requests, self._retries):
            while times and times[0] <= now_ns - SPAN_NS:
                times.popleft()
