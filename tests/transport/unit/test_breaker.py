"""When a stream is given up, and for how long."""

import pytest

from foxtrot.transport.breaker import Breaker, BreakerPolicy, Permit
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState
from foxtrot.util.errors import ConfigError


def state(breaker: Breaker) -> BreakerState:
    return breaker.state


def longest() -> float:
    return 1.0


def taken(breaker: Breaker, now_ns: int) -> Permit:
    permit = breaker.acquire(now_ns)
    assert permit is not None
    return permit


def test_is_closed_at_first() -> None:
    """A new breaker admits an attempt at once, and stays closed."""
    breaker = Breaker()
    assert breaker.acquire(0) is not None
    assert state(breaker) is BreakerState.CLOSED


def test_refuses_until_the_break_is_over() -> None:
    """An open breaker refuses before ``retry_at``, and admits from it on."""
    breaker = Breaker()
    breaker.trip(0, longest)
    assert breaker.retry_at_ns == 5 * NS_PER_S
    assert breaker.acquire(5 * NS_PER_S - 1) is None
    assert breaker.acquire(5 * NS_PER_S) is not None
    assert state(breaker) is BreakerState.HALF_OPEN


def test_grants_one_permit_of_a_hundred() -> None:
    """Of a hundred who ask a half-open breaker, one may try."""
    breaker = Breaker()
    breaker.trip(0, longest)
    granted = [breaker.acquire(10 * NS_PER_S) for _ in range(100)]
    assert sum(permit is not None for permit in granted) == 1


def test_success_closes() -> None:
    """The attempt that proved itself closes the breaker; the next permit is free."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 6 * NS_PER_S)
    assert state(breaker) is BreakerState.CLOSED
    assert breaker.acquire(6 * NS_PER_S) is not None


def test_failures_open_for_longer_each_time() -> None:
    """Each failed attempt doubles the wait, up to the cap."""
    breaker, now, waits = Breaker(), 0, []
    for _ in range(9):
        breaker.fail(taken(breaker, now), now, longest)
        waits.append((breaker.retry_at_ns - now) // NS_PER_S)
        now = breaker.retry_at_ns
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_late_success_changes_nothing() -> None:
    """P8: an attempt of before the breaker opened again cannot close it."""
    breaker = Breaker()
    breaker.trip(0, longest)
    late = taken(breaker, 5 * NS_PER_S)
    breaker.release(late)
    breaker.fail(taken(breaker, 6 * NS_PER_S), 7 * NS_PER_S, longest)
    breaker.succeed(late, 8 * NS_PER_S)
    assert state(breaker) is BreakerState.OPEN


def test_late_failure_changes_nothing() -> None:
    """P9: an attempt of before the breaker opened moves neither ``retry_at`` nor the count."""
    breaker = Breaker()
    late = taken(breaker, 0)
    breaker.trip(0, longest)
    before = (breaker.retry_at_ns, breaker.openings, breaker.generation)
    breaker.fail(late, 4 * NS_PER_S, longest)
    assert (breaker.retry_at_ns, breaker.openings, breaker.generation) == before


def test_two_permits_of_a_closed_breaker_are_not_the_same() -> None:
    """An attempt given up while the breaker was closed has no say in the next one."""
    breaker = Breaker()
    first = taken(breaker, 0)
    breaker.release(first)
    second = taken(breaker, 0)
    breaker.fail(first, 0, longest)
    breaker.release(first)
    assert state(breaker) is BreakerState.CLOSED
    assert breaker.acquire(0) is None
    breaker.fail(second, 0, longest)
    assert state(breaker) is BreakerState.OPEN


def test_cancelled_attempt_counts_as_neither() -> None:
    """A permit given back opens the breaker no longer than it was, and the next attempt may start at once."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.release(taken(breaker, 5 * NS_PER_S))
    assert (breaker.state, breaker.openings, breaker.retry_at_ns) == (BreakerState.OPEN, 1, 5 * NS_PER_S)
    assert breaker.acquire(5 * NS_PER_S) is not None


@pytest.mark.parametrize(("health_s", "openings"), [(599, 2), (600, 1)])
def test_the_past_is_forgotten_after_ten_minutes_of_health(health_s: int, openings: int) -> None:
    """A trip after 600 s of health is a first one again."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S)
    breaker.trip((5 + health_s) * NS_PER_S, longest)
    assert breaker.openings == openings


def test_health_counts_up_to_a_lost_connection() -> None:
    """Ten minutes of health are forgiven even if an innocent reconnection follows them before the trip."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S)
    breaker.succeed(taken(breaker, 700 * NS_PER_S), 701 * NS_PER_S)
    breaker.trip(702 * NS_PER_S, longest)
    assert breaker.openings == 1


def test_forced_open_stays_until_revived() -> None:
    """What a hand has switched off neither time nor a trip switches on or moves."""
    breaker = Breaker()
    breaker.force_open()
    breaker.trip(0, longest)
    assert breaker.acquire(10**18) is None
    assert state(breaker) is BreakerState.FORCED_OPEN
    breaker.revive(7)
    assert state(breaker) is BreakerState.OPEN
    assert breaker.acquire(7) is not None


def test_revive_ends_the_wait() -> None:
    """By hand, the next attempt starts at once; how long the next wait is stays."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.revive(1)
    breaker.fail(taken(breaker, 1), 1, longest)
    assert breaker.retry_at_ns == 1 + 10 * NS_PER_S


@pytest.mark.parametrize(
    ("base", "cap", "forget"),
    [(0.4, 300.0, 600.0), (5.0, 4.0, 600.0), (5.0, 86_401.0, 600.0), (float("nan"), 300.0, 600.0), (5.0, 300.0, 0.0)],
)
def test_refuses_a_policy_that_would_hammer_or_never_return(base: float, cap: float, forget: float) -> None:
    """CB-12: such figures are an error that names them."""
    with pytest.raises(ConfigError, match=r"breaker: .*found"):
        BreakerPolicy(base=base, cap=cap, forget=forget)


def test_takes_the_widest_policy() -> None:
    """The bounds themselves are allowed."""
    policy = BreakerPolicy(base=0.5, cap=86_400.0, forget=0.001)
    breaker = Breaker(policy)
    breaker.trip(0, longest)
    assert breaker.retry_at_ns == NS_PER_S // 2
