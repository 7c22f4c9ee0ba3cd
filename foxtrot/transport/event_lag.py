"""Percentiles of how late frames came that carry the venue's time."""

from bisect import bisect_left, bisect_right, insort
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

    def is_calm(self, now_ns: int) -> bool:
        """Whether the window still holds what it held at the last call."""
        return not self._samples or self._samples[0][0] > now_ns - self._window_ns

    def forget(self) -> None:
        """Another stream begins."""
        self._samples.clear()
        self._ordered.clear()

    def quantile(self, share: float, now_ns: int) -> int | None:
        """The lag that such a share of the window's samples do not pass (nearest rank, to the per mille); None without any.

        The window ends now.
        """
        self._expire(now_ns)
        if not self._ordered:
            return None
        return self._ordered[-(-round(share * 1_000) * len(self._ordered) // 1_000) - 1]

    def p95(self, now_ns: int) -> int | None:
        """For proofs."""
        return self.quantile(0.95, now_ns)

    def late(self, bound_ns: int, now_ns: int) -> int:
        """How many of the window's samples lag more than this, if they are more than 1 in 100 (its p99 does, too); else 0."""
        self._expire(now_ns)
        count = len(self._ordered) - bisect_right(self._ordered, bound_ns)
        return count if count * 100 > len(self._ordered) else 0

    def _expire(self, now_ns: int) -> None:
        while self._samples and self._samples[0][0] <= now_ns - self._window_ns:
            self._drop()

    def _drop(self) -> None:
        _, lag_ns = self._samples.popleft()
        del self._ordered[bisect_left(self._ordered, lag_ns)]
