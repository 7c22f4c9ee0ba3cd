"""What may still be asked of the venue."""

import pytest

from foxtrot.transport.budget import Bucket, Rate, WeightBudget
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import Banned, RateLimited, Unavailable

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


def test_a_second_beat_is_kept_for_lanes_that_fall() -> None:
    """Between two beats they want an extra poll at once (rule 4): pages must not have taken its weight."""
    budget = WeightBudget(6000, 0, reserve=100)
    budget.spend(420, 0)
    assert budget.wait(25, 0) > 0.0
    budget.spend(100, 0)
    assert budget.wait(60, 0, is_beat=True) == 0.0


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
    budget.learn(4500, 60 * NS_PER_S)
    assert budget.wait(300, 0) == 0.0
    assert budget.wait(301, 0) > 0.0


def test_above_four_fifths_nothing_is_asked_until_the_minute_is_over() -> None:
    """The header says that 4,800 of 6,000 are used."""
    budget = WeightBudget(6000, 0)
    budget.learn(4800, 30 * NS_PER_S)
    assert budget.wait(1, 0, is_beat=True) == 30.0


@pytest.mark.parametrize(("reserve", "spare"), [(0, 40.0), (8, 32.0), (100, 1.0)])
def test_what_the_beat_leaves_is_spare(reserve: float, spare: float) -> None:
    """Weight a second for all else; never nothing."""
    assert WeightBudget(6000, 0, reserve).spare_per_second == pytest.approx(spare)


def test_what_no_bucket_holds_is_saved_for() -> None:
    """A request heavier than the burst goes once nobody has spent for so long, and the rest is owed."""
    bucket = Bucket(RATE, 0)
    assert bucket.wait(50, 0) == pytest.approx(50.0)
    assert bucket.wait(50, 50 * NS_PER_S) == 0.0
    bucket.spend(50, 50 * NS_PER_S)
    assert bucket.left(50 * NS_PER_S) == -10.0


def test_light_requests_put_off_a_heavy_one() -> None:
    """What was saved beyond the burst is lost with the next light one: the share would be passed else."""
    bucket = Bucket(RATE, 0)
    bucket.spend(5, 49 * NS_PER_S)
    assert bucket.wait(50, 49 * NS_PER_S) == pytest.approx(75.0)


def test_more_than_the_share_waits_for_a_whole_period() -> None:
    """It could never be lawful; it goes when the period before it was empty."""
    bucket = Bucket(RATE, 0)
    assert bucket.wait(1_000, 0) == pytest.approx(300.0)
    assert bucket.wait(1_000, 300 * NS_PER_S) == 0.0


def test_keeping_something_back_asks_for_a_full_bucket_at_most() -> None:
    """Or a reserve as large as the burst would lock out for ever what is not the beat's."""
    assert Bucket(RATE, 0).wait(10, 0, keep=40) == 0.0


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


# orders


def test_an_order_goes_while_market_data_has_to_wait() -> None:
    """Market data has spent its half in this minute: the other half is left for orders."""
    budget = WeightBudget(6000, 0)
    for second in range(61):
        wait = budget.wait(600 if second == 0 else 40, second * NS_PER_S)
        assert wait == pytest.approx(0.0)
        budget.spend(600 if second == 0 else 40, second * NS_PER_S)
    assert budget.wait(40, 60 * NS_PER_S) > 0.0
    assert budget.wait(1_200, 60 * NS_PER_S, is_order=True) == 0.0


def test_orders_stop_at_the_limit() -> None:
    """They wait until enough of the last minute has passed."""
    budget = WeightBudget(6000, 0)
    budget.spend(4_000, 0, is_order=True)
    budget.spend(1_990, 10 * NS_PER_S, is_order=True)
    assert budget.wait(10, 20 * NS_PER_S, is_order=True) == 0.0
    assert budget.wait(11, 20 * NS_PER_S, is_order=True) == 40.0
    assert budget.wait(4_011, 20 * NS_PER_S, is_order=True) == 50.0


def test_orders_leave_market_data_what_lies_below_four_fifths() -> None:
    """Market data that would carry the whole above it waits, however little it has spent itself."""
    budget = WeightBudget(6000, 0)
    budget.spend(4_790, 0, is_order=True)
    assert budget.wait(10, NS_PER_S, is_beat=True) == 0.0
    assert budget.wait(11, NS_PER_S, is_beat=True) == 59.0
    assert budget.wait(11, 60 * NS_PER_S, is_beat=True) == 0.0


def test_an_order_obeys_silence() -> None:
    """429 is for all."""
    budget = WeightBudget(6000, 0)
    budget.silence(7 * NS_PER_S)
    assert budget.wait(1, 0, is_order=True) == 7.0


def test_what_is_spent_after_a_header_comes_on_top_of_it() -> None:
    """The venue's count of its minute goes on with ours, and ends with the minute."""
    budget = WeightBudget(6000, 0)
    budget.learn(4_700, 60 * NS_PER_S)
    budget.spend(90, NS_PER_S)
    assert budget.wait(10, NS_PER_S) == 0.0
    assert budget.wait(11, NS_PER_S) == 59.0
    assert budget.wait(11, 60 * NS_PER_S) == 0.0


def test_an_earlier_instant_books_at_the_latest_one() -> None:
    """Two loops may read the clock in another order than they book."""
    budget = WeightBudget(6000, 0)
    budget.spend(3_000, 10 * NS_PER_S, is_order=True)
    budget.spend(3_000, 9 * NS_PER_S, is_order=True)
    assert budget.wait(1, 10 * NS_PER_S, is_order=True) == 60.0


# silence


def test_who_waits_for_nothing_is_not_silenced() -> None:
    """A bucket that is empty for a moment is no silence."""
    budget = WeightBudget(6000, 0)
    budget.spend(600, 0)
    assert not budget.is_silenced(0)
    assert budget.silenced_until_ns == 0


def test_silence_is_told_until_it_is_over() -> None:
    """With the instant of its end."""
    budget = WeightBudget(6000, 0)
    budget.silence(7 * NS_PER_S)
    assert budget.silenced_until_ns == 7 * NS_PER_S
    assert budget.is_silenced(7 * NS_PER_S - 1)
    assert not budget.is_silenced(7 * NS_PER_S)


def test_a_minute_used_up_by_others_is_silence() -> None:
    """Nothing can be asked before it is over."""
    budget = WeightBudget(6000, 0)
    budget.learn(4_800, 30 * NS_PER_S)
    assert budget.is_silenced(0)
    assert not budget.is_silenced(30 * NS_PER_S)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 121.0), (0.5, 125.5)])
def test_a_ban_is_obeyed_for_some_seconds_longer(chance: float, seconds: float) -> None:
    """One to ten: who comes back in the very instant comes back with everybody else (RT-5)."""
    budget = WeightBudget(6000, 0, chance=lambda: chance)
    budget.refused(Banned("418", retry_after=120.0), 0)
    assert budget.wait(1, 0, is_beat=True) == seconds


def test_a_refusal_is_obeyed_for_a_moment_longer() -> None:
    """Less than a second, by chance."""
    budget = WeightBudget(6000, 0, chance=lambda: 0.5)
    budget.refused(RateLimited("429", retry_after=7.0), 0)
    assert budget.wait(1, 0, is_beat=True) == 7.5
