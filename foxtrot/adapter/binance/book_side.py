"""One side of an order book: its levels by price, in order as far as anyone looks.

Levels stand in a dict. The best prices stand in a sorted list besides; the others are put in order when the best run out, or when
too many have come together. Why no container made for sorting: on the recorded ETHUSDT, 42 levels a frame and some 1,000 of each
side held, putting a frame and reading the best 20 of both sides takes 12 us with a dict and a sorted list of all prices, with
BTrees.OOBTree 19 us, with sortedcontainers.SortedDict 26 us. With decoding and delivery a frame costs 20 us if all prices are
kept in order, 17 us if the best are.
"""

from bisect import bisect_left, insort
from typing import Final

from foxtrot.transport.base import Level

INFINITY: Final = float("inf")

FEWEST: Final = 32
"""At least so many prices stand in order, where there are so many; four times as many after they have been put in order."""


class BookSide:
    """Bids or asks. Levels are known from price ``low`` to price ``high``, both included; none is held outside.

    Of bids ``high`` is infinity, of asks ``low`` is 0.0: the other end moves.
    """

    __slots__ = ("_first", "_is_bid", "_last", "_levels", "_prices", "_wanted", "high", "low")

    def __init__(self, *, is_bid: bool) -> None:
        self._is_bid = is_bid
        self._wanted = FEWEST
        self._levels: dict[float, Level] = {}
        self._prices: list[float] = []  # ascending: those of the levels from ``_first`` to ``_last``, which are the best ones
        self._first, self._last = 0.0, INFINITY
        self.low, self.high = INFINITY, 0.0  # nothing is known

    def __len__(self) -> int:
        return len(self._levels)

    @property
    def best(self) -> Level:
        """The best level; (0.0, 0.0) for none."""
        return self._levels[self._prices[-1 if self._is_bid else 0]] if self._prices else (0.0, 0.0)

    @property
    def levels(self) -> list[Level]:
        """Every level, best first."""
        return sorted(self._levels.values(), reverse=self._is_bid)

    def is_narrow(self, depth: int) -> bool:
        """Whether fewer levels than so many are known, and there may be more."""
        return len(self._levels) < depth and not (self.low == 0.0 and self.high == INFINITY)

    def shown(self, count: int) -> tuple[tuple[Level, ...], float]:
        """At most so many levels, best first; and up to which price there are no others, as far as is known."""
        if len(self._prices) < count and len(self._prices) < len(self._levels):
            self._wanted = max(self._wanted, count)
            self._sort()
        prices = self._prices[: -count - 1 : -1] if self._is_bid else self._prices[:count]
        is_cut = len(self._levels) > count
        edge = prices[-1] if is_cut else self.low if self._is_bid else self.high
        return tuple(map(self._levels.__getitem__, prices)), edge

    def clear(self) -> None:
        """Nothing is known from here on."""
        self._levels = {}
        self._sort()
        self.low, self.high = INFINITY, 0.0

    def load(self, levels: list[Level], limit: int, kept: int) -> None:
        """Takes a snapshot's levels, fewer than ``kept`` of them (see ``put``).

        Fewer than ``limit`` (1 or more) are the whole side; else the worst price ends what is known.
        """
        self._levels = {level[0]: level for level in levels if level[1]}
        self.low, self.high = 0.0, INFINITY
        if len(levels) >= limit:
            prices = [price for price, _ in levels]
            self._end_at(min(prices) if self._is_bid else max(prices))
        if len(self._levels) >= kept:
            self._prune(kept)
        self._sort()

    def put(self, changes: list[Level], kept: int) -> None:
        """Sets levels to their new sizes; 0 removes one, also one that is not there. What is outside the range is passed over.

        With ``kept`` levels or more, all but the best seven eighths of so many are forgotten; the worst of these ends what is
        known.
        """
        levels, prices, first, last = self._levels, self._prices, self._first, self._last
        for change in changes:
            price, size = change
            if not size:
                if levels.pop(price, None) and first <= price <= last:
                    del prices[bisect_left(prices, price)]
            elif price in levels:
                levels[price] = change
            elif self.low <= price <= self.high:
                levels[price] = change
                if first <= price <= last:
                    insort(prices, price)
        if len(levels) >= kept:
            self._prune(kept)
            self._sort()
        elif (len(prices) < self._wanted and len(prices) < len(levels)) or len(prices) > 8 * self._wanted:
            self._sort()

    def agreeing(self, other: "BookSide") -> tuple[int, int]:
        """How many levels are equal here and there, and how many either has, where both sides are known."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        mine, others = ({level for level in side.levels if low <= level[0] <= high} for side in (self, other))
        return len(mine & others), len({price for price, _ in mine | others})

    def _prune(self, kept: int) -> None:
        best = self.levels[: kept - kept // 8]
        self._levels = {level[0]: level for level in best}
        self._end_at(best[-1][0])

    def _sort(self) -> None:
        prices, held = sorted(self._levels), 4 * self._wanted
        self._first, self._last = 0.0, INFINITY
        self._prices = prices
        if len(prices) > held and self._is_bid:
            self._prices = prices[-held:]
            self._first = self._prices[0]
        elif len(prices) > held:
            self._prices = prices[:held]
            self._last = self._prices[-1]

    def _end_at(self, price: float) -> None:
        if self._is_bid:
            self.low = price
        else:
            self.high = price
