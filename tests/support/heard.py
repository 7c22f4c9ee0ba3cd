"""The adapter's callbacks, keeping what they were given, in order."""

from foxtrot.util.object import (
    AggTradeData,
    BackfillData,
    BarData,
    GapData,
    HealthData,
    OrderBookData,
    PublicTradeData,
    TickData,
    TransportData,
)


class Heard:
    """The adapter's callbacks, keeping what they were given, in order."""

    adapter_name = "BINANCE"

    def __init__(self) -> None:
        self.events: list[object] = []

    def on_tick(self, tick: TickData) -> None:
        """Keeps it."""
        self.events.append(tick)

    def on_transport(self, transport: TransportData) -> None:
        """Keeps it."""
        self.events.append(transport)

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """Keeps it."""
        self.events.append(trade)

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """Keeps it."""
        self.events.append(trade)

    def on_book(self, book: OrderBookData) -> None:
        """Keeps it."""
        self.events.append(book)

    def on_bar(self, bar: BarData) -> None:
        """Keeps it."""
        self.events.append(bar)

    def on_health(self, health: HealthData) -> None:
        """Keeps it."""
        self.events.append(health)

    def on_gap(self, gap: GapData) -> None:
        """Keeps it."""
        self.events.append(gap)

    def on_backfill(self, backfill: BackfillData) -> None:
        """Keeps it."""
        self.events.append(backfill)

    def write_log(self, msg: str, level: int = 0) -> None:
        """Keeps it."""
        self.events.append((msg, level))
