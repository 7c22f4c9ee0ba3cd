"""Percentiles of how late frames came that carry the venue's time."""

import math
from bisect import bisect_left, insort
from collections import deque
from typing import Final

from foxtrot.util.clock import NS_PER_S

WINDOW_NS: Final = 30 * NS_PER_S
"""Over how much of the past the percentiles are taken."""

CAPACITY: Final = 1_024
"""How many samples are kept at most; the oldest goes first."""


class EventLag:
    """The lags of the last ``WINDOW_NS``, each exact to the clock offset it was sampled with."""

    __slots__ = ("_ordered", "_samples", "_window_ns")

    def __init__(self, window_ns: int = WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._samples: deque[tuple[int, int]] = deque()  # (received, lag), in order of arrival
        self._ordered: list[int] = []  # their lags, ascending

    def __len__(self) -> int:
        """Samples at hand, those included that ran out of the window since the last call."""
        return len(self._samples)

    def sample(self, received_ns: int, event_ns: int, offset_ns: int | None) -> None:
        """A frame of the venue's time ``event_ns`` came; ``offset_ns``: venue clock minus ours. None (unsynced): ignored."""
        if offset_ns is None:
            return
        if len(self._samples) == CAPACITY:
            self._drop()
        lag_ns = received_ns + offset_ns - event_ns
        self._samples.append((received_ns, lag_ns))
        insort(self._ordered, lag_ns)

    def forget(self) -> None:
        """Another stream begins."""
        self._samples.clear()
        self._ordered.clear()

    def p95(self, now_ns: int) -> int | None:
        """95 of 100 samples of the window ending now lag no more than this (nearest rank); None without samples."""
        return self._percentile(95, now_ns)

    def p99(self, now_ns: int) -> int | None:
        """The same for 99 of 100."""
        return self._percentile(99, now_ns)

    def _percentile(self, per_cent: int, now_ns: int) -> int | None:
        while self._samples and self._samples[0][0] <= now_ns - self._window_ns:
            self._drop()
        if not self._ordered:
            return None
        return self._ordered[math.ceil(per_cent * len(self._ordered) / 100) - 1]

    def _drop(self) -> None:
        _, lag_ns = self._samples.popleft()
        del self._ordered[bisect_left(self._ordered, lag_ns)]
