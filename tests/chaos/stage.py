"""One repetition's stage: an exchange, proxies before it where asked for, the whole engine, and what is watched."""

import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from foxtrot.adapter.binance import BinanceAdapter
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.event_queue import QueueLimits
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.server.engine import MainEngine
from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Exchange, Health, LaneState, Serving
from foxtrot.util.object import SubscribeRequest, TickData, TransportData
from tests.chaos.measure import Outcome, first_wrong, unmarked_seconds
from tests.chaos.recorder import Recorder, id_of
from tests.chaos.truth import Asker, RestTops, Sampler, StreamTops, compare
from tests.support.chaos_proxy import ChaosProxy

BUSY: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
QUIET: Final = ("IOTAUSDT", "NULSUSDT")
CHANNELS: Final = ("tick", "trades", "agg_trades")

_SETTLE: Final = 40.0
_WHOLE: Final = 45.0
_LOOK: Final = 0.004
_ENGINE_ADDRESS: Final = "127.0.0.1"


class Setup(msgspec.Struct, frozen=True):
    """What a stage is built of. ``pins``: transport by symbol, streaming where none is said; ``lines`` per lane.

    ``extra``: so many more symbols of the exchange, ticks only. ``tops``: where the truth is looked up, "rest" or "stream".
    ``settles``: every lane is to serve before the fault; ``connects``: the engine is connected before the fault.
    """

    symbols: tuple[str, ...] = BUSY + QUIET
    channels: tuple[str, ...] = CHANNELS
    activity: float = 1.5
    listed: int | None = None
    proxied: tuple[str, ...] = ()
    pins: dict[str, str] = {}
    lines: int = 1
    tops: str = "rest"
    is_rest_true: bool = True
    watched: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")
    setting: dict[str, object] = {}
    settles: bool = True
    connects: bool = True
    extra: int = 0
    limits: QueueLimits | None = None


class NotSeenError(Exception):
    """What was waited for did not come."""


