"""Counts, at the handler, what each lane delivered."""

from collections.abc import Iterable
from typing import Final

from foxtrot.app.lane_tally import BarTally, BookTally, LaneTally, TickTally, tally_of
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.transport.base import LaneKey
from foxtrot.util.channel import interval_of
from foxtrot.util.constants import Channel, LaneState, Reason
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_CONTRACT,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import AggTradeData, BackfillData, BarData, OrderBookData, PublicTradeData, TickData, TransportData


class Tally:
    """The counts of all lanes of a run, kept by handlers of one event engine; read from any thread.

    ``offset_ns`` is the venue's clock minus ours (None: not known), ``first_ns`` when the first value came (monotonic; 0: none
    yet).
    """

    def __init__(self, event_engine: EventEngine, keys: Iterable[LaneKey]) -> None:
        self.offset_ns: int | None = None
        self.first_ns = 0
        self.contracts = 0
        self.closed: Final[dict[LaneKey, Reason]] = {}
        self.lanes: Final[dict[LaneKey, LaneTally]] = {key: tally_of(key.channel) for key in keys}
        self._clock: Final = event_engine.clock
        self._now_ns: Final = event_engine.clock.now_ns
        self._ticks: Final = {key.symbol: lane for key, lane in self.lanes.items() if isinstance(lane, TickTally)}
        self._books: Final = {key.symbol: lane for key, lane in self.lanes.items() if isinstance(lane, BookTally)}
        self._bars: Final = {
            (key.symbol, interval_of(key.channel)): lane for key, lane in self.lanes.items() if isinstance(lane, BarTally)
        }
        self._trades: Final = self._by_symbol(Channel.TRADES)
        self._agg_trades: Final = self._by_symbol(Channel.AGG_TRADES)
        event_engine.register(EVENT_TICK, self._on_tick)
        event_engine.register(EVENT_PUBLIC_TRADE, self._on_trade)
        event_engine.register(EVENT_AGG_TRADE, self._on_agg_trade)
        event_engine.register(EVENT_BOOK, self._on_book)
        event_engine.register(EVENT_BAR, self._on_bar)
        event_engine.register(EVENT_BACKFILL, self._on_backfill)
        event_engine.register(EVENT_TRANSPORT, self._on_transport)
        event_engine.register(EVENT_CONTRACT, self._on_contract)

    @property
    def delivered(self) -> int:
        """Values of all lanes."""
        return sum(lane.delivered for lane in self.lanes.values())

    @property
    def duplicates(self) -> int:
        """Values of all lanes that had been delivered before."""
        return sum(lane.duplicates for lane in self.lanes.values())

    @property
    def gaps(self) -> int:
        """Holes in the ids of all lanes."""
        return sum(lane.gaps for lane in self.lanes.values())

    def _by_symbol(self, channel: Channel) -> dict[str, LaneTally]:
        return {key.symbol: lane for key, lane in self.lanes.items() if key.channel == channel}

    # --- the event thread

    def _on_tick(self, event: Event) -> None:
        tick: TickData = event.data
        lane = self._ticks.get(tick.symbol)
        if lane is not None:
            lane.take_tick(tick, self._now_ns() - tick.received_ns)
            self.first_ns = self.first_ns or self._clock.monotonic_ns()

    def _on_trade(self, event: Event) -> None:
        trade: PublicTradeData = event.data
        lane = self._trades.get(trade.symbol)
        if lane is not None:
            self._take(lane, trade.trade_id, trade)
            self.first_ns = self.first_ns or self._clock.monotonic_ns()

    def _on_agg_trade(self, event: Event) -> None:
        trade: AggTradeData = event.data
        lane = self._agg_trades.get(trade.symbol)
        if lane is not None:
            self._take(lane, trade.agg_id, trade)
            self.first_ns = self.first_ns or self._clock.monotonic_ns()

    def _on_book(self, event: Event) -> None:
        book: OrderBookData = event.data
        lane = self._books.get(book.symbol)
        if lane is not None:
            lane.take_book(book, self._now_ns() - book.received_ns)
            self.first_ns = self.first_ns or self._clock.monotonic_ns()

    def _on_bar(self, event: Event) -> None:
        bar: BarData = event.data
        lane = self._bars.get((bar.symbol, bar.interval))
        if lane is not None:
            lane.take_bar(bar, self._now_ns() - bar.received_ns)
            self.first_ns = self.first_ns or self._clock.monotonic_ns()

    def _take(self, lane: LaneTally, number: int, trade: PublicTradeData | AggTradeData) -> None:
        now_ns, offset_ns = self._now_ns(), self.offset_ns
        event_age_ns = None if offset_ns is None else now_ns + offset_ns - trade.venue_time_ns
        lane.take(number, trade.price, now_ns - trade.received_ns, event_age_ns)

    def _on_backfill(self, event: Event) -> None:
        found: BackfillData = event.data
        lane = self.lanes.get(LaneKey(found.symbol, found.channel))
        if lane is not None:
            for item in found.items:
                if isinstance(item, PublicTradeData):
                    lane.take_late(item.trade_id)
                elif isinstance(item, AggTradeData):
                    lane.take_late(item.agg_id)
                elif isinstance(lane, BarTally):
                    lane.take_late(lane.number_of(item))

    def _on_transport(self, event: Event) -> None:
        change: TransportData = event.data
        if change.new is LaneState.CLOSED:
            self.closed[LaneKey(change.symbol, change.channel)] = change.reason

    def _on_contract(self, _event: Event) -> None:
        self.contracts += 1
