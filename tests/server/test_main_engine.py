"""The platform's one face."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping

import pytest
from typing_extensions import override

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.loop_thread import LoopThread
from foxtrot.server.engine import MainEngine
from foxtrot.util.constants import Direction, Exchange, Health, OrderType, Reason, Serving, Source
from foxtrot.util.errors import Closed, ConfigError
from foxtrot.util.event_type import EVENT_HEALTH, EVENT_LOG, EVENT_TICK
from foxtrot.util.object import (
    BarData,
    CancelRequest,
    HealthData,
    HistoryRequest,
    LogData,
    OrderRequest,
    SubscribeRequest,
    TickData,
)
from tests.core.waiting import wait_until

REQUEST = SubscribeRequest("X", Exchange.LOCAL)
ORDER = OrderRequest("X", Exchange.LOCAL, Direction.LONG, OrderType.LIMIT, volume=1.0)
CANCEL = CancelRequest("1", "X", Exchange.LOCAL)
HISTORY = HistoryRequest("X", Exchange.LOCAL, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def health(symbol: str, state: Health) -> HealthData:
    return HealthData(
        symbol,
        Exchange.LOCAL,
        "LOCAL",
        old=Health.BLIND,
        new=state,
        serving=Serving.POLL,
        reason=Reason.CONFIRMED,
        changed_ns=1,
        confirmed_ns=1,
    )


class LocalAdapter(BaseAdapter):
    """A venue in a loop thread: every subscription answers with one tick."""

    exchanges = (Exchange.LOCAL,)

    def __init__(self, event_engine: EventEngine, adapter_name: str) -> None:
        super().__init__(event_engine, adapter_name)
        self.asked: list[object] = []
        self.door = LoopThread(adapter_name)

    @override
    def connect(self, setting: Mapping[str, object]) -> None:
        self.asked.append(dict(setting))
        self.door.start()

    @override
    def close(self) -> None:
        self.asked.append("close")
        self.door.stop()

    @override
    def subscribe(self, req: SubscribeRequest) -> None:
        tick = TickData(req.symbol, req.exchange, self.adapter_name, source=Source.POLL, venue_time_ns=0, received_ns=1)
        self.door.call(self.on_tick, tick)

    @override
    def unsubscribe(self, req: SubscribeRequest) -> None:
        self.asked.append(req)

    @override
    def send_order(self, req: OrderRequest) -> str:
        return f"{self.adapter_name}.1"

    @override
    def cancel_order(self, req: CancelRequest) -> None:
        self.asked.append(req)

    @override
    def query_history(self, req: HistoryRequest) -> list[BarData]:
        return []

    @override
    def health(self, vt_symbol: str) -> HealthData | None:
        return health("X", Health.LIVE) if vt_symbol == "X.LOCAL" else None


class HangingAdapter(LocalAdapter):
    """Never comes back from close."""

    @override
    def close(self) -> None:
        threading.Event().wait(30)


class FailingAdapter(LocalAdapter):
    """Fails to close."""

    @override
    def close(self) -> None:
        raise RuntimeError("cannot close")


class EmptyAdapter(LocalAdapter):
    """Has nothing subscribed."""

    @override
    def health(self, vt_symbol: str) -> HealthData | None:
        return None


class OtherAdapter(LocalAdapter):
    """Another venue."""

    exchanges = (Exchange.BINANCE,)


@pytest.fixture
def main() -> Iterator[MainEngine]:
    """A running engine with one adapter."""
    with MainEngine() as main:
        main.add_adapter(LocalAdapter, "LOCAL")
        yield main


def test_a_subscription_reaches_handler_and_last_state(main: MainEngine) -> None:
    """Connect, subscribe: the tick arrives at the handler of its symbol, and is remembered."""
    got: list[Event] = []
    main.event_engine.register(EVENT_TICK + "X.LOCAL", got.append)
    main.connect({"key": 1}, "LOCAL")
    main.subscribe(REQUEST, "LOCAL")
    wait_until(lambda: len(got) == 1)
    assert main.get_tick("X.LOCAL") is got[0].data


def test_requests_are_handed_to_the_adapter(main: MainEngine) -> None:
    """The engine adds nothing of its own to a request."""
    adapter = main.get_adapter("LOCAL")
    assert isinstance(adapter, LocalAdapter)
    main.unsubscribe(REQUEST, "LOCAL")
    main.cancel_order(CANCEL, "LOCAL")
    assert main.send_order(ORDER, "LOCAL") == "LOCAL.1"
    assert main.query_history(HISTORY, "LOCAL") == []
    assert adapter.asked == [REQUEST, CANCEL]
    assert main.get_default_setting("LOCAL") == {}


def test_an_adapter_is_named_after_its_class(main: MainEngine) -> None:
    """Without a name, OtherAdapter is OTHER."""
    adapter = main.add_adapter(OtherAdapter)
    assert adapter.adapter_name == "OTHER"
    assert main.get_all_adapter_names() == ["LOCAL", "OTHER"]
    assert main.get_all_exchanges() == [Exchange.LOCAL, Exchange.BINANCE]


def test_a_name_is_given_once(main: MainEngine) -> None:
    """Two adapters of one name are refused."""
    with pytest.raises(ConfigError, match="another name"):
        main.add_adapter(LocalAdapter, "LOCAL")


def test_an_unknown_adapter_is_refused_with_the_nearest_name(main: MainEngine) -> None:
    """A slip of the pen is answered with the right name."""
    with pytest.raises(ConfigError, match="did you mean 'LOCAL'"):
        main.connect({}, "LOKAL")


def test_without_any_adapter_the_error_says_what_to_do() -> None:
    """The first step is named when it was forgotten."""
    with MainEngine() as main, pytest.raises(ConfigError, match="call add_adapter first"):
        main.subscribe(REQUEST, "LOCAL")


@pytest.mark.parametrize("symbol", ["x", "X", "X.LOCAL"])
def test_health_takes_every_form_of_a_symbol(main: MainEngine, symbol: str) -> None:
    """The adapter is asked for what holds now."""
    found = main.health(symbol)
    assert found is not None
    assert found.state is Health.LIVE


def test_the_adapter_has_the_last_word_on_health(main: MainEngine) -> None:
    """Where it serves the venue and has nothing subscribed there is no health, whatever was told before."""
    main.event_engine.put(Event(EVENT_HEALTH, health("Y", Health.LIVE)))
    wait_until(lambda: main.oms.get_health("Y.LOCAL") is not None)
    assert main.health("Y.LOCAL") is None
    assert main.get_contract("Y.LOCAL") is None


def test_health_falls_back_to_what_was_last_told() -> None:
    """Where no adapter serves the venue, the last event counts."""
    with MainEngine() as main:
        main.event_engine.put(Event(EVENT_HEALTH, health("Y", Health.BLIND)))
        wait_until(lambda: main.health("Y.LOCAL") is not None)
        assert main.health("Z.LOCAL") is None


def test_one_of_two_adapters_of_a_venue_knows_a_symbol(main: MainEngine) -> None:
    """The first that has it subscribed answers."""
    main.add_adapter(EmptyAdapter, "EMPTY")
    main.add_adapter(OtherAdapter)
    assert main.health("X.BINANCE") is None
    with MainEngine() as second:
        second.add_adapter(EmptyAdapter, "EMPTY")
        second.add_adapter(LocalAdapter, "LOCAL")
        assert second.health("X.LOCAL") is not None


def test_a_symbol_without_its_venue_is_refused_where_several_are_served(main: MainEngine) -> None:
    """The error shows how to write it."""
    main.add_adapter(OtherAdapter)
    with pytest.raises(ValueError, match=r"write BTCUSDT\.LOCAL"):
        main.get_tick("BTC/USDT")
    assert main.to_vt_symbol("BTC/USDT.BINANCE") == "BTCUSDT.BINANCE"


def test_a_log_is_written_for_a_person(main: MainEngine) -> None:
    """The engine's own logs arrive like those of adapters."""
    got: list[LogData] = []
    main.event_engine.register(EVENT_LOG, lambda event: got.append(event.data))
    main.write_log("hello")
    wait_until(lambda: len(got) == 1)
    assert (got[0].msg, got[0].level) == ("hello", 20)


