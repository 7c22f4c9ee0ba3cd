"""The data objects: their keys, their times, and what a request refuses."""

import datetime as dt

import msgspec
import pytest

from foxtrot.util.channel import depth_of, interval_of, lane_of
from foxtrot.util.constants import Direction, Exchange, Health, Product, Reason, Serving, Source, Status
from foxtrot.util.object import (
    AccountData,
    ContractData,
    HealthData,
    OrderData,
    PositionData,
    PublicTradeData,
    QuoteData,
    SubscribeRequest,
    TickData,
    TradeData,
)

SECOND_NS = 1_000_000_000
TRADE = PublicTradeData(
    symbol="BTCUSDT",
    exchange=Exchange.BINANCE,
    adapter_name="B",
    source=Source.STREAM,
    venue_time_ns=1_700_000_000 * SECOND_NS,
    received_ns=1_700_000_001 * SECOND_NS,
    trade_id=1,
    price=1.0,
    volume=1.0,
    is_buyer_maker=True,
)


def test_a_market_values_time_is_the_venues() -> None:
    """Aware, in UTC."""
    assert TRADE.datetime == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)
    assert TRADE.datetime.tzinfo is dt.UTC


def test_without_a_venue_time_it_is_the_time_of_arrival() -> None:
    """The venue's quotes carry none."""
    assert msgspec.structs.replace(TRADE, venue_time_ns=0).datetime == dt.datetime(2023, 11, 14, 22, 13, 21, tzinfo=dt.UTC)


def test_local_time_is_the_time_of_arrival() -> None:
    """Aware, in the machine's zone: the same instant."""
    assert TRADE.localtime == dt.datetime(2023, 11, 14, 22, 13, 21, tzinfo=dt.UTC)
    assert TRADE.localtime.tzinfo is not None


def test_keys_are_unique_over_venues_and_adapters() -> None:
    """Each object's own."""
    order = OrderData("BTCUSDT", Exchange.BINANCE, "B", "7", Direction.LONG)
    fill = TradeData("BTCUSDT", Exchange.BINANCE, "B", "7", "9", Direction.LONG, price=1.0, volume=1.0)
    position = PositionData("BTCUSDT", Exchange.BINANCE, "B", Direction.NET)
    quote = QuoteData("BTCUSDT", Exchange.BINANCE, "B", "5", bid_price=1.0, bid_volume=1.0, ask_price=2.0, ask_volume=1.0)
    account = AccountData("B", "USDT")
    assert TRADE.vt_symbol == "BTCUSDT.BINANCE"
    assert (order.vt_orderid, fill.vt_orderid, fill.vt_tradeid) == ("B.7", "B.7", "B.BTCUSDT.9")
    assert position.vt_positionid == "B.BTCUSDT.BINANCE.net"
    assert (quote.vt_quoteid, account.vt_accountid) == ("B.5", "B.USDT")


def test_what_is_bound_in_orders_is_not_available() -> None:
    """Balance less frozen."""
    assert AccountData("B", "USDT", balance=10.0, frozen=4.0).available == 6.0


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        (Status.SUBMITTING, True),
        (Status.NOT_TRADED, True),
        (Status.PART_TRADED, True),
        (Status.UNKNOWN, True),
        (Status.ALL_TRADED, False),
        (Status.CANCELLED, False),
        (Status.REJECTED, False),
    ],
)
def test_an_order_may_trade_until_it_has_ended(status: Status, is_active: bool) -> None:
    """One whose state is unknown may, too."""
    assert OrderData("BTCUSDT", Exchange.BINANCE, "B", "7", Direction.LONG, status=status).is_active is is_active


@pytest.mark.parametrize("hold", [-1.0, float("nan"), float("-inf")])
def test_a_hold_is_zero_or_more_seconds(hold: float) -> None:
    """Infinite is allowed, for recorders."""
    with pytest.raises(ValueError, match=r"hold is a number of seconds, 0 or more"):
        SubscribeRequest("BTCUSDT", Exchange.BINANCE, hold=hold)
    assert SubscribeRequest("BTCUSDT", Exchange.BINANCE, hold=float("inf")).hold == float("inf")


