"""Each fault of the registry, seen by a plain client."""

import asyncio
import itertools
import json
import math
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from foxtrot.sandbox.control import Control
from foxtrot.sandbox.exchange import Exchange
from foxtrot.sandbox.fault_board import Fault, FaultBoard
from foxtrot.sandbox.faults import FAULTS, Side, check_params, describe, find
from foxtrot.sandbox.limits import Violations
from foxtrot.sandbox.source import Source
from foxtrot.util.clock import Clock
from foxtrot.util.errors import ConfigError
from tests.sandbox.plain_client import Client, running

TRADES = "/ws/btcusdt@trade"
WSMsgType = aiohttp.WSMsgType


def test_every_fault_has_a_test() -> None:
    """The registry and this module know the same faults."""
    tested = {name.removeprefix("test_fault_").replace("_", "-") for name in globals() if name.startswith("test_fault_")}
    assert tested == set(FAULTS)


def test_the_docs_list_every_fault() -> None:
    """Each fault has its line in the documentation, in the registry's own words."""
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    for spec in FAULTS.values():
        assert f"| `{spec.name}` |" in text
        assert f"| {spec.effect} | {spec.imitates} |" in text
        assert all(
            f"`{name}` ({each.default:.15g}): {each.meaning}; {each.allowed}" in text for name, each in spec.params.items()
        )


# whole connections


async def test_fault_close(client: Client) -> None:
    """Connections with the symbol get a close frame with the code; others stay; who comes back meanwhile goes again."""
    async with client.stream(TRADES) as struck, client.stream("/ws/ethusdt@trade") as spared:
        assert (await client.chaos("close", symbol="BTCUSDT", code=1012, seconds=30))["struck"] == 1
        ended = await struck.end()
        assert (ended.type, ended.data) == (WSMsgType.CLOSE, 1012)
        async with client.stream(TRADES) as back:
            assert (await back.end()).data == 1012
        assert (await spared.next())["e"] == "trade"


async def test_fault_reset(client: Client) -> None:
    """The socket ends without a close frame."""
    async with client.stream(TRADES) as stream:
        await stream.next()
        await client.chaos("reset")
        assert (await stream.end()).type in {WSMsgType.CLOSED, WSMsgType.ERROR}


async def test_fault_cut_24h(client: Client) -> None:
    """A going-away close, as after a day."""
    async with client.stream(TRADES) as stream:
        await client.chaos("cut-24h")
        assert (await stream.end()).data == 1001


@pytest.mark.parametrize("path", ["/ws/ethusdt@kline_1M", "/stream?streams=ethusdt@kline_1M"])
async def test_fault_server_shutdown(client: Client, path: str) -> None:
    """The notice comes in the connection's form, then, after the lead, the close."""
    async with client.stream(path) as stream:
        await client.chaos("server-shutdown", lead=0.2)
        notice = await stream.until(lambda found: "shutdown" in json.dumps(found).lower())
        if path.startswith("/stream"):
            assert notice["stream"] == "!serverShutdown"
            notice = notice["data"]
        assert notice["e"] == "serverShutdown"
        assert notice["E"] > 0
        assert (await stream.end()).data == 1001


async def test_fault_black_hole(client: Client) -> None:
    """Nothing comes and nothing is answered; at the fault's end the socket is reset."""
    async with client.stream(TRADES) as stream:
        await stream.next()
        fault = await client.chaos("black-hole")
        await stream.socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        while not await stream.quiet(0.3):
            pass
        assert not stream.socket.closed
        await client.get(f"/sandbox/faults/{fault['id']}", "DELETE")
        assert (await stream.end()).type in {WSMsgType.CLOSED, WSMsgType.ERROR}


async def test_fault_stall(client: Client) -> None:
    """Data and answers wait while the fault lasts, and then come whole and in order."""
    async with client.stream(TRADES, autoping=False) as stream:
        first = await stream.next()
        await client.chaos("stall")
        while not await stream.quiet(0.3):
            pass
        await client.get("/sandbox/faults", "DELETE")
        ids = [each["t"] for each in await stream.take(10)]
        assert ids == list(range(ids[0], ids[0] + 10))
        assert ids[0] > first["t"]


