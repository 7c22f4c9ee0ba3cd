"""Turns what was recorded of one run into figures; pure."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import msgspec

from foxtrot.util.constants import Health
from tests.chaos.truth import Sample

FRESH: Final = 1.6
"""Seconds that a served price may be behind the exchange: 1.5, and one look and round trip more."""

_MOST_APART: Final = 0.5
"""Looks further apart than this are no continuous watch."""

_RIGHT_AGAIN: Final = 1.0

_MARKED: Final = frozenset({Health.SUSPECT, Health.BLIND, Health.HALTED, None})


class Outcome(msgspec.Struct):
    """The figures of one repetition. Times are seconds. ``problems``: what must not be; empty: it passed."""

    detected: list[float] = []
    to_polled: list[float] = []
    lost: int = 0
    duplicates: int = 0
    unmarked: float = 0.0
    false_trips: int = 0
    notes: list[str] = []
    problems: list[str] = []


def is_old(sample: Sample, before: Sequence[Sample], *, is_rest_true: bool = True) -> bool:
    """Whether the delivered price is none that the exchange had within :data:`FRESH` seconds; ``before`` are the looks of them.

    What stood between two looks is known by its update id; a polled one, which has none, by the moment of its arrival.
    """
    if any(each.truth.levels == sample.delivered for each in before):
        return False
    if is_rest_true and sample.is_polled and sample.delivered_at >= sample.at - FRESH:
        return False
    return not (sample.delivered_id and sample.delivered_id >= before[0].truth.update_id)


def unmarked_seconds(samples: Iterable[Sample], *, is_rest_true: bool = True) -> float:
    """The longest that one symbol's delivered price was old while its health said LIVE or DEGRADED, added up per symbol."""
    ordered = sorted(samples, key=lambda sample: (sample.symbol, sample.at))
    return max((_of_symbol(list(group), is_rest_true) for _, group in groupby(ordered, lambda s: s.symbol)), default=0.0)


def _of_symbol(samples: list[Sample], is_rest_true: bool) -> float:
    total, start = 0.0, 0
    for index, sample in enumerate(samples[1:], 1):
        while samples[start].at < sample.at - FRESH:
            start += 1
        if samples[0].at > sample.at - FRESH:
            continue  # not watched long enough
        window = samples[max(start - 1, 0) : index + 1]
        if sample.health not in _MARKED and is_old(sample, window, is_rest_true=is_rest_true):
            total += min(sample.at - samples[index - 1].at, _MOST_APART)
    return total


def first_wrong(samples: Iterable[Sample], symbol: str, since: float, until: float) -> float | None:
    """When the price that stood last before ``until`` first differed from the exchange's; None: it did not.

    That the exchange came back to it for less than a second does not count.
    """
    looks = [each for each in samples if each.symbol == symbol and since <= each.at <= until]
    found: float | None = None
    right_since: float | None = None
    for look in looks:
        if look.delivered != looks[-1].delivered:
            continue
        if look.delivered == look.truth.levels:
            right_since = look.at if right_since is None else right_since
            if look.at - right_since >= _RIGHT_AGAIN:
                found = None
        else:
            right_since = None
            found = look.at if found is None else found
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of them do not exceed; NaN of none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
