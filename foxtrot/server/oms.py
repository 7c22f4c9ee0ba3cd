"""Remembers the last known state of everything."""

from typing import Final, TypeVar

from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.util.constants import Channel, LaneState
from foxtrot.util.event_type import (
    EVENT_ACCOUNT,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_CONTRACT,
    EVENT_HEALTH,
    EVENT_ORDER,
    EVENT_POSITION,
    EVENT_QUOTE,
    EVENT_TICK,
    EVENT_TRADE,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import (
    AccountData,
    BarData,
    ContractData,
    HealthData,
    OrderBookData,
    OrderData,
    PositionData,
    QuoteData,
    TickData,
    TradeData,
    TransportData,
)

_K = TypeVar("_K")
_T = TypeVar("_T")


class OmsEngine:
    """Last tick, book, bar, order, fill, quote, position, account, contract and health, each by its ``vt_*`` key.

    Written by the event thread alone; read from any. What is handed out is a copy of the moment. Its handlers are registered
    when it is made: a handler of your own that is registered later finds here the state that includes its own event.
    """

    def __init__(self, event_engine: EventEngine) -> None:
        self._ticks: Final[dict[str, TickData]] = {}
        self._books: Final[dict[str, OrderBookData]] = {}
        self._bars: Final[dict[tuple[str, str], BarData]] = {}
        self._orders: Final[dict[str, OrderData]] = {}
        self._active_orders: Final[dict[str, OrderData]] = {}
        self._trades: Final[dict[str, TradeData]] = {}
        self._quotes: Final[dict[str, QuoteData]] = {}
        self._positions: Final[dict[str, PositionData]] = {}
        self._accounts: Final[dict[str, AccountData]] = {}
        self._contracts: Final[dict[str, ContractData]] = {}
        self._health: Final[dict[str, HealthData]] = {}
        for event_type, handler in (
            (EVENT_TICK, self._on_tick),
            (EVENT_BOOK, self._on_book),
            (EVENT_BAR, self._on_bar),
            (EVENT_ORDER, self._on_order),
            (EVENT_TRADE, self._on_trade),
            (EVENT_QUOTE, self._on_quote),
            (EVENT_POSITION, self._on_position),
            (EVENT_ACCOUNT, self._on_account),
            (EVENT_CONTRACT, self._on_contract),
            (EVENT_HEALTH, self._on_health),
            (EVENT_TRANSPORT, self._on_transport),
        ):
            event_engine.register(event_type, handler)

    # --- the event thread

    def _on_tick(self, event: Event) -> None:
        tick: TickData = event.data
        self._ticks[tick.vt_symbol] = tick

    def _on_book(self, event: Event) -> None:
        book: OrderBookData = event.data
        self._books[book.vt_symbol] = book

    def _on_bar(self, event: Event) -> None:
        bar: BarData = event.data
        self._bars[bar.vt_symbol, bar.interval] = bar

    def _on_order(self, event: Event) -> None:
        order: OrderData = event.data
        self._orders[order.vt_orderid] = order
        if order.is_active:
            self._active_orders[order.vt_orderid] = order
        else:
            self._active_orders.pop(order.vt_orderid, None)

    def _on_trade(self, event: Event) -> None:
        trade: TradeData = event.data
        self._trades[trade.vt_tradeid] = trade

    def _on_quote(self, event: Event) -> None:
        quote: QuoteData = event.data
        self._quotes[quote.vt_quoteid] = quote

    def _on_position(self, event: Event) -> None:
        position: PositionData = event.data
        self._positions[position.vt_positionid] = position

    def _on_account(self, event: Event) -> None:
        account: AccountData = event.data
        self._accounts[account.vt_accountid] = account

    def _on_contract(self, event: Event) -> None:
        contract: ContractData = event.data
        self._contracts[contract.vt_symbol] = contract

    def _on_health(self, event: Event) -> None:
        health: HealthData = event.data
        self._health[health.vt_symbol] = health

    def _on_transport(self, event: Event) -> None:
        """A book that nothing keeps any more is none: its levels would look valid for ever."""
        moved: TransportData = event.data
        if moved.channel == Channel.BOOK and moved.new is LaneState.CLOSED:
            self._books.pop(moved.vt_symbol, None)

    # --- any thread: the last one of a key, or None

    def get_tick(self, vt_symbol: str) -> TickData | None:
        """The last tick of ``BTCUSDT.BINANCE``."""
        return self._ticks.get(vt_symbol)

    def get_book(self, vt_symbol: str) -> OrderBookData | None:
        """The last order book while one is subscribed; look at ``is_valid`` before its levels."""
        return self._books.get(vt_symbol)

    def get_bar(self, vt_symbol: str, interval: str) -> BarData | None:
        """The last bar of ``1m`` and the like, closed or still open (``is_closed``)."""
        return self._bars.get((vt_symbol, interval))

    def get_order(self, vt_orderid: str) -> OrderData | None:
        """The last state of an order."""
        return self._orders.get(vt_orderid)

    def get_trade(self, vt_tradeid: str) -> TradeData | None:
        """A fill of one's own."""
        return self._trades.get(vt_tradeid)

    def get_quote(self, vt_quoteid: str) -> QuoteData | None:
        """The last state of a quote."""
        return self._quotes.get(vt_quoteid)

    def get_position(self, vt_positionid: str) -> PositionData | None:
        """The last state of a position."""
        return self._positions.get(vt_positionid)

    def get_account(self, vt_accountid: str) -> AccountData | None:
        """The last balance of ``BINANCE.USDT``."""
        return self._accounts.get(vt_accountid)

    def get_contract(self, vt_symbol: str) -> ContractData | None:
        """The instrument's rules."""
        return self._contracts.get(vt_symbol)

    def get_health(self, vt_symbol: str) -> HealthData | None:
        """The last change of health that was told."""
        return self._health.get(vt_symbol)

    # --- any thread: all of them

    def get_all_ticks(self) -> list[TickData]:
        """The last tick of every symbol."""
        return _values(self._ticks)

    def get_all_books(self) -> list[OrderBookData]:
        """The last order book of every symbol."""
        return _values(self._books)

    def get_all_bars(self) -> list[BarData]:
        """The last bar of every symbol and interval."""
        return _values(self._bars)

    def get_all_orders(self) -> list[OrderData]:
        """The last state of every order."""
        return _values(self._orders)

    def get_all_active_orders(self) -> list[OrderData]:
        """Every order that may still trade."""
        return _values(self._active_orders)

    def get_all_trades(self) -> list[TradeData]:
        """Every fill of one's own."""
        return _values(self._trades)

    def get_all_quotes(self) -> list[QuoteData]:
        """The last state of every quote."""
        return _values(self._quotes)

    def get_all_positions(self) -> list[PositionData]:
        """The last state of every position."""
        return _values(self._positions)

    def get_all_accounts(self) -> list[AccountData]:
        """The last balance of every asset."""
        return _values(self._accounts)

    def get_all_contracts(self) -> list[ContractData]:
        """Every instrument the venues list."""
        return _values(self._contracts)

    def get_all_health(self) -> list[HealthData]:
        """The last change of health of every symbol."""
        return _values(self._health)


def _values(held: dict[_K, _T]) -> list[_T]:
    return list(held.copy().values())  # the copy is atomic: the event thread may be writing
