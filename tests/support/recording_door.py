"""A lane's door that accepts what it is told to, and the adapter's callbacks, both writing down what they were given."""

from foxtrot.transport.base import Item, Quote, Stats
from foxtrot.util.object import AggTradeData, PublicTradeData

Levels = tuple[float, float, float, float]


class RecordingDoor:
    """``accepted``: what was asked; ``given``: what was handed over; ``strays``: how often a wrong symbol was told."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.is_open = is_open
        self.accepted: list[tuple[object, ...]] = []
        self.given: list[Item | Quote | Stats] = []
        self.strays = 0

    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        """Says whether it is open."""
        self.accepted.append((first, last, received_ns))
        return self.is_open

    def accept_quote(self, update_id: int, levels: Levels, received_ns: int) -> bool:
        """Says whether it is open."""
        self.accepted.append((update_id, levels, received_ns))
        return self.is_open

    def offer(self, value: Item | Quote, received_ns: int, event_ms: int = 0) -> None:
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
        self.delivered: list[PublicTradeData | AggTradeData] = []

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """Keeps it."""
        self.delivered.append(trade)

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """Keeps it."""
        self.delivered.append(trade)
