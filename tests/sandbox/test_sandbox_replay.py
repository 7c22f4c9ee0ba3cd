"""Replays: the recording's frames as they were, REST from what has been played."""

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from foxtrot.sandbox import recording
from foxtrot.sandbox.listings import foreign_listing
from foxtrot.sandbox.recorded_symbol import RecordedSymbol
from foxtrot.util.errors import ConfigError
from tests.sandbox.plain_client import Client, running

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = [SHARED / "ethusdt_20240808.gz", SHARED / "ethusdt_20240809.gz"]
NS_PER_MS = 1_000_000
START_MS = 1_723_161_255_000


def line(at_ms: int, stream: str, data: dict[str, Any]) -> str:
    return f"{(START_MS + at_ms) * NS_PER_MS} " + json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


def quote(u: int, bid: str, ask: str) -> dict[str, Any]:
    return {"u": u, "s": "BTCUSDT", "b": bid, "B": "1.00000000", "a": ask, "A": "2.00000000"}


def trade(number: int, at_ms: int, price: str, *, maker: bool = False, order: int = 0) -> dict[str, Any]:
    time = START_MS + at_ms
    orders = {"b": order or number, "a": order or number}
    return {
        "e": "trade",
        "E": time,
        "s": "BTCUSDT",
        "t": number,
        "p": price,
        "q": "0.50000000",
        **orders,
        "T": time,
        "m": maker,
        "M": True,
    }


def diff(first: int, last: int, at_ms: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"e": "depthUpdate", "E": START_MS + at_ms, "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": asks}


SNAPSHOT = {"lastUpdateId": 10, "bids": [["100.0", "1.0"], ["99.0", "2.0"]], "asks": [["101.0", "1.0"], ["102.0", "2.0"]]}
FRAMES = [
    line(0, "btcusdt@bookTicker", quote(9, "100.00000000", "101.00000000")),
    f"{(START_MS + 1) * NS_PER_MS} " + json.dumps(SNAPSHOT),
    line(20, "btcusdt@trade", trade(500, 20, "101.00000000", order=7)),
    line(20, "btcusdt@trade", trade(501, 20, "101.00000000", order=7)),
    line(30, "btcusdt@trade", trade(502, 30, "100.00000000", maker=True)),
    line(100, "btcusdt@depth@100ms", diff(11, 12, 100, [["99.5", "3.0"]], [["101.0", "0.0"]])),
    line(120, "btcusdt@bookTicker", quote(13, "99.50000000", "102.00000000")),
]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A short synthetic recording."""
    file = tmp_path / "frames.txt"
    file.write_text("\n".join(FRAMES) + "\n")
    return file


async def test_nothing_rolls_before_it_is_asked_for(frames: Path) -> None:
    """Time stands still; the first answer says that nothing has been played; then every trade can be had by id."""
    async with running(replay=(frames,), speed=5.0) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        first = (await client.body("/api/v3/time"))["serverTime"]
        assert [each["symbol"] for each in (await client.body("/api/v3/exchangeInfo"))["symbols"]] == ["BTCUSDT"]
        assert (await client.body("/api/v3/time"))["serverTime"] == first
        before = await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT")
        assert (before["firstId"], before["lastId"], before["count"]) == (-1, -1, 0)
        while not (await client.body("/sandbox/status"))["is_over"]:
            pass
        assert (await client.body("/api/v3/time"))["serverTime"] > first
        rows = await client.body("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=0")
        assert [each["id"] for each in rows] == [500, 501, 502]
        after = await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT")
        assert (after["lastId"], after["count"], after["bidPrice"]) == (502, 3, "99.50000000")
        assert after["closeTime"] >= before["closeTime"]


async def test_frames_come_as_they_were_recorded(frames: Path) -> None:
    """Payloads byte by byte the same, wrapped as the client asked; aggregates and figures are derived."""
    async with running(replay=(frames,)) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        async with client.stream(
            "/stream?streams=btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@aggTrade"
        ) as stream:
            events = await stream.take(8)
        recorded = [json.loads(each.partition(" ")[2]) for each in FRAMES if "stream" in each]
        assert [each for each in events if not each["stream"].endswith("aggTrade")] == recorded
        aggs = [each["data"] for each in events if each["stream"].endswith("aggTrade")]
        assert [(each["a"], each["f"], each["l"], each["q"]) for each in aggs] == [
            (1, 500, 501, "1.00000000"),
            (2, 502, 502, "0.50000000"),
        ]
        status = await client.body("/sandbox/status")
        assert status["recorded_streams"] == ["btcusdt@bookTicker", "btcusdt@depth@100ms", "btcusdt@trade"]
        depth = await client.body("/api/v3/depth?symbol=BTCUSDT")
        assert depth["lastUpdateId"] == 13
        assert [level[0] for level in depth["bids"]] == ["99.50000000", "99.00000000"]
        assert [level[0] for level in depth["asks"]] == ["102.00000000"]


async def test_microseconds_of_recorded_frames(frames: Path) -> None:
    """Recorded milliseconds are given in microseconds to who asks."""
    async with running(replay=(frames,)) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        async with client.stream("/ws/btcusdt@trade?timeUnit=MICROSECOND") as stream:
            assert (await stream.next())["T"] == (START_MS + 20) * 1_000


async def test_a_derived_second_of_depth(frames: Path) -> None:
    """``@depth`` was not recorded: it is made of what was."""
    async with running(replay=(frames,), speed=10.0) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        async with client.stream("/ws/btcusdt@depth") as stream:
            event = await stream.next()
    assert event["u"] == 12


def test_a_depth_answer_is_never_older_than_a_quote() -> None:
    """A newer quote becomes the top: better levels are gone, the id is the quote's."""
    symbol = RecordedSymbol(foreign_listing("BTCUSDT"))
    symbol.play_depth(json.dumps(SNAPSHOT).encode())
    symbol.play_quote(json.dumps(quote(11, "98.50000000", "101.50000000")).encode())
    instrument = symbol.instrument
    assert instrument.update_id == 11
    bids, asks = instrument.levels(10)
    assert bids == [(9_850_000_000, 100_000_000)]
    assert [price for price, _ in asks] == [10_150_000_000, 10_200_000_000]
    symbol.play_depth(json.dumps(diff(11, 12, 0, [["100.0", "5.0"]], [])).encode())
    assert instrument.levels(1)[0] == [(10_000_000_000, 500_000_000)]


