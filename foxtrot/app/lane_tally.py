"""Counts what one lane delivered to a handler."""

from typing import Final

from foxtrot.adapter.binance.intervals import parse
from foxtrot.app.histogram import AgeHistogram
from foxtrot.app.missing_ids import MissingIds
from foxtrot.util.channel import interval_of
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Channel
from foxtrot.util.object import BarData, OrderBookData, TickData


class LaneTally:
    """What one lane delivered to a handler. Written by the event thread alone.

    ``gaps`` counts the holes that live values left, ``missing`` knows the ids in them and which of them came as backfill,
    ``best`` is the last known best bid and ask (0.0: none).
    """

    __slots__ = (
        "best",
        "delivered",
        "duplicates",
        "event_ages",
        "gaps",
        "has_event_ages",
        "last_id",
        "last_price",
        "local_ages",
        "missing",
    )

    def __init__(self) -> None:
        self.delivered = 0
        self.duplicates = 0
        self.gaps = 0
        self.missing: Final = MissingIds()
        self.last_id = -1  # ids begin at 0
        self.last_price = 0.0
        self.best = (0.0, 0.0)
        self.local_ages: Final = AgeHistogram()
        self.event_ages: Final = AgeHistogram()
        self.has_event_ages = True  # whether the venue's clock was known for every value

    def take(self, number: int, price: float, local_age_ns: int, event_age_ns: int | None) -> None:
        """A value with an id."""
        self._take_id(number)
        self.delivered += 1
        self.last_price = price
        self.local_ages.record(local_age_ns)
        if event_age_ns is None:
            self.has_event_ages = False
        else:
            self.event_ages.record(event_age_ns)

    def _take_id(self, number: int) -> None:
        """One that is not above the last is a duplicate, one that is not the next comes behind a gap."""
        if number > self.last_id:
            if number != self.last_id + 1 and self.last_id >= 0:
                self.gaps += 1
                self.missing.add(self.last_id + 1, number - 1)
            self.last_id = number
        else:
            self.duplicates += 1

    def take_late(self, number: int) -> None:
        """A value that came as backfill: one that was not missing is a duplicate."""
        self.duplicates += not self.missing.find(number)


class TickTally(LaneTally):
    """The same for ticks, whose ids are those of the quote: they skip, and a polled quote has none."""

    __slots__ = ("_previous_id", "tick")

    def __init__(self) -> None:
        super().__init__()
        self.has_event_ages = False  # the venue's quotes carry no time
        self.tick: TickData | None = None
        self._previous_id = 0

    def take_tick(self, tick: TickData, age_ns: int) -> None:
        """A quote older than one delivered is a duplicate; the same quote twice is one, unless newer 24 h figures came."""
        number = tick.update_id
        self.delivered += 1
        if number:
            is_repeated = number == self._previous_id and not tick.venue_time_ns
            self.duplicates += number < self.last_id or is_repeated
            self.last_id = max(self.last_id, number)
        self._previous_id = number
        self.last_price = tick.last_price
        self.best = (tick.bid_price_1, tick.ask_price_1)
        self.tick = tick
        self.local_ages.record(age_ns)


class BookTally(LaneTally):
    """The same for order books: their update ids skip, and one that is not valid has none of its own."""

    __slots__ = ("_previous",)

    def __init__(self) -> None:
        super().__init__()
        self.has_event_ages = False  # a polled one carries no time
        self._previous: tuple[object, ...] = ()

    def take_book(self, book: OrderBookData, age_ns: int) -> None:
        """A valid book that is older than the last one is a duplicate, or of the same update and says nothing else.

        The same update comes again behind a book that ended, or was found wrong.
        """
        self.delivered += 1
        said = (book.update_id, book.is_valid, book.bids, book.asks)
        if book.is_valid:
            self.duplicates += book.update_id < self.last_id or said == self._previous
            self.last_id = max(self.last_id, book.update_id)
        self._previous = said
        self.best = (book.bids[0][0] if book.bids else 0.0, book.asks[0][0] if book.asks else 0.0)
        self.local_ages.record(age_ns)


class BarTally(LaneTally):
    """The same for bars of one interval, by its number: closed ones are whole, an open one comes any number of times."""

    __slots__ = ("_number_of",)

    def __init__(self, interval: str) -> None:
        super().__init__()
        self.has_event_ages = False  # a bar's time is that of its opening
        self._number_of: Final = parse(interval).number_of

    def take_bar(self, bar: BarData, age_ns: int) -> None:
        """A closed bar that came before is a duplicate, and so is an open one of an interval that has closed."""
        number = self.number_of(bar)
        self.delivered += 1
        if bar.is_closed:
            self._take_id(number)
        else:
            self.duplicates += number <= self.last_id
        self.last_price = bar.close_price
        self.local_ages.record(age_ns)

    def number_of(self, bar: BarData) -> int:
        """Which interval it is, counted from 1970."""
        return self._number_of(bar.venue_time_ns // NS_PER_MS)


def tally_of(channel: str) -> LaneTally:
    """An empty tally for a lane of this channel."""
    if channel == Channel.TICK:
        return TickTally()
    if channel == Channel.BOOK:
        return BookTally()
    interval = interval_of(channel)
    return BarTally(interval) if interval else LaneTally()
