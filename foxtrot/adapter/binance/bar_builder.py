"""Bars of one interval, built from aggregate trades."""

from typing import ClassVar, NamedTuple

import msgspec

from foxtrot.adapter.binance.bar_sums import BarSums, from_units
from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.adapter.binance.intervals import BarInterval
from foxtrot.adapter.binance.kline_mappings import NO_TRADE
from foxtrot.transport.base import Draft, Item
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Source
from foxtrot.util.object import AggTradeData, BarData


class Unbuilt(NamedTuple):
    """Bars ``first`` to ``last``, both included, that could not be made whole in time: a gap. What is found later is ``Late``."""

    first: int
    last: int


class Late(NamedTuple):
    """A bar of an earlier ``Unbuilt``, whole now: backfill."""

    item: Item


Built = Item | Draft | Unbuilt | Late
"""What a builder hands out, in the order in which it is to be told: a closed bar, the open one, a gap, one of an earlier gap."""


class _Hole(NamedTuple):
    """Ids ``first`` to ``last`` are missing, whose bars are ``low`` to ``high``; known since ``since_ms``, the venue's time."""

    first: int
    last: int
    low: int
    high: int
    since_ms: int

    def without(self, agg_id: int, number: int) -> "list[_Hole]":
        """What stays missing once an id has been found, in bar ``number``."""
        before = _Hole(self.first, agg_id - 1, self.low, number, self.since_ms)
        after = _Hole(agg_id + 1, self.last, number, self.high, self.since_ms)
        return [part for part in (before, after) if part.first <= part.last]


class _Broken(msgspec.Struct):
    """An ended bar that has been told as unbuilt, and the newest trade before it (None: in a bar that is itself not whole)."""

    sums: BarSums
    carry: AggTradeData | None


