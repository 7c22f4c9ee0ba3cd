"""A venue in memory with one stream and one REST side, both of which misbehave on request."""

from dataclasses import dataclass, field

from foxtrot.transport.base import Answer, Item, Quote, Stats
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Source

Levels = tuple[float, float, float, float]
FIGURES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Made:
    """One trade, or one aggregate of trades, as the venue made it."""

    id: int
    last_trade_id: int

    def item(self, source: Source) -> Item:
        """As a transport hands it over."""
        return Item(self.id, self.last_trade_id, (self.id, source))


@dataclass(frozen=True)
class Moment:
    """What a tick says at one time; ``version`` counts the quotes that the venue has had."""

    version: int
    update_id: int
    book_id: int
    levels: Levels
    last_id: int
    close_ms: int


@dataclass
class IdVenue:
    """A growing list of items with ids, which may jump."""

    made: list[Made] = field(default_factory=list)
    next_id: int = 0
    trade_id: int = -1

    def make(self, trades: int = 1) -> Made:
        """The next item, of so many trades."""
        self.trade_id += trades
        made = Made(self.next_id, self.trade_id)
        self.made.append(made)
        self.next_id += 1
        return made

    def jump(self, ids: int) -> None:
        """Ids that no item will ever have."""
        self.next_id += ids
        self.trade_id += ids

    def page(self, first: int, length: int, size: int, source: Source) -> list[Item]:
        """Items from an id on, as a replica answers that knows the first ``length`` items only."""
        return [made.item(source) for made in self.made[:length] if made.id >= first][:size]

    def answer(self, length: int, close_ms: int) -> Answer:
        """A ``ticker/24hr``, by the same replica."""
        last_id = self.made[length - 1].last_trade_id if length else -1
        return Answer("BTCUSDT", None, Stats(last_id, close_ms, FIGURES, 0))


@dataclass
class TickVenue:
    """A quote that changes, trades that move the 24 h figures."""

    moments: list[Moment] = field(default_factory=lambda: [Moment(0, 7, 7, (1.0, 1.0, 2.0, 1.0), -1, 0)])

    @property
    def now(self) -> Moment:
        """The present."""
        return self.moments[-1]

    def change(self, levels: Levels, ids: int) -> Moment:
        """A new quote, after so many changes of the book."""
        last = self.now
        book_id = last.book_id + ids
        return self._add(Moment(last.version + 1, book_id, book_id, levels, last.last_id, last.close_ms))

    def deepen(self) -> Moment:
        """A change of the book that leaves the quote alone."""
        last = self.now
        return self._add(Moment(last.version, last.update_id, last.book_id + 1, last.levels, last.last_id, last.close_ms))

    @property
    def newest_trade(self) -> int:
        """The last trade ever made."""
        return max(moment.last_id for moment in self.moments)

    def trade(self, now_ns: int) -> Moment:
        """A trade, which leaves the quote alone."""
        last = self.now
        close_ms = max(last.close_ms, now_ns // NS_PER_MS)
        return self._add(Moment(last.version, last.update_id, last.book_id, last.levels, self.newest_trade + 1, close_ms))

    def empty(self, now_ns: int) -> Moment:
        """The last trade leaves the window of 24 h."""
        last = self.now
        close_ms = max(last.close_ms + 1, now_ns // NS_PER_MS)
        return self._add(Moment(last.version, last.update_id, last.book_id, last.levels, -1, close_ms))

    def _add(self, moment: Moment) -> Moment:
        self.moments.append(moment)
        return moment


def polled(moment: Moment, asked_ns: int, now_ns: int, *, with_stats: bool) -> Answer:
    """A ``ticker/24hr``, or a ``ticker/bookTicker`` without the figures."""
    quote = Quote(0, *moment.levels, now_ns, asked_ns)
    return Answer("BTCUSDT", quote, stats(moment, now_ns) if with_stats else None)


def anchor(moment: Moment, asked_ns: int, now_ns: int) -> Quote:
    """A ``depth?limit=5``."""
    return Quote(moment.book_id, *moment.levels, now_ns, asked_ns)


def streamed(moment: Moment, now_ns: int) -> Quote:
    """A ``bookTicker`` frame."""
    return Quote(moment.update_id, *moment.levels, now_ns)


def stats(moment: Moment, now_ns: int) -> Stats:
    """A ``24hrTicker`` frame."""
    return Stats(moment.last_id, moment.close_ms, FIGURES, now_ns)
