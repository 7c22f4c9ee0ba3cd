"""Drives a lane of an order book: what is delivered is the venue's book at its update, or says that it is none."""

import random
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Depth, Diff, Item, Level, Quote, Stats
from foxtrot.transport.book_order import BookOrder
from foxtrot.transport.lane import Lane
from foxtrot.transport.values_book import BookValues
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import LaneState, Serving, Source
from tests.support.fake_book import FakeBook, ShownBook
from tests.support.fates import Sent, Value
from tests.support.lane_driver import LaneDriver

BIDS: Final = (1.0, 0.9, 0.8, 0.7)
ASKS: Final = (2.0, 2.1, 2.2, 2.3)

Sides = tuple[dict[float, float], dict[float, float]]


class BookVenue:
    """A book that moves; ``states`` is what it was at each update that ended a diff."""

    def __init__(self) -> None:
        self.update_id = 100
        self.bids: dict[float, float] = {1.0: 1.0, 0.9: 1.0}
        self.asks: dict[float, float] = {2.0: 1.0, 2.1: 1.0}
        self.states: dict[int, Sides] = {100: (dict(self.bids), dict(self.asks))}

    def change(self, chance: random.Random, updates: int = 1) -> Diff:
        """Some levels get other sizes; the diff that says so."""
        bids, asks = self._levels(BIDS, chance), self._levels(ASKS, chance)
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            side.update(levels)
            for price, size in levels:
                if not size:
                    del side[price]
        first, self.update_id = self.update_id + 1, self.update_id + updates
        self.states[self.update_id] = (dict(self.bids), dict(self.asks))
        return Diff(first, self.update_id, bids, asks)

    def depth(self, update_id: int, asked_ns: int, now_ns: int) -> Depth:
        """A snapshot of what it was at that update."""
        bids, asks = self.states[update_id]
        return Depth(update_id, sorted(bids.items(), reverse=True), sorted(asks.items()), 100, asked_ns, now_ns)

    def quote(self, update_id: int, asked_ns: int, now_ns: int) -> Quote:
        """The best levels at that update, as a poll tells them."""
        bids, asks = self.states[update_id]
        bid, ask = max(bids, default=0.0), min(asks, default=0.0)
        return Quote(0, bid, bids.get(bid, 0.0), ask, asks.get(ask, 0.0), now_ns, asked_ns)

    def _levels(self, prices: Sequence[float], chance: random.Random) -> list[Level]:
        return [(price, float(chance.randrange(4))) for price in chance.sample(prices, chance.randrange(3))]


