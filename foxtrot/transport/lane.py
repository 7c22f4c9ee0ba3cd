"""One lane's state machine: ``step(input, now)`` returns effects; nothing is done here.

Which moves there are stands in ``lane_table``; anything else that comes is ignored, never an error.

Rules:

1. A lane starts when its start answer has come: until then nothing serves, and decisions wait.
2. PROVING is served by polling until the stream has proved itself (``proof``). Then the join: ids are fetched up to the first
   buffered one, a tick asks its anchor. Only when both sides meet does the stream serve. Only where polls are not answered any
   more does the stream serve while it is being proved (POLL_DOWN).
3. Whatever ends a stream's serving asks for one poll at once.
4. A lost connection counts nothing of the lane's own: it waits for its connection. A trip, or a failed attempt of its own,
   opens the lane's breaker; the stream is shut until ``retry_at``. A trip is taken back when the whole connection failed.
5. A decision never shortens ``retry_at``; ``Revive`` does. Nor does it let a lane switch more often than ``switch_log`` allows.
6. Values of a stream that does not serve are never delivered; what they contained comes by id or by poll.
7. SHADOW compares: the stream is on and judged as in an attempt, and never serves. It fails, and is tried again, as one does.
"""

from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.lane_record import LaneRecord
from foxtrot.transport.proof import FIRST, OWN
from foxtrot.transport.values import Answered
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport

LEAVE_NS: Final = 900 * NS_PER_MS
"""How long a decision for polling waits for the polled value that goes first."""

UNANSWERED_NS: Final = 2_500 * NS_PER_MS
"""Polls that have not been answered for so long are down: a stream under proof serves in their place."""

_STREAM_ON: Final = frozenset({LaneState.SHADOW, LaneState.PROVING, LaneState.STREAMING})
_STATE_OF: Final = {Transport.POLLING: LaneState.POLLING, Transport.SHADOW: LaneState.SHADOW}


