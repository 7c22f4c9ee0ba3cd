"""Everything that was traded in one symbol, and the figures that follow from it."""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from foxtrot.sandbox.amounts import notional
from foxtrot.sandbox.candle_history import CandleHistory

DAY_US = 86_400_000_000
OnTrade = Callable[[int, int, int, int, bool], None]
"""Is told of each trade: id, price, size, time, is the buyer the maker; a size of 0 says that an aggregate is complete."""

CAPACITY = 500_000
"""Trades kept per symbol (about 20 MB); the oldest hundredth is let go beyond it."""

_TRIMMED_SHARE = 100
"""What is let go at once is one in so many: a larger piece would hold the loop up."""

MIN_KEEP = 1_000
"""The least that a full page of trades needs."""


class Trade(NamedTuple):
    """One trade; times in microseconds since 1970 UTC, amounts in units of 1e-8."""

    trade_id: int
    price: int
    size: int
    time_us: int
    is_buyer_maker: bool


class AggTrade(NamedTuple):
    """Trades of one taker order at one price, ids ``first_id`` to ``last_id``."""

    agg_id: int
    price: int
    size: int
    first_id: int
    last_id: int
    time_us: int
    is_buyer_maker: bool


def _agg_time(item: AggTrade) -> int:
    return item.time_us


