"""Ages are kept in fixed memory, and read back within their error."""

import math

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.app.histogram import AgeHistogram

US = 1_000
HOUR = 3_600 * 1_000_000 * US


def filled(*ages_ns: int) -> AgeHistogram:
    histogram = AgeHistogram()
    for age in ages_ns:
        histogram.record(age)
    return histogram


def test_empty() -> None:
    """Without ages there is no quantile."""
    assert AgeHistogram().quantile_ms(0.5) is None


def test_small_ages_are_exact() -> None:
    """Below 64 us each microsecond has its own bucket."""
    histogram = filled(10 * US, 20 * US, 63 * US)
    assert [histogram.quantile_ms(share) for share in (0.0, 0.5, 1.0)] == [0.010, 0.020, 0.063]


def test_ages_below_zero() -> None:
    """Clocks that disagree count as no age."""
    assert filled(-5 * US).quantile_ms(1.0) == 0.0


def test_ages_without_bound() -> None:
    """What is older than the oldest bucket counts as that."""
    oldest = filled(40_000 * HOUR).quantile_ms(1.0)
    assert oldest is not None
    assert oldest > 15 * 3_600_000


def test_a_share_of_many() -> None:
    """The p99 of 1 to 100 ms is 99 ms, within a 64th."""
    found = filled(*(each * 1_000 * US for each in range(1, 101))).quantile_ms(0.99)
    assert found is not None
    assert math.isclose(found, 99.0, rel_tol=1 / 64)


@given(st.lists(st.integers(0, 10 * HOUR), min_size=1, max_size=50), st.floats(0, 1))
def test_errs_by_a_64th(ages: list[int], share: float) -> None:
    """Whatever was recorded, a quantile is within 1/64 (or a microsecond) of the true one."""
    exact_us = sorted(ages)[max(1, math.ceil(share * len(ages))) - 1] // US
    found = filled(*ages).quantile_ms(share)
    assert found is not None
    assert math.isclose(found * 1_000, exact_us, rel_tol=1 / 64, abs_tol=1)
