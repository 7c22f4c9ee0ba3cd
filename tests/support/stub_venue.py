"""A venue of one symbol in a few lines, that writes down what it is asked and answers as it is told."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from aiohttp import web

from foxtrot.core.loop_thread import LoopThread
from foxtrot.util.system_clock import SystemClock

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

SYMBOL = "BTCUSDT"
TICKER: dict[str, Any] = {
    "symbol": SYMBOL,
    "lastPrice": "100.5",
    "lastQty": "0.5",
    "volume": "10",
    "quoteVolume": "1005",
    "openPrice": "99",
    "highPrice": "101",
    "lowPrice": "98",
    "prevClosePrice": "99.5",
    "bidPrice": "100.4",
    "bidQty": "1",
    "askPrice": "100.6",
    "askQty": "2",
    "closeTime": 1_700_000_000_000,
    "lastId": 7,
    "count": 8,
}
LISTING: dict[str, Any] = {
    "symbol": SYMBOL,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.10"}],
}


class Asked(NamedTuple):
    """One request, as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    url: str


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answers with this: JSON, or a text as it is."""
    text = body if isinstance(body, str) else json.dumps(body)

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, headers=headers)

    return reply


async def reset(request: web.Request) -> web.StreamResponse:
    """Cuts the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def never(_request: web.Request) -> web.StreamResponse:
    """Keeps the question."""
    await asyncio.Event().wait()
    raise AssertionError


class StubVenue:
    """On loopback. ``replies[path]`` are given in turn, the last one again and again; else it answers like a quiet market."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.trade_id = 7
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def rest_url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """Where streams are."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [each.path for each in self.asked]

    async def start(self) -> None:
        """Listens."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Ends."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v3/")
        self.asked.append(Asked(path, dict(request.query), dict(request.headers), str(request.url)))
        replies = self.replies[path]
        if replies:
            return await (replies.pop(0) if len(replies) > 1 else replies[0])(request)
        if path == "/stream":
            return await self._stream(request)
        return web.json_response(self._usual(path, request.query))

    @property
    def _quote(self) -> dict[str, str]:
        """What stands on the stream."""
        return {"bidPrice": "100.4", "bidQty": str(self.trade_id), "askPrice": "100.6", "askQty": "2"}

    def _usual(self, path: str, query: Any) -> object:
        match path:
            case "exchangeInfo":
                return {"symbols": [LISTING], "rateLimits": []}
            case "time":
                return {"serverTime": 1_700_000_000_000}
            case "ticker/24hr":
                return [{**TICKER, **self._quote, "lastId": self.trade_id}]
            case "ticker/bookTicker":
                return [{"symbol": TICKER["symbol"], **self._quote}]
            case "depth":
                return {"lastUpdateId": self.trade_id, "bids": [["100.4", "1"]], "asks": [["100.6", "2"]]}
            case "historicalTrades":
                last = min(self.trade_id, int(query["fromId"]) + int(query["limit"]) - 1)
                return [self._trade(trade_id) for trade_id in range(int(query["fromId"]), last + 1)]
            case "aggTrades":
                return [{"a": 3, "p": "100.5", "q": "0.5", "f": 6, "l": 7, "T": 1_700_000_000_000, "m": True, "M": True}]
            case _:
                return {}

    @staticmethod
    def _trade(trade_id: int) -> dict[str, object]:
        return {"id": trade_id, "price": "100.5", "qty": "0.5", "time": 1_700_000_000_000, "isBuyerMaker": True}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sender = asyncio.create_task(self._send(socket))
        try:
            async for _ in socket:
                pass
        finally:
            sender.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self.trade_id += 1
                number = self.trade_id
                trade = {"e": "trade", "s": SYMBOL, "t": number, "p": "100.5", "q": "0.5", "T": 1_700_000_000_000, "m": True}
                quote = {"u": number, "s": SYMBOL, "b": "100.4", "B": str(number), "a": "100.6", "A": "2"}
                await socket.send_json({"stream": "btcusdt@trade", "data": trade}, dumps=_compact)
                await socket.send_json({"stream": "btcusdt@bookTicker", "data": quote}, dumps=_compact)
                await SystemClock().sleep(0.02)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@asynccontextmanager
async def stub_venue() -> AsyncIterator[StubVenue]:
    """A venue in this loop."""
    venue = StubVenue()
    await venue.start()
    try:
        yield venue
    finally:
        await venue.stop()


@contextmanager
def threaded_stub_venue() -> Iterator[StubVenue]:
    """A venue in a thread of its own."""
    venue, thread = StubVenue(), LoopThread("stub venue")
    thread.start()
    thread.submit(venue.start()).result(10)
    try:
        yield venue
    finally:
        thread.submit(venue.stop()).result(10)
        thread.stop()
