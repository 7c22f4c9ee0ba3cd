"""One WebSocket, over real sockets: dial, frames, close."""

import asyncio
import gc
import socket
import warnings

import pytest
from picows import WSCloseCode, WSMsgType, WSTransport

from foxtrot.transport import wire
from foxtrot.transport.wire import MAX_FRAME, WireDialler
from foxtrot.util import retry_after
from foxtrot.util.errors import Banned, Denied, RateLimited, Unavailable
from foxtrot.util.system_clock import SystemClock
from tests.support.websocket_venue import Heard, Script, WebSocketVenue, answering, hesitating, serving, until

TEXT, CONTINUATION, BINARY = WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.BINARY


def says(*parts: tuple[WSMsgType, bytes, bool]) -> Script:
    """Sends these frames to whoever connects: kind, payload, whether it is the message's last."""

    def script(transport: WSTransport) -> None:
        for kind, payload, is_last in parts:
            transport.send(kind, payload, fin=is_last)

    return script


async def test_frames_arrive_whole_in_order_with_their_time() -> None:
    """Each with the clock's reading at its arrival."""
    clock, heard = SystemClock(), Heard()
    script = says(*((TEXT, b"%d" % number, True) for number in range(100)))
    async with serving(WebSocketVenue(script)) as venue:
        before = clock.now_ns()
        line = await WireDialler(clock).dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: len(heard.frames) == 100)
        line.close()
    assert heard.frames == [b"%d" % number for number in range(100)]
    assert heard.received_ns == sorted(heard.received_ns)
    assert before < heard.received_ns[0] <= clock.now_ns()


async def test_a_fragmented_message_is_joined() -> None:
    """Its parts are no frames of their own; the next message starts afresh."""
    heard = Heard()
    script = says((TEXT, b"ab", False), (CONTINUATION, b"cd", False), (CONTINUATION, b"e", True), (TEXT, b"f", True))
    async with serving(WebSocketVenue(script)) as venue:
        line = await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: len(heard.frames) == 2)
        line.close()
    assert heard.frames == [b"abcde", b"f"]


async def test_binary_frames_are_counted_and_dropped() -> None:
    """The venue sends text only."""
    dialler, heard = WireDialler(SystemClock()), Heard()
    async with serving(WebSocketVenue(says((BINARY, b"\x1f\x8b", True), (TEXT, b"x", True)))) as venue:
        line = await dialler.dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.frames)
        line.close()
    assert heard.frames == [b"x"]
    assert dialler.stats.binary == 1


@pytest.mark.parametrize(
    "parts",
    [
        [(TEXT, b"x" * (MAX_FRAME + 1), True)],
        [(TEXT, b"x" * (MAX_FRAME // 2), False), (CONTINUATION, b"x" * (MAX_FRAME // 2), False), (CONTINUATION, b"x", True)],
    ],
    ids=["one frame", "fragments"],
)
async def test_an_oversize_message_ends_the_connection(parts: list[tuple[WSMsgType, bytes, bool]]) -> None:
    """It is never held in memory whole, and nothing of it is handed on."""
    dialler, heard = WireDialler(SystemClock()), Heard()
    async with serving(WebSocketVenue(says(*parts))) as venue:
        await dialler.dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.ends)
    assert heard.frames == []
    assert len(heard.ends) == 1
    assert "1009" in heard.ends[0]
    assert dialler.stats.oversize == 1


async def test_a_message_as_long_as_allowed_arrives() -> None:
    """The bound itself fits."""
    heard = Heard()
    async with serving(WebSocketVenue(says((TEXT, b"x" * MAX_FRAME, True)))) as venue:
        line = await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.frames)
        line.close()
    assert len(heard.frames[0]) == MAX_FRAME


@pytest.mark.parametrize(("code", "reason"), [(WSCloseCode.GOING_AWAY, b"restart"), (WSCloseCode.POLICY_VIOLATION, b"too many")])
async def test_the_venues_goodbye_is_told_once_with_its_code(code: WSCloseCode, reason: bytes) -> None:
    """And answered."""
    heard = Heard()
    async with serving(WebSocketVenue(lambda transport: transport.send_close(code, reason))) as venue:
        await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.ends)
        await until(lambda: venue.heard)
    assert heard.ends == [f"closed by the venue: {code.value} {reason.decode()}"]
    assert venue.heard[0][0] is WSMsgType.CLOSE


async def test_a_connection_cut_without_goodbye_is_told() -> None:
    """A reset, or the end of the venue's process."""
    heard = Heard()
    async with serving(WebSocketVenue(lambda transport: transport.disconnect())) as venue:
        await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.ends)
    assert heard.ends == ["connection lost"]


async def test_commands_reach_the_venue_until_the_end() -> None:
    """After it they are let go, and a second goodbye too."""
    heard = Heard()
    async with serving(WebSocketVenue()) as venue:
        line = await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
        line.send(b"SUBSCRIBE")
        await until(lambda: venue.heard)
        line.close()
        await heard.until(lambda heard: heard.ends)
        line.send(b"UNSUBSCRIBE")
        line.close()
    assert (TEXT, b"SUBSCRIBE") in venue.heard
    assert (TEXT, b"UNSUBSCRIBE") not in venue.heard


