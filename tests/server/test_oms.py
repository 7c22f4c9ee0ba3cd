"""The last known state of everything."""

import threading
from collections.abc import Iterator

import pytest

from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.server.oms import OmsEngine
from foxtrot.util import event_type as types
from foxtrot.util.constants import Direction, Exchange, Health, LaneState, Product, Reason, Serving, Source, Status
from foxtrot.util.object import (
    AccountData,
    BarData,
    ContractData,
    HealthData,
    OrderBookData,
    OrderData,
    PositionData,
    QuoteData,
    TickData,
    TradeData,
    TransportData,
)

WHO = ("X", Exchange.LOCAL, "LOCAL")
TICK = TickData(*WHO, source=Source.POLL, venue_time_ns=0, received_ns=1, last_price=5.0)
BOOK = OrderBookData(
    *WHO, source=Source.POLL, venue_time_ns=0, received_ns=1, bids=((4.0, 1.0),), asks=(), update_id=7, is_valid=True
)
BAR = BarData(*WHO, Source.POLL, 0, 1, "1m", open_price=1.0, high_price=1.0, low_price=1.0, close_price=1.0, volume=0.0)
ORDER = OrderData(*WHO, orderid="1", direction=Direction.LONG)
TRADE = TradeData(*WHO, orderid="1", tradeid="9", direction=Direction.LONG, price=5.0, volume=1.0)
QUOTE = QuoteData(*WHO, quoteid="3", bid_price=4.0, bid_volume=1.0, ask_price=6.0, ask_volume=1.0)
POSITION = PositionData(*WHO, direction=Direction.NET, volume=1.0)
ACCOUNT = AccountData("LOCAL", "USDT", balance=100.0)
CONTRACT = ContractData(
    *WHO,
    name="X/USDT",
    product=Product.SPOT,
    base="X",
    quote="USDT",
    status="TRADING",
    price_tick=0.01,
    volume_step=0.1,
    min_volume=0.1,
    min_notional=5.0,
)
HEALTH = HealthData(
    *WHO, old=Health.BLIND, new=Health.LIVE, serving=Serving.POLL, reason=Reason.CONFIRMED, changed_ns=1, confirmed_ns=1
)


@pytest.fixture
def engine() -> Iterator[EventEngine]:
    """An engine that is started by :func:`handle`."""
    engine = EventEngine(timer_seconds=3_600)
    yield engine
    engine.stop()


def handle(engine: EventEngine, *events: tuple[str, object]) -> OmsEngine:
    oms = OmsEngine(engine)
    for event_type, data in events:
        engine.put(Event(event_type, data))
    engine.start()
    engine.stop()
    return oms


KINDS = [
    (types.EVENT_TICK, TICK, "tick", "ticks", "X.LOCAL"),
    (types.EVENT_BOOK, BOOK, "book", "books", "X.LOCAL"),
    (types.EVENT_ORDER, ORDER, "order", "orders", "LOCAL.1"),
    (types.EVENT_TRADE, TRADE, "trade", "trades", "LOCAL.X.9"),
    (types.EVENT_QUOTE, QUOTE, "quote", "quotes", "LOCAL.3"),
    (types.EVENT_POSITION, POSITION, "position", "positions", "LOCAL.X.LOCAL.net"),
    (types.EVENT_ACCOUNT, ACCOUNT, "account", "accounts", "LOCAL.USDT"),
    (types.EVENT_CONTRACT, CONTRACT, "contract", "contracts", "X.LOCAL"),
    (types.EVENT_HEALTH, HEALTH, "health", "health", "X.LOCAL"),
]


@pytest.mark.parametrize(("event_type", "data", "one", "many", "key"), KINDS)
def test_the_last_of_each_kind_is_kept_by_its_key(
    engine: EventEngine, event_type: str, data: object, one: str, many: str, key: str
) -> None:
    """What an event told can be asked for, alone and among all; what was never told is None."""
    oms = handle(engine, (event_type, data))
    assert getattr(oms, f"get_{one}")(key) is data
    assert getattr(oms, f"get_all_{many}")() == [data]
    assert getattr(oms, f"get_{one}")("unknown") is None