def test_a_subscription_names_a_channel() -> None:
    """None at all is a mistake."""
    with pytest.raises(ValueError, match="names at least one channel of: tick, trades, agg_trades, book, bars"):
        SubscribeRequest("BTCUSDT", Exchange.BINANCE, ())


def test_an_unknown_channel_is_refused_with_the_nearest() -> None:
    """Channels with a parameter are of their kind."""
    with pytest.raises(ValueError, match="unknown channel 'trade'; did you mean 'trades'"):
        SubscribeRequest("BTCUSDT", Exchange.BINANCE, ("tick", "trade"))
    assert SubscribeRequest("BTCUSDT", Exchange.BINANCE, ("book:20", "bars:1m")).channels == ("book:20", "bars:1m")


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("book:0", "1 to 1000 levels a side: book:50; book alone is 20"),
        ("book:1001", "1 to 1000 levels"),
        ("book:", "1 to 1000 levels"),
        ("book:020", "1 to 1000 levels"),
        ("book:-5", "1 to 1000 levels"),
        ("bars", "bars take an interval: bars:1s, bars:1m"),
        ("bars:", "bars take an interval"),
        ("bars:0m", "bars take an interval"),
        ("bars:1 m", "bars take an interval"),
        ("bars:m", "bars take an interval"),
        ("tick:5", "only book and bars take a parameter"),
        ("trades:", "only book and bars take a parameter"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_with_what_is_right(channel: str, says: str) -> None:
    """A book has a depth, bars an interval, the others nothing."""
    with pytest.raises(ValueError, match=f"channel '{channel}': .*{says}"):
        SubscribeRequest("BTCUSDT", Exchange.BINANCE, (channel,))


@pytest.mark.parametrize(
    ("channel", "lane", "depth", "interval"),
    [
        ("book", "book", 20, ""),
        ("book:1", "book", 1, ""),
        ("book:1000", "book", 1000, ""),
        ("bars:1M", "bars:1M", 0, "1M"),
        ("bars:10s", "bars:10s", 0, "10s"),
        ("tick", "tick", 0, ""),
    ],
)
def test_a_channel_is_read(channel: str, lane: str, depth: int, interval: str) -> None:
    """Every depth is of one book, each interval is a lane of its own."""
    SubscribeRequest("BTCUSDT", Exchange.BINANCE, (channel,))
    assert (lane_of(channel), interval_of(channel)) == (lane, interval)
    assert depth == 0 or depth_of(channel) == depth


@pytest.mark.parametrize(("status", "is_trading"), [("TRADING", True), ("BREAK", False), ("HALT", False)])
def test_a_contract_trades_when_the_venue_says_so(status: str, is_trading: bool) -> None:
    """In its own words."""
    contract = ContractData(
        "BTCUSDT", Exchange.BINANCE, "B", "BTC/USDT", Product.SPOT, "BTC", "USDT", status, 0.01, 0.001, 0.001, 5.0
    )
    assert contract.is_trading is is_trading


def test_a_healths_state_is_the_one_in_force() -> None:
    """``new``, by the name that asks for it."""
    health = HealthData(
        "BTCUSDT", Exchange.BINANCE, "B", Health.BLIND, Health.LIVE, Serving.POLL, Reason.CONFIRMED, changed_ns=1, confirmed_ns=2
    )
    assert health.state is Health.LIVE


def test_objects_never_change_and_are_json_ready() -> None:
    """Frozen; what was written reads back equal."""
    with pytest.raises(AttributeError):
        TRADE.price = 2.0  # type: ignore[misc]  # -- that is the test
    assert msgspec.json.decode(msgspec.json.encode(TRADE), type=PublicTradeData) == TRADE
    tick = TickData("BTCUSDT", Exchange.BINANCE, "B", Source.POLL, 0, 1)
    assert msgspec.json.decode(msgspec.json.encode(tick), type=TickData) == tick


def test_channels_that_are_a_text_are_refused() -> None:
    """A tuple of one is easily forgotten: the error shows it."""
    with pytest.raises(ValueError, match=r'\("tick",\)'):
        SubscribeRequest(symbol="BTCUSDT", exchange=Exchange.BINANCE, channels="tick")  # type: ignore[arg-type]  # -- the mistake
