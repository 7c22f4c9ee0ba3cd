"""The embedded exchange: one port for REST, streams and its own controls."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web

from foxtrot.sandbox import limits, recording, rest
from foxtrot.sandbox.agent_source import AgentSource
from foxtrot.sandbox.answers import Scene
from foxtrot.sandbox.connection import StreamConnection
from foxtrot.sandbox.control import Control
from foxtrot.sandbox.fanout import Fanout
from foxtrot.sandbox.fault_board import FaultBoard
from foxtrot.sandbox.faults import Side
from foxtrot.sandbox.line_chaos import LineChaos
from foxtrot.sandbox.listings import DEFAULT_COUNT, listings
from foxtrot.sandbox.loop_beat import LoopBeat
from foxtrot.sandbox.market import Market
from foxtrot.sandbox.replay import Replay
from foxtrot.sandbox.replica import Replica
from foxtrot.sandbox.rest_chaos import RestChaos
from foxtrot.sandbox.stolen_time import stolen_ms
from foxtrot.sandbox.stream_chaos import StreamChaos
from foxtrot.sandbox.tape import CAPACITY
from foxtrot.sandbox.venue_clock import VenueClock
from foxtrot.util.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from foxtrot.sandbox.fault_board import Fault
    from foxtrot.sandbox.source import Source
    from foxtrot.util.clock import Clock, ProcessorClock

HOST = "127.0.0.1"

_SHORTEST_PAUSE_S = 0.002
_LOOK_AFTER_S = 0.1
_MAX_CLIENT_FRAME = 65_536
_LONGEST_ADDRESS = 131_072
"""Bytes of a request line: 1,024 streams may stand in one."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How the exchange is set up. ``start_us`` (microseconds since 1970) fixes the market's clock; else it is the machine's.

    Without ``has_past`` nothing has ever been traded when it opens; ``keep`` trades are kept per symbol.
    """

    port: int = 0
    seed: int = 1
    symbols: int = DEFAULT_COUNT
    activity: float = 1.0
    time_scale: float = 1.0
    speed: float = 1.0
    replay: tuple[Path, ...] = ()
    start_us: int | None = None
    has_past: bool = True
    keep: int = CAPACITY


class Exchange:
    """Listens on loopback, plays its market, and holds its clients to the limits."""

    def __init__(self, options: Options, clock: ProcessorClock) -> None:
        self.options = options
        self.clock: Clock = clock
        self.loop_beat = LoopBeat(clock, stolen_ms)
        self.violations = limits.Violations()
        self.limits = limits.Limits(self.violations)
        self.board = FaultBoard(options.seed)
        self.chaos = StreamChaos(self.board, self.later)
        self.line_chaos = LineChaos(self, self.later)
        self.rest_chaos = RestChaos(self.board)
        self.fanout = Fanout(self.chaos)
        self.chaos.fanout = self.fanout
        self.connections: dict[StreamConnection, None] = {}
        self._limit_clock = VenueClock(clock, scale=options.time_scale)
        self.source: Source = self._make_source()
        self.chaos.instruments = self.source.instruments
        self._replicas: dict[str, Replica] = {}
        self.port = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._runner = web.AppRunner(
            self._make_app(), access_log=None, handle_signals=False, shutdown_timeout=0.5, max_line_size=_LONGEST_ADDRESS
        )

    async def start(self) -> None:
        """Opens the port. Raises OSError when it is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.options.port, backlog=512)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._tasks = [
            asyncio.create_task(self.loop_beat.watch(), name="sandbox.loop_beat"),
            asyncio.create_task(self._play(), name="sandbox.play"),
            asyncio.create_task(self._look_after(), name="sandbox.look_after"),
        ]

    async def stop(self) -> None:
        """Ends every connection and the market."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in tuple(self.connections):
            connection.close(1001, "Going away")
        await self._runner.cleanup()

    def limit_us(self) -> int:
        """Now, on the clock that limits are counted on (in a replay, too, it runs at ``time_scale``)."""
        return self._limit_clock.now_us()

    def venue_us(self) -> int:
        """The time that the venue shows."""
        return self.source.now_us()

    def later(self, seconds: float, call: Callable[[], None]) -> object:
        """Calls back after some seconds."""
        return asyncio.get_running_loop().call_later(seconds, call)

    def touched(self, connection: StreamConnection, streams: tuple[str, ...]) -> None:
        """Streams have been subscribed: faults may meet them, and what they belong to may start to roll."""
        if self.board.active():
            for name in streams:
                self.chaos.joined(connection, name, name.partition("@")[0].upper())
            self.line_chaos.joined(connection)
        self.fanout.flush()
        self.source.touch({name.partition("@")[0].upper() for name in streams})

    def command_fault(self, streams: tuple[str, ...]) -> Fault | None:
        """The fault, if any, that strikes a command about these streams."""
        for fault in self.board.active(Side.COMMAND):
            if any(fault.meets(name.partition("@")[0].upper(), name) for name in streams or ("",)) and fault.strikes():
                return fault
        return None

    def scene(self, symbols: Collection[str]) -> Scene:
        """What a request about these symbols (none: all) is answered from."""
        now_us = self.source.now_us()
        claimed_us = now_us + self.rest_chaos.clock_error_us()
        fault = self.rest_chaos.behind(symbols)
        if fault is None or not self._replicas:
            return Scene(self.source.instruments, now_us, claimed_us)
        then_us = now_us - int(fault.params["behind_ms"] * 1_000)
        return Scene({name: each.follow(then_us) for name, each in self._replicas.items()}, then_us, claimed_us)

    def armed(self, fault: Fault) -> None:
        """A fault has been armed: it takes effect. Raises ConfigError for one that this market cannot show."""
        if fault.spec.name == "halt" and self.options.replay:
            self.board.clear(fault.fault_id)
            raise ConfigError("a recording cannot be halted; use mute")
        if fault.spec.is_instant:
            self.line_chaos.strike(fault, self.connections)
        self.faults_changed()

    def faults_changed(self) -> None:
        """Brings everything into the state that the faults in force ask for."""
        self.chaos.refresh()
        self.line_chaos.refresh()
        for symbol, instrument in self.source.instruments.items():
            instrument.is_halted = self.board.named("halt", symbol) is not None
        needs_replicas = any(each.spec.name == "rest-replica" for each in self.board.active(Side.REST))
        if needs_replicas and not self._replicas:
            self._replicas = {name: Replica(each, self.source.now_us) for name, each in self.source.instruments.items()}
        elif not needs_replicas:
            for replica in self._replicas.values():
                replica.let_go()
            self._replicas = {}
        self.fanout.flush()

    def describe(self) -> dict[str, object]:
        """What the exchange does now, for ``/sandbox/status``."""
        return {
            **self.source.describe(),
            "time_us": self.source.now_us(),
            "time_scale": self.options.time_scale,
            "connections": len(self.connections),
            "subscriptions": sum(len(each.streams) for each in self.connections),
            "frames_sent": self.fanout.sent,
            "longest_stall_ms": round(self.loop_beat.longest_stall_ms, 1),
            "longest_own_stall_ms": round(self.loop_beat.longest_own_stall_ms, 1),
            "stolen_ms": self.loop_beat.stolen_ms,
            "violations": sum(self.violations.counts.values()),
        }

    def _make_source(self) -> Source:
        options = self.options
        if options.replay:
            return Replay(recording.load(options.replay), self.fanout, self.clock, options.speed)
        clock = VenueClock(self.clock, options.start_us, options.time_scale)
        market = Market(
            listings(options.symbols),
            options.seed,
            clock.start_us,
            self.fanout,
            options.activity,
            has_past=options.has_past,
            keep=options.keep,
        )
        return AgentSource(market, clock, options.seed)

    def _make_app(self) -> web.Application:
        app = web.Application(client_max_size=65_536)
        answers = rest.RestSide(self)
        app.router.add_get("/ws", self._raw)
        app.router.add_get("/ws/{streams:.*}", self._raw)
        app.router.add_get("/stream", self._combined)
        Control(self).add_to(app.router)
        app.router.add_route("*", "/{path:.*}", answers.handle)
        return app

    async def _raw(self, request: web.Request) -> web.StreamResponse:
        names = unquote(request.match_info.get("streams", ""))
        return await self._open(request, names, is_combined=False)

    async def _combined(self, request: web.Request) -> web.StreamResponse:
        return await self._open(request, _streams_asked(request), is_combined=True)

    async def _open(self, request: web.Request, names: str, *, is_combined: bool) -> web.StreamResponse:
        address = request.remote or ""
        verdict = self.limits.connect(address, self.limit_us())
        if verdict.status != 200:  # noqa: PLR2004 -- HTTP's OK
            return rest.over_limit(verdict)
        if (spoiled := await self._spoil_upgrade(request)) is not None:
            return spoiled
        ws = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=_MAX_CLIENT_FRAME, timeout=1.0)
        if not ws.can_prepare(request):
            return web.Response(status=400, text="a stream is opened by a WebSocket upgrade")
        await ws.prepare(request)
        transport = request.transport
        if transport is None:
            return ws
        connection = StreamConnection(self, ws, transport, address, is_combined=is_combined)
        connection.is_microsecond = request.query.get("timeUnit", "").upper() == "MICROSECOND"
        self.connections[connection] = None
        try:
            streams = tuple(name for name in names.split("/") if name)
            if connection.subscribe(streams):
                self.touched(connection, streams)
                await connection.serve()
            else:
                connection.close(1008, "Too many streams")
        finally:
            connection.leave_all()
            self.chaos.left(connection)
            self.connections.pop(connection, None)
        return ws

    async def _spoil_upgrade(self, request: web.Request) -> web.Response | None:
        """Holds an upgrade back, or answers it with an error, if a fault says so."""
        names = unquote(request.match_info.get("streams", "")) or _streams_asked(request)
        symbols = {name.partition("@")[0].upper() for name in names.split("/")}
        met = [each for each in self.board.active(Side.UPGRADE) if not each.symbol or each.symbol in symbols]
        struck = next((each for each in met if each.strikes()), None)
        if struck is None:
            return None
        if struck.spec.name == "upgrade-hang":
            while struck in self.board.active(Side.UPGRADE) and request.transport is not None:
                await self.clock.sleep(_LOOK_AFTER_S)
            return web.Response(status=503)
        status = min(599, max(400, int(struck.params["status"])))
        wait = int(struck.params["retry_after"])
        return web.Response(status=status, headers={"Retry-After": str(wait)} if wait else None)

    async def _play(self) -> None:
        while True:
            wait = self._guarded(self.source.advance)
            self.fanout.flush()
            for replica in self._replicas.values():
                replica.note_quote()
            await self.clock.sleep(max(wait, _SHORTEST_PAUSE_S) if wait else 0)

    @staticmethod
    def _guarded(advance: Callable[[], float]) -> float:
        """A frame that the exchange cannot make must not end the exchange: it is told, and the market goes on."""
        try:
            return advance()
        except Exception:  # noqa: BLE001 -- one bad frame of a recording is no reason to end the exchange
            _LOG.exception("sandbox.play_failed")
            return _LOOK_AFTER_S

    async def _look_after(self) -> None:
        pause_s = _LOOK_AFTER_S / max(1.0, self.options.time_scale / 10)
        while True:
            await self.clock.sleep(pause_s)
            if self.board.expire(self.clock.monotonic_ns()):
                self.faults_changed()
            self.line_chaos.flood(pause_s)
            now_us = self.limit_us()
            for connection in tuple(self.connections):
                connection.look_after(now_us)
            self.fanout.flush()


def _streams_asked(request: web.Request) -> str:
    """``streams=`` of the address; a plus sign is a plus sign there, as in ``kline_1d@+08:00``."""
    pairs = (part.partition("=") for part in request.rel_url.raw_query_string.split("&"))
    return next((unquote(value) for name, _, value in pairs if name == "streams"), "")
