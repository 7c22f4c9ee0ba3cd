"""The figures of one bar, as its aggregate trades make them."""

from decimal import Decimal
from typing import Final

from foxtrot.util.object import AggTradeData

UNIT: Final = 100_000_000
"""Units in one whole: the venue prints eight decimals."""

_EXACT_BELOW: Final = 20_000_000.0  # 2**51 / UNIT: below it, the product's error is less than half a unit


def to_units(amount: float) -> int:
    """The amount that the venue printed, in units of 1e-8, exactly: a float sum of many would drift from the venue's own."""
    if amount < _EXACT_BELOW:
        return round(amount * UNIT)
    return round(Decimal(repr(amount)) * UNIT)  # the shortest text of a float is what it was read from, up to 15 digits


def from_units(units: int) -> float:
    """The same float as the venue's text of the amount is read as."""
    return units / UNIT


class BarSums:
    """Aggregate trades of one interval, taken in any order, each id once. ``volume`` and ``turnover`` are in units of 1e-8.

    Turnover is cut to 1e-8 for each aggregate, as the venue cuts it for each trade: equal where price tick times volume step is
    1e-8 or more, else greater by less than 1e-8 for each trade that an aggregate joined to another.
    """

    __slots__ = ("count", "first", "high", "last", "low", "turnover", "volume")

    def __init__(self) -> None:
        self.first: AggTradeData | None = None
        self.last: AggTradeData | None = None
        self.high = self.low = 0.0
        self.volume = self.turnover = self.count = 0

    def take(self, agg: AggTradeData) -> None:
        """One more."""
        price, size = agg.price, to_units(agg.volume)
        if self.first is None or self.last is None:
            self.first = self.last = agg
            self.high = self.low = price
        elif agg.agg_id > self.last.agg_id:
            self.last = agg
        elif agg.agg_id < self.first.agg_id:
            self.first = agg
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += size
        self.turnover += to_units(price) * size // UNIT
        self.count += agg.last_trade_id - agg.first_trade_id + 1
