"""When a stream is given up, and for how long.

Rules (design, section 5; reliability CB-4 to CB-6):

1. A trip opens for equal jitter of 5 s x 2^n, 300 s at most; n grows with each opening and is forgotten after 600 s of health.
2. Before ``retry_at`` nothing is attempted. One permit at a time; each carries the generation it was given in.
3. An outcome of an older generation changes nothing: a late success cannot close what has been opened again.
4. A cancelled attempt gives its permit back and counts as neither.
"""

from typing import NamedTuple

import msgspec

from foxtrot.transport.backoff import Chance, equal_jitter
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState
from foxtrot.util.errors import ConfigError


class BreakerPolicy(msgspec.Struct, frozen=True):
    """Seconds: the first opening, the longest, and the health after which the past is forgotten."""

    base: float = 5.0
    cap: float = 300.0
    forget: float = 600.0

    def __post_init__(self) -> None:
        """Refuses what would hammer or never return (CB-12)."""
        if not 0.5 <= self.base <= self.cap <= 86_400:  # noqa: PLR2004 -- CB-12's own range
            raise ConfigError(f"breaker: 0.5 <= base <= cap <= 86400 seconds; found base={self.base}, cap={self.cap}")
        if not self.forget > 0:
            raise ConfigError(f"breaker: forget is more than 0 seconds; found {self.forget}")


class Permit(NamedTuple):
    """The right to one attempt, and the generation that its outcome will be measured against."""

    generation: int


class Breaker:
    """Closed, open, half-open, or forced open by hand; told of outcomes, asked for permits."""

    __slots__ = ("_healthy_since_ns", "_permit", "_policy", "generation", "openings", "retry_at_ns", "state")

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self._policy = policy or BreakerPolicy()
        self.state = BreakerState.CLOSED
        self.generation = 0
        self.openings = 0
        self.retry_at_ns = 0
        self._healthy_since_ns: int | None = None
        self._permit: Permit | None = None

    def trip(self, now_ns: int, chance: Chance) -> None:
        """A serving stream is given up. Nothing changes while it is forced open."""
        if self.state is BreakerState.FORCED_OPEN:
            return
        self._forget(now_ns)
        wait = equal_jitter(self.openings, self._policy.base, self._policy.cap, chance)
        self.openings += 1
        self.retry_at_ns = now_ns + int(wait * NS_PER_S)
        self._to(BreakerState.OPEN)

    def acquire(self, now_ns: int) -> Permit | None:
        """The right to try, once ``retry_at`` has come and nobody else holds it; closed needs none but gives one all the same."""
        if self.state is BreakerState.FORCED_OPEN or self._permit is not None or now_ns < self.retry_at_ns:
            return None
        if self.state is BreakerState.OPEN:
            self._to(BreakerState.HALF_OPEN)
        self.generation += 1  # each permit has one of its own, also while closed: two attempts never share an outcome
        self._permit = Permit(self.generation)
        return self._permit

    def succeed(self, permit: Permit, now_ns: int) -> None:
        """The attempt proved itself: closed again."""
        if permit == self._permit:
            self._forget(now_ns)
            self._to(BreakerState.CLOSED)
            self._healthy_since_ns = now_ns

    def fail(self, permit: Permit, now_ns: int, chance: Chance) -> None:
        """The attempt failed: open again, for longer."""
        if permit == self._permit:
            self.trip(now_ns, chance)

    def release(self, permit: Permit) -> None:
        """The attempt was given up for a reason of ours (a decision, close): neither success nor failure."""
        if permit == self._permit:
            self._permit = None
            if self.state is BreakerState.HALF_OPEN:
                self._to(BreakerState.OPEN)

    def force_open(self) -> None:
        """Switched off by hand until ``revive``."""
        self._to(BreakerState.FORCED_OPEN)

    def revive(self, now_ns: int) -> None:
        """By hand: the next attempt may start at once."""
        if self.state is BreakerState.FORCED_OPEN:
            self._to(BreakerState.OPEN)
        self.retry_at_ns = min(self.retry_at_ns, now_ns)

    def _forget(self, now_ns: int) -> None:
        if self._healthy_since_ns is not None and now_ns - self._healthy_since_ns >= self._policy.forget * NS_PER_S:
            self.openings = 0

    def _to(self, state: BreakerState) -> None:
        self.state = state
        self.generation += 1
        self._permit = None
        self._healthy_since_ns = None
