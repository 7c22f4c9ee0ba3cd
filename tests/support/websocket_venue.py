"""A WebSocket server on loopback that does as it is told, and dialled connections with all that they brought."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)
from typing_extensions import override

Script = Callable[[WSTransport], None]


class _Peer(WSListener):
    def __init__(self, venue: "WebSocketVenue") -> None:
        self._venue = venue

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self._venue.transports.append(transport)
        self._venue.script(transport)

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind, payload = frame.msg_type, frame.get_payload_as_bytes()
        self._venue.heard.append((kind, payload))
        if kind is WSMsgType.CLOSE:
            transport.disconnect()


class WebSocketVenue:
    """What it does with whoever connects (``script``), and what it heard. ``refusal``: an HTTP status instead of the upgrade."""

    def __init__(self, script: Script | None = None, refusal: int = 0, headers: Mapping[str, str] | None = None) -> None:
        self.script = script or (lambda _transport: None)
        self.refusal = refusal
        self.headers = headers
        self.url = ""
        self.paths: list[str] = []
        self.transports: list[WSTransport] = []
        self.heard: list[tuple[WSMsgType, bytes]] = []

    def answer(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        """Upgrades, or refuses."""
        self.paths.append(request.path.decode())
        if self.refusal:
            return WSUpgradeResponseWithListener(
                WSUpgradeResponse.create_error_response(self.refusal, b"", extra_headers=self.headers), None
            )
        return _Peer(self)


@asynccontextmanager
async def serving(venue: WebSocketVenue) -> AsyncIterator[WebSocketVenue]:
    """The venue at a free port of loopback."""
    server = await ws_create_server(venue.answer, "127.0.0.1", 0, enable_auto_pong=True)
    venue.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    try:
        yield venue
    finally:
        for transport in venue.transports:
            transport.disconnect()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def answering(reply: bytes | None) -> AsyncIterator[int]:
    """A bare TCP port that answers whatever it is asked with these bytes; None: it accepts, and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        if reply is not None:
            writer.write(reply)
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


class SlowVenue:
    """A port that keeps whoever connects waiting for the upgrade until ``upgrade()``; then it sends a frame at once."""

    def __init__(self) -> None:
        self.port = 0
        self.is_asked = asyncio.Event()
        self.is_left = asyncio.Event()
        self._request = b""
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes one connection."""
        self._writer = writer
        self._request = await reader.readuntil(b"\r\n\r\n")
        self.is_asked.set()
        with suppress(ConnectionError):
            await reader.read()
        self.is_left.set()
        writer.close()

    def upgrade(self) -> None:
        """Answers at last, and sends ``late``."""
        assert self._writer is not None
        key = next(line.split(b": ")[1] for line in self._request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self._writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x04late"
        )


@asynccontextmanager
async def hesitating() -> AsyncIterator[SlowVenue]:
    """A slow venue at a free port of loopback."""
    venue = SlowVenue()
    server = await asyncio.start_server(venue.serve, "127.0.0.1", 0)
    venue.port = server.sockets[0].getsockname()[1]
    try:
        yield venue
    finally:
        server.close()
        await server.wait_closed()


class Heard:
    """What one connection brought: frames, and the cause of its end."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.received_ns: list[int] = []
        self.ends: list[str] = []
        self._changed = asyncio.Event()

    def on_frame(self, frame: bytes, received_ns: int) -> None:
        """A frame."""
        self.frames.append(frame)
        self.received_ns.append(received_ns)
        self._changed.set()

    def on_closed(self, cause: str) -> None:
        """The end."""
        self.ends.append(cause)
        self._changed.set()

    async def until(self, condition: Callable[["Heard"], object]) -> None:
        """Waits until the condition holds."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop run until the condition holds."""
    loop = asyncio.get_running_loop()
    while not condition():
        turn = loop.create_future()
        loop.call_later(0.001, turn.set_result, None)
        await turn