CALLS: list[Callable[[MainEngine], object]] = [
    lambda main: main.connect({}, "LOCAL"),
    lambda main: main.subscribe(REQUEST, "LOCAL"),
    lambda main: main.unsubscribe(REQUEST, "LOCAL"),
    lambda main: main.send_order(ORDER, "LOCAL"),
    lambda main: main.cancel_order(CANCEL, "LOCAL"),
    lambda main: main.query_history(HISTORY, "LOCAL"),
    lambda main: main.add_adapter(OtherAdapter),
]


@pytest.mark.parametrize("call", CALLS)
def test_after_the_close_calls_are_refused(main: MainEngine, call: Callable[[MainEngine], object]) -> None:
    """A closed engine says so."""
    main.close()
    with pytest.raises(Closed, match="make a new one"):
        call(main)


def test_close_handles_what_waits(main: MainEngine) -> None:
    """What an adapter told before or while it closed is still handled; a second close changes nothing."""
    main.connect({}, "LOCAL")
    main.subscribe(REQUEST, "LOCAL")
    main.close()
    main.close()
    assert main.get_tick("X.LOCAL") is not None
    adapter = main.get_adapter("LOCAL")
    assert isinstance(adapter, LocalAdapter)
    assert adapter.asked == [{}, "close"]


