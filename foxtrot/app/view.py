"""Takes pictures of a run: how every lane stands at one moment."""

from collections import deque
from typing import Final, Protocol

import msgspec

from foxtrot.adapter.binance.endpoints import Endpoints
from foxtrot.app.lane_tally import LaneTally
from foxtrot.app.reasons import short
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.tally import Tally
from foxtrot.server.engine import MainEngine
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.transport.flags import Decision
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Channel, Health, LaneState, Reason, Serving
from foxtrot.util.object import HealthData

RATE_WINDOW_NS: Final = 3 * NS_PER_S
"""Messages a second are those of the last so many seconds."""


class LaneView(msgspec.Struct, frozen=True):
    """One lane at one moment. Prices are None where none has come; ``age`` is seconds since something confirmed the value.

    ``retry_in`` is seconds until a stream that was given up may be tried again, None where nothing waits for that. ``missing``
    is ids that live values left out, ``backfilled`` how many of them came later.
    """

    symbol: str
    channel: str
    health: Health
    state: LaneState | None
    serving: Serving
    why: str
    retry_in: float | None
    decimals: int
    last: float | None
    bid: float | None
    ask: float | None
    age: float | None
    rate: float
    delivered: int
    gaps: int
    missing: int
    backfilled: int
    duplicates_dropped: int
    duplicates_delivered: int
    switches: int


class View(msgspec.Struct, frozen=True):
    """A run at one moment: seconds since its start, seconds to go (None: no end set), and its lanes."""

    environment: str
    endpoints: Endpoints | None
    elapsed: float
    left: float | None
    contracts: int
    lanes: tuple[LaneView, ...]


class Lanes(Protocol):
    """What a view asks of the adapter."""

    @property
    def endpoints(self) -> Endpoints | None:
        """The addresses in force."""
        ...

    def lanes(self) -> list[LaneStatus]:
        """How every lane stands."""
        ...

    def health(self, vt_symbol: str) -> HealthData | None:
        """A symbol's health now."""
        ...

    def decision(self, key: LaneKey) -> Decision:
        """What the flags in force say of a lane."""
        ...


class Observer:
    """Looks at the tally and the adapter of one run, from one thread."""

    def __init__(self, plan: RunPlan, engine: MainEngine, adapter: Lanes, tally: Tally) -> None:
        self._plan: Final = plan
        self._engine: Final = engine
        self._adapter: Final = adapter
        self._tally: Final = tally
        self._clock: Final = engine.event_engine.clock
        self._started_ns: Final = self._clock.monotonic_ns()
        self._counts: Final[deque[tuple[int, dict[LaneKey, int]]]] = deque()

    def look(self, left: float | None = None) -> View:
        """How the run stands now."""
        now_ns = self._clock.monotonic_ns()
        counts = {key: lane.delivered for key, lane in self._tally.lanes.items()}
        self._counts.append((now_ns, counts))
        while len(self._counts) > 2 and now_ns - self._counts[1][0] >= RATE_WINDOW_NS:  # noqa: PLR2004 -- a rate needs two
            self._counts.popleft()
        statuses = {status.key: status for status in self._adapter.lanes()}
        return View(
            environment=self._plan.environment,
            endpoints=self._adapter.endpoints,
            elapsed=(now_ns - self._started_ns) / NS_PER_S,
            left=left,
            contracts=self._tally.contracts,
            lanes=tuple(self._lane(key, lane, statuses.get(key)) for key, lane in self._tally.lanes.items()),
        )

    def _lane(self, key: LaneKey, lane: LaneTally, status: LaneStatus | None) -> LaneView:
        health = self._adapter.health(key.symbol) if status else None
        contract = self._engine.get_contract(key.symbol)
        step = contract.price_tick_text if contract else ""
        return LaneView(
            symbol=key.symbol,
            channel=key.channel,
            health=health.new if health else Health.BLIND,
            state=status.state if status else (LaneState.CLOSED if key in self._tally.closed else None),
            serving=status.serving if status else Serving.NONE,
            why=self._why(key, status, health),
            retry_in=self._retry_in(status) if status else None,
            decimals=len(step.rstrip("0").partition(".")[2]),
            last=lane.last_price or None,
            bid=lane.best[0] or None,
            ask=lane.best[1] or None,
            age=(self._clock.now_ns() - status.confirmed_ns) / NS_PER_S if status and status.confirmed_ns else None,
            rate=self._rate(key),
            delivered=lane.delivered,
            gaps=max(lane.gaps, status.gaps if status else 0),
            missing=lane.missing.total,
            backfilled=lane.missing.found,
            duplicates_dropped=status.duplicates_dropped if status else 0,
            duplicates_delivered=lane.duplicates,
            switches=status.switches if status else 0,
        )

    def _why(self, key: LaneKey, status: LaneStatus | None, health: HealthData | None) -> str:
        """Where the lane is as decided, the rule that decides; else what keeps it from there."""
        if status is None:
            return short(self._tally.closed[key]) if key in self._tally.closed else "connecting"
        if status.serving is Serving.NONE:
            return "starting"
        if health is not None and _concerns(health.reason, status):
            return short(health.reason)
        if status.state is LaneState.PROVING:
            return "poll down" if status.serving is Serving.STREAM else "proving"
        if status.state is LaneState.FALLBACK:
            return short(status.reason)
        if status.is_suspect:
            return short(Reason.AUDIT)
        return "shadow" if status.state is LaneState.SHADOW else short(self._adapter.decision(key).reason)

    def _retry_in(self, status: LaneStatus) -> float | None:
        is_waiting = status.state in {LaneState.FALLBACK, LaneState.SHADOW} and status.reason is not Reason.FORCED_OPEN
        left_ns = status.retry_at_ns - self._clock.now_ns()
        return left_ns / NS_PER_S if is_waiting and left_ns > 0 else None

    def _rate(self, key: LaneKey) -> float:
        (first_ns, first), (last_ns, last) = self._counts[0], self._counts[-1]
        return (last[key] - first[key]) * NS_PER_S / (last_ns - first_ns) if last_ns > first_ns else 0.0


def _concerns(why: Reason, status: LaneStatus) -> bool:
    """Whether the reason of a symbol's health is what there is to say of this one of its lanes."""
    match why:
        case Reason.HALTED:
            return True
        case Reason.CONSUMER_SLOW:
            return status.key.channel not in {Channel.TICK, Channel.BOOK}  # of these the newest wins
        case Reason.RATE_LIMITED:
            return status.serving is Serving.POLL
        case _:
            return False
