"""Values for the tests of what a person sees."""

from foxtrot.adapter.binance.endpoints import Endpoints
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Ending, LaneSummary, Outcome, Quantiles
from foxtrot.app.view import LaneView, View
from foxtrot.util.constants import Exchange, Health, LaneState, Reason, Serving, Source
from foxtrot.util.object import HealthData, PublicTradeData, TickData, TransportData

PLAN = RunPlan("sandbox", ("BTCUSDT",), ("tick", "trades"), {}, 5.0)
ENDPOINTS = Endpoints("http://127.0.0.1:9000", "ws://127.0.0.1:9000", "ws://127.0.0.1:9000/ws-api/v3")


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000

    def monotonic_ns(self) -> int:
        return self.ns

    def now_ns(self) -> int:
        return self.ns

    async def sleep(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)


def tick(update_id: int, *, received_ns: int = 0, venue_time_ns: int = 0, last: float = 100.5) -> TickData:
    return TickData(
        symbol="BTCUSDT",
        exchange=Exchange.BINANCE,
        adapter_name="BINANCE",
        source=Source.STREAM if update_id else Source.POLL,
        venue_time_ns=venue_time_ns,
        received_ns=received_ns,
        update_id=update_id,
        bid_price_1=100.0,
        ask_price_1=101.0,
        last_price=last,
    )


def trade(trade_id: int, *, venue_time_ns: int = 0, symbol: str = "BTCUSDT") -> PublicTradeData:
    return PublicTradeData(
        symbol=symbol,
        exchange=Exchange.BINANCE,
        adapter_name="BINANCE",
        source=Source.STREAM,
        venue_time_ns=venue_time_ns,
        received_ns=0,
        trade_id=trade_id,
        price=100.0,
        volume=1.0,
        is_buyer_maker=False,
    )


def change(new: LaneState, reason: Reason, old: LaneState = LaneState.STREAMING) -> TransportData:
    return TransportData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", old, new, Serving.POLL, reason)


def health(old: Health, new: Health, reason: Reason) -> HealthData:
    return HealthData("BTCUSDT", Exchange.BINANCE, "BINANCE", old, new, Serving.POLL, reason, 0, 0)


def lane(symbol: str = "BTCUSDT", channel: str = "tick", *, state: LaneState | None = LaneState.STREAMING) -> LaneView:
    return LaneView(
        symbol=symbol,
        channel=channel,
        health=Health.LIVE,
        state=state,
        serving=Serving.STREAM,
        why="pin",
        retry_in=None,
        decimals=2,
        last=64120.3,
        bid=64120.0 if channel == "tick" else None,
        ask=64120.5 if channel == "tick" else None,
        age=0.25,
        rate=12.5,
        delivered=1234,
        gaps=0,
        missing=0,
        backfilled=0,
        duplicates_dropped=1,
        duplicates_delivered=0,
        switches=1,
    )


def view(*lanes: LaneView, left: float | None = None, endpoints: Endpoints | None = ENDPOINTS) -> View:
    return View("sandbox", endpoints, 8.0, left, 13, lanes or (lane(), lane(channel="trades")))


def outcome(*, exit_code: int = 0) -> Outcome:
    lanes = (
        LaneSummary("BTCUSDT", "tick", LaneState.STREAMING, Serving.STREAM, 9, 0, 1, 0, 1, local_age_ms=Quantiles(0.2, 1.5)),
        LaneSummary(
            "BTCUSDT", "trades", LaneState.POLLING, Serving.POLL, 7, 2, 0, 3, 0, 5, 4, event_age_ms=Quantiles(None, None)
        ),
    )
    return Outcome(Ending.DURATION, 5.25, lanes, exit_code, "the verdict")
