"""Bars of one lane: the numbers of closed ones, and the open one that grows behind them.

1. Closed bars are ids like any other (``IdOrder``): each once, in order, none left out.
2. The open bar is the next number. Of its drafts only one with a greater rank follows; each holds all before it, so none need
   arrive. A draft of a later bar shows that the bars before it have closed: they are asked for by number.
3. A streamed bar names its newest trade, which tells how far the stream has come. Bars of REST name none: that they hold a trade
   is known from polls that had shown it before (``credit``).
"""

from collections.abc import Sequence

from typing_extensions import override

from foxtrot.transport.base import Cursor, Draft, Item
from foxtrot.transport.ordering import IdOrder


class BarOrder(IdOrder):
    """Contiguous bars of one lane, and the newest draft of the next one."""

    __slots__ = ("_draft_id", "_heard_rank", "_rank")

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(cursor)
        self._draft_id = -1  # the latest bar that the stream has shown a draft of, since it came up
        self._heard_rank = -1  # of that draft
        self._rank = -1  # of the draft of the next bar that was delivered last; -1: none

    @property
    @override
    def streamed_trade_id(self) -> int:
        """The newest trade that the stream has brought, whatever pages have."""
        return self.heard_trade_id

    @property
    def draft_id(self) -> int:
        """The latest bar that the stream has shown a draft of since it came up; -1: none."""
        return self._draft_id

    @override
    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        """The hot door for a closed bar."""
        known = self.last_trade_id
        if not super().accept(first, last, received_ns, event_ms):
            return False
        self.last_trade_id = max(known, last)
        self.heard_trade_id = max(self.heard_trade_id, last)
        self._rank = -1
        return True

    def accept_draft(self, draft: Draft, received_ns: int, event_ms: int = 0) -> bool:
        """The hot door for the open bar: true for a newer draft of the next bar while live and nothing waits."""
        if draft.id != self._door or draft.rank <= self._rank:
            return False
        self._take_draft(draft)
        self._hear(draft, received_ns, event_ms)
        return True

    def offer_draft(self, draft: Draft, received_ns: int, event_ms: int = 0) -> None:
        """A draft that the door did not accept: what it shows is noted, of a bar that a page has closed the trade alone."""
        self.heard_trade_id = max(self.heard_trade_id, draft.last_trade_id)
        shown = (draft.id, draft.rank, event_ms)
        if draft.id < self.next_id or shown <= (self._draft_id, self._heard_rank, self.event_ms):
            self.duplicates += 1
            return
        self._hear(draft, received_ns, event_ms)

    @override
    def offer(self, item: Item, received_ns: int, event_ms: int = 0, *, is_kept: bool = True) -> list[Item]:
        """A closed bar that the door did not accept; also one that a page was faster with shows how far the stream has come."""
        ready = super().offer(item, received_ns, event_ms, is_kept=is_kept)
        self.heard_trade_id = max(self.heard_trade_id, item.last_trade_id)
        return ready

    def fill_draft(self, draft: Draft) -> Draft | None:
        """The open bar behind a page; returns it if it is news of the next bar."""
        if draft.id != self.next_id or draft.rank <= self._rank:
            return None
        self._take_draft(draft)
        return draft

    def pass_over(self, draft: Draft) -> tuple[int, int] | None:
        """A page has shown no bar between what is next and the open one: the venue has none; the bars (first, last) let go.

        None where there is nothing to let go: of what was before the first bar nothing is missed.
        """
        first, reached = self.next_id, min(draft.id, self._order[0]) if self._order else draft.id
        if reached <= first:
            return None
        self._advance([], reached)
        return (first, reached - 1) if first > 0 else None

    def credit(self, trade_id: int) -> None:
        """What was delivered holds all trades up to this one."""
        self.last_trade_id = max(self.last_trade_id, trade_id)

    @override
    def open(self) -> list[Item]:
        """The stream serves from here; what polls have shown by now it does not owe: it has proved itself."""
        self.heard_trade_id = max(self.heard_trade_id, self.venue_trade_id)
        return super().open()

    @override
    def listen(self) -> None:
        """A stream comes up: what has been delivered is its past."""
        super().listen()
        self._draft_id = self._heard_rank = -1

    @override
    def wants_page(self) -> bool:
        """Whether bars before the stream's are missing, or something was let go, or should have closed."""
        return self.is_incomplete or self.hole() is not None or (not self.waiting and self._draft_id > self.next_id)

    def _hear(self, draft: Draft, received_ns: int, event_ms: int) -> None:
        self.heard_ns, self.event_ms = received_ns, event_ms
        self._draft_id, self._heard_rank = draft.id, draft.rank
        self.heard_trade_id = max(self.heard_trade_id, draft.last_trade_id)

    def _take_draft(self, draft: Draft) -> None:
        self._rank = draft.rank
        self.last_trade_id = max(self.last_trade_id, draft.last_trade_id)
        self.delivered += 1

    @override
    def _advance(self, taken: Sequence[Item], following: int) -> None:
        if following != self.next_id:
            self._rank = -1
        super()._advance(list(taken), following)
