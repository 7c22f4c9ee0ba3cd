"""binance-sdk-spot, the official client, against the exchange: REST, streams, and a book kept in step."""

import asyncio
from typing import Any

import pytest

from foxtrot.sandbox.exchange import Exchange
from tests.interop.reference import SECONDS, Comparison, Deadline, Reference, are_contiguous
from tests.sandbox.plain_client import running

pytest.importorskip("binance_sdk_spot", reason="binance-sdk-spot is not installed; `make interop` brings it")

from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from binance_sdk_spot.spot import Spot

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(240)]


def official(exchange: Exchange) -> Any:
    """The official client, pointed at the exchange."""
    rest = ConfigurationRestAPI(api_key="", api_secret="", base_path=f"http://127.0.0.1:{exchange.port}", timeout=5_000)
    return Spot(
        config_rest_api=rest, config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"ws://127.0.0.1:{exchange.port}")
    )


def look(client: Any) -> dict[str, Any]:
    """Asks what the client's (blocking) REST side offers for the market."""
    rest = client.rest_api
    return {
        "time": rest.time().data(),
        "info": rest.exchange_info(symbol="BTCUSDT").data(),
        "depth": rest.depth(symbol="BTCUSDT", limit=10).data(),
        "trades": rest.get_trades(symbol="BTCUSDT", limit=10).data(),
        "history": rest.historical_trades(symbol="BTCUSDT", limit=10).data(),
        "aggs": rest.agg_trades(symbol="BTCUSDT", limit=10).data(),
        "klines": rest.klines(symbol="BTCUSDT", interval="1m", limit=10).data(),
        "average": rest.avg_price(symbol="BTCUSDT").data(),
        "day": rest.ticker24hr(symbol="BTCUSDT").data(),
        "price": rest.ticker_price(symbol="BTCUSDT").data(),
        "quote": rest.ticker_book_ticker(symbol="BTCUSDT").data(),
        "window": rest.ticker(symbol="BTCUSDT", window_size="1h").data(),
    }


async def test_rest() -> None:
    """Each answer fits the client's own models."""
    async with running(symbols=13, has_past=True) as exchange:
        found = await asyncio.to_thread(look, official(exchange))
        assert found["time"].server_time > 0
        assert found["info"].symbols[0].base_asset == "BTC"
        assert len(found["depth"].bids) == 10
        assert [len(found[name]) for name in ("trades", "history", "aggs", "klines")] == [10, 10, 10, 10]
        assert found["average"].mins == 5
        assert not exchange.violations.counts


async def test_book_and_trades_in_step() -> None:
    """A book kept from the client's diff stream has the exchange's top at the same id; every trade id arrives."""
    async with running(symbols=13, activity=3.0, has_past=True) as exchange:
        comparison, deadline = Comparison(Reference(exchange, "BTCUSDT")), Deadline(exchange.clock)
        client = official(exchange)
        diffs: asyncio.Queue[Any] = asyncio.Queue()
        ids: list[int] = []
        connection = await client.websocket_streams.create_connection()
        depth = await connection.diff_book_depth(symbol="btcusdt", update_speed="100ms")
        depth.on("message", diffs.put_nowait)
        trades = await connection.trade(symbol="btcusdt")
        trades.on("message", lambda event: ids.append(event.t))
        first = await diffs.get()
        snapshot = await asyncio.to_thread(lambda: client.rest_api.depth(symbol="BTCUSDT", limit=5_000).data())
        assert snapshot.last_update_id + 1 >= first.U
        bids, asks = dict(snapshot.bids), dict(snapshot.asks)
        update_id = snapshot.last_update_id
        while not deadline.is_over():
            event = await diffs.get()
            if event.u <= update_id:
                continue
            assert update_id + 1 >= event.U
            for side, rows in ((bids, event.b), (asks, event.a)):
                side.update(rows)
                for price in [price for price, size in side.items() if not float(size)]:
                    del side[price]
            update_id = event.u
            bid, ask = max(bids, key=float), min(asks, key=float)
            comparison.take(update_id, (float(bid), float(bids[bid]), float(ask), float(asks[ask])))
        await connection.close_connection(close_session=True)
        assert not comparison.different
        assert comparison.equal > 2 * SECONDS
        assert are_contiguous(ids)
        assert not exchange.violations.counts
