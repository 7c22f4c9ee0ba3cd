"""When a stream is given up, and for how long.

Rules (design, section 5; reliability CB-4 to CB-6):

1. A trip opens for equal jitter of 5 s x 2^n, 300 s at most; n grows with each opening and is forgotten after 600 s of health.
2. Before ``retry_at`` nothing is attempted. One permit at a time; each carries the generation it was given in.
3. An outcome of an older generation changes nothing: a late success cannot close what has been opened again.
4. A cancelled attempt gives its permit back and counts as neither.
5. A trip that was the connection's failure is forgiven: it counts nothing, and health goes on as if it had not been.
6. Its memory outlives the process: a restart neither shortens a wait nor forgets an opening. A permit is never remembered.

==============  =========================  ===============  ===========  ===========  ===========  ===========  =======
state           acquire                    trip             succeed [1]  fail [1]     release [1]  forgive      revive
==============  =========================  ===============  ===========  ===========  ===========  ===========  =======
closed          closed, permit             open             closed       open         closed       -            -
open            half-open, permit [2]      open, longer     -            -            -            closed       - [3]
half-open       - (one at a time)          open, longer     closed       open         open         closed       - [3]
forced open     -                          -                -            -            -            -            open [3]
==============  =========================  ===============  ===========  ===========  ===========  ===========  =======

``force_open`` leads from every state to forced open. [1] With the permit that is out; any other changes nothing.
[2] From ``retry_at`` on. [3] And ``retry_at`` is now, if it was later.
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


class BreakerMemory(msgspec.Struct, frozen=True):
    """A breaker as it is kept over a restart; instants are nanoseconds since 1970 UTC.

    ``healthy_since_ns`` is when it last proved itself, None since a trip: the time between two processes counts as health,
    for nothing was seen to fail.
    """

    openings: int = 0
    retry_at_ns: int = 0
    healthy_since_ns: int | None = None
    state: BreakerState = BreakerState.CLOSED

    def __post_init__(self) -> None:
        """Refuses what no breaker can have left behind."""
        if self.openings < 0 or self.retry_at_ns < 0:
            raise ValueError(f"openings and retry_at_ns are 0 or more; found {self.openings}, {self.retry_at_ns}")
        if self.state is BreakerState.HALF_OPEN:
            raise ValueError("an attempt does not outlive its process: half-open is kept as open")


class Permit(NamedTuple):
    """The right to one attempt, and the generation that its outcome will be measured against."""

    generation: int


class Breaker:
    """Closed, open, half-open, or forced open by hand; told of outcomes, asked for permits."""

    __slots__ = ("_before", "_healthy_since_ns", "_permit", "_policy", "generation", "openings", "retry_at_ns", "state")

    def __init__(self, policy: BreakerPolicy | None = None, memory: BreakerMemory | None = None) -> None:
        known = memory or BreakerMemory()
        self._policy = policy or BreakerPolicy()
        self.state = known.state
        self.generation = 0
        self.openings = known.openings
        self.retry_at_ns = known.retry_at_ns
        self._healthy_since_ns = known.healthy_since_ns
        self._before: tuple[int, int | None] | None = None  # openings and health before the last trip, while it can be forgiven
        self._permit: Permit | None = None

    def memory(self) -> BreakerMemory:
        """What a new breaker is to be made of after a restart."""
        state = BreakerState.OPEN if self.state is BreakerState.HALF_OPEN else self.state
        return BreakerMemory(self.openings, self.retry_at_ns, self._healthy_since_ns, state)

    def trip(self, now_ns: int, chance: Chance) -> None:
        """A serving stream is given up. Nothing changes while it is forced open."""
        if self.state is BreakerState.FORCED_OPEN:
            return
        before = (self.openings, self._healthy_since_ns)
        self._forget(now_ns)
        wait = equal_jitter(self.openings, self._policy.base, self._policy.cap, chance)
        self.openings += 1
        self.retry_at_ns = now_ns + int(wait * NS_PER_S)
        self._to(BreakerState.OPEN)
        self._before = before

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
            self._before = None

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

    def forgive(self, now_ns: int) -> None:
        """The last trip was the connection's failure: it is taken back, with its count and its wait.

        Once for a trip; nothing changes where none is in force.
        """
        if self._before is not None:
            self._to(BreakerState.CLOSED)
            (self.openings, self._healthy_since_ns), self._before = self._before, None
            self.retry_at_ns = min(self.retry_at_ns, now_ns)

    def force_open(self) -> None:
        """Switched off by hand until ``revive``."""
        self._to(BreakerState.FORCED_OPEN)
        self._before = None

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
