"""What a lane of ids does with its values: trades, aggregate trades (design, section 5, rules 1 and 2).

1. Polling serves until the stream does: it asks for what polls have shown. Every join completes by id: what lies between the last
   delivered id and the stream is asked for, page by page.
2. While the stream serves, frames behind a hole wait for it, at most ``hold``. Past that one gap names the ids, live data goes
   on, and the hole is owed: it is asked for beside the live pages, and what is found is backfill.
3. A stream is judged by trade ids: what a poll shows as the newest one, the stream must have brought.
4. What a slow consumer did not get is completed like any outage.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.audit import IdAudit, Verdict
from foxtrot.transport.base import Answer, Cursor, Item
from foxtrot.transport.holes import Holes
from foxtrot.transport.ordering import IdOrder, Standing
from foxtrot.transport.question import Question
from foxtrot.transport.storm import Storm
from foxtrot.transport.values import Answered, Shown, Told, Values, told
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Reason, Source

OWED: Final = 1_000
"""So many holes are owed at most; more are let go, oldest first: they have been told as gaps."""


class IdValues(Values):
    """The values of one lane. ``hold_ns`` is how long frames wait behind a hole; None: for ever."""

    def __init__(self, hold_ns: int | None, audit: IdAudit | None = None) -> None:
        super().__init__(hold_ns)
        self._order: IdOrder | None = None
        self.is_dead = False
        self.is_storm = False
        self._audit: Final = audit or IdAudit()
        self._holes: Final = Holes()
        self._storm: Final = Storm()
        self._page: Final = Question()
        self._late_page: Final = Question()
        self._owed: deque[tuple[int, int]] = deque(maxlen=OWED)
        self._waits: deque[tuple[int, int]] = deque()  # since when a frame waits behind a hole, and its id
        self._is_joining = False
        self._behind = -1  # the last id of the hole that the page under way was asked for; -1: for no frame that was lost
        self._page_source = Source.POLL
        self._sampled_ns = 0
        self._up_ns = 0
        self._stalled_ns = 0  # when our loop ran again after it had stood still last

    # --- what the lane asks -------------------------------------------------------------------------------------------------

    @property
    @override
    def order(self) -> IdOrder | None:
        """The ids."""
        return self._order

    @property
    @override
    def missing(self) -> int:
        """Trades, as ids of trades tell."""
        return self.order.missing if self.order else 0

    @property
    @override
    def poll_call(self) -> tuple[str, int] | None:
        """A page."""
        return ("page", 1)

    @property
    def is_waiting(self) -> bool:
        """Whether frames wait behind a hole: what is delivered grows old meanwhile."""
        return self.order is not None and self.order.waiting > 0

    @property
    @override
    def is_suspect(self) -> bool:
        """Whether the newest poll knows a trade that the stream has not brought in time."""
        return self._audit.misses > 0

    @override
    def verdicts(self, now_ns: int) -> list[Verdict]:
        """What polls have shown of the stream since this was asked last."""
        self._hear(now_ns)
        return self._audit.verdicts(now_ns)

    @override
    def has_gap(self, now_ns: int) -> bool:
        """Whether a stream under proof has left something out."""
        return self._holes.is_gap(now_ns)

    @override
    def trip(self, now_ns: int) -> Reason | None:
        """It is dead, or it loses frames time and again."""
        if self.is_dead:
            return Reason.SILENCE
        return Reason.GAP if self.is_storm else None

    @property
    @override
    def is_current(self) -> bool:
        """Whether all that is known to be there has been delivered."""
        return self.order is not None and not self.is_held and not self._wants(self.order)

    @override
    def is_joined(self) -> bool:
        """Whether nothing lies between the last delivered value and the stream."""
        return self.order is not None and not self.is_held and not self.order.wants_page()

    @override
    def is_calm(self, now_ns: int) -> bool:
        """Whether nothing has become due: no frame to take the lag of, no hole, no verdict, no page to ask for."""
        order = self.order
        if order is None:
            return True
        is_sampled = order.heard_ns == self._sampled_ns or not order.event_ms
        is_judged = self._audit.is_calm and self.lag.is_calm(now_ns) and not (self.is_dead or self.is_storm)
        is_whole = self._holes.is_none and not (self._waits or order.waiting)
        return is_sampled and is_judged and is_whole and not self._may_ask(order, now_ns)

    # --- the stream's life --------------------------------------------------------------------------------------------------

    @override
    def start(self, cursor: Cursor) -> None:
        """The start answer has come."""
        self._order = IdOrder(cursor)

    @override
    def up(self, now_ns: int) -> None:
        """A connection carries the stream."""
        self._up_ns = now_ns
        assert self.order is not None  # a lane starts before it has a stream
        self.order.listen()
        self._sampled_ns = self.order.heard_ns  # what an older stream brought last is none of its lag
        self._audit.begin(now_ns, self.order.last_trade_id)
        self._holes.begin()
        self.lag.forget()

    @override
    def open(self) -> list[steps.Effect]:
        """The stream serves from here: what waited and is next goes first."""
        self._holes.begin()
        return told([*self.order.open()], Source.STREAM) if self.order else []

    @override
    def open_alone(self, answered_ns: int) -> list[steps.Effect] | None:
        """What waits goes first; None where nothing does."""
        return self.open() if self.is_waiting and not self.is_held else None

    @override
    def shut(self) -> None:
        """The stream serves no longer, or its attempt is over."""
        if self.order:
            self.order.shut()
        self._audit.end()
        self._holes.begin()
        self.lag.forget()
        self._page.reset()
        self._waits.clear()
        self._up_ns = 0
        self.is_dead = self.is_storm = self._is_joining = False

    @override
    def stalled(self, span_ns: int, now_ns: int) -> None:
        """Our loop stood still: the stream has so much longer; how late it is, frames of before do not tell."""
        self._stalled_ns = now_ns
        self._audit.stalled(span_ns)
        self._holes.stalled(span_ns)
        self._waits = deque((since_ns + span_ns, item_id) for since_ns, item_id in self._waits)
        if self.order:
            self.order.stalled(span_ns)

    @override
    def hold(self, is_on: bool) -> None:
        """The consumer is slow, or has caught up."""
        if self.order is None or self.is_held == is_on:
            return
        self.is_held = is_on
        self._waits.clear()
        if is_on:
            self.order.pause()
        else:
            self.order.resume()

    # --- what comes ---------------------------------------------------------------------------------------------------------

    @override
    def offered(self, given: steps.Offered, now_ns: int, *, is_kept: bool) -> list[steps.Effect]:
        """A streamed value that the door did not accept."""
        assert self.order is not None  # a lane starts before it has a stream
        item = given.value
        if not isinstance(item, Item):
            return []
        if not self.order.is_live:
            self._holes.heard(item.id, now_ns)
        waiting = self.order.waiting
        ready = self.order.offer(item, given.received_ns, given.event_ms, is_kept=is_kept)
        if self.order.is_live and self.order.waiting > waiting:
            self._waits.append((now_ns, item.id))
        return told([*ready], Source.STREAM)

    @override
    def polled(self, answer: Answer, asked_ns: int, now_ns: int, *, is_proving: bool) -> Shown:
        """The newest trade id that the venue shows; an old answer says nothing. It confirms when all up to it was delivered."""
        if self.order is None or answer.stats is None:
            return Shown([], is_confirmed=False)
        newest = answer.stats.last_id
        standing = self.order.polled(newest, now_ns)
        self.is_dead = standing is Standing.DEAD and not self.is_held
        if standing is Standing.OLD:
            return Shown([], is_confirmed=False)
        if not self.is_held:
            self._hear(now_ns)
            self._audit.polled(newest, asked_ns, now_ns)
        return Shown([], is_confirmed=not self.order.is_live and self.is_current)

    @override
    def answered(self, given: Answered, now_ns: int, *, is_wanted: bool) -> Told:
        """A page has come, or could not be had."""
        if isinstance(given, steps.Paged):
            return Told(self._paged(given, now_ns))
        if isinstance(given, steps.PageFailed):
            (self._late_page if given.is_late else self._page).answered(now_ns, is_useful=False)
        return Told([])

    def _paged(self, page: steps.Paged, now_ns: int) -> list[steps.Effect]:
        """A page has come: what is next of it, or what was owed."""
        if page.is_late:
            return self._backfilled(page.items, now_ns)
        order = self.order
        if order is None or self.is_held:
            self._page.answered(now_ns, is_useful=True)
            return []
        items, gap = order.fill(page.items, is_full=page.is_full)
        effects: list[steps.Effect] = []
        if gap:
            self.gaps += 1
            effects.append(steps.Missing(*gap, Reason.GAP))
        effects += told([*items], self._page_source)
        if order.is_live:
            effects += told([*order.ready()], Source.STREAM)
        self._page.answered(now_ns, is_useful=self._is_useful(order, is_news=bool(items or gap)))
        self.is_storm |= bool(items) and order.is_live and self._behind >= 0 and self._storm.gap(self._behind, now_ns)
        return effects

    # --- what becomes due ---------------------------------------------------------------------------------------------------

    @override
    def passed(self, now_ns: int, offset_ns: int | None) -> list[steps.Effect]:
        """Time has passed: the newest frame's lag is noted, and a hole that waited too long is given up."""
        order = self.order
        if order is None:
            return []
        if order.heard_ns != self._sampled_ns and order.event_ms and offset_ns is not None:
            self._sampled_ns = order.heard_ns
            if order.event_ms * NS_PER_MS - offset_ns >= self._stalled_ns:
                self.lag.sample(order.heard_ns, order.event_ms * NS_PER_MS, offset_ns)
        return self._hold_bound(order, now_ns)

    @override
    def asks(self, now_ns: int, *, is_streaming: bool, is_joining: bool) -> list[steps.Effect]:
        """The pages that may be asked for now. ``is_joining``: the stream has proved itself, and is to serve."""
        effects: list[steps.Effect] = []
        self._is_joining = is_joining
        if self.order is None or self.is_held:
            return effects
        if self._wants(self.order) and self._page.ask(now_ns):
            hole = None if self.order.is_incomplete else self.order.hole()
            self._behind = hole[1] if hole else -1
            self._page_source = Source.BACKFILL if is_streaming else Source.POLL
            effects.append(steps.FetchPage(self.order.next_id, self._page_source))
        if self._owed and self._late_page.ask(now_ns):
            effects.append(steps.FetchPage(self._owed[0][0], Source.BACKFILL, self._owed[0][1]))
        return effects

    def _may_ask(self, order: IdOrder, now_ns: int) -> bool:
        if self.is_held:
            return False
        is_owed = bool(self._owed) and self._late_page.may_ask(now_ns)
        return is_owed or (self._wants(order) and self._page.may_ask(now_ns))

    def _is_useful(self, order: IdOrder, *, is_news: bool) -> bool:
        """A page that leaves its hole unfilled is the answer of a replica behind the stream: it is not asked again at once."""
        return is_news or not self._wants(order)

    def _wants(self, order: IdOrder) -> bool:
        return order.wants_page() if order.is_live or self._is_joining else order.wants_poll()

    def _hear(self, now_ns: int) -> None:
        """Tells the audit what the stream has brought since it came up."""
        order = self.order
        if order is not None and order.heard_ns >= self._up_ns > 0:
            self._audit.heard(order.streamed_trade_id if order.is_live else order.heard_trade_id, now_ns)

    def _hold_bound(self, order: IdOrder, now_ns: int) -> list[steps.Effect]:
        """Gives up each hole that a frame has waited behind for as long as it may."""
        effects: list[steps.Effect] = []
        while order.is_live and (hole := order.hole()) is not None:
            while self._waits and self._waits[0][1] < order.next_id:
                self._waits.popleft()
            if not self._waits:
                self._waits.append((now_ns, hole[1] + 1))  # it waited for the switch before
            if self.hold_ns is None or now_ns - self._waits[0][0] < self.hold_ns:
                return effects
            order.skip_to_buffer()
            self.gaps += 1
            self._owed.append(hole)
            self.is_storm |= self._storm.gap(hole[1], now_ns)
            effects += [steps.Missing(*hole, Reason.HOLD), *told([*order.ready()], Source.STREAM)]
        self._waits.clear()
        return effects

    def _backfilled(self, items: Sequence[Item], now_ns: int) -> list[steps.Effect]:
        if not self._owed:
            self._late_page.answered(now_ns, is_useful=True)
            return []
        first, last = self._owed.popleft()
        found = [item for item in items if first <= item.id <= last]
        is_beyond = bool(items) and items[-1].id > last  # what the page lacks the venue has no longer
        reached = max((item.id for item in found), default=first - 1)
        if reached < last and not is_beyond:
            self._owed.appendleft((reached + 1, last))
        self._late_page.answered(now_ns, is_useful=bool(found) or is_beyond)
        return [steps.Backfill(found)] if found else []
