"""What a lane does with its bars: closed ones are whole and in order, the open one is the newest known.

1. All that ``values_ids`` says of ids holds for the numbers of closed bars; frames behind a hole wait for it without bound.
2. While polling serves, a page is asked for when polls show a new trade, and when the next bar has closed by the venue's clock:
   it brings the bars that have closed, and the open one.
3. A bar that the stream has not closed in time is asked for too.
4. Bars that a page lacks, though it shows a later one, the venue has not made (a halt): a gap, and the later one is next.
5. Frames come every two seconds at most: a polled trade may stand on the stream so much later.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.audit import ID_FORWARD_NS, IdAudit
from foxtrot.transport.bar_order import BarOrder
from foxtrot.transport.base import Answer, Cursor, Draft
from foxtrot.transport.ordering import IdOrder
from foxtrot.transport.values import Answered, Shown, Told, told
from foxtrot.transport.values_ids import IdValues
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import Reason, Source

FRAME_NS: Final = 2 * NS_PER_S
"""The venue sends an open bar every two seconds (a bar of one second: every second)."""

POLL_GRACE_NS: Final = 300 * NS_PER_MS
"""So long after its end a bar is asked for while polling serves."""

STREAM_GRACE_NS: Final = 3 * NS_PER_S
"""So long after its end a bar that the stream has not closed is asked for."""

TRAIL_NS: Final = NS_PER_S
"""How far a REST replica may trail: a page holds the trades that were known so long before it was asked for."""


class BarValues(IdValues):
    """The bars of one lane. ``close_ms`` tells when the bar of a number closes: its last millisecond, the venue's clock."""

    def __init__(self, close_ms: Callable[[int], int]) -> None:
        super().__init__(hold_ns=None, audit=IdAudit(ID_FORWARD_NS + FRAME_NS))
        self._close_ms: Final = close_ms
        self._bars: BarOrder | None = None
        self._known: deque[tuple[int, int]] = deque(maxlen=64)  # since when polls have shown a trade, and its id
        self._offset_ns = 0  # the venue's clock minus ours, as last known
        self._is_due = False  # a beat has come since polling asked for a page
        self._was_closing = False  # the page that was answered last was asked for to see a bar closed

    @override
    def start(self, cursor: Cursor) -> None:
        """The start answer has come: the last closed bar."""
        self._order = self._bars = BarOrder(cursor)

    @property
    @override
    def missing(self) -> int:
        """Bars that have closed behind the one that is next, as the stream shows."""
        return max(0, self._bars.draft_id - self._bars.next_id) if self._bars else 0

    @override
    def is_closing(self, now_ns: int, offset_ns: int | None) -> bool:
        """Whether the next bar should have closed, and no page has been wanted for it yet."""
        known_ns = self._offset_ns if offset_ns is None else offset_ns
        return self._bars is not None and not self._bars.is_incomplete and self._has_closed(self._bars, now_ns, known_ns)

    @override
    def open_alone(self, answered_ns: int) -> list[steps.Effect] | None:
        """What waits goes first; None where the stream has not shown the next bar."""
        is_shown = self._bars is not None and self._bars.draft_id == self._bars.next_id
        return self.open() if is_shown and not self.is_held else super().open_alone(answered_ns)

    @override
    def offered(self, given: steps.Offered, now_ns: int, *, is_kept: bool) -> list[steps.Effect]:
        """A streamed bar that the door did not accept; the open one is only noted: the next frame holds it all."""
        if isinstance(given.value, Draft):
            if self._bars is not None:
                self._bars.offer_draft(given.value, given.received_ns, given.event_ms)
            return []
        return super().offered(given, now_ns, is_kept=is_kept)

    @override
    def polled(self, answer: Answer, asked_ns: int, now_ns: int, *, is_proving: bool) -> Shown:
        """The newest trade id that the venue shows."""
        self._is_due = True
        if answer.stats is not None and (not self._known or answer.stats.last_id > self._known[-1][1]):
            self._known.append((now_ns, answer.stats.last_id))
        return super().polled(answer, asked_ns, now_ns, is_proving=is_proving)

    @override
    def answered(self, given: Answered, now_ns: int, *, is_wanted: bool) -> Told:
        """A page has come: the closed bars of it, then the open one."""
        order = self._bars
        if order is None or not isinstance(given, steps.Paged) or self.is_held:
            return super().answered(given, now_ns, is_wanted=is_wanted)
        is_late = order.is_live and not order.wants_page()  # an answer to a question of before the switch
        self._was_closing = order.is_incomplete
        effects = super().answered(given, now_ns, is_wanted=is_wanted).effects
        if is_late or given.is_full:  # a full page ends with a bar like any other
            return Told(effects)
        if given.draft is not None and all(item.id < order.next_id for item in given.items):
            effects += self._passed_over(order, given.draft)
        known = [trade_id for since_ns, trade_id in self._known if since_ns + TRAIL_NS <= given.asked_ns]
        order.credit(max(known, default=-1))
        draft = None if given.draft is None else order.fill_draft(given.draft)
        return Told([*effects, *told([draft] if draft else [], self._page_source)])

    def _passed_over(self, order: BarOrder, draft: Draft) -> list[steps.Effect]:
        """The gap that the venue itself has before the open bar, as after a halt; what waited behind it is next."""
        gap = order.pass_over(draft)
        self.gaps += gap is not None
        ready = told([*order.ready()], Source.STREAM) if order.is_live else []
        return [*([steps.Missing(*gap, Reason.GAP)] if gap else []), *ready]

    # --- what becomes due ---------------------------------------------------------------------------------------------------

    @override
    def passed(self, now_ns: int, offset_ns: int | None) -> list[steps.Effect]:
        """Time has passed: the next bar may have closed."""
        self._offset_ns = self._offset_ns if offset_ns is None else offset_ns
        if self._bars is not None and self._has_closed(self._bars, now_ns, self._offset_ns):
            self._bars.is_incomplete = True
        return super().passed(now_ns, offset_ns)

    @override
    def asks(self, now_ns: int, *, is_streaming: bool, is_joining: bool) -> list[steps.Effect]:
        """The page that may be asked for now; polling asks for one a beat."""
        effects = super().asks(now_ns, is_streaming=is_streaming, is_joining=is_joining)
        self._is_due &= not effects
        return effects

    def _has_closed(self, order: BarOrder, now_ns: int, offset_ns: int) -> bool:
        end_ns = (self._close_ms(order.next_id) + 1) * NS_PER_MS - offset_ns
        return now_ns >= end_ns + (STREAM_GRACE_NS if order.is_live else POLL_GRACE_NS)

    @override
    def _wants(self, order: IdOrder) -> bool:
        if order.is_live or self._is_joining:
            return order.wants_page()
        return order.is_incomplete or (self._is_due and order.wants_poll())

    @override
    def _is_useful(self, order: IdOrder, *, is_news: bool) -> bool:
        is_behind = (order.is_live or self._is_joining) and order.wants_page()
        return is_news or not (self._was_closing or is_behind)
