"""What reaches the handlers is counted: values, duplicates, holes, ages."""

from collections.abc import Iterable

from foxtrot.app.lane_tally import BookTally, LaneTally, TickTally
from foxtrot.app.tally import Tally
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Exchange, LaneState, Reason, Source
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
from foxtrot.util.object import AggTradeData, BackfillData, BarData, OrderBookData
from tests.app.samples import FakeClock, change, tick, trade

TICK, TRADES, AGG, BOOK, BARS = (LaneKey("BTCUSDT", name) for name in ("tick", "trades", "agg_trades", "book", "bars:1m"))


def counted(events: Iterable[Event], clock: FakeClock | None = None, offset_ns: int | None = 0) -> Tally:
    """A tally that has seen ``events``, through a real event engine."""
    engine = EventEngine(clock or FakeClock())
    tally = Tally(engine, [TICK, TRADES, AGG, BOOK, BARS])
    tally.offset_ns = offset_ns
    for event in events:
        engine.put(event)
    engine.start()
    engine.stop()
    return tally


def trades(*ids: int) -> LaneTally:
    return counted(Event(EVENT_PUBLIC_TRADE, trade(each)) for each in ids).lanes[TRADES]


def test_whole_feed() -> None:
    """Ids that follow each other: no gap, no duplicate, wherever they start."""
    lane = trades(7, 8, 9)
    assert (lane.delivered, lane.gaps, lane.duplicates) == (3, 0, 0)


def test_first_trade_of_a_symbol() -> None:
    """Its id is 0: no duplicate, and what follows is no gap."""
    lane = trades(0, 1, 2)
    assert (lane.delivered, lane.gaps, lane.duplicates) == (3, 0, 0)
    again = trades(0, 0, 2)
    assert (again.delivered, again.gaps, again.duplicates) == (3, 1, 1)


def test_duplicates() -> None:
    """An id that came before, or an older one, is a duplicate."""
    lane = trades(7, 8, 8, 7, 9)
    assert (lane.delivered, lane.gaps, lane.duplicates) == (5, 0, 2)


def test_holes() -> None:
    """A hole counts once, however wide."""
    assert trades(7, 9, 10, 20).gaps == 2


def agg_trade(agg_id: int) -> AggTradeData:
    return AggTradeData("BTCUSDT", Exchange.BINANCE, "BINANCE", Source.POLL, 0, 0, agg_id, 1, 9, 100.0, 1.0, False)


def test_backfill() -> None:
    """What live values left out is found once; found twice, or not missing at all, it is a duplicate."""
    late = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", tuple(trade(each) for each in (8, 9, 9, 7)))
    events = [Event(EVENT_PUBLIC_TRADE, trade(each)) for each in (7, 11)]
    lane = counted([*events, Event(EVENT_BACKFILL, late)]).lanes[TRADES]
    assert (lane.missing.total, lane.missing.found, lane.duplicates, lane.delivered) == (3, 2, 2, 2)


def test_backfill_of_aggregate_trades() -> None:
    """By their own ids; of a lane that was not asked for nothing is counted."""
    late = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "agg_trades", (agg_trade(2),))
    other = BackfillData("ETHUSDT", Exchange.BINANCE, "BINANCE", "agg_trades", (agg_trade(2),))
    events = [Event(EVENT_AGG_TRADE, agg_trade(each)) for each in (1, 3)]
    tally = counted([*events, Event(EVENT_BACKFILL, late), Event(EVENT_BACKFILL, other)])
    assert (tally.lanes[AGG].missing.found, tally.duplicates) == (1, 0)


def order_book(update_id: int, *, is_valid: bool = True, symbol: str = "BTCUSDT") -> OrderBookData:
    levels = ((10.0, 1.0),) if is_valid else ()
    return OrderBookData(symbol, Exchange.BINANCE, "BINANCE", Source.STREAM, 0, 0, levels, (), update_id, is_valid)


def test_books() -> None:
    """Their ids skip; one that is older or the same is a duplicate, and one that is invalid, or the same behind it, is not."""
    ended = [order_book(9, is_valid=False), order_book(9)]
    books = [order_book(5), order_book(9), order_book(9), *ended, order_book(7), order_book(12)]
    lane = counted(Event(EVENT_BOOK, book) for book in [*books, order_book(1, symbol="ETHUSDT")]).lanes[BOOK]
    assert isinstance(lane, BookTally)
    assert (lane.delivered, lane.gaps, lane.duplicates, lane.best) == (7, 0, 2, (10.0, 0.0))
    assert lane.local_ages.quantile_ms(1.0) is not None


