"""Rows of the catalogue that lie on our own side, or in REST."""

import http.client
import json
import os
import resource
import threading
import time
from typing import Final

from typing_extensions import override

from foxtrot.core.event import Event
from foxtrot.core.event_queue import QueueLimits
from foxtrot.sandbox.stolen_time import most_stolen, stolen_ms
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Direction, Exchange, Health
from foxtrot.util.event_type import EVENT_ORDER
from foxtrot.util.object import MarketData, OrderData
from foxtrot.util.system_clock import SystemClock
from tests.chaos.measure import quantile
from tests.chaos.rows_connection import hits
from tests.chaos.scenario import Scenario
from tests.chaos.stage import Setup, Stage
from tests.support.chaos_proxy import DOWN, UP, Toxics

_HANDLER: Final = 0.010
_MORE: Final = 0.005
_STALL: Final = 0.050
_PROBE: Final = 0.010
_POLLED: Final = "SOLUSDT"
_REST_FAULTY = Setup(tops="stream", pins={_POLLED: "polling"}, watched=("BTCUSDT", _POLLED), is_rest_true=False)


class _SlowConsumer:
    """A handler that takes 10 ms over every market event, until told otherwise; and when it was given orders."""

    def __init__(self) -> None:
        self.is_slow = True
        self.longest = 0.0
        self.orders: dict[str, float] = {}
        self._pause = threading.Event()

    def take(self, event: Event) -> None:
        """One event."""
        if event.type == EVENT_ORDER:
            self.orders[event.data.orderid] = time.monotonic()
        elif self.is_slow and isinstance(event.data, MarketData):
            begun = time.monotonic()
            self._pause.wait(_HANDLER)
            self.longest = max(self.longest, time.monotonic() - begun)


class _StallProbe:
    """A task on the loop that asks for its turn every 10 ms: the longest it waited, in all and on a machine that ran.

    ``longest_running`` leaves out what the host of a virtual machine took from one processor meanwhile. ``longest_own`` is what
    the whole process computed (its loop, its handlers, whoever held the interpreter).
    """

    def __init__(self) -> None:
        self.longest = self.longest_own = self.longest_running = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        clock = SystemClock()
        while True:
            begun, spent, stolen = time.monotonic(), time.process_time(), stolen_ms()
            await clock.sleep(_PROBE)
            late = time.monotonic() - begun - _PROBE
            self.longest = max(self.longest, late)
            self.longest_running = max(self.longest_running, late - most_stolen(stolen, stolen_ms()) / 1e3)
            self.longest_own = max(self.longest_own, min(late, time.process_time() - spent))


def _slow_consumer(stage: Stage) -> None:
    """Queue limits are a tenth of the usual ones, so that both of them are crossed within half a minute."""
    stage.may_fall([])
    stage.mark()
    consumer = _SlowConsumer()
    probe = _StallProbe()
    probing = stage.adapter._loop_thread.submit(probe.run())
    stage.engine.event_engine.register_general(consumer.take)
    put: dict[str, float] = {}
    engine = stage.engine.event_engine
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        name = str(len(put))
        put[name] = time.monotonic()
        engine.put(Event(EVENT_ORDER, OrderData("BTCUSDT", Exchange.BINANCE, "BINANCE", name, Direction.LONG)))
        stage.stay(0.1)
    probing.cancel()
    stats = engine.stats()
    consumer.is_slow = False
    stage.wait(lambda: len(consumer.orders) == len(put), "every order event", 30)
    waits = [consumer.orders[name] - at for name, at in put.items()]
    stage.outcome.detected.extend(waits)
    p50_ms, p99_ms = (quantile(waits, share) * 1e3 for share in (0.5, 0.99))
    stage.note(f"orders p50 {p50_ms:.1f} ms p99 {p99_ms:.1f} ms")
    running_ms, own_ms = probe.longest_running * 1e3, probe.longest_own * 1e3
    stage.note(f"loop {probe.longest * 1e3:.0f} ms, {running_ms:.0f} while the machine ran, own {own_ms:.0f}")
    stage.note(f"{stats.conflated} ticks conflated, {stats.holds} holds")
    if p99_ms / 1e3 > consumer.longest + _MORE:
        stage.problem(f"an order event waited {p99_ms:.1f} ms, the longest handler took {consumer.longest * 1e3:.1f}")
    if max(probe.longest_own, probe.longest_running) > _STALL:
        stage.problem(f"the loop stalled for {running_ms:.0f} ms while the machine ran, {own_ms:.0f} of them our own")
    if not stats.conflated or not stats.holds:
        stage.problem("the queue was never under pressure")


