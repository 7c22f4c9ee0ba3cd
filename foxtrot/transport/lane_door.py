"""The door of a lane: where a venue's decoder hands in what a stream brought."""

from collections.abc import Callable

from foxtrot.transport import steps
from foxtrot.transport.bar_order import BarOrder
from foxtrot.transport.base import Diff, Draft, Item, Quote, Stats
from foxtrot.transport.book_order import BookOrder
from foxtrot.transport.lane import Lane
from foxtrot.transport.ordering import IdOrder
from foxtrot.transport.quote_order import QuoteOrder

Tell = Callable[[Lane, steps.Input], None]
"""Tells a lane something, and does what it asks for."""


class LaneDoor:
    """What a decoder sees of one lane. What begins with ``accept`` is the order's own: one call, nothing between."""

    def __init__(self, lane: Lane, tell: Tell, note_stats: Callable[[str, Stats], None]) -> None:
        self._lane = lane
        self._tell = tell
        self._note_stats = note_stats
        order = lane.values.order
        if isinstance(order, IdOrder):
            self.accept = order.accept
        if isinstance(order, BarOrder):
            self.accept_draft = order.accept_draft
        if isinstance(order, QuoteOrder):
            self.accept_quote = order.accept
        if isinstance(order, BookOrder):
            self.accept_diff = order.accept

    def offer(self, value: Item | Quote | Draft | Diff, received_ns: int, event_ms: int = 0) -> None:
        """Hands over a streamed value that the door did not accept."""
        self._tell(self._lane, steps.Offered(value, received_ns, event_ms))

    def offer_stats(self, stats: Stats) -> None:
        """Hands over streamed 24 h figures."""
        self._note_stats(self._lane.key.symbol, stats)
        self._tell(self._lane, steps.OfferedStats(stats))

    def wrong_symbol(self) -> None:
        """Says that a frame of another symbol came on this lane's stream."""
        self._tell(self._lane, steps.Stray())
