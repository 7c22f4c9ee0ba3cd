"""The breaker against a reference, in every order of events (CB-3, CB-4, CB-6)."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
import msgspec
from hypothesis import given
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, rule

from foxtrot.transport.backoff import decorrelated, equal_jitter, full_jitter
from foxtrot.transport.breaker import Breaker, BreakerMemory, Permit
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState

chances = st.floats(0, 1, exclude_max=True)


@dataclass
class Reference:
    """What is known of the one attempt that may be under way, and of the past."""

    state: BreakerState = BreakerState.CLOSED
    openings: int = 0
    retry_at_ns: int = 0
    attempt: Permit | None = None
    healthy_since_ns: int | None = None
    before: tuple[int, int | None] | None = None
    ended: list[Permit] = field(default_factory=list)

    def move(self, state: BreakerState) -> None:
        if self.attempt is not None:
            self.ended.append(self.attempt)
        self.state, self.attempt, self.healthy_since_ns = state, None, None

    def trip(self, now_ns: int, chance: float) -> None:
        if self.state is BreakerState.FORCED_OPEN:
            return
        before = (self.openings, self.healthy_since_ns)
        self.forget(now_ns)
        half = min(300.0, 5.0 * 2**self.openings) / 2
        self.retry_at_ns = now_ns + int((half + half * chance) * NS_PER_S)
        self.openings += 1
        self.move(BreakerState.OPEN)
        self.before = before

    def forget(self, now_ns: int) -> None:
        if self.healthy_since_ns is not None and now_ns - self.healthy_since_ns >= 600 * NS_PER_S:
            self.openings = 0


class BreakerMachine(RuleBasedStateMachine):
    """Attempts that begin, end, are cancelled, or report long after their time."""

    permits: Bundle[Permit] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.breaker = Breaker()
        self.reference = Reference()

    @rule(seconds=st.sampled_from([0, 1, 3, 10, 300, 599, 600]))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * NS_PER_S

    @rule(chance=chances)
    def trip(self, chance: float) -> None:
        self.breaker.trip(self.now, lambda: chance)
        self.reference.trip(self.now, chance)

    @rule(target=permits)
    def acquire(self) -> Permit | MultipleResults[Permit]:
        known = self.reference
        is_free = known.attempt is None and known.state is not BreakerState.FORCED_OPEN and self.now >= known.retry_at_ns
        permit = self.breaker.acquire(self.now)
        assert (permit is not None) is is_free
        if permit is None:
            return multiple()
        assert permit not in known.ended, "no two attempts share a permit"
        known.attempt = permit
        known.state = BreakerState.HALF_OPEN if known.state is BreakerState.OPEN else known.state
        return permit

    @rule(permit=permits)
    def succeed(self, permit: Permit) -> None:
        self.breaker.succeed(permit, self.now)
        if permit == self.reference.attempt:
            self.reference.forget(self.now)
            self.reference.move(BreakerState.CLOSED)
            self.reference.healthy_since_ns = self.now
            self.reference.before = None

    @rule(permit=permits, chance=chances)
    def fail(self, permit: Permit, chance: float) -> None:
        self.breaker.fail(permit, self.now, lambda: chance)
        if permit == self.reference.attempt:
            self.reference.trip(self.now, chance)

    @rule(permit=permits)
    def release(self, permit: Permit) -> None:
        self.breaker.release(permit)
        known = self.reference
        if permit == known.attempt:
            known.ended.append(permit)
            known.attempt = None
            if known.state is BreakerState.HALF_OPEN:
                known.move(BreakerState.OPEN)

    @rule()
    def force_open(self) -> None:
        self.breaker.force_open()
        self.reference.move(BreakerState.FORCED_OPEN)
        self.reference.before = None

    @rule()
    def forgive(self) -> None:
        known = self.reference
        self.breaker.forgive(self.now)
        if known.before is not None:
            (openings, healthy_since_ns), known.before = known.before, None
            known.move(BreakerState.CLOSED)
            known.openings, known.healthy_since_ns = openings, healthy_since_ns
            known.retry_at_ns = min(known.retry_at_ns, self.now)

    @rule()
    def restart(self) -> None:
        """A new process: permits of the old one are void, everything else goes on."""
        known = self.reference
        self.breaker = Breaker(memory=msgspec.json.decode(msgspec.json.encode(self.breaker.memory()), type=BreakerMemory))
        self.breaker.generation = max((permit.generation for permit in known.ended), default=0) + 100
        if known.attempt is not None:
            self.breaker.generation = max(self.breaker.generation, known.attempt.generation + 100)
            known.ended.append(known.attempt)
        known.attempt, known.before = None, None
        known.state = BreakerState.OPEN if known.state is BreakerState.HALF_OPEN else known.state

    @rule()
    def revive(self) -> None:
        self.breaker.revive(self.now)
        if self.reference.state is BreakerState.FORCED_OPEN:
            self.reference.move(BreakerState.OPEN)
        self.reference.retry_at_ns = min(self.reference.retry_at_ns, self.now)

    @invariant()
    def agrees_with_the_reference(self) -> None:
        known = self.reference
        found = (self.breaker.state, self.breaker.openings, self.breaker.retry_at_ns)
        assert found == (known.state, known.openings, known.retry_at_ns)


TestBreaker = BreakerMachine.TestCase


@given(st.integers(0, 10**6), st.floats(0.01, 60), st.floats(0.01, 600), chances)
def test_waits_stay_in_their_ranges(attempt: int, base: float, cap: float, chance: float) -> None:
    """Full jitter reaches down to nothing, equal jitter to half, neither passes the cap; decorrelated keeps to base and cap."""
    ceiling = min(cap, base * 2.0 ** min(attempt, 64))
    assert 0.0 <= full_jitter(attempt, base, cap, lambda: chance) <= ceiling
    assert ceiling / 2 <= equal_jitter(attempt, base, cap, lambda: chance) <= ceiling
    highest = max(base, cap)
    previous = base
    for _ in range(5):
        previous = decorrelated(previous, base, highest, lambda: chance)
        assert base <= previous <= highest
