"""Subscriptions that share a lane: books of several depths, bars that are built of aggregate trades."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.transport import flags
from foxtrot.transport.base import Item, LaneKey
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Exchange, LaneState, Product, Reason, Serving, Source, Transport
from foxtrot.util.object import AggTradeData, BackfillData, BarData, ContractData, GapData, OrderBookData, TickData, TransportData
from tests.support.fake_transports import FakeDialler, FakeRest
from tests.support.heard import Heard
from tests.support.virtual_clock import VirtualClock, settle

SYMBOL = "BTCUSDT"
AGG = LaneKey(SYMBOL, "agg_trades")
BOOK = LaneKey(SYMBOL, "book")
WHO = (SYMBOL, Exchange.BINANCE, "BINANCE")


class MarketRig:
    """Subscriptions on a virtual clock, above a fake REST."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.heard = Heard()
        self.contracts = ContractManager("BINANCE", lambda _: None)
        self.market = MarketData(self.heard, self.contracts, BreakerBoard(), self.clock)
        self.rest = FakeRest(self.clock)
        self.rest.trades[SYMBOL] = 10
        self.count = 0

    def start(self) -> None:
        """The connection stands."""
        known = ContractData(*WHO, "BTC/USDT", Product.SPOT, "BTC", "USDT", "TRADING", 0.01, 0.1, 0.1, 5.0)
        self.contracts.take({SYMBOL: known})
        budget = WeightBudget(6_000, self.clock.now_ns())
        self.market.start(rest=self.rest, dialler=FakeDialler(self.clock), stream_urls=("ws://x",), budget=budget)

    async def subscribe(self, *channels: str) -> None:
        """Wants channels, and lets their lanes start."""
        self.market.subscribe([LaneKey(SYMBOL, channel) for channel in channels])
        await self.clock.advance(0.01)

    def unsubscribe(self, *channels: str) -> None:
        """Wants them no longer."""
        self.market.unsubscribe([LaneKey(SYMBOL, channel) for channel in channels])

    def moves(self, channel: str) -> list[tuple[LaneState, Reason]]:
        """What was told of one channel."""
        told = [event for event in self.heard.events if isinstance(event, TransportData)]
        return [(event.new, event.reason) for event in told if event.channel == channel]

    def of(self, kind: type) -> list[object]:
        """What was told of one kind."""
        return [event for event in self.heard.events if isinstance(event, kind)]

    def channels(self) -> set[str]:
        """Those that have a status."""
        return {status.key.channel for status in self.market.statuses()}

    def trade(self, at_s: float, price: float = 1.0) -> None:
        """One aggregate trade more, at so many seconds of the venue's clock."""
        self.count += 1
        self.market.deliver(AGG, [self.agg(self.count, at_s, price)], Source.POLL)

    def agg(self, number: int, at_s: float, price: float = 1.0) -> Item:
        """An aggregate trade."""
        value = AggTradeData(*WHO, Source.POLL, int(at_s * NS_PER_S), 1, number, number, number, price, 2.0, is_buyer_maker=False)
        return Item(number, number, value)

    def closed(self) -> list[int]:
        """Open times of closed bars, in seconds."""
        bars = [event for event in self.heard.events if isinstance(event, BarData)]
        return [bar.venue_time_ns // NS_PER_S for bar in bars if bar.is_closed]


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[MarketRig]:
    """A connection that stands; all is closed at the end."""
    made = MarketRig()
    made.start()
    yield made
    await made.market.close()


def order_book(update_id: int) -> OrderBookData:
    levels = tuple((float(price), 1.0) for price in range(10, 1, -1))
    return OrderBookData(*WHO, Source.STREAM, 0, 1, levels, ((11.0, 1.0), (12.0, 1.0)), update_id, is_valid=True)


SUBSCRIBED = (LaneState.POLLING, Reason.SUBSCRIBED)
ENDED = (LaneState.CLOSED, Reason.UNSUBSCRIBED)


# books


async def test_a_symbol_has_one_book_as_deep_as_the_deepest_subscription(rig: MarketRig) -> None:
    """It is told of as ``book``; the depth falls with the subscription that asked for it."""
    reach = rig.market._kinds
    await rig.subscribe("book:50")
    assert reach.book(BOOK).limit == 100
    await rig.subscribe("book", "book:500")
    assert reach.book(BOOK).limit == 1000
    assert rig.channels() == {"book"}
    rig.unsubscribe("book:500", "book:50")
    assert reach.book(BOOK)._reach.depth == 20
    assert rig.moves("book") == [SUBSCRIBED]
    rig.unsubscribe("book:20")
    assert rig.moves("book") == [SUBSCRIBED, ENDED]
    assert rig.market.statuses() == []


async def test_books_that_live_follow_the_depth(rig: MarketRig) -> None:
    """One that was made before delivers as many levels as are asked for now."""
    await rig.subscribe("book:50")
    made = rig.market._kinds.book(BOOK)
    await rig.subscribe("book:300")
    assert made.limit == 500


async def test_book_without_a_depth_ends_a_book_of_any(rig: MarketRig) -> None:
    """All subscriptions of it; a depth that was not subscribed ends nothing."""
    await rig.subscribe("book:50", "book:100")
    rig.unsubscribe("book:20")
    assert rig.channels() == {"book"}
    rig.unsubscribe("book")
    assert rig.moves("book") == [SUBSCRIBED, ENDED]


async def test_a_flag_may_speak_of_the_depth(rig: MarketRig) -> None:
    """``"book:50" = "shadow"`` holds while 50 is what is delivered; a book that became deeper is decided again."""
    text = 'schema = 1\n[symbols]\n"BTC/USDT" = { book = "polling", "book:50" = "shadow" }\n# end of flags\n'
    rig.market.flags_changed(flags.parse(text), flags.KillList())
    await rig.subscribe("book:50")
    assert rig.market.decision_of(BOOK).transport is Transport.SHADOW
    assert rig.moves("book")[-1][0] is LaneState.SHADOW
    await rig.subscribe("book:100")
    assert rig.market.decision_of(BOOK).transport is Transport.POLLING
    assert rig.moves("book")[-1][0] is LaneState.POLLING


async def test_a_book_fills_the_ticks_of_its_symbol_until_it_ends(rig: MarketRig) -> None:
    """Whichever came first."""
    await rig.subscribe("book")
    rig.market.deliver(BOOK, [Item(9, -1, order_book(9))], Source.POLL)
    await rig.subscribe("tick")
    await rig.clock.advance_until(lambda: rig.of(TickData))
    rig.rest.bids[SYMBOL] = 10.0
    count = len(rig.of(TickData))
    await rig.clock.advance_until(lambda: len(rig.of(TickData)) > count)
    tick = rig.of(TickData)[-1]
    assert isinstance(tick, TickData)
    assert (tick.bid_price_1, tick.bid_price_2, tick.bid_price_5, tick.ask_price_2) == (10.0, 9.0, 6.0, 12.0)
    rig.unsubscribe("book")
    rig.rest.bids[SYMBOL] = 9.0
    count = len(rig.of(TickData))
    await rig.clock.advance_until(lambda: len(rig.of(TickData)) > count)
    last = rig.of(TickData)[-1]
    assert isinstance(last, TickData)
    assert (last.bid_price_1, last.bid_price_2) == (9.0, 0.0)


# bars of our own


async def test_bars_that_the_venue_lacks_are_built_of_aggregate_trades_that_nobody_sees(rig: MarketRig) -> None:
    """The trades are no event of anybody's; what serves them is told as what serves the bars."""
    await rig.subscribe("bars:10s")
    for at_s in (1_003, 1_012, 1_018, 1_021):
        rig.trade(at_s)
    assert rig.closed() == [1_010]
    assert rig.of(AggTradeData) == []
    assert (rig.moves("bars:10s"), rig.moves("agg_trades")) == ([SUBSCRIBED], [])
    assert rig.channels() == {"bars:10s"}
    status = rig.market.statuses()[0]
    assert (status.serving, status.delivered) == (Serving.POLL, len(rig.of(BarData)))


async def test_their_lane_waits_for_ever_unless_it_was_subscribed_before(rig: MarketRig) -> None:
    """A bar with a hole is none; who subscribed the trades said how long to wait for them."""
    await rig.subscribe("bars:10s")
    hub = rig.market._hub
    assert hub is not None
    assert hub._lanes[AGG].values.hold_ns is None
    rig.unsubscribe("bars:10s")
    rig.market.subscribe([AGG], hold_ns=7)
    await rig.subscribe("bars:10s")
    assert hub._lanes[AGG].values.hold_ns == 7


async def test_the_trades_may_be_subscribed_later_and_ended_before(rig: MarketRig) -> None:
    """They are told from their subscription to their closing event, and the bars go on."""
    await rig.subscribe("bars:10s")
    rig.trade(1_003)
    await rig.subscribe("agg_trades")
    assert rig.moves("agg_trades") == [SUBSCRIBED]
    rig.trade(1_012)
    rig.unsubscribe("agg_trades")
    rig.trade(1_013)
    rig.trade(1_022)
    assert [trade.agg_id for trade in rig.of(AggTradeData) if isinstance(trade, AggTradeData)] == [2]
    assert rig.moves("agg_trades") == [SUBSCRIBED, ENDED]
    assert rig.moves("bars:10s") == [SUBSCRIBED]
    assert rig.closed() == [1_010]


async def test_bars_may_end_before_their_trades(rig: MarketRig) -> None:
    """In any order; nothing follows the closing event of a channel."""
    await rig.subscribe("agg_trades", "bars:10s", "bars:20s")
    for at_s in (1_003, 1_012):
        rig.trade(at_s)
    rig.unsubscribe("bars:10s")
    count = len(rig.heard.events)
    for at_s in (1_022, 1_041):
        rig.trade(at_s)
    assert {bar.interval for bar in rig.heard.events[count:] if isinstance(bar, BarData)} == {"20s"}
    assert (rig.moves("bars:10s"), rig.moves("agg_trades")) == ([SUBSCRIBED, ENDED], [SUBSCRIBED])
    rig.unsubscribe("bars:20s", "agg_trades")
    assert rig.moves("agg_trades") == rig.moves("bars:20s") == [SUBSCRIBED, ENDED]
    assert rig.market.statuses() == []


async def test_the_lane_ends_with_the_last_of_its_subscriptions(rig: MarketRig) -> None:
    """Each has its closing event, once."""
    await rig.subscribe("bars:10s", "bars:7m")
    rig.unsubscribe("bars:10s")
    rig.unsubscribe("bars:10s")
    assert rig.moves("bars:10s") == [SUBSCRIBED, ENDED]
    assert rig.moves("bars:7m") == [SUBSCRIBED]
    await rig.market.close()
    assert rig.moves("bars:7m")[1:] == [(LaneState.CLOSED, Reason.CLOSING)]
    assert rig.moves("bars:10s") == [SUBSCRIBED, ENDED]
    assert rig.moves("agg_trades") == []


async def test_bars_without_trades_close_with_time(rig: MarketRig) -> None:
    """Once polls have shown that no trade is missing."""
    await rig.subscribe("bars:10s")
    start_s = rig.clock.now_ns() // NS_PER_S
    rig.trade(start_s + 0.1)
    await rig.clock.advance(35.0)
    first = (start_s // 10 + 1) * 10
    assert rig.closed() == [first, first + 10]


async def test_bars_do_not_close_while_nothing_is_known(rig: MarketRig) -> None:
    """With REST down, a trade may well have been missed."""
    await rig.subscribe("bars:10s")
    rig.trade(rig.clock.now_ns() / NS_PER_S)
    rig.rest.failing["ticker"] = ConnectionError("down")
    await rig.clock.advance(60.0)
    assert rig.closed() == []
    rig.rest.failing.clear()
    await rig.clock.advance(5.0)
    assert len(rig.closed()) == 5


async def test_a_hole_in_the_trades_is_a_gap_of_bars_and_is_filled_late(rig: MarketRig) -> None:
    """The lane's own gap event is for who subscribed the trades."""
    await rig.subscribe("bars:10s")
    rig.trade(1_003)
    rig.trade(1_012)
    rig.count = 4
    rig.trade(1_022)
    rig.market.gap(AGG, 3, 4, Reason.HOLD)
    rig.trade(1_090)
    gaps = rig.of(GapData)
    assert [(gap.channel, gap.first_id, gap.last_id) for gap in gaps if isinstance(gap, GapData)] == [("bars:10s", 101, 102)]
    rig.market.backfill(AGG, [rig.agg(3, 1_014), rig.agg(4, 1_021)])
    (found,) = rig.of(BackfillData)
    assert isinstance(found, BackfillData)
    assert found.channel == "bars:10s"
    assert [bar.venue_time_ns // NS_PER_S for bar in found.items] == [1_010, 1_020]


async def test_what_the_venue_has_no_longer_is_not_waited_for(rig: MarketRig) -> None:
    """The bars of lost trades are told as missing at once; the trades' own gap goes to who subscribed them."""
    await rig.subscribe("bars:10s", "agg_trades")
    rig.trade(1_003)
    rig.trade(1_012)
    rig.count = 4
    rig.trade(1_022)
    rig.market.gap(AGG, 3, 4, Reason.GAP)
    gaps = [(gap.channel, gap.first_id, gap.last_id) for gap in rig.of(GapData) if isinstance(gap, GapData)]
    assert gaps == [("agg_trades", 3, 4), ("bars:10s", 101, 102)]
    rig.market.backfill(AGG, [rig.agg(3, 1_014)])
    assert [found.channel for found in rig.of(BackfillData) if isinstance(found, BackfillData)] == ["agg_trades"]


async def test_ids_that_begin_anew_begin_the_bars_anew(rig: MarketRig) -> None:
    """The first whole interval after it is the next bar; both channels hear of it."""
    await rig.subscribe("agg_trades", "bars:10s")
    rig.count = 500
    rig.trade(1_003)
    rig.trade(1_012)
    for state, reason in ((LaneState.CLOSED, Reason.IDS_BEGAN_ANEW), (LaneState.POLLING, Reason.SUBSCRIBED)):
        rig.market.announce(AGG, LaneState.POLLING, state, Serving.POLL, reason)
    rig.count = 0
    for at_s in (1_014, 1_022, 1_031):
        rig.trade(at_s)
    assert rig.closed() == [1_020]
    assert rig.moves("bars:10s") == rig.moves("agg_trades")


async def test_the_decision_about_such_bars_is_that_of_aggregate_trades(rig: MarketRig) -> None:
    """They come by whatever serves these."""
    text = 'schema = 1\n[symbols]\n"BTC/USDT" = { bars = "polling", agg_trades = "shadow" }\n# end of flags\n'
    rig.market.flags_changed(flags.parse(text), flags.KillList())
    assert rig.market.decision_of(LaneKey(SYMBOL, "bars:10s")).transport is Transport.SHADOW
    assert rig.market.decision_of(LaneKey(SYMBOL, "bars:1m")).transport is Transport.POLLING


# symbols that are none, and the time before the connection


async def test_an_unknown_symbol_ends_each_channel_that_was_asked_for(rig: MarketRig) -> None:
    """Under its own name; the hidden lane is nobody's business."""
    strange = "NOSUCH"
    rig.market.subscribe([LaneKey(strange, channel) for channel in ("bars:10s", "book:50", "bars:1m")])
    await settle()
    told = [event for event in rig.heard.events if isinstance(event, TransportData)]
    assert [(event.symbol, event.channel, event.new, event.reason) for event in told] == [
        (strange, channel, LaneState.CLOSED, Reason.UNKNOWN_SYMBOL) for channel in ("bars:10s", "book", "bars:1m")
    ]
    assert rig.market.statuses() == []


async def test_a_symbol_that_is_listed_no_longer_ends_each_channel_once(rig: MarketRig) -> None:
    """The lanes are closed by whoever heard of it first."""
    await rig.subscribe("bars:10s", "bars:20s", "book", "book:50")
    assert rig.market._hub is not None
    rig.market._hub.refused(SYMBOL, "gone")
    for channel in ("bars:10s", "bars:20s", "book"):
        assert rig.moves(channel) == [SUBSCRIBED, (LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)]


async def test_what_is_subscribed_before_the_connection_stands_waits_for_it() -> None:
    """Or ends with it, told under every name."""
    rig = MarketRig()
    rig.market.subscribe([LaneKey(SYMBOL, channel) for channel in ("bars:10s", "agg_trades", "book:50", "book:20")])
    assert rig.market.statuses() == rig.heard.events == []
    rig.unsubscribe("bars:10s")
    assert rig.moves("bars:10s") == [ENDED]
    rig.start()
    await rig.clock.advance(0.01)
    assert rig.channels() == {"agg_trades", "book"}
    assert (rig.moves("agg_trades"), rig.moves("book")) == ([SUBSCRIBED], [SUBSCRIBED])
    await rig.market.close()
    assert rig.moves("book")[1:] == [(LaneState.CLOSED, Reason.CLOSING)]


@pytest.mark.parametrize("channel", ["trades", "book", "bars:1m", "bars:10s"])
async def test_each_channel_has_a_status_under_its_own_name(rig: MarketRig, channel: str) -> None:
    """The one that it is told of by events."""
    await rig.subscribe(channel)
    assert rig.channels() == {channel}
    assert rig.moves(channel) == [SUBSCRIBED]
