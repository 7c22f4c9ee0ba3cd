"""Drives a lane of trades or aggregates: every id once, in order, live or as backfill."""

from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Item, Quote, Stats
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import LaneState, Reason, Serving, Source
from tests.support.fates import Sent, Value
from tests.support.lane_driver import LaneDriver
from tests.support.model_venue import IdVenue, Made

PAGE: Final = 3


class IdDriver(LaneDriver[Made]):
    """``questions`` are the pages under way: the live one, and the one for backfill (``last`` is not -1)."""

    def __init__(self, channel: str, venue: IdVenue, seed: int, hold_ns: int | None = HOLD_NS) -> None:
        super().__init__(is_tick=False, channel=channel, seed=seed, hold_ns=hold_ns)
        self.venue = venue
        self.hold_ns = hold_ns
        self.questions: list[steps.FetchPage] = []
        self.arrived: list[int] = []
        self.expected = 0
        self.owed: set[int] = set()  # told as gaps, and to come as backfill

    @property
    @override
    def has_question(self) -> bool:
        return bool(self.questions)

    def start(self) -> None:
        """The start answer: where the venue stands now."""
        last = self.venue.made[-1] if self.venue.made else Made(-1, -1)
        if not self.lane.is_started:
            self.expected = last.id + 1
        self.tell(steps.Start(Cursor(last.id, last.last_trade_id)))

    def jump(self, ids: int) -> None:
        """The venue leaves ids out: who listens cannot tell them from lost ones."""
        self.venue.jump(ids)
        self.is_flawed = True

    @override
    def something_new(self) -> None:
        self.send(self.venue.make())

    def answer(self, question: steps.FetchPage, length: int | None = None) -> None:
        """A page comes back, from a replica that knows so many of the venue's items (None: all)."""
        self.questions.remove(question)
        known = len(self.venue.made) if length is None else length
        items = self.venue.page(question.first, known, PAGE, question.source)
        self.tell(steps.Paged(items, len(items) == PAGE, question.last >= 0))

    def fail(self, question: steps.FetchPage) -> None:
        """A page cannot be had."""
        self.questions.remove(question)
        self.tell(steps.PageFailed(question.last >= 0))

    @override
    def finish_questions(self) -> None:
        for question in tuple(self.questions):
            self.answer(question)

    @override
    def fail_questions(self) -> None:
        for question in tuple(self.questions):
            self.fail(question)

    @override
    def is_complete(self) -> bool:
        newest = self.venue.made[-1].id if self.venue.made else -1
        return self.expected > newest and not self.owed

    @override
    def _ask(self) -> Answer:
        return self.venue.answer(len(self.venue.made), self.now // NS_PER_MS)

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        assert isinstance(question, steps.FetchPage)
        is_late = question.last >= 0
        assert all((other.last >= 0) is not is_late for other in self.questions), "one question of each kind at a time"
        assert not self.lane.is_held
        if is_late:
            assert question.source is Source.BACKFILL
            assert question.first <= question.last < self.expected, "backfill is of the past"
        else:
            assert question.first == self.expected, "a page begins at what is next"
            assert question.source is (Source.BACKFILL if self.serving is Serving.STREAM else Source.POLL)
        self.questions.append(question)

    @override
    def _is_news(self, frame: Made) -> bool:
        return frame.id >= self.expected

    @override
    def _accept(self, sent: Sent[Made]) -> bool:
        ids = self.lane.ids
        if ids is None or not ids.accept(sent.frame.id, sent.frame.last_trade_id, self.now, self._event_ms(sent)):
            return False
        self._arrive(sent.frame.id, Source.STREAM)
        return True

    @override
    def _offer(self, sent: Sent[Made]) -> None:
        self.tell(steps.Offered(sent.frame.item(Source.STREAM), self.now, self._event_ms(sent)))

    def _event_ms(self, sent: Sent[Made]) -> int:
        return (sent.at_ns + self.offset_ns) // NS_PER_MS

    @override
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None:
        assert isinstance(value, Item)
        assert value.value == (value.id, source), "told as coming from where it came from"
        assert source is not Source.STREAM or self.serving is Serving.STREAM, "nothing streamed unless the stream serves"
        self._arrive(value.id, source)

    def _arrive(self, item_id: int, source: Source) -> None:
        assert self.lane.state is not LaneState.CLOSED
        assert not self.lane.is_held, "a slow consumer gets nothing"
        if not self.arrived and self.expected == 0:
            self.expected = self.venue.made[0].id  # before the first id there is nothing to miss
        assert item_id == self.expected, "every id once, in order"
        self.arrived.append(item_id)
        self.told.append(Value(item_id, source))
        self.expected = item_id + 1

    @override
    def _backfilled(self, items: Sequence[Item]) -> None:
        ids = [item.id for item in items]
        assert ids == sorted(set(ids))
        assert set(ids) <= self.owed, "backfill brings what a gap named, once"
        assert all(item.value == (item.id, Source.BACKFILL) for item in items)
        self.owed -= set(ids)

    @override
    def _missing(self, gap: steps.Missing) -> None:
        assert gap.first == self.expected
        assert gap.first <= gap.last
        is_waited_for = gap.reason is Reason.HOLD  # nobody could say whether there was anything before the first id
        assert self.arrived or gap.first > 0 or is_waited_for, "before the first id there is nothing to miss"
        missed = {made.id for made in self.venue.made if gap.first <= made.id <= gap.last}
        if gap.reason is Reason.HOLD:
            assert self.hold_ns is not None, "who holds for ever misses nothing"
            self.owed |= missed
        else:
            assert not missed, "a gap names only what the venue does not have, or what was waited for"
        self.expected = gap.last + 1

    @override
    def _check_door(self) -> None:
        ids = self.lane.ids
        if ids is None:
            return
        assert ids.delivered == len(self.arrived)
        assert ids.is_live is (self.serving is Serving.STREAM)
        if self.arrived:
            assert ids.next_id == self.expected
