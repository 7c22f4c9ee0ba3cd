"""Counts, at the handler, what each lane delivered."""

from collections.abc import Iterable
from typing import Final

from foxtrot.app.histogram import AgeHistogram
from foxtrot.app.missing_ids import MissingIds
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Channel, LaneState, Reason
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_CONTRACT,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import AggTradeData, BackfillData, PublicTradeData, TickData, TransportData


class LaneTally:
    """What one lane delivered to a handler. Written by the event thread alone.

    ``gaps`` counts the holes that live values left, ``missing`` knows the ids in them and which of them came as backfill.
    """

    __slots__ = (
        "delivered",
        "duplicates",
        "event_ages",
        "gaps",
        "has_event_ages",
        "last_id",
        "last_price",
        "local_ages",
        "missing",
    )

    def __init__(self) -> None:
        self.delivered = 0
        self.duplicates = 0
        self.gaps = 0
        self.missing: Final = MissingIds()
        self.last_id = -1  # ids begin at 0
        self.last_price = 0.0
        self.local_ages: Final = AgeHistogram()
        self.event_ages: Final = AgeHistogram()
        self.has_event_ages = True  # whether the venue's clock was known for every value

    def take(self, number: int, price: float, local_age_ns: int, event_age_ns: int | None) -> None:
        """A value with an id: one that is not above the last is a duplicate, one that is not the next comes behind a gap."""
        self.delivered += 1
        if number > self.last_id:
            if number != self.last_id + 1 and self.last_id >= 0:
                self.gaps += 1
                self.missing.add(self.last_id + 1, number - 1)
            self.last_id = number
        else:
            self.duplicates += 1
        self.last_price = price
        self.local_ages.record(local_age_ns)
        if event_age_ns is None:
            self.has_event_ages = False
        else:
            self.event_ages.record(event_age_ns)

    def take_late(self, number: int) -> None:
        """A value that came as backfill: one that was not missing is a duplicate."""
        self.duplicates += not self.missing.find(number)


class TickTally(LaneTally):
    """The same for ticks, whose ids are those of the quote: they skip, and a polled quote has none."""

    __slots__ = ("_previous_id", "tick")

    def __init__(self) -> None:
        super().__init__()
        self.tick: TickData | None = None
        self._previous_id = 0

    def take_tick(self, tick: TickData, age_ns: int) -> None:
        """A quote older than one delivered is a duplicate; the same quote twice is one, unless newer 24 h figures came."""
        number = tick.update_id
        self.delivered += 1
        if number:
            is_repeated = number == self._previous_id and not tick.venue_time_ns
            self.duplicates += number < self.last_id or is_repeated
            self.last_id = max(self.last_id, number)
        self._previous_id = number
        self.last_price = tick.last_price
        self.tick = tick
        self.local_ages.record(age_ns)


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
        self.lanes: Final[dict[LaneKey, LaneTally]] = {
            key: TickTally() if key.channel == Channel.TICK else LaneTally() for key in keys
        }
        self._clock: Final = event_engine.clock
        self._now_ns: Final = event_engine.clock.now_ns
        self._ticks: Final = {key.symbol: lane for key, lane in self.lanes.items() if isinstance(lane, TickTally)}
        self._trades: Final = self._by_symbol(Channel.TRADES)
        self._agg_trades: Final = self._by_symbol(Channel.AGG_TRADES)
        event_engine.register(EVENT_TICK, self._on_tick)
        event_engine.register(EVENT_PUBLIC_TRADE, self._on_trade)
        event_engine.register(EVENT_AGG_TRADE, self._on_agg_trade)
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

    def _on_transport(self, event: Event) -> None:
        change: TransportData = event.data
        if change.new is LaneState.CLOSED:
            self.closed[LaneKey(change.symbol, change.channel)] = change.reason

    def _on_contract(self, _event: Event) -> None:
        self.contracts += 1
