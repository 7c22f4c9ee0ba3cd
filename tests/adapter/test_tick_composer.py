"""One tick of two halves."""

import pytest

from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.tick_composer import TickComposer
from foxtrot.transport.base import LaneKey, Quote, Stats
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.util.constants import Exchange, LaneState, Reason, Serving, Source
from foxtrot.util.object import (
    OrderBookData,
    TickData,
    TransportData,
)
from tests.support.heard import Heard
from tests.support.virtual_clock import VirtualClock

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
    market.subscribe([key, LaneKey("BTCUSDT", "trades")])
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


# levels 2 to 5

BIDS = ((100.0, 1.0), (99.0, 2.0), (98.0, 3.0), (97.0, 4.0), (96.0, 5.0), (95.0, 6.0))
ASKS = ((101.0, 1.5), (102.0, 2.5), (103.0, 3.5))
TOP = (100.0, 1.0, 101.0, 1.5)


def order_book(update_id: int = 7, *, is_valid: bool = True) -> OrderBookData:
    return OrderBookData("BTCUSDT", Exchange.BINANCE, "BINANCE", Source.STREAM, 0, 1, BIDS, ASKS, update_id, is_valid)


def bids_of(tick: TickData) -> list[tuple[float, float]]:
    prices = (tick.bid_price_2, tick.bid_price_3, tick.bid_price_4, tick.bid_price_5)
    return list(zip(prices, (tick.bid_volume_2, tick.bid_volume_3, tick.bid_volume_4, tick.bid_volume_5), strict=True))


def asks_of(tick: TickData) -> list[tuple[float, float]]:
    prices = (tick.ask_price_2, tick.ask_price_3, tick.ask_price_4, tick.ask_price_5)
    return list(zip(prices, (tick.ask_volume_2, tick.ask_volume_3, tick.ask_volume_4, tick.ask_volume_5), strict=True))


NOTHING = [(0.0, 0.0)] * 4


def tick_with(book: OrderBookData | None, levels: tuple[float, float, float, float] = TOP) -> TickData:
    made, ticks = composer()
    made.stats(STATS)
    made.book(book)
    made.stream_quote(8, levels, 70)
    return ticks[-1]


def test_levels_behind_the_best_come_from_the_book() -> None:
    """Best first, four a side; what the book does not have is 0.0."""
    tick = tick_with(order_book())
    assert (tick.bid_price_1, tick.ask_price_1, tick.name) == (100.0, 101.0, "BTC/USDT")
    assert bids_of(tick) == list(BIDS[1:5])
    assert asks_of(tick) == [*ASKS[1:], (0.0, 0.0), (0.0, 0.0)]


@pytest.mark.parametrize("book", [None, order_book(is_valid=False)])
def test_without_a_valid_book_there_are_no_levels(book: OrderBookData | None) -> None:
    """None was subscribed, or it is not one now."""
    tick = tick_with(book)
    assert (bids_of(tick), asks_of(tick)) == (NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("levels", "bids", "asks"),
    [
        ((98.5, 9.0, 99.0, 9.0), [*BIDS[2:6]], [*ASKS, (0.0, 0.0)]),
        ((100.5, 9.0, 102.0, 9.0), [*BIDS[:4]], [ASKS[2], *NOTHING[1:]]),
        ((94.0, 9.0, 110.0, 9.0), NOTHING, NOTHING),
        ((0.0, 0.0, 101.0, 1.5), NOTHING, [*ASKS[1:], *NOTHING[2:]]),
        ((100.0, 1.0, 0.0, 0.0), [*BIDS[1:5]], NOTHING),
    ],
    ids=["the quote fell", "the quote rose", "beyond the book", "no bid", "no ask"],
)
def test_levels_stand_strictly_behind_the_ticks_own_best(
    levels: tuple[float, float, float, float], bids: list[tuple[float, float]], asks: list[tuple[float, float]]
) -> None:
    """The quote is ahead of the book by as much as a frame of the book takes: a tick is never crossed in itself."""
    tick = tick_with(order_book(), levels)
    assert (bids_of(tick), asks_of(tick)) == (bids, asks)


def test_a_book_that_does_not_follow_the_quote_is_dropped_after_a_second() -> None:
    """It comes back with the next book, or when the quote is what the book says again."""
    made, ticks = composer()
    made.stats(STATS)
    made.book(order_book())
    for at, levels in (
        (0, TOP),
        (2, TOP),
        (5, (100.0, 2.0, 101.0, 1.5)),
        (5.999, (100.0, 3.0, 101.0, 1.5)),
        (6, (100.0, 2.0, 101.0, 1.5)),
        (7, TOP),
    ):
        made.stream_quote(8, levels, int(at * 1e9) + 1)
    assert [bids_of(tick) != NOTHING for tick in ticks] == [True, True, True, True, False, True]
    made.stream_quote(9, (100.0, 2.0, 101.0, 1.5), 8_000_000_000)
    made.stream_quote(9, (100.0, 2.5, 101.0, 1.5), 9_500_000_000)
    made.book(order_book(9))
    made.stream_quote(9, (100.0, 2.5, 101.0, 1.5), 9_600_000_000)
    assert [bids_of(tick) != NOTHING for tick in ticks[-3:]] == [True, False, True]


def test_an_empty_book_has_no_levels() -> None:
    """A market in which nobody offers anything."""
    empty = OrderBookData("BTCUSDT", Exchange.BINANCE, "BINANCE", Source.STREAM, 0, 1, (), (), 7, is_valid=True)
    tick = tick_with(empty, (0.0, 0.0, 0.0, 0.0))
    assert (bids_of(tick), asks_of(tick)) == (NOTHING, NOTHING)


def test_a_book_makes_no_tick_of_its_own() -> None:
    """The next quote, or the next figures, carry its levels."""
    made, ticks = composer()
    made.quote(QUOTE, Source.POLL)
    made.stats(STATS)
    made.book(order_book())
    assert len(ticks) == 1
    made.stats(Stats(8, 1_800, FIGURES, received_ns=80))
    assert asks_of(ticks[-1]) == [*ASKS, (0.0, 0.0)]