def test_an_adapter_that_fails_to_close_keeps_no_other_from_it(main: MainEngine, caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged with the adapter's name, the rest is closed."""
    main.add_adapter(FailingAdapter, "FAILING")
    main.close()
    adapter = main.get_adapter("LOCAL")
    assert isinstance(adapter, LocalAdapter)
    assert adapter.asked == ["close"]
    assert "adapter_failed_in_close: FAILING" in caplog.text


@pytest.mark.parametrize("is_event_thread_stuck", [False, True])
def test_close_ends_whatever_hangs(
    is_event_thread_stuck: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter that never returns and a handler that never returns are named, and close comes back."""
    go_on = threading.Event()
    main = MainEngine(close_seconds=0.3)
    main.add_adapter(HangingAdapter, "HANGING")
    if is_event_thread_stuck:
        main.event_engine.register("eStick", lambda _event: go_on.wait(30))
        main.event_engine.put(Event("eStick"))
        wait_until(lambda: main.event_engine.stats().handled == 1)
    main.close()
    go_on.set()
    assert "adapter_hangs_in_close: HANGING" in caplog.text
    assert ("handler_never_returned" in caplog.text) is is_event_thread_stuck


def test_a_handler_may_close(main: MainEngine) -> None:
    """Close in a handler closes the adapters and ends the event thread after the handler."""
    closed = threading.Event()

    def close(_event: Event) -> None:
        main.close()
        closed.set()

    main.event_engine.register("eClose", close)
    main.event_engine.put(Event("eClose"))
    assert closed.wait(10)
    adapter = main.get_adapter("LOCAL")
    assert isinstance(adapter, LocalAdapter)
    assert adapter.asked == ["close"]


def test_a_handler_that_closes_while_another_thread_closes_does_not_lock_up(main: MainEngine) -> None:
    """The second close, in a handler, returns at once; the first one ends."""
    main.event_engine.register("eClose", lambda _event: main.close())
    for _ in range(3):
        main.event_engine.put(Event("eClose"))
    closers = [threading.Thread(target=main.close) for _ in range(3)]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(10)
    wait_until(lambda: main.event_engine.stats().handled >= 3)