async def test_pings_are_answered_with_their_payload() -> None:
    """But a flood of them is answered once, for our messages are counted."""
    dialler, heard = WireDialler(SystemClock()), Heard()

    def flood(transport: WSTransport) -> None:
        for number in range(20):
            transport.send_ping(b"%d" % number)
        transport.send(TEXT, b"last")

    async with serving(WebSocketVenue(flood)) as venue:
        line = await dialler.dial(venue.url, heard.on_frame, heard.on_closed)
        await heard.until(lambda heard: heard.frames)
        await until(lambda: venue.heard)
        line.close()
    assert [payload for kind, payload in venue.heard if kind is WSMsgType.PONG] == [b"0"]
    assert dialler.stats.pings_let_go == 19


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_after"),
    [
        (429, {"Retry-After": "7"}, RateLimited, 7.0),
        (429, {}, RateLimited, retry_after.DEFAULT),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, RateLimited, retry_after.DEFAULT),
        (418, {"Retry-After": "120"}, Banned, 120.0),
    ],
)
async def test_a_venue_that_asks_for_silence_says_for_how_long(
    status: int, headers: dict[str, str], kind: type[RateLimited], retry_after: float
) -> None:
    """Where it does not, a minute."""
    heard = Heard()
    async with serving(WebSocketVenue(refusal=status, headers=headers)) as venue:
        with pytest.raises(RateLimited, match=str(status)) as caught:
            await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
    assert type(caught.value) is kind
    assert caught.value.retry_after == retry_after


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Denied), (403, Denied), (404, Unavailable), (500, Unavailable), (503, Unavailable)]
)
async def test_other_refusals_are_told_apart(status: int, kind: type[Exception]) -> None:
    """A firewall or a wrong key is not worth trying again at once, a failing server is."""
    heard = Heard()
    async with serving(WebSocketVenue(refusal=status)) as venue:
        with pytest.raises(kind, match=f"HTTP {status}"):
            await WireDialler(SystemClock()).dial(venue.url, heard.on_frame, heard.on_closed)
    assert heard.ends == []


async def test_a_refused_port_is_unavailable() -> None:
    """Nobody listens there."""
    async with answering(b"") as port:
        pass
    with pytest.raises(Unavailable, match="no WebSocket"):
        await WireDialler(SystemClock()).dial(f"ws://127.0.0.1:{port}/", lambda *_: None, lambda _: None)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"\x00\xff"])
async def test_what_speaks_no_websocket_is_unavailable(reply: bytes) -> None:
    """Whatever it says."""
    async with answering(reply) as port:
        with pytest.raises(Unavailable):
            await WireDialler(SystemClock()).dial(f"ws://127.0.0.1:{port}/", lambda *_: None, lambda _: None)


async def test_a_cancelled_dial_leaves_no_connection() -> None:
    """Though the upgrade completes afterwards: it is closed, and nothing that it brings is heard."""
    heard = Heard()
    async with hesitating() as venue:
        dialler = WireDialler(SystemClock())
        dialling = asyncio.ensure_future(dialler.dial(f"ws://127.0.0.1:{venue.port}/", heard.on_frame, heard.on_closed))
        await venue.is_asked.wait()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        venue.upgrade()
        await venue.is_left.wait()
    assert (heard.frames, heard.ends) == ([], [])


async def test_an_upgrade_that_never_completes_is_given_up() -> None:
    """After the dialler's deadline."""
    async with answering(None) as port:
        with pytest.raises(Unavailable):
            await WireDialler(SystemClock(), timeout=0.05).dial(f"ws://127.0.0.1:{port}/", lambda *_: None, lambda _: None)


async def test_a_proxy_that_refuses_is_unavailable() -> None:
    """Its own errors are told like all others."""
    async with answering(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as port:
        dialler = WireDialler(SystemClock(), proxy=f"http://127.0.0.1:{port}")
        with pytest.raises(Unavailable, match="407"):
            await dialler.dial("ws://127.0.0.1:9/stream", lambda *_: None, lambda _: None)


def test_the_deadline_is_within_the_venues_patience() -> None:
    """Ten seconds, as the documentation says."""
    assert wire.DIAL_TIMEOUT == 10.0


async def _cancelled_before_its_answer(listener: socket.socket) -> socket.socket:
    """A dial to a venue that has read the request, and says nothing; returns the venue's end, still open."""
    loop = asyncio.get_running_loop()
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    dial = asyncio.create_task(WireDialler(SystemClock()).dial(url, lambda *_: None, lambda _: None))
    accepted, _ = await loop.sock_accept(listener)
    assert await loop.sock_recv(accepted, 4096)
    dial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dial
    return accepted


def test_a_cancelled_dial_leaves_no_connection_behind() -> None:
    """Its handshake goes on for nobody: the loop would close over an open transport."""
    with socket.create_server(("127.0.0.1", 0)) as listener, warnings.catch_warnings():
        listener.setblocking(False)
        warnings.simplefilter("error", ResourceWarning)
        with asyncio.run(_cancelled_before_its_answer(listener)):
            gc.collect()
