"""Keeps the distribution of ages in fixed memory."""

import math
from typing import Final

from foxtrot.util.clock import NS_PER_MS

_NS_PER_US: Final = 1_000
_US_PER_MS: Final = NS_PER_MS // _NS_PER_US
_HALF: Final = 32  # buckets that each doubling is cut into: a quantile errs by 1/64 at most
_EXACT: Final = 2 * _HALF  # below so many microseconds each has a bucket of its own
_EXACT_BITS: Final = _EXACT.bit_length() - 1
_DOUBLINGS: Final = 30  # up to 19 hours; what is older counts as that
_BUCKETS: Final = _EXACT + _DOUBLINGS * _HALF


class AgeHistogram:
    """Ages in log-linear buckets of microseconds: recording is O(1), reading O(buckets). One writer; read from any thread."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Final = [0] * _BUCKETS

    def record(self, age_ns: int) -> None:
        """Counts one age in nanoseconds; one below 0 (clocks that disagree) counts as 0."""
        age = age_ns // _NS_PER_US if age_ns > 0 else 0
        doublings = age.bit_length() - _EXACT_BITS
        if doublings <= 0:
            self._counts[age] += 1
        elif doublings <= _DOUBLINGS:
            self._counts[doublings * _HALF + (age >> doublings)] += 1
        else:
            self._counts[-1] += 1

    def quantile_ms(self, share: float) -> float | None:
        """The age, in milliseconds, that ``share`` (0 to 1) of those recorded do not exceed; None where there are none."""
        counts = self._counts.copy()
        rank = max(1, math.ceil(share * sum(counts)))
        reached = 0
        for bucket, count in enumerate(counts):
            reached += count
            if reached >= rank:
                return _middle_us(bucket) / _US_PER_MS
        return None


def _middle_us(bucket: int) -> float:
    if bucket < _EXACT:
        return float(bucket)
    doublings = bucket // _HALF - 1
    lowest = (bucket - doublings * _HALF) << doublings
    return lowest + (1 << doublings) / 2
