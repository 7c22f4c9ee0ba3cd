"""How long to wait before the next attempt; chance is an argument."""

from collections.abc import Callable

Chance = Callable[[], float]
"""Uniform in [0, 1), as ``random.Random(seed).random``."""


def full_jitter(attempt: int, base: float, cap: float, chance: Chance) -> float:
    """Seconds in [0, min(cap, base x 2^attempt)); attempt counts from 0. For unary REST calls."""
    return _ceiling(attempt, base, cap) * chance()


def equal_jitter(attempt: int, base: float, cap: float, chance: Chance) -> float:
    """Seconds in [d/2, d) with d = min(cap, base x 2^attempt). For a lane's breaker: never short, never in step."""
    half = _ceiling(attempt, base, cap) / 2
    return half + half * chance()


def decorrelated(previous: float, base: float, cap: float, chance: Chance) -> float:
    """Seconds in [base, min(cap, 3 x previous)): spreads a fleet of clients best (reliability: a storm of 1,000 dials).

    The jitter stays at the cap: there the wait is drawn anew from the cap's whole range.
    """
    ceiling = min(cap, max(base, previous * 3))
    return base + (ceiling - base) * chance()


def _ceiling(attempt: int, base: float, cap: float) -> float:
    return min(cap, base * 2.0 ** min(attempt, 60))
