"""Waits between attempts."""

import pytest

from foxtrot.transport.backoff import decorrelated, equal_jitter, full_jitter


def low() -> float:
    return 0.0


def high() -> float:
    return 1.0 - 2**-53


def test_full_jitter_begins_at_nothing() -> None:
    """The least wait is none at all."""
    assert full_jitter(3, 0.25, 5.0, low) == 0.0


@pytest.mark.parametrize(("attempt", "ceiling"), [(0, 0.25), (1, 0.5), (4, 4.0), (5, 5.0), (10_000, 5.0)])
def test_full_jitter_doubles_up_to_its_cap(attempt: int, ceiling: float) -> None:
    """The longest wait doubles with each attempt, and never passes the cap."""
    assert full_jitter(attempt, 0.25, 5.0, high) == pytest.approx(ceiling)


@pytest.mark.parametrize(("attempt", "ceiling"), [(0, 5.0), (1, 10.0), (5, 160.0), (6, 300.0), (10_000, 300.0)])
def test_equal_jitter_waits_half_at_least(attempt: int, ceiling: float) -> None:
    """Half of the doubled wait is certain, the other half is chance."""
    assert equal_jitter(attempt, 5.0, 300.0, low) == ceiling / 2
    assert equal_jitter(attempt, 5.0, 300.0, high) == pytest.approx(ceiling)


@pytest.mark.parametrize(("previous", "ceiling"), [(0.0, 1.0), (0.2, 1.0), (1.0, 3.0), (10.0, 30.0), (60.0, 60.0)])
def test_decorrelated_grows_from_the_wait_before(previous: float, ceiling: float) -> None:
    """The next wait lies between the base and three times the last one, or the cap."""
    assert decorrelated(previous, 1.0, 60.0, low) == 1.0
    assert decorrelated(previous, 1.0, 60.0, high) == pytest.approx(ceiling)
