"""Drives one lane against a model venue, and checks after every step what must hold in every run."""

import enum
import random
from abc import ABC, abstractmethod
from typing import Final, Generic, TypeVar

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Item, LaneKey, Quote, Stats
from foxtrot.transport.lane import Lane
from foxtrot.transport.proof import QUIET_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport
from tests.support import model_venue
from tests.support.model_venue import IdVenue, Levels, Made, Moment, TickVenue

PAGE: Final = 3
START_NS: Final = 1_000 * NS_PER_S
STREAM_ON: Final = frozenset({LaneState.PROVING, LaneState.STREAMING})

FrameT = TypeVar("FrameT")


class Fate(enum.Enum):
    """What can happen to frames on their way."""

    ARRIVE = enum.auto()
    WAIT = enum.auto()
    LOSE = enum.auto()
    SWAP = enum.auto()


class LaneDriver(ABC, Generic[FrameT]):
    """Performs a lane's effects as the hub does. ``wire`` holds frames sent and not yet received."""

    def __init__(self, *, is_tick: bool, channel: str, seed: int) -> None:
        self.now = START_NS
        self.lane = Lane(LaneKey("BTCUSDT", channel), is_tick=is_tick, now_ns=self.now, chance=random.Random(seed).random)
        self.wire: list[FrameT] = []
        self.past: list[FrameT] = []
        self.is_wanted = False
        self.is_up = False
        self.up_ns = 0
        self.in_force_ns = 0  # from when on the subscription brings frames
        self.is_proven = False
        self.is_flawed = False  # the stream lost something since it came up
        self.waiting_since_ns = 0  # since when there have always been frames on the wire
        self.question: steps.FetchPage | steps.FetchAnchor | None = None
        self.shown = LaneState.POLLING
        self.breaker_shown = BreakerState.CLOSED
        self.announced: list[steps.Announce] = []

    # --- what the lane is told --------------------------------------------------------------------------------------------

    def tell(self, given: steps.Input) -> None:
        """One step, with its effects done and the invariants checked."""
        was_closed = self.lane.state is LaneState.CLOSED
        effects = self.lane.step(given, self.now)
        assert not (was_closed and effects), "nothing follows the closing event"
        for effect in effects:
            self._perform(effect)
        self.check()

    def decide(self, transport: Transport, reason: Reason = Reason.PIN) -> None:
        """The flags say otherwise."""
        self.tell(steps.Decide(transport, reason))

    def pass_time(self, span_ns: int) -> None:
        """Time passes, and the hub looks at what is due."""
        self.now += span_ns
        self.tell(steps.Pulse())

    def connect(self, delay_ns: int = 0) -> None:
        """A connection carries the stream; the subscription comes into force after so long."""
        self.is_up = True
        self.up_ns, self.in_force_ns = self.now, self.now + delay_ns
        self.is_proven = self.is_flawed = False
        self.tell(steps.StreamUp())

    def disconnect(self) -> None:
        """The connection is lost with what was on its way."""
        self.is_up = False
        self.wire.clear()
        self.tell(steps.StreamDown())

    def receive(self, frame: FrameT) -> None:
        """A frame arrives: the hot door first, then the lane."""
        self.past.append(frame)
        self.is_proven |= self.is_up and self._is_news(frame)
        if self._accept(frame):
            assert self.shown is LaneState.STREAMING, "the door admits only while the stream serves"
            assert self.lane.state is LaneState.STREAMING
        else:
            self._offer(frame)
        self.check()

    def replay(self, frame: FrameT) -> None:
        """The venue repeats an old frame; one that never arrived is then out of its place."""
        self.is_flawed |= self._is_news(frame)
        self.receive(frame)

    def receive_next(self) -> None:
        """The oldest frame on the wire arrives."""
        self.receive(self.wire.pop(0))

    def lose(self) -> None:
        """The oldest frame on the wire is lost."""
        self.wire.pop(0)
        self.is_flawed = True

    def carry(self, fate: Fate) -> None:
        """What becomes of the frames on the wire."""
        if fate is Fate.LOSE and self.wire:
            self.lose()
        elif fate is Fate.SWAP:
            self.wire[:2] = reversed(self.wire[:2])
        if fate is not Fate.WAIT:
            self._drain_wire()

    def send(self, frame: FrameT) -> None:
        """The venue publishes; whoever is subscribed will get it."""
        if self.is_up and self.now >= self.in_force_ns:
            self.waiting_since_ns = self.waiting_since_ns if self.wire else self.now
            self.wire.append(frame)

    def poll_answered(self, answer: Answer, asked_ns: int) -> None:
        """A poll comes back, of whatever moment."""
        self.is_proven |= self.is_up and asked_ns >= self.up_ns + QUIET_NS
        self.tell(steps.Polled(answer, asked_ns))

    # --- what the lane asks for -------------------------------------------------------------------------------------------

    def _perform(self, effect: steps.Effect) -> None:
        match effect:
            case steps.OpenStream():
                self._opened()
            case steps.ShutStream():
                self.is_wanted = self.is_up = False
            case steps.FetchPage() | steps.FetchAnchor():
                assert self.question is None, "one question at a time"
                self._asked(effect)
                self.question = effect
            case steps.Deliver():
                assert effect.values
                for value in effect.values:
                    self._delivered(value, effect.source)
            case steps.Announce():
                assert effect.old is self.shown
                self._moved(effect)
            case steps.Missing():
                self._missing(effect.first, effect.last)
            case steps.BreakerMoved():
                assert effect.old is self.breaker_shown
                self.breaker_shown = effect.new
            case steps.PollNow():
                pass

    def _moved(self, change: steps.Announce) -> None:
        if change.new is LaneState.STREAMING:
            assert self.is_proven, "never trusted on an acknowledgement"
        if change.reason in {Reason.SILENCE, Reason.FIRST_DATA}:
            is_late = self.wire and self.now - self.waiting_since_ns >= NS_PER_S // 2
            assert self.is_flawed or is_late, "a stream that brought everything was given up"
        self.shown = change.new
        self.announced.append(change)

    def _opened(self) -> None:
        assert not self.is_wanted, "a stream is asked for once"
        assert self.now >= self.lane.breaker.retry_at_ns, "no attempt before retry_at"
        assert self.lane.breaker.state in {BreakerState.CLOSED, BreakerState.HALF_OPEN}
        assert self.lane.wants_stream
        self.is_wanted = True

    def check(self) -> None:
        """What holds between any two steps."""
        lane = self.lane
        serving = {LaneState.STREAMING: Serving.STREAM, LaneState.CLOSED: Serving.NONE}.get(lane.state, Serving.POLL)
        assert lane.state is self.shown
        assert lane.serving is (serving if lane.is_started or lane.state is LaneState.CLOSED else Serving.NONE)
        assert lane.breaker.state is self.breaker_shown
        if lane.state in STREAM_ON:
            assert self.is_wanted
        if lane.state is LaneState.STREAMING:
            assert self.is_up
            assert lane.breaker.state is BreakerState.CLOSED
        if lane.state is LaneState.POLLING or lane.state is LaneState.CLOSED:
            assert not self.is_wanted
        if lane.state is LaneState.FALLBACK:
            assert self.is_wanted or lane.breaker.state is BreakerState.OPEN, "it waits for its connection, or for retry_at"
        if lane.breaker.state is BreakerState.HALF_OPEN:
            assert lane.state is LaneState.PROVING
        if lane.is_started and not lane.wants_stream:
            assert lane.state not in {LaneState.PROVING, LaneState.FALLBACK}, "a decision for polling ends every attempt"
        assert lane.confirmed_ns <= self.now
        self._check_door()

    # --- how it ends well -------------------------------------------------------------------------------------------------

    def settle(self, *, is_busy: bool, is_patient: bool) -> None:
        """A healthy venue for as long as it takes: everything arrives, by the transport that is decided.

        ``is_patient``: retries are waited for, else revived by hand.
        """
        self.tell(steps.Hold(is_on=False))
        self.finish_question()
        for _ in range(60):
            if is_patient and self.lane.state is LaneState.FALLBACK and not self.is_wanted:
                self.now = max(self.now, self.lane.breaker.retry_at_ns)
            elif not is_patient:
                self.tell(steps.Revive())
            self.second(is_busy=is_busy, stream_first=True)
            if self._is_settled():
                break
        assert self._is_settled(), f"{self.lane.state} {self.lane.reason} after a healthy minute"
        self._check_complete()

    def second(self, *, is_busy: bool, stream_first: bool) -> None:
        """One healthy second, with a poll, and something new if busy."""
        if self.is_wanted and not self.is_up:
            self.connect()
        if is_busy:
            self.something_new()
        answer, asked_ns = self._ask(), self.now
        if stream_first:
            self._drain_wire()
        self.pass_time(40 * NS_PER_MS)
        self.poll_answered(answer, asked_ns)
        self._drain_wire()
        for _ in range(3):
            self.finish_question()
            self.pass_time(320 * NS_PER_MS)

    def stay_healthy(self, *, is_busy: bool, stream_first: bool) -> None:
        """A healthy stream is never given up."""
        before = len(self.announced)
        for _ in range(7):
            self.second(is_busy=is_busy, stream_first=stream_first)
        assert self.announced[before:] == [], "a healthy stream was given up"
        self._check_complete()

    def _is_settled(self) -> bool:
        decided = LaneState.STREAMING if self.lane.wants_stream else LaneState.POLLING
        return self.lane.state is decided and self.question is None and self._is_complete()

    def _check_complete(self) -> None:
        assert self._is_complete(), "everything that the venue has was delivered"

    def _drain_wire(self) -> None:
        while self.wire:
            self.receive_next()

    # --- what differs between channels ------------------------------------------------------------------------------------

    @abstractmethod
    def something_new(self) -> None:
        """The venue makes and publishes a value."""

    @abstractmethod
    def answer(self, **choices: int) -> None:
        """The question under way is answered."""

    @abstractmethod
    def _ask(self) -> Answer: ...

    @abstractmethod
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None: ...

    @abstractmethod
    def _is_news(self, frame: FrameT) -> bool: ...

    @abstractmethod
    def _accept(self, frame: FrameT) -> bool: ...

    @abstractmethod
    def _offer(self, frame: FrameT) -> None: ...

    @abstractmethod
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None: ...

    @abstractmethod
    def _missing(self, first: int, last: int) -> None: ...

    @abstractmethod
    def _check_door(self) -> None: ...

    @abstractmethod
    def _is_complete(self) -> bool: ...

    @abstractmethod
    def finish_question(self) -> None:
        """The question under way, if any, is answered as a healthy venue does."""


