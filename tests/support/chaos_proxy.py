"""A TCP proxy on loopback that spoils what passes: per direction, seeded, switched while it runs."""

import asyncio
import dataclasses
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from foxtrot.core.loop_thread import LoopThread
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.system_clock import SystemClock

HOST: Final = "127.0.0.1"
UP, DOWN = "up", "down"
"""From client to server, and from server to client."""

_CHUNK: Final = 65_536
_WAITING: Final = 1_024
"""Chunks under way in one direction; then the proxy stops reading, as a full pipe does."""

_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclasses.dataclass(frozen=True)
class Toxics:
    """What happens to the bytes of one direction. Times are seconds, ``bandwidth`` is bytes a second; 0: not at all.

    ``slice``: pieces of 1 to so many bytes, each in a write of its own, ``slice_pause`` apart. ``is_black_hole``: bytes are
    swallowed (once it ends, connections that lost some are reset: their stream has a hole). ``limit``: after so many bytes of
    a connection it is closed.
    """

    latency: float = 0.0
    jitter: float = 0.0
    slice: int = 0
    slice_pause: float = 0.0
    bandwidth: float = 0.0
    is_black_hole: bool = False
    limit: int = 0


class _Line:
    """One connection through the proxy: two sockets, two directions."""

    def __init__(self, client: _Way, server: _Way, rng: random.Random) -> None:
        self.client, self.server, self.rng = client, server, rng
        self.has_lost = False
        self.ended: set[str] = set()

    def reset(self) -> None:
        """Ends both sides with RST."""
        for _, writer in (self.client, self.server):
            _reset(writer)

    def close(self) -> None:
        """Ends both sides with FIN."""
        for _, writer in (self.client, self.server):
            writer.close()


class ChaosProxy:
    """Listens on a free port and carries each connection to ``target_port``, in a thread of its own. Use as a context manager.

    Every method may be called from any thread and returns once it has taken effect.
    """

    def __init__(self, target_port: int, seed: int = 1) -> None:
        self._target_port = target_port
        self._rng = random.Random(seed)
        self._clock = SystemClock()
        self._thread = LoopThread("chaos proxy", self._clock)
        self._toxics = {UP: Toxics(), DOWN: Toxics()}
        self._lines: dict[_Line, None] = {}
        self._is_refusing = False
        self._server: asyncio.Server | None = None
        self.accepted = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._thread.submit(self._listen()).result(5)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run(self._stop)
        self._thread.stop()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._lines)

    def set(self, direction: str, toxics: Toxics | None = None) -> None:
        """Puts toxics in force in a direction, for open connections and new ones; None: none."""
        self._run(lambda: self._set(direction, toxics or Toxics()))

    def clear(self) -> None:
        """Ends every toxic and lets new connections in."""
        for direction in (UP, DOWN):
            self.set(direction)
        self.refuse(is_on=False)

    def refuse(self, *, is_on: bool = True) -> None:
        """New connections are reset at once."""
        self._is_refusing = is_on

    def reset(self, most: int | None = None) -> None:
        """Resets open connections (RST): every one, or so many of the oldest."""
        self._run(lambda: self._reset_oldest(most))

    def half_close(self, direction: str) -> None:
        """Ends one direction of every open connection (FIN); the other stays open."""
        self._run(lambda: self._end_all(direction))

    # --- on the proxy's loop

    def _run(self, act: Callable[[], object]) -> None:
        async def on_loop() -> None:
            act()

        self._thread.submit(on_loop()).result(5)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in tuple(self._lines):
            line.close()

    def _set(self, direction: str, toxics: Toxics) -> None:
        was = self._toxics[direction]
        self._toxics[direction] = toxics
        if was.is_black_hole and not toxics.is_black_hole:
            for line in tuple(self._lines):
                if line.has_lost:
                    line.reset()

    def _reset_oldest(self, most: int | None) -> None:
        for line in tuple(self._lines)[:most]:
            line.reset()

    def _end_all(self, direction: str) -> None:
        for line in tuple(self._lines):
            line.ended.add(direction)
            _end(self._target(line, direction))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._is_refusing:
            _reset(writer)
            return
        try:
            server = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            _reset(writer)
            return
        line = _Line((reader, writer), server, random.Random(self._rng.random()))
        self._lines[line] = None
        try:
            await asyncio.gather(self._carry(line, UP), self._carry(line, DOWN))
        finally:
            line.close()
            del self._lines[line]

    async def _carry(self, line: _Line, direction: str) -> None:
        """One direction: what is read waits for its time in a queue, so that latency delays and does not throttle."""
        queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(_WAITING)
        reading = asyncio.create_task(self._read(line, direction, queue), name=f"proxy {direction}")
        try:
            with suppress(OSError, RuntimeError):  # uvloop raises the latter for a transport that was reset meanwhile
                await self._write(line, direction, queue)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, line: _Line, direction: str, queue: asyncio.Queue[tuple[int, bytes]]) -> None:
        reader = (line.client if direction == UP else line.server)[0]
        data = b"-"
        while data:
            try:
                data = await reader.read(_CHUNK)
            except OSError:
                data = b""
            toxics = self._toxics[direction]
            delay = toxics.latency + line.rng.uniform(0, toxics.jitter)
            await queue.put((self._clock.monotonic_ns() + int(delay * NS_PER_S), data))

    async def _write(self, line: _Line, direction: str, queue: asyncio.Queue[tuple[int, bytes]]) -> None:
        writer, sent = self._target(line, direction), 0
        while True:
            due_ns, data = await queue.get()
            await self._pause((due_ns - self._clock.monotonic_ns()) / NS_PER_S)
            if not data:
                _end(writer)
                return
            for piece in self._pieces(line, direction, data):
                toxics = self._toxics[direction]
                await self._pause((len(piece) / toxics.bandwidth if toxics.bandwidth else 0.0) + toxics.slice_pause)
                if toxics.is_black_hole or direction in line.ended:
                    line.has_lost = True
                    continue
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
                if toxics.limit and sent >= toxics.limit:
                    line.close()
                    return

    def _pieces(self, line: _Line, direction: str, data: bytes) -> Iterator[bytes]:
        start = 0
        while start < len(data):
            toxics = self._toxics[direction]
            size = line.rng.randint(1, toxics.slice) if toxics.slice else len(data)
            if toxics.limit:
                size = min(size, toxics.limit)
            if toxics.bandwidth:
                size = min(size, max(1, int(toxics.bandwidth / 20)))
            yield data[start : start + size]
            start += size

    def _pause(self, seconds: float) -> Awaitable[None]:
        return self._clock.sleep(seconds) if seconds > 0 else _nothing()

    def _target(self, line: _Line, direction: str) -> asyncio.StreamWriter:
        return (line.server if direction == UP else line.client)[1]


async def _nothing() -> None:
    """No pause."""


def _end(writer: asyncio.StreamWriter) -> None:
    """Sends FIN and keeps reading."""
    with suppress(OSError, RuntimeError):
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the socket with an RST: whoever reads it gets "connection reset by peer"."""
    held = writer.get_extra_info("socket")
    if held is not None and not writer.is_closing():
        with suppress(OSError):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
