"""What an adapter to a venue offers, and how it tells what happens."""

import abc
import copy
import logging
from collections.abc import Mapping
from typing import ClassVar, Final

from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.util.constants import Exchange
from foxtrot.util.errors import NotSupported
from foxtrot.util.event_type import (
    EVENT_ACCOUNT,
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_CONTRACT,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_ORDER,
    EVENT_POSITION,
    EVENT_PUBLIC_TRADE,
    EVENT_QUOTE,
    EVENT_TICK,
    EVENT_TRADE,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import (
    AccountData,
    AggTradeData,
    BackfillData,
    BarData,
    CancelRequest,
    ContractData,
    GapData,
    HealthData,
    HistoryRequest,
    LogData,
    OrderBookData,
    OrderData,
    OrderRequest,
    PositionData,
    PublicTradeData,
    QuoteData,
    QuoteRequest,
    SubscribeRequest,
    TickData,
    TradeData,
    TransportData,
)


class BaseAdapter(abc.ABC):
    """One venue.

    Every method is safe from any thread and returns without waiting for the network; :meth:`query_history` alone waits, and is
    never called on the loop thread. What happens is told through the ``on_*`` callbacks, with data objects that never change
    again. An adapter that carries market data alone leaves the methods about orders as they are: they raise NotSupported.
    """

    default_setting: ClassVar[Mapping[str, object]] = {}
    """Every key that :meth:`connect` knows, with its default."""

    exchanges: ClassVar[tuple[Exchange, ...]] = ()
    """The venues whose symbols it serves."""

    def __init__(self, event_engine: EventEngine, adapter_name: str) -> None:
        self.event_engine: Final = event_engine
        self.adapter_name: Final = adapter_name
        self._put: Final = event_engine.put

    # --- what it is asked

    @abc.abstractmethod
    def connect(self, setting: Mapping[str, object]) -> None:
        """Starts; progress arrives as events. Raises ConfigError for a key or value that cannot be."""

    @abc.abstractmethod
    def close(self) -> None:
        """Ends everything it started, within 3 s, whatever hangs. Again: nothing. Nothing follows a lane's closing event."""

    @abc.abstractmethod
    def subscribe(self, req: SubscribeRequest) -> None:
        """Asks for channels of a symbol; before the connection stands, it waits for it. Raises ValueError, Closed."""

    @abc.abstractmethod
    def unsubscribe(self, req: SubscribeRequest) -> None:
        """Ends channels of a symbol. Those that are not subscribed are no error."""

    def health(self, vt_symbol: str) -> HealthData | None:  # noqa: ARG002 -- an adapter without lanes knows no health
        """How far a symbol's data can be trusted, now; None where nothing is subscribed."""
        return None

    def send_order(self, req: OrderRequest) -> str:
        """Sends an order; its ``vt_orderid``, at once. What becomes of it arrives as order events."""
        raise self._cannot("send orders", req)

    def cancel_order(self, req: CancelRequest) -> None:
        """Asks for an order's end."""
        raise self._cannot("cancel orders", req)

    def send_quote(self, req: QuoteRequest) -> str:
        """Sends a two-sided quote; its ``vt_quoteid``, at once."""
        raise self._cannot("send quotes", req)

    def cancel_quote(self, req: CancelRequest) -> None:
        """Asks for a quote's end; ``orderid`` is the quote's."""
        raise self._cannot("cancel quotes", req)

    def query_account(self) -> None:
        """Asks for the balances; they arrive as account events."""
        raise self._cannot("query accounts")

    def query_position(self) -> None:
        """Asks for the positions; they arrive as position events."""
        raise self._cannot("query positions")

    def query_history(self, req: HistoryRequest) -> list[BarData]:
        """Waits for the bars of a time, oldest first."""
        raise self._cannot("query history", req)

    def get_default_setting(self) -> dict[str, object]:
        """A copy of ``default_setting``, to fill in and hand to :meth:`connect`."""
        return copy.deepcopy(dict(self.default_setting))

    def _cannot(self, what: str, req: OrderRequest | CancelRequest | QuoteRequest | HistoryRequest | None = None) -> NotSupported:
        about = f" ({req.symbol})" if req is not None else ""
        return NotSupported(f"adapter {self.adapter_name!r} cannot {what}{about}")

    # --- what it tells: market data

    def on_tick(self, tick: TickData) -> None:
        """Best bid and ask, last trade or 24 h figures changed."""
        self._put(Event(EVENT_TICK, tick))

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """Somebody traded."""
        self._put(Event(EVENT_PUBLIC_TRADE, trade))

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """A taker's order traded at one price."""
        self._put(Event(EVENT_AGG_TRADE, trade))

    def on_book(self, book: OrderBookData) -> None:
        """The order book changed."""
        self._put(Event(EVENT_BOOK, book))

    def on_bar(self, bar: BarData) -> None:
        """A bar changed or closed."""
        self._put(Event(EVENT_BAR, bar))

    def on_transport(self, transport: TransportData) -> None:
        """A lane changed its state; call it between the last value before and the first after."""
        self._put(Event(EVENT_TRANSPORT, transport))

    def on_gap(self, gap: GapData) -> None:
        """Ids did not arrive; call it before the first value after the gap."""
        self._put(Event(EVENT_GAP, gap))

    def on_backfill(self, backfill: BackfillData) -> None:
        """What a gap named missing has been found."""
        self._put(Event(EVENT_BACKFILL, backfill))

    def on_health(self, health: HealthData) -> None:
        """A symbol's health changed; overtakes the market data that waits."""
        self._put(Event(EVENT_HEALTH, health))

    def on_contract(self, contract: ContractData) -> None:
        """The venue lists an instrument."""
        self._put(Event(EVENT_CONTRACT, contract))

    # --- what it tells: one's own

    def on_order(self, order: OrderData) -> None:
        """An order of one's own changed."""
        self._put(Event(EVENT_ORDER, order))

    def on_trade(self, trade: TradeData) -> None:
        """An order of one's own was filled, in part or whole."""
        self._put(Event(EVENT_TRADE, trade))

    def on_quote(self, quote: QuoteData) -> None:
        """A quote of one's own changed."""
        self._put(Event(EVENT_QUOTE, quote))

    def on_position(self, position: PositionData) -> None:
        """What is held of a symbol changed."""
        self._put(Event(EVENT_POSITION, position))

    def on_account(self, account: AccountData) -> None:
        """A balance changed."""
        self._put(Event(EVENT_ACCOUNT, account))

    def on_log(self, log: LogData) -> None:
        """Something worth telling a person."""
        self._put(Event(EVENT_LOG, log))

    def write_log(self, msg: str, level: int = logging.INFO) -> None:
        """Tells a person ``msg``, under this adapter's name, with the time of now."""
        self.on_log(LogData(adapter_name=self.adapter_name, msg=msg, level=level, time_ns=self.event_engine.clock.now_ns()))
