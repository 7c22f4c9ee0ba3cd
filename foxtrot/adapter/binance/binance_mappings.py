"""Binance's payloads, typed, and the objects they become: the same fact by REST and by stream maps to an equal object.

Decoders read number strings as floats and refuse what is no price: NaN, infinity, negative, 1e15 and more (a
msgspec.ValidationError). Unknown keys are ignored. Payload keys: binance.md, sections 2 and 4.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from foxtrot.transport.base import Item, Quote, Stats
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Exchange, Product, Source
from foxtrot.util.object import AggTradeData, ContractData, PublicTradeData

Amount = Annotated[float, Meta(ge=0, lt=1e15)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Milliseconds = Annotated[int, Meta(ge=0, lt=2**53)]

EXCHANGE: Final = Exchange.BINANCE


class _Frame(msgspec.Struct, gc=False):
    """A payload of a stream."""


class TradeFrame(_Frame):
    """``<symbol>@trade``."""

    symbol: str = field(name="s")
    id: Id = field(name="t")
    price: Amount = field(name="p")
    quantity: Amount = field(name="q")
    time: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")
    event_time: Milliseconds = field(name="E", default=0)


class AggTradeFrame(_Frame):
    """``<symbol>@aggTrade``."""

    symbol: str = field(name="s")
    id: Id = field(name="a")
    price: Amount = field(name="p")
    quantity: Amount = field(name="q")
    first_trade_id: Id = field(name="f")
    last_trade_id: Id = field(name="l")
    time: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")
    event_time: Milliseconds = field(name="E", default=0)


class AggTradeBody(_Frame):
    """``aggTrades``: the stream's keys, without the symbol."""

    id: Id = field(name="a")
    price: Amount = field(name="p")
    quantity: Amount = field(name="q")
    first_trade_id: Id = field(name="f")
    last_trade_id: Id = field(name="l")
    time: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")


class BookTickerFrame(_Frame):
    """``<symbol>@bookTicker``: no event type, no time."""

    symbol: str = field(name="s")
    update_id: Id = field(name="u")
    bid: Amount = field(name="b")
    bid_volume: Amount = field(name="B")
    ask: Amount = field(name="a")
    ask_volume: Amount = field(name="A")


class TickerFrame(_Frame):
    """``<symbol>@ticker``: its best bid and ask are older than bookTicker's and not read."""

    symbol: str = field(name="s")
    last_price: Amount = field(name="c")
    last_quantity: Amount = field(name="Q")
    volume: Amount = field(name="v")
    quote_volume: Amount = field(name="q")
    open_price: Amount = field(name="o")
    high_price: Amount = field(name="h")
    low_price: Amount = field(name="l")
    previous_close: Amount = field(name="x")
    close_time: Milliseconds = field(name="C")
    last_trade_id: int = field(name="L")


class TradeEnvelope(_Frame):
    """A trade with its stream's name."""

    data: TradeFrame


class AggTradeEnvelope(_Frame):
    """An aggregate trade with its stream's name."""

    data: AggTradeFrame


class BookTickerEnvelope(_Frame):
    """A quote with its stream's name."""

    data: BookTickerFrame


class TickerEnvelope(_Frame):
    """24 h figures with their stream's name."""

    data: TickerFrame


class StreamReply(_Frame):
    """Whatever is no usual data frame: an envelope in another order, an acknowledgement, an error in either of its shapes."""

    stream: str = ""
    event: str = field(default="", name="e")
    request_id: object = field(default=None, name="id")
    result: object = None
    code: int | None = None
    msg: str = ""
    error: dict[str, object] | None = None


class _Body(msgspec.Struct, rename="camel", gc=False):
    """A REST answer."""


class TickerBody(_Body):
    """``ticker/24hr``, FULL."""

    symbol: str
    last_price: Amount
    last_qty: Amount
    volume: Amount
    quote_volume: Amount
    open_price: Amount
    high_price: Amount
    low_price: Amount
    prev_close_price: Amount
    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount
    close_time: Milliseconds
    last_id: int
    count: int = 0


class BookTickerBody(_Body):
    """``ticker/bookTicker``."""

    symbol: str
    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount


class DepthBody(_Body):
    """``depth``: (price, quantity) from the best level on."""

    last_update_id: Id
    bids: list[tuple[Amount, Amount]]
    asks: list[tuple[Amount, Amount]]


class TradeBody(_Body):
    """``trades``, ``historicalTrades``."""

    id: Id
    price: Amount
    qty: Amount
    time: Milliseconds
    is_buyer_maker: bool


