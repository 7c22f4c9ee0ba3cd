"""REST: the answers agree with each other, wrong requests get Binance's status, code and message."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import pytest

from foxtrot.sandbox.exchange import Exchange
from tests.sandbox.plain_client import Client, running

SYMBOLS = quote('["BTCUSDT","ETHUSDT"]')
ILLEGAL_SYMBOL = r"Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'."
MISSING_SYMBOL = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."


@pytest.fixture
async def past() -> AsyncIterator[Client]:
    """A client of an exchange with a day's past."""
    async with running(has_past=True) as exchange, aiohttp.ClientSession() as session:
        yield Client(exchange, session)


async def test_ping_and_time(client: Client) -> None:
    """The two that carry no market."""
    assert await client.body("/api/v3/ping") == {}
    assert set(await client.body("/api/v3/time")) == {"serverTime"}


async def test_a_market_without_a_past_begins_at_nothing() -> None:
    """Before the first trade ids are -1, the count is 0, candles and trades are none, the book is there."""
    async with running(has_past=False, activity=0.001) as exchange, aiohttp.ClientSession() as session:
        client = Client(exchange, session)
        stats = await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT")
        assert (stats["firstId"], stats["lastId"], stats["count"]) == (-1, -1, 0)
        for path in ("trades?", "aggTrades?", "historicalTrades?", "klines?interval=1m&", "klines?interval=1s&"):
            assert await client.body(f"/api/v3/{path}symbol=BTCUSDT") == []
        assert float((await client.body("/api/v3/ticker/price?symbol=BTCUSDT"))["price"]) == 0
        assert len((await client.body("/api/v3/depth?symbol=BTCUSDT"))["bids"]) == 100


