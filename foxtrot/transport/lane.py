"""One lane's state machine: ``step(input, now)`` returns effects; nothing is done here.

====================  ===================================================================================================
state                 leaves (anything else that comes is ignored, never an error)
====================  ===================================================================================================
POLLING               decision streaming -> PROVING, or FALLBACK while ``retry_at`` is ahead
PROVING               proof -> STREAMING; the attempt fails, or its connection -> FALLBACK; decision polling -> POLLING
STREAMING             trip or lost connection -> FALLBACK; decision polling -> POLLING (polled value first; a kill at once)
FALLBACK              ``retry_at`` and a permit, or its connection is back -> PROVING; decision polling -> POLLING
CLOSED                nothing
====================  ===================================================================================================

Rules:

1. A lane starts when its start answer has come: until then nothing serves, and decisions wait.
2. PROVING is served by polling until the stream has shown that it is alive (``proof``). Then the join: ids are fetched up to
   the first buffered one, a tick asks its anchor. Only when both sides meet does the stream serve.
3. Whatever ends a stream's serving asks for one poll at once.
4. A lost connection counts nothing of the lane's own: it waits for its connection. A trip, or a failed attempt of its own,
   opens the lane's breaker; the stream is shut until ``retry_at``.
5. A decision never shortens ``retry_at``; ``Revive`` does.
6. Values of a stream that does not serve are never delivered; what they contained comes by id or by poll.
"""

from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.backoff import Chance
from foxtrot.transport.base import Item, LaneKey, LaneStatus, Quote, Stats
from foxtrot.transport.breaker import Breaker, Permit
from foxtrot.transport.ordering import IdOrder, QuoteOrder, Verdict
from foxtrot.transport.proof import Proof
from foxtrot.transport.question import Question
from foxtrot.transport.storm import Storm
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport

LEAVE_NS: Final = 900 * NS_PER_MS
"""How long a decision for polling waits for the polled value that goes first."""


