"""Streams: forms, commands, errors, limits, and the habits of clients in the wild."""

import itertools
import json
from typing import Any

import aiohttp
import pytest

from foxtrot.sandbox import commands
from foxtrot.sandbox.candles import INTERVALS_MS
from foxtrot.sandbox.exchange import Exchange
from foxtrot.sandbox.limits import LIFE_US
from foxtrot.sandbox.stream_names import Kind, parse
from tests.sandbox.plain_client import Client, running

KEYS = {
    "btcusdt@trade": "e E s t p q T m M",
    "btcusdt@aggTrade": "e E s a p q f l T m M",
    "btcusdt@bookTicker": "u s b B a A",
    "btcusdt@ticker": "e E s p P w x c Q b B a A o h l v q O C F L n",
    "btcusdt@miniTicker": "e E s c o h l v q",
    "btcusdt@ticker_1h": "e E s p P o h l c w v q O C F L n",
    "btcusdt@avgPrice": "e E s i w T",
    "btcusdt@kline_1s": "e E s k",
    "btcusdt@kline_1m": "e E s k",
    "btcusdt@kline_1d@+08:00": "e E s k",
    "btcusdt@depth": "e E s U u b a",
    "btcusdt@depth@100ms": "e E s U u b a",
    "btcusdt@depth5": "lastUpdateId bids asks",
    "btcusdt@depth20@100ms": "lastUpdateId bids asks",
}


async def test_every_stream_has_its_documented_keys(client: Client) -> None:
    """Each payload has exactly the keys of the documentation, in its order."""
    missing = dict(KEYS)
    async with client.stream("/stream?streams=" + "/".join(KEYS)) as stream:
        while missing:
            event = await stream.next()
            wanted = missing.pop(event["stream"], None)
            if wanted:
                assert list(event["data"]) == wanted.split()
    assert not missing


async def test_all_market_streams_send_what_changed(client: Client) -> None:
    """The two arrays hold tickers of several symbols."""
    async with client.stream("/stream?streams=!miniTicker@arr/!ticker_1h@arr") as stream:
        seen: dict[str, set[str]] = {}
        while len(seen) < 2:
            event = await stream.next()
            seen[event["stream"]] = {each["e"] for each in event["data"]}
    assert seen == {"!miniTicker@arr": {"24hrMiniTicker"}, "!ticker_1h@arr": {"1hTicker"}}


async def test_raw_connections_send_bare_payloads(client: Client) -> None:
    """``/ws/a/b`` sends events without the envelope, ``/stream`` with it."""
    async with client.stream("/ws/btcusdt@trade/ethusdt@trade") as stream:
        assert (await stream.next())["e"] == "trade"
    async with client.stream("/stream?streams=btcusdt@trade") as stream:
        assert set(await stream.next()) == {"stream", "data"}


async def test_ids_are_contiguous_on_the_wire(client: Client) -> None:
    """Trades and depth frames follow each other without a gap."""
    async with client.stream("/stream?streams=btcusdt@trade/btcusdt@depth@100ms") as stream:
        events = await stream.take(80)
    trades = [each["data"] for each in events if each["stream"].endswith("trade")]
    diffs = [each["data"] for each in events if not each["stream"].endswith("trade")]
    assert all(b["t"] == a["t"] + 1 for a, b in itertools.pairwise(trades))
    assert all(b["U"] == a["u"] + 1 for a, b in itertools.pairwise(diffs))


def lay(book: list[dict[str, str]], event: dict[str, Any]) -> int:
    """Lays a diff over bids and asks; returns its last id."""
    for side, rows in zip(book, (event["b"], event["a"]), strict=True):
        side.update(rows)
        for price in [price for price, size in side.items() if not float(size)]:
            del side[price]
    return int(event["u"])


async def test_a_snapshot_joins_the_diffs(client: Client) -> None:
    """The documented procedure: the first frame bridges the snapshot, the next follow, and a later snapshot is equal."""
    async with client.stream("/ws/btcusdt@depth@100ms") as stream:
        assert (await stream.next())["e"] == "depthUpdate"
        snapshot = await client.body("/api/v3/depth?symbol=BTCUSDT&limit=5000")
        book, update_id = [dict(snapshot["bids"]), dict(snapshot["asks"])], snapshot["lastUpdateId"]
        for _ in range(100):
            event = await stream.next()
            assert event["U"] <= update_id + 1
            update_id = lay(book, event) if event["u"] > update_id else update_id
            later = await client.body("/api/v3/depth?symbol=BTCUSDT&limit=1000")
            if later["lastUpdateId"] == update_id:
                assert [dict(later["bids"]), dict(later["asks"])] == book
                return
    pytest.fail("no snapshot fell between two frames")