async def test_exchange_info_lists_filters_and_limits(client: Client) -> None:
    """Symbols with real filters; the limits that are enforced."""
    info = await client.body("/api/v3/exchangeInfo")
    assert [each["symbol"] for each in info["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    filters = {each["filterType"]: each for each in info["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert {"NOTIONAL", "PERCENT_PRICE_BY_SIDE", "MARKET_LOT_SIZE", "TRAILING_DELTA", "ICEBERG_PARTS"} <= set(filters)
    assert {(each["rateLimitType"], each["limit"]) for each in info["rateLimits"]} >= {
        ("REQUEST_WEIGHT", 6000),
        ("RAW_REQUESTS", 300_000),
    }
    assert len((await client.body("/api/v3/exchangeInfo?symbol=ETHUSDT"))["symbols"]) == 1
    assert (await client.body("/api/v3/exchangeInfo?symbolStatus=HALT"))["symbols"] == []


async def test_prices_stand_on_tick_and_step(past: Client) -> None:
    """Every level and every trade keeps to the filters."""
    depth = await past.body("/api/v3/depth?symbol=BTCUSDT&limit=1000")
    for price, size in depth["bids"] + depth["asks"]:
        assert price.endswith("000000")
        assert size.endswith("000")
    for item in await past.body("/api/v3/trades?symbol=BTCUSDT&limit=1000"):
        assert item["price"].endswith("000000")


async def test_historical_trades_page_from_an_id(past: Client) -> None:
    """``fromId`` pages upwards without a gap; an id before the first kept starts at the first."""
    first = await past.body("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=0&limit=400")
    after = await past.body(f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={first[-1]['id'] + 1}&limit=400")
    ids = [each["id"] for each in first + after]
    assert len(ids) == 800
    assert all(b == a + 1 for a, b in itertools.pairwise(ids))
    assert await past.body(f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={1 << 60}") == []


async def test_aggregates_cover_the_trades(past: Client) -> None:
    """Aggregates by id, by time and the newest agree, and name the trades they hold."""
    rows = await past.body("/api/v3/aggTrades?symbol=BTCUSDT&fromId=0&limit=1000")
    assert all(b["a"] == a["a"] + 1 and b["f"] == a["l"] + 1 for a, b in itertools.pairwise(rows))
    middle = rows[500]
    by_time = await past.body(f"/api/v3/aggTrades?symbol=BTCUSDT&startTime={middle['T']}&endTime={rows[600]['T']}&limit=1000")
    assert by_time[0]["T"] == middle["T"]
    assert by_time[-1]["T"] == rows[600]["T"]
    assert len(await past.body("/api/v3/aggTrades?symbol=BTCUSDT&limit=7")) == 7


async def test_the_day_sums_up_its_trades(past: Client) -> None:
    """24 h figures, candles and the trades themselves give one volume."""
    stats = await past.body("/api/v3/ticker/24hr?symbol=ETHUSDT")
    rows: list[dict[str, str | int]] = []
    while not rows or int(rows[-1]["id"]) < stats["lastId"]:
        start = int(rows[-1]["id"]) + 1 if rows else stats["firstId"]
        rows += await past.body(f"/api/v3/historicalTrades?symbol=ETHUSDT&fromId={start}&limit=1000")
    inside = [each for each in rows if int(each["id"]) <= stats["lastId"]]
    assert stats["count"] == len(inside)
    assert float(stats["volume"]) == pytest.approx(sum(float(each["qty"]) for each in inside))
    assert float(stats["quoteVolume"]) == pytest.approx(sum(float(each["quoteQty"]) for each in inside))
    assert (stats["openPrice"], float(stats["highPrice"])) == (inside[0]["price"], max(float(each["price"]) for each in inside))


async def test_candles_of_different_lengths_agree(past: Client) -> None:
    """An hour's candle is the sum of its minutes; it opens with the first that was traded in."""
    hour = (await past.body("/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=3"))[0]
    minutes = await past.body(f"/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime={hour[0]}&endTime={hour[6]}&limit=60")
    assert hour[1] == next(each[1] for each in minutes if each[8])
    assert float(hour[2]) == max(float(each[2]) for each in minutes if each[8])
    assert hour[4] == minutes[-1][4]
    assert float(hour[5]) == pytest.approx(sum(float(each[5]) for each in minutes))
    assert hour[8] == sum(each[8] for each in minutes)


async def test_seconds_and_zones(past: Client) -> None:
    """One-second candles are contiguous; a time zone moves the day's opening."""
    seconds = await past.body("/api/v3/klines?symbol=BTCUSDT&interval=1s&limit=20")
    assert len(seconds) == 20
    assert all(b[0] == a[0] + 1_000 for a, b in itertools.pairwise(seconds))
    again = await past.body(
        f"/api/v3/klines?symbol=BTCUSDT&interval=1s&limit=5&startTime={seconds[2][0]}&endTime={seconds[9][6]}"
    )
    assert again == seconds[2:7]
    day = await past.body("/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=1&timeZone=8")
    assert day[0][0] % 86_400_000 == 16 * 3_600_000


async def test_tickers_take_one_many_or_all(client: Client) -> None:
    """An object for ``symbol``, a list for ``symbols`` and for all; MINI leaves the quote out."""
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
        assert (await client.body(f"/api/v3/{path}?symbol=BTCUSDT"))["symbol"] == "BTCUSDT"
        assert [each["symbol"] for each in await client.body(f"/api/v3/{path}?symbols={SYMBOLS}")] == ["BTCUSDT", "ETHUSDT"]
        assert len(await client.body(f"/api/v3/{path}")) == 2
    assert await client.body("/api/v3/ticker/price?symbolStatus=HALT") == []
    mini = await client.body("/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI")
    assert "bidPrice" not in mini
    window = await client.body("/api/v3/ticker?symbol=BTCUSDT&windowSize=1h")
    assert window["openTime"] % 60_000 == 0
    assert "lastQty" not in window
    assert "weightedAvgPrice" not in await client.body("/api/v3/ticker?symbol=BTCUSDT&windowSize=4h&type=MINI")
    assert (await client.body("/api/v3/avgPrice?symbol=BTCUSDT"))["mins"] == 5


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("ping", 1),
        ("time", 1),
        ("exchangeInfo", 20),
        ("depth?symbol=BTCUSDT", 5),
        ("depth?symbol=BTCUSDT&limit=100", 5),
        ("depth?symbol=BTCUSDT&limit=500", 25),
        ("depth?symbol=BTCUSDT&limit=1000", 50),
        ("depth?symbol=BTCUSDT&limit=5000", 250),
        ("trades?symbol=BTCUSDT", 25),
        ("historicalTrades?symbol=BTCUSDT", 25),
        ("aggTrades?symbol=BTCUSDT", 4),
        ("klines?symbol=BTCUSDT&interval=1m", 2),
        ("avgPrice?symbol=BTCUSDT", 2),
        ("ticker/24hr?symbol=BTCUSDT", 2),
        (f"ticker/24hr?symbols={SYMBOLS}", 2),
        ("ticker/24hr", 80),
        ("ticker/price?symbol=BTCUSDT", 2),
        ("ticker/price", 4),
        ("ticker/bookTicker?symbol=BTCUSDT", 2),
        (f"ticker/bookTicker?symbols={SYMBOLS}", 4),
        (f"ticker?symbols={SYMBOLS}", 8),
    ],
)
async def test_each_request_has_its_documented_weight(client: Client, path: str, weight: int) -> None:
    """The header counts what the documentation says."""
    _, _, before = await client.get("/api/v3/ping")
    _, _, after = await client.get(f"/api/v3/{path}")
    used = [int(each["X-MBX-USED-WEIGHT-1M"]) for each in (before, after)]
    assert used[1] - used[0] == weight or used[1] == weight  # a minute may end between the two


WRONG_STATUS = "The symbol's status does not match the requested symbolStatus."
WRONG = [
    ("depth", 400, -1102, MISSING_SYMBOL),
    ("depth?symbol=", 400, -1102, MISSING_SYMBOL),
    ("klines?symbol=BTCUSDT", 400, -1102, MISSING_SYMBOL.replace("symbol", "interval")),
    ("ticker", 400, -1102, MISSING_SYMBOL),
    ("depth?symbol=NOPEUSDT", 400, -1121, "Invalid symbol."),
    ("ticker/24hr?symbols=" + quote('["BTCUSDT","NOPEUSDT"]'), 400, -1121, "Invalid symbol."),
    ("depth?symbol=btcusdt", 400, -1100, ILLEGAL_SYMBOL),
    ("depth?symbol=" + quote("BTC/USDT"), 400, -1100, ILLEGAL_SYMBOL),
    ("depth?symbol=" + "B" * 51, 400, -1100, ILLEGAL_SYMBOL),
    (
        "depth?symbol=BTCUSDT&limit=abc",
        400,
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
    ),
    (
        "depth?symbol=BTCUSDT&limit=-5",
        400,
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
    ),
    ("depth?symbol=BTCUSDT&limit=0", 400, -1130, "Data sent for parameter 'limit' is not valid."),
    ("depth?symbol=BTCUSDT&limit=", 400, -1105, "Parameter 'limit' was empty."),
    ("depth?symbol=BTCUSDT&limit=99999999999999999999", 400, -1130, "Data sent for parameter 'limit' is not valid."),
    ("depth?symbol=BTCUSDT&foo=1", 400, -1104, "Not all sent parameters were read; read '1' parameter(s) but was sent '2'."),
    ("klines?fromId=1", 400, -1102, MISSING_SYMBOL),
    (
        "depth?symbol=BTCUSDT&limit=5&symbolStatus=TRADING&foo=1",
        400,
        -1101,
        "Too many parameters; expected '3' and received '4'.",
    ),
    ("avgPrice?symbol=BTCUSDT&limit=1", 400, -1101, "Too many parameters; expected '1' and received '2'."),
    ("ticker/24hr?limit=1", 400, -1104, "Not all sent parameters were read; read '0' parameter(s) but was sent '1'."),
    ("depth?symbol=BTCUSDT&symbol=BTCUSDT", 400, -1101, "Duplicate values for a parameter detected."),
    ("klines?symbol=BTCUSDT&interval=7m", 400, -1120, "Invalid interval."),
    ("klines?symbol=BTCUSDT&interval=1m&timeZone=25", 400, -1130, "Data sent for parameter 'timeZone' is not valid."),
    ("klines?symbol=BTCUSDT&interval=1m&startTime=2&endTime=1", 400, -1127, "Start time is greater than end time."),
    ("ticker/24hr?symbols=" + quote('["BTCUSDT","BTCUSDT"]'), 400, -1151, "Symbol is present multiple times in the list."),
    ("ticker/24hr?symbol=BTCUSDT&symbols=" + SYMBOLS, 400, -1128, "Combination of optional parameters invalid."),
    ("ticker/24hr?symbol=BTCUSDT&type=HUGE", 400, -1130, "Data sent for parameter 'type' is not valid."),
    ("ticker/price?symbols=" + quote("[]"), 400, -1105, "Parameter 'symbols' was empty."),
    ("aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", 400, -1128, "Combination of optional parameters invalid."),
    ("depth?symbol=BTCUSDT&symbolStatus=HALT", 400, -1220, WRONG_STATUS),
    (
        "ticker/price?symbol=BTCUSDT&symbolStatus=HALT",
        400,
        -1220,
        "The symbol's status does not match the requested symbolStatus.",
    ),
    ("exchangeInfo?symbol=BTCUSDT&symbolStatus=TRADING", 400, -1128, "Combination of optional parameters invalid."),
]


@pytest.mark.parametrize(("path", "status", "code", "message"), WRONG)
async def test_wrong_requests_get_the_venues_words(client: Client, path: str, status: int, code: int, message: str) -> None:
    """Status, code and message as Binance answers."""
    found, body, _ = await client.get(f"/api/v3/{path}")
    assert (found, body) == (status, {"code": code, "msg": message})


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("ticker/24hr?symbols=BTCUSDT", -1100),
        ("ticker/24hr?symbols=" + quote('["BTC"'), -1100),
        ("ticker?symbol=BTCUSDT&windowSize=8d", -1100),
        ("klines?symbol=BTCUSDT&interval=1m&timeZone=x", -1100),
        ("ticker/24hr?symbols=" + quote("[1]"), -1100),
    ],
)
async def test_illegal_characters_are_named(client: Client, path: str, code: int) -> None:
    """The code says that a parameter does not fit its legal range."""
    status, body, _ = await client.get(f"/api/v3/{path}")
    assert (status, body["code"]) == (400, code)


