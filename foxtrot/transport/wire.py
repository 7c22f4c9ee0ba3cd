"""One WebSocket: dial, frames, close. Alone imports picows."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)
from typing_extensions import override

from foxtrot.transport.base import StreamHandler
from foxtrot.transport.dial_socket import DialSocket
from foxtrot.util import retry_after
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.errors import Banned, Denied, RateLimited, Unavailable

MAX_FRAME: Final = 1024 * 1024
"""Bytes in one message, SE-6. A larger one ends the connection (1009)."""

DIAL_TIMEOUT: Final = 10.0
PING_IDLE: Final = 15.0
PONG_TIMEOUT: Final = 10.0

PONG_PAUSE_NS: Final = NS_PER_S
"""A pong a second is plenty for a venue that pings every 20 s; a flood of pings must not run us into its message limit."""

_TEXT, _CONTINUATION, _BINARY = WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.BINARY
_PING, _CLOSE = WSMsgType.PING, WSMsgType.CLOSE


class WireStats:
    """Counts over all connections of a dialler."""

    __slots__ = ("binary", "oversize", "pings_let_go")

    def __init__(self) -> None:
        self.binary = 0
        self.oversize = 0
        self.pings_let_go = 0


class _Socket(WSListener):
    """Carries frames of one socket to the callbacks."""

    def __init__(
        self,
        clock: Clock,
        on_frame: StreamHandler,
        on_closed: Callable[[str], None],
        stats: WireStats,
        endings: "set[asyncio.Future[None]]",
    ) -> None:
        self._now = clock.now_ns
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._stats = stats
        self._endings = endings
        self._parts: list[bytes] = []
        self._size = 0
        self._read_ns = 0
        self._pong_after_ns = 0
        self._cause = "connection lost"
        self._is_abandoned = False

    def abandon(self) -> None:
        """The dial was given up: should the upgrade still complete, the connection is closed unheard."""
        self._is_abandoned = True

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        if self._is_abandoned:
            self._on_frame, self._on_closed = _ignore_frame, _ignore_end
            transport.disconnect()

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        # Frames of one read have arrived together: the clock is read once for all of them.
        received_ns = self._read_ns or self._now()
        self._read_ns = 0 if frame.last_in_buffer else received_ns
        if kind is _TEXT and frame.fin and frame.payload_size <= MAX_FRAME:  # the parser complains, and hands it on all the same
            self._on_frame(frame.get_payload_as_bytes(), received_ns)
        elif kind is _TEXT or kind is _CONTINUATION:
            self._join(transport, frame, received_ns)
        elif kind is _PING:
            self._pong(transport, frame, received_ns)
        elif kind is _CLOSE:
            self._cause = f"closed by the venue: {frame.get_close_code().value} {frame.get_close_reason() or ''}".strip()
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif kind is _BINARY:
            self._stats.binary += 1

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        closing = transport.close_handshake
        if closing is not None and closing.sent is not None and not closing.recv_then_sent:
            self._stats.oversize += closing.sent.code is WSCloseCode.MESSAGE_TOO_BIG
            self._cause = f"closed by us: {closing.sent.code.value} {closing.sent.reason or ''}".strip()
        # The parser's complaint waits in a future that somebody has to look at; the cause above says the same.
        ending = asyncio.ensure_future(transport.wait_disconnected())
        self._endings.add(ending)
        ending.add_done_callback(self._forget)
        self._on_closed(self._cause)

    def _forget(self, ending: "asyncio.Future[None]") -> None:
        self._endings.discard(ending)
        if not ending.cancelled():
            ending.exception()

    def _pong(self, transport: WSTransport, frame: WSFrame, received_ns: int) -> None:
        if received_ns < self._pong_after_ns:
            self._stats.pings_let_go += 1
            return
        self._pong_after_ns = received_ns + PONG_PAUSE_NS
        transport.send_pong(frame.get_payload_as_bytes())

    def _join(self, transport: WSTransport, frame: WSFrame, received_ns: int) -> None:
        self._size += frame.payload_size
        if self._size > MAX_FRAME:
            transport.send_close(WSCloseCode.MESSAGE_TOO_BIG, f"message over {MAX_FRAME} bytes".encode())
            transport.disconnect()
            return
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            payload = b"".join(self._parts)
            self._parts, self._size = [], 0
            self._on_frame(payload, received_ns)


class _Wire:
    """An open socket."""

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def send(self, message: bytes) -> None:
        """Queues a text frame; after the end it is let go."""
        if not self._transport.is_disconnected:
            self._transport.send(_TEXT, message)

    def close(self) -> None:
        """Says goodbye and ends the connection."""
        if not self._transport.is_disconnected:
            self._transport.send_close()
            self._transport.disconnect()


class WireDialler:
    """Opens WebSockets, through a proxy and with an own certificate authority where the setting names them."""

    def __init__(
        self,
        clock: Clock,
        *,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = DIAL_TIMEOUT,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._proxy = proxy
        self._is_socks = proxy is not None and proxy.startswith("socks")  # these connect a socket of their own
        self._ssl = ssl_context
        self._endings: set[asyncio.Future[None]] = set()
        self.stats: Final = WireStats()

    async def dial(self, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> _Wire:
        """Connects within ``timeout`` seconds. Raises Unavailable, RateLimited, Banned or Denied."""
        socket = _Socket(self._clock, on_frame, on_closed, self.stats, self._endings)
        connecting = DialSocket(self._clock)
        try:
            async with asyncio.timeout(self._timeout):
                transport, _ = await ws_connect(
                    lambda: socket,
                    url,
                    ssl_context=self._ssl,
                    websocket_handshake_timeout=self._timeout,
                    # Should all else be blind, our own ping finds a half-open connection within 25 s.
                    enable_auto_pong=False,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=PING_IDLE,
                    auto_ping_reply_timeout=PONG_TIMEOUT,
                    auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
                    max_frame_size=MAX_FRAME,
                    max_redirects=0,
                    proxy=self._proxy,
                    socket_factory=None if self._is_socks else connecting.connect,
                )
        except asyncio.CancelledError:
            socket.abandon()  # picows goes on with a handshake that nobody awaits
            await connecting.give_up()
            raise
        except WSHandshakeError as error:
            raise _refusal(error) from error
        except TimeoutError as error:
            socket.abandon()
            await connecting.give_up()
            raise Unavailable(f"no WebSocket within {self._timeout:g} s") from error
        except Exception as error:  # sockets, TLS, the parser and proxies each have errors of their own
            raise Unavailable(f"no WebSocket: {type(error).__name__}: {error}") from error
        if transport.response is None:  # picows returns a dead transport where the other side closed before it answered
            raise Unavailable("the WebSocket upgrade was not answered")
        return _Wire(transport)


def _ignore_frame(_frame: bytes, _received_ns: int) -> None:
    """Of a connection that nobody waits for."""


def _ignore_end(_cause: str) -> None:
    """Of a connection that nobody waits for."""


def _refusal(error: WSHandshakeError) -> Exception:
    """Translates an upgrade that the venue refused; Retry-After is seconds."""
    if error.response is None:
        return Unavailable("the WebSocket upgrade was not answered")
    status = int(error.response.status)
    text = f"the WebSocket upgrade was refused: HTTP {status}"
    if status in {418, 429}:
        after = str(error.response.headers.get("Retry-After", ""))
        kind = Banned if status == 418 else RateLimited  # noqa: PLR2004 -- HTTP's own number
        return kind(text, retry_after=retry_after.seconds(after))
    return Denied(text) if status in {401, 403} else Unavailable(text)