def test_the_last_bar_of_each_interval_is_kept(engine: EventEngine) -> None:
    """Intervals of one symbol stand side by side."""
    five = BarData(*WHO, Source.POLL, 0, 1, "5m", open_price=1.0, high_price=1.0, low_price=1.0, close_price=1.0, volume=0.0)
    oms = handle(engine, (types.EVENT_BAR, BAR), (types.EVENT_BAR, five))
    assert (oms.get_bar("X.LOCAL", "1m"), oms.get_bar("X.LOCAL", "5m"), oms.get_bar("X.LOCAL", "1h")) == (BAR, five, None)
    assert oms.get_all_bars() == [BAR, five]


def test_a_book_stays_while_its_lane_does(engine: EventEngine) -> None:
    """That another lane ends, or that its own moves, is no end."""
    moves = [
        TransportData(*WHO, "tick", LaneState.POLLING, LaneState.CLOSED, Serving.NONE, Reason.UNSUBSCRIBED),
        TransportData(*WHO, "book", LaneState.PROVING, LaneState.STREAMING, Serving.STREAM, Reason.PROOF),
    ]
    kept = handle(engine, (types.EVENT_BOOK, BOOK), *((types.EVENT_TRANSPORT, moved) for moved in moves))
    assert kept.get_book("X.LOCAL") is BOOK


def test_a_book_ends_with_its_lane(engine: EventEngine) -> None:
    """What is asked for after the unsubscription is no book."""
    closed = TransportData(*WHO, "book", LaneState.STREAMING, LaneState.CLOSED, Serving.NONE, Reason.UNSUBSCRIBED)
    oms = handle(engine, (types.EVENT_BOOK, BOOK), (types.EVENT_TRANSPORT, closed))
    assert (oms.get_book("X.LOCAL"), oms.get_all_books()) == (None, [])


def test_the_newest_replaces_the_one_before(engine: EventEngine) -> None:
    """One tick a symbol is kept, the last."""
    newer = TickData(*WHO, source=Source.STREAM, venue_time_ns=0, received_ns=2)
    oms = handle(engine, (types.EVENT_TICK, TICK), (types.EVENT_TICK, newer))
    assert oms.get_all_ticks() == [newer]


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        (Status.PART_TRADED, True),
        (Status.UNKNOWN, True),
        (Status.ALL_TRADED, False),
        (Status.CANCELLED, False),
        (Status.REJECTED, False),
    ],
)
def test_an_order_is_active_until_it_ends(engine: EventEngine, status: Status, is_active: bool) -> None:
    """Orders that may still trade, those of unknown state among them, are listed apart."""
    later = OrderData(*WHO, orderid="1", direction=Direction.LONG, status=status)
    oms = handle(engine, (types.EVENT_ORDER, ORDER), (types.EVENT_ORDER, later))
    assert oms.get_all_active_orders() == ([later] if is_active else [])
    assert oms.get_all_orders() == [later]


def test_what_is_handed_out_is_a_copy(engine: EventEngine) -> None:
    """Changing a list that was handed out changes nothing inside."""
    oms = handle(engine, (types.EVENT_TICK, TICK))
    oms.get_all_ticks().clear()
    assert oms.get_all_ticks() == [TICK]


def test_reading_while_the_event_thread_writes_never_fails(engine: EventEngine) -> None:
    """A reader sees some moment of the state, never an error."""
    oms = OmsEngine(engine)
    engine.start()
    done = threading.Event()
    engine.register("eDone", lambda _event: done.set())
    for number in range(3_000):
        engine.put(Event(types.EVENT_TICK, TickData(f"X{number}", *WHO[1:], source=Source.POLL, venue_time_ns=0, received_ns=1)))
    engine.put(Event("eDone"))
    counts = [0]
    while not done.is_set():
        counts.append(len(oms.get_all_ticks()))
    assert counts == sorted(counts)
    assert len(oms.get_all_ticks()) == 3_000
