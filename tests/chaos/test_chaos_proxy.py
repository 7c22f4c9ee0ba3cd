"""Each toxic of the proxy, against a plain echo server."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from typing_extensions import override

from tests.support.chaos_proxy import DOWN, UP, ChaosProxy, Toxics
from tests.support.engine_run import eventually


class _Echo(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A reset is the subject here."""


@pytest.fixture
def proxy() -> Iterator[ChaosProxy]:
    """A proxy in front of an echo."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with ChaosProxy(server.server_address[1], seed=3) as started:
            yield started
        server.shutdown()


@pytest.fixture
def client(proxy: ChaosProxy) -> Iterator[socket.socket]:
    """A connection through it that has been echoed once."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as opened:
        assert _echo(opened, b"hello") == b"hello"
        yield opened


def _echo(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return _take(client, len(data))


def _take(client: socket.socket, count: int) -> bytes:
    taken = b""
    while len(taken) < count and (more := client.recv(count - len(taken))):
        taken += more
    return taken


def test_without_toxics_it_carries_everything_as_it_is(client: socket.socket) -> None:
    """A MiB, there and back."""
    data = bytes(range(256)) * 4_096
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    assert _take(client, len(data)) == data
    sender.join()


def test_latency_and_jitter_delay_in_order(proxy: ChaosProxy, client: socket.socket) -> None:
    """Nothing comes before the latency is over, and nothing overtakes."""
    proxy.set(DOWN, Toxics(latency=0.1, jitter=0.05))
    begun = time.monotonic()
    for number in range(10):
        client.sendall(bytes([number]))
    assert _take(client, 10) == bytes(range(10))
    assert time.monotonic() - begun >= 0.1


def test_slicing_cuts_what_was_one_write_into_small_ones(proxy: ChaosProxy, client: socket.socket) -> None:
    """Pieces of three bytes at most, all of them."""
    proxy.set(DOWN, Toxics(slice=3, slice_pause=0.002))
    client.sendall(b"0123456789" * 5)
    pieces: list[bytes] = []
    while sum(len(piece) for piece in pieces) < 50:
        pieces.append(client.recv(100))
    assert b"".join(pieces) == b"0123456789" * 5
    assert len(pieces) > 5


def test_bandwidth_throttles(proxy: ChaosProxy, client: socket.socket) -> None:
    """10 kB at 50 kB/s take no less than their time."""
    proxy.set(DOWN, Toxics(bandwidth=50_000))
    begun = time.monotonic()
    assert _echo(client, b"x" * 10_000) == b"x" * 10_000
    assert time.monotonic() - begun >= 0.18


def test_a_black_hole_swallows_one_direction_and_resets_once_it_ends(proxy: ChaosProxy, client: socket.socket) -> None:
    """What went in is gone; the connection does not pretend to be whole."""
    proxy.set(DOWN, Toxics(is_black_hole=True))
    client.sendall(b"lost")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(10)
    proxy.set(DOWN)
    client.settimeout(5)
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_a_reset_is_a_reset(proxy: ChaosProxy, client: socket.socket) -> None:
    """RST, not FIN."""
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(10)
    eventually(lambda: proxy.connections == 0, "the line is gone")


def test_half_closed_the_other_direction_stays_open(proxy: ChaosProxy, client: socket.socket) -> None:
    """The client reads the end, and may still send."""
    proxy.half_close(DOWN)
    assert client.recv(10) == b""
    client.sendall(b"still heard")
    assert proxy.connections == 1


def test_a_limit_ends_the_connection_after_so_many_bytes(proxy: ChaosProxy) -> None:
    """100 of 1,000 bytes pass."""
    proxy.set(UP, Toxics(limit=100))
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        client.sendall(b"x" * 1_000)
        assert len(_take(client, 1_000)) <= 100
    eventually(lambda: proxy.connections == 0, "the line is gone")


def test_refusing_meets_new_connections_only(proxy: ChaosProxy, client: socket.socket) -> None:
    """Who is in stays in."""
    proxy.refuse()
    with (
        pytest.raises(ConnectionResetError),  # while it connects, or as soon as it listens
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as refused,
    ):
        refused.recv(10)
    assert _echo(client, b"in") == b"in"
    proxy.clear()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
        assert _echo(again, b"in again") == b"in again"


def test_the_same_seed_slices_alike() -> None:
    """Chance comes from the seed alone."""
    sizes = [[len(piece) for piece in _sliced(seed)] for seed in (1, 1, 2)]
    assert sizes[0] == sizes[1] != sizes[2]
    assert all(size <= 5 for size in sizes[0])
    assert any(a != b for a, b in pairwise(sizes[0]))


def _sliced(seed: int) -> list[bytes]:
    import random  # noqa: PLC0415 -- only here

    from tests.support.chaos_proxy import _Line  # noqa: PLC0415 -- the inner part under test

    proxy = ChaosProxy(0)
    proxy._toxics[DOWN] = Toxics(slice=5)
    line = _Line.__new__(_Line)
    line.rng = random.Random(seed)
    return list(proxy._pieces(line, DOWN, b"x" * 100))
