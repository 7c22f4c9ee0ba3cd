"""Nonsense of any kind ends neither the exchange, nor another client's stream, nor the loop's beat."""

import base64
import contextlib
import http.client
import itertools
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from foxtrot.sandbox.answers import ENDPOINTS
from foxtrot.sandbox.commands import METHODS
from foxtrot.sandbox.launcher import Sandbox, launch

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
"""Examples of each kind; the long run takes 35,000 of each, 100,000 in all."""

fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STALL_MS = 100
"""The longest that the exchange's loop may stand still by its own doing, on whatever machine.

"Own" is ``LoopBeat.longest_own_stall_ms``: the processor time that the loop's thread used from one beat (due every 10 ms) to the
next, so that a machine which runs others for a second adds nothing to it, and a pass of the garbage collector does. Time that the
host stole from the whole machine is taken off: the kernel leaves some of it on the thread that ran (the idle exchange, which does
nothing, then shows it too).
"""


_numbers = itertools.count(1)


def address() -> str:
    """A loopback address of its own, so that the limits (which count by address) do not end the fuzzing."""
    number = next(_numbers)
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


class Upgraded:
    """A stream connection over a bare socket."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address(), 0))
        key = base64.b64encode(b"0123456789abcdef").decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        assert b"101" in self.file.readline()
        while self.file.readline().strip():
            pass

    def send(self, payload: bytes, opcode: int = 1) -> None:
        """Sends one masked frame."""
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | min(size, 126))) + (struct.pack("!H", size) if size >= 126 else b"")
        self.socket.sendall(head + b"\0\0\0\0" + payload)

    def text(self) -> bytes:
        """The next text frame; pings are answered. Empty at the end."""
        while head := self.file.read(2):
            opcode, size = head[0] & 15, head[1]
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            payload = self.file.read(size)
            if opcode == 1:
                return payload
            if opcode == 9:
                self.send(payload, 10)
        return b""

    def close(self) -> None:
        """Ends the socket."""
        self.file.close()
        self.socket.close()


class Witness(threading.Thread):
    """Another client, who reads all the while and wants every trade once."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = Upgraded(port, "/ws/btcusdt@trade")
        self.ids: list[int] = []

    @override
    def run(self) -> None:
        """Reads until the end."""
        with contextlib.suppress(OSError, ValueError):
            while text := self._connection.text():
                self.ids.append(json.loads(text)["t"])

    def end(self) -> None:
        """Ends the connection and the thread."""
        self._connection.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._connection.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An exchange to be fuzzed; afterwards it lives, its loop never stood still, and the witness has missed nothing.

    How late its beats came by the wall's clock is told, not judged: on a busy machine that is the others' doing. An exchange
    that nobody talks to beats beside it, in a process of its own: what delays that one is the machine.
    """
    with launch(symbols=2, activity=5.0) as started, launch(symbols=1, activity=0.01, has_past=False) as idle:
        witness = Witness(started.port)
        witness.start()
        yield started
        status, count = started.status(), len(witness.ids)
        while len(witness.ids) < count + 2:
            assert witness.is_alive()
        assert witness.ids == list(range(witness.ids[0], witness.ids[0] + len(witness.ids)))
        witness.end()
        for name, told in (("fuzzed", status), ("idle", idle.status())):
            figures = {key: told[key] for key in ("longest_own_stall_ms", "longest_stall_ms", "stolen_ms")}
            print(f"exchange {name}: {figures}")  # noqa: T201 -- the long run's figures
        assert status["longest_own_stall_ms"] < STALL_MS, status


def assert_lives(sandbox: Sandbox) -> None:
    """A plain request is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10, source_address=(address(), 0))
    connection.request("GET", "/sandbox/status")
    with connection.getresponse() as response:
        assert response.status == 200
        response.read()
    connection.close()


names = st.sampled_from(
    ["symbol", "symbols", "limit", "fromId", "startTime", "endTime", "interval", "type", "windowSize", "timeZone"]
)
values = st.one_of(
    st.sampled_from(
        ["BTCUSDT", "ETHUSDT", '["BTCUSDT"]', "[]", "1m", "1s", "1M", "FULL", "MINI", "0", "-1", "1000", "5001", "+08:00"]
    ),
    st.integers(-(1 << 70), 1 << 70).map(str),
    st.text(max_size=30),
)


@fuzzed
@given(st.sampled_from(sorted(ENDPOINTS)), st.lists(st.tuples(names | st.text(max_size=8), values), max_size=5))
def test_any_request_is_answered(sandbox: Sandbox, path: str, pairs: list[tuple[str, str]]) -> None:
    """Whatever the parameters, the answer is JSON and never an internal error."""
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10, source_address=(address(), 0))
    connection.request("GET", f"{path}?{query}")
    with connection.getresponse() as response:
        body = json.loads(response.read())
    connection.close()
    assert response.status in {200, 400}
    assert response.status == 200 or set(body) == {"code", "msg"}


streams = st.sampled_from(["btcusdt@trade", "btcusdt@depth@100ms", "!miniTicker@arr", "btcusdt@kline_1m", ""]) | st.text(
    max_size=20
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
frames = st.one_of(
    st.text(max_size=200),
    json_values.map(json.dumps),
    st.fixed_dictionaries(
        {"method": st.sampled_from(METHODS) | st.text(max_size=10)},
        optional={"params": st.lists(streams | json_values, max_size=6) | json_values, "id": json_values},
    ).map(json.dumps),
)


@fuzzed
@given(st.lists(frames, min_size=1, max_size=4))
def test_any_command_is_answered(sandbox: Sandbox, texts: list[str]) -> None:
    """Each frame gets an answer with a result or an error, and the connection stays."""
    client = Upgraded(sandbox.port, "/stream")
    for text in texts:
        client.send(text.encode("utf-8", "replace"))
        while True:
            answer = json.loads(client.text())
            if "result" in answer or "error" in answer:
                break
    client.close()


@fuzzed
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_survived(sandbox: Sandbox, data: bytes, is_upgraded: bool) -> None:
    """Garbage on a fresh socket, or after an upgrade, harms nobody else."""
    if is_upgraded:
        client = Upgraded(sandbox.port, "/ws")
        with contextlib.suppress(OSError):
            client.socket.sendall(data)
        client.close()
    else:
        with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as bare, contextlib.suppress(OSError):
            bare.sendall(data)
    assert_lives(sandbox)
