"""The one state of a symbol from which every answer and every frame is made."""

from collections.abc import Callable

from foxtrot.sandbox.level_book import DiffCollector, LevelBook
from foxtrot.sandbox.listings import Listing
from foxtrot.sandbox.tape import Tape

Top = tuple[int, int, int, int]

_BEHIND = 100
"""Levels that a quote may have left behind within the moment that a book lags."""


class Instrument:
    """Listing, book, tape and status of a symbol; whoever makes or replays its market writes here and nowhere else.

    A recording may bring a quote that is newer than its book. Then the quote is the top, its update id is the instrument's, and
    levels that stand better than it are gone: no answer is ever older than a quote already shown.
    """

    def __init__(self, listing: Listing, book: LevelBook, tape: Tape) -> None:
        self.listing = listing
        self.symbol = listing.symbol
        self.stream_prefix = listing.symbol.lower()
        self.book = book
        self.tape = tape
        self.is_halted = False
        self.quote: tuple[int, Top] | None = None
        self.catch_up: Callable[[], None] = _nothing_waits
        self.fast_diff: DiffCollector = book.collector()
        self.slow_diff: DiffCollector = book.collector()

    @property
    def status(self) -> str:
        """The venue's word: TRADING or HALT."""
        return "HALT" if self.is_halted else "TRADING"

    @property
    def update_id(self) -> int:
        """The newest update id any answer may name."""
        self.catch_up()
        return max(self.book.update_id, self.quote[0] if self.quote else 0)

    def top(self) -> Top:
        """Best bid and ask with sizes, in units; zeros where a side is empty."""
        self.catch_up()
        return self.quote[1] if self.quote and self.quote[0] >= self.book.update_id else self.book.best()

    def levels(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks from the best on."""
        self.catch_up()
        if not self.quote or self.quote[0] <= self.book.update_id:
            return self.book.bids.top(limit), self.book.asks.top(limit)
        bid, bid_size, ask, ask_size = self.quote[1]
        bids = [level for level in self.book.bids.top(limit + _BEHIND) if level[0] < bid]
        asks = [level for level in self.book.asks.top(limit + _BEHIND) if level[0] > ask]
        return [(bid, bid_size), *bids][:limit], [(ask, ask_size), *asks][:limit]


def _nothing_waits() -> None:
    """The book is always up to date."""
