"""An order book by price level, with what changed since each reader looked."""

from bisect import bisect_left, insort
from collections.abc import Callable

OnLevel = Callable[[bool, int, int, int], None]
"""Is told of each change: is it a bid, price, size, update id."""


class DiffCollector:
    """Gathers the prices that changed between two frames of one depth stream."""

    __slots__ = ("asks", "bids", "last_update_id")

    def __init__(self) -> None:
        self.last_update_id = 0
        self.bids: set[int] = set()
        self.asks: set[int] = set()

    def restart(self, update_id: int) -> None:
        """Forgets what was gathered: the next frame starts after ``update_id``."""
        self.last_update_id = update_id
        self.bids.clear()
        self.asks.clear()


class Side:
    """One side of a book: sizes by price, and the prices in ascending order."""

    __slots__ = ("is_bid", "prices", "sizes")

    def __init__(self, *, is_bid: bool) -> None:
        self.is_bid = is_bid
        self.prices: list[int] = []
        self.sizes: dict[int, int] = {}

    def put(self, price: int, size: int) -> None:
        """Sets the size at a price; 0 removes the level, also one that is not there."""
        if size:
            if price not in self.sizes:
                insort(self.prices, price)
            self.sizes[price] = size
        elif self.sizes.pop(price, 0):
            del self.prices[bisect_left(self.prices, price)]

    def best(self) -> tuple[int, int]:
        """Price and size of the best level; (0, 0) when the side is empty."""
        if not self.prices:
            return 0, 0
        price = self.prices[-1 if self.is_bid else 0]
        return price, self.sizes[price]

    def top(self, limit: int) -> list[tuple[int, int]]:
        """At most ``limit`` levels from the best on."""
        prices = reversed(self.prices[-limit:]) if self.is_bid else self.prices[:limit]
        sizes = self.sizes
        return [(price, sizes[price]) for price in prices]


class LevelBook:
    """Bids and asks at ``update_id``; every changed level takes the next id."""

    __slots__ = ("asks", "bids", "collectors", "observer", "update_id")

    def __init__(self, update_id: int = 0) -> None:
        self.update_id = update_id
        self.bids = Side(is_bid=True)
        self.asks = Side(is_bid=False)
        self.collectors: list[DiffCollector] = []
        self.observer: OnLevel | None = None

    def collector(self) -> DiffCollector:
        """A new reader of changes, from now on."""
        made = DiffCollector()
        made.restart(self.update_id)
        self.collectors.append(made)
        return made

    def set_level(self, *, is_bid: bool, price: int, size: int, update_id: int | None = None) -> None:
        """Sets a level under the next update id, or under a recorded one."""
        self.update_id = self.update_id + 1 if update_id is None else update_id
        (self.bids if is_bid else self.asks).put(price, size)
        for each in self.collectors:
            (each.bids if is_bid else each.asks).add(price)
        if self.observer:
            self.observer(is_bid, price, size, self.update_id)

    def copy(self) -> "LevelBook":
        """An independent book with the same levels, without readers."""
        made = LevelBook(self.update_id)
        for mine, others in ((made.bids, self.bids), (made.asks, self.asks)):
            mine.prices, mine.sizes = list(others.prices), dict(others.sizes)
        return made

    def best(self) -> tuple[int, int, int, int]:
        """Bid, bid size, ask, ask size; zeros where a side is empty."""
        return (*self.bids.best(), *self.asks.best())

    def take(self, collector: DiffCollector) -> tuple[int, int, list[tuple[int, int]], list[tuple[int, int]]] | None:
        """What the collector gathered, as (U, u, bids, asks) with absolute sizes, best first; None when nothing changed."""
        first, last = collector.last_update_id + 1, self.update_id
        if last < first:
            return None
        bids = [(p, self.bids.sizes.get(p, 0)) for p in sorted(collector.bids, reverse=True)]
        asks = [(p, self.asks.sizes.get(p, 0)) for p in sorted(collector.asks)]
        collector.restart(last)
        return first, last, bids, asks
