"""A picture of a run says of every lane what serves it and why."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from foxtrot.adapter.binance import BinanceAdapter
from foxtrot.adapter.binance.endpoints import Endpoints
from foxtrot.app.tally import Tally
from foxtrot.app.view import LaneView, Observer
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.server.engine import MainEngine
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.transport.flags import Decision
from foxtrot.util.constants import Health, LaneState, Reason, Serving, Transport
from foxtrot.util.event_type import EVENT_TRANSPORT
from foxtrot.util.object import HealthData
from tests.app.samples import ENDPOINTS, PLAN, FakeClock, change, health

TICK, TRADES, BOOK = (LaneKey("BTCUSDT", channel) for channel in ("tick", "trades", "book"))
SECOND = 1_000_000_000


class Adapter:
    """Lanes as they are given."""

    def __init__(self) -> None:
        self.statuses: list[LaneStatus] = []
        self.finding: HealthData | None = health(Health.LIVE, Health.LIVE, Reason.CONFIRMED)

    @property
    def endpoints(self) -> Endpoints | None:
        return ENDPOINTS

    def lanes(self) -> list[LaneStatus]:
        return self.statuses

    def health(self, vt_symbol: str) -> HealthData | None:
        return self.finding

    def decision(self, key: LaneKey) -> Decision:
        return Decision(Transport.STREAMING, Reason.PIN, 1, "[symbols]")


class Rig:
    """An observer of a fake adapter, with a real engine and tally at a clock that stands."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.events = EventEngine(self.clock)
        self.engine = MainEngine(self.events)
        self.engine.add_adapter(BinanceAdapter)  # never connected: it tells the engine which venue is meant
        self.adapter = Adapter()
        self.tally = Tally(self.events, [TICK, TRADES, BOOK])
        self.observer = Observer(PLAN, self.engine, self.adapter, self.tally)

    def lane(self, status: LaneStatus, why: Reason = Reason.CONFIRMED) -> LaneView:
        """The picture of one lane that stands so, in a symbol whose health has this reason."""
        self.adapter.statuses = [status]
        self.adapter.finding = health(Health.LIVE, Health.LIVE, why)
        return next(lane for lane in self.observer.look().lanes if lane.channel == status.key.channel)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Closed at the end."""
    made = Rig()
    yield made
    made.engine.close()


def status(state: LaneState, serving: Serving, why: Reason, *, key: LaneKey = TRADES, retry_at_ns: int = 0) -> LaneStatus:
    return LaneStatus(key, state, serving, why, 9, 1, 0, 2, SECOND, SECOND, retry_at_ns=retry_at_ns)


SERVED = status(LaneState.STREAMING, Serving.STREAM, Reason.PROOF)
PROVING = status(LaneState.PROVING, Serving.POLL, Reason.PIN)
POLLED = status(LaneState.FALLBACK, Serving.POLL, Reason.SILENCE)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (SERVED, "pin"),
        (PROVING, "proving"),
        (POLLED, "silence"),
        (status(LaneState.FALLBACK, Serving.POLL, Reason.QUARANTINE), "quarantine"),
        (status(LaneState.FALLBACK, Serving.POLL, Reason.FORCED_OPEN), "forced open"),
        (status(LaneState.PROVING, Serving.STREAM, Reason.POLL_DOWN), "poll down"),
        (status(LaneState.SHADOW, Serving.POLL, Reason.PIN), "shadow"),
        (status(LaneState.POLLING, Serving.NONE, Reason.SUBSCRIBED), "starting"),
        (replace(SERVED, is_suspect=True), "audit"),
    ],
)
def test_why(rig: Rig, given: LaneStatus, says: str) -> None:
    """The rule that decides, where the lane is as decided; else what keeps it from there."""
    assert rig.lane(given).why == says


@pytest.mark.parametrize(
    ("why", "given", "says"),
    [
        (Reason.HALTED, SERVED, "halted"),
        (Reason.RATE_LIMITED, POLLED, "rate limited"),
        (Reason.RATE_LIMITED, SERVED, "pin"),
        (Reason.CONSUMER_SLOW, SERVED, "consumer slow"),
        (Reason.CONSUMER_SLOW, replace(SERVED, key=TICK), "pin"),
        (Reason.CONSUMER_SLOW, replace(SERVED, key=BOOK), "pin"),
    ],
)
def test_reasons_of_a_symbol(rig: Rig, why: Reason, given: LaneStatus, says: str) -> None:
    """They are told of the lanes that they concern."""
    assert rig.lane(given, why).why == says


def test_lanes_that_are_not_there(rig: Rig) -> None:
    """One that has ended says why; the others are being connected. Nothing known is blind."""
    rig.events.put(Event(EVENT_TRANSPORT, change(LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)))
    rig.engine.close()
    tick, trades, _ = rig.observer.look().lanes
    assert (tick.why, tick.state, tick.health) == ("connecting", None, Health.BLIND)
    assert (trades.why, trades.state) == ("unknown symbol", LaneState.CLOSED)


def test_when_the_stream_is_tried_again(rig: Rig) -> None:
    """Seconds, where the lane waits for that alone."""
    ahead = rig.clock.ns + 4 * SECOND
    assert rig.lane(replace(POLLED, retry_at_ns=ahead)).retry_in == 4.0
    assert rig.lane(replace(POLLED, retry_at_ns=rig.clock.ns)).retry_in is None
    assert rig.lane(replace(SERVED, retry_at_ns=ahead)).retry_in is None
    forced = status(LaneState.FALLBACK, Serving.POLL, Reason.FORCED_OPEN, retry_at_ns=ahead)
    assert rig.lane(forced).retry_in is None


def test_what_is_missing(rig: Rig) -> None:
    """Holes that the handler saw, and what was found of them."""
    for number in (1, 4):
        rig.tally.lanes[TRADES].take(number, 100.0, 0, None)
    rig.tally.lanes[TRADES].take_late(2)
    found = rig.lane(SERVED)
    assert (found.gaps, found.missing, found.backfilled) == (1, 2, 1)


def test_rate(rig: Rig) -> None:
    """Values a second, over the last looks."""
    rig.observer.look()
    for number in range(5):
        rig.tally.lanes[TRADES].take(number, 100.0, 0, None)
    rig.clock.ns += 2 * SECOND
    assert rig.lane(SERVED).rate == 2.5
