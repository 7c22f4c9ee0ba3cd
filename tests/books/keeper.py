"""Keeps one book from frames and snapshots, in the way that a venue's documentation asks for."""

from typing import Final, Protocol

from foxtrot.transport.base import Depth, Diff, Level
from foxtrot.transport.book import Fit

MOST: Final = 1_000


class Kept(Protocol):
    """What a keeper needs of a book; ``foxtrot.transport.book.Book`` has it all."""

    @property
    def update_id(self) -> int:
        """Up to which update it holds everything."""
        ...

    @property
    def is_valid(self) -> bool:
        """Whether it may be served."""
        ...

    @property
    def is_narrow(self) -> bool:
        """Whether a new snapshot is due though nothing is wrong."""
        ...

    @property
    def limit(self) -> int:
        """How many levels a side to ask for."""
        ...

    @property
    def top(self) -> tuple[float, float, float, float]:
        """Best bid, its size, best ask, its size."""
        ...

    def clear(self) -> None:
        """Forgets everything."""
        ...

    def load(self, depth: Depth) -> None:
        """Begins anew."""
        ...

    def apply(self, diff: Diff) -> Fit:
        """Takes the next diff."""
        ...


class Keeper:
    """One book on its stream. ``wanted`` is the limit of the snapshot that it waits for, 0: none.

    The frames since a snapshot was asked for are kept, and taken again once it has come. A snapshot that the frames do not join
    is asked for again. While a narrow book waits for a new one it goes on.
    """

    def __init__(self, book: Kept) -> None:
        self.book = book
        self.wanted = 0
        self.snapshots: list[int] = []
        self.gaps = 0
        self._since: list[Diff] = []

    def cut(self) -> None:
        """The stream is lost: whatever was known is history."""
        self.book.clear()
        self._since.clear()
        self.wanted = 0

    def frame(self, diff: Diff) -> None:
        """The stream says something."""
        if self.wanted:
            self._since.append(diff)
        if not self.book.is_valid:
            self._ask(diff)
        elif self.book.apply(diff) is Fit.GAP:
            self.gaps += 1
            self._throw_away()
            self._since = [diff]
            self._ask(diff)
        elif self.book.is_narrow:
            self._ask()

    def snapshot(self, depth: Depth) -> None:
        """What was asked for has come."""
        since, self._since, self.wanted = self._since, [], 0
        self.book.load(depth)
        for diff in since:
            if self.book.apply(diff) is Fit.GAP:
                self._throw_away()
                self._since = since
                self._ask(diff)
                return

    def _throw_away(self) -> None:
        """A book that has ended itself still knows how large a snapshot it needs."""
        if self.book.is_valid:
            self.book.clear()

    def resync(self) -> None:
        """An audit has failed: the book is not believed any longer."""
        self.book.clear()
        self._ask()

    def _ask(self, first: Diff | None = None) -> None:
        if not self.wanted:
            self.wanted = self.book.limit
            self.snapshots.append(self.wanted)
            if first is not None and not self._since:
                self._since = [first]


class NaiveBook:
    """Binance's procedure of 2025-11 to the letter, and nothing more: levels stay until the stream removes them."""

    def __init__(self) -> None:
        self.update_id = 0
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    @property
    def is_valid(self) -> bool:
        """It has a snapshot."""
        return self.update_id > 0

    @property
    def is_narrow(self) -> bool:
        """The procedure knows no such thing."""
        return False

    @property
    def limit(self) -> int:
        """More than the venue has."""
        return MOST

    @property
    def top(self) -> tuple[float, float, float, float]:
        """As its levels say, crossed or not."""
        bid, ask = max(self.bids, default=0.0), min(self.asks, default=0.0)
        return bid, self.bids.get(bid, 0.0), ask, self.asks.get(ask, 0.0)

    def clear(self) -> None:
        """Rule 6: a gap throws the book away."""
        self.update_id = 0

    def load(self, depth: Depth) -> None:
        """Rule 5."""
        self.update_id, self.bids, self.asks = depth.update_id, dict(depth.bids), dict(depth.asks)

    def apply(self, diff: Diff) -> Fit:
        """Rules 4 and 6."""
        if diff.last_id <= self.update_id:
            return Fit.OLD
        if diff.first_id > self.update_id + 1:
            return Fit.GAP
        for side, changes in ((self.bids, diff.bids), (self.asks, diff.asks)):
            for price, size in changes:
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        self.update_id = diff.last_id
        return Fit.NEXT

    def equal_share(self, truth: Depth) -> float:
        """Of all prices that it or the truth names, the share at which both name the same size."""
        return equal_share([*self.bids.items(), *self.asks.items()], [*truth.bids, *truth.asks])


def equal_share(ours: list[Level], theirs: list[Level]) -> float:
    """Of all prices that either side names, the share at which both name the same size; 1.0 for none."""
    mine, others = dict(ours), dict(theirs)
    prices = mine.keys() | others.keys()
    return sum(mine.get(price) == others.get(price) for price in prices) / len(prices) if prices else 1.0