def test_old_depth_frames_change_nothing() -> None:
    """A snapshot or diff older than the book is passed over."""
    symbol = RecordedSymbol(foreign_listing("BTCUSDT"))
    symbol.play_depth(json.dumps(SNAPSHOT).encode())
    symbol.play_depth(json.dumps(diff(1, 9, 0, [["100.0", "9.0"]], [])).encode())
    symbol.play_depth(json.dumps({**SNAPSHOT, "lastUpdateId": 3, "bids": []}).encode())
    assert symbol.instrument.top()[:2] == (10_000_000_000, 100_000_000)


def test_the_snapshot_replaces_what_was_known(frames: Path) -> None:
    """Levels that a newer snapshot does not hold are gone."""
    symbol = RecordedSymbol(foreign_listing("BTCUSDT"))
    symbol.play_depth(json.dumps(diff(1, 2, 0, [["50.0", "1.0"]], [])).encode())
    symbol.play_depth(json.dumps(SNAPSHOT).encode())
    assert [price for price, _ in symbol.instrument.levels(10)[0]] == [10_000_000_000, 9_900_000_000]


def test_recorded_aggregates_are_the_venues_own() -> None:
    """A recording that holds aggregates keeps their ids; trades make none then."""
    symbol = RecordedSymbol(foreign_listing("BTCUSDT"), has_aggs=True)
    for number in (5, 6):
        assert symbol.play_trade(json.dumps(trade(number, number, "1.0")).encode()) is None
    agg = {
        "e": "aggTrade",
        "E": 1,
        "s": "BTCUSDT",
        "a": 900,
        "p": "1.0",
        "q": "1.0",
        "f": 5,
        "l": 6,
        "T": START_MS,
        "m": False,
        "M": True,
    }
    symbol.play_agg(json.dumps(agg).encode())
    symbol.play_agg(json.dumps(agg).encode())
    tape = symbol.instrument.tape
    assert (tape.first_agg_id, tape.next_agg_id, tape.agg(900).last_id) == (900, 901, 6)
    assert tape.agg_id_at(START_MS * 1_000 + 1) == 901
    assert symbol.settle((START_MS + 10_000) * 1_000) is None


def test_a_hole_in_the_recording_begins_a_new_tape() -> None:
    """Ids are the recorded ones after a hole, too; a trade that came already is passed over."""
    symbol = RecordedSymbol(foreign_listing("BTCUSDT"))
    for number in (5, 6, 6, 9):
        symbol.play_trade(json.dumps(trade(number, number, "1.0")).encode())
    tape = symbol.instrument.tape
    assert (tape.first_id, tape.next_id, tape.first_agg_id) == (9, 10, 3)