class Tape:
    """Trades with contiguous ids, their aggregates, candles, and a rolling 24 h window. Bounded, in columns."""

    def __init__(self, next_trade_id: int = 1, next_agg_id: int = 1, capacity: int = CAPACITY) -> None:
        self.first_id = next_trade_id
        self.first_agg_id = next_agg_id
        self._capacity = capacity
        self._prices = array("q")
        self._sizes = array("q")
        self._times = array("q")
        self._makers = bytearray()
        self._agg_firsts = array("q")
        self._end_of_last_agg = next_trade_id
        self._recorded_aggs: list[AggTrade] = []
        self.candles = CandleHistory()
        self.day = RollingWindow(self, DAY_US)
        self.observer: OnTrade | None = None

    @property
    def next_id(self) -> int:
        """The id of the next trade."""
        return self.first_id + len(self._prices)

    @property
    def next_agg_id(self) -> int:
        """The id of the next aggregate."""
        return self.first_agg_id + len(self._recorded_aggs or self._agg_firsts)

    def add(self, price: int, size: int, time_us: int, *, is_buyer_maker: bool) -> int:
        """Appends a trade and returns its id."""
        trade_id = self.next_id
        self._prices.append(price)
        self._sizes.append(size)
        self._times.append(time_us)
        self._makers.append(is_buyer_maker)
        self.candles.minute(time_us // 1_000, price).add_trade(trade_id, price, size, is_buyer_maker=is_buyer_maker)
        self.day.extend()
        self.day.expire(time_us)  # trade by trade: after days in which nobody asked there is no mountain to clear
        if len(self._prices) > self._capacity:
            self._trim(max(1, self._capacity // _TRIMMED_SHARE))
        if self.observer:
            self.observer(trade_id, price, size, time_us, is_buyer_maker)
        return trade_id

    def close_agg(self) -> int:
        """Makes one aggregate of the trades since the last one (same taker, same price) and returns its id."""
        self._agg_firsts.append(self._end_of_last_agg)
        self._end_of_last_agg = self.next_id
        if self.observer:
            self.observer(self.next_id, 0, 0, 0, False)
        return self.next_agg_id - 1

    def add_recorded_agg(self, item: AggTrade) -> None:
        """Appends an aggregate as the venue made it: a tape has either these or its own. Ids out of sequence are passed over."""
        if not self._recorded_aggs:
            self.first_agg_id = item.agg_id
        if item.agg_id == self.next_agg_id:
            self._recorded_aggs.append(item)

    def copy(self) -> "Tape":
        """An independent tape with the same trades."""
        made = Tape(self.first_id, self.first_agg_id, self._capacity)
        made._prices, made._sizes, made._times = self._prices[:], self._sizes[:], self._times[:]
        made._makers, made._agg_firsts = self._makers[:], self._agg_firsts[:]
        made._end_of_last_agg = self._end_of_last_agg
        made._recorded_aggs = self._recorded_aggs[:]
        made.candles = self.candles.copy()
        made.day = self.day.copy(made)
        return made

    def restart_ids(self, next_trade_id: int) -> None:
        """Sets the first trade id, before any trade: a recording brings its own."""
        if self._prices:
            raise ValueError("ids are set before the first trade")
        self.first_id = self._end_of_last_agg = next_trade_id
        self.day = RollingWindow(self, DAY_US)

    def trade(self, trade_id: int) -> Trade:
        """A kept trade by its id."""
        at = trade_id - self.first_id
        return Trade(trade_id, self._prices[at], self._sizes[at], self._times[at], bool(self._makers[at]))

    def agg(self, agg_id: int) -> AggTrade:
        """A kept aggregate by its id."""
        at = agg_id - self.first_agg_id
        if self._recorded_aggs:
            return self._recorded_aggs[at]
        first = self._agg_firsts[at]
        end = self._agg_firsts[at + 1] if at + 1 < len(self._agg_firsts) else self._end_of_last_agg
        base = self.first_id
        size = sum(self._sizes[first - base : end - base])
        head = self.trade(first)
        return AggTrade(agg_id, head.price, size, first, end - 1, head.time_us, head.is_buyer_maker)

    def last(self) -> Trade | None:
        """The newest trade."""
        return self.trade(self.next_id - 1) if self._prices else None

    def id_at(self, time_us: int) -> int:
        """The first id traded at ``time_us`` or later (``next_id`` when there is none)."""
        return self.first_id + bisect_left(self._times, time_us)

    def agg_id_at(self, time_us: int) -> int:
        """The first aggregate made at ``time_us`` or later."""
        if self._recorded_aggs:
            return self.first_agg_id + bisect_left(self._recorded_aggs, time_us, key=_agg_time)
        return self.agg_of_trade(self.id_at(time_us))

    def agg_of_trade(self, trade_id: int) -> int:
        """The first aggregate whose trades start at ``trade_id`` or later."""
        return self.first_agg_id + bisect_left(self._agg_firsts, trade_id)

    def _trim(self, count: int) -> None:
        """Lets the oldest trades go, whole aggregates only; the day's figures then cover what is left."""
        first_kept_agg = min(self.agg_of_trade(self.first_id + count), self.next_agg_id - 1)
        aggs = first_kept_agg - self.first_agg_id
        if aggs <= 0:
            return
        count = self._agg_firsts[aggs] - self.first_id
        self.day.leave(self.first_id + count)
        for column in (self._prices, self._sizes, self._times, self._makers):
            del column[:count]
        del self._agg_firsts[:aggs]
        self.first_id += count
        self.first_agg_id += aggs


class RollingWindow:
    """Sums and extremes of the trades of the last ``span_us`` microseconds, kept trade by trade."""

    def __init__(self, tape: Tape, span_us: int) -> None:
        self._tape = tape
        self._span_us = span_us
        self.first_id = self.end_id = tape.next_id
        self.volume = self.quote = 0
        self.previous_close = 0
        self._highs: deque[tuple[int, int]] = deque()
        self._lows: deque[tuple[int, int]] = deque()

    @property
    def count(self) -> int:
        """Trades in the window."""
        return self.end_id - self.first_id

    @property
    def high(self) -> int:
        """Highest price; 0 without trades."""
        return self._highs[0][1] if self._highs else 0

    @property
    def low(self) -> int:
        """Lowest price; 0 without trades."""
        return self._lows[0][1] if self._lows else 0

    def copy(self, tape: Tape) -> "RollingWindow":
        """An independent window at the same place of a copied tape."""
        made = RollingWindow(tape, self._span_us)
        made.first_id, made.end_id = self.first_id, self.end_id
        made.volume, made.quote, made.previous_close = self.volume, self.quote, self.previous_close
        made._highs, made._lows = deque(self._highs), deque(self._lows)
        return made

    def extend(self, end_id: int | None = None) -> None:
        """Takes the tape's trades in, up to its end or to ``end_id``."""
        end = self._tape.next_id if end_id is None else end_id
        while self.end_id < end:
            trade = self._tape.trade(self.end_id)
            self.volume += trade.size
            self.quote += notional(trade.price, trade.size)
            while self._highs and self._highs[-1][1] <= trade.price:
                self._highs.pop()
            while self._lows and self._lows[-1][1] >= trade.price:
                self._lows.pop()
            self._highs.append((self.end_id, trade.price))
            self._lows.append((self.end_id, trade.price))
            self.end_id += 1

    def expire(self, now_us: int) -> None:
        """Lets go what is older than the span."""
        self.leave(min(self._tape.id_at(now_us - self._span_us + 1), self.end_id))

    def leave(self, first_id: int) -> None:
        """Lets go every trade before ``first_id``."""
        while self.first_id < first_id:
            trade = self._tape.trade(self.first_id)
            self.volume -= trade.size
            self.quote -= notional(trade.price, trade.size)
            self.previous_close = trade.price
            self.first_id += 1
        while self._highs and self._highs[0][0] < self.first_id:
            self._highs.popleft()
        while self._lows and self._lows[0][0] < self.first_id:
            self._lows.popleft()