class Lane:
    """The machine of one lane. ``ids`` or ``quotes`` keeps what is next; exactly one of them is there once started."""

    def __init__(self, key: LaneKey, *, is_tick: bool, now_ns: int, chance: Chance, breaker: Breaker | None = None) -> None:
        self.key: Final = key
        self.state = LaneState.POLLING
        self.serving = Serving.NONE
        self.reason = Reason.SUBSCRIBED
        self.quotes: Final = QuoteOrder() if is_tick else None
        self.ids: IdOrder | None = None
        self.breaker: Final = breaker or Breaker()
        self.decision = steps.Decide(Transport.POLLING, Reason.NO_FLAGS)
        self.switches = 0
        self.gaps = 0
        self.changed_ns = 0
        self.confirmed_ns = now_ns
        self.is_started = self.is_held = False
        self._chance = chance
        self._now = now_ns
        self._out: list[steps.Effect] = []
        self._reported = BreakerState.CLOSED
        self._permit: Permit | None = None
        self._proof: Final = Proof()
        self._question: Final = Question()
        self._storm: Final = Storm()
        self._behind = -1  # the last id of the hole that the page under way was asked for; -1: for no frame that was lost
        self._page_source = Source.POLL
        self._awaits_connection = False
        self._leave_ns = 0  # until when a leaving stream waits for the polled value; 0: it is not leaving

    # --- what others read -------------------------------------------------------------------------------------------------

    @property
    def wants_stream(self) -> bool:
        """Whether the decision asks for the stream."""
        return self.decision.transport is Transport.STREAMING

    @property
    def status(self) -> LaneStatus:
        """How the lane stands."""
        order = self._order
        heard = order.heard_ns if order and self.state is LaneState.STREAMING and not order.waiting else 0
        return LaneStatus(
            key=self.key,
            state=self.state,
            serving=self.serving,
            reason=self.reason,
            delivered=order.delivered if order else 0,
            duplicates_dropped=order.duplicates if order else 0,
            gaps=self.gaps,
            switches=self.switches,
            changed_ns=max(self.changed_ns, heard),
            confirmed_ns=max(self.confirmed_ns, heard),
        )

    @property
    def _order(self) -> IdOrder | QuoteOrder | None:
        return self.quotes or self.ids

    # --- the door ---------------------------------------------------------------------------------------------------------

    def step(self, given: steps.Input, now_ns: int) -> list[steps.Effect]:  # noqa: C901, PLR0912 -- one line an input: this is the table
        """Takes one input; returns what to do, in order."""
        if self.state is LaneState.CLOSED:
            return []
        self._now = now_ns
        self._out = []
        match given:
            case steps.Offered():
                self._offered(given.value, given.received_ns)
            case steps.OfferedStats():
                self._figured(given.stats, Source.STREAM)
            case steps.Polled():
                self._polled(given)
            case steps.Paged():
                self._paged(given)
            case steps.PageFailed():
                self._question.answered(now_ns, is_useful=False)
            case steps.Anchored():
                self._anchored(given.quote)
            case steps.Decide():
                self._decided(given)
            case steps.Start():
                self._started(IdOrder(given.cursor))
            case steps.StreamUp():
                self._stream_up()
            case steps.StreamDown():
                self._stream_down(given.reason)
            case steps.Stray():
                self._give_up(Reason.WRONG_SYMBOL)
            case steps.Hold():
                self._hold(given.is_on)
            case steps.Pulse():
                self._pulse()
            case steps.Revive():
                self.breaker.revive(now_ns)
                self._pulse()
            case steps.Close():  # pragma: no branch -- there are no other inputs: mypy proves the match whole
                self._close(given.reason)
        if self.breaker.state is not self._reported:
            self._out.append(steps.BreakerMoved(self._reported, self.breaker.state))
            self._reported = self.breaker.state
        return self._out

    # --- decisions --------------------------------------------------------------------------------------------------------

    def _started(self, ids: IdOrder | None) -> None:
        if self.is_started:
            return
        self.is_started = True
        self.ids = ids
        self.confirmed_ns = self._now
        self._go(LaneState.POLLING, Reason.SUBSCRIBED, Serving.POLL)
        self._decided(self.decision)

    def _decided(self, decision: steps.Decide) -> None:
        self.decision = decision
        if not self.is_started:
            return
        if self.wants_stream and self.state is LaneState.POLLING:
            self._try_stream(decision.reason)
        elif self.wants_stream and self._leave_ns:
            self._stay()
        elif not self.wants_stream and self.state is LaneState.STREAMING:
            self._leave(decision.reason)
        elif not self.wants_stream and self.state is not LaneState.POLLING:
            self._end_attempt()
            self._out.append(steps.ShutStream())
            self._go(LaneState.POLLING, decision.reason, Serving.POLL)

    def _leave(self, reason: Reason) -> None:
        if self.quotes is None or reason is Reason.KILL:
            self._drop_stream(LaneState.POLLING, reason, shut=True)
        elif not self._leave_ns:
            self.quotes.shut()  # nothing streamed after the poll has been asked: the polled value comes next
            self._leave_ns = self._now + LEAVE_NS
            self._out.append(steps.PollNow())

    def _stay(self) -> None:
        """It was leaving, and is wanted again before a polled value came."""
        assert self.quotes is not None  # ids leave at once
        self._leave_ns = 0
        self._deliver(self.quotes.resume(), Source.STREAM)

    def _try_stream(self, reason: Reason) -> None:
        if self._prove(reason):
            self._out.append(steps.OpenStream())
        elif self.state is LaneState.POLLING:
            self._go(LaneState.FALLBACK, Reason.BREAKER_OPEN, Serving.POLL)

    def _prove(self, reason: Reason) -> bool:
        self._permit = self.breaker.acquire(self._now)
        if self._permit is not None:
            self._go(LaneState.PROVING, reason, Serving.POLL)
        return self._permit is not None

    # --- the stream's fortunes --------------------------------------------------------------------------------------------

    def _stream_up(self) -> None:
        if self.state is LaneState.FALLBACK and self._awaits_connection:
            self._awaits_connection = False
            self._prove(Reason.RETRY)
        if self.state is LaneState.PROVING:
            self._proof.begin(self._now)

    def _stream_down(self, reason: Reason) -> None:
        if self._leave_ns:
            self._drop_stream(LaneState.POLLING, self.decision.reason, shut=True)
        elif self.state is LaneState.STREAMING:
            self._drop_stream(LaneState.FALLBACK, reason)
            self._awaits_connection = True
        elif self.state is LaneState.PROVING:
            self._end_attempt()
            self._awaits_connection = True
            self._go(LaneState.FALLBACK, reason, Serving.POLL)

    def _give_up(self, reason: Reason) -> None:
        """A trip of the serving stream, or the failure of an attempt."""
        if self.state is LaneState.STREAMING:
            self.breaker.trip(self._now, self._chance)
            state, why = (LaneState.POLLING, self.decision.reason) if self._leave_ns else (LaneState.FALLBACK, reason)
            self._drop_stream(state, why, shut=True)
        elif self._permit is not None:
            self.breaker.fail(self._permit, self._now, self._chance)
            self._end_attempt()
            self._out.append(steps.ShutStream())
            self._go(LaneState.FALLBACK, reason, Serving.POLL)

    def _drop_stream(self, state: LaneState, reason: Reason, *, shut: bool = False) -> None:
        """The stream serves no longer: what it left unfinished comes by id or by poll."""
        self._end_attempt()
        if shut:
            self._out.append(steps.ShutStream())
        self._go(state, reason, Serving.POLL)
        self._out.append(steps.PollNow())
        self._ask_page()

    def _end_attempt(self) -> None:
        if self._permit is not None:
            self.breaker.release(self._permit)
            self._permit = None
        if self._order:
            self._order.shut()
        self._proof.end()
        self._question.reset()
        self._leave_ns = 0
        self._awaits_connection = False

    def _offered(self, value: Item | Quote, received_ns: int) -> None:
        if not self._proof.up_ns:
            return  # no connection carries the stream: a frame of an older one
        if isinstance(value, Quote):
            is_new = self.quotes is not None and self.quotes.offer(value)
        else:
            is_new = self.ids is not None and value.id >= self.ids.next_id
            if self.ids:
                self._deliver(self.ids.offer(value, received_ns), Source.STREAM)
        if is_new:  # a replay of the past proves nothing
            self._proof.heard(self._now)
            self._join()

    def _join(self) -> None:
        """Asks for what lies between the last value and the stream, or opens the stream when nothing does."""
        if self.state is LaneState.PROVING and self._proof.proven_ns and not self.is_held:
            if self.quotes:
                if self._question.ask(self._now):
                    self._out.append(steps.FetchAnchor())
            elif self.ids and not self.ids.wants_page():
                self._serve_stream()
                self._deliver(self.ids.open(), Source.STREAM)
        self._ask_page()

    def _serve_stream(self) -> None:
        assert self._permit is not None
        self.breaker.succeed(self._permit, self._now)
        self._permit = None
        self._go(LaneState.STREAMING, Reason.PROOF, Serving.STREAM)

    def _ask_page(self) -> None:
        if self.ids and not self.is_held and self.ids.wants_page() and self._question.ask(self._now):
            hole = None if self.ids.is_incomplete else self.ids.hole()
            self._behind = hole[1] if hole else -1
            self._page_source = Source.BACKFILL if self.state is LaneState.STREAMING else Source.POLL
            self._out.append(steps.FetchPage(self.ids.next_id, self._page_source))

    def _paged(self, page: steps.Paged) -> None:
        if self.ids is None or self.is_held:
            self._question.answered(self._now, is_useful=True)
            return
        items, gap = self.ids.fill(page.items, is_full=page.is_full)
        if gap:
            self.gaps += 1
            self._out.append(steps.Missing(*gap, Reason.GAP))
        self._deliver(items, self._page_source)
        if self.state is LaneState.STREAMING:
            self._deliver(self.ids.ready(), Source.STREAM)
        # A page that leaves its hole unfilled is the answer of a replica behind the stream: it is not asked again at once.
        self._question.answered(self._now, is_useful=bool(items or gap) or not self.ids.wants_page())
        if items and self.state is LaneState.STREAMING and self._behind >= 0 and self._storm.gap(self._behind, self._now):
            self._give_up(Reason.GAP)
        self._join()

    def _anchored(self, anchor: Quote | None) -> None:
        order, proven_ns = self.quotes, self._proof.proven_ns
        if order is None or not proven_ns or self.state is not LaneState.PROVING:
            self._question.answered(self._now, is_useful=True)  # of an attempt that has ended
        elif anchor is None or anchor.asked_ns < proven_ns or not order.is_admissible(anchor):
            self._question.answered(self._now, is_useful=False)
        else:
            self._question.answered(self._now, is_useful=True)
            self._serve_stream()
            following = order.open(anchor)
            self._deliver([anchor], Source.POLL)
            self._deliver(following, Source.STREAM)

    def _polled(self, given: steps.Polled) -> None:
        if self.is_held:
            self.confirmed_ns = self._now  # whatever it says: the venue is reached, and health says CONSUMER_SLOW
        if self.quotes:
            self._polled_tick(self.quotes, given)
        elif self.ids and given.answer.stats is not None:
            is_changed = given.answer.stats.last_id > self.ids.venue_trade_id
            verdict = self.ids.polled(given.answer.stats.last_id, self._now)
            if not self.is_held:
                self._judged(verdict, given.asked_ns, is_changed=is_changed)
                self._ask_page()

    def _polled_tick(self, order: QuoteOrder, given: steps.Polled) -> None:
        quote, stats = given.answer.quote, given.answer.stats
        if quote is not None and not self.is_started:
            self._started(None)
        if quote is not None and not order.is_cached(stats, given.asked_ns):
            self._polled_quote(order, quote)
        if stats is not None:  # after the quote that came with them, or they would be told with the one before it
            self._figured(stats, Source.POLL)

    def _polled_quote(self, order: QuoteOrder, quote: Quote) -> None:
        makes_way = self.state is LaneState.PROVING and self._question.is_fresh(self._now)
        if order.is_live:
            self._judged(order.judge(quote), quote.asked_ns, is_changed=False)
        elif order.is_admissible(quote) and not makes_way:
            if self._leave_ns:
                self._drop_stream(LaneState.POLLING, self.decision.reason, shut=True)
            is_changed = order.poll(quote)
            if is_changed:
                self._deliver([quote], Source.POLL)
            self._judged(Verdict.HIT, quote.asked_ns, is_changed=is_changed)

    def _judged(self, verdict: Verdict, asked_ns: int, *, is_changed: bool) -> None:
        """What a poll means for the stream that serves or proves."""
        if verdict is Verdict.HIT and not (self.ids and self.ids.waiting):  # behind a hole values grow old
            self.confirmed_ns = self._now
        if verdict is Verdict.DEAD:
            self._give_up(Reason.SILENCE)
        elif verdict is not Verdict.OLD and self._proof.polled(asked_ns, self._now, is_changed=is_changed):
            self._join()

    def _figured(self, stats: Stats, source: Source) -> None:
        """24 h figures of either source: they confirm nothing, only quotes do."""
        if self.quotes and (source is Source.POLL or self._proof.up_ns) and self.quotes.stats(stats):
            self.changed_ns = self._now
            self._out.append(steps.Deliver([stats], source))

    def _pulse(self) -> None:
        if self.state is LaneState.FALLBACK and self.wants_stream and not self._awaits_connection:
            self._try_stream(Reason.RETRY)
        elif self._leave_ns and self._now >= self._leave_ns:
            self._drop_stream(LaneState.POLLING, self.decision.reason, shut=True)
        elif self._proof.is_overdue(self._now):
            self._give_up(Reason.FIRST_DATA)
        else:
            self._join()

    def _hold(self, is_on: bool) -> None:
        if self.ids is None or self.is_held == is_on:
            return
        self.is_held = is_on
        if is_on:
            self.ids.pause()
        else:
            self.ids.resume()
            self._join()

    def _close(self, reason: Reason) -> None:
        self._end_attempt()
        if self.state is not LaneState.POLLING:
            self._out.append(steps.ShutStream())
        self._go(LaneState.CLOSED, reason, Serving.NONE)

    def _go(self, state: LaneState, reason: Reason, serving: Serving) -> None:
        self.switches += {self.serving, serving} == {Serving.POLL, Serving.STREAM}
        old, self.state, self.reason, self.serving = self.state, state, reason, serving
        self._out.append(steps.Announce(old, state, serving, reason))

    def _deliver(self, values: list[Item] | list[Quote], source: Source) -> None:
        if values:
            self.changed_ns = self.confirmed_ns = self._now
            self._out.append(steps.Deliver(values, source))
