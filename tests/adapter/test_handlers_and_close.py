"""Handlers that raise or sleep, and the end of an engine, whatever hangs."""

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foxtrot.core.event import Event
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.constants import LaneState, Reason, Serving
from foxtrot.util.event_type import EVENT_PUBLIC_TRADE, EVENT_TICK
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text

CLOSE_SECONDS = 5.0
CLOSE_SECONDS_OF_AN_ADAPTER = 3.0
SLACK = 1.0  # a busy machine's

# A connection that the venue resets while it is being made: uvloop closes the descriptor and leaves the socket object unmarked.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A lively market."""
    with launch(seed=9, activity=4.0) as sandbox:
        yield sandbox


@pytest.fixture
def run(tmp_path: Path, box: Sandbox) -> Iterator[EngineRun]:
    """BTCUSDT streams."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming"})) as started:
        started.subscribe("BTCUSDT", "tick", "trades")
        eventually(lambda: started.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "streaming")
        yield started
    box.clear_faults()


def close_in_time(run: EngineRun) -> None:
    """Closes; fails when that takes longer than it may."""
    started = time.monotonic()
    run.engine.close()
    assert time.monotonic() - started < CLOSE_SECONDS + SLACK


def foxtrots() -> set[threading.Thread]:
    """The threads that live now."""
    return {thread for thread in threading.enumerate() if thread.is_alive()}


def is_gone(pid: int) -> bool:
    """Whether no process of this id lives, not even as one that nobody waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# handlers