class Lane(LaneRecord):
    """The machine of one lane."""

    # --- the door ---------------------------------------------------------------------------------------------------------

    def step(self, given: steps.Input, now_ns: int) -> list[steps.Effect]:  # noqa: C901, PLR0912 -- one line an input: this is the table
        """Takes one input; returns what to do, in order."""
        if self.state is LaneState.CLOSED:
            return []
        self._keep_heard()
        self._now, self._out = now_ns, []
        match given:
            case steps.Offered():
                self._offered(given)
            case steps.OfferedStats():
                if self._evidence.is_up:
                    self._tell(self.values.figured(given.stats, Source.STREAM), is_proof=False)
            case steps.Polled():
                self._polled(given)
            case steps.Paged() | steps.PageFailed() | steps.Anchored() | steps.Snapped():
                self._answered(given)
            case steps.Decide():
                self._decided(given)
            case steps.Start():
                if self.values.has_cursor and not self.is_started:
                    self.values.start(given.cursor)
                    self._started()
            case steps.StreamUp():
                self._stream_up()
            case steps.StreamDown():
                self._stream_down(given.reason)
            case steps.Stray():
                self._give_up(Reason.WRONG_SYMBOL)
            case steps.Unlisted():
                self._give_up(Reason.UNLISTED)
            case steps.Forgiven():
                self._forgiven()
            case steps.Hold():
                self.values.hold(given.is_on)
            case steps.Pulse():
                self._pulse(given)
            case steps.Stalled():
                self._stalled(given.span_ns)
            case steps.Revive():
                self.switch_log.forget()
                self.breaker.revive(now_ns)
                self._retry()
            case steps.ForceOpen():
                self._force_open()
            case steps.Close():  # pragma: no branch -- there are no other inputs: mypy proves the match whole
                self._close(given.reason)
        if not isinstance(given, steps.Close | steps.Stalled):  # what waits in the sockets is to be read first
            self._look(is_due=isinstance(given, steps.Pulse | steps.Polled))
        return self._told()

    # --- decisions --------------------------------------------------------------------------------------------------------

    def _started(self) -> None:
        self.is_started = True
        self.confirmed_ns = self._answered_ns = self._now
        self._go(LaneState.POLLING, Reason.SUBSCRIBED, Serving.POLL)
        self._decided(self.decision)

    def _decided(self, decision: steps.Decide) -> None:
        self.decision = decision
        if not self.is_started:
            return
        if self._is_open and decision.transport is not Transport.POLLING:
            self._open_stream()  # perhaps on another number of lines
        if self.wants_stream:
            self._want_stream()
        elif self.serving is Serving.STREAM:
            self._leave()
        elif self.state is not _STATE_OF[decision.transport]:
            self._settle_down()

    def _want_stream(self) -> None:
        if self._leave_ns:  # it was leaving, and is wanted again before a polled value came
            self._leave_ns = 0
            self._tell(self.values.resume())
        elif self.state in {LaneState.POLLING, LaneState.SHADOW}:
            self._want_attempt()

    def _want_attempt(self) -> None:
        """Begins one, unless it has to wait for the lane's connection, or after a trip for a ``Pulse`` that lets it."""
        if self._awaits_connection and self._bar(self._now) is None:
            self._go(LaneState.FALLBACK, Reason.CONNECTION, Serving.POLL)
        elif self.breaker.state is BreakerState.OPEN:
            self._end_attempt(is_shut=True)
            self._go(LaneState.FALLBACK, self._bar(self._now) or Reason.BREAKER_OPEN, Serving.POLL)
        else:
            self._try_stream(self.decision.reason)

    def _leave(self) -> None:
        """The polled value goes first; a kill ends the stream at once, and so does whatever needs no polled value."""
        if not self.values.yields_to_poll or self.decision.reason is Reason.KILL:
            self._settle_down()
        elif not self._leave_ns:
            self.values.pause()
            self._leave_ns = self._now + LEAVE_NS
            self._out.append(steps.PollNow())

    def _settle_down(self) -> None:
        """To where the decision wants it, which is not the stream; a shadow keeps its stream."""
        was_streamed = self.serving is Serving.STREAM
        is_shadow = self.decision.transport is Transport.SHADOW
        is_up = self._evidence.is_up
        is_barred = self.breaker.state is BreakerState.OPEN  # a trip of its own: a ``Pulse`` says when it may try again
        self._end_attempt(is_shut=not is_shadow or is_barred)
        self._go(_STATE_OF[self.decision.transport], self.decision.reason, Serving.POLL)
        if was_streamed:
            self._out.append(steps.PollNow())
        if is_shadow and not is_barred:
            self._shadow(is_up=is_up)

    def _shadow(self, *, is_up: bool = False) -> None:
        """Compares from here on, if the breaker lets it."""
        self._permit = self.breaker.acquire(self._now)
        if self._permit is not None:
            self._open_stream()
            if is_up:
                self._begin()

    # --- attempts ---------------------------------------------------------------------------------------------------------

    def _try_stream(self, reason: Reason) -> None:
        """Begins an attempt, if nothing forbids it; it may find the stream already on."""
        is_up = self._evidence.is_up
        if (why := self._bar(self._now)) is not None:
            self._end_attempt(is_shut=True)
            self._go(LaneState.FALLBACK, why, Serving.POLL)
            return
        self._end_attempt(is_shut=False)
        self._permit = self.breaker.acquire(self._now)
        assert self._permit is not None  # retry_at has come, and nobody else holds one
        self._is_counted = reason is Reason.RETRY
        self._go(LaneState.PROVING, reason, Serving.POLL)
        self._open_stream()
        if is_up:
            self._begin()

    def _open_stream(self) -> None:
        if self._lines != self.decision.lines:
            self._lines = self.decision.lines
            self._out.append(steps.OpenStream(self._lines))

    def _begin(self) -> None:
        """The stream is up: what it shows from here on counts for the attempt."""
        self._evidence.begin(self._now, OWN if self.is_probing else FIRST)

    def _stream_up(self) -> None:
        if self.state is LaneState.FALLBACK and self._awaits_connection:
            self._try_stream(Reason.RETRY)
        elif self.state is LaneState.SHADOW and self._awaits_connection:
            self._awaits_connection = False
            self._shadow()
        if self._permit is not None:
            self._begin()

    def _stream_down(self, reason: Reason) -> None:
        if self.state not in _STREAM_ON or not self._is_open:
            return
        was_streamed = self.serving is Serving.STREAM
        self._end_attempt(is_shut=False)
        if self.state is LaneState.SHADOW:
            self._awaits_connection = True
        elif self.wants_stream:
            self._awaits_connection = True
            self._fall(reason, was_streamed=was_streamed)
        else:
            self._settle_down()  # it was leaving all the same

    def _give_up(self, reason: Reason) -> None:
        """A trip of the serving stream, or the failure of an attempt."""
        if not self._evidence.is_up:
            return  # no connection carries the stream: what is told was of an older one
        was_streamed = self.serving is Serving.STREAM
        if self._permit is not None:
            self.breaker.fail(self._permit, self._now, self._chance)
        else:
            self.breaker.trip(self._now, self._chance)
        self._end_attempt(is_shut=True)
        if self.state is LaneState.SHADOW:
            return
        if self.wants_stream:
            self._fall(reason, was_streamed=was_streamed)
        else:
            self._settle_down()  # it was leaving all the same

    def _fall(self, reason: Reason, *, was_streamed: bool) -> None:
        self._go(LaneState.FALLBACK, reason, Serving.POLL)
        if was_streamed:
            self._out.append(steps.PollNow())

    def _end_attempt(self, *, is_shut: bool) -> None:
        """What was under way is over, and counts for nothing."""
        if self._permit is not None:
            self.breaker.release(self._permit)
            self._permit = None
        self._evidence.end()
        self._leave_ns = 0
        self._awaits_connection = False
        if is_shut and self._is_open:
            self._lines = 0
            self._out.append(steps.ShutStream())

    def _forgiven(self) -> None:
        if self.breaker.state is not BreakerState.OPEN or self._is_open:
            return
        self.breaker.forgive(self._now)
        if self.state is LaneState.FALLBACK:
            self._go(LaneState.FALLBACK, Reason.CONNECTION, Serving.POLL)
        if self.state in {LaneState.FALLBACK, LaneState.SHADOW}:
            self._awaits_connection = True
            self._open_stream()  # last: another line may carry it at once

    def _force_open(self) -> None:
        self.breaker.force_open()
        self._permit = None
        was_streamed = self.serving is Serving.STREAM
        self._end_attempt(is_shut=True)
        if self.state in {LaneState.PROVING, LaneState.STREAMING, LaneState.FALLBACK}:
            if self.wants_stream:
                self._fall(Reason.FORCED_OPEN, was_streamed=was_streamed)
            else:
                self._settle_down()  # it was leaving all the same

    # --- what comes -------------------------------------------------------------------------------------------------------

    def _offered(self, given: steps.Offered) -> None:
        if not self._evidence.is_up:
            return  # no connection carries the stream: a frame of an older one
        is_kept = self.state is not LaneState.SHADOW
        self._tell(self.values.offered(given, self._now, is_kept=is_kept))

    def _polled(self, given: steps.Polled) -> None:
        self._answered_ns = self._now
        if self.is_held:
            self.confirmed_ns = self._now  # whatever it says: the venue is reached, and health says CONSUMER_SLOW
        else:
            self._evidence.answered(self._now)
        if not (self.is_started or self.values.has_cursor) and given.answer.quote is not None:
            self._started()
        is_proving = self.state is LaneState.PROVING
        shown = self.values.polled(given.answer, given.asked_ns, self._now, is_proving=is_proving)
        if shown.is_confirmed and self._leave_ns:
            self._settle_down()
        self._confirm(shown.is_confirmed)
        self._tell(shown.effects, is_proof=False)

    def _answered(self, given: Answered) -> None:
        is_wanted = self._is_joining and self.serving is Serving.POLL
        found = self.values.answered(given, self._now, is_wanted=is_wanted)
        if found.is_open:
            self._serve(Reason.PROOF)
        self._confirm(found.is_confirmed)
        self._tell(found.effects)

    # --- what becomes due -------------------------------------------------------------------------------------------------

    def _pulse(self, given: steps.Pulse) -> None:
        self._tell(self.values.passed(self._now, given.offset_ns))
        if given.may_probe or self.breaker.state is not BreakerState.OPEN:
            self._retry()

    def _stalled(self, span_ns: int) -> None:
        self._answered_ns = min(self._answered_ns + span_ns, self._now)
        self.values.stalled(span_ns, self._now)

    def _retry(self) -> None:
        """The stream is tried again if it is time; a bound on switches that holds it back longer is told once."""
        if not self._may_retry(self._now):
            return
        if self.state is LaneState.FALLBACK:
            self._try_stream(Reason.RETRY)
        else:
            self._shadow()

    def _look(self, *, is_due: bool) -> None:
        """What the input made possible or necessary, in this order: judge, give up, serve, ask."""
        if is_due:
            if self._leave_ns and self._now >= self._leave_ns:
                self._settle_down()
            is_hit = self._evidence.judge(self._now)
            self._confirm(is_hit and self.serving is Serving.STREAM and self.values.is_current)
            if self._evidence.is_up and (reason := self._trouble()) is not None:
                self._give_up(reason)
        if self._permit is not None and self._evidence.is_up and not self._leave_ns:
            self._join()
        is_streaming = self.serving is Serving.STREAM
        if self.is_started:  # nothing is asked before the start answer
            self._out += self.values.asks(self._now, is_streaming=is_streaming, is_joining=self._is_joining)

    @property
    def _is_joining(self) -> bool:
        """Whether the stream has proved itself, and is to serve."""
        return self.state is LaneState.PROVING and self._evidence.is_proven(self._now)

    def _trouble(self) -> Reason | None:
        """Why the stream has to be given up, if it has; one that serves unproved (POLL_DOWN) may fail and trip."""
        failure = None if self.state is LaneState.STREAMING else self._evidence.failure(self._now)
        return failure or (self._evidence.trip(self._now) if self.serving is Serving.STREAM else None)

    def _join(self) -> None:
        """Lets the stream serve when it has proved itself and both sides meet, or when nothing else is there."""
        assert self._permit is not None  # there is an attempt
        if not self._evidence.is_proven(self._now):
            if self.state is LaneState.PROVING and self.serving is Serving.POLL:
                self._serve_alone()
        elif self.state is LaneState.SHADOW:
            self.breaker.succeed(self._permit, self._now)  # it would serve now
            self._permit = None
        elif self.serving is Serving.STREAM:
            self._serve(Reason.PROOF)
        elif self.values.is_joined():
            self._serve(Reason.PROOF)
            self._tell(self.values.open())

    def _serve(self, reason: Reason) -> None:
        assert self._permit is not None
        self.breaker.succeed(self._permit, self._now)
        self._permit = None
        self._go(LaneState.STREAMING, reason, Serving.STREAM)

    def _serve_alone(self) -> None:
        """Polls are not answered any more, and the stream delivers."""
        if self._now - self._answered_ns < UNANSWERED_NS or not self._evidence.is_fresh:
            return
        effects = self.values.open_alone(self._answered_ns)
        if effects is not None:
            self._go(LaneState.PROVING, Reason.POLL_DOWN, Serving.STREAM)
            self._tell(effects)

    # --- what follows -----------------------------------------------------------------------------------------------------

    def _close(self, reason: Reason) -> None:
        self._end_attempt(is_shut=True)
        self._note_breaker()  # nothing follows the closing event
        self._go(LaneState.CLOSED, reason, Serving.NONE)
