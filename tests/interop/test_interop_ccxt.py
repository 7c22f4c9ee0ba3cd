"""ccxt.pro against the exchange: its methods for the market side, and a book kept in step."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import ccxt.pro
import pytest

from foxtrot.sandbox.exchange import Exchange
from tests.interop.reference import SECONDS, Comparison, Deadline, Reference, are_contiguous
from tests.sandbox.plain_client import running

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(240)]
SYMBOL = "BTC/USDT"


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with running(symbols=13, activity=3.0, has_past=True) as started:
        yield started
        assert not started.violations.counts


@pytest.fixture
async def client(exchange: Exchange) -> AsyncIterator[Any]:
    """ccxt.pro, pointed at the exchange."""
    rest, stream = f"http://127.0.0.1:{exchange.port}/api/v3", f"ws://127.0.0.1:{exchange.port}"
    made = ccxt.pro.binance(
        {"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}}
    )
    made.urls["api"].update({"public": rest, "private": rest, "ws": {**made.urls["api"]["ws"], "spot": f"{stream}/ws"}})
    yield made
    await made.close()


async def test_rest(client: Any) -> None:
    """Markets, tickers, book, trades and candles are understood."""
    markets = await client.load_markets()
    assert (markets[SYMBOL]["precision"]["amount"], markets[SYMBOL]["precision"]["price"]) == (1e-05, 0.01)
    assert markets[SYMBOL]["limits"]["cost"]["min"] == 5.0
    assert (await client.fetch_ticker(SYMBOL))["last"] > 0
    assert set(await client.fetch_tickers([SYMBOL, "ETH/USDT"])) == {SYMBOL, "ETH/USDT"}
    assert len(await client.fetch_bids_asks()) == 13
    book = await client.fetch_order_book(SYMBOL, 50)
    assert len(book["bids"]) == 50
    assert book["bids"][0][0] < book["asks"][0][0]
    trades = await client.fetch_trades(SYMBOL, limit=100)
    assert len(trades) == 100
    candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=30)
    assert len(candles) == 30
    assert (await client.fetch_time()) > 0


async def test_book_and_trades_in_step(exchange: Exchange, client: Any) -> None:
    """The book's top is the exchange's at the same id, every trade id arrives."""
    comparison, deadline = Comparison(Reference(exchange, "BTCUSDT")), Deadline(exchange.clock)
    ids: list[int] = []

    async def keep_book() -> None:
        while not deadline.is_over():
            book = await client.watch_order_book(SYMBOL)
            bid, ask = book["bids"][0], book["asks"][0]
            comparison.take(book["nonce"], (bid[0], bid[1], ask[0], ask[1]))

    async def keep_trades() -> None:
        while not deadline.is_over():
            ids.extend(int(each["id"]) for each in await client.watch_trades(SYMBOL))

    await asyncio.gather(keep_book(), keep_trades())
    assert not comparison.different
    assert comparison.equal > 2 * SECONDS
    assert are_contiguous(ids)


async def test_tickers_quotes_and_candles(client: Any) -> None:
    """The other watch methods deliver."""
    ticker = await client.watch_ticker(SYMBOL)
    assert ticker["last"] > 0
    tickers = await client.watch_tickers([SYMBOL, "ETH/USDT"])
    assert tickers
    quotes = await client.watch_bids_asks([SYMBOL, "ETH/USDT"])
    assert all(each["bid"] < each["ask"] for each in quotes.values())
    candles = await client.watch_ohlcv(SYMBOL, "1m")
    assert candles[-1][4] > 0
