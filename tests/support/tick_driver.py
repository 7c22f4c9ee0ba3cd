"""Drives a tick's lane: quotes and figures that never go back in the venue's own order."""

from collections.abc import Sequence

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Item, Quote, Stats
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Serving, Source
from tests.support import model_venue
from tests.support.fates import Sent, Value
from tests.support.lane_driver import STREAM_ON, LaneDriver
from tests.support.model_venue import Levels, Moment, TickVenue

Frame = tuple[str, Moment]
"""("quote" or "stats", the moment that it tells of)."""


class TickDriver(LaneDriver[Frame]):
    """``question`` is the anchor under way, ``sent`` what the venue will answer to it."""

    def __init__(self, seed: int) -> None:
        super().__init__(is_tick=True, channel="tick", seed=seed)
        self.venue = TickVenue()
        self.question: steps.FetchAnchor | None = None
        self.sent: tuple[Moment, int] | None = None
        self.versions: list[int] = []
        self.streamed_book_id = -1
        self.figures = (-1, -1)  # the newest trade told of, and the end of the window that was told of last
        self.trades_known: list[tuple[int, int]] = []  # since when, the newest trade
        self._known: dict[Quote, tuple[Moment, int]] = {}  # of which moment a quote speaks, and when that was told

    @property
    @override
    def has_question(self) -> bool:
        return self.question is not None

    @override
    def something_new(self) -> None:
        self.trade()
        last = self.venue.now.levels
        self.change((last[0] + 1, last[1], last[2] + 1, last[3]), 1)

    def change(self, levels: Levels, ids: int) -> None:
        """The quote changes."""
        self.send(("quote", self.venue.change(levels, ids)))

    def trade(self) -> None:
        """The 24 h figures change."""
        self.send(("stats", self.venue.trade(self.now)))

    def empty(self) -> None:
        """The window of the 24 h figures loses its last trade."""
        self.send(("stats", self.venue.empty(self.now)))

    def quote(self, quote: Quote, moment: Moment, told_ns: int) -> Quote:
        """Remembers of which moment a quote speaks."""
        self._known[quote] = (moment, told_ns)
        return quote

    def poll(self, moment: Moment, asked_ns: int, *, with_stats: bool = True) -> None:
        """A poll is answered, late or by a replica that trails."""
        self.is_flawed |= moment is not self.venue.now
        answer = model_venue.polled(moment, asked_ns, self.now, with_stats=with_stats)
        assert answer.quote is not None
        self.quote(answer.quote, moment, asked_ns)
        self.poll_answered(answer, asked_ns)

    def trade_known(self, asked_ns: int) -> int:
        """The newest trade that was known at that time; -1 for none."""
        return max((last_id for since_ns, last_id in self.trades_known if since_ns <= asked_ns), default=-1)

    def send_question(self) -> None:
        """The anchor's request reaches the venue."""
        self.sent = (self.venue.now, self.now)

    def answer(self, moment: Moment | None = None) -> None:
        """The anchor comes back, of this moment, or of when it was asked."""
        assert self.sent is not None
        (asked_of, asked_ns), self.sent, self.question = self.sent, None, None
        told = moment or asked_of
        self.tell(steps.Anchored(self.quote(model_venue.anchor(told, asked_ns, self.now), told, asked_ns)))

    def fail(self) -> None:
        """The question under way cannot be answered."""
        self.question = self.sent = None
        self.tell(steps.Anchored(None))

    @override
    def finish_questions(self) -> None:
        if self.question is not None:
            self.send_question()
            self.answer()

    @override
    def fail_questions(self) -> None:
        if self.question is not None:
            self.fail()

    @override
    def is_complete(self) -> bool:
        if not self.versions or self.lane.quotes is None:
            return False
        now = self.venue.now
        figures = (self.figures[0] if now.last_id < 0 else now.last_id, now.close_ms)
        return self.lane.quotes.levels == now.levels and self.figures == figures

    @override
    def _ask(self) -> Answer:
        answer = model_venue.polled(self.venue.now, self.now, self.now, with_stats=True)
        assert answer.quote is not None
        self.quote(answer.quote, self.venue.now, self.now)
        return answer

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        assert isinstance(question, steps.FetchAnchor)
        assert self.question is None, "one question at a time"
        self.question = question

    @override
    def _is_news(self, frame: Frame) -> bool:
        return frame[0] == "quote" and frame[1].update_id > self.streamed_book_id

    @override
    def _accept(self, sent: Sent[Frame]) -> bool:
        kind, moment = sent.frame
        assert self.lane.quotes is not None
        if kind != "quote" or not self.lane.quotes.accept(moment.update_id, moment.levels, self.now):
            return False
        self._arrive(moment, moment.update_id, is_streamed=True, is_old=self._is_old(sent.at_ns, self.now))
        return True

    @override
    def _offer(self, sent: Sent[Frame]) -> None:
        kind, moment = sent.frame
        if kind == "stats":
            self.tell(steps.OfferedStats(model_venue.stats(moment, self.now)))
        else:
            quote = self.quote(model_venue.streamed(moment, self.now), moment, sent.at_ns)
            self.tell(steps.Offered(quote, self.now))

    @override
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None:
        if isinstance(value, Stats):
            key = (self.figures[0] if value.last_id < 0 else value.last_id, value.close_ms)
            assert key > self.figures, "figures never go back"
            assert source is Source.POLL or self.shown in STREAM_ON, "nothing streamed where the stream is off"
            self.figures = key
            self.trades_known.append((self.now, value.last_id))
            return
        assert isinstance(value, Quote)
        moment, told_ns = self._known[value]
        assert value.levels == moment.levels
        is_streamed = source is Source.STREAM
        assert not is_streamed or self.serving is Serving.STREAM, "nothing streamed unless the stream serves"
        self._arrive(
            moment, value.update_id, is_streamed=is_streamed, is_old=is_streamed and self._is_old(told_ns, value.received_ns)
        )

    def _is_old(self, sent_ns: int, received_ns: int) -> bool:
        """Whether a streamed frame was so long under way that, without REST to compare with, nothing tells its place."""
        return self.shown is LaneState.PROVING and received_ns - sent_ns >= NS_PER_S

    def _arrive(self, moment: Moment, update_id: int, *, is_streamed: bool, is_old: bool) -> None:
        assert self.lane.state is not LaneState.CLOSED
        if self.versions and not is_old:
            assert moment.version >= self.versions[-1], "quotes never go back"
            assert not is_streamed or moment.version > self.versions[-1], "a quote is streamed once"
        if update_id:
            assert update_id >= self.streamed_book_id, "update ids never go back"
            self.streamed_book_id = update_id
        self.versions.append(moment.version)
        self.told.append(Value(moment.version, Source.STREAM if is_streamed else Source.POLL))

    @override
    def _backfilled(self, items: Sequence[Item]) -> None:
        raise AssertionError("quotes have no backfill")

    @override
    def _missing(self, gap: steps.Missing) -> None:
        raise AssertionError("quotes have no gaps")

    @override
    def _check_door(self) -> None:
        assert self.lane.quotes is not None
        assert self.lane.quotes.delivered == len(self.versions)
        if self.lane.quotes.is_live:
            assert self.serving is Serving.STREAM