class BookDriver(LaneDriver[Diff]):
    """``questions`` are the snapshots under way, by whether they are to compare; ``sent`` the updates that answer them."""

    def __init__(self, seed: int) -> None:
        super().__init__(is_tick=False, channel="book", seed=seed)
        self.chance = random.Random(seed)
        self.lane = Lane(self.lane.key, BookValues(FakeBook), now_ns=self.now, chance=random.Random(seed).random)
        self.venue = BookVenue()
        self.questions: dict[bool, steps.FetchDepth] = {}
        self.sent: dict[bool, tuple[int, int]] = {}  # the update that the answer will show, and when that was asked
        self.count = 0
        self.last = Value(0, Source.POLL)
        self.is_last_valid = True
        self.heard_id = 0

    @property
    def order(self) -> BookOrder:
        """The lane's."""
        assert isinstance(self.lane.values.order, BookOrder)
        return self.lane.values.order

    @property
    @override
    def has_question(self) -> bool:
        return False in self.questions  # nobody waits for a comparison

    @override
    def something_new(self) -> None:
        self.change(self.chance.randrange(1, 4))

    def change(self, updates: int = 1) -> None:
        """The venue's book moves."""
        self.send(self.venue.change(self.chance, updates))

    def poll(self, update_id: int, asked_ns: int) -> None:
        """A poll is answered, by a replica that stands at that update."""
        self.is_flawed |= update_id != self.venue.update_id
        self.poll_answered(Answer("BTCUSDT", self.venue.quote(update_id, asked_ns, self.now), None), asked_ns)

    def send_question(self, *, is_audit: bool) -> None:
        """A snapshot's request reaches the venue."""
        self.sent[is_audit] = (self.venue.update_id, self.now)

    def answer(self, *, is_audit: bool, update_id: int | None = None) -> None:
        """A snapshot comes back: of when it was asked, or of that update."""
        known_id, asked_ns = self.sent.pop(is_audit, (self.venue.update_id, self.now))
        del self.questions[is_audit]
        self.is_flawed |= update_id is not None
        depth = self.venue.depth(known_id if update_id is None else update_id, asked_ns, self.now)
        self.tell(steps.Snapped(depth, is_audit))

    def fail(self, *, is_audit: bool) -> None:
        """A snapshot cannot be had."""
        self.sent.pop(is_audit, None)
        del self.questions[is_audit]
        self.tell(steps.Snapped(None, is_audit))

    @override
    def finish_questions(self) -> None:
        for is_audit in tuple(self.questions):
            self.answer(is_audit=is_audit)

    @override
    def fail_questions(self) -> None:
        for is_audit in tuple(self.questions):
            self.fail(is_audit=is_audit)

    @override
    def is_complete(self) -> bool:
        return self.is_last_valid and self.last.id == self.venue.update_id

    @override
    def perform(self, effect: steps.Effect) -> None:
        if isinstance(effect, steps.FetchDepth):
            assert effect.is_audit not in self.questions, "one question of each kind at a time"
            assert self.lane.is_started
            assert not effect.is_resync or (self.serving is Serving.STREAM and not self.order.book.is_valid)
            self.questions[effect.is_audit] = effect
            return
        assert not isinstance(effect, steps.Disagreed), "nothing was wrong with any diff"
        super().perform(effect)

    @override
    def _ask(self) -> Answer:
        return Answer("BTCUSDT", self.venue.quote(self.venue.update_id, self.now, self.now), None)

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        raise AssertionError("a book has snapshots")

    @override
    def _is_news(self, frame: Diff) -> bool:
        is_news = frame.last_id > self.heard_id
        self.heard_id = max(self.heard_id, frame.last_id)
        return is_news

    @override
    def _accept(self, sent: Sent[Diff]) -> bool:
        value = self.order.accept(sent.frame, self.now, self._event_ms(sent))
        if value is None:
            return False
        self._arrive(value, Source.STREAM)
        return True

    @override
    def _offer(self, sent: Sent[Diff]) -> None:
        self.tell(steps.Offered(sent.frame, self.now, self._event_ms(sent)))

    def _event_ms(self, sent: Sent[Diff]) -> int:
        return (sent.at_ns + self.offset_ns) // NS_PER_MS

    @override
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None:
        assert isinstance(value, Item)
        assert isinstance(value.value, ShownBook)
        assert value.id == value.value.update_id
        self._arrive(value.value, source)

    def _arrive(self, book: object, source: Source) -> None:
        assert isinstance(book, ShownBook)
        assert self.lane.state is not LaneState.CLOSED
        assert self.lane.is_started, "nothing is told before the first state"
        assert book.source is source
        assert self.serving is (Serving.STREAM if source is Source.STREAM else Serving.POLL), "told by what serves"
        if book.is_valid:
            assert book.update_id > self.last.id or (book.update_id == self.last.id and not self.is_last_valid)
            assert (book.bids, book.asks) == self.venue.states[book.update_id], "the venue's book at its update"
        else:
            assert source is Source.STREAM
            assert self.is_last_valid, "that it ended is told once"
            assert book.update_id >= self.last.id
        self.count += 1
        self.is_last_valid = book.is_valid
        self.last = Value(book.update_id, source)
        self.told.append(self.last)

    @override
    def _backfilled(self, items: Sequence[Item]) -> None:
        raise AssertionError("books have no backfill")

    @override
    def _missing(self, gap: steps.Missing) -> None:
        raise AssertionError("books have no gaps")

    @override
    def _check_door(self) -> None:
        assert self.order.delivered == self.count
        assert self.order.is_live is (self.serving is Serving.STREAM)
        if self.order.book.is_valid:
            book = self.order.book
            assert isinstance(book, FakeBook)
            assert (book.bids, book.asks) == self.venue.states[book.update_id], "the stream's book is right or is none"
