"""Drives one lane against a model venue, and checks after every step what must hold in every run."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Draft, Item, LaneKey, Quote, Stats
from foxtrot.transport.lane import LEAVE_NS, Lane
from foxtrot.transport.values import HOLD_NS
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport
from tests.support import lawful
from tests.support.fates import Fate, Fault, Sent, Value

START_NS: Final = 1_000 * NS_PER_S
LATE_NS: Final = 250 * NS_PER_MS
HOUR_NS: Final = 3_600 * NS_PER_S
MOST_SWITCHES: Final = 6
STREAM_ON: Final = frozenset({LaneState.SHADOW, LaneState.PROVING, LaneState.STREAMING})
ACCUSED: Final = frozenset({Reason.AUDIT, Reason.SILENCE, Reason.FIRST_DATA, Reason.GAP, Reason.LAG})
"""What a lane says against its stream."""

FrameT = TypeVar("FrameT")


def _nothing(_: object) -> None:
    """Nobody else performs."""


class LaneDriver(ABC, Generic[FrameT]):
    """Performs a lane's effects as the hub does. ``wire`` holds frames sent and not yet received."""

    def __init__(self, *, is_tick: bool, channel: str, seed: int, hold_ns: int | None = HOLD_NS) -> None:
        self.now = START_NS
        chance = random.Random(seed).random
        values = TickValues() if is_tick else IdValues(hold_ns)
        self.lane = Lane(LaneKey("BTCUSDT", channel), values, now_ns=self.now, chance=chance)
        self.wire: list[Sent[FrameT]] = []
        self.past: list[Sent[FrameT]] = []
        self.offset_ns = 0  # the venue's clock minus ours
        self.lines = 0  # so many connections have been asked for; 0: the stream is shut
        self.is_up = False
        self.up_ns = 0
        self.in_force_ns = 0  # from when on the subscription brings frames
        self.heard = 0  # so many new frames since it came up
        self.answered = 0  # so many polls asked and answered since it came up
        self.is_own = False  # the attempt follows a trip of the lane's own
        self.is_flawed = False  # the stream, or what polls said of it, was not as it should be since it came up
        self.shown = LaneState.POLLING
        self.serving = Serving.NONE
        self.breaker_shown = BreakerState.CLOSED
        self.announced: list[steps.Announce] = []
        self.counted: list[int] = []  # switches that count, since the last revival
        self.told: list[Value | steps.Effect] = []  # all that leaves the lane, in order; a door's value too
        self.on_effect: Callable[[steps.Effect], None] = _nothing  # performs what is not the driver's own
        self.on_send: Callable[[FrameT], None] | None = None  # carries frames where the driver's own wire does not
        self._depth = 0
        self.leaving_ns = 0  # since when the decision is not for the stream that serves

    @property
    def is_wanted(self) -> bool:
        """Whether the lane has asked for its stream."""
        return self.lines > 0

    # --- what the lane is told --------------------------------------------------------------------------------------------

    def tell(self, given: steps.Input) -> None:
        """One step, with its effects done and the invariants checked."""
        was_closed, served = self.lane.state is LaneState.CLOSED, self.serving
        effects = lawful.step(self.lane, given, self.now)
        assert not (was_closed and effects), "nothing follows the closing event"
        self._depth += 1
        for effect in effects:
            self.perform(effect)
            self.on_effect(effect)
        self._depth -= 1
        if served is Serving.STREAM and self.serving is Serving.POLL:
            is_polled = any(isinstance(effect, steps.PollNow) for effect in effects)
            assert is_polled, "who falls is polled at once"
        self.check()

    def decide(self, transport: Transport, reason: Reason = Reason.PIN, lines: int = 1) -> None:
        """The flags say otherwise."""
        is_left = self.serving is Serving.STREAM and transport is not Transport.STREAMING
        self.leaving_ns = (self.leaving_ns or self.now) if is_left else 0
        self.tell(steps.Decide(transport, reason, lines))
        if reason is Reason.KILL:
            assert self.serving is not Serving.STREAM, "a kill waits for nothing"

    def pass_time(self, span_ns: int, *, may_probe: bool = True, is_synced: bool = True) -> None:
        """Time passes, and the hub looks at what is due."""
        self.now += span_ns
        self.tell(steps.Pulse(self.offset_ns if is_synced else None, may_probe))
        if self.serving is Serving.STREAM and not self.lane.wants_stream:
            assert self.now - self.leaving_ns < LEAVE_NS, "a stream that leaves waits no longer"

    def stall(self, span_ns: int) -> None:
        """Our own loop stands still; what is on the wire waits."""
        self.now += span_ns
        self.tell(steps.Stalled(span_ns))

    def revive(self) -> None:
        """By hand: the past does not count."""
        self.counted.clear()
        self.tell(steps.Revive())

    def connect(self, delay_ns: int = 0) -> None:
        """A connection carries the stream; the subscription comes into force after so long."""
        self.now += 1  # whatever an older connection brought came before
        self.carried(delay_ns)

    def carried(self, delay_ns: int = 0) -> None:
        """The first line that carries the stream is up."""
        self.is_up = True
        self.up_ns, self.in_force_ns = self.now, self.now + delay_ns
        self._begin()
        self.tell(steps.StreamUp())
        self.is_own = self.lane.is_probing

    def disconnect(self) -> None:
        """The connection is lost with what was on its way."""
        self.is_up = False
        self.wire.clear()
        self.tell(steps.StreamDown())

    def receive(self, sent: Sent[FrameT]) -> None:
        """A frame arrives: the hot door first, then the lane."""
        self.past.append(sent)
        self.is_flawed |= self.now - sent.at_ns >= LATE_NS
        self.heard += self.is_up and self._is_news(sent.frame)
        if self._accept(sent):
            assert self.serving is Serving.STREAM, "the door admits only while the stream serves"
            assert self.lane.serving is Serving.STREAM
        else:
            self._offer(sent)
        self.check()

    def replay(self, sent: Sent[FrameT]) -> None:
        """The venue repeats an old frame; one that never arrived is then out of its place."""
        self.is_flawed = True
        self.receive(sent)

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
        elif fate is Fate.SWAP and len(self.wire) > 1:
            self.is_flawed = True
            self.wire[:2] = reversed(self.wire[:2])
        if fate is not Fate.WAIT:
            self.drain()

    def drain(self) -> None:
        """All that is on the wire arrives."""
        while self.wire:
            self.receive_next()

    def send(self, frame: FrameT) -> None:
        """The venue publishes; whoever is subscribed will get it."""
        if self.on_send is not None:
            self.on_send(frame)
        elif self.is_up and self.now >= self.in_force_ns:
            self.wire.append(Sent(frame, self.now))

    def poll_answered(self, answer: Answer, asked_ns: int) -> None:
        """A poll comes back, of whatever moment."""
        self.answered += self.is_up and asked_ns >= self.up_ns
        self.tell(steps.Polled(answer, asked_ns))

    def step_clock(self, offset_ns: int) -> None:
        """The venue's clock is set; what is on its way, and what was told before, is measured with the wrong one."""
        self.offset_ns = offset_ns
        self.is_flawed = True

    # --- what the lane asks for -------------------------------------------------------------------------------------------

    def perform(self, effect: steps.Effect) -> None:  # noqa: C901 -- one case an effect
        """Does what one effect asks for."""
        if not isinstance(effect, steps.Deliver):
            self.told.append(effect)
        match effect:
            case steps.OpenStream():
                self._opened(effect.lines)
            case steps.ShutStream():
                assert self.is_wanted, "only what is open is shut"
                self.lines, self.is_up = 0, False
                self.wire.clear()
            case steps.FetchPage() | steps.FetchAnchor():
                self._asked(effect)
            case steps.Deliver():
                assert effect.values
                for value in effect.values:
                    assert not isinstance(value, Draft), "bars have a driver of their own"
                    self._delivered(value, effect.source)
            case steps.FetchDepth() | steps.Disagreed():
                raise AssertionError("books have a driver of their own")
            case steps.Backfill():
                assert effect.items
                self._backfilled(effect.items)
            case steps.Announce():
                self._moved(effect)
            case steps.Missing():
                self._missing(effect)
            case steps.BreakerMoved():
                assert effect.old is self.breaker_shown
                self.breaker_shown = effect.new
            case steps.PollNow():
                pass

    def _moved(self, change: steps.Announce) -> None:
        assert change.old is self.shown
        is_return = change.serving is Serving.STREAM and self.serving is not Serving.STREAM
        if change.new is LaneState.STREAMING:
            span_ns, hits = (30 * NS_PER_S, 10) if self.is_own else (2 * NS_PER_S, 1)
            assert change.reason is Reason.PROOF
            assert self.lane.wants_stream, "no stream serves that is not decided"
            assert self.now - self.up_ns >= span_ns, "never trusted on an acknowledgement"
            assert self.answered >= hits, "only hits prove a stream"
        elif is_return:
            assert change.reason is Reason.POLL_DOWN
            assert self.heard, "only data proves it"
        if change.reason in ACCUSED:
            is_late = self.wire and self.now - self.wire[0].at_ns >= LATE_NS
            assert self.is_flawed or is_late, f"a stream that brought everything was given up: {change.reason}"
        is_fall = self.serving is Serving.STREAM and change.new is LaneState.FALLBACK
        if is_fall or (is_return and change.reason is Reason.PROOF and self._is_retry()):
            self.counted = [at for at in self.counted if at > self.now - HOUR_NS] + [self.now]
            assert len(self.counted) <= MOST_SWITCHES, "more switches in an hour than are allowed"
        self.shown, self.serving = change.new, change.serving
        self.announced.append(change)

    def _is_retry(self) -> bool:
        attempt = next(change for change in reversed(self.announced) if change.old is not LaneState.PROVING)
        return attempt.reason is Reason.RETRY

    def _opened(self, lines: int) -> None:
        assert lines != self.lines, "a stream is asked for once"
        assert lines in {1, 2}
        if not self.is_wanted:
            assert self.now >= self.lane.breaker.retry_at_ns, "no attempt before retry_at"
            assert self.lane.breaker.state in {BreakerState.CLOSED, BreakerState.HALF_OPEN}
        assert self.lane.decision.transport is not Transport.POLLING
        self.lines = lines

    def _begin(self) -> None:
        self.heard = self.answered = 0
        self.is_flawed = False

    # --- what holds between any two steps ---------------------------------------------------------------------------------

    def check(self) -> None:
        """The table of states, and the door; not in the midst of the effects of another step."""
        lane = self.lane
        if self._depth:
            return
        assert (lane.state, lane.serving) == (self.shown, self.serving), "what is told is what is"
        assert lane.breaker.state is self.breaker_shown
        lawful.check_serving(lane)
        lawful.check_stream(lane, is_wanted=self.is_wanted, is_up=self.is_up, now_ns=self.now)
        assert lane.confirmed_ns <= self.now
        if lane.state is not LaneState.CLOSED:
            self._check_door()

    # --- how it ends well -------------------------------------------------------------------------------------------------

    def settle(self, *, is_busy: bool, is_patient: bool, stream_first: bool = True) -> None:
        """A healthy venue for as long as it takes: everything arrives, by the transport that is decided.

        ``is_patient``: retries are waited for, else revived by hand. ``stream_first``: frames come before polls and pages.
        """
        self.tell(steps.Hold(is_on=False))
        self.finish_questions()
        if not is_patient or self.lane.breaker.state is BreakerState.FORCED_OPEN:
            self.revive()
        if self.is_flawed:  # what was wrong is remembered for 30 s
            self.suffer(Fault.NONE, 31, is_busy=is_busy)
        for _ in range(200):
            if self.lane.state is LaneState.FALLBACK and not self.is_wanted:
                self.now = max(self.now, self.lane.retry_at_ns)
            self.second(is_busy=is_busy, stream_first=stream_first)
            if self.is_settled():
                break
        assert self.is_settled(), f"{self.lane.state} {self.lane.reason} after three healthy minutes"

    def second(self, *, is_busy: bool, stream_first: bool) -> None:
        """One healthy second, with a poll, and something new if busy. ``stream_first``: before polls know of it."""
        if self.is_wanted and not self.is_up:
            self.connect()
        if is_busy:
            self.something_new()
        answer, asked_ns = self._ask(), self.now
        if stream_first:
            self.drain()
        self.pass_time(40 * NS_PER_MS)
        self.poll_answered(answer, asked_ns)
        if not stream_first:
            self.finish_questions()
        self.drain()
        for _ in range(3):
            self.pass_time(320 * NS_PER_MS)
            self.finish_questions()

    def suffer(self, fault: Fault, seconds: int, *, is_busy: bool) -> None:
        """Seconds in which one thing is wrong, and a lost connection comes back."""
        for second in range(seconds):
            if self.is_wanted and not self.is_up:
                self.connect()
            if is_busy:
                self.something_new()
            answer, asked_ns = self._ask(), self.now
            self._spoil(fault, second)
            self.pass_time(40 * NS_PER_MS)
            if fault is not Fault.REST_DOWN:
                self.poll_answered(answer, asked_ns)
            for _ in range(3):
                self.pass_time(320 * NS_PER_MS)
                if fault is Fault.REST_DOWN:
                    self.fail_questions()
                else:
                    self.finish_questions()

    def _spoil(self, fault: Fault, second: int) -> None:
        self.is_flawed |= fault is not Fault.NONE
        if fault is Fault.MUTE or (fault is Fault.LOSSY and second % 2):
            self.wire.clear()
        while self.wire and (fault is not Fault.LATE or self.now - self.wire[0].at_ns >= 3 * NS_PER_S):
            self.receive_next()

    def stay_healthy(self, *, is_busy: bool, stream_first: bool) -> None:
        """A healthy stream is never given up."""
        before = len(self.announced)
        for _ in range(7):
            self.second(is_busy=is_busy, stream_first=stream_first)
        assert self.announced[before:] == [], "a healthy stream was given up"
        assert self.is_complete(), "everything that the venue has was delivered"

    def is_settled(self) -> bool:
        """Whether the decided transport serves, and all has been delivered."""
        return self.lane.state is lawful.DECIDED[self.lane.decision.transport] and not self.has_question and self.is_complete()

    # --- what differs between channels ------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def has_question(self) -> bool:
        """Whether REST owes an answer."""

    @abstractmethod
    def something_new(self) -> None:
        """The venue makes and publishes a value."""

    @abstractmethod
    def finish_questions(self) -> None:
        """The questions under way are answered as a healthy venue does."""

    @abstractmethod
    def fail_questions(self) -> None:
        """None of them can be answered."""

    @abstractmethod
    def is_complete(self) -> bool:
        """Whether all that the venue has was delivered."""

    @abstractmethod
    def _ask(self) -> Answer: ...

    @abstractmethod
    def _asked(self, question: steps.FetchPage | steps.FetchAnchor) -> None: ...

    @abstractmethod
    def _is_news(self, frame: FrameT) -> bool: ...

    @abstractmethod
    def _accept(self, sent: Sent[FrameT]) -> bool: ...

    @abstractmethod
    def _offer(self, sent: Sent[FrameT]) -> None: ...

    @abstractmethod
    def _delivered(self, value: Item | Quote | Stats, source: Source) -> None: ...

    @abstractmethod
    def _backfilled(self, items: Sequence[Item]) -> None: ...

    @abstractmethod
    def _missing(self, gap: steps.Missing) -> None: ...

    @abstractmethod
    def _check_door(self) -> None: ...
