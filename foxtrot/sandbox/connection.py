"""One stream connection: its commands, its limits, its life."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import WSMsgType, web

from foxtrot.sandbox import commands, limits
from foxtrot.sandbox.frames import PING, close_frame, frame

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from foxtrot.sandbox.fanout import Fanout
    from foxtrot.sandbox.fault_board import Fault
    from foxtrot.sandbox.limits import Limits, Violations

MAX_BUFFER = 4_194_304
"""Bytes that may wait for a client that does not read; beyond it is cut off."""

_MAX_MESSAGE = 262_144


class Hall(Protocol):
    """What a connection needs of the exchange."""

    fanout: Fanout
    limits: Limits
    violations: Violations

    def limit_us(self) -> int:
        """Now, on the clock that limits are counted on."""
        ...

    def touched(self, connection: StreamConnection, streams: tuple[str, ...]) -> None:
        """These streams have been subscribed and acknowledged."""
        ...

    def command_fault(self, streams: tuple[str, ...]) -> Fault | None:
        """The fault, if any, that strikes a command about these streams."""
        ...

    def later(self, seconds: float, call: Callable[[], None]) -> object:
        """Calls back after some seconds."""
        ...


class StreamConnection:
    """A client of the streams. Data goes out as ready-made frames, gathered in ``out`` and written in one piece."""

    def __init__(
        self, hall: Hall, ws: web.WebSocketResponse, transport: asyncio.Transport, address: str, *, is_combined: bool
    ) -> None:
        self._hall = hall
        self._ws = ws
        self._transport = transport
        self.address = address
        self.is_combined = is_combined
        self.is_microsecond = False
        self.out: list[bytes] = []
        self.streams: dict[str, None] = {}
        self.keep_alive = limits.KeepAlive(hall.limit_us())
        self.drawn: dict[int, bool] = {}
        self.delay_s = 0.0
        self.is_silent = False
        self._gate = limits.MessageGate()
        self._is_closing = False
        self._is_held = False
        self._held: deque[bytes] = deque()
        self._late: deque[bytes] = deque()

    def flush(self) -> None:
        """Writes what waits; a client that has let too much pile up is cut off."""
        whole = b"".join(self.out)
        self.out.clear()
        if self.is_silent:
            return
        if self._is_held:
            self._held.append(whole)
            if sum(map(len, self._held)) > MAX_BUFFER:
                self.abort()
        elif self.delay_s or self._late:
            self._late.append(whole)
            self._hall.later(self.delay_s, self._release_late)
        else:
            self._write(whole)

    def hold(self, *, is_held: bool) -> None:
        """Keeps what would be written, or writes in one burst what was kept."""
        self._is_held = is_held
        if not is_held and self._held:
            whole = b"".join(self._held)
            self._held.clear()
            self._write(whole)

    def fall_silent(self) -> None:
        """Reads, writes and answers nothing any more; the socket stays open."""
        if not self.is_silent and not self._transport.is_closing():
            self.is_silent = True
            self._transport.pause_reading()

    def ping_often(self, count: int) -> None:
        """Sends pings that nothing waits for."""
        if not self.is_silent and not self._transport.is_closing():
            self._transport.write(frame(b"flood", PING) * count)

    def subscribe(self, names: tuple[str, ...]) -> bool:
        """Adds streams; False, and nothing is added, when there would be too many."""
        if len(self.streams | dict.fromkeys(names)) > limits.STREAMS_PER_CONNECTION:
            self._violate("streams", f"more than {limits.STREAMS_PER_CONNECTION} on one connection")
            return False
        for name in names:
            self.streams[name] = None
            self._hall.fanout.join(self, name)
        return True

    async def serve(self) -> None:
        """Reads the client's frames until either side ends."""
        async for message in self._ws:
            if not self._gate.admit(self._hall.limit_us()):
                self._violate("messages", f"more than {limits.MESSAGES_PER_SECOND} in a second")
                self._hall.limits.offend(self.address, self._hall.limit_us())
                self.close(1008, "Too many requests")
                return
            if message.type == WSMsgType.TEXT:
                self._command(message.data)
            elif message.type == WSMsgType.PING:
                await self._ws.pong(message.data)
            elif message.type == WSMsgType.PONG:
                self.keep_alive.pong(bytes(message.data))
            elif message.type == WSMsgType.BINARY:
                self._reply(commands.refuse(commands.Refusal(commands.WRONG_JSON, "Invalid JSON: expected text")))
            else:
                return

    def look_after(self, now_us: int) -> None:
        """Pings when it is time; ends what does not answer and what has lived its day."""
        if self.is_silent:
            return
        if self.keep_alive.is_lost(now_us):
            self._violate("no_pong", "no pong within 60 s")
            self.close(1008, "Pong timeout")
        elif self.keep_alive.is_old(now_us):
            self.close(1001, "24 hours are over")
        elif (payload := self.keep_alive.ping_due(now_us)) is not None:
            self._transport.write(frame(payload, PING))

    def send(self, payload: bytes) -> None:
        """Sends one text message of its own."""
        self._hall.fanout.send(self, frame(payload))

    def close(self, code: int, reason: str = "") -> None:
        """Says goodbye with a code; the socket ends once the client has answered, or a moment later."""
        if self._is_closing:
            return
        self._is_closing = True
        self.leave_all()
        self._hall.fanout.send(self, close_frame(code, reason))
        self._hall.fanout.flush()
        self._transport.close()

    def abort(self) -> None:
        """Ends the socket at once, with whatever waited."""
        self._is_closing = True
        self.leave_all()
        self.out.clear()
        self._transport.abort()

    def reset(self) -> None:
        """Ends the socket with an RST: whoever reads it gets "connection reset by peer"."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def leave_all(self) -> None:
        """Takes every subscription back."""
        for name in tuple(self.streams):
            self._hall.fanout.leave(self, name)
        self.streams.clear()

    def _command(self, text: str) -> None:
        command = commands.parse(text)
        if isinstance(command, commands.Refusal):
            self._reply(commands.refuse(command))
            return
        fault = self._hall.command_fault(command.streams)
        name = fault.spec.name if fault else ""
        if name == "error-ack" and fault and command.method == "SUBSCRIBE":
            code = int(fault.params["code"])
            self._reply(commands.refuse(commands.Refusal(code, "Invalid request: unavailable", command.request_id, has_id=True)))
            return
        if name == "ack-dropped" and command.method == "SUBSCRIBE":
            self._reply(commands.answer(None, command.request_id))
            return
        answer = self._carry_out(command)
        if name != "no-ack":
            self._reply(answer)
        if command.method == "SUBSCRIBE":
            self._hall.touched(self, command.streams)

    def _carry_out(self, command: commands.Command) -> bytes:
        result: object = None
        if command.method == "SUBSCRIBE":
            if not self.subscribe(command.streams):
                refusal = commands.Refusal(
                    commands.WRONG_REQUEST, "Invalid request: too many streams", command.request_id, has_id=True
                )
                return commands.refuse(refusal)
        elif command.method == "UNSUBSCRIBE":
            for name in command.streams:
                self.streams.pop(name, None)
                self._hall.fanout.leave(self, name)
        elif command.method == "LIST_SUBSCRIPTIONS":
            result = list(self.streams)
        elif command.method == "GET_PROPERTY":
            result = self.is_combined
        else:
            self._change_form(is_combined=command.value)
        return commands.answer(result, command.request_id)

    def _change_form(self, *, is_combined: bool) -> None:
        names = tuple(self.streams)
        for name in names:
            self._hall.fanout.leave(self, name)
        self.is_combined = is_combined
        for name in names:
            self._hall.fanout.join(self, name)

    def _reply(self, payload: bytes) -> None:
        self._hall.fanout.send(self, frame(payload))
        self._hall.fanout.flush()

    def _release_late(self) -> None:
        if self._late:
            self._write(self._late.popleft())

    def _write(self, whole: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_BUFFER:
            self._violate("slow_reader", f"{MAX_BUFFER} bytes unread")
            self.abort()
            return
        self._transport.write(whole)

    def _violate(self, kind: str, detail: str) -> None:
        self._hall.violations.add(kind, self.address, self._hall.limit_us(), detail)


def shutdown_notice(time_us: int, *, is_combined: bool) -> bytes:
    """``serverShutdown`` in the form of the connection."""
    event: dict[str, object] = {"e": "serverShutdown", "E": time_us // 1_000}
    return msgspec.json.encode({"stream": "!serverShutdown", "data": event} if is_combined else event)
