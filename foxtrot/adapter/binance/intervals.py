"""The lengths that a bar may have, and the number of each one since 1970."""

import calendar
import datetime as dt
import re
from typing import Final

import msgspec

from foxtrot.util.errors import nearest

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

LATEST_MS: Final = 253_399_622_400_000
"""The last month of the year 9999, where calendars end: times are below it."""

_UNITS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_FORM: Final = re.compile(r"([1-9][0-9]{0,7})([smhd])")
_MONDAY_MS: Final = 3 * DAY_MS  # 1970 began on a Thursday: its first Monday week had begun three days before
_MONTHS: Final = 12
_YEAR: Final = 1970


class BarInterval(msgspec.Struct, frozen=True, gc=False):
    """One length of bars, as ``bars:<text>`` names it. Interval ``n`` ends where ``n + 1`` opens; all times are UTC.

    Number 0 holds the first instant of 1970. Weeks begin on Monday, months by the calendar, all others are whole multiples of
    their length since 1970: one that does not divide a day (``7m``) opens at another minute each day, and at the same
    instants for everybody, after any restart.
    """

    text: str
    length_ms: int
    shift_ms: int = 0
    is_venue: bool = False

    @property
    def is_month(self) -> bool:
        """Whether its length is the calendar's."""
        return not self.length_ms

    def number_of(self, time_ms: int) -> int:
        """The interval that holds a time (milliseconds since 1970, 0 to ``LATEST_MS``)."""
        if self.is_month:
            day = dt.datetime.fromtimestamp(time_ms // SECOND_MS, tz=dt.UTC)
            return (day.year - _YEAR) * _MONTHS + day.month - 1
        return (time_ms + self.shift_ms) // self.length_ms

    def open_ms(self, number: int) -> int:
        """Its first millisecond."""
        if self.is_month:
            return calendar.timegm((_YEAR + number // _MONTHS, number % _MONTHS + 1, 1, 0, 0, 0)) * SECOND_MS
        return number * self.length_ms - self.shift_ms

    def close_ms(self, number: int) -> int:
        """Its last millisecond, which is still in it."""
        return self.open_ms(number + 1) - 1


VENUE_INTERVALS: Final = {
    **{
        f"{count}{unit}": BarInterval(f"{count}{unit}", count * _UNITS[unit], is_venue=True)
        for unit, counts in (("s", (1,)), ("m", (1, 3, 5, 15, 30)), ("h", (1, 2, 4, 6, 8, 12)), ("d", (1, 3)))
        for count in counts
    },
    "1w": BarInterval("1w", 7 * DAY_MS, _MONDAY_MS, is_venue=True),
    "1M": BarInterval("1M", 0, is_venue=True),
}
"""The 16 that Binance streams itself, by their names."""


def parse(text: str) -> BarInterval:
    """The interval of ``bars:<text>``: one of the venue's, or any whole number of s, m, h up to a day.

    Each length has one name, the one with the largest unit (``2m``, not ``120s``): so it has one lane. Longer ones than a day,
    but for the venue's, are refused: bars of our own begin with the first whole interval after the start, days later.
    Raises ValueError, naming what is right.
    """
    if found := VENUE_INTERVALS.get(text):
        return found
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_unknown(text))
    length_ms = int(form[1]) * _UNITS[form[2]]
    if length_ms > DAY_MS:
        raise ValueError(f"interval {text!r} is longer than a day; of those there are 3d, 1w and 1M only")
    name = _name(length_ms)
    if name != text:
        raise ValueError(f"interval {text!r} is called {name!r}: say bars:{name}")
    return BarInterval(text, length_ms)


def _name(length_ms: int) -> str:
    unit = next(unit for unit in ("d", "h", "m", "s") if length_ms % _UNITS[unit] == 0)
    return f"{length_ms // _UNITS[unit]}{unit}"


def _unknown(text: str) -> str:
    lower = text.lower()  # case matters to the venue (1m, 1M), seldom to the one who typed
    if lower in VENUE_INTERVALS or _FORM.fullmatch(lower):
        close = lower
    else:
        close = "1M" if "mo" in lower else nearest(text, VENUE_INTERVALS.keys() - {"1M"})
    hint = f"did you mean {close!r}? " if close else ""
    names = ", ".join(VENUE_INTERVALS)
    others = "any whole number of s, m or h up to a day (10s, 7m)"
    return f"unknown interval {text!r}; {hint}bars:<interval> takes one of {names}, or {others}"
