"""An order book in memory, as plain as can be, for the transports' tests; and bars of a minute."""

from typing import NamedTuple

from foxtrot.transport.base import Depth, Diff, Item, LaneKey
from foxtrot.transport.book import Book, Fit
from foxtrot.util.constants import Source

MINUTE_MS = 60_000


class ShownBook(NamedTuple):
    """What was delivered of a book."""

    update_id: int
    is_valid: bool
    bids: dict[float, float]
    asks: dict[float, float]
    source: Source


class FakeBook:
    """Levels by price. ``is_narrow`` and ``limit`` are for tests to set; a diff that crosses it ends it."""

    def __init__(self) -> None:
        self.update_id = 0
        self.is_valid = False
        self.is_narrow = False
        self.limit = 100
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    @property
    def top(self) -> tuple[float, float, float, float]:
        """The best levels."""
        bid, ask = max(self.bids, default=0.0), min(self.asks, default=0.0)
        return (bid, self.bids.get(bid, 0.0), ask, self.asks.get(ask, 0.0))

    def clear(self) -> None:
        """Forgets everything."""
        self.update_id, self.is_valid, self.bids, self.asks = 0, False, {}, {}

    def load(self, depth: Depth) -> None:
        """Takes a snapshot."""
        self.update_id, self.is_valid, self.is_narrow = depth.update_id, True, False
        self.bids, self.asks = dict(depth.bids), dict(depth.asks)

    def apply(self, diff: Diff) -> Fit:
        """Takes a diff."""
        if diff.last_id <= self.update_id:
            return Fit.OLD
        if diff.first_id > self.update_id + 1:
            self.is_valid = False
            return Fit.GAP
        for side, levels in ((self.bids, diff.bids), (self.asks, diff.asks)):
            side.update(levels)
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        self.update_id = diff.last_id
        if self.bids and self.asks and max(self.bids) >= min(self.asks):
            self.is_valid = False
            return Fit.GAP
        return Fit.NEXT

    def agreement(self, other: Book) -> float:
        """Of all levels that either has."""
        assert isinstance(other, FakeBook)
        mine, others = {**self.bids, **self.asks}, {**other.bids, **other.asks}
        prices = mine.keys() | others.keys()
        return sum(mine.get(price) == others.get(price) for price in prices) / len(prices) if prices else 1.0

    def item(self, source: Source, venue_time_ns: int, received_ns: int) -> Item:
        """What it shows now."""
        return Item(self.update_id, -1, ShownBook(self.update_id, self.is_valid, dict(self.bids), dict(self.asks), source))


class FakeKinds:
    """Every book that was made, and minutes counted from the epoch."""

    def __init__(self) -> None:
        self.books: list[FakeBook] = []

    def book(self, key: LaneKey) -> FakeBook:
        """A new book."""
        assert key.channel == "book"
        self.books.append(FakeBook())
        return self.books[-1]

    def close_ms(self, key: LaneKey) -> "MinuteEnd":
        """Ends of minutes."""
        assert key.channel.startswith("bars:")
        return MinuteEnd()


class MinuteEnd:
    """The last millisecond of a minute by its number."""

    def __call__(self, number: int) -> int:
        """Minutes are numbered from 1970 on."""
        return (number + 1) * MINUTE_MS - 1
