"""Hands each value to its callback, and to what is made of it: ticks of their halves, bars of aggregate trades."""

from collections.abc import Sequence

from foxtrot.adapter.binance.bar_desk import BarDesk
from foxtrot.adapter.binance.callbacks import Callbacks
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.stream_feed import QuoteSink
from foxtrot.adapter.binance.tick_composer import TickComposer
from foxtrot.transport.base import Quote, Stats, Value
from foxtrot.util.constants import Source
from foxtrot.util.object import AggTradeData, BarData, OrderBookData, PublicTradeData


class Dispatch:
    """Fulfils ``Outlets`` for streamed values; those that lanes deliver come through :meth:`take`.

    ``hidden``: symbols whose aggregate trades nobody subscribed; bars are built of them.
    """

    def __init__(self, callbacks: Callbacks, contracts: ContractManager, bars: BarDesk) -> None:
        self._callbacks = callbacks
        self._contracts = contracts
        self._bars = bars
        self._composers: dict[str, TickComposer] = {}
        self._books: dict[str, OrderBookData] = {}
        self.hidden: set[str] = set()
        self.adapter_name = callbacks.adapter_name
        self.on_public_trade = callbacks.on_public_trade
        self.on_bar = callbacks.on_bar

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """To its callback, if it was subscribed, then to the bars that are built of it."""
        if trade.symbol not in self.hidden:
            self._callbacks.on_agg_trade(trade)
        self._bars.take(trade)

    def on_book(self, book: OrderBookData) -> None:
        """To the ticks of its symbol, then to its callback."""
        self._books[book.symbol] = book
        if (composer := self._composers.get(book.symbol)) is not None:
            composer.book(book)
        self._callbacks.on_book(book)

    def take(self, symbol: str, value: Value, source: Source) -> None:
        """A value that did not take the streams' short way."""
        if isinstance(value, Quote):
            self.composer(symbol).quote(value, source)
        elif isinstance(value, Stats):
            self.composer(symbol).stats(value)
        elif isinstance(value.value, PublicTradeData):
            self.on_public_trade(value.value)
        elif isinstance(value.value, AggTradeData):
            self.on_agg_trade(value.value)
        elif isinstance(value.value, OrderBookData):
            self.on_book(value.value)
        elif isinstance(value.value, BarData):
            self.on_bar(value.value)

    def quote_sink(self, symbol: str) -> QuoteSink:
        """Where a symbol's streamed quotes go."""
        return self.composer(symbol).stream_quote

    def composer(self, symbol: str) -> TickComposer:
        """The maker of a symbol's ticks."""
        composer = self._composers.get(symbol)
        if composer is None:
            name = self._contracts.unified(symbol) or ""
            composer = TickComposer(self.adapter_name, symbol, name, self._callbacks.on_tick)
            composer.book(self._books.get(symbol))
            self._composers[symbol] = composer
        return composer

    def served_by_poll(self, symbol: str) -> None:
        """A tick's stream serves no longer."""
        if (composer := self._composers.get(symbol)) is not None:
            composer.served_by_poll()

    def end_tick(self, symbol: str) -> None:
        """A tick that begins again waits for both its halves again."""
        self._composers.pop(symbol, None)

    def end_book(self, symbol: str) -> None:
        """There is no book any more."""
        self._books.pop(symbol, None)
        if (composer := self._composers.get(symbol)) is not None:
            composer.book(None)


def of_backfill(values: Sequence[object]) -> tuple[PublicTradeData | AggTradeData | BarData, ...]:
    """The values that a backfill may hold."""
    return tuple(value for value in values if isinstance(value, PublicTradeData | AggTradeData | BarData))
