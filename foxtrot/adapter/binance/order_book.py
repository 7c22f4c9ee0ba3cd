"""Keeps one order book by Binance's rules.

The rules (binance.md, section 3; the venue's text of 2025-11-12), each named by the method that enforces it:

1. Open the diff stream and keep its events; remember the first id ``U`` of the first one.
2. Ask for a snapshot (``depth``).
3. A snapshot older than that first ``U`` is useless: ask again.
4. Drop the events that the snapshot holds already: ``u <= lastUpdateId``.
5. The book becomes the snapshot, at ``lastUpdateId``.
6. Each further event: older than the book, ignore it; beginning later than the next id, throw the book away and begin anew; else
   set its levels, whose sizes are absolute (0 removes a level, also one that is not there), and take over its ``u``.

Two things the text gets wrong or leaves out:

7. It says that the first event kept should hold ``lastUpdateId`` itself. In 12 of 13 recordings it begins exactly one later, so
   here every event fits that has ``U <= lastUpdateId + 1 <= u``.
8. A snapshot shows the best levels alone, and the stream speaks of the best 5,000 alone. A book kept by rules 1 to 6 for 25 hours
   was found to equal a fresh snapshot on 24 % of its bids: the rest were ghosts. So a book knows its range: from the worst bid to
   the worst ask of its snapshot, or of as many levels of a side as are kept, whichever is nearer. What lies outside is not held,
   and neither shown nor said to be absent. A side of which the snapshot showed less than it was asked for is known whole.
"""

from typing import Final

from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.book_side import BookSide
from foxtrot.transport.base import Depth, Diff, Item, Level
from foxtrot.transport.book import Book, Fit
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import OrderBookData

SPARE: Final = 4
"""With less than one in so many of its snapshot's levels left on a side a book asks for the next. Over an hour of a market that
wanders, 35 books ended because the price had left what was known when they asked at the last moment (``depth``); so 1 did.
"""


class OrderBook:
    """One symbol's book. ``reach`` says how many levels it delivers and keeps, and is shared by all books of the symbol.

    ``update_id``: up to which update it holds everything (0: none). ``is_valid``: it may be served. A book that ended keeps the
    id of its last update, and no levels.
    """

    __slots__ = (
        "_adapter_name", "_asks", "_bids", "_limit", "_reach", "_snapshot_ns", "_symbol", "is_valid", "update_id",
    )  # fmt: skip

    def __init__(self, symbol: str, adapter_name: str, reach: BookReach) -> None:
        self._symbol = symbol
        self._adapter_name = adapter_name
        self._reach = reach
        self._bids = BookSide(is_bid=True)
        self._asks = BookSide(is_bid=False)
        self._limit = 0  # of the snapshot it began with
        self._snapshot_ns = 0  # when that arrived
        self.update_id = 0
        self.is_valid = False

    @property
    def is_narrow(self) -> bool:
        """Whether too few levels are known on a side, and there may be more (rule 8): a snapshot is due.

        Too few are less than are to be delivered, or than a quarter of what the snapshot showed: a price that runs away must not
        leave the range before the next one has come. The book is right as far as it goes, and may be served meanwhile.
        """
        depth = max(self._reach.depth, min(self._limit, self._reach.kept) // SPARE)
        return self._bids.is_narrow(depth) or self._asks.is_narrow(depth)

    @property
    def limit(self) -> int:
        """How many levels a side the next snapshot is to be asked for (rule 2)."""
        return self._reach.limit

    @property
    def top(self) -> tuple[float, float, float, float]:
        """Best bid, its size, best ask, its size; 0.0 for a side that is empty."""
        return (*self._bids.best, *self._asks.best)

    @property
    def bids(self) -> tuple[Level, ...]:
        """Every bid that is known, best first."""
        return tuple(self._bids.levels)

    @property
    def asks(self) -> tuple[Level, ...]:
        """Every ask that is known, best first."""
        return tuple(self._asks.levels)

    @property
    def known(self) -> tuple[float, float]:
        """The lowest and the highest price at which every level is known; (0.0, 0.0) while it is not valid."""
        return (self._bids.low, self._asks.high) if self.is_valid else (0.0, 0.0)

    def clear(self) -> None:
        """Forgets everything, also that larger snapshots were needed: not valid until the next one (rule 6)."""
        self._end()
        self.update_id = 0
        self._reach.forget()

    def load(self, depth: Depth) -> None:
        """Becomes the snapshot (rule 5), as far as it is kept (rule 8); one that is crossed is no book.

        Whether it is new enough (rule 3) shows when the events at hand are applied.
        """
        kept = self._reach.kept
        self._bids.load(depth.bids, depth.limit, kept)
        self._asks.load(depth.asks, depth.limit, kept)
        self.update_id = depth.update_id
        self._limit, self._snapshot_ns = depth.limit, depth.received_ns
        self.is_valid = True
        if self._is_unfit():
            self._end()

    def apply(self, diff: Diff) -> Fit:
        """Takes the next event (rules 4, 6, 7), or ends: with one too late, or one that leaves it crossed or without a best.

        The second: the price has left the known range on a side (rule 8), before a larger snapshot came.
        """
        if not self.is_valid:
            return Fit.GAP
        if diff.last_id <= self.update_id:
            return Fit.OLD
        if diff.first_id > self.update_id + 1:
            return self._end()
        kept = self._reach.kept
        self._bids.put(diff.bids, kept)
        self._asks.put(diff.asks, kept)
        self.update_id = diff.last_id
        if self.is_narrow:
            self._reach.was_narrow(self._limit, diff.received_ns - self._snapshot_ns)
        return self._end() if self._is_unfit() else Fit.NEXT

    def agreement(self, other: Book) -> float:
        """The share of levels, within what both know, that are equal here and in another book of the same update id.

        0.0 to 1.0; 1.0 where there is no level. A snapshot becomes such a book by ``load``, and by the events since. Raises
        ValueError for two that cannot be compared.
        """
        if not isinstance(other, OrderBook) or other.update_id != self.update_id or not (self.is_valid and other.is_valid):
            raise ValueError("two valid order books of the same update id can be compared, no others")
        bids, all_bids = self._bids.agreeing(other._bids)  # noqa: SLF001 -- another book
        asks, all_asks = self._asks.agreeing(other._asks)  # noqa: SLF001 -- another book
        return (bids + asks) / (all_bids + all_asks) if all_bids + all_asks else 1.0

    def item(self, source: Source, venue_time_ns: int, received_ns: int) -> Item:
        """The best levels as they are delivered, under the book's update id; none, and no range, while it is not valid.

        The range ends with the last level that is shown on a side where more are known. Times are nanoseconds since 1970 UTC.
        """
        depth = self._reach.depth
        bids, low = self._bids.shown(depth)
        asks, high = self._asks.shown(depth)
        if not self.is_valid:
            low = high = 0.0
        value = OrderBookData(
            self._symbol, Exchange.BINANCE, self._adapter_name, source, venue_time_ns, received_ns,
            bids, asks, self.update_id, self.is_valid, low, high,
        )  # fmt: skip
        return Item(self.update_id, -1, value)

    def _is_unfit(self) -> bool:
        """Whether it is crossed, or the best level of a side is not known."""
        bids, asks = self._bids, self._asks
        if len(bids) and len(asks):
            return bids.best[0] >= asks.best[0]
        return bids.is_narrow(1) or asks.is_narrow(1)

    def _end(self) -> Fit:
        self.is_valid = False
        self._bids.clear()
        self._asks.clear()
        return Fit.GAP