class TimeBody(_Body):
    """``time``."""

    server_time: Milliseconds


class RateLimit(_Body):
    """One row of ``exchangeInfo.rateLimits``."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class SymbolFilter(_Body):
    """The filters that a contract needs; a filter without one of these keys leaves it empty."""

    filter_type: str
    tick_size: str = "0"
    step_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    min_notional: str = "0"


class SymbolBody(_Body):
    """One symbol of ``exchangeInfo``."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[SymbolFilter] = []


class ExchangeInfoBody(_Body):
    """``exchangeInfo``."""

    symbols: list[SymbolBody]
    rate_limits: list[RateLimit] = []
    server_time: Milliseconds = 0

    @property
    def weight_limit(self) -> int:
        """REQUEST_WEIGHT a minute; Binance's documented 6000 where it is not said."""
        for row in self.rate_limits:
            if row.rate_limit_type == "REQUEST_WEIGHT" and row.interval == "MINUTE" and row.interval_num == 1 and row.limit > 0:
                return row.limit
        return 6000


def to_public_trade(adapter_name: str, symbol: str, trade: TradeBody, source: Source, received_ns: int) -> Item:
    """A REST trade."""
    value = PublicTradeData(
        symbol, EXCHANGE, adapter_name, source, trade.time * NS_PER_MS, received_ns,
        trade.id, trade.price, trade.qty, trade.is_buyer_maker,
    )  # fmt: skip
    return Item(trade.id, trade.id, value)


def to_agg_trade(adapter_name: str, symbol: str, trade: AggTradeFrame | AggTradeBody, source: Source, received_ns: int) -> Item:
    """An aggregate trade; REST and stream use the same keys."""
    value = AggTradeData(
        symbol, EXCHANGE, adapter_name, source, trade.time * NS_PER_MS, received_ns,
        trade.id, trade.first_trade_id, trade.last_trade_id, trade.price, trade.quantity, trade.is_buyer_maker,
    )  # fmt: skip
    return Item(trade.id, trade.last_trade_id, value)


def to_quote(body: TickerBody | BookTickerBody, asked_ns: int, received_ns: int) -> Quote:
    """A polled quote: no update id."""
    return Quote(0, body.bid_price, body.bid_qty, body.ask_price, body.ask_qty, received_ns, asked_ns)


def to_anchor(body: DepthBody, asked_ns: int, received_ns: int) -> Quote:
    """The best levels of a depth answer, at its update id; an empty side is 0.0."""
    (bid, bid_volume), (ask, ask_volume) = (levels[0] if levels else (0.0, 0.0) for levels in (body.bids, body.asks))
    return Quote(body.last_update_id, bid, bid_volume, ask, ask_volume, received_ns, asked_ns)


def to_stats(body: TickerBody | TickerFrame, received_ns: int) -> Stats:
    """24 h figures from either source; ``figures`` are TickData's fields from ``last_price`` to ``pre_close``, in its order."""
    if isinstance(body, TickerFrame):
        figures = (
            body.last_price, body.last_quantity, body.volume, body.quote_volume,
            body.open_price, body.high_price, body.low_price, body.previous_close,
        )  # fmt: skip
        return Stats(body.last_trade_id, body.close_time, figures, received_ns)
    figures = (
        body.last_price, body.last_qty, body.volume, body.quote_volume,
        body.open_price, body.high_price, body.low_price, body.prev_close_price,
    )  # fmt: skip
    return Stats(body.last_id, body.close_time, figures, received_ns)


def to_contract(adapter_name: str, body: SymbolBody) -> ContractData:
    """An instrument with its rules; steps keep the venue's own text. Raises ValueError where a rule is no amount."""
    filters = {row.filter_type: row for row in body.filters}
    price = filters.get("PRICE_FILTER", SymbolFilter(""))
    lot = filters.get("LOT_SIZE", SymbolFilter(""))
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or SymbolFilter("")
    return ContractData(
        symbol=body.symbol,
        exchange=EXCHANGE,
        adapter_name=adapter_name,
        name=f"{body.base_asset}/{body.quote_asset}",
        product=Product.SPOT,
        base=body.base_asset,
        quote=body.quote_asset,
        status=body.status,
        price_tick=_amount(price.tick_size),
        volume_step=_amount(lot.step_size),
        min_volume=_amount(lot.min_qty),
        max_volume=_amount(lot.max_qty),
        min_notional=_amount(notional.min_notional),
        price_tick_text=price.tick_size,
        volume_step_text=lot.step_size,
    )


def _amount(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(f"a finite amount, 0 or more; found {text!r}")
    return value
