"""Makes one tick of two halves: the quote, and the 24 h figures (design, section 5, "The tick")."""

from collections.abc import Callable

from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.transport.base import Figures, Quote, Stats
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Source
from foxtrot.util.object import TickData

_STREAM = Source.STREAM


class TickComposer:
    """The two halves of one symbol, and the tick that they make. The first tick waits for both."""

    __slots__ = ("_figures", "_last", "_name", "_sink", "_symbol", "_unified")

    def __init__(self, adapter_name: str, symbol: str, unified: str, sink: Callable[[TickData], None]) -> None:
        self._name = adapter_name
        self._symbol = symbol
        self._unified = unified
        self._sink = sink
        self._figures: Figures | None = None
        self._last: tuple[Source, int, tuple[float, float, float, float]] | None = None

    def stream_quote(self, update_id: int, levels: tuple[float, float, float, float], received_ns: int) -> None:
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
        levels: tuple[float, float, float, float],
        figures: Figures,
    ) -> TickData:
        bid, bid_volume, ask, ask_volume = levels
        last, last_volume, volume, turnover, opened, high, low, pre_close = figures
        return TickData(  # by position: a third faster than by unpacking or by name
            self._symbol, EXCHANGE, self._name, source, venue_time_ns, received_ns, update_id,
            bid, bid_volume, ask, ask_volume,
            last, last_volume, volume, turnover, opened, high, low, pre_close, self._unified,
        )  # fmt: skip
