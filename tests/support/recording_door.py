"""A lane's door that accepts what it is told to, and the adapter's callbacks, both writing down what they were given."""

from foxtrot.transport.base import Diff, Draft, Item, Quote, Stats
from foxtrot.util.object import AggTradeData, BarData, OrderBookData, PublicTradeData

Levels = tuple[float, float, float, float]


class RecordingDoor:
    """``accepted``: what was asked; ``given``: what was handed over; ``strays``: how often a wrong symbol was told."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.is_open = is_open
        self.accepted: list[tuple[object, ...]] = []
        self.given: list[Item | Quote | Draft | Diff | Stats] = []
        self.strays = 0

    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        """Says whether it is open."""
        self.accepted.append((first, last, received_ns))
        return self.is_open

    def accept_quote(self, update_id: int, levels: Levels, received_ns: int) -> bool:
        """Says whether it is open."""
        self.accepted.append((update_id, levels, received_ns))
        return self.is_open

    def accept_draft(self, draft: Draft, received_ns: int, event_ms: int = 0) -> bool:
        """Says whether it is open."""
        self.accepted.append((draft.id, draft.rank, received_ns))
        return self.is_open

    def accept_diff(self, diff: Diff, received_ns: int, event_ms: int = 0) -> object | None:
        """The diff itself, if it is open."""
        self.accepted.append((diff.first_id, diff.last_id, received_ns))
        return diff if self.is_open else None

    def offer(self, value: Item | Quote | Draft | Diff, received_ns: int, event_ms: int = 0) -> None:
        """Takes it."""
        self.given.append(value)

    def offer_stats(self, stats: Stats) -> None:
        """Takes them."""
        self.given.append(stats)

    def wrong_symbol(self) -> None:
        """Counts."""
        self.strays += 1


class RecordingOutlets:
    """Callbacks that keep what was delivered."""

    def __init__(self, adapter_name: str) -> None:
        self.adapter_name = adapter_name
        self.delivered: list[PublicTradeData | AggTradeData | OrderBookData | BarData] = []

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """Keeps it."""
        self.delivered.append(trade)

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """Keeps it."""
        self.delivered.append(trade)

    def on_book(self, book: OrderBookData) -> None:
        """Keeps it."""
        self.delivered.append(book)

    def on_bar(self, bar: BarData) -> None:
        """Keeps it."""
        self.delivered.append(bar)