async def test_several_symbols_share_the_timing(tmp_path: Path) -> None:
    """Streams of all symbols and of each are played; a depth answer without a symbol is not guessed at."""
    file = tmp_path / "frames"
    other = {**quote(4, "5.00000000", "6.00000000"), "s": "ETHUSDT"}
    lines = [*FRAMES[:2], line(5, "ethusdt@bookTicker", other), line(6, "!miniTicker@arr", {"e": "x"})]
    file.write_text("\n".join(lines))
    async with running(replay=(file,)) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        async with client.stream("/stream?streams=ethusdt@bookTicker/!miniTicker@arr") as stream:
            assert [each["stream"] for each in await stream.take(2)] == ["ethusdt@bookTicker", "!miniTicker@arr"]
        assert (await client.body("/api/v3/ticker/bookTicker?symbol=ETHUSDT"))["bidPrice"] == "5.00000000"
        assert (await client.body("/api/v3/depth?symbol=ETHUSDT"))["lastUpdateId"] == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no frames"), ("hello\n", "frames:1: a line"), ('x {"a":1}\n', "frames:1"), (FRAMES[0] + "\n5 [1]\n", "frames:2")],
)
def test_a_bad_recording_is_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    """The error names file and line and what a line looks like."""
    file = tmp_path / "frames"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        recording.load([file])


def test_a_missing_or_broken_recording_is_refused(tmp_path: Path) -> None:
    """A file that is not there, or is a cut gzip, is named."""
    with pytest.raises(ConfigError, match="cannot read the recording"):
        recording.load([tmp_path / "none"])
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(("\n".join(FRAMES)).encode())[:-12])
    with pytest.raises(ConfigError, match="cannot read the recording"):
        recording.load([cut])


def test_files_follow_each_other_plain_or_gzipped(tmp_path: Path) -> None:
    """Several files are one recording, whatever their form."""
    first, second = tmp_path / "a", tmp_path / "b.gz"
    first.write_text("\n".join(FRAMES[:3]))
    second.write_bytes(gzip.compress("\n".join(FRAMES[3:]).encode()))
    found = recording.load([first, second])
    assert len(found.times_ns) == len(FRAMES)
    assert found.symbols == ["BTCUSDT"]
    assert found.first_venue_us == START_MS * 1_000


def test_a_recording_without_times_takes_the_recorders(tmp_path: Path) -> None:
    """Quotes carry no time: the recorder's own is taken."""
    file = tmp_path / "frames"
    file.write_text(FRAMES[0])
    assert recording.load([file]).first_venue_us == START_MS * 1_000


@pytest.mark.recording
@pytest.mark.skipif(not REAL[0].exists(), reason="the recorded frames are not beside the checkout")
async def test_the_real_recording_comes_whole() -> None:
    """At 80 times the speed every frame arrives, in order and unchanged, and the final state is the recorded one."""
    expected: dict[str, list[bytes]] = {}
    for file in REAL:
        for each in gzip.decompress(file.read_bytes()).splitlines():
            head, _, payload = each.partition(b'","data":')
            if b'{"stream":"' in head:
                expected.setdefault(head.partition(b'"stream":"')[2].decode(), []).append(payload.strip()[:-1])
    async with running(replay=tuple(REAL), speed=80.0) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        got: dict[str, list[bytes]] = {}
        async with client.stream("/stream?streams=" + "/".join([*expected, "ethusdt@aggTrade"])) as stream:
            total = sum(map(len, expected.values()))
            while sum(len(got.get(name, ())) for name in expected) < total:
                text = (await stream.socket.receive(timeout=10)).data.encode()
                head, _, payload = text.partition(b'","data":')
                got.setdefault(head.partition(b'"stream":"')[2].decode(), []).append(payload[:-1])
        aggs = [json.loads(each) for each in got.pop("ethusdt@aggTrade")]
        assert got == expected
        assert all(b["a"] == a["a"] + 1 and b["f"] == a["l"] + 1 for a, b in itertools.pairwise(aggs))
        depth = await client.body("/api/v3/depth?symbol=ETHUSDT&limit=5")
        assert (depth["bids"][0][0], depth["asks"][0][0]) == ("2677.60000000", "2677.61000000")
        stats = await client.body("/api/v3/ticker/24hr?symbol=ETHUSDT")
        assert stats["count"] == 14_515
        assert not exchange.violations.counts
