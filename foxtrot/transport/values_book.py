"""What a lane does with its order book (design, section 5, rule 3).

1. While polling serves, each beat asks for one snapshot, as the weight allows.
2. A stream that is up gets a snapshot as soon as its subscription is in force, and is judged by what polls say of the best levels
   (``book_audit``). It serves once it has proved itself and its book is not behind what was delivered.
3. A book that a diff does not continue is delivered once as invalid, then begun anew: a serving stream waits for that snapshot.
4. A book of which too little is known gets a new snapshot while the old one goes on.
5. Every ten minutes the stream's book is compared with a snapshot; under 99 % equal levels it is told, and begun anew.
6. A stream is given up that loses diffs time and again, that no snapshot fits, or that a comparison shows to be 5 s behind.
"""

from collections.abc import Callable
from typing import ClassVar, Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.audit import Verdict
from foxtrot.transport.base import Answer, Depth, Diff
from foxtrot.transport.book import Book
from foxtrot.transport.book_audit import SETTLE_NS, BookAudit
from foxtrot.transport.book_order import BookOrder
from foxtrot.transport.ordering import IdOrder
from foxtrot.transport.question import Question
from foxtrot.transport.storm import Storm
from foxtrot.transport.values import Answered, Shown, Told, Values, told
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import Reason, Source

AUDIT_NS: Final = 600 * NS_PER_S
"""How often a streamed book is compared with a snapshot, from its own first one on."""

AUDIT_LIMIT: Final = 1_000
"""How many levels a side it is compared with."""

AUDIT_AGAIN_NS: Final = 60 * NS_PER_S
"""The same after a comparison that could not be made."""

EQUAL: Final = 0.99
"""A smaller share of equal levels is told, and the book begun anew."""

MISFITS: Final = 5
"""So many snapshots running that the stream does not continue: it has skipped what it will not bring any more."""

PATIENCE_NS: Final = IdOrder.PATIENCE_NS
"""How long a snapshot to compare with may be ahead of the stream before that is dead."""


