"""The data objects: frozen structs, JSON-ready, with floats for prices and volumes.

Market objects carry ``symbol`` (the venue's form), ``exchange``, ``adapter_name``, ``source``, ``venue_time_ns`` (0 where the
venue sends none) and ``received_ns``. Positional order is internal: name the fields.
"""

import datetime as dt
from collections.abc import Mapping

import msgspec

from foxtrot.util.channel import check_channels
from foxtrot.util.checksum import checksum_of
from foxtrot.util.constants import (
    Channel,
    Direction,
    Exchange,
    Health,
    Interval,
    LaneState,
    Offset,
    OrderType,
    Product,
    Reason,
    Serving,
    Source,
    Status,
)


def _aware(nanoseconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(nanoseconds / 1e9, tz=dt.UTC)


class SymbolData(msgspec.Struct, frozen=True):
    """What belongs to one symbol at one venue."""

    symbol: str
    exchange: Exchange
    adapter_name: str

    @property
    def vt_symbol(self) -> str:
        """``BTCUSDT.BINANCE``: unique over all venues."""
        return self.symbol + "." + self.exchange


class MarketData(SymbolData, frozen=True, gc=False):
    """A market value with its provenance and its times (nanoseconds since 1970 UTC)."""

    source: Source
    venue_time_ns: int
    received_ns: int

    @property
    def datetime(self) -> dt.datetime:
        """The venue's time, or the time of arrival where the venue sends none; aware, UTC."""
        return _aware(self.venue_time_ns or self.received_ns)

    @property
    def localtime(self) -> dt.datetime:
        """The time of arrival; aware, in the machine's zone."""
        return _aware(self.received_ns).astimezone()


class TickData(MarketData, frozen=True, gc=False):
    """Best bid and ask, last trade and rolling 24 h figures of a symbol.

    ``update_id`` is the quote's order-book id, 0 when it was polled. A missing bid or ask is 0.0. ``source`` speaks of the
    quote; the 24 h figures come from whichever source had them newer. ``venue_time_ns`` is the close time of the 24 h figures
    where they caused this tick, else 0 (the venue's quotes carry no time).

    Levels 2 to 5 come from the newest valid book, if ``book`` is subscribed: its levels strictly behind this tick's best ones.
    They are 0.0 without such a book, where it knows no level so deep, and while it has not caught up for a second with a quote
    that differs from its own best levels.
    """

    update_id: int = 0
    bid_price_1: float = 0.0
    bid_volume_1: float = 0.0
    ask_price_1: float = 0.0
    ask_volume_1: float = 0.0
    last_price: float = 0.0
    last_volume: float = 0.0
    volume: float = 0.0
    turnover: float = 0.0
    open_price: float = 0.0
    high_price: float = 0.0
    low_price: float = 0.0
    pre_close: float = 0.0
    name: str = ""
    open_interest: float = 0.0
    limit_up: float = 0.0
    limit_down: float = 0.0
    bid_price_2: float = 0.0
    bid_price_3: float = 0.0
    bid_price_4: float = 0.0
    bid_price_5: float = 0.0
    ask_price_2: float = 0.0
    ask_price_3: float = 0.0
    ask_price_4: float = 0.0
    ask_price_5: float = 0.0
    bid_volume_2: float = 0.0
    bid_volume_3: float = 0.0
    bid_volume_4: float = 0.0
    bid_volume_5: float = 0.0
    ask_volume_2: float = 0.0
    ask_volume_3: float = 0.0
    ask_volume_4: float = 0.0
    ask_volume_5: float = 0.0
    extra: Mapping[str, object] | None = None


class PublicTradeData(MarketData, frozen=True, gc=False):
    """One trade of the market. ``is_buyer_maker``: the seller was the aggressor."""

    trade_id: int
    price: float
    volume: float
    is_buyer_maker: bool


class AggTradeData(MarketData, frozen=True, gc=False):
    """Trades of one taker order at one price: ids ``first_trade_id`` to ``last_trade_id``, both included."""

    agg_id: int
    first_trade_id: int
    last_trade_id: int
    price: float
    volume: float
    is_buyer_maker: bool


class OrderBookData(MarketData, frozen=True, gc=False):
    """An order book at ``update_id``: (price, volume) from the best level on.

    Levels are known between ``known_low`` and ``known_high`` only; outside of them the book says nothing.
    """

    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    update_id: int
    is_valid: bool
    known_low: float = 0.0
    known_high: float = 0.0

    def checksum(self, levels: int = 25) -> int:
        """CRC-32 of the best so many levels (``checksum_of``): two books with the same best levels have the same."""
        return checksum_of(self.bids, self.asks, levels)


class BarData(MarketData, frozen=True, gc=False):
    """One bar. ``venue_time_ns`` is its open time; it never changes again once ``is_closed``."""

    interval: Interval | str
    open_price: float
    high_price: float
    low_price: float
    close_price: float
    volume: float
    turnover: float = 0.0
    trade_count: int = 0
    is_closed: bool = True


class TransportData(SymbolData, frozen=True):
    """A lane changed its state, or what serves it. Stands in order among its lane's data."""

    channel: str
    old: LaneState
    new: LaneState
    serving: Serving
    reason: Reason


class HealthData(SymbolData, frozen=True):
    """How far its worst lane can be trusted, why, when its value last changed, and when anything last proved it (0: never)."""

    old: Health
    new: Health
    serving: Serving
    reason: Reason
    changed_ns: int
    confirmed_ns: int

    @property
    def state(self) -> Health:
        """The state in force."""
        return self.new


class GapData(SymbolData, frozen=True):
    """Ids ``first_id`` to ``last_id``, both included, did not arrive; what is found of them later comes as backfill."""

    channel: str
    first_id: int
    last_id: int
    reason: Reason


class BackfillData(SymbolData, frozen=True):
    """What a gap event had named missing, found later; in id order."""

    channel: str
    items: tuple[PublicTradeData | AggTradeData | BarData, ...]


class ContractData(SymbolData, frozen=True):
    """An instrument and its rules. ``name`` is the unified symbol (``BTC/USDT``); steps are the venue's own decimal text."""

    name: str
    product: Product
    base: str
    quote: str
    status: str
    price_tick: float
    volume_step: float
    min_volume: float
    min_notional: float
    max_volume: float = 0.0
    size: float = 1.0
    price_tick_text: str = ""
    volume_step_text: str = ""

    @property
    def is_trading(self) -> bool:
        """Whether the venue matches orders in it now."""
        return self.status == "TRADING"


class OrderData(SymbolData, frozen=True):
    """An order of one's own."""

    orderid: str
    direction: Direction
    type: OrderType = OrderType.LIMIT
    offset: Offset = Offset.NONE
    price: float = 0.0
    volume: float = 0.0
    traded: float = 0.0
    status: Status = Status.SUBMITTING
    venue_time_ns: int = 0
    reference: str = ""

    @property
    def vt_orderid(self) -> str:
        """Unique over all adapters."""
        return self.adapter_name + "." + self.orderid

    @property
    def is_active(self) -> bool:
        """Whether it may still trade."""
        return self.status in {Status.SUBMITTING, Status.NOT_TRADED, Status.PART_TRADED, Status.UNKNOWN}


class TradeData(SymbolData, frozen=True):
    """A fill of one's own."""

    orderid: str
    tradeid: str
    direction: Direction
    price: float
    volume: float
    offset: Offset = Offset.NONE
    venue_time_ns: int = 0

    @property
    def vt_orderid(self) -> str:
        """The order it belongs to."""
        return self.adapter_name + "." + self.orderid

    @property
    def vt_tradeid(self) -> str:
        """Unique over all adapters and symbols."""
        return f"{self.adapter_name}.{self.symbol}.{self.tradeid}"


class PositionData(SymbolData, frozen=True):
    """What is held of a symbol."""

    direction: Direction
    volume: float = 0.0
    frozen: float = 0.0
    price: float = 0.0
    pnl: float = 0.0

    @property
    def vt_positionid(self) -> str:
        """Unique over all adapters."""
        return f"{self.adapter_name}.{self.vt_symbol}.{self.direction}"


class AccountData(msgspec.Struct, frozen=True):
    """The balance of one asset: ``balance`` in all, ``frozen`` of it bound in orders."""

    adapter_name: str
    accountid: str
    balance: float = 0.0
    frozen: float = 0.0

    @property
    def available(self) -> float:
        """What may be spent."""
        return self.balance - self.frozen

    @property
    def vt_accountid(self) -> str:
        """Unique over all adapters."""
        return self.adapter_name + "." + self.accountid


class QuoteData(SymbolData, frozen=True):
    """A two-sided quote of one's own."""

    quoteid: str
    bid_price: float
    bid_volume: float
    ask_price: float
    ask_volume: float
    status: Status = Status.SUBMITTING

    @property
    def vt_quoteid(self) -> str:
        """Unique over all adapters."""
        return self.adapter_name + "." + self.quoteid


class LogData(msgspec.Struct, frozen=True):
    """Something worth telling a person. ``level`` as in the logging module (20 info, 30 warning, 40 error)."""

    adapter_name: str
    msg: str
    level: int = 20
    time_ns: int = 0


class SubscribeRequest(msgspec.Struct, frozen=True):
    """Asks for channels of a symbol (any of its three forms): ``("tick", "book:50", "bars:1m", "bars:10s")``.

    ``book`` alone is ``book:20``, 20 levels a side; a symbol has one book, as deep as the deepest subscription asks for.
    ``hold``: seconds for which frames behind a hole wait, ``float("inf")`` for recorders. Past it a gap event names the missing
    ids, and what is found of them later is backfill. A lane that is subscribed already keeps its own. Raises ValueError.
    """

    symbol: str
    exchange: Exchange
    channels: tuple[str, ...] = (Channel.TICK,)
    hold: float = 2.0

    def __post_init__(self) -> None:
        """Refuses what can never be served."""
        check_channels(self.channels)
        if not self.hold >= 0:
            raise ValueError(f"hold is a number of seconds, 0 or more (float('inf') to wait for ever); found {self.hold!r}")


class OrderRequest(msgspec.Struct, frozen=True):
    """Asks for an order."""

    symbol: str
    exchange: Exchange
    direction: Direction
    type: OrderType
    volume: float
    price: float = 0.0
    offset: Offset = Offset.NONE
    reference: str = ""


class CancelRequest(msgspec.Struct, frozen=True):
    """Asks for an order's end."""

    orderid: str
    symbol: str
    exchange: Exchange


class QuoteRequest(msgspec.Struct, frozen=True):
    """Asks for a two-sided quote."""

    symbol: str
    exchange: Exchange
    bid_price: float
    bid_volume: float
    ask_price: float
    ask_volume: float
    reference: str = ""


class HistoryRequest(msgspec.Struct, frozen=True):
    """Asks for the bars between two times (aware; ``end`` None: until now)."""

    symbol: str
    exchange: Exchange
    start: dt.datetime
    end: dt.datetime | None = None
    interval: Interval = Interval.MINUTE
