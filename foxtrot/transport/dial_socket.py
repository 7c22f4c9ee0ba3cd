"""The TCP socket of one dial: connected here, so that a dial that is given up does not leave it open.

Whoever asks picows for a WebSocket and does not wait for the end leaves a handshake behind that goes on for seconds.
"""

import asyncio
import contextlib
import socket
from typing import Final, Protocol

from aiohappyeyeballs import start_connection

from foxtrot.util.clock import Clock

EYEBALLS_DELAY: Final = 0.25
"""Seconds after which the next address of a host is tried beside the first (RFC 8305)."""

ROUNDS: Final = 10
"""So many turns of the loop a transport gets to see that its socket has ended."""


class Address(Protocol):
    """Where to connect."""

    @property
    def host(self) -> str:
        """A name, or an address."""
        ...

    @property
    def port(self) -> int:
        """The port."""
        ...


class DialSocket:
    """Connects one socket, and remembers it until the dial is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._socket: socket.socket | None = None

    async def connect(self, address: Address) -> socket.socket:
        """A connected socket, of whichever address of the host answers first. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        self._socket = await start_connection(found, happy_eyeballs_delay=EYEBALLS_DELAY)
        return self._socket

    async def give_up(self) -> None:
        """The dial has failed or was cancelled: the socket is ended, and whatever still reads it sees the end."""
        if self._socket is None or self._socket.fileno() < 0:
            return
        with contextlib.suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        for _ in range(ROUNDS):
            await self._clock.sleep(0)
            if self._socket.fileno() < 0:
                return
        self._socket.close()  # no transport has taken it over
