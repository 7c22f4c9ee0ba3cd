"""What may still be asked of the venue."""

import pytest

from foxtrot.transport.budget import Bucket, Rate, WeightBudget
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import RateLimited, Unavailable

RATE = Rate(share=100, period=300, burst=40)


def test_a_bucket_starts_full() -> None:
    """The whole burst may be spent at once, and no more."""
    bucket = Bucket(RATE, 0)
    assert bucket.wait(40, 0) == 0.0
    bucket.spend(40, 0)
    assert bucket.wait(1, 0) == 5.0


def test_a_bucket_refills_evenly() -> None:
    """What the burst leaves of the share comes back over the period."""
    bucket = Bucket(RATE, 0)
    bucket.spend(40, 0)
    assert bucket.wait(1, 5 * NS_PER_S) == 0.0
    assert bucket.wait(2, 5 * NS_PER_S) == pytest.approx(5.0)


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    """A long rest saves nothing up."""
    bucket = Bucket(RATE, 0)
    bucket.spend(10, 10**6 * NS_PER_S)
    bucket.spend(40, 10**7 * NS_PER_S)
    assert bucket.wait(1, 10**7 * NS_PER_S) > 0.0


def test_what_is_owed_is_waited_for() -> None:
    """A bucket may go below nothing, and takes that much longer to come back."""
    bucket = Bucket(RATE, 0)
    bucket.spend(50, 0)
    assert bucket.wait(0, 0) == pytest.approx(50.0)


def test_time_that_steps_back_refills_nothing() -> None:
    """An earlier instant counts as the present one."""
    bucket = Bucket(RATE, 100 * NS_PER_S)
    bucket.spend(40, 100 * NS_PER_S)
    assert bucket.wait(1, 50 * NS_PER_S) == 5.0
    assert bucket.wait(1, 105 * NS_PER_S) == 0.0


def test_draining_leaves_at_most_so_much() -> None:
    """What somebody else has spent comes off; a bucket with less is left alone."""
    bucket = Bucket(RATE, 0)
    bucket.drain(10, 0)
    bucket.drain(30, 0)
    assert bucket.wait(10, 0) == 0.0
    assert bucket.wait(11, 0) > 0.0


def test_the_burst_is_a_fifth_of_half_the_limit() -> None:
    """Of 6,000 a minute, 600 may go at once."""
    budget = WeightBudget(6000, 0)
    assert budget.wait(600, 0) == 0.0
    budget.spend(600, 0)
    assert budget.wait(1, 0) > 0.0


def test_the_reserve_is_kept_for_the_beat() -> None:
    """Pages wait where the beat is still admitted."""
    budget = WeightBudget(6000, 0, reserve=100)
    budget.spend(550, 0)
    assert budget.wait(25, 0) > 0.0
    assert budget.wait(25, 0, is_beat=True) == 0.0


def test_silence_stops_even_the_beat() -> None:
    """While the venue asks for silence nothing is asked; a shorter silence does not end a longer one."""
    budget = WeightBudget(6000, 0)
    budget.silence(120 * NS_PER_S)
    budget.silence(60 * NS_PER_S)
    assert budget.wait(1, 0, is_beat=True) == 120.0
    assert budget.wait(1, 120 * NS_PER_S, is_beat=True) == 0.0


def test_others_on_the_address_count() -> None:
    """The header says that 4,500 of 6,000 are used: 300 are left below four fifths."""
    budget = WeightBudget(6000, 0)
    budget.learn(4500, 0, 60 * NS_PER_S)
    assert budget.wait(300, 0) == 0.0
    assert budget.wait(301, 0) > 0.0


def test_above_four_fifths_nothing_is_asked_until_the_minute_is_over() -> None:
    """The header says that 4,800 of 6,000 are used."""
    budget = WeightBudget(6000, 0)
    budget.learn(4800, 0, 30 * NS_PER_S)
    assert budget.wait(1, 0, is_beat=True) == 30.0


@pytest.mark.parametrize(("reserve", "spare"), [(0, 40.0), (8, 32.0), (100, 1.0)])
def test_what_the_beat_leaves_is_spare(reserve: float, spare: float) -> None:
    """Weight a second for all else; never nothing."""
    assert WeightBudget(6000, 0, reserve).spare_per_second == pytest.approx(spare)


def test_what_no_bucket_holds_is_let_through_when_it_is_full() -> None:
    """And owed: a request heavier than the burst must not wait for ever."""
    bucket = Bucket(RATE, 0)
    assert bucket.wait(50, 0) == 0.0
    bucket.spend(50, 0)
    assert bucket.left(0) == -10.0
    assert bucket.wait(50, 0) == pytest.approx(250.0)


def test_the_venues_own_limit_takes_over_what_was_spent() -> None:
    """Its ``exchangeInfo`` comes after the first requests: they count."""
    budget = WeightBudget(6000, 0)
    budget.spend(100, 0)
    budget.resize(3000, 0)
    assert budget.wait(200, 0) == 0.0
    assert budget.wait(201, 0) > 0.0
    assert budget.spare_per_second == pytest.approx(20.0)


def test_only_a_refusal_asks_for_silence() -> None:
    """Other failures say nothing of the weight."""
    budget = WeightBudget(6000, 0)
    budget.refused(Unavailable("reset"), 0)
    assert budget.wait(1, 0) == 0.0
    budget.refused(RateLimited("429", retry_after=7.0), NS_PER_S)
    assert budget.wait(1, NS_PER_S) == 7.0
