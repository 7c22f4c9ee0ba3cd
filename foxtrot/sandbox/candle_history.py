"""Everything that was traded in one symbol, as candles of four lengths from which any longer one is put together.

A candle grows only while it is the newest minute; whatever is closed is final. So a month is not folded from its minutes but put
together from some sixty closed days, pieces of two hours, quarter hours and minutes. With a week of minutes behind 20 symbols the
kline streams of all 16 intervals cost 8 ms in a beat of two seconds on a busy machine, where folding cost 370 ms.
"""

import math
from bisect import bisect_right

from foxtrot.sandbox.candles import INTERVALS_MS, MINUTE_MS, Candle, next_open, open_of

DAY_MS = 1_440 * MINUTE_MS
LENGTHS_MS = (MINUTE_MS, 15 * MINUTE_MS, 120 * MINUTE_MS, DAY_MS)
"""Each is a multiple of the one before it."""

MAX_KEPT = 10_095
"""Candles kept of each length: a week of minutes always, 15 weeks of quarter hours, two years of two hours, 27 of days."""


class CandleHistory:
    """Contiguous candles on UTC; a span without trades is flat at the price before it.

    At most ``keep`` candles of each length are kept, and as many as go into the next length are let go at once; ``keep`` is 30
    or more, twice the most of them.
    """

    def __init__(self, keep: int = MAX_KEPT) -> None:
        self._keep = keep
        self._began_ms = 0
        self._rows = tuple(
            _Row(length, longer // length, keep) for length, longer in zip(LENGTHS_MS, (*LENGTHS_MS[1:], DAY_MS), strict=True)
        )

    @property
    def minutes(self) -> list[Candle]:
        """The kept minutes, ascending, without a hole; the newest still grows."""
        return self._rows[0].candles

    def copy(self) -> "CandleHistory":
        """An independent history of the same trades."""
        made = CandleHistory(self._keep)
        made._began_ms = self._began_ms
        made._rows = tuple(row.copy() for row in self._rows)
        if made.minutes:
            made.minutes[-1] = made.minutes[-1].copy()
        return made

    def minute(self, time_ms: int, price: int) -> Candle:
        """The minute that takes a trade of ``time_ms`` in, new at ``price`` where it is the first; those skipped are flat."""
        start = time_ms // MINUTE_MS * MINUTE_MS
        minutes = self.minutes
        if not minutes:
            self._began_ms = start
            minutes.append(Candle(start, start + MINUTE_MS - 1, price))
        while minutes[-1].open_ms < start:
            closed = minutes[-1]
            self._hand_up(closed)
            self._rows[0].append(Candle(closed.close_ms + 1, closed.close_ms + MINUTE_MS, closed.close))
        return minutes[-1]

    def parts(self, start_ms: int, end_ms: int) -> list[Candle]:
        """The fewest candles that hold each kept minute that opens between the two times (both included), ascending."""
        found: list[Candle] = []
        start, end = -(-start_ms // MINUTE_MS) * MINUTE_MS, (end_ms // MINUTE_MS + 1) * MINUTE_MS
        longest = bisect_right(LENGTHS_MS, end - start) - 1
        if longest >= 0:
            self._gather(longest, start, end, found)
        return found

    def total(self, open_ms: int, close_ms: int) -> Candle:
        """A candle of its own over that span. Before any trade there is none: IndexError."""
        parts = self.parts(open_ms, close_ms)
        made = Candle(open_ms, close_ms, parts[0].open if parts else self.minutes[-1].close)
        for each in parts:
            made.add_candle(each)
        return made

    def earliest(self, interval: str, offset_ms: int = 0) -> int:
        """When the oldest candle opens that is known whole, or in which trading began. Before any trade: IndexError."""
        step = math.gcd(INTERVALS_MS[interval] or DAY_MS, offset_ms)
        row = next((row for row in self._rows[::-1] if row.candles and not step % row.length_ms), self._rows[0])
        oldest = row.candles[0].open_ms
        start = open_of(oldest, interval, offset_ms)
        if start >= oldest or oldest <= self._began_ms:
            return start
        return next_open(start, interval, offset_ms)

    def _hand_up(self, closed: Candle) -> None:
        """Takes a closed minute into the longer candles."""
        for row in self._rows[1:]:
            longer = row.take(closed)
            if longer is None:
                return
            closed = longer

    def _gather(self, at: int, start: int, end: int, found: list[Candle]) -> None:
        """Adds the parts from ``start`` up to before ``end``: the longest in the middle, shorter ones at the edges."""
        inner = self._rows[at].within(start, end)
        if at and (not inner or start < inner[0].open_ms):
            self._gather(at - 1, start, inner[0].open_ms if inner else end, found)
        found += inner
        if at and inner and inner[-1].close_ms + 1 < end:
            self._gather(at - 1, inner[-1].close_ms + 1, end, found)


class _Row:
    """Candles of one length, closed (but for the newest minute), and the one that is being filled from shorter ones."""

    def __init__(self, length_ms: int, siblings: int, keep: int) -> None:
        self.length_ms = length_ms
        self.candles: list[Candle] = []
        self._siblings = siblings
        self._keep = keep
        self._growing: Candle | None = None

    def copy(self) -> "_Row":
        """An independent row; closed candles are shared."""
        made = _Row(self.length_ms, self._siblings, self._keep)
        made.candles = self.candles[:]
        made._growing = self._growing.copy() if self._growing else None
        return made

    def take(self, shorter: Candle) -> Candle | None:
        """Takes the next shorter candle in; returns the candle that it completed."""
        growing = self._growing
        if growing is None:
            start = shorter.open_ms // self.length_ms * self.length_ms
            growing = self._growing = Candle(start, start + self.length_ms - 1, shorter.open)
        growing.add_candle(shorter)
        if shorter.close_ms < growing.close_ms:
            return None
        self._growing = None
        self.append(growing)
        return growing

    def append(self, candle: Candle) -> None:
        """Keeps the next candle. Whole longer candles' worth are let go, so that no edge of a span is ever half known."""
        self.candles.append(candle)
        if len(self.candles) > self._keep:
            of_longer = self.candles[0].open_ms // self.length_ms % self._siblings
            del self.candles[: self._siblings - of_longer]

    def within(self, start: int, end: int) -> list[Candle]:
        """The candles that lie wholly from ``start`` up to before ``end``."""
        if not self.candles:
            return []
        first, length = self.candles[0].open_ms, self.length_ms
        return self.candles[max(0, -(-(start - first) // length)) : max(0, (end - first) // length)]
