"""What market data needs of the adapter: its callbacks."""

from typing import Protocol

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


class Outlets(Protocol):
    """Where streamed values go that a lane's door accepted."""

    @property
    def adapter_name(self) -> str:
        """Who delivers."""
        ...

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """A trade."""
        ...

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """An aggregate trade."""
        ...

    def on_book(self, book: OrderBookData) -> None:
        """An order book."""
        ...

    def on_bar(self, bar: BarData) -> None:
        """A bar."""
        ...


class Callbacks(Outlets, Protocol):
    """What of the adapter is called."""

    def on_tick(self, tick: TickData) -> None:
        """A tick."""
        ...

    def on_transport(self, transport: TransportData) -> None:
        """A lane changed."""
        ...

    def on_health(self, health: HealthData) -> None:
        """A symbol's health changed."""
        ...

    def on_gap(self, gap: GapData) -> None:
        """Ids that will not come."""
        ...

    def on_backfill(self, backfill: BackfillData) -> None:
        """Ids of an earlier gap."""
        ...

    def write_log(self, msg: str, level: int = ...) -> None:
        """Tells a person."""
        ...