async def test_microseconds_on_request(client: Client) -> None:
    """``timeUnit`` in any case turns every time into microseconds."""
    async with client.stream("/ws/btcusdt@trade?timeUnit=microsecond") as stream:
        assert len(str((await stream.next())["T"])) == 16
    async with client.stream("/stream?streams=btcusdt@kline_1m/btcusdt@ticker&timeUnit=MICROSECOND") as stream:
        event = await stream.until(lambda found: found["stream"].endswith("kline_1m"))
        assert event["data"]["k"]["T"] % 60_000_000 == 59_999_999


async def test_candles_close_once(client: Client) -> None:
    """Of each second one closed candle comes, in order, and only closed ones of what is over."""
    async with client.stream("/ws/btcusdt@kline_1s") as stream:
        candles = [event["k"] for event in await stream.take(3)]
    assert all(each["x"] for each in candles)
    assert all(b["t"] == a["t"] + 1_000 for a, b in itertools.pairwise(candles))


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/stream", "/stream?streams=", "/ws/0"])
async def test_habits_of_clients_are_accepted(client: Client, path: str) -> None:
    """Bare, empty and made-up addresses open, and SUBSCRIBE then works."""
    async with client.stream(path) as stream:
        assert (await stream.ask("SUBSCRIBE", ["btcusdt@trade"]))["result"] is None
        event = await stream.next()
        assert event.get("e") == "trade" or event["data"]["e"] == "trade"


async def test_an_encoded_address_is_accepted(client: Client) -> None:
    """A percent-encoded address means the same."""
    async with client.stream("/ws/btcusdt%40trade") as stream:
        assert (await stream.next())["e"] == "trade"


@pytest.mark.parametrize("request_id", [1, -5, "abc", "0b1f7c3e-5d7e-4c36-9f0e-0d8b5a2b7c11", None, (1 << 63) - 1])
async def test_ids_are_echoed(client: Client, request_id: object) -> None:
    """Integers, strings, UUIDs and null come back as they were sent."""
    async with client.stream("/ws") as stream:
        assert await stream.ask("LIST_SUBSCRIPTIONS", request_id=request_id) == {"result": [], "id": request_id}


async def test_subscriptions_come_and_go(client: Client) -> None:
    """SUBSCRIBE adds, LIST lists, UNSUBSCRIBE ends; an unknown name is acknowledged and stays silent."""
    async with client.stream("/ws") as stream:
        await stream.ask("SUBSCRIBE", ["btcusdt@trade", "nope@nothing"])
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade", "nope@nothing"]
        await stream.ask("UNSUBSCRIBE", ["btcusdt@trade"])
        assert await stream.quiet(0.3)


async def test_the_form_can_be_changed(client: Client) -> None:
    """GET_PROPERTY tells the form, SET_PROPERTY changes it for what is subscribed."""
    async with client.stream("/ws/btcusdt@trade") as stream:
        assert (await stream.ask("GET_PROPERTY", ["combined"]))["result"] is False
        await stream.ask("SET_PROPERTY", ["combined", True])
        assert "stream" in await stream.next()
    async with client.stream("/stream") as stream:
        assert (await stream.ask("GET_PROPERTY", ["combined"]))["result"] is True


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", 3),
        ("[1,2]", 2),
        ('{"id":1}', 2),
        ('{"method":"JUMP","id":1}', 2),
        ('{"method":"SUBSCRIBE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"a","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["a"],"id":1.5}', 2),
        ('{"method":"SUBSCRIBE","params":["a"],"id":"x y"}', 2),
        ('{"method":"SUBSCRIBE","params":["a"],"id":9223372036854775808}', 2),
        ('{"method":"SUBSCRIBE","params":["a"],"id":true}', 2),
        ('{"method":"SUBSCRIBE","params":["a"],"id":1,"more":2}', 2),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1),
        ('{"method":"SET_PROPERTY","params":["combined"],"id":1}', 1),
        ('{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}', 2),
        ('{"method":"SET_PROPERTY","params":["other",true],"id":1}', 0),
        ('{"method":"GET_PROPERTY","params":["other"],"id":1}', 0),
        ('{"method":"GET_PROPERTY","params":["combined",1],"id":1}', 2),
        ('{"method":"GET_PROPERTY","id":1}', 2),
        (json.dumps({"method": "SUBSCRIBE", "params": ["x" * 101], "id": 1}), 2),
        (json.dumps({"method": "SUBSCRIBE", "params": ["x"] * 1_025, "id": 1}), 2),
    ],
)
def test_wrong_commands_get_binance_errors(text: str, code: int) -> None:
    """Each mistake has its code."""
    found = commands.parse(text)
    assert isinstance(found, commands.Refusal)
    assert found.code == code
    assert json.loads(commands.refuse(found))["error"]["code"] == code


async def test_a_wrong_command_does_not_end_the_connection(client: Client) -> None:
    """An error is answered, data goes on."""
    async with client.stream("/ws/btcusdt@trade") as stream:
        await stream.socket.send_str("{")
        assert (await stream.until(lambda found: "error" in found))["error"]["code"] == 3
        await stream.socket.send_bytes(b"\x00\x01")
        assert (await stream.until(lambda found: "error" in found))["error"]["code"] == 3
        assert (await stream.until(lambda found: found.get("e") == "trade"))["e"] == "trade"