def test_a_handler_that_raises_is_named_and_costs_the_others_nothing(run: EngineRun) -> None:
    """A log with its name; every other handler gets every trade."""

    def clumsy(event: Event) -> None:
        raise KeyError(event.data.trade_id)

    run.engine.event_engine.register(EVENT_PUBLIC_TRADE + "BTCUSDT.BINANCE", clumsy)
    count = len(run.seen.trades["BTCUSDT"])
    eventually(lambda: len(run.seen.trades["BTCUSDT"]) > count + 10, "more trades")
    eventually(lambda: any("clumsy raised KeyError" in log.msg for log in list(run.seen.logs)), "its name in a log")
    run.engine.close()
    ids = [trade.trade_id for trade in run.seen.trades["BTCUSDT"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert run.engine.event_engine.stats().handler_errors >= 10


def test_a_handler_that_sleeps_delays_the_others_and_loses_nothing(run: EngineRun) -> None:
    """The loop goes on meanwhile: what came is delivered afterwards, whole."""
    awake = threading.Event()

    def sleepy(event: Event) -> None:
        awake.wait(20)

    run.engine.event_engine.register(EVENT_TICK, sleepy)
    eventually(lambda: run.engine.event_engine.stats().waiting_market > 20, "a queue behind the sleeper")
    count = len(run.seen.trades["BTCUSDT"])
    awake.set()
    eventually(lambda: len(run.seen.trades["BTCUSDT"]) > count + 10, "all that waited")
    run.engine.close()
    ids = [trade.trade_id for trade in run.seen.trades["BTCUSDT"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert {reason for _, new, reason in run.seen.changes("BTCUSDT", "trades") if new is LaneState.FALLBACK} == set()


def test_a_handler_that_never_returns_is_named_at_a_close_in_time(run: EngineRun, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which one and where it stands."""
    asleep, wake = threading.Event(), threading.Event()

    def everlasting(event: Event) -> None:
        asleep.set()
        wake.wait(30)

    run.engine.event_engine.register(EVENT_TICK, everlasting)
    assert asleep.wait(20)
    with caplog.at_level(logging.ERROR):
        close_in_time(run)
    wake.set()
    assert any("handler_never_returned" in line and "everlasting" in line for line in caplog.messages)


def test_a_hold_in_force_at_connect_is_obeyed(tmp_path: Path, box: Sandbox) -> None:
    """Lanes that must be whole begin on hold; once the handlers have caught up they are whole."""
    run = EngineRun(tmp_path, box, flags_text({"BTCUSDT": "streaming"}))
    wake = threading.Event()
    run.engine.event_engine.register("eStick", lambda _event: wake.wait(30))
    for name in ("eStick", *["eFill"] * 21_000):
        run.engine.event_engine.put(Event(name))
    assert run.engine.event_engine.is_holding
    run.subscribe("BTCUSDT", "trades")
    run.connect()
    eventually(lambda: reason(run) is Reason.CONSUMER_SLOW, "the hold")
    wake.set()
    eventually(lambda: len(run.seen.trades["BTCUSDT"]) > 10, "trades")
    eventually(lambda: reason(run) is not Reason.CONSUMER_SLOW, "the end of the hold")
    run.engine.close()
    ids = [trade.trade_id for trade in run.seen.trades["BTCUSDT"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def reason(run: EngineRun) -> Reason | None:
    """Why BTCUSDT is as healthy as it is."""
    health = run.adapter.health("BTCUSDT")
    return health.reason if health else None


# the end


def test_close_from_a_handler_ends_everything(tmp_path: Path, box: Sandbox) -> None:
    """The handler returns, and the rest follows."""
    before = foxtrots()
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming"})) as run:
        closed = threading.Event()

        def done(event: Event) -> None:
            run.engine.close()
            closed.set()

        run.engine.event_engine.register(EVENT_PUBLIC_TRADE, done)
        run.subscribe("BTCUSDT", "trades")
        assert closed.wait(20)
        eventually(lambda: foxtrots() <= before, "the end of every thread")
        eventually(lambda: run.seen.is_at(LaneState.CLOSED, "BTCUSDT", "trades"), "the closing event")


def test_the_closing_event_is_the_last_of_its_lane(run: EngineRun) -> None:
    """With its reason; after it nothing follows."""
    run.engine.close()
    last = {}
    for _, data in run.seen.events:
        symbol = getattr(data, "symbol", "")
        if symbol:
            last[getattr(data, "channel", "tick" if hasattr(data, "bid_price_1") else "trades")] = data
    assert [(event.new, event.reason) for event in last.values()] == [(LaneState.CLOSED, Reason.CLOSING)] * 2  # type: ignore[attr-defined]  # -- transports


@pytest.mark.parametrize("fault", ["black-hole", "rest-slow", "rest-down"])
def test_close_is_in_time_when_the_venue_hangs(run: EngineRun, box: Sandbox, fault: str) -> None:
    """Sockets that nobody answers are let go; no thread stays."""
    if fault == "rest-slow":
        box.chaos(fault, ms=30_000)
    else:
        box.chaos(fault)
    hub = run.adapter._market._hub
    assert hub is not None
    beats = hub.polling.beats
    eventually(lambda: hub.polling.beats > beats, "the fault has met something")
    close_in_time(run)
    box.clear_faults()


def test_close_is_in_time_when_nobody_answers_from_the_start(tmp_path: Path) -> None:
    """A port that accepts and says nothing."""
    before = foxtrots()
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        port = dumb.getsockname()[1]
        addresses = {"rest_url": f"http://127.0.0.1:{port}", "stream_url": f"ws://127.0.0.1:{port}"}
        run = EngineRun(tmp_path, None, flags_text({}), **addresses)
        run.subscribe("BTCUSDT", "tick")
        run.connect()
        eventually(lambda: run.adapter.endpoints, "it tries")
        peer, _ = dumb.accept()
        close_in_time(run)
        peer.close()
    eventually(lambda: foxtrots() <= before, "the end of every thread")


def test_the_embedded_exchange_ends_with_the_engine(tmp_path: Path) -> None:
    """Its process is gone when close returns, and so is every thread soon."""
    before = foxtrots()
    with engine_run(tmp_path, None, flags_text({"BTCUSDT": "streaming"})) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
        connection = run.adapter._connection
        assert connection is not None
        assert connection.sandbox is not None
        pid = connection.sandbox.pid
        close_in_time(run)
        assert is_gone(pid)
    eventually(lambda: foxtrots() <= before, "the end of every thread")


def test_a_frozen_embedded_exchange_ends_too(tmp_path: Path) -> None:
    """It answers nothing, not even the request to end: it is killed."""
    with engine_run(tmp_path, None, flags_text({"BTCUSDT": "streaming"})) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick"), "streaming")
        connection = run.adapter._connection
        assert connection is not None
        assert connection.sandbox is not None
        pid = connection.sandbox.pid
        os.kill(pid, signal.SIGSTOP)
        close_in_time(run)
        eventually(lambda: is_gone(pid), "its end", 5)


def test_close_shares_one_deadline_when_everything_hangs(tmp_path: Path) -> None:
    """The loop and the embedded exchange, both frozen: 3 s in all, as documented."""
    with engine_run(tmp_path, None, flags_text({})) as run:
        eventually(lambda: run.adapter.endpoints, "the addresses")
        connection = run.adapter._connection
        assert connection is not None
        assert connection.sandbox is not None
        is_stuck, wake = threading.Event(), threading.Event()
        run.adapter._loop_thread.call(is_stuck.set)
        run.adapter._loop_thread.call(wake.wait, 30)
        assert is_stuck.wait(20)
        os.kill(connection.sandbox.pid, signal.SIGSTOP)
        started = time.monotonic()
        run.adapter.close()
        took = time.monotonic() - started
        wake.set()
    assert took < CLOSE_SECONDS_OF_AN_ADAPTER + SLACK / 2
    eventually(lambda: not run.adapter._loop_thread._thread.is_alive(), "the end of the loop")


def test_close_before_the_connection_stands_tells_of_every_lane(tmp_path: Path) -> None:
    """Connecting to a port that says nothing: a closing event for each."""
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        port = dumb.getsockname()[1]
        addresses = {"rest_url": f"http://127.0.0.1:{port}", "stream_url": f"ws://127.0.0.1:{port}"}
        run = EngineRun(tmp_path, None, flags_text({}), **addresses)
        run.subscribe("BTCUSDT", "tick", "trades")
        run.connect()
        run.subscribe("ETHUSDT", "tick")
        eventually(lambda: run.adapter.endpoints, "it tries")
        run.engine.close()
    closing = [(LaneState.POLLING, LaneState.CLOSED, Reason.CLOSING)]
    assert [run.seen.changes(*lane) for lane in (("BTCUSDT", "tick"), ("BTCUSDT", "trades"), ("ETHUSDT", "tick"))] == [
        closing
    ] * 3


def test_close_without_connect_tells_of_every_lane(tmp_path: Path, box: Sandbox) -> None:
    """What was subscribed ends, though nothing was ever opened."""
    run = EngineRun(tmp_path, box, flags_text({}))
    run.subscribe("BTCUSDT", "tick")
    run.engine.close()
    assert run.seen.changes("BTCUSDT", "tick") == [(LaneState.POLLING, LaneState.CLOSED, Reason.CLOSING)]
    assert run.seen.serving("BTCUSDT", "tick") is Serving.NONE


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed in /proc, which this system lacks")
def test_an_exchange_that_is_still_starting_ends_too(tmp_path: Path) -> None:
    """Closed at once after connect: no child stays behind."""
    before = _children()
    run = EngineRun(tmp_path, None, flags_text({}))
    run.connect()
    eventually(lambda: _children() > before, "the child")
    close_in_time(run)
    eventually(lambda: _children() <= before, "its end", 10)


def _children() -> set[str]:
    """Ids of this process's children, whichever thread started them."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found.update((task / "children").read_text().split())
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_close_before_connect_and_twice(tmp_path: Path, box: Sandbox, times: int) -> None:
    """Nothing to end is no error."""
    before = foxtrots()
    run = EngineRun(tmp_path, box, flags_text({}))
    for _ in range(times):
        close_in_time(run)
    run.adapter.close()
    eventually(lambda: foxtrots() <= before, "the end of every thread")


def test_close_from_many_threads(run: EngineRun) -> None:
    """Each returns, once everything has ended."""
    closers = [threading.Thread(target=run.engine.close) for _ in range(8)]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(CLOSE_SECONDS + SLACK)
    assert not any(closer.is_alive() for closer in closers)
    assert run.seen.is_at(LaneState.CLOSED, "BTCUSDT", "tick", "trades")


AT_ONCE: list[Callable[[EngineRun], object]] = [
    lambda run: None,
    lambda run: run.subscribe("BTCUSDT", "tick"),
    lambda run: eventually(lambda: run.adapter.endpoints, "the addresses"),
    lambda run: eventually(lambda: run.engine.get_contract("BTCUSDT"), "the market list"),
]


@pytest.mark.parametrize("meanwhile", AT_ONCE)
def test_close_while_connecting(
    tmp_path: Path, box: Sandbox, meanwhile: Callable[[EngineRun], object], caplog: pytest.LogCaptureFixture
) -> None:
    """At any moment: in time, without a traceback, without a thread left."""
    before = foxtrots()
    with caplog.at_level(logging.DEBUG), engine_run(tmp_path, box, flags_text({})) as run:
        meanwhile(run)
        close_in_time(run)
    eventually(lambda: foxtrots() <= before, "the end of every thread")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not [log.msg for log in run.seen.logs if log.level >= logging.ERROR]
