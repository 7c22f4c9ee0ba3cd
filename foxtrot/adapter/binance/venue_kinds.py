"""What Binance's order books and bars are made by: a book for a lane, the end of a bar."""

from collections.abc import Callable

from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.intervals import parse
from foxtrot.adapter.binance.order_book import OrderBook
from foxtrot.transport.base import LaneKey
from foxtrot.util.channel import interval_of


class VenueKinds:
    """Fulfils ``transport.book.Kinds``. How deep a symbol's books are may change while they live."""

    def __init__(self, adapter_name: str) -> None:
        self._adapter_name = adapter_name
        self._reaches: dict[str, BookReach] = {}

    def deepen(self, symbol: str, depth: int) -> bool:
        """From here on a symbol's books deliver ``depth`` levels a side (0: it has none any more); whether living ones change."""
        if not depth:
            self._reaches.pop(symbol, None)
            return False
        reach = self._reaches.setdefault(symbol, BookReach(depth))
        is_news = reach.depth != depth
        reach.depth = depth
        return is_news

    def book(self, key: LaneKey) -> OrderBook:
        """An empty order book for a lane."""
        return OrderBook(key.symbol, self._adapter_name, self._reaches.setdefault(key.symbol, BookReach()))

    def close_ms(self, key: LaneKey) -> Callable[[int], int]:
        """When the bar of a number closes: its last millisecond, since 1970 UTC."""
        return parse(interval_of(key.channel)).close_ms
