"""Drives a lane of bars of five seconds: closed ones once each, in order, as the venue has them; the open one only grows."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.bar_order import BarOrder
from foxtrot.transport.base import Answer, Cursor, Draft, Item, Quote, Stats
from foxtrot.transport.lane import Lane
from foxtrot.transport.values_bars import STREAM_GRACE_NS, BarValues
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Serving, Source
from tests.support.fates import Sent, Value
from tests.support.lane_driver import START_NS, LaneDriver
from tests.support.model_venue import FIGURES

LENGTH_MS: Final = 5_000
PAGE: Final = 50
TRAIL_NS: Final = NS_PER_S
"""Replicas trail no further: what a page must hold is reckoned with that."""


def close_ms(number: int) -> int:
    """The last millisecond of a bar."""
    return (number + 1) * LENGTH_MS - 1


class Bar(NamedTuple):
    """What a bar holds: its number, how many trades, and the newest of them (-1: none)."""

    number: int
    trades: int
    last_trade_id: int


class BarVenue:
    """Trades, and the bars that they make. Its clock never steps back."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.first = now_ms // LENGTH_MS - 1
        self.times = [now_ms]  # when each trade was made; its id is its place

    def passed(self, now_ms: int) -> list[int]:
        """It is so late: the bars that close now."""
        before, self.now_ms = self.now_ms // LENGTH_MS, max(self.now_ms, now_ms)
        return list(range(before, self.now_ms // LENGTH_MS))

    def trade(self) -> None:
        """One more."""
        self.times.append(self.now_ms)

    def newest(self, at_ms: int) -> int:
        """The newest trade at that time."""
        return bisect_right(self.times, at_ms) - 1

    def bar(self, number: int, at_ms: int | None = None) -> Bar:
        """A bar as it is now, or as it was at that time."""
        end_ms = close_ms(number) if at_ms is None else min(at_ms, close_ms(number))
        last, before = self.newest(end_ms), self.newest(number * LENGTH_MS - 1)
        return Bar(number, last - before, last if last > before else -1)

    def page(self, first: int, at_ms: int, source: Source) -> list[Item | Draft]:
        """Bars as a replica answers that stands at that time: the last one is open."""
        last = at_ms // LENGTH_MS
        bars = [self.bar(number, at_ms) for number in range(max(first, self.first), last + 1)][:PAGE]
        rows: list[Item | Draft] = [Item(bar.number, -1, (bar[:2], source)) for bar in bars[:-1]]
        return [*rows, *(Draft(bar.number, bar.trades, -1, (bar[:2], source)) for bar in bars[-1:])]


class BarDriver(LaneDriver[tuple[Bar, bool]]):
    """Frames are (bar, whether it has closed). ``sends_closes``: the stream says so of each bar that has."""

    def __init__(self, seed: int, *, sends_closes: bool) -> None:
        super().__init__(is_tick=False, channel="bars:5s", seed=seed)
        self.lane = Lane(self.lane.key, BarValues(close_ms), now_ns=self.now, chance=random.Random(seed).random)
        self.venue = BarVenue(START_NS // NS_PER_MS)
        self.sends_closes = sends_closes
        self.questions: list[tuple[steps.FetchPage, int]] = []  # and when it was asked
        self.expected = 0
        self.rank = -1
        self.count = 0

    @property
    def order(self) -> BarOrder | None:
        """The lane's, once started."""
        order = self.lane.values.order
        assert order is None or isinstance(order, BarOrder)
        return order

    @property
    @override
    def has_question(self) -> bool:
        return bool(self.questions)

    def start(self) -> None:
        """The start answer: the last closed bar, without a trade id."""
        self._pass()
        if not self.lane.is_started:
            self.expected = self.venue.now_ms // LENGTH_MS
        self.tell(steps.Start(Cursor(self.venue.now_ms // LENGTH_MS - 1, -1)))

    @override
    def something_new(self) -> None:
        self._pass()
        self.venue.trade()
        self.send((self.venue.bar(self.venue.now_ms // LENGTH_MS), False))

    @override
    def pass_time(self, span_ns: int, *, may_probe: bool = True, is_synced: bool = True) -> None:
        self.now += span_ns
        self._pass()
        super().pass_time(0, may_probe=may_probe, is_synced=is_synced)

    def poll(self, at_ms: int, asked_ns: int) -> None:
        """A poll is answered, by a replica that stands at that time."""
        self.is_flawed |= at_ms != self.venue.now_ms
        self.poll_answered(self._answer(at_ms), asked_ns)

    def answer(self, question: tuple[steps.FetchPage, int], behind_ns: int = 0) -> None:
        """A page comes back, from a replica that trails so far behind the moment at which it was asked."""
        self.questions.remove(question)
        wanted, asked_ns = question
        rows = self.venue.page(wanted.first, (asked_ns + self.offset_ns - behind_ns) // NS_PER_MS, wanted.source)
        items = [row for row in rows if isinstance(row, Item)]
        draft = rows[-1] if rows and isinstance(rows[-1], Draft) else None
        self.tell(steps.Paged(items, len(rows) >= PAGE, draft=draft, asked_ns=asked_ns))

    def fail(self, question: tuple[steps.FetchPage, int]) -> None:
        """A page cannot be had."""
        self.questions.remove(question)
        self.tell(steps.PageFailed())

    @override
    def finish_questions(self) -> None:
        self._pass()
        for question, _ in tuple(self.questions):
            self.questions = [(question, self.now)]  # it was admitted just now
            self.answer(self.questions[0])

    @override
    def fail_questions(self) -> None:
        for question in tuple(self.questions):
            self.fail(question)

    @override
    def is_complete(self) -> bool:
        settled_ms = self.venue.now_ms - (STREAM_GRACE_NS + NS_PER_S) // NS_PER_MS
        if self.expected < settled_ms // LENGTH_MS:
            return False
        is_open = self.expected == self.venue.now_ms // LENGTH_MS
        return not is_open or max(self.rank, 0) >= self.venue.bar(self.expected, settled_ms).trades

    @override
    def perform(self, effect: steps.Effect) -> None:
        if isinstance(effect, steps.Deliver):
            for value in effect.values:
                assert isinstance(value, Item | Draft)
                self._told(value, effect.source)
        else:
            super().perform(effect)

    def _pass(self) -> None:
        for number in self.venue.passed((self.now + self.offset_ns) // NS_PER_MS):
            if self.sends_closes:
                self.send((self.venue.bar(number), True))

    def _answer(self, at_ms: int) -> Answer:
        return Answer("BTCUSDT", None, Stats(self.venue.newest(at_ms), at_ms, FIGURES, 0))

    @override
    def _ask(self) -> Answer:
        self._pass()
        return self._answer(self.venue.now_ms)

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        assert isinstance(question, steps.FetchPage)
        assert not self.questions, "one question at a time"
        assert not self.lane.is_held
        assert question.last == -1, "nothing is owed"
        assert question.first == self.expected, "a page begins at what is next"
        assert question.source is (Source.BACKFILL if self.serving is Serving.STREAM else Source.POLL)
        self.questions.append((question, self.now))

    @override
    def _is_news(self, frame: tuple[Bar, bool]) -> bool:
        return frame[0].number >= self.expected

    @override
    def _accept(self, sent: Sent[tuple[Bar, bool]]) -> bool:
        (bar, is_closed), event_ms = sent.frame, self._event_ms(sent)
        if self.order is None:
            return False
        value = self._value(bar, is_closed=is_closed)
        if isinstance(value, Draft):
            is_in = self.order.accept_draft(value, self.now, event_ms)
        else:
            is_in = self.order.accept(value.id, value.last_trade_id, self.now, event_ms)
        if is_in:
            self._told(value, Source.STREAM)
        return is_in

    @override
    def _offer(self, sent: Sent[tuple[Bar, bool]]) -> None:
        bar, is_closed = sent.frame
        self.tell(steps.Offered(self._value(bar, is_closed=is_closed), self.now, self._event_ms(sent)))

    def _value(self, bar: Bar, *, is_closed: bool) -> Item | Draft:
        value = (bar[:2], Source.STREAM)
        return (
            Item(bar.number, bar.last_trade_id, value) if is_closed else Draft(bar.number, bar.trades, bar.last_trade_id, value)
        )

    def _event_ms(self, sent: Sent[tuple[Bar, bool]]) -> int:
        return (sent.at_ns + self.offset_ns) // NS_PER_MS

    def _told(self, value: Item | Draft, source: Source) -> None:
        assert self.lane.state is not LaneState.CLOSED
        assert not self.lane.is_held, "a slow consumer gets nothing"
        assert source is not Source.STREAM or self.serving is Serving.STREAM, "nothing streamed unless the stream serves"
        assert isinstance(value.value, tuple)
        (number, count), mapped = value.value
        assert (number, mapped) == (value.id, source), "told as coming from where it came from"
        assert value.id == self.expected, "closed bars each once, in order; the open one is the next"
        self.count += 1
        self.told.append(Value(value.id, source))
        if isinstance(value, Draft):
            assert value.rank == count > self.rank, "the open bar only grows"
            self.rank = value.rank
        else:
            assert count == self.venue.bar(number).trades, "as the venue has it in the end"
            self.expected, self.rank = value.id + 1, -1

    @override
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None:
        raise AssertionError("bars are told above")

    @override
    def _backfilled(self, items: Sequence[Item]) -> None:
        raise AssertionError("bars wait: there is no backfill")

    @override
    def _missing(self, gap: steps.Missing) -> None:
        raise AssertionError("the venue has every bar")

    @override
    def _check_door(self) -> None:
        order = self.order
        if order is None:
            return
        assert order.delivered == self.count
        assert order.is_live is (self.serving is Serving.STREAM)
        assert order.next_id == self.expected