async def test_the_sixth_message_in_a_second_is_the_last(exchange: Exchange, client: Client) -> None:
    """Five commands are answered, a sixth within the second ends the connection and is recorded."""
    async with client.stream("/ws") as stream:
        for number in range(6):
            await stream.socket.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        ended = await stream.end()
    assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 1008)
    assert exchange.violations.counts == {"messages": 1}


async def test_pings_count_as_messages(exchange: Exchange, client: Client) -> None:
    """Pings of the client are answered, and count."""
    async with client.stream("/ws", autoping=False) as stream:
        for _ in range(5):
            await stream.socket.ping(b"hello")
        assert (await stream.socket.receive()).data == b"hello"
        await stream.socket.ping(b"hello")
        while (message := await stream.socket.receive()).type == aiohttp.WSMsgType.PONG:
            pass
    assert message.type == aiohttp.WSMsgType.CLOSE
    assert exchange.violations.counts == {"messages": 1}


async def test_more_than_1024_streams_are_refused(exchange: Exchange, client: Client) -> None:
    """1,024 are taken, one more is an error; at the address it ends the connection."""
    async with client.stream("/ws") as stream:
        assert (await stream.ask("SUBSCRIBE", [f"x{number}@trade" for number in range(1_024)]))["result"] is None
        assert (await stream.ask("SUBSCRIBE", ["one@more"]))["error"]["code"] == 2
    assert exchange.violations.counts == {"streams": 1}


async def test_an_address_may_name_1024_streams(exchange: Exchange, client: Client) -> None:
    """So many are taken from the address, too; one more ends the connection."""
    names = [f"symbol{number}usdt@depth@100ms" for number in range(1_023)]
    async with client.stream("/stream?streams=" + "/".join([*names, "btcusdt@trade"])) as stream:
        assert (await stream.next())["stream"] == "btcusdt@trade"
    async with client.stream("/stream?streams=" + "/".join([*names, "one@more", "and@another"])) as stream:
        assert (await stream.end()).data == 1008
    assert exchange.violations.counts == {"streams": 1}


async def test_three_hundred_connects_in_five_minutes(exchange: Exchange, client: Client) -> None:
    """The 301st upgrade is answered with 429."""
    for _ in range(299):
        exchange.limits.connect("127.0.0.1", exchange.limit_us())
    async with client.stream("/ws"):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        async with client.stream("/ws"):
            pass
    assert error.value.status == 429


async def test_pings_come_and_want_their_pong() -> None:
    """Every 20 s a ping; who does not answer is cut off after a minute, who answers is kept for the day."""
    async with running(time_scale=200.0, activity=0.01) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        async with client.stream("/ws", autoping=False) as stream:
            first = await stream.socket.receive(timeout=5)
            assert first.type == aiohttp.WSMsgType.PING
            while (message := await stream.socket.receive(timeout=5)).type == aiohttp.WSMsgType.PING:
                pass
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        assert exchange.violations.counts == {"no_pong": 1}


async def test_a_connection_ends_after_a_day(exchange: Exchange, client: Client) -> None:
    """A connection that was opened 24 hours ago is closed, and nobody is blamed."""
    async with client.stream("/ws/btcusdt@trade") as stream:
        await stream.next()
        for connection in exchange.connections:
            connection.keep_alive.opened_us -= LIFE_US
        ended = await stream.end()
    assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    assert not exchange.violations.counts


async def test_a_client_that_does_not_read_is_cut_off(exchange: Exchange, client: Client) -> None:
    """What waits for one client is bounded; others notice nothing."""
    await client.chaos("oversize", symbol="ETHUSDT", bytes=1_000_000)
    async with client.stream("/ws/btcusdt@trade") as healthy, client.stream("/ws/ethusdt@depth@100ms") as lazy:
        lazy.stop_reading()
        while "slow_reader" not in exchange.violations.counts:
            assert (await healthy.next())["e"] == "trade"
        assert (await healthy.next())["e"] == "trade"
        lazy.stop_reading(is_stopped=False)


def test_stream_names_are_taken_apart() -> None:
    """Every kind of name; what is no stream has no kind."""
    kinds: dict[str, Any] = {name: parse(name) for name in KEYS}
    assert all(found and found.symbol == "BTCUSDT" for found in kinds.values())
    for interval in INTERVALS_MS:
        found = parse(f"btcusdt@kline_{interval}")
        assert found
        assert (found.kind, found.interval) == (Kind.KLINE, interval)
    for name in (
        "BTCUSDT@trade",
        "btcusdt",
        "@trade",
        "btcusdt@kline_7m",
        "!ticker@arr",
        "btcusdt@depth7",
        "btcusdt@ticker_2h",
        "",
    ):
        assert parse(name) is None
