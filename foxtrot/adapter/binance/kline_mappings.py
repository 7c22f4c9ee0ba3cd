"""Binance's klines, typed, and the bars they become: the same bar by REST and by stream maps to an equal object.

What does not fit its documented shape raises msgspec.ValidationError. Payload keys: binance.md, sections 2 and 4.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from foxtrot.adapter.binance.binance_mappings import EXCHANGE, Amount, Milliseconds
from foxtrot.adapter.binance.intervals import LATEST_MS, BarInterval
from foxtrot.transport.base import Draft, Item
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Source
from foxtrot.util.object import BarData

OpenTime = Annotated[int, Meta(ge=0, lt=LATEST_MS)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
IdOrNone = Annotated[int, Meta(ge=-1, le=2**63 - 1)]

NO_TRADE: Final = -1
"""The last trade id of a bar without trades, in a frame; REST rows carry no id at all."""


class Kline(msgspec.Struct, gc=False):
    """``k`` of a kline frame. ``last_trade_id`` is -1 where nothing was traded."""

    open_time: OpenTime = field(name="t")
    interval: str = field(name="i")
    last_trade_id: IdOrNone = field(name="L")
    open_price: Amount = field(name="o")
    high_price: Amount = field(name="h")
    low_price: Amount = field(name="l")
    close_price: Amount = field(name="c")
    volume: Amount = field(name="v")
    quote_volume: Amount = field(name="q")
    count: Count = field(name="n")
    is_closed: bool = field(name="x")


class KlineFrame(msgspec.Struct, gc=False):
    """``<symbol>@kline_<interval>``; ``event_time`` in milliseconds, 0 where it is not said."""

    symbol: str = field(name="s")
    kline: Kline = field(name="k")
    event_time: Milliseconds = field(name="E", default=0)


class KlineEnvelope(msgspec.Struct, gc=False):
    """A kline with its stream's name."""

    data: KlineFrame


class KlineRow(msgspec.Struct, array_like=True, gc=False):
    """A row of ``klines``; taker volumes and what the venue calls "ignore" follow, unread."""

    open_time: OpenTime
    open_price: Amount
    high_price: Amount
    low_price: Amount
    close_price: Amount
    volume: Amount
    close_time: Milliseconds
    quote_volume: Amount
    count: Count


def to_streamed_bar(adapter_name: str, interval: BarInterval, frame: KlineFrame, received_ns: int) -> Item | Draft:
    """A streamed bar: an Item once it is closed. Its id is the number of its interval."""
    kline = frame.kline
    number = _number(interval, kline.open_time)
    bar = _bar(adapter_name, frame.symbol, interval, kline, Source.STREAM, received_ns, is_closed=kline.is_closed)
    if kline.is_closed:
        return Item(number, kline.last_trade_id, bar)
    return Draft(number, kline.count, kline.last_trade_id, bar)


def to_bars(
    adapter_name: str, symbol: str, interval: BarInterval, rows: Sequence[KlineRow], source: Source, received_ns: int
) -> list[Item | Draft]:
    """The bars of one ``klines`` answer: the last one is a Draft, for only a later one proves that a bar has closed.

    The clock proves it not: an answer may come from a replica that trails. Rows must ascend; intervals may be missing between.
    """
    bars: list[Item | Draft] = []
    newest = -1
    for at, row in enumerate(rows, 1):
        number = _number(interval, row.open_time)
        if number <= newest:
            raise msgspec.ValidationError(f"klines out of order: open time {row.open_time}")
        newest = number
        is_closed = at < len(rows)
        bar = _bar(adapter_name, symbol, interval, row, source, received_ns, is_closed=is_closed)
        bars.append(Item(number, NO_TRADE, bar) if is_closed else Draft(number, row.count, NO_TRADE, bar))
    return bars


def _number(interval: BarInterval, open_time: int) -> int:
    number = interval.number_of(open_time)
    if interval.open_ms(number) != open_time:
        raise msgspec.ValidationError(f"no bar of {interval.text} opens at {open_time}")
    return number


def _bar(
    adapter_name: str,
    symbol: str,
    interval: BarInterval,
    body: Kline | KlineRow,
    source: Source,
    received_ns: int,
    *,
    is_closed: bool,
) -> BarData:
    return BarData(
        symbol, EXCHANGE, adapter_name, source, body.open_time * NS_PER_MS, received_ns,
        interval.text, body.open_price, body.high_price, body.low_price, body.close_price,
        body.volume, body.quote_volume, body.count, is_closed,
    )  # fmt: skip