class IdDriver(LaneDriver[Made]):
    """A lane of trades or aggregates: every id once, in order."""

    def __init__(self, channel: str, venue: IdVenue, seed: int) -> None:
        super().__init__(is_tick=False, channel=channel, seed=seed)
        self.venue = venue
        self.arrived: list[int] = []
        self.expected = 0

    def start(self) -> None:
        """The start answer: where the venue stands now."""
        last = self.venue.made[-1] if self.venue.made else Made(-1, -1)
        if not self.lane.is_started:
            self.expected = last.id + 1
        self.tell(steps.Start(Cursor(last.id, last.last_trade_id)))

    @override
    def something_new(self) -> None:
        self.send(self.venue.make())

    @override
    def answer(self, **choices: int) -> None:
        assert isinstance(self.question, steps.FetchPage)
        question, self.question = self.question, None
        length = min(choices.get("length", len(self.venue.made)), len(self.venue.made))
        items = self.venue.page(question.first, length, PAGE, question.source)
        self.tell(steps.Paged(items, is_full=len(items) == PAGE))

    def fail(self) -> None:
        """The question under way cannot be answered."""
        self.question = None
        self.tell(steps.PageFailed())

    @override
    def _ask(self) -> Answer:
        return self.venue.answer(len(self.venue.made), self.now // NS_PER_MS)

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        assert isinstance(question, steps.FetchPage)
        assert question.first == self.expected, "a page begins at what is next"
        assert not self.lane.is_held
        assert question.source is (Source.BACKFILL if self.lane.state is LaneState.STREAMING else Source.POLL)

    @override
    def _is_news(self, frame: Made) -> bool:
        return frame.id >= self.expected

    @override
    def _accept(self, frame: Made) -> bool:
        ids = self.lane.ids
        if ids is None or not ids.accept(frame.id, frame.last_trade_id, self.now):
            return False
        self._arrive(frame.id)
        return True

    @override
    def _offer(self, frame: Made) -> None:
        self.tell(steps.Offered(frame.item(Source.STREAM), self.now))

    @override
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None:
        assert isinstance(value, Item)
        assert value.value == (value.id, source), "told as coming from where it came from"
        assert source is not Source.STREAM or self.shown is LaneState.STREAMING, "nothing streamed unless the stream serves"
        self._arrive(value.id)

    def _arrive(self, item_id: int) -> None:
        assert self.lane.state is not LaneState.CLOSED
        assert not self.lane.is_held, "a slow consumer gets nothing"
        if not self.arrived and self.expected == 0:
            self.expected = self.venue.made[0].id  # before the first id there is nothing to miss
        assert item_id == self.expected, "every id once, in order"
        self.arrived.append(item_id)
        self.expected = item_id + 1

    @override
    def _missing(self, first: int, last: int) -> None:
        assert first == self.expected
        assert self.arrived or first > 0, "before the first id there is nothing to miss"
        assert all(not first <= made.id <= last for made in self.venue.made), "a gap names only what the venue does not have"
        self.expected = last + 1

    @override
    def _check_door(self) -> None:
        ids = self.lane.ids
        if ids is None:
            return
        assert ids.delivered == len(self.arrived)
        is_open = ids.is_live
        assert is_open is (self.lane.state is LaneState.STREAMING)
        if self.arrived:
            assert ids.next_id == self.expected

    @override
    def _is_complete(self) -> bool:
        newest = self.venue.made[-1].id if self.venue.made else -1
        return self.expected > newest

    @override
    def finish_question(self) -> None:
        if self.question is not None:
            self.answer()


class TickDriver(LaneDriver[tuple[str, Moment]]):
    """A tick's lane: quotes and figures that never go back in the venue's own order."""

    def __init__(self, seed: int) -> None:
        super().__init__(is_tick=True, channel="tick", seed=seed)
        self.venue = TickVenue()
        self.versions: list[int] = []
        self.streamed_book_id = -1
        self.figures = (-1, -1)  # the newest trade told of, and the end of the window that was told of last
        self.trades_known: list[tuple[int, int]] = []  # since when, the newest trade
        self.sent: tuple[Moment, int] | None = None
        self._known: dict[int, tuple[Quote, Moment]] = {}

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

    def quote(self, quote: Quote, moment: Moment) -> Quote:
        """Remembers of which moment a quote speaks."""
        self._known[id(quote)] = (quote, moment)
        return quote

    def poll(self, moment: Moment, asked_ns: int, *, with_stats: bool = True) -> None:
        """A poll is answered."""
        answer = model_venue.polled(moment, asked_ns, self.now, with_stats=with_stats)
        assert answer.quote is not None
        self.quote(answer.quote, moment)
        self.poll_answered(answer, asked_ns)

    def trade_known(self, asked_ns: int) -> int:
        """The newest trade that was known at that time; -1 for none."""
        return max((last_id for since_ns, last_id in self.trades_known if since_ns <= asked_ns), default=-1)

    def send_question(self) -> None:
        """The anchor's request reaches the venue."""
        self.sent = (self.venue.now, self.now)

    @override
    def answer(self, **choices: int) -> None:
        assert self.sent is not None
        (moment, asked_ns), self.sent, self.question = self.sent, None, None
        if "moment" in choices:
            moment = self.venue.moments[choices["moment"]]
        self.tell(steps.Anchored(self.quote(model_venue.anchor(moment, asked_ns, self.now), moment)))

    def fail(self) -> None:
        """The question under way cannot be answered."""
        self.question = self.sent = None
        self.tell(steps.Anchored(None))

    @override
    def _ask(self) -> Answer:
        answer = model_venue.polled(self.venue.now, self.now, self.now, with_stats=True)
        assert answer.quote is not None
        self.quote(answer.quote, self.venue.now)
        return answer

    @override
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None:
        assert isinstance(question, steps.FetchAnchor)

    @override
    def _is_news(self, frame: tuple[str, Moment]) -> bool:
        return frame[0] == "quote" and frame[1].update_id > self.streamed_book_id

    @override
    def _accept(self, frame: tuple[str, Moment]) -> bool:
        kind, moment = frame
        assert self.lane.quotes is not None
        if kind != "quote" or not self.lane.quotes.accept(moment.update_id, moment.levels, self.now):
            return False
        self._arrive(moment, moment.update_id, is_streamed=True)
        return True

    @override
    def _offer(self, frame: tuple[str, Moment]) -> None:
        kind, moment = frame
        if kind == "stats":
            self.tell(steps.OfferedStats(model_venue.stats(moment, self.now)))
        else:
            self.tell(steps.Offered(self.quote(model_venue.streamed(moment, self.now), moment), self.now))

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
        moment = self._known[id(value)][1]
        assert value.levels == moment.levels
        is_streamed = source is Source.STREAM
        assert not is_streamed or self.shown is LaneState.STREAMING, "nothing streamed unless the stream serves"
        self._arrive(moment, value.update_id, is_streamed=is_streamed)

    def _arrive(self, moment: Moment, update_id: int, *, is_streamed: bool) -> None:
        assert self.lane.state is not LaneState.CLOSED
        if self.versions:
            assert moment.version >= self.versions[-1], "quotes never go back"
        if is_streamed:
            assert moment.version > self.versions[-1], "a quote is streamed once"
        if update_id:
            assert update_id >= self.streamed_book_id, "update ids never go back"
            self.streamed_book_id = update_id
        self.versions.append(moment.version)

    @override
    def _missing(self, first: int, last: int) -> None:
        raise AssertionError("quotes have no gaps")

    @override
    def _check_door(self) -> None:
        assert self.lane.quotes is not None
        assert self.lane.quotes.delivered == len(self.versions)
        if self.lane.quotes.is_live:
            assert self.lane.state is LaneState.STREAMING

    @override
    def _is_complete(self) -> bool:
        if not self.versions or self.lane.quotes is None:
            return False
        now = self.venue.now
        figures = (self.figures[0] if now.last_id < 0 else now.last_id, now.close_ms)
        return self.lane.quotes.levels == now.levels and self.figures == figures

    @override
    def finish_question(self) -> None:
        if self.question is not None:
            self.send_question()
            self.answer()