class Stage:
    """What a scenario plays on. Times are monotonic seconds; ``struck`` is when the fault was asked for."""

    def __init__(self, setup: Setup, box: Sandbox, proxies: dict[str, ChaosProxy], folder: Path, clock: Clock | None) -> None:
        self.setup, self.box, self.proxies, self.folder = setup, box, proxies, folder
        self.outcome = Outcome()
        self.seen = Recorder()
        self.struck = 0.0
        self.asker = Asker(box, "127.0.0.9")
        self.engine = MainEngine(EventEngine(clock, limits=setup.limits))
        self.adapter = self.engine.add_adapter(BinanceAdapter, "BINANCE")
        self.engine.event_engine.register_general(self.seen.take)
        self._sampler: Sampler | None = None
        self._touched: set[LaneKey] | None = set()
        self.flags_path = folder / "flags.toml"
        self.set_flags(self._flags())

    # --- before the fault

    def connect(self, **setting: object) -> None:
        """The engine connects, with more settings if need be, and subscribes."""
        self.engine.connect({**self._addresses(), **self.setup.setting, **setting}, "BINANCE")
        for symbol in self.setup.symbols:
            self.subscribe(symbol)
        for symbol in self.extra:
            self.subscribe(symbol, "tick")

    def settle(self) -> None:
        """Every lane serves as the flags decide."""
        wanted = {"streaming": LaneState.STREAMING, "polling": LaneState.POLLING}
        for lane in self.lanes:
            state = wanted[self.setup.pins.get(lane.symbol, "streaming")]
            self.wait(lambda lane=lane, state=state: self.seen.state.get(lane) is state, f"{lane} {state}", _SETTLE)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        for symbol in self.setup.watched:
            self.wait(lambda symbol=symbol: self.seen.last_tick(symbol), f"a tick of {symbol}", _SETTLE)  # type: ignore[misc]  # -- mypy infers no lambda with defaults

    def watch(self) -> None:
        """The exchange is looked at from here on."""
        kind = RestTops if self.setup.tops == "rest" else StreamTops
        tops = kind(self.box, self.setup.watched)
        self._sampler = Sampler(tops, self.setup.watched, self.seen.last_tick, self.health)

    def health(self, symbol: str) -> Health | None:
        """What a consumer who asks is told now."""
        said = self.engine.health(f"{symbol}.BINANCE")
        return said.state if said is not None else None

    @property
    def lanes(self) -> list[LaneKey]:
        """Every lane subscribed at the start."""
        return self.lanes_of(*self.setup.symbols) + [LaneKey(symbol, "tick") for symbol in self.extra]

    @property
    def extra(self) -> list[str]:
        """Symbols beside those named."""
        if not self.setup.extra:
            return []
        names = [row["symbol"] for row in self.asker.get("ticker/price")]
        return [name for name in names if name not in self.setup.symbols][: self.setup.extra]

    def lanes_of(self, *symbols: str, channels: Sequence[str] = ()) -> list[LaneKey]:
        """The lanes of some symbols."""
        return [LaneKey(symbol, channel) for symbol in symbols for channel in (channels or self.setup.channels)]

    def subscribe(self, symbol: str, *channels: str) -> None:
        """One more symbol, or the same ones again."""
        wanted = channels or self.setup.channels
        self.engine.subscribe(SubscribeRequest(symbol=symbol, exchange=Exchange.BINANCE, channels=wanted), "BINANCE")

    def set_flags(self, text: str) -> None:
        """Saves flags.toml as an editor does."""
        beside = self.flags_path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.flags_path)

    # --- the fault

    def may_fall(self, lanes: Sequence[LaneKey] | None) -> None:
        """Lanes that the fault touches; None: any. The trip of another one is false."""
        self._touched = None if lanes is None else set(lanes)

    def strike(self, fault: str, symbol: str | None = None, share: float | None = None, **params: float) -> None:
        """The exchange misbehaves from now on."""
        self.mark()
        self.box.chaos(fault, symbol, None, share, None, **params)

    def mark(self) -> None:
        """The fault begins now."""
        if not self.struck:
            self.struck = time.monotonic()

    def clear(self) -> None:
        """The fault is over."""
        self.box.clear_faults()
        for proxy in self.proxies.values():
            proxy.clear()

    # --- what is waited for

    def wait(self, condition: Callable[[], object], what: str, seconds: float) -> float:
        """Waits for a condition and returns the moment; raises NotSeenError."""
        pause, deadline = threading.Event(), time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise NotSeenError(f"not within {seconds:g} s: {what}")
            pause.wait(_LOOK)
        return time.monotonic()

    def stay(self, seconds: float) -> None:
        """Lets the fault last."""
        threading.Event().wait(seconds)

    def fallen(self, lane: LaneKey) -> tuple[float, TransportData] | None:
        """A lane's first fall since the fault."""
        return next(((at, c) for at, c in self.seen.falls(self.struck) if (c.symbol, c.channel) == lane), None)

    def expect_falls(self, lanes: Sequence[LaneKey], within: float, since: Callable[[str, float], float] | None = None) -> None:
        """Each of these lanes gives its stream up within so many seconds; their times count as detections.

        ``since(symbol, fallen_at)`` is what they are counted from; the fault, if it is not given.
        """
        for lane in lanes:
            self.wait(lambda lane=lane: self.fallen(lane), f"the fall of {lane.symbol} {lane.channel}", within)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            fall = self.fallen(lane)
            assert fall is not None
            begun = since(lane.symbol, fall[0]) if since is not None else self.struck
            self.outcome.detected.append(max(0.0, fall[0] - begun))
            self.note(f"{fall[1].reason}")

    def expect_health(self, symbols: Sequence[str], healths: Sequence[Health], within: float) -> None:
        """Each symbol's health event says one of these within so many seconds; their times count as detections."""
        for symbol in symbols:
            self.wait(
                lambda symbol=symbol: self._said(symbol, healths),  # type: ignore[misc]  # -- mypy infers no lambda with defaults
                f"{symbol} {'/'.join(healths)}",
                within,
            )
            at = self._said(symbol, healths)
            assert at is not None
            self.outcome.detected.append(at - self.struck)

    def expect_polled(self, symbols: Sequence[str], within: float = 10.0) -> None:
        """Polling serves each symbol's tick soon after its fall, by a new value or by confirming the old; the times count."""
        for symbol in symbols:
            fall = self.fallen(LaneKey(symbol, "tick"))
            if fall is None:
                raise NotSeenError(f"{symbol} tick has not fallen")
            self.wait(lambda s=symbol, t=fall[0]: self._polled(s, t), f"a polled tick of {symbol}", within)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            at = self._polled(symbol, fall[0])
            assert at is not None
            self.outcome.to_polled.append(at - fall[0])

    def expect_polled_after(self, symbols: Sequence[str]) -> None:
        """Like :meth:`expect_polled`, once each symbol's tick lane has fallen."""
        for symbol in symbols:
            self.wait(lambda symbol=symbol: self.fallen(LaneKey(symbol, "tick")), f"the fall of {symbol}", 10)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        self.expect_polled(symbols)

    def falls_of(self, lane: LaneKey) -> int:
        """How often a lane gave its stream up since the fault."""
        return sum((c.symbol, c.channel) == lane for _, c in self.seen.falls(self.struck))

    def faults(self) -> list[dict[str, Any]]:
        """The exchange's faults in force, each with its ``hits``."""
        with urllib.request.urlopen(f"{self.box.rest_url}/sandbox/faults", timeout=10) as response:
            active: list[dict[str, Any]] = json.load(response)["active"]
        return active

    def wrong_since(self, symbol: str, fallen_at: float) -> float:
        """When the last delivered price of a symbol had first been wrong."""
        assert self._sampler is not None
        found = first_wrong(list(self._sampler.samples), symbol, self.struck, fallen_at)
        return self.struck if found is None else found

    def await_home(self, lanes: Sequence[LaneKey], seconds: float = _SETTLE) -> None:
        """The lanes stream again."""
        for lane in lanes:
            self.wait(lambda lane=lane: self.seen.state.get(lane) is LaneState.STREAMING, f"{lane} home", seconds)  # type: ignore[misc]  # -- mypy infers no lambda with defaults

    def note(self, text: str) -> None:
        """Something worth a word in the table; once each."""
        if text not in self.outcome.notes:
            self.outcome.notes.append(text)

    def problem(self, text: str) -> None:
        """Something that must not be."""
        self.outcome.problems.append(text)

    # --- after the fault

    def finish(self) -> None:
        """The figures: ids against the tape, prices against the looks, falls against what the fault touched."""
        if self._sampler is not None:
            self.outcome.unmarked = unmarked_seconds(self._sampler.samples, is_rest_true=self.setup.is_rest_true)
            self._sampler.stop()
        since = self.struck or float("inf")
        if self._touched is not None:
            false = [
                (c.symbol, c.channel, c.reason) for _, c in self.seen.falls(since) if (c.symbol, c.channel) not in self._touched
            ]
            self.outcome.false_trips = len(false)
            for symbol, channel, reason in false[:3]:
                self.note(f"false: {symbol} {channel} {reason}")
        self._count_ids()
        mine = [each for each in self.box.violations()["recent"] if each["address"] == _ENGINE_ADDRESS]
        for each in mine[:3]:
            self.problem(f"broke the exchange's limit: {each['kind']} {each['detail']}")

    def close(self) -> None:
        """Everything ends."""
        if self._sampler is not None:
            self._sampler.stop()
        self.asker.close()
        self.engine.close()

    def _count_ids(self) -> None:
        lanes = [lane for lane in self.lanes if lane.channel != "tick" and self.seen.state.get(lane) is not LaneState.CLOSED]
        newest = {lane: self.asker.newest(lane) for lane in lanes}
        deadline = time.monotonic() + _WHOLE
        for lane in lanes:
            while not self._reaches(lane, newest[lane]) and time.monotonic() < deadline:
                self.stay(0.05)
        for lane in lanes:
            found = compare(self.asker, lane, list(self.seen.live[lane]), list(self.seen.backfilled[lane]), newest[lane])
            self.outcome.lost += found.lost
            self.outcome.duplicates += found.twice
            if found.lost:
                self.note(f"lost {found.lost} of {lane.symbol} {lane.channel}")
            if found.out_of_order or found.altered:
                self.problem(f"{lane.symbol} {lane.channel}: {found.out_of_order} out of order, {found.altered} altered")

    def _reaches(self, lane: LaneKey, last: int) -> bool:
        """Whether everything up to ``last`` has come, were it complete."""
        live, late = self.seen.live[lane], self.seen.backfilled[lane]
        if not live and not late:
            return True  # nothing traded since the subscription, or compared as lost later
        ids = {id_of(item) for item in (*live, *late)}
        return max(ids) >= last and len(ids) == max(ids) - min(ids) + 1

    def _polled(self, symbol: str, since: float) -> float | None:
        """When polling served the tick first: with a new value, or by confirming the one that stands."""
        told = next((at for at, tick in reversed_since(self.seen.ticks[symbol], since) if _is_polled(tick)), None)
        times = [at for at in (told, self._confirmed(symbol, since)) if at is not None]
        return min(times, default=None)

    def _confirmed(self, symbol: str, since: float) -> float | None:
        lane = next(status for status in self.adapter.lanes() if status.key == LaneKey(symbol, "tick"))
        at = (lane.confirmed_ns - time.time_ns() + time.monotonic_ns()) / NS_PER_S
        return at if lane.serving is Serving.POLL and at > since else None

    def _said(self, symbol: str, healths: Sequence[Health]) -> float | None:
        return next((at for at, health in self.seen.health_changes(symbol, self.struck) if health in healths), None)

    def _addresses(self) -> dict[str, object]:
        rest, stream = (self.proxies[kind].port if kind in self.proxies else self.box.port for kind in ("rest", "stream"))
        return {
            "environment": "sandbox",
            "flags": str(self.flags_path),
            "state_dir": str(self.folder / "state"),
            "rest_url": f"http://127.0.0.1:{rest}",
            "stream_url": f"ws://127.0.0.1:{stream}",
        }

    def _flags(self) -> str:
        lines = ["schema = 1", "[defaults]", 'transport = "streaming"', f"lines = {self.setup.lines}", "[symbols]"]
        return "\n".join([*lines, *(f'"{symbol}" = "{how}"' for symbol, how in self.setup.pins.items()), "# end of flags", ""])


def reversed_since(ticks: list[tuple[float, TickData]], since: float) -> Iterator[tuple[float, TickData]]:
    """The ticks from a moment on, oldest first, found from the end."""
    start = len(ticks)
    while start and ticks[start - 1][0] >= since:
        start -= 1
    return iter(ticks[start:])


def _is_polled(tick: TickData) -> bool:
    return tick.source == "poll"


@contextmanager
def staged(setup: Setup, seed: int, clock: Clock | None = None) -> Iterator[Stage]:
    """A stage whose lanes all serve; everything it is built of ends with it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        box = stack.enter_context(launch(seed=seed, activity=setup.activity, symbols=setup.listed))
        proxies = {kind: stack.enter_context(ChaosProxy(box.port, seed)) for kind in setup.proxied}
        stage = Stage(setup, box, proxies, folder, clock)
        stack.callback(stage.close)
        if setup.connects:
            stage.connect()
        if setup.settles:
            stage.settle()
            stage.watch()
        yield stage