class SkewedClock(SystemClock):
    """A machine whose wall clock is wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._skew_ns = int(seconds * NS_PER_S)

    @override
    def now_ns(self) -> int:
        """What the wrong clock shows."""
        return super().now_ns() + self._skew_ns


def _unmoved(stage: Stage) -> None:
    """Twelve seconds in which nothing falls and every health stays LIVE."""
    stage.may_fall([])
    stage.mark()
    for _ in range(12):
        stage.stay(1)
        for symbol in stage.setup.symbols:
            if stage.health(symbol) is not Health.LIVE:
                stage.note(f"{symbol} was {stage.health(symbol)}")


def _clock_jump(stage: Stage) -> None:
    """/time is a minute ahead all at once (the exchange's events keep their time)."""
    stage.box.chaos("wrong-clock", ms=60_000)
    _unmoved(stage)


def _banned(stage: Stage) -> None:
    """418 for 8 s: streams go on; the polled symbol turns BLIND and says so; nobody asks before the ban is over."""
    stage.may_fall([])
    stage.strike("rest-418", retry_after=8)
    stage.expect_health([_POLLED], (Health.BLIND,), 15)
    stage.wait(lambda: time.monotonic() > stage.struck + 7.5, "nearly the whole ban", 10)
    if hits(stage, "rest-418") > 3:
        stage.problem(f"{hits(stage, 'rest-418')} requests into a ban")
    stage.clear()
    stage.wait(lambda: stage.health(_POLLED) is Health.LIVE, f"{_POLLED} live again", 30)


def _all_down(stage: Stage) -> None:
    """Streams and REST cut and refused: BLIND, said so; served again once they are back."""
    stage.may_fall(stage.lanes)
    stage.mark()
    for proxy in stage.proxies.values():
        proxy.refuse()
        proxy.reset()
    stage.expect_health(stage.setup.symbols, (Health.BLIND,), 15)
    stage.stay(2)
    stage.clear()
    for symbol in stage.setup.watched:
        stage.wait(lambda symbol=symbol: stage.health(symbol) not in {Health.BLIND, None}, f"{symbol} seen again", 60)  # type: ignore[misc]  # -- mypy infers no lambda with defaults


def _rest_hole(stage: Stage) -> None:
    """REST alone swallows everything: streams go on, what only polls turns BLIND."""
    stage.may_fall([])
    stage.mark()
    for way in (UP, DOWN):
        stage.proxies["rest"].set(way, Toxics(is_black_hole=True))
    stage.expect_health([_POLLED], (Health.BLIND,), 15)
    stage.clear()
    stage.wait(lambda: stage.health(_POLLED) is Health.LIVE, f"{_POLLED} live again", 60)


def _blocked_loop(stage: Stage) -> None:
    """The loop stands for 6 s: whoever asks is told within 3 s that nothing is known; no stream is blamed for it."""
    stage.may_fall([])
    stage.mark()
    stage.adapter._loop_thread.call(threading.Event().wait, 6.0)
    for symbol in stage.setup.watched:
        at = stage.wait(lambda symbol=symbol: stage.health(symbol) is Health.BLIND, f"{symbol} blind", 10)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        stage.outcome.detected.append(at - stage.struck)
    for symbol in stage.setup.watched:
        stage.wait(lambda symbol=symbol: stage.health(symbol) is Health.LIVE, f"{symbol} live again", 30)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
    stage.stay(5)


def _no_descriptors(stage: Stage) -> None:
    """No file descriptor is left when the connection ends: told, polled over what is open, and home once there are some."""
    stage.may_fall(stage.lanes)
    control = http.client.HTTPConnection("127.0.0.1", stage.box.port, timeout=5)
    control.connect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        stage.mark()
        control.request("POST", "/sandbox/faults", json.dumps({"fault": "close"}), {"Content-Type": "application/json"})
        control.getresponse().read()
        stage.expect_falls(stage.lanes, 10)
        stage.stay(4)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        control.close()
    stage.await_home(stage.lanes, 60)


def _cached(stage: Stage) -> None:
    """REST repeats its first answers: what polls is marked, what streams is not blamed."""
    stage.may_fall([])
    stage.strike("rest-cached")
    stage.expect_health([_POLLED], (Health.BLIND, Health.SUSPECT), 20)
    stage.stay(4)
    stage.clear()
    stage.wait(lambda: stage.health(_POLLED) is Health.LIVE, f"{_POLLED} live again", 30)


def _clock_ahead() -> SkewedClock:
    return SkewedClock(3_600)


def _clock_behind() -> SkewedClock:
    return SkewedClock(-3_600)


_TENTH = QueueLimits(conflate_above=1_000, hold_above=2_000, resume_below=500)

ROWS = (
    Scenario(
        "7",
        "a consumer that takes 10 ms a message (queue limits a tenth)",
        "an order event put meanwhile is handled",
        _HANDLER + _MORE,
        _slow_consumer,
        Setup(activity=6.0, limits=_TENTH, watched=()),
    ),
    Scenario("19a", "own clock an hour ahead", "-", None, _unmoved, clock=_clock_ahead),
    Scenario(
        "19b",
        "own clock an hour behind",
        "-",
        None,
        _unmoved,
        clock=_clock_behind,
        caveat="a step while it runs: no clock that could step is read",
    ),
    Scenario(
        "20",
        "the exchange's /time jumps by a minute",
        "-",
        None,
        _clock_jump,
        caveat="event times that jump; /time is asked again each 5 min",
    ),
    Scenario("28", "418 with Retry-After 8", "health BLIND of the polled symbol", 4.2, _banned, _REST_FAULTY, stale=2.7),
    Scenario("32a", "everything down", "health BLIND", 3.5, _all_down, Setup(proxied=("rest", "stream")), stale=2.0),
    Scenario(
        "32b",
        "REST alone swallowed",
        "health BLIND of the polled symbol",
        4.2,
        _rest_hole,
        Setup(proxied=("rest",), pins={_POLLED: "polling"}, watched=("BTCUSDT", _POLLED)),
        stale=2.7,
    ),
    Scenario("33", "loop blocked for 6 s", "health, asked, BLIND", 3.5, _blocked_loop, stale=2.0),
    Scenario("34", "no file descriptor left", "fall of every lane", 0.05, _no_descriptors),
    Scenario(
        "35", "REST repeats old answers", "health SUSPECT or BLIND of the polled symbol", 6.0, _cached, _REST_FAULTY, stale=4.5
    ),
)