async def test_what_was_removed_is_gone(client: Client) -> None:
    """The old user data stream answers 410, unknown paths 404, wrong methods 405."""
    assert (await client.get("/api/v3/userDataStream", "POST"))[0] == 410
    assert (await client.get("/api/v1/depth?symbol=BTCUSDT"))[0] == 404
    assert (await client.get("/api/v3/depth?symbol=BTCUSDT", "POST"))[0] == 405
    status, body, _ = await client.get("/api/v3/account")
    assert (status, body["code"]) == (401, -2014)


async def test_over_the_weight_429_then_418(exchange: Exchange, client: Client) -> None:
    """Retry-After stands on both; the violations name them."""
    statuses: list[int] = []
    message = ""
    while not statuses or statuses[-1] != 418:
        status, body, headers = await client.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
        statuses.append(status)
        if status != 200:
            assert body["code"] == -1003
            message = body["msg"]
            assert int(headers["Retry-After"]) > 0
    assert statuses.count(429) == 10
    assert exchange.violations.counts["weight"] == 11
    found = await client.body("/sandbox/violations")
    assert found["counts"]["ban"] == 1
    assert "IP banned until" in message


async def test_answers_while_many_ask(client: Client) -> None:
    """A hundred requests at once are all answered."""
    answers = await asyncio.gather(*(client.get("/api/v3/depth?symbol=BTCUSDT&limit=5") for _ in range(100)))
    assert {status for status, *_ in answers} == {200}


async def test_time_scale_speeds_the_clock() -> None:
    """At 600 times the speed a banned minute is over in a tenth of a second."""
    async with running(time_scale=600.0, activity=0.01) as exchange:
        before = exchange.limit_us()
        await exchange.clock.sleep(0.05)
        assert exchange.limit_us() - before >= 0.05 * 600 * 1e6
