"""The lengths of bars and their numbers."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.intervals import LATEST_MS, VENUE_INTERVALS, BarInterval, parse
from foxtrot.sandbox.candles import INTERVALS_MS, next_open, open_of


def ms(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=dt.UTC).timestamp() * 1_000)  # type: ignore[arg-type,misc]  # -- year, month, day, ...


# names


def test_the_venue_has_sixteen() -> None:
    """The names of binance.md, each its own."""
    assert set(VENUE_INTERVALS) == set(INTERVALS_MS)
    assert len(VENUE_INTERVALS) == 16
    assert all(parse(name).text == name and parse(name).is_venue for name in INTERVALS_MS)


@pytest.mark.parametrize(
    ("text", "length_ms"), [("10s", 10_000), ("7m", 420_000), ("90s", 90_000), ("5h", 18_000_000), ("2m", 120_000)]
)
def test_any_other_length_up_to_a_day_is_built(text: str, length_ms: int) -> None:
    """Whether it divides a day or not."""
    assert parse(text) == BarInterval(text, length_ms)
    assert not parse(text).is_venue


def test_case_tells_a_minute_from_a_month() -> None:
    """As the venue spells them."""
    assert parse("1m").length_ms == 60_000
    assert parse("1M").is_month


@pytest.mark.parametrize(("text", "name"), [("60s", "1m"), ("120s", "2m"), ("60m", "1h"), ("24h", "1d"), ("86400s", "1d")])
def test_each_length_has_one_name(text: str, name: str) -> None:
    """Another one is refused with the right one."""
    with pytest.raises(ValueError, match=f"interval '{text}' is called '{name}': say bars:{name}"):
        parse(text)


@pytest.mark.parametrize("text", ["2d", "7d", "25h", "86401s", "99999999d"])
def test_more_than_a_day_is_the_venues_alone(text: str) -> None:
    """Ours would begin days after the start."""
    with pytest.raises(ValueError, match=f"'{text}' is longer than a day; of those there are 3d, 1w and 1M only"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "close"),
    [("1H", "1h"), ("1D", "1d"), ("1W", "1w"), ("10S", "10s"), ("7M", "7m"), ("1min", "1m"), ("15mn", "15m"), ("1month", "1M")],
)
def test_a_wrong_name_is_refused_with_the_nearest(text: str, close: str) -> None:
    """And with what is right."""
    with pytest.raises(ValueError, match=f"unknown interval '{text}'; did you mean '{close}'[?] .*1s, 1m, .*, 1M, or any whole"):
        parse(text)


@pytest.mark.parametrize("text", ["", "x", "0s", "00m", "-5x", "٣", " ", "1.5h "])
def test_what_is_no_length_is_refused(text: str) -> None:
    """Zero too."""
    with pytest.raises(ValueError, match="unknown interval"):
        parse(text)


@pytest.mark.parametrize("text", ["007m", "+7m", "7 m", "7", "m", "1m ", "1m\n", "123456789s", "٣m"])
def test_what_is_not_in_its_form_is_refused(text: str) -> None:
    """Digits of one script, no sign, no zeros ahead, nothing around."""
    with pytest.raises(ValueError, match="unknown interval"):
        parse(text)


# numbers


@pytest.mark.parametrize(
    ("text", "time_ms", "number", "open_ms", "close_ms"),
    [
        ("1m", 59_999, 0, 0, 59_999),
        ("1m", 60_000, 1, 60_000, 119_999),
        ("10s", 1_723_161_605_000, 172_316_160, 1_723_161_600_000, 1_723_161_609_999),
        ("7m", 421_000, 1, 420_000, 839_999),
        ("1w", ms(2024, 8, 11, 23, 59, 59), 2_849, ms(2024, 8, 5), ms(2024, 8, 12) - 1),
        ("1w", 0, 0, ms(1969, 12, 29), ms(1970, 1, 5) - 1),
        ("3d", ms(2017, 8, 17), 5_798, ms(2017, 8, 16), ms(2017, 8, 19) - 1),
        ("1M", ms(2024, 2, 29, 12), 649, ms(2024, 2, 1), ms(2024, 3, 1) - 1),
        ("1M", ms(2024, 12, 31, 23, 59, 59), 659, ms(2024, 12, 1), ms(2025, 1, 1) - 1),
        ("1M", 0, 0, 0, ms(1970, 2, 1) - 1),
        ("1M", LATEST_MS - 1, 96_358, ms(9999, 11, 1), LATEST_MS - 1),
    ],
)
def test_pinned_numbers(text: str, time_ms: int, number: int, open_ms: int, close_ms: int) -> None:
    """By calendar, in UTC."""
    interval = parse(text)
    assert interval.number_of(time_ms) == number
    assert (interval.open_ms(number), interval.close_ms(number)) == (open_ms, close_ms)


def test_weeks_begin_on_monday() -> None:
    """Every one."""
    week = parse("1w")
    days = {dt.datetime.fromtimestamp(week.open_ms(number) / 1_000, tz=dt.UTC).weekday() for number in range(1, 3_000)}
    assert days == {0}


@given(st.sampled_from(sorted(VENUE_INTERVALS)), st.integers(ms(1971, 1, 1), ms(2100, 1, 1)))
def test_the_sandbox_cuts_time_alike(text: str, time_ms: int) -> None:
    """For each of the venue's intervals."""
    interval = parse(text)
    number = interval.number_of(time_ms)
    assert interval.open_ms(number) == open_of(time_ms, text)
    assert interval.close_ms(number) == next_open(open_of(time_ms, text), text) - 1


@given(st.sampled_from([*VENUE_INTERVALS, "7m", "10s", "5h"]), st.integers(0, LATEST_MS - 1))
def test_numbers_are_consecutive_and_hold_their_time(text: str, time_ms: int) -> None:
    """One opens when the one before has closed."""
    interval = parse(text)
    number = interval.number_of(time_ms)
    assert number >= 0
    assert interval.open_ms(number) <= time_ms <= interval.close_ms(number)
    assert interval.number_of(interval.close_ms(number)) == number
    if interval.close_ms(number) + 1 < LATEST_MS:
        assert interval.number_of(interval.close_ms(number) + 1) == number + 1
