"""Makes one tick of two halves, quote and 24 h figures (design, section 5, "The tick"), and of the book levels 2 to 5."""

from collections.abc import Callable
from typing import Final

from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.transport.base import Figures, Level, Quote, Stats
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import Source
from foxtrot.util.object import OrderBookData, TickData

LEVELS_NS: Final = 1 * NS_PER_S
"""So long a book may differ from the quote at its best levels; past it, it is too old to stand behind the quote."""

_STREAM = Source.STREAM
_Levels = tuple[float, float, float, float]
_Sixteen = tuple[float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float]
_BEHIND: Final = 4  # levels 2 to 5
_NO_SIDE: Final = ((0.0, 0.0),)
_NO_LEVELS: Final = ((0.0, 0.0),) * 4


class TickComposer:
    """The two halves of one symbol, and the tick that they make. The first tick waits for both, and for no book."""

    __slots__ = ("_behind", "_book", "_differs_ns", "_figures", "_last", "_name", "_sink", "_symbol", "_top", "_unified")

    def __init__(self, adapter_name: str, symbol: str, unified: str, sink: Callable[[TickData], None]) -> None:
        self._name = adapter_name
        self._symbol = symbol
        self._unified = unified
        self._sink = sink
        self._figures: Figures | None = None
        self._last: tuple[Source, int, _Levels] | None = None
        self._book: OrderBookData | None = None
        self._top: _Levels = (0.0, 0.0, 0.0, 0.0)
        self._behind: _Sixteen = (0.0,) * 16
        self._differs_ns = 0  # since when the quote is not the book's top; 0: it is, or none has come since the book

    def stream_quote(self, update_id: int, levels: _Levels, received_ns: int) -> None:
        """A streamed quote that the door accepted: the hot path."""
        self._last = (_STREAM, update_id, levels)
        if self._figures is not None:
            self._sink(self._tick(_STREAM, 0, received_ns, update_id, levels, self._figures))

    def quote(self, quote: Quote, source: Source) -> None:
        """A quote from either source."""
        self._last = (source, quote.update_id, quote.levels)
        self._emit(0, quote.received_ns)

    def stats(self, stats: Stats) -> None:
        """Newer 24 h figures: a tick with the last known quote, under the close time of the figures."""
        self._figures = stats.figures
        self._emit(stats.close_ms * NS_PER_MS, stats.received_ns)

    def book(self, book: OrderBookData | None) -> None:
        """The newest order book, or None: there is none any more. It makes no tick: the next one carries its levels."""
        self._book = book if book is not None and book.is_valid else None
        self._differs_ns = 0
        if self._book is not None:
            self._top = (*(self._book.bids or _NO_SIDE)[0], *(self._book.asks or _NO_SIDE)[0])
            self._behind = _behind(self._book, self._top[0], self._top[2])

    def served_by_poll(self) -> None:
        """The stream serves no longer: the last quote stays true as a polled one, and no tick calls it streamed any more."""
        if self._last is not None:
            self._last = (Source.POLL, 0, self._last[2])

    def _emit(self, venue_time_ns: int, received_ns: int) -> None:
        if self._figures is None or self._last is None:
            return
        source, update_id, levels = self._last
        self._sink(self._tick(source, venue_time_ns, received_ns, update_id, levels, self._figures))

    def _tick(
        self,
        source: Source,
        venue_time_ns: int,
        received_ns: int,
        update_id: int,
        levels: _Levels,
        figures: Figures,
    ) -> TickData:
        bid, bid_volume, ask, ask_volume = levels
        last, last_volume, volume, turnover, opened, high, low, pre_close = figures
        if self._book is not None and self._is_near(levels, received_ns):
            is_same = bid == self._top[0] and ask == self._top[2]
            return TickData(
                self._symbol, EXCHANGE, self._name, source, venue_time_ns, received_ns, update_id,
                bid, bid_volume, ask, ask_volume,
                last, last_volume, volume, turnover, opened, high, low, pre_close, self._unified,
                0.0, 0.0, 0.0, *(self._behind if is_same else _behind(self._book, bid, ask)),
            )  # fmt: skip
        return TickData(  # by position: a third faster than by unpacking or by name
            self._symbol, EXCHANGE, self._name, source, venue_time_ns, received_ns, update_id,
            bid, bid_volume, ask, ask_volume,
            last, last_volume, volume, turnover, opened, high, low, pre_close, self._unified,
        )  # fmt: skip

    def _is_near(self, levels: _Levels, received_ns: int) -> bool:
        """Whether the book may stand behind a quote: it has its best levels, or is given the time to get them."""
        if levels == self._top:
            self._differs_ns = 0
        elif not self._differs_ns:
            self._differs_ns = received_ns
        return not self._differs_ns or received_ns - self._differs_ns < LEVELS_NS


def _behind(book: OrderBookData, bid: float, ask: float) -> _Sixteen:
    """Levels 2 to 5 in the order of TickData: bid prices, ask prices, bid volumes, ask volumes; 0.0 where none is known."""
    (b2, v2), (b3, v3), (b4, v4), (b5, v5) = _side(book.bids, bid, -1.0)
    (a2, w2), (a3, w3), (a4, w4), (a5, w5) = _side(book.asks, ask, 1.0)
    return (b2, b3, b4, b5, a2, a3, a4, a5, v2, v3, v4, v5, w2, w3, w4, w5)


def _side(levels: tuple[Level, ...], best: float, sign: float) -> tuple[Level, ...]:
    """The four levels of a side that lie strictly behind ``best``; a missing best (0.0) has nothing behind it."""
    if not best:
        return _NO_LEVELS
    first = 0
    for price, _ in levels:
        if (price - best) * sign > 0:
            break
        first += 1
    found = levels[first : first + _BEHIND]
    return found if len(found) == _BEHIND else found + _NO_LEVELS[len(found) :]