class BarBuilder:
    """Closed bars once each, in order, without a break; the open one after each of its trades. Ids are numbers of intervals.

    1. Trades come through ``add`` in the order of their ids, which have no gaps; what a lane backfills comes through it too.
       An id that is known already changes nothing. Where the venue counts from the start again, begin with another builder.
    2. The first bar is the first whole interval after the first trade: never a part of one.
    3. A trade belongs to the interval of its time; one that is older than the newest known, to the newest.
    4. A bar closes with the first later trade, or when time has ``passed`` that the lane is known to cover. An interval without
       trades is a bar too, as the venue has it: flat at the last price, volume 0, last trade id -1.
    5. Bars with a hole in their ids, and all after them, wait for what is missing: until it is ``lost``, for ``hold_ms`` of venue
       time (None: for ever), for ``CAPACITY`` intervals, behind ``HOLES`` holes at most. Past that they are told as Unbuilt, bars
       behind them go on, and each comes as Late once it is whole; of those the newest ``CAPACITY`` bars and ``HOLES`` holes are
       remembered. No bar is ever told that lacks a trade.
    6. A silence of more than ``CAPACITY`` intervals at once is told as Unbuilt instead of so many flat bars.
    """

    HOLD_MS: ClassVar = 60_000
    CAPACITY: ClassVar = 10_000
    HOLES: ClassVar = 100

    __slots__ = (
        "_adapter_name",
        "_bars",
        "_broken",
        "_carry",
        "_drafted",
        "_due",
        "_forgotten",
        "_given_up",
        "_has_news",
        "_head",
        "_hold_ms",
        "_interval",
        "_lost",
        "_next_id",
        "_now_ms",
        "_start",
        "_symbol",
        "_told",
        "_waiting",
    )

    def __init__(self, adapter_name: str, symbol: str, interval: BarInterval, hold_ms: int | None = HOLD_MS) -> None:
        self._adapter_name = adapter_name
        self._symbol = symbol
        self._interval = interval
        self._hold_ms = hold_ms
        self._now_ms = 0  # the newest time known, the venue's
        self._next_id = -1  # of the next trade; -1: none has come
        self._start = 0  # the first bar to tell
        self._due = 0  # the next bar to close: all before it are done with
        self._head = 0  # the open bar
        self._told = -1  # bars up to this one, from _due on, have been told as unbuilt
        self._forgotten = -1  # bars up to this one are not completed any more
        self._bars: dict[int, BarSums] = {}  # from _due on; those that have trades
        self._broken: dict[int, _Broken] = {}  # before _due, ascending
        self._carry: AggTradeData | None = None  # the newest trade before _due
        self._waiting: list[_Hole] = []  # in the order of ids, as are those
        self._given_up: list[_Hole] = []
        self._lost = (0, -1)  # ids, as told last
        self._has_news = False  # something broken may be whole now, or too much of it is kept
        self._drafted = (-1, 0)  # number and count of the last draft

    def add(self, agg: AggTradeData) -> list[Built]:
        """Takes the next trade, or one that was missing."""
        if self._next_id < 0:
            self._begin(agg)
        if agg.agg_id < self._next_id:
            self._fill(agg)
        else:
            self._append(agg)
        return self._out()

    def passed(self, venue_ms: int, confirmed: bool) -> list[Built]:
        """It is ``venue_ms`` at the venue. ``confirmed``: the lane has delivered every trade up to then, but for its gaps."""
        if self._next_id < 0:
            return []
        self._now_ms = max(self._now_ms, venue_ms)
        if confirmed:
            self._head = max(self._head, self._interval.number_of(venue_ms))
        return self._out()

    def lost(self, first_id: int, last_id: int) -> list[Built]:
        """The venue itself has these trades no longer (the lane's gap of reason GAP): nothing waits for them."""
        self._lost = (first_id, last_id)
        return self._out()

    # --- trades come in -----------------------------------------------------------------------------------------------------

    def _begin(self, agg: AggTradeData) -> None:
        self._next_id = agg.agg_id
        self._due = self._head = self._interval.number_of(agg.venue_time_ns // NS_PER_MS)
        self._start = self._head + 1

    def _append(self, agg: AggTradeData) -> None:
        time_ms = agg.venue_time_ns // NS_PER_MS
        number = max(self._interval.number_of(time_ms), self._head)
        self._now_ms = max(self._now_ms, time_ms)
        if agg.agg_id > self._next_id:
            self._waiting.append(_Hole(self._next_id, agg.agg_id - 1, self._head, number, self._now_ms))
        self._next_id = agg.agg_id + 1
        self._head = number
        self._take(number, agg)

    def _fill(self, agg: AggTradeData) -> None:
        for holes in (self._waiting, self._given_up):
            for at, hole in enumerate(holes):
                if hole.first <= agg.agg_id <= hole.last:
                    number = min(max(self._interval.number_of(agg.venue_time_ns // NS_PER_MS), hole.low), hole.high)
                    rest = hole.without(agg.agg_id, number)
                    holes[at : at + 1] = rest
                    self._has_news = self._has_news or len(rest) != 1  # filled, or one more
                    self._take(number, agg)
                    return

    def _take(self, number: int, agg: AggTradeData) -> None:
        if number >= self._due:
            bar = self._bars.get(number)
            if bar is None:
                bar = self._bars[number] = BarSums()
            bar.take(agg)
        elif broken := self._broken.get(number):
            broken.sums.take(agg)

    # --- bars go out --------------------------------------------------------------------------------------------------------

    def _out(self) -> list[Built]:
        out = self._closed()
        while self._waiting and self._is_over(self._waiting[0]):
            hole = self._waiting.pop(0)
            self._given_up.append(hole)
            self._has_news = True
            out += self._unbuilt(hole.low, hole.high)
            self._told = max(self._told, hole.high)
            out += self._closed()
        if self._has_news:
            self._has_news = False
            self._forget()
            out += self._found()
        return out + self._draft()

    def _is_over(self, hole: _Hole) -> bool:
        """Whether nothing waits for it any longer."""
        if self._lost[0] <= hole.last <= self._lost[1]:
            return True
        if self._head - hole.low > self.CAPACITY or len(self._waiting) > self.HOLES:
            return True
        return self._hold_ms is not None and self._now_ms - hole.since_ms > self._hold_ms

    def _unbuilt(self, low: int, high: int) -> list[Built]:
        """Says so, but for what has been said before, and for the part of a bar at the start."""
        low = max(low, self._told + 1, self._start)
        return [Unbuilt(low, high)] if low <= high else []

    def _closed(self) -> list[Built]:
        """Bars that have ended, up to the first one that waits."""
        limit = self._waiting[0].low if self._waiting else self._head
        out: list[Built] = []
        while self._due < limit:
            if limit - self._due > self.CAPACITY and self._due not in self._bars:
                out += self._leap(limit)
            number, self._due = self._due, self._due + 1
            sums = self._bars.pop(number, None) or BarSums()
            if number <= self._told:
                is_known = number - 1 not in self._broken and number - 1 > self._forgotten
                self._broken[number] = _Broken(sums, self._carry if is_known else None)
                self._has_news = True
            elif number >= self._start:
                out.append(self._item(number, sums, self._carry))
            self._carry = sums.last or self._carry
        return out

    def _leap(self, limit: int) -> list[Built]:
        """Passes over a very long silence, up to its last interval."""
        end = min((number for number in self._bars if number < limit), default=limit)
        if end - self._due <= self.CAPACITY:
            return []
        out = self._unbuilt(self._due, end - 2)
        if self._due <= self._told:
            self._forgotten = end - 2  # no silence, but a hole: too long to be completed
        self._due = end - 1
        return out

    def _found(self) -> list[Built]:
        """Bars that were told as unbuilt, and are whole now."""
        out: list[Built] = []
        for number, broken in list(self._broken.items()):
            sums, carry = broken.sums, broken.carry
            last = sums.last or carry
            if last is None or any(hole.low <= number <= hole.high for hole in self._given_up):
                continue
            del self._broken[number]
            if number >= self._start:
                out.append(Late(self._item(number, sums, carry, Source.BACKFILL)))
            if after := self._broken.get(number + 1):
                after.carry = last
        return out

    def _forget(self) -> None:
        while len(self._given_up) > self.HOLES:
            self._forgotten = self._given_up.pop(0).high
        if len(self._broken) > self.CAPACITY:
            self._forgotten = max(self._forgotten, list(self._broken)[-self.CAPACITY - 1])
        self._broken = {number: bar for number, bar in self._broken.items() if number > self._forgotten}
        self._given_up = [hole for hole in self._given_up if hole.high > self._forgotten]

    def _draft(self) -> list[Built]:
        bar = self._bars.get(self._head)
        if bar is None or self._waiting or self._head < self._start or self._head <= self._told:
            return []
        if self._drafted == (self._head, bar.count):
            return []
        self._drafted = (self._head, bar.count)
        item = self._item(self._head, bar, None, is_closed=False)
        return [Draft(item.id, bar.count, item.last_trade_id, item.value)]

    def _item(
        self, number: int, sums: BarSums, carry: AggTradeData | None, source: Source | None = None, *, is_closed: bool = True
    ) -> Item:
        """Its time of arrival is that of its newest trade; so is its source, where none is given."""
        first, last = sums.first or carry, sums.last or carry
        assert first is not None
        assert last is not None  # there is a trade before every bar but the one of the first
        is_flat = sums.last is None
        value = BarData(
            self._symbol, EXCHANGE, self._adapter_name, source or last.source,
            self._interval.open_ms(number) * NS_PER_MS, last.received_ns, self._interval.text,
            last.price if is_flat else first.price, last.price if is_flat else sums.high,
            last.price if is_flat else sums.low, last.price,
            from_units(sums.volume), from_units(sums.turnover), sums.count, is_closed,
        )  # fmt: skip
        return Item(number, NO_TRADE if is_flat else last.last_trade_id, value)