class BookValues(Values):
    """The book of one lane. ``make`` gives an empty book."""

    has_cursor: ClassVar = False
    trips_on_misses: ClassVar = True

    def __init__(self, make: Callable[[], Book]) -> None:
        super().__init__()
        self._order: Final = BookOrder(make)
        self._audit: Final = BookAudit()
        self._storm: Final = Storm()
        self._question: Final = Question()
        self._comparison: Final = Question()
        self._audit_at_ns = 0
        self._up_ns = 0
        self._sampled_ns = 0
        self._stalled_ns = 0  # when our loop ran again after it had stood still last
        self._compared_ns = 0  # when the snapshot to compare with came
        self._is_due = False  # a beat has passed since polling asked for a snapshot
        self._is_storm = False
        self._noted_ends = 0
        self._misfits = 0

    # --- what the lane asks -------------------------------------------------------------------------------------------------

    @property
    @override
    def order(self) -> BookOrder:
        """The book."""
        return self._order

    @property
    @override
    def is_suspect(self) -> bool:
        """Whether the newest poll shows best levels that the book has not."""
        return self._audit.misses > 0

    @property
    @override
    def is_current(self) -> bool:
        """Whether the stream's book is one."""
        return self._order.book.is_valid

    @property
    @override
    def poll_call(self) -> tuple[str, int] | None:
        """A snapshot."""
        return ("depth", self._order.book.limit)

    @override
    def verdicts(self, now_ns: int) -> list[Verdict]:
        """What polls have shown of the stream since this was asked last."""
        book = self._order.book
        return self._audit.judge(self._order.heard_ns, book.top if book.is_valid else None, now_ns)

    @override
    def is_calm(self, now_ns: int) -> bool:
        """Whether nothing has become due."""
        order = self._order
        is_sampled = order.heard_ns == self._sampled_ns or not order.event_ms
        is_judged = self._audit.is_calm and self.lag.is_calm(now_ns) and not self._is_storm
        is_asked = self._wants(now_ns, is_streaming=order.is_live) is None or not self._question.may_ask(now_ns)
        is_compared = not (self._is_audit_due(now_ns) or order.is_comparable or self._is_overdue(now_ns))
        is_whole = order.ends == self._noted_ends and not (order.has_gap or self._misfits >= MISFITS)
        return is_sampled and is_judged and is_asked and is_compared and is_whole

    @override
    def has_gap(self, now_ns: int) -> bool:
        """Whether a stream under proof has left something out."""
        return self._order.has_gap or self._misfits >= MISFITS or self._is_overdue(now_ns)

    @override
    def trip(self, now_ns: int) -> Reason | None:
        """It is dead, or it loses frames time and again."""
        if self._is_overdue(now_ns):
            return Reason.SILENCE
        return Reason.GAP if self._is_storm or self._misfits >= MISFITS else None

    # --- the stream's life --------------------------------------------------------------------------------------------------

    @override
    def up(self, now_ns: int) -> None:
        """A connection carries the stream."""
        self._order.forget()
        self._up_ns = now_ns
        self._sampled_ns = self._order.heard_ns
        self._audit.begin(now_ns)
        self._question.reset()
        self.lag.forget()

    @override
    def shut(self) -> None:
        """The stream serves no longer, or its attempt is over."""
        self._is_due |= self._order.is_live  # polling is to tell its book at once
        self._order.forget()
        self._audit.end()
        self._question.reset()
        self._comparison.reset()
        self.lag.forget()
        self._up_ns = self._misfits = 0
        self._is_storm = False

    @override
    def stalled(self, span_ns: int, now_ns: int) -> None:
        """Our loop stood still: the stream has so much longer; how late it is, frames of before do not tell."""
        self._stalled_ns = now_ns
        self._compared_ns += span_ns
        self._audit.stalled(span_ns)

    @override
    def is_joined(self) -> bool:
        """Whether the stream's book is not behind what was delivered."""
        return self._order.is_joined

    @override
    def open(self) -> list[steps.Effect]:
        """The stream serves from here."""
        self._order.is_live = True
        return self._news()

    @override
    def open_alone(self, answered_ns: int) -> list[steps.Effect] | None:
        """A book that had its snapshot before REST went down may serve; without one there is none."""
        return self.open() if self._order.is_joined else None

    # --- what comes ---------------------------------------------------------------------------------------------------------

    @override
    def offered(self, given: steps.Offered, now_ns: int, *, is_kept: bool) -> list[steps.Effect]:
        """A diff that the door did not accept."""
        if not isinstance(given.value, Diff):
            return []
        has_ended = self._order.offer(given.value, given.received_ns, given.event_ms)
        self._note_ends(now_ns)
        return self._news() if has_ended and self._order.is_live else []

    @override
    def polled(self, answer: Answer, asked_ns: int, now_ns: int, *, is_proving: bool) -> Shown:
        """What the best levels were; a snapshot of all may be asked for again."""
        self._is_due = True
        if answer.quote is not None:
            self._audit.polled(answer.quote.levels, answer.quote.asked_ns, now_ns)
        return Shown([], is_confirmed=False)

    @override
    def answered(self, given: Answered, now_ns: int, *, is_wanted: bool) -> Told:
        """A snapshot has come, or could not be had."""
        if not isinstance(given, steps.Snapped):
            return Told([])
        if given.is_audit:
            self._comparison.answered(now_ns, is_useful=True)
            found = self._to_compare(given.depth, now_ns)
        elif given.depth is None:
            self._question.answered(now_ns, is_useful=False)
            found = Told([])
        else:
            found = self._snapped(given.depth, now_ns)
        self._order.keeps_all = self._question.is_open or self._comparison.is_open
        return found

    def _to_compare(self, depth: Depth | None, now_ns: int) -> Told:
        is_fit = depth is not None and self._up_ns > 0 and self._order.compare(depth)
        self._compared_ns = now_ns
        self._audit_at_ns = now_ns + (AUDIT_NS if is_fit else AUDIT_AGAIN_NS)
        return Told([])

    def _snapped(self, depth: Depth, now_ns: int) -> Told:
        order, is_fit = self._order, self._begun(depth, now_ns)
        self._question.answered(now_ns, is_useful=is_fit)
        if order.is_live:
            return Told(self._news() if order.book.is_valid else [])
        is_confirmed = order.is_known(depth)
        item = order.polled_item(depth)
        return Told(told([item] if item else [], Source.POLL), is_confirmed=is_confirmed)

    def _begun(self, depth: Depth, now_ns: int) -> bool:
        """Lets the stream's book begin anew, where that is due; false: it is due still."""
        order = self._order
        if not self._up_ns or (order.book.is_valid and order.is_linked and not order.book.is_narrow):
            return True
        is_timely = depth.asked_ns >= self._up_ns + SETTLE_NS
        is_fit = order.load(depth, is_timely=is_timely)
        if is_fit:
            self._audit_at_ns = now_ns + AUDIT_NS
            self._audit.based(depth.received_ns)
            self._misfits = 0
        elif not order.book.is_valid and is_timely:
            self._misfits += 1
        return is_fit and not order.book.is_narrow

    # --- what becomes due ---------------------------------------------------------------------------------------------------

    @override
    def passed(self, now_ns: int, offset_ns: int | None) -> list[steps.Effect]:
        """Time has passed: the newest frame's lag is noted, and a comparison that both books have reached is made."""
        order = self._order
        if order.heard_ns != self._sampled_ns and order.event_ms and offset_ns is not None:
            self._sampled_ns = order.heard_ns
            if order.event_ms * NS_PER_MS - offset_ns >= self._stalled_ns:
                self.lag.sample(order.heard_ns, order.event_ms * NS_PER_MS, offset_ns)
        self._note_ends(now_ns)
        if not order.is_comparable:
            return []
        share = order.compared(EQUAL)
        return [] if share >= EQUAL else [steps.Disagreed(share), *(self._news() if order.is_live else [])]

    @override
    def asks(self, now_ns: int, *, is_streaming: bool, is_joining: bool) -> list[steps.Effect]:
        """One snapshot at a time, and one to compare with."""
        wanted = self._wants(now_ns, is_streaming=is_streaming)
        effects: list[steps.Effect] = []
        if wanted is not None and self._question.ask(now_ns):
            self._is_due = False
            self._order.keeps_all = True
            effects.append(wanted)
        if self._is_audit_due(now_ns) and self._comparison.ask(now_ns):
            self._order.keeps_all = True
            effects.append(steps.FetchDepth(AUDIT_LIMIT, is_audit=True))
        return effects

    def _wants(self, now_ns: int, *, is_streaming: bool) -> steps.FetchDepth | None:
        book = self._order.book
        is_settled = self._up_ns > 0 and now_ns >= self._up_ns + SETTLE_NS
        is_lost = is_settled and not book.is_valid
        if is_lost or (is_settled and book.is_narrow) or (self._is_due and not is_streaming):
            return steps.FetchDepth(book.limit, is_resync=is_lost and is_streaming)
        return None

    def _is_audit_due(self, now_ns: int) -> bool:
        return self._order.book.is_valid and now_ns >= self._audit_at_ns and self._comparison.may_ask(now_ns)

    def _is_overdue(self, now_ns: int) -> bool:
        return self._order.is_behind and now_ns >= self._compared_ns + PATIENCE_NS

    def _note_ends(self, now_ns: int) -> None:
        """Counts the book that has ended while it served, also by a diff that the door took."""
        order = self._order
        if order.is_live and order.ends != self._noted_ends:
            self.gaps += 1
            self._is_storm |= self._storm.gap(order.ended_by, now_ns)
        self._noted_ends = order.ends

    def _news(self) -> list[steps.Effect]:
        item = self._order.stream_item()
        return [] if item is None else told([item], Source.STREAM)
