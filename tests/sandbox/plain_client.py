"""A plain client of the exchange: no cleverness, so that what it sees is what was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from foxtrot.sandbox.exchange import Exchange, Options
from foxtrot.util.system_clock import SystemClock

WAIT_S = 10.0


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Exchange]:
    """An exchange in this loop, lively enough for quick tests."""
    exchange = Exchange(Options(**{"symbols": 2, "activity": 12.0, "has_past": False, **options}), SystemClock())
    await exchange.start()
    try:
        yield exchange
    finally:
        await exchange.stop()


class Client:
    """REST and streams of one exchange."""

    def __init__(self, exchange: Exchange, session: aiohttp.ClientSession) -> None:
        self.port = exchange.port
        self._session = session

    async def get(self, path: str, method: str = "GET") -> tuple[int, Any, dict[str, str]]:
        """Status, decoded body (text where it is no JSON), headers."""
        async with self._session.request(method, f"http://127.0.0.1:{self.port}{path}") as response:
            text = await response.text()
            try:
                body = json.loads(text)
            except ValueError:
                body = text
            return response.status, body, dict(response.headers)

    async def body(self, path: str) -> Any:
        """The body of a request that succeeds."""
        status, body, _ = await self.get(path)
        assert status == 200, body
        return body

    async def chaos(self, fault: str, **params: object) -> dict[str, Any]:
        """Arms a fault."""
        url = f"http://127.0.0.1:{self.port}/sandbox/faults"
        async with self._session.post(url, json={"fault": fault, **params}) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    @contextlib.asynccontextmanager
    async def stream(self, path: str, **kwargs: Any) -> AsyncIterator["Stream"]:
        """An open stream connection."""
        url = f"ws://127.0.0.1:{self.port}{path}"
        async with self._session.ws_connect(url, max_msg_size=0, **kwargs) as socket:
            yield Stream(socket)


class Stream:
    """One stream connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self, timeout: float = WAIT_S) -> Any:  # noqa: ASYNC109 -- a test's own patience
        """The next message, decoded."""
        message = await self.socket.receive(timeout)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted; others are passed over."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = await self.next()
                if wanted(found):
                    return found

    async def ask(self, method: str, params: list[Any] | None = None, request_id: object = 1) -> Any:
        """Sends a command and returns its answer."""
        command: dict[str, Any] = {"method": method, "id": request_id}
        if params is not None:
            command["params"] = params
        await self.socket.send_str(json.dumps(command))
        return await self.until(
            lambda found: isinstance(found, dict) and "id" in found and ("result" in found or "error" in found)
        )

    def stop_reading(self, *, is_stopped: bool = True) -> None:
        """Leaves whatever comes in the socket's own buffers, or reads again."""
        connection = self.socket._response.connection
        transport = connection.transport if connection else None
        assert transport is not None
        transport.pause_reading() if is_stopped else transport.resume_reading()

    async def take(self, count: int) -> list[Any]:
        """The next ``count`` messages."""
        return [await self.next() for _ in range(count)]

    async def quiet(self, seconds: float) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.socket.receive(seconds)
        except TimeoutError:
            return True
        return False

    async def end(self) -> aiohttp.WSMessage:
        """The message that ends the connection."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.socket.receive()
                if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                    return message
