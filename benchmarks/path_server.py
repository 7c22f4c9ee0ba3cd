"""A venue for the benchmark: trades or quotes of 20 symbols, made beforehand, sent at full speed when told to.

``burst`` is how many frames go into one write: 1 as a venue sends them, each when it happens; more is kinder to a client's
reader, which then finds many frames at once.
"""

import asyncio
import json
import logging
import sys
import time
from urllib.parse import parse_qs, urlsplit

import msgspec
import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from typing_extensions import override

SYMBOLS = [f"S{number:02d}USDT" for number in range(20)]
HIGH_WATER = 4 * 1024 * 1024


def now_ms() -> int:
    """The venue's clock."""
    return time.time_ns() // 1_000_000


def trade(symbol: str, number: int, time_ms: int) -> bytes:
    """A trade as Binance frames it."""
    return msgspec.json.encode({
        "stream": f"{symbol.lower()}@trade",
        "data": {
            "e": "trade", "E": time_ms, "s": symbol, "t": number, "p": f"{2683.8 + number % 50 / 100:.8f}",
            "q": f"{0.01 + number % 7 / 100:.8f}", "T": time_ms, "m": number % 2 == 0, "M": True,
        },
    })  # fmt: skip


def book_ticker(symbol: str, number: int, _time_ms: int) -> bytes:
    """A quote as Binance frames it: without a time."""
    return msgspec.json.encode({
        "stream": f"{symbol.lower()}@bookTicker",
        "data": {
            "u": number + 1, "s": symbol, "b": f"{2683.8 + number % 50 / 100:.8f}", "B": f"{1 + number % 7 / 100:.8f}",
            "a": f"{2683.9 + number % 50 / 100:.8f}", "A": f"{2 + number % 7 / 100:.8f}",
        },
    })  # fmt: skip


class Venue:
    """One client at a time; it is sent one frame per symbol at once, the rest after ``/go``."""

    def __init__(self, kind: str, count: int, burst: int) -> None:
        self.burst = burst
        self._make = trade if kind == "trades" else book_ticker
        self._per_symbol = count // len(SYMBOLS)
        self.frames: list[bytes] = []
        self.transport: WSTransport | None = None
        self.drained = asyncio.Event()
        self.sending: asyncio.Task[None] | None = None

    def first_frames(self) -> list[bytes]:
        """One a symbol, of this moment: a stream that brings old times would be refused."""
        return [self._make(symbol, 0, now_ms()) for symbol in SYMBOLS]

    async def go(self, _: web.Request) -> web.Response:
        """Makes all that is left, as of this moment, and sends it."""
        time_ms, make = now_ms(), self._make
        self.frames = [make(symbol, number, time_ms) for number in range(self._per_symbol + 1) for symbol in SYMBOLS]
        self.sending = asyncio.create_task(self._send())
        return web.json_response({})

    async def _send(self) -> None:
        transport = self.transport
        if transport is None:
            raise RuntimeError("nobody has connected")
        for number, frame in enumerate(self.frames[len(SYMBOLS) :]):
            if transport.is_disconnected:
                return
            transport.send(WSMsgType.TEXT, frame)
            if number % self.burst == 0:
                await self.drained.wait()
                await asyncio.sleep(0)

    async def page(self, request: web.Request) -> web.Response:
        """``historicalTrades``: whatever a client lets go it can ask for by id."""
        query = request.query
        first, rows = int(query["fromId"]), []
        index = SYMBOLS.index(query["symbol"])
        for number in range(first, min(first + 1000, len(self.frames) // len(SYMBOLS))):
            data = json.loads(self.frames[number * len(SYMBOLS) + index])["data"]
            rows.append({"id": data["t"], "price": data["p"], "qty": data["q"], "time": data["T"], "isBuyerMaker": data["m"]})
        return web.json_response(rows)


class Client(WSListener):
    """Takes the venue's one client."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self.venue.transport = transport
        self.venue.drained.set()
        transport.underlying_transport.set_write_buffer_limits(HIGH_WATER, HIGH_WATER // 4)
        self._greet(transport)

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            command = json.loads(frame.get_payload_as_bytes())
            transport.send(WSMsgType.TEXT, json.dumps({"result": None, "id": command["id"]}).encode())
            self._greet(transport)

    def _greet(self, transport: WSTransport) -> None:
        for frame in self.venue.first_frames():
            transport.send(WSMsgType.TEXT, frame)

    @override
    def pause_writing(self) -> None:
        self.venue.drained.clear()

    @override
    def resume_writing(self) -> None:
        self.venue.drained.set()


def ticker(symbol: str) -> dict[str, object]:
    """24 h figures of a symbol that has not traded."""
    prices = ("lastPrice", "lastQty", "volume", "quoteVolume", "openPrice", "highPrice", "lowPrice", "prevClosePrice")
    quotes = {"bidPrice": "1", "bidQty": "1", "askPrice": "2", "askQty": "1"}
    return {"symbol": symbol, **dict.fromkeys(prices, "1"), **quotes, "closeTime": now_ms(), "lastId": -1, "count": 0}


async def answer(request: web.Request) -> web.Response:
    """The REST side that an adapter needs to begin."""
    path = request.path.removeprefix("/api/v3/")
    query = parse_qs(urlsplit(str(request.rel_url)).query)
    if path == "time":
        return web.json_response({"serverTime": now_ms()})
    if path == "exchangeInfo":
        listed = [{"symbol": s, "status": "TRADING", "baseAsset": s[:-4], "quoteAsset": "USDT", "filters": []} for s in SYMBOLS]
        return web.json_response({"symbols": listed, "rateLimits": []})
    if path == "trades":
        return web.json_response([])
    if path == "depth":
        return web.json_response({"lastUpdateId": 0, "bids": [["1", "1"]], "asks": [["2", "1"]]})
    symbols = json.loads(query["symbols"][0]) if "symbols" in query else SYMBOLS  # without: who asks which is the busiest
    return web.json_response([ticker(symbol) for symbol in symbols])


async def serve(kind: str, count: int, burst: int) -> None:
    """Prints its two ports, serves until its input ends."""
    venue = Venue(kind, count, burst)

    def accept(_: WSUpgradeRequest) -> WSListener:
        return Client(venue)

    streams = await ws_create_server(accept, "127.0.0.1", 0)
    app = web.Application()
    app.router.add_get("/go", venue.go)
    app.router.add_get("/api/v3/historicalTrades", venue.page)
    app.router.add_get("/api/v3/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    rest_port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"rest": rest_port, "stream": streams.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    logging.disable()  # a client that hangs up with frames under way is no news here
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