async def test_fault_delay_connection(client: Client) -> None:
    """Answers come later, in order."""
    async with client.stream("/ws") as stream:
        await client.chaos("delay-connection", ms=300)
        started = asyncio.get_running_loop().time()
        await stream.ask("LIST_SUBSCRIPTIONS")
        assert asyncio.get_running_loop().time() - started >= 0.3


async def test_fault_ping_flood(client: Client) -> None:
    """Many pings a second; a client that answers each one breaks its own message limit."""
    await client.chaos("ping-flood", per_second=50)
    async with client.stream("/ws", autoping=False) as stream:
        pings = [await stream.socket.receive(timeout=5) for _ in range(10)]
        assert {each.type for each in pings} == {WSMsgType.PING}


# single events


async def test_fault_mute(client: Client) -> None:
    """The symbol's data stops, acknowledgements and other symbols go on, and it comes back."""
    async with client.stream("/stream?streams=btcusdt@trade/ethusdt@trade") as stream:
        await client.chaos("mute", symbol="btcusdt", seconds=2)
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["id"] == 1  # what was sent before lies behind
        assert all(each["stream"] == "ethusdt@trade" for each in await stream.take(2))
        await stream.until(lambda found: found.get("stream") == "btcusdt@trade")


async def test_fault_first_data_never(client: Client) -> None:
    """A subscription made meanwhile brings nothing, one made before goes on."""
    async with client.stream(TRADES) as older:
        await client.chaos("first-data-never")
        async with client.stream(TRADES) as younger:
            assert (await older.next())["e"] == "trade"
            assert (await younger.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade"]
            assert await younger.quiet(0.5)


async def test_fault_delay(client: Client) -> None:
    """Frames of one symbol come later and in order; those of the other do not."""
    async with client.stream(TRADES) as late, client.stream(TRADES) as _:
        await late.next()
        await client.chaos("delay", symbol="BTCUSDT", ms=400, jitter_ms=50)
        while not await late.quiet(0.1):
            pass
        ids = [each["t"] for each in await late.take(8)]
        assert ids == list(range(ids[0], ids[0] + 8))


async def test_fault_duplicate(client: Client) -> None:
    """Each frame comes twice."""
    async with client.stream(TRADES) as stream:
        await stream.next()
        await client.chaos("duplicate")
        events = await stream.take(30)
        assert any(a == b for a, b in itertools.pairwise(events))


async def test_fault_reorder(client: Client) -> None:
    """A frame comes after the one that follows it; none is lost."""
    async with client.stream(TRADES) as stream:
        await client.chaos("reorder")
        ids = [each["t"] for each in await stream.take(31)]
        assert any(b < a for a, b in itertools.pairwise(ids))
        assert len(set(ids)) == 31


async def test_fault_drop(client: Client) -> None:
    """One frame in N is missing."""
    async with client.stream(TRADES) as stream:
        await stream.next()
        await client.chaos("drop", one_in=2)
        ids = [each["t"] for each in await stream.take(30)]
        assert any(b > a + 1 for a, b in itertools.pairwise(ids))


async def test_fault_malformed(client: Client) -> None:
    """The text is no JSON."""
    async with client.stream(TRADES) as stream:
        await client.chaos("malformed")
        while True:
            message = await stream.socket.receive()
            try:
                json.loads(message.data)
            except ValueError:
                return


async def test_fault_binary(client: Client) -> None:
    """The frame is binary."""
    async with client.stream(TRADES) as stream:
        await client.chaos("binary")
        while (message := await stream.socket.receive()).type != WSMsgType.BINARY:
            pass
        assert json.loads(message.data)["e"] == "trade"


async def test_fault_oversize(client: Client) -> None:
    """The frame is as large as asked."""
    async with client.stream(TRADES) as stream:
        await client.chaos("oversize", bytes=300_000)
        while len((await stream.socket.receive()).data) < 300_000:
            pass


async def test_fault_wrong_symbol(client: Client) -> None:
    """The event names another symbol than its stream."""
    async with client.stream("/stream?streams=btcusdt@trade") as stream:
        await client.chaos("wrong-symbol", symbol="BTCUSDT")
        found = await stream.until(lambda event: event["data"]["s"] != "BTCUSDT")
        assert (found["stream"], found["data"]["s"]) == ("btcusdt@trade", "ETHUSDT")


async def test_fault_stale_replay(client: Client) -> None:
    """After a reconnect old frames come first, then the present."""
    await client.chaos("stale-replay", frames=3)
    async with client.stream(TRADES) as stream:
        before = [each["t"] for each in await stream.take(6)]
    async with client.stream("/stream?streams=btcusdt@trade") as stream:
        after = [each["data"]["t"] for each in await stream.take(4)]
    assert after[:3] == before[:3]
    assert after[3] > before[-1]


async def test_fault_book_top_only(exchange: Exchange, client: Client) -> None:
    """Diffs name no level beyond the best N, their ids stay contiguous."""
    await client.chaos("book-top-only", levels=2)
    async with client.stream("/ws/btcusdt@depth@100ms") as stream:
        events = await stream.take(20)
    assert all(b["U"] == a["u"] + 1 for a, b in itertools.pairwise(events))
    standing = [sum(float(size) > 0 for _, size in each[side]) for each in events for side in ("b", "a")]
    assert max(standing) <= 2
    assert exchange.board.active(Side.STREAM)[0].hits >= 20


# commands


async def test_fault_ack_dropped(client: Client) -> None:
    """The subscription is acknowledged and does not exist."""
    await client.chaos("ack-dropped")
    async with client.stream("/ws") as stream:
        assert (await stream.ask("SUBSCRIBE", ["btcusdt@trade"]))["result"] is None
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == []


async def test_fault_no_ack(client: Client) -> None:
    """Data comes, the acknowledgement never does."""
    await client.chaos("no-ack", symbol="BTCUSDT")
    async with client.stream("/ws") as stream:
        await stream.socket.send_str('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}')
        assert {each["e"] for each in await stream.take(5)} == {"trade"}


async def test_fault_error_ack(client: Client) -> None:
    """An error with the code, and no subscription; other commands are answered."""
    await client.chaos("error-ack", code=7)
    async with client.stream("/ws") as stream:
        assert (await stream.ask("SUBSCRIBE", ["btcusdt@trade"]))["error"]["code"] == 7
        assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == []


# upgrade


async def test_fault_upgrade_hang(client: Client) -> None:
    """The upgrade is not completed while the fault lasts."""
    await client.chaos("upgrade-hang", symbol="BTCUSDT")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4), client.stream(TRADES):
            pass
    async with client.stream("/ws/ethusdt@trade"):
        pass
    waiting = asyncio.create_task(_status_of_upgrade(client))
    await client.get("/sandbox/faults", "DELETE")
    assert await waiting in {101, 503}


