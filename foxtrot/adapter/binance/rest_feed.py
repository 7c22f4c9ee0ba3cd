"""Binance's REST market data as the transports ask for it: paths, weights, typed answers (binance.md, section 4)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from foxtrot.adapter.binance.api_client import BinanceApiClient
from foxtrot.adapter.binance.binance_mappings import (
    AggTradeBody,
    BookTickerBody,
    DepthBody,
    ExchangeInfoBody,
    TickerBody,
    TimeBody,
    TradeBody,
    to_agg_trade,
    to_anchor,
    to_public_trade,
    to_quote,
    to_stats,
)
from foxtrot.adapter.binance.depth_mappings import to_depth
from foxtrot.adapter.binance.intervals import parse
from foxtrot.adapter.binance.kline_mappings import KlineRow, to_bars
from foxtrot.transport.base import Answer, Cursor, Depth, Draft, Item, LaneKey, Quote
from foxtrot.util.channel import interval_of
from foxtrot.util.clock import Clock
from foxtrot.util.constants import Channel, Source
from foxtrot.util.errors import BadAnswer

PAGE: Final = 1000
POLL_TIMEOUT: Final = 2.5
ANCHOR_TIMEOUT: Final = 1.5
PAGE_TIMEOUT: Final = 5.0
MARKETS_TIMEOUT: Final = 10.0
DEPTH_TIMEOUT: Final = 2.5
SMALL_DEPTH: Final = 500
"""Levels a side up to which an answer is read at once: larger ones take some milliseconds."""

ANCHOR_DEPTH: Final = 5

_WEIGHTS: Final = {
    "anchor": 5,
    "book_ticker": 4,
    "busiest": 80,
    "exchange_info": 20,
    "halted": 20,
    "server_time": 1,
    f"newest:{Channel.TRADES}": 25,
    f"newest:{Channel.AGG_TRADES}": 4,
    f"page:{Channel.TRADES}": 25,
    f"page:{Channel.AGG_TRADES}": 4,
    f"newest:{Channel.BARS}": 2,
    f"page:{Channel.BARS}": 2,
}
_DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1000, 50), (5000, 250))  # up to so many levels a side

TRADING: Final = "TRADING"

_T = TypeVar("_T")


class _Count(msgspec.Struct, gc=False):
    """What ``busiest`` reads of a ``ticker/24hr``."""

    symbol: str
    count: int


class _Status(msgspec.Struct, gc=False):
    """What ``halted`` reads of a symbol."""

    symbol: str
    status: str


class _Statuses(msgspec.Struct):
    """What ``halted`` reads of an ``exchangeInfo``."""

    symbols: list[_Status]


class BinanceRest:
    """One request a call, of a weight known before it is sent."""

    def __init__(self, client: BinanceApiClient, clock: Clock, adapter_name: str, spend: Callable[[int], None]) -> None:
        self._client = client
        self._clock = clock
        self._adapter_name = adapter_name
        self._spend = spend  # books a repeated attempt; the first one was booked by whoever asked

    @property
    def page_size(self) -> int:
        """Binance's own maximum."""
        return PAGE

    def weight(self, call: str, key: LaneKey | None = None, count: int = 1) -> int:
        """Documented weight. ``ticker``: 2 up to 20 symbols, 40 up to 100, 80 above. ``depth``: by levels, of 5,000 at most."""
        if call == "ticker":
            return 2 if count <= 20 else 40 if count <= 100 else 80  # noqa: PLR2004 -- Binance's own steps
        if call == "depth":
            return next((weight for most, weight in _DEPTH_WEIGHTS if count <= most), _DEPTH_WEIGHTS[-1][1])
        return _WEIGHTS[f"{call}:{key.channel.partition(':')[0]}" if key is not None else call]

    async def ticker(self, symbols: Sequence[str]) -> Mapping[str, Answer]:
        """``ticker/24hr`` of up to 20 symbols."""
        asked = self._clock.now_ns()
        names = msgspec.json.encode(list(symbols)).decode()
        rows = await self._get("ticker/24hr", {"symbols": names}, list[TickerBody], POLL_TIMEOUT)
        now = self._clock.now_ns()
        return {row.symbol: Answer(row.symbol, to_quote(row, asked, now), to_stats(row, now)) for row in rows}

    async def book_ticker(self) -> Mapping[str, Answer]:
        """``ticker/bookTicker`` of all symbols; some thousand rows, read in a worker."""
        asked = self._clock.now_ns()
        body = await self._client.get("ticker/bookTicker", timeout=POLL_TIMEOUT)
        return await asyncio.to_thread(_book_tickers, body, asked, self._clock.now_ns())

    async def anchor(self, symbol: str) -> Quote:
        """``depth`` of 5 levels."""
        asked = self._clock.now_ns()
        body = await self._get("depth", {"symbol": symbol, "limit": ANCHOR_DEPTH}, DepthBody, ANCHOR_TIMEOUT)
        return to_anchor(body, asked, self._clock.now_ns())

    async def depth(self, symbol: str, limit: int) -> Depth:
        """``depth`` of so many levels a side; large ones take some milliseconds: they are read in a worker."""
        asked = self._clock.now_ns()
        body = await self._client.get("depth", {"symbol": symbol, "limit": limit}, timeout=DEPTH_TIMEOUT)
        received = self._clock.now_ns()
        if limit <= SMALL_DEPTH:
            return to_depth(_decoded("depth", body, DepthBody), limit, asked, received)
        return to_depth(await asyncio.to_thread(_decoded, "depth", body, DepthBody), limit, asked, received)

    async def newest(self, key: LaneKey, before_ms: int) -> Cursor:
        """The last aggregate trade; the last closed bar; or the last of the 1,000 newest trades older than ``before_ms``."""
        if interval_of(key.channel):
            bars = await self._bars(key, {"limit": 1}, Source.POLL, POLL_TIMEOUT)
            return Cursor(bars[-1].id - 1 if bars else -1, -1)
        if key.channel == Channel.AGG_TRADES:
            rows = await self._get("aggTrades", {"symbol": key.symbol, "limit": 1}, list[AggTradeBody], POLL_TIMEOUT)
            return Cursor(rows[-1].id, rows[-1].last_trade_id) if rows else Cursor(-1, -1)
        trades = await self._get("trades", {"symbol": key.symbol, "limit": PAGE}, list[TradeBody], POLL_TIMEOUT)
        newest = max((trade.id for trade in trades if trade.time < before_ms), default=-1)
        return Cursor(newest, newest)

    async def page(self, key: LaneKey, first: int, source: Source) -> Sequence[Item | Draft]:
        """``historicalTrades``, ``aggTrades`` or ``klines`` from an id on; tried again on what may pass."""
        name = self._adapter_name
        weight = self.weight("page", key)
        if interval := interval_of(key.channel):
            since: dict[str, str | int] = {"startTime": max(0, parse(interval).open_ms(first)), "limit": PAGE}
            return await self._retried(lambda: self._bars(key, since, source, PAGE_TIMEOUT), weight)
        params: dict[str, str | int] = {"symbol": key.symbol, "fromId": first, "limit": PAGE}
        if key.channel == Channel.AGG_TRADES:
            aggregates = await self._retried(lambda: self._get("aggTrades", params, list[AggTradeBody], PAGE_TIMEOUT), weight)
            now = self._clock.now_ns()
            return [to_agg_trade(name, key.symbol, row, source, now) for row in aggregates]
        trades = await self._retried(lambda: self._get("historicalTrades", params, list[TradeBody], PAGE_TIMEOUT), weight)
        now = self._clock.now_ns()
        return [to_public_trade(name, key.symbol, row, source, now) for row in trades]

    async def exchange_info(self) -> ExchangeInfoBody:
        """Every symbol with its rules, and the rate limits; megabytes, decoded in a worker."""
        body = await self._client.get("exchangeInfo", timeout=MARKETS_TIMEOUT)
        return await asyncio.to_thread(_decoded, "exchangeInfo", body, ExchangeInfoBody)

    async def busiest(self, without: Collection[str] = ()) -> str:
        """``ticker/24hr`` of all symbols, in its short form; some thousand rows, read in a worker. Raises BadAnswer for none."""
        body = await self._client.get("ticker/24hr", {"type": "MINI"}, timeout=MARKETS_TIMEOUT)
        return await asyncio.to_thread(_busiest, body, without)

    async def halted(self, symbols: Sequence[str]) -> set[str]:
        """Those whose status in ``exchangeInfo`` is not TRADING; only names and statuses are decoded, in a worker."""
        names = msgspec.json.encode(list(symbols)).decode()
        body = await self._client.get("exchangeInfo", {"symbols": names}, timeout=MARKETS_TIMEOUT)
        found = await asyncio.to_thread(_decoded, "exchangeInfo", body, _Statuses)
        return {row.symbol for row in found.symbols if row.status != TRADING}

    async def server_time(self) -> int:
        """The venue's clock, milliseconds since 1970 UTC."""
        return (await self._get("time", {}, TimeBody, POLL_TIMEOUT)).server_time

    async def _bars(self, key: LaneKey, span: Mapping[str, str | int], source: Source, timeout: float) -> list[Item | Draft]:  # noqa: ASYNC109 -- handed on
        interval = parse(interval_of(key.channel))
        params = {"symbol": key.symbol, "interval": interval.text, **span}
        rows = await self._get("klines", params, list[KlineRow], timeout)
        try:
            return to_bars(self._adapter_name, key.symbol, interval, rows, source, self._clock.now_ns())
        except msgspec.ValidationError as error:
            raise BadAnswer(f"GET klines: {error}") from error

    async def _retried(self, ask: Callable[[], Awaitable[_T]], weight: int) -> _T:
        async def once() -> _T:  # tenacity awaits what is a coroutine function by its kind
            return await ask()

        return await self._client.retried(once, lambda: self._spend(weight))

    async def _get(self, path: str, params: Mapping[str, str | int], kind: type[_T], timeout: float) -> _T:  # noqa: ASYNC109 -- handed on
        return _decoded(path, await self._client.get(path, params, timeout=timeout), kind)


def _book_tickers(body: str, asked_ns: int, received_ns: int) -> dict[str, Answer]:
    rows = _decoded("ticker/bookTicker", body, list[BookTickerBody])
    return {row.symbol: Answer(row.symbol, to_quote(row, asked_ns, received_ns), None) for row in rows}


def _busiest(body: str, without: Collection[str]) -> str:
    rows = [row for row in _decoded("ticker/24hr", body, list[_Count]) if row.symbol not in without]
    if not rows:
        raise BadAnswer("GET ticker/24hr: the venue names no symbol")
    return max(rows, key=lambda row: row.count).symbol


def _decoded(path: str, body: str, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadAnswer(f"GET {path}: the answer does not fit its documented shape: {error}") from error
