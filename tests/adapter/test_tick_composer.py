"""One tick of two halves."""

from foxtrot.adapter.binance.tick_composer import TickComposer
from foxtrot.transport.base import Quote, Stats
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import TickData

FIGURES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
QUOTE = Quote(0, 10.0, 1.0, 11.0, 2.0, received_ns=50, asked_ns=40)
STATS = Stats(7, 1_700, FIGURES, received_ns=60)


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
