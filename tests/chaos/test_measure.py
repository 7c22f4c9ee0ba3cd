"""The figures of the chaos table, from looks made by hand."""

import math

import pytest

from foxtrot.util.constants import Health
from tests.chaos.measure import FRESH, first_wrong, quantile, unmarked_seconds
from tests.chaos.soak import verdict
from tests.chaos.soak_watch import Minute, growth_per_hour
from tests.chaos.truth import Sample, Top

_OLD, _NEW = (1.0, 1.0, 2.0, 1.0), (1.5, 1.0, 2.5, 1.0)


def _look(at: float, truth: Top, *, health: Health = Health.LIVE, polled_at: float | None = None, seen_id: int = 0) -> Sample:
    return Sample(at, "X", truth, _OLD, seen_id, polled_at is not None, polled_at or 0.0, health)


def _looks(until: float, wrong_from: float, health: Health = Health.LIVE) -> list[Sample]:
    """The engine keeps the old price for ever; the exchange leaves it at ``wrong_from``."""
    moments = [number / 20 for number in range(int(until * 20))]
    return [_look(at, Top(int(at * 100), _OLD if at < wrong_from else _NEW), health=health) for at in moments]


def test_an_old_price_counts_from_the_bound_on() -> None:
    """Wrong for 3 s: what exceeds the bound is counted, to a look."""
    assert unmarked_seconds(_looks(6, 3)) == pytest.approx(3 - FRESH, abs=0.11)


@pytest.mark.parametrize("health", [Health.SUSPECT, Health.BLIND, Health.HALTED])
def test_a_marked_one_does_not_count(health: Health) -> None:
    """Who was told is not deceived."""
    assert unmarked_seconds(_looks(6, 3, health)) == 0


def test_a_price_that_stood_between_two_looks_is_known_by_its_id() -> None:
    """Its update id is no older than the window's first."""
    looks = [_look(n / 20, Top(n * 5, _NEW), seen_id=n * 5) for n in range(120)]
    assert unmarked_seconds(looks) == 0


def test_a_polled_price_is_true_when_it_arrives() -> None:
    """Unless REST itself is what lies."""
    looks = [_look(n / 20, Top(n, _NEW), polled_at=n / 20 - 0.5) for n in range(120)]
    assert unmarked_seconds(looks) == 0
    assert unmarked_seconds(looks, is_rest_true=False) > 3


def test_the_first_wrong_price_is_that_of_the_value_that_stood_last() -> None:
    """From the fault on; a moment in which the exchange came back to it does not count, a second does."""
    looks = _looks(6, 3)
    assert first_wrong(looks, "X", 0, 5) == pytest.approx(3)
    assert first_wrong(looks, "X", 3.5, 5) == pytest.approx(3.5)
    assert first_wrong(looks, "Y", 0, 5) is None
    flickering = [look if not 4 < look.at < 4.3 else look._replace(truth=Top(0, _OLD)) for look in looks]
    assert first_wrong(flickering, "X", 0, 6) == pytest.approx(3)
    again = [look if not 3.5 < look.at < 5 else look._replace(truth=Top(0, _OLD)) for look in looks]
    assert first_wrong(again, "X", 0, 6) == pytest.approx(5)


def test_quantiles_are_values_that_occurred() -> None:
    """The smallest that enough of them do not exceed."""
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 0.99) == 3
    assert math.isnan(quantile([], 0.5))


def _minute(number: int, rss: float, tasks: int = 20) -> Minute:
    return Minute(number, rss, 60.0, tasks, 5, 30, 2_500.0, 5.0, 0, 0, 0, 120, 0)


def test_memory_that_grows_is_told() -> None:
    """One outlier is no growth, a MiB a minute is."""
    flat = [_minute(n, 100.0 + (30 if n == 20 else 0)) for n in range(1, 41)]
    assert verdict(flat, 0)[1] == []
    assert verdict([_minute(n, 100.0 + n) for n in range(1, 41)], 0)[1] == ["RSS grows by 60.00 MiB an hour"]
    assert verdict([_minute(n, 100.0, n) for n in range(1, 41)], 0)[1] == ["tasks grow"]
    assert verdict([_minute(n, 100.0, 57 if n == 38 else 17) for n in range(1, 41)], 0)[1] == []
    assert verdict(flat, 2)[1] == ["2 limits broken"]


def test_a_slope_is_that_of_most_pairs() -> None:
    """An hour's growth."""
    assert growth_per_hour([1.0, 2.0, 3.0, 90.0, 5.0, 6.0, 7.0], [1, 2, 3, 4, 5, 6, 7]) == pytest.approx(60, rel=0.5)
    assert growth_per_hour([1.0], [1]) == 0
