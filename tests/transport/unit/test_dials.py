"""The right to dial: its pace, its budget, the venue's silence, and what a restart keeps of them."""

import pytest

from foxtrot.transport.dials import PACE_NS, PERIOD_NS, Dials
from foxtrot.util.clock import NS_PER_S


def take_all(dials: Dials, start_s: int, seconds: int) -> list[int]:
    return [second for second in range(start_s, start_s + seconds) if dials.take(second * NS_PER_S)]


def test_one_dial_a_second() -> None:
    """The second of two in the same second is refused."""
    dials = Dials(0, lambda: 0.5)
    assert dials.take(0)
    assert not dials.take(PACE_NS - 1)
    assert dials.take(PACE_NS)


def test_a_hundred_dials_in_five_minutes() -> None:
    """Wherever the five minutes begin; what is saved may be spent at once."""
    taken = take_all(Dials(0, lambda: 0.5), 0, 1_800)
    assert max(sum(at <= other < at + 300 for other in taken) for at in taken) <= 100
    assert taken[:40] == list(range(40))


@pytest.mark.parametrize(("chance", "extra"), [(0.0, 1.0), (0.999_999, 10.0)])
def test_after_the_venues_silence_comes_a_moment_of_our_own(chance: float, extra: float) -> None:
    """One to ten seconds: not every client comes back in the same instant. A shorter silence does not end it."""
    dials = Dials(0, lambda: chance)
    dials.silence(100 * NS_PER_S)
    dials.silence(50 * NS_PER_S)
    assert dials.quiet_until_ns == pytest.approx((100 + extra) * NS_PER_S, rel=1e-6)
    assert not dials.take(dials.quiet_until_ns - 1)
    assert dials.take(dials.quiet_until_ns)


def test_a_restart_keeps_what_was_dialled() -> None:
    """A process that restarts all the time gets no more dials than one that runs."""
    taken: list[int] = []
    dials = Dials(0, lambda: 0.5)
    for second in range(900):
        dials = Dials(second * NS_PER_S, lambda: 0.5, tuple(dials.recent), dials.quiet_until_ns)
        if dials.take(second * NS_PER_S):
            taken.append(second)
    assert max(sum(at <= other < at + 300 for other in taken) for at in taken) <= 100
    assert len(taken) > 150


def test_a_restart_keeps_the_pace() -> None:
    """The last dial of the process before counts."""
    dials = Dials(NS_PER_S // 2, lambda: 0.5, (0,))
    assert not dials.take(NS_PER_S // 2)
    assert dials.take(NS_PER_S)


def test_a_memory_of_long_ago_or_of_the_future_is_none() -> None:
    """The clock may have been set."""
    dials = Dials(PERIOD_NS, lambda: 0.5, (0, 10**30))
    assert list(dials.recent) == []
    assert dials.take(PERIOD_NS)
