"""A candle, and where those of each interval open."""

import calendar
import datetime as dt

from foxtrot.sandbox.amounts import notional

MINUTE_MS = 60_000
INTERVALS_MS = {
    "1s": 1_000,
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": 1_440 * MINUTE_MS,
    "3d": 3 * 1_440 * MINUTE_MS,
    "1w": 7 * 1_440 * MINUTE_MS,
    "1M": 0,
}
"""Every interval of the venue, in milliseconds; a calendar month (``1M``) has no fixed length."""

_FIRST_MONDAY_MS = 4 * 1_440 * MINUTE_MS


class Candle:
    """Trades between ``open_ms`` and ``close_ms`` (both included); prices and quantities in units of 1e-8."""

    __slots__ = (
        "close",
        "close_ms",
        "count",
        "first_id",
        "high",
        "last_id",
        "low",
        "open",
        "open_ms",
        "quote",
        "taker_quote",
        "taker_volume",
        "volume",
    )

    def __init__(self, open_ms: int, close_ms: int, price: int) -> None:
        self.open_ms = open_ms
        self.close_ms = close_ms
        self.open = self.high = self.low = self.close = price
        self.volume = self.quote = self.taker_volume = self.taker_quote = 0
        self.count = 0
        self.first_id = self.last_id = -1

    def copy(self) -> "Candle":
        """An independent candle with the same figures."""
        made = Candle(self.open_ms, self.close_ms, self.open)
        for name in Candle.__slots__:
            setattr(made, name, getattr(self, name))
        return made

    def add_trade(self, trade_id: int, price: int, size: int, *, is_buyer_maker: bool) -> None:
        """Takes the next trade in."""
        quote = notional(price, size)
        if not self.count:
            self.open = self.high = self.low = price
            self.first_id = trade_id
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += size
        self.quote += quote
        if not is_buyer_maker:
            self.taker_volume += size
            self.taker_quote += quote
        self.count += 1
        self.last_id = trade_id

    def add_candle(self, other: "Candle") -> None:
        """Takes the next, shorter candle in."""
        if not other.count:
            return
        if not self.count:
            self.open, self.high, self.low = other.open, other.high, other.low
            self.first_id = other.first_id
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.quote += other.quote
        self.taker_volume += other.taker_volume
        self.taker_quote += other.taker_quote
        self.count += other.count
        self.last_id = other.last_id


def open_of(time_ms: int, interval: str, offset_ms: int = 0) -> int:
    """When the candle that holds ``time_ms`` opens. ``offset_ms`` shifts the day, as the venue's ``timeZone`` does."""
    local = time_ms + offset_ms
    if interval == "1M":
        day = dt.datetime.fromtimestamp(local / 1_000, tz=dt.UTC)
        return calendar.timegm((day.year, day.month, 1, 0, 0, 0)) * 1_000 - offset_ms
    length = INTERVALS_MS[interval]
    shift = _FIRST_MONDAY_MS if interval == "1w" else 0
    return (local - shift) // length * length + shift - offset_ms


def next_open(open_ms: int, interval: str, offset_ms: int = 0) -> int:
    """When the candle after the one that opens at ``open_ms`` opens."""
    if interval == "1M":
        day = dt.datetime.fromtimestamp((open_ms + offset_ms) / 1_000, tz=dt.UTC)
        return open_ms + calendar.monthrange(day.year, day.month)[1] * 1_440 * MINUTE_MS
    return open_ms + INTERVALS_MS[interval]