async def _status_of_upgrade(client: Client) -> int:
    try:
        async with client.stream(TRADES):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_fault_upgrade_status(client: Client, status: int) -> None:
    """The upgrade is answered with the status and Retry-After."""
    await client.chaos("upgrade-status", status=status, retry_after=7)
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        async with client.stream(TRADES):
            pass
    assert error.value.status == status
    assert error.value.headers
    assert error.value.headers["Retry-After"] == "7"


# REST

DEPTH = "/api/v3/depth?symbol=BTCUSDT&limit=5"


async def test_fault_rest_429(client: Client) -> None:
    """429, -1003, Retry-After; another symbol is served."""
    await client.chaos("rest-429", symbol="BTCUSDT", retry_after=9)
    status, body, headers = await client.get(DEPTH)
    assert (status, body["code"], headers["Retry-After"]) == (429, -1003, "9")
    assert (await client.get(DEPTH.replace("BTC", "ETH")))[0] == 200


async def test_fault_rest_418(client: Client) -> None:
    """418, -1003, Retry-After."""
    await client.chaos("rest-418")
    status, body, headers = await client.get(DEPTH)
    assert (status, body["code"], headers["Retry-After"]) == (418, -1003, "120")


async def test_fault_rest_403(client: Client) -> None:
    """A page of HTML, no JSON."""
    await client.chaos("rest-403")
    status, body, headers = await client.get(DEPTH)
    assert status == 403
    assert isinstance(body, str)
    assert headers["Content-Type"].startswith("text/html")


