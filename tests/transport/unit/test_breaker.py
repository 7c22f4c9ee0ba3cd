"""When a stream is given up, and for how long."""

import tracemalloc
from collections.abc import Callable

import msgspec
import pytest

from foxtrot.transport.breaker import Breaker, BreakerMemory, BreakerPolicy, Permit
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


# the table

CLOSED, OPEN, HALF_OPEN, FORCED = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.FORCED_OPEN
LATER = 400 * NS_PER_S


def in_state(wanted: BreakerState) -> tuple[Breaker, Permit]:
    """A breaker that was tripped once (but for closed), with the permit that is out, or an old one."""
    breaker = Breaker()
    permit = taken(breaker, 0)
    if wanted is not CLOSED:
        breaker.trip(0, longest)
    if wanted is HALF_OPEN:
        permit = taken(breaker, 5 * NS_PER_S)
    if wanted is FORCED:
        breaker.force_open()
    return breaker, permit


Event = Callable[[Breaker, Permit], object]
EVENTS: dict[str, Event] = {
    "acquire": lambda breaker, _: breaker.acquire(LATER),
    "trip": lambda breaker, _: breaker.trip(LATER, longest),
    "succeed": lambda breaker, permit: breaker.succeed(permit, LATER),
    "fail": lambda breaker, permit: breaker.fail(permit, LATER, longest),
    "release": lambda breaker, permit: breaker.release(permit),
    "forgive": lambda breaker, _: breaker.forgive(LATER),
    "revive": lambda breaker, _: breaker.revive(LATER),
    "force_open": lambda breaker, _: breaker.force_open(),
    "stale succeed": lambda breaker, _: breaker.succeed(Permit(-1), LATER),
    "stale fail": lambda breaker, _: breaker.fail(Permit(-1), LATER, longest),
    "stale release": lambda breaker, _: breaker.release(Permit(-1)),
}
TABLE = {
    CLOSED: {"trip": OPEN, "fail": OPEN, "force_open": FORCED},
    OPEN: {"acquire": HALF_OPEN, "forgive": CLOSED, "force_open": FORCED},
    HALF_OPEN: {"trip": OPEN, "succeed": CLOSED, "fail": OPEN, "release": OPEN, "forgive": CLOSED, "force_open": FORCED},
    FORCED: {"revive": OPEN},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("before", list(BreakerState))
def test_the_table_is_closed_under_every_event(before: BreakerState, event: str) -> None:
    """CB-1: each event in each state leads where the table says, or nowhere."""
    breaker, permit = in_state(before)
    EVENTS[event](breaker, permit)
    assert state(breaker) is TABLE[before].get(event, before)


# forgiving


def test_forgiving_takes_the_trip_back() -> None:
    """A mass failure was the connection's: the lane comes home with it, and its next trip is a first one."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.forgive(NS_PER_S)
    assert (breaker.state, breaker.openings, breaker.retry_at_ns) == (CLOSED, 0, NS_PER_S)
    breaker.forgive(2 * NS_PER_S)
    assert (breaker.state, breaker.openings, breaker.retry_at_ns) == (CLOSED, 0, NS_PER_S)


def test_only_the_last_trip_is_forgiven() -> None:
    """What the lane had counted before stays."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.fail(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S, longest)
    breaker.forgive(6 * NS_PER_S)
    breaker.forgive(6 * NS_PER_S)
    assert (breaker.state, breaker.openings) == (CLOSED, 1)


def test_health_goes_on_over_a_forgiven_trip() -> None:
    """500 s before it and 100 s after it are 600 s."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S)
    breaker.trip(505 * NS_PER_S, longest)
    breaker.forgive(506 * NS_PER_S)
    breaker.trip(605 * NS_PER_S, longest)
    assert breaker.openings == 1


def test_a_trip_is_forgiven_during_the_attempt_after_it() -> None:
    """The attempt's outcome changes nothing any more, and the next one may begin."""
    breaker = Breaker()
    breaker.trip(0, longest)
    permit = taken(breaker, 5 * NS_PER_S)
    breaker.forgive(6 * NS_PER_S)
    breaker.fail(permit, 7 * NS_PER_S, longest)
    assert (breaker.state, breaker.openings) == (CLOSED, 0)
    assert breaker.acquire(7 * NS_PER_S) is not None


def test_a_trip_is_forgiven_after_a_cancelled_attempt() -> None:
    """Giving the permit back does not make the trip the lane's own."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.release(taken(breaker, 5 * NS_PER_S))
    breaker.forgive(6 * NS_PER_S)
    assert (breaker.state, breaker.openings) == (CLOSED, 0)


def test_what_has_proved_itself_since_is_not_forgiven_again() -> None:
    """The trip is history: it counts until 600 s of health are over."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S)
    breaker.forgive(6 * NS_PER_S)
    assert (breaker.state, breaker.openings) == (CLOSED, 1)


def test_forgiveness_does_not_undo_a_hand() -> None:
    """Forced open stays, also once it is revived."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.force_open()
    breaker.forgive(1)
    breaker.revive(2)
    breaker.forgive(3)
    assert state(breaker) is OPEN


# memory


@pytest.mark.parametrize("before", list(BreakerState))
def test_a_breaker_made_of_its_memory_goes_on(before: BreakerState) -> None:
    """In its state, but for an attempt under way: that ended with its process."""
    breaker, _ = in_state(before)
    again = Breaker(memory=breaker.memory())
    assert state(again) is (OPEN if before is HALF_OPEN else before)
    assert (again.openings, again.retry_at_ns) == (breaker.openings, breaker.retry_at_ns)
    assert again.memory() == breaker.memory()


def test_a_restart_does_not_shorten_the_wait() -> None:
    """CB-11: no attempt before the remainder, and the next wait is longer still."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.fail(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S, longest)
    again = Breaker(memory=breaker.memory())
    assert again.acquire(15 * NS_PER_S - 1) is None
    again.fail(taken(again, 15 * NS_PER_S), 15 * NS_PER_S, longest)
    assert again.retry_at_ns == 35 * NS_PER_S


def test_health_goes_on_over_a_restart() -> None:
    """What had been healthy for ten minutes is not punished for the trips before them."""
    breaker = Breaker()
    breaker.trip(0, longest)
    breaker.succeed(taken(breaker, 5 * NS_PER_S), 5 * NS_PER_S)
    again = Breaker(memory=breaker.memory())
    again.trip(605 * NS_PER_S, longest)
    assert again.openings == 1


@pytest.mark.parametrize(
    "text", [b'{"openings":-1}', b'{"retry_at_ns":-1}', b'{"state":"half-open"}', b'{"state":"ajar"}', b'{"openings":"3"}']
)
def test_no_breaker_is_made_of_what_none_can_have_left(text: bytes) -> None:
    """A memory that was tampered with is refused where it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=BreakerMemory)


def test_outcomes_leave_nothing_behind() -> None:
    """CB-13: fifteen thousand of them, and not a kilobyte more."""
    breaker, now = Breaker(), 0
    tracemalloc.start()
    try:
        before = 0
        for number in range(5_000):
            if number == 10:
                before = tracemalloc.get_traced_memory()[0]
            breaker.trip(now, longest)
            now = breaker.retry_at_ns
            breaker.fail(taken(breaker, now), now, longest)
            now = breaker.retry_at_ns
            breaker.succeed(taken(breaker, now), now)
            now += 600 * NS_PER_S
        assert tracemalloc.get_traced_memory()[0] - before < 1_024
    finally:
        tracemalloc.stop()
