"""What the handlers were given, with the moment (monotonic seconds) at which each was called."""

import time
from collections import defaultdict

from foxtrot.core.event import Event
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Health, LaneState
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import AggTradeData, GapData, HealthData, PublicTradeData, TickData, TransportData

IdItem = PublicTradeData | AggTradeData


def id_of(item: IdItem) -> int:
    """The id in its lane's own id space."""
    return item.trade_id if isinstance(item, PublicTradeData) else item.agg_id


class Recorder:
    """The one handler, and what it saw."""

    def __init__(self) -> None:
        self.changes: list[tuple[float, TransportData]] = []
        self.healths: list[tuple[float, HealthData]] = []
        self.ticks: dict[str, list[tuple[float, TickData]]] = defaultdict(list)
        self.live: dict[LaneKey, list[IdItem]] = defaultdict(list)
        self.backfilled: dict[LaneKey, list[IdItem]] = defaultdict(list)
        self.gaps: list[tuple[float, GapData]] = []
        self.logs: list[str] = []
        self.state: dict[LaneKey, LaneState] = {}

    def take(self, event: Event) -> None:
        """One event, on the event thread."""
        now, data, kind = time.monotonic(), event.data, event.type
        if kind == EVENT_TICK:
            self.ticks[data.symbol].append((now, data))
        elif kind == EVENT_PUBLIC_TRADE:
            self.live[LaneKey(data.symbol, "trades")].append(data)
        elif kind == EVENT_AGG_TRADE:
            self.live[LaneKey(data.symbol, "agg_trades")].append(data)
        elif kind == EVENT_TRANSPORT:
            self.changes.append((now, data))
            self.state[LaneKey(data.symbol, data.channel)] = data.new
        elif kind == EVENT_HEALTH:
            self.healths.append((now, data))
        elif kind == EVENT_GAP:
            self.gaps.append((now, data))
        elif kind == EVENT_BACKFILL:
            self.backfilled[LaneKey(data.symbol, data.channel)].extend(data.items)
        elif kind == EVENT_LOG:
            self.logs.append(data.msg)

    def falls(self, since: float) -> list[tuple[float, TransportData]]:
        """The changes by which a lane's stream was given up, from a moment on; decisions are none."""
        left = (LaneState.STREAMING, LaneState.PROVING)
        return [
            (at, change)
            for at, change in list(self.changes)
            if at >= since and change.old in left and change.new is LaneState.FALLBACK
        ]

    def health_changes(self, symbol: str, since: float) -> list[tuple[float, Health]]:
        """The healths that a symbol took on, from a moment on."""
        return [(at, health.new) for at, health in list(self.healths) if at >= since and health.symbol == symbol]

    def last_tick(self, symbol: str) -> tuple[float, TickData] | None:
        """The newest tick and when it was handled."""
        ticks = self.ticks[symbol]
        return ticks[-1] if ticks else None