def bar(minute: int, *, is_closed: bool = True, interval: str = "1m") -> BarData:
    opened = minute * 60_000_000_000
    return BarData("BTCUSDT", Exchange.BINANCE, "BINANCE", Source.POLL, opened, 0, interval, 1, 2, 1, 1.5, 9, is_closed=is_closed)


def test_bars() -> None:
    """Closed ones are counted like ids; the open one comes any number of times, but not once it has closed."""
    bars = [bar(4, is_closed=False), bar(4, is_closed=False), bar(4), bar(5, is_closed=False), bar(5), bar(8)]
    lane = counted(Event(EVENT_BAR, each) for each in [*bars, bar(1, interval="3m")]).lanes[BARS]
    assert (lane.delivered, lane.gaps, lane.missing.total, lane.duplicates, lane.last_price) == (6, 1, 2, 0, 1.5)
    again = counted(Event(EVENT_BAR, each) for each in (bar(4), bar(4), bar(3, is_closed=False), bar(5))).lanes[BARS]
    assert (again.gaps, again.duplicates) == (0, 2)


def test_backfill_of_bars() -> None:
    """By the numbers of their intervals."""
    late = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "bars:1m", (bar(5), bar(6), bar(6)))
    tally = counted([*(Event(EVENT_BAR, bar(minute)) for minute in (4, 7)), Event(EVENT_BACKFILL, late)])
    assert (tally.lanes[BARS].missing.found, tally.duplicates) == (2, 1)


def test_other_symbols() -> None:
    """What was not asked for is not counted."""
    tally = counted([Event(EVENT_PUBLIC_TRADE, trade(1, symbol="ETHUSDT"))])
    assert (tally.delivered, tally.first_ns) == (0, 0)


def test_aggregate_trades() -> None:
    """They have ids of their own."""
    tally = counted([Event(EVENT_AGG_TRADE, agg_trade(5)), Event(EVENT_PUBLIC_TRADE, trade(5))])
    assert (tally.lanes[AGG].delivered, tally.lanes[AGG].last_id, tally.duplicates) == (1, 5, 0)


def ticks(*values: tuple[int, int]) -> TickTally:
    tally = counted(Event(EVENT_TICK, tick(number, venue_time_ns=time)) for number, time in values)
    lane = tally.lanes[TICK]
    assert isinstance(lane, TickTally)
    return lane


def test_quotes_skip_ids() -> None:
    """The ids of quotes have holes by nature; polled ones have none."""
    lane = ticks((5, 0), (9, 0), (0, 0), (0, 0), (12, 0))
    assert (lane.delivered, lane.gaps, lane.duplicates) == (5, 0, 0)


def test_older_quote() -> None:
    """A quote older than one delivered is a duplicate."""
    assert ticks((5, 0), (9, 0), (7, 0)).duplicates == 1


def test_same_quote_twice() -> None:
    """It is a duplicate, unless the 24 h figures caused the tick or polled ones came between."""
    assert ticks((5, 0), (5, 0)).duplicates == 1
    assert ticks((5, 0), (5, 77)).duplicates == 0
    assert ticks((5, 0), (0, 0), (5, 0)).duplicates == 0


def test_the_last_tick_is_at_hand() -> None:
    """For the table."""
    lane = ticks((5, 0))
    assert lane.tick is not None
    assert (lane.tick.bid_price_1, lane.last_price) == (100.0, 100.5)


def test_ages() -> None:
    """A trade's age runs from the venue's time on the venue's clock, a tick's from its arrival."""
    clock = FakeClock()
    clock.ns = 10_000_000_000
    events = [
        Event(EVENT_PUBLIC_TRADE, trade(1, venue_time_ns=10_000_010_000)),
        Event(EVENT_TICK, tick(1, received_ns=9_999_970_000)),
    ]
    tally = counted(events, clock, offset_ns=30_000)
    assert tally.lanes[TRADES].event_ages.quantile_ms(1.0) == 0.020
    assert tally.lanes[TICK].local_ages.quantile_ms(1.0) == 0.030
    assert tally.first_ns == clock.ns


def test_lanes_that_ended() -> None:
    """The reason is kept; a change that is no end is none."""
    events = [
        Event(EVENT_TRANSPORT, change(LaneState.FALLBACK, Reason.CONNECTION)),
        Event(EVENT_TRANSPORT, change(LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)),
    ]
    assert counted(events).closed == {TRADES: Reason.UNKNOWN_SYMBOL}


def test_totals() -> None:
    """Over all lanes; contracts are counted."""
    events = [Event(EVENT_PUBLIC_TRADE, trade(each)) for each in (1, 1, 3)]
    tally = counted([*events, Event(EVENT_TICK, tick(1)), Event(EVENT_CONTRACT, None)])
    assert (tally.delivered, tally.duplicates, tally.gaps, tally.contracts) == (4, 1, 1, 1)
