"""One tick of two halves."""

import pytest

from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.tick_composer import TickComposer
from foxtrot.transport.base import LaneKey, Quote, Stats
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.util.constants import Exchange, LaneState, Reason, Serving, Source
from foxtrot.util.object import AggTradeData, BackfillData, GapData, HealthData, PublicTradeData, TickData, TransportData
from tests.support.virtual_clock import VirtualClock

FIGURES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
QUOTE = Quote(0, 10.0, 1.0, 11.0, 2.0, received_ns=50, asked_ns=40)
STATS = Stats(7, 1_700, FIGURES, received_ns=60)


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


def composer() -> tuple[TickComposer, list[TickData]]:
    ticks: list[TickData] = []
    return TickComposer("BINANCE", "BTCUSDT", "BTC/USDT", ticks.append), ticks


def test_the_first_tick_waits_for_both_halves() -> None:
    """A quote alone says nothing of the last price, figures alone have no quote."""
    of_quote, by_quote = composer()
    of_quote.quote(QUOTE, Source.POLL)
    of_quote.stream_quote(1, (1.0, 1.0, 2.0, 1.0), 1)
    of_stats, by_stats = composer()
    of_stats.stats(STATS)
    assert by_quote == by_stats == []


def test_every_field_of_a_tick() -> None:
    """Quote, figures, name, provenance."""
    made, ticks = composer()
    made.quote(QUOTE, Source.POLL)
    made.stats(STATS)
    assert ticks == [
        TickData(
            symbol="BTCUSDT",
            exchange=Exchange.BINANCE,
            adapter_name="BINANCE",
            source=Source.POLL,
            venue_time_ns=1_700_000_000,
            received_ns=60,
            update_id=0,
            bid_price_1=10.0,
            bid_volume_1=1.0,
            ask_price_1=11.0,
            ask_volume_1=2.0,
            last_price=1.0,
            last_volume=2.0,
            volume=3.0,
            turnover=4.0,
            open_price=5.0,
            high_price=6.0,
            low_price=7.0,
            pre_close=8.0,
            name="BTC/USDT",
        )
    ]


def test_a_quote_keeps_the_figures_and_has_no_venue_time() -> None:
    """The venue's quotes carry none."""
    made, ticks = composer()
    made.stats(STATS)
    made.quote(QUOTE, Source.POLL)
    made.stream_quote(42, (20.0, 3.0, 21.0, 4.0), 70)
    tick = ticks[-1]
    assert (tick.source, tick.update_id, tick.venue_time_ns, tick.received_ns) == (Source.STREAM, 42, 0, 70)
    assert (tick.bid_price_1, tick.bid_volume_1, tick.ask_price_1, tick.ask_volume_1) == (20.0, 3.0, 21.0, 4.0)
    assert (tick.last_price, tick.pre_close) == (1.0, 8.0)


def test_new_figures_keep_the_quote_with_its_source_and_id() -> None:
    """``source`` speaks of the quote."""
    made, ticks = composer()
    made.stats(STATS)
    made.stream_quote(42, (20.0, 3.0, 21.0, 4.0), 70)
    made.stats(Stats(8, 1_800, (9.0, *FIGURES[1:]), received_ns=80))
    tick = ticks[-1]
    assert (tick.source, tick.update_id, tick.bid_price_1) == (Source.STREAM, 42, 20.0)
    assert (tick.last_price, tick.venue_time_ns, tick.received_ns) == (9.0, 1_800_000_000, 80)


def test_a_polled_quote_follows_a_streamed_one() -> None:
    """After a fall to polling the tick says so."""
    made, ticks = composer()
    made.stats(STATS)
    made.stream_quote(42, (20.0, 3.0, 21.0, 4.0), 70)
    made.quote(QUOTE, Source.POLL)
    assert (ticks[-1].source, ticks[-1].update_id, ticks[-1].bid_price_1) == (Source.POLL, 0, 10.0)


def test_after_the_stream_no_tick_calls_its_quote_streamed() -> None:
    """Served by polls, newer figures come with the same quote as a polled one, without its update id."""
    made, ticks = composer()
    made.served_by_poll()
    made.stats(STATS)
    made.stream_quote(42, (20.0, 3.0, 21.0, 4.0), 70)
    made.served_by_poll()
    made.stats(Stats(8, 1_800, FIGURES, received_ns=80))
    assert (ticks[-1].source, ticks[-1].update_id, ticks[-1].bid_price_1) == (Source.POLL, 0, 20.0)
    assert len(ticks) == 2


@pytest.mark.parametrize(("serving", "source"), [
    (Serving.POLL, Source.POLL),
    (Serving.NONE, Source.POLL),
    (Serving.STREAM, Source.STREAM),
])  # fmt: skip
@pytest.mark.parametrize("channel", ["tick", "trades"])
def test_the_composer_hears_what_serves_its_lane(serving: Serving, source: Source, channel: str) -> None:
    """With the event that tells of it; what serves the symbol's other lanes does not matter."""
    heard = Heard()
    market = MarketData(heard, ContractManager("BINANCE", lambda _: None), BreakerBoard(), VirtualClock())
    key = LaneKey("BTCUSDT", "tick")
    market.deliver(key, [STATS, Quote(42, 10.0, 1.0, 11.0, 2.0, received_ns=50)], Source.STREAM)
    market.announce(LaneKey("BTCUSDT", channel), LaneState.STREAMING, LaneState.FALLBACK, serving, Reason.CONNECTION)
    market.deliver(key, [Stats(8, 1_800, FIGURES, received_ns=80)], Source.POLL)
    before, told, after = heard.events
    assert isinstance(before, TickData)
    assert isinstance(told, TransportData)
    assert isinstance(after, TickData)
    assert before.source is Source.STREAM
    assert after.source is (source if channel == "tick" else Source.STREAM)


def test_a_tick_that_begins_again_waits_for_both_halves() -> None:
    """Though another lane of its symbol went on: what was known of the old tick is old."""
    heard = Heard()
    market = MarketData(heard, ContractManager("BINANCE", lambda _: None), BreakerBoard(), VirtualClock())
    key = LaneKey("BTCUSDT", "tick")
    market.subscribe([key, LaneKey("BTCUSDT", "trades")])
    market.deliver(key, [STATS, Quote(42, 10.0, 1.0, 11.0, 2.0, received_ns=50)], Source.STREAM)
    market.unsubscribe([key])
    market.subscribe([key])
    count = len(heard.events)
    market.deliver(key, [Quote(43, 20.0, 1.0, 21.0, 2.0, received_ns=60)], Source.POLL)
    assert heard.events[count:] == []