async def test_fault_rest_5xx(client: Client) -> None:
    """The status that was asked for; half of the requests with a share of a half."""
    await client.chaos("rest-5xx", status=502, share=0.5)
    statuses = [(await client.get(DEPTH))[0] for _ in range(40)]
    assert set(statuses) == {200, 502}


async def test_fault_rest_slow(client: Client) -> None:
    """The answer takes at least as long."""
    await client.chaos("rest-slow", ms=300, jitter_ms=10)
    started = asyncio.get_running_loop().time()
    assert (await client.get(DEPTH))[0] == 200
    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_fault_rest_replica(exchange: Exchange, client: Client) -> None:
    """Answers are whole but behind, and catch up with what the original was then."""
    await client.chaos("rest-replica", behind_ms=700)
    async with client.stream("/stream?streams=btcusdt@trade/btcusdt@bookTicker") as stream:
        events: list[Any] = []
        stats = {"lastId": -1}
        while stats["lastId"] < 0:
            events += [each["data"] for each in await stream.take(40)]
            stats = await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT")
        depth = await client.body(DEPTH)
    newest_trade = max(each["t"] for each in events if "t" in each)
    newest_quote = max(each["u"] for each in events if "u" in each)
    assert stats["lastId"] < newest_trade
    assert depth["lastUpdateId"] < newest_quote
    original = exchange.source.instruments["BTCUSDT"]
    assert (
        stats["lastPrice"]
        == (await client.body(f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={stats['lastId']}&limit=1"))[0]["price"]
    )
    await client.get("/sandbox/faults", "DELETE")
    assert original.tape.observer is None
    assert (await client.body(DEPTH))["lastUpdateId"] >= newest_quote


async def test_fault_rest_cached(client: Client) -> None:
    """One URL gets one answer while the fault lasts, another URL is answered anew."""
    async with client.stream(TRADES) as stream:
        await stream.next()
    await client.chaos("rest-cached")
    first = await client.body("/api/v3/trades?symbol=BTCUSDT&limit=1")
    async with client.stream(TRADES) as stream:
        await stream.take(3)
    assert await client.body("/api/v3/trades?symbol=BTCUSDT&limit=1") == first
    assert (await client.body("/api/v3/trades?symbol=BTCUSDT&limit=2"))[-1]["id"] > first[0]["id"]


@pytest.mark.parametrize("symbol", ["ETHUSDT", None])
async def test_fault_rest_missing_symbol(client: Client, symbol: str | None) -> None:
    """A batch lacks the symbol (or one of them); a single request for it is answered."""
    await client.chaos("rest-missing-symbol", **({"symbol": symbol} if symbol else {}))
    found = [each["symbol"] for each in await client.body("/api/v3/ticker/bookTicker")]
    assert found == ["BTCUSDT"] if symbol else len(found) == 1
    assert (await client.body("/api/v3/ticker/bookTicker?symbol=ETHUSDT"))["symbol"] == "ETHUSDT"


async def test_fault_rest_down(client: Client) -> None:
    """The connection is cut without an answer; streams go on."""
    await client.chaos("rest-down")
    with pytest.raises(aiohttp.ClientError):
        await client.get(DEPTH)
    async with client.stream(TRADES) as stream:
        assert (await stream.next())["e"] == "trade"


# market


async def test_fault_wrong_clock(client: Client) -> None:
    """The venue's time is off by as much; events are not."""
    before = (await client.body("/api/v3/time"))["serverTime"]
    await client.chaos("wrong-clock", ms=60_000)
    assert (await client.body("/api/v3/time"))["serverTime"] >= before + 60_000
    async with client.stream(TRADES) as stream:
        assert (await stream.next())["E"] < before + 30_000


async def test_fault_halt(client: Client) -> None:
    """The status says HALT and nothing is traded; afterwards it goes on."""
    async with client.stream("/stream?streams=btcusdt@trade/ethusdt@trade") as stream:
        await client.chaos("halt", symbol="BTCUSDT")
        info = await client.body("/api/v3/exchangeInfo?symbol=BTCUSDT")
        assert info["symbols"][0]["status"] == "HALT"
        last = (await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT"))["lastId"]
        await stream.take(5)
        assert (await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT"))["lastId"] == last
        await client.get("/sandbox/faults", "DELETE")
        await stream.until(lambda event: event["stream"] == "btcusdt@trade" and event["data"]["t"] > last)


# the interface


async def test_faults_are_listed_counted_and_cleared(client: Client) -> None:
    """What is in force is listed with its hits; cleared ones are counted as ended."""
    await client.chaos("rest-5xx", seconds=60)
    await client.get(DEPTH)
    listed = await client.body("/sandbox/faults")
    assert [(each["fault"], each["hits"]) for each in listed["active"]] == [("rest-5xx", 1)]
    assert 0 < listed["active"][0]["seconds_left"] <= 60
    assert {each["fault"] for each in listed["known"]} == set(FAULTS)
    assert (await client.get("/sandbox/faults", "DELETE"))[1] == {"cleared": 1}
    assert (await client.body("/sandbox/faults"))["ended"] == {"rest-5xx": 1}
    assert (await client.get("/sandbox/faults/abc", "DELETE"))[0] == 400


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"fault": "mutes"}, "did you mean 'mute'"),
        ({"fault": "mute", "symbol": "BTCUSD"}, "did you mean 'BTCUSDT'"),
        ({"fault": "mute", "second": 3}, "did you mean 'seconds'"),
        ({"fault": "mute", "seconds": -1}, "seconds is a number, above 0"),
        ({"fault": "mute", "seconds": 0}, "seconds is a number, above 0"),
        ({"fault": "mute", "seconds": 10**400}, "seconds is a number, above 0"),
        ({"fault": "mute", "share": 2}, "share is a number, 0 to 1"),
        ({"fault": "close", "code": 99999}, "code is a number, whole, 1000 to 4999"),
        ({"fault": "close", "code": 1006}, "without 1004 1005 1006 1015"),
        ({"fault": "drop", "one_in": 0}, "one_in is a number, whole, 1 to"),
        ({"fault": "drop", "one_in": 1.5}, "found 1.5"),
        ({"fault": "delay", "ms": None}, "ms is a number, 0 to 600000; found None"),
        ({"fault": "rest-5xx", "status": 404}, "whole, 500 to 599"),
        ({"fault": "mute", "stream": 1}, "unknown stream 1"),
        ({"fault": "mute", "stream": ["x"]}, "for example btcusdt@trade"),
        ({"fault": "mute", "stream": "btcusd@trade"}, "did you mean 'BTCUSDT'"),
        ({"fault": "mute", "stream": "ethusdt@trade", "symbol": "BTCUSDT"}, "no stream of BTCUSDT"),
        ({"fault": "rest-429", "stream": "btcusdt@trade"}, "cannot be limited to a stream"),
        ({"fault": "mute", "seconds": "x"}, "seconds is a number"),
        ([1], "Expected"),
    ],
)
async def test_wrong_faults_are_refused_with_a_hint(client: Client, asked: Any, words: str) -> None:
    """The answer says what is wrong and what is allowed; nothing is armed."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{client.port}/sandbox/faults", json=asked) as response,
    ):
        assert response.status == 400
        assert words in (await response.json())["error"]
    assert (await client.body("/sandbox/faults"))["active"] == []


@pytest.mark.parametrize(("fault", "name"), [(fault, name) for fault, spec in FAULTS.items() for name in spec.params])
def test_each_parameter_keeps_to_its_range(fault: str, name: str) -> None:
    """Its default and both ends are taken; what lies beyond, and what is not finite, is refused."""
    param = FAULTS[fault].params[name]
    for value in (param.default, param.low, param.high):
        assert check_params(find(fault), {name: value})[name] == value
    wrong: tuple[object, ...] = (param.low - 1, param.high + 1, math.nan, math.inf, -math.inf, True, "1")
    for each in wrong:
        with pytest.raises(ConfigError, match=f"{name} is a number"):
            check_params(find(fault), {name: each})


async def test_a_fault_of_one_stream_spares_the_others(client: Client) -> None:
    """Muted are the trades; the quotes of the same symbol go on."""
    fault = await client.chaos("mute", stream="btcusdt@trade")
    async with client.stream("/stream?streams=btcusdt@trade/btcusdt@bookTicker") as stream:
        seen = []
        while not (await client.body("/sandbox/faults"))["active"][0]["hits"]:
            seen.append((await stream.next())["stream"])
        await client.get(f"/sandbox/faults/{fault['id']}", "DELETE")
        await stream.until(lambda event: event["stream"] == "btcusdt@trade")
    assert set(seen) <= {"btcusdt@bookTicker"}


class BrokenFloor:
    """An exchange that cannot say what it does."""

    board: FaultBoard
    clock: Clock
    source: Source
    violations: Violations

    def armed(self, fault: Fault) -> None:
        raise NotImplementedError

    def faults_changed(self) -> None:
        raise NotImplementedError

    def describe(self) -> dict[str, object]:
        raise ZeroDivisionError("by zero")


async def test_a_mistake_of_its_own_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """HTTP 500 with the mistake in words, and the traceback in the log."""
    app = web.Application()
    Control(BrokenFloor()).add_to(app.router)
    async with TestClient(TestServer(app)) as caller, caller.get("/sandbox/status") as response:
        assert response.status == 500
        assert (await response.json())["error"] == "a mistake of the sandbox's own, please report it: ZeroDivisionError: by zero"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == ["sandbox.control_failed"]


async def test_a_page_of_another_host_has_no_access(client: Client) -> None:
    """A rebound name arrives with its own Host, and is refused."""
    url = f"http://127.0.0.1:{client.port}/sandbox/faults"
    async with aiohttp.ClientSession(headers={"Host": "evil.example"}) as session, session.get(url) as response:
        assert response.status == 403


async def test_faults_end_by_themselves(client: Client) -> None:
    """After its seconds a fault is over."""
    await client.chaos("rest-5xx", seconds=0.2)
    assert (await client.get(DEPTH))[0] == 503
    while (await client.body("/sandbox/faults"))["active"]:
        pass
    assert (await client.get(DEPTH))[0] == 200


def test_chance_is_seeded() -> None:
    """Two boards with one seed draw alike, one with another seed does not."""
    drawn = []
    for seed in (1, 1, 2):
        fault = FaultBoard(seed).arm({"fault": "drop", "share": 0.5}, 0)
        drawn.append([fault.strikes() for _ in range(64)])
    assert drawn[0] == drawn[1] != drawn[2]


def test_names_are_forgiving() -> None:
    """Underscores and capitals name the same fault; the table describes each."""
    assert find("Black_Hole").name == "black-hole"
    assert all(each["effect"] and each["imitates"] for each in describe())
    with pytest.raises(ConfigError, match="did you mean"):
        find("blackhole")


async def test_a_recording_cannot_be_halted(tmp_path: Any) -> None:
    """What a replay cannot show is refused."""
    file = tmp_path / "frames"
    file.write_text('1 {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}\n')
    async with running(replay=(file,)) as exchange, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{exchange.port}/sandbox/faults"
        async with session.post(url, json={"fault": "halt"}) as response:
            assert response.status == 400
