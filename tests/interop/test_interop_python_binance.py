"""python-binance against the exchange: REST, a multiplex socket, and its DepthCacheManager, in step."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from foxtrot.sandbox.exchange import Exchange
from tests.interop.reference import SECONDS, Comparison, Deadline, Reference, are_contiguous
from tests.sandbox.plain_client import running

pytest.importorskip("binance", reason="python-binance is not installed; `make interop` brings it")

from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
from binance.base_client import BaseClient

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(240)]


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with running(symbols=13, activity=3.0, has_past=True) as started:
        yield started
        assert not started.violations.counts


@pytest.fixture
async def client(exchange: Exchange) -> AsyncIterator[Any]:
    """python-binance, pointed at the exchange."""
    before = BaseClient.API_URL, BinanceSocketManager.STREAM_URL
    BaseClient.API_URL = f"http://127.0.0.1:{exchange.port}/api"
    BinanceSocketManager.STREAM_URL = f"ws://127.0.0.1:{exchange.port}/"
    made = await AsyncClient.create()
    yield made
    await made.close_connection()
    BaseClient.API_URL, BinanceSocketManager.STREAM_URL = before


async def test_rest(client: Any) -> None:
    """The market methods are understood."""
    assert (await client.get_server_time())["serverTime"] > 0
    assert (await client.get_symbol_info("BTCUSDT"))["baseAsset"] == "BTC"
    assert len((await client.get_order_book(symbol="BTCUSDT", limit=20))["bids"]) == 20
    assert len(await client.get_recent_trades(symbol="BTCUSDT", limit=10)) == 10
    assert len(await client.get_historical_trades(symbol="BTCUSDT", limit=10)) == 10
    assert len(await client.get_aggregate_trades(symbol="BTCUSDT", limit=10)) == 10
    assert len(await client.get_klines(symbol="BTCUSDT", interval="1m", limit=10)) == 10
    assert (await client.get_ticker(symbol="BTCUSDT"))["symbol"] == "BTCUSDT"
    assert len(await client.get_all_tickers()) == 13
    assert (await client.get_orderbook_ticker(symbol="BTCUSDT"))["bidPrice"]
    assert (await client.get_avg_price(symbol="BTCUSDT"))["mins"] == 5


async def test_book_and_trades_in_step(exchange: Exchange, client: Any) -> None:
    """The cache's top is the exchange's at the same id; the multiplex socket brings every trade id."""
    comparison, deadline = Comparison(Reference(exchange, "BTCUSDT")), Deadline(exchange.clock)
    ids: dict[str, list[int]] = {"BTCUSDT": [], "ETHUSDT": []}

    async def keep_book() -> None:
        async with DepthCacheManager(client, symbol="BTCUSDT", ws_interval=100, limit=1_000) as manager:
            while not deadline.is_over():
                cache = await manager.recv()
                bid, ask = cache.get_bids()[0], cache.get_asks()[0]
                comparison.take(manager._last_update_id, (bid[0], bid[1], ask[0], ask[1]))

    async def keep_trades() -> None:
        names = [f"{symbol.lower()}@trade" for symbol in ids]
        async with BinanceSocketManager(client).multiplex_socket(names) as socket:
            while not deadline.is_over():
                event = (await socket.recv())["data"]
                ids[event["s"]].append(event["t"])

    await asyncio.gather(keep_book(), keep_trades())
    assert not comparison.different
    assert comparison.equal > 2 * SECONDS
    assert all(are_contiguous(each) for each in ids.values())
