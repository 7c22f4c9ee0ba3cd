"""REST requests over real sockets, to a venue that answers as it is told."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import certifi
import pytest
from typing_extensions import override

from foxtrot.adapter.binance.api_client import REFUSES, BinanceApiClient
from foxtrot.adapter.binance.endpoints import Endpoints, Secret
from foxtrot.adapter.binance.rest_feed import BinanceRest
from foxtrot.transport.base import Cursor, Draft, Item, LaneKey
from foxtrot.util.constants import Source
from foxtrot.util.errors import BadAnswer, Banned, Closed, Denied, RateLimited, RequestError, Unavailable, UnknownSymbol
from foxtrot.util.object import AggTradeData, BarData, PublicTradeData
from foxtrot.util.system_clock import SystemClock
from tests.support.stub_venue import TICKER, Reply, StubVenue, answer, never, reset, stub_venue

TRADES, AGG_TRADES = LaneKey("BTCUSDT", "trades"), LaneKey("BTCUSDT", "agg_trades")
BARS, WEEKS = LaneKey("BTCUSDT", "bars:1m"), LaneKey("BTCUSDT", "bars:1w")
CANARY = "canary-51c0"


class HastyClock(SystemClock):
    """Waits for nothing and remembers for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    @override
    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await super().sleep(0)


class Scene:
    """A venue, a client and the REST side on top of it."""

    def __init__(self, venue: StubVenue, url: str = "") -> None:
        self.venue = venue
        self.clock = HastyClock()
        self.used: list[int] = []
        self.spent: list[int] = []
        self.client = BinanceApiClient(
            Endpoints(url or venue.rest_url, venue.stream_url, ""),
            self.clock,
            on_used_weight=self.used.append,
            api_key=Secret(CANARY),
            secret=Secret(CANARY),
        )
        self.rest = BinanceRest(self.client, self.clock, "BINANCE", self.spent.append)

    def answers(self, path: str, *replies: Reply) -> None:
        """What the venue says next, the last one for ever."""
        self.venue.replies[path] = list(replies)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """An open client of a stub venue."""
    async with stub_venue() as venue:
        found = Scene(venue)
        await found.client.open()
        yield found
        await found.client.close()


# answers


async def test_a_ticker_answer_holds_quote_and_figures(scene: Scene) -> None:
    """By symbol; the quote knows when it was asked, before it was received."""
    answers = await scene.rest.ticker(["BTCUSDT", "币安人生USDT"])
    quote, stats = answers["BTCUSDT"].quote, answers["BTCUSDT"].stats
    assert quote is not None
    assert stats is not None
    assert quote.levels == (100.4, float(scene.venue.trade_id), 100.6, 2.0)
    assert 0 < quote.asked_ns <= quote.received_ns
    assert stats.key == (7, 1_700_000_000_000)
    assert scene.venue.asked[0].query == {"symbols": '["BTCUSDT","币安人生USDT"]'}
    assert scene.venue.asked[0].path == "ticker/24hr"


async def test_book_ticker_asks_for_every_symbol(scene: Scene) -> None:
    """Quotes, no figures."""
    answers = await scene.rest.book_ticker()
    assert answers["BTCUSDT"].stats is None
    assert scene.venue.asked[0].query == {}


async def test_an_anchor_has_an_update_id(scene: Scene) -> None:
    """From five levels of the book."""
    anchor = await scene.rest.anchor("BTCUSDT")
    assert (anchor.update_id, anchor.bid, anchor.ask) == (7, 100.4, 100.6)
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "limit": "5"}


async def test_trades_stood_where_the_last_one_before_the_window_was(scene: Scene) -> None:
    """Of the newest 1,000: those in the window are still to be delivered; no older one means that there was none yet."""
    trade = {"price": "1", "qty": "1", "isBuyerMaker": True}
    rows = [{**trade, "id": number, "time": at} for number, at in ((5, 1_000), (6, 2_000), (7, 3_000))]
    scene.answers("trades", answer(rows), answer(rows), answer([]))
    assert await scene.rest.newest(TRADES, 2_500) == Cursor(6, 6)
    assert await scene.rest.newest(TRADES, 500) == Cursor(-1, -1)
    assert await scene.rest.newest(TRADES, 500) == Cursor(-1, -1)


async def test_the_newest_aggregate_is_asked_for(scene: Scene) -> None:
    """With the newest trade it contains; none yet is -1."""
    assert await scene.rest.newest(AGG_TRADES, 0) == Cursor(3, 7)
    scene.answers("aggTrades", answer([]))
    assert await scene.rest.newest(AGG_TRADES, 0) == Cursor(-1, -1)


async def test_a_page_of_trades_is_asked_by_id(scene: Scene) -> None:
    """A thousand at most, mapped as from the source that was said."""
    items = await scene.rest.page(TRADES, 5, Source.BACKFILL)
    assert [item.id for item in items] == [5, 6, 7]
    assert isinstance(items[0].value, PublicTradeData)
    assert items[0].value.source is Source.BACKFILL
    assert scene.venue.asked[0].path == "historicalTrades"
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "fromId": "5", "limit": str(scene.rest.page_size)}


async def test_a_page_of_aggregates_is_asked_by_id(scene: Scene) -> None:
    """The same for aggregates."""
    items = await scene.rest.page(AGG_TRADES, 3, Source.POLL)
    assert [(item.id, item.last_trade_id) for item in items] == [(3, 7)]
    assert isinstance(items[0].value, AggTradeData)
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "fromId": "3", "limit": "1000"}


def row(minute: int, count: int = 3) -> list[Any]:
    """A kline of one minute."""
    return [minute * 60_000, "1", "3", "0.5", "2", "10", minute * 60_000 + 59_999, "15", count, "1", "2", "0"]


async def test_the_last_closed_bar_is_the_one_before_the_newest(scene: Scene) -> None:
    """Whatever the clock says: only a later bar proves that one has closed. None yet is -1."""
    scene.answers("klines", answer([row(7)]), answer([]))
    assert await scene.rest.newest(BARS, 0) == Cursor(6, -1)
    assert await scene.rest.newest(BARS, 0) == Cursor(-1, -1)
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "interval": "1m", "limit": "1"}


async def test_a_page_of_bars_is_asked_by_the_open_time_of_its_first(scene: Scene) -> None:
    """Closed ones, then the open one as a draft."""
    scene.answers("klines", answer([row(5), row(6), row(7, 9)]))
    first, second, draft = await scene.rest.page(BARS, 5, Source.BACKFILL)
    assert isinstance(first, Item)
    assert isinstance(draft, Draft)
    assert (first.id, second.id, draft.id, draft.rank) == (5, 6, 7, 9)
    assert isinstance(first.value, BarData)
    assert (first.value.source, first.value.is_closed, first.value.interval) == (Source.BACKFILL, True, "1m")
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "interval": "1m", "startTime": "300000", "limit": "1000"}


async def test_a_page_of_bars_from_the_first_one_asks_for_no_time_before_1970(scene: Scene) -> None:
    """Its first week began on a Monday of 1969."""
    scene.answers("klines", answer([]))
    assert await scene.rest.page(WEEKS, 0, Source.POLL) == []
    assert scene.venue.asked[0].query["startTime"] == "0"


@pytest.mark.parametrize("rows", [[row(6), row(5)], [[61_000, *row(1)[1:]]], [[0, "1"]], [{"t": 0}]])
async def test_bars_that_fit_no_interval_are_a_bad_answer(scene: Scene, rows: list[Any]) -> None:
    """Out of order, between two intervals, cut short: nothing is made up of them."""
    scene.answers("klines", answer(rows))
    with pytest.raises(BadAnswer, match="klines"):
        await scene.rest.page(BARS, 0, Source.POLL)
    assert len(scene.venue.asked) == 1


@pytest.mark.parametrize("limit", [5, 100, 1000])
async def test_a_depth_is_a_snapshot_of_so_many_levels(scene: Scene, limit: int) -> None:
    """It knows how many were asked for, and when."""
    scene.answers("depth", answer({"lastUpdateId": 9, "bids": [["10", "1"], ["9", "2"]], "asks": [["11", "0.5"]]}))
    depth = await scene.rest.depth("BTCUSDT", limit)
    assert (depth.update_id, depth.bids, depth.asks, depth.limit) == (9, [(10.0, 1.0), (9.0, 2.0)], [(11.0, 0.5)], limit)
    assert 0 < depth.asked_ns <= depth.received_ns
    assert scene.venue.asked[0].query == {"symbol": "BTCUSDT", "limit": str(limit)}


async def test_time_and_markets(scene: Scene) -> None:
    """What connecting asks."""
    assert await scene.rest.server_time() == 1_700_000_000_000
    assert [body.symbol for body in (await scene.rest.exchange_info()).symbols] == ["BTCUSDT"]


async def test_the_busiest_symbol_has_most_trades(scene: Scene) -> None:
    """Of all that the venue lists, in the short form; no other figure has to be readable."""
    rows = [{"symbol": "A", "count": 5}, {"symbol": "B", "count": 70, "lastPrice": "?"}, {"symbol": "C", "count": 8}]
    scene.answers("ticker/24hr", answer(rows))
    assert await scene.rest.busiest() == "B"
    assert scene.venue.asked[0].query == {"type": "MINI"}


async def test_the_busiest_of_the_others(scene: Scene) -> None:
    """Those that are of no use are left out."""
    scene.answers("ticker/24hr", answer([{"symbol": "A", "count": 5}, {"symbol": "B", "count": 70}]))
    assert await scene.rest.busiest({"B", "X"}) == "A"
    with pytest.raises(BadAnswer):
        await scene.rest.busiest({"A", "B"})


@pytest.mark.parametrize("body", ["[]", '[{"symbol":"A"}]', "{}"])
async def test_without_a_count_nobody_is_busiest(scene: Scene, body: str) -> None:
    """The answer does not fit."""
    scene.answers("ticker/24hr", answer(body))
    with pytest.raises(BadAnswer):
        await scene.rest.busiest()


async def test_the_halted_are_those_that_do_not_trade(scene: Scene) -> None:
    """Whatever the venue calls it; their rules are not read."""
    rows = [
        {"symbol": "A", "status": "TRADING"},
        {"symbol": "B", "status": "BREAK"},
        {"symbol": "C", "status": "HALT", "filters": 3},
    ]
    scene.answers("exchangeInfo", answer({"symbols": rows}))
    assert await scene.rest.halted(["A", "B", "C"]) == {"B", "C"}
    assert scene.venue.asked[0].query == {"symbols": '["A","B","C"]'}


async def test_a_hundred_names_fit_into_an_address(scene: Scene) -> None:
    """Of a request for statuses; ten letters each."""
    await scene.rest.halted([f"LONG{number:03}USDT" for number in range(100)])
    assert len(scene.venue.asked[0].url) < 2_000


# weights


@pytest.mark.parametrize(
    ("call", "key", "count", "weight"),
    [
        ("ticker", None, 1, 2),
        ("ticker", None, 20, 2),
        ("ticker", None, 21, 40),
        ("ticker", None, 100, 40),
        ("ticker", None, 101, 80),
        ("book_ticker", None, 1, 4),
        ("anchor", None, 1, 5),
        ("exchange_info", None, 1, 20),
        ("halted", None, 100, 20),
        ("busiest", None, 1, 80),
        ("server_time", None, 1, 1),
        ("newest", TRADES, 1, 25),
        ("newest", AGG_TRADES, 1, 4),
        ("page", TRADES, 1, 25),
        ("page", AGG_TRADES, 1, 4),
        ("newest", BARS, 1, 2),
        ("page", BARS, 1, 2),
        ("depth", None, 1, 5),
        ("depth", None, 100, 5),
        ("depth", None, 101, 25),
        ("depth", None, 500, 25),
        ("depth", None, 1000, 50),
        ("depth", None, 5000, 250),
        ("depth", None, 9999, 250),
    ],
)
async def test_the_weight_of_each_call_is_known(call: str, key: LaneKey | None, count: int, weight: int) -> None:
    """As the venue documents it."""
    assert Scene(StubVenue()).rest.weight(call, key, count) == weight


@pytest.mark.parametrize("name", ["X-MBX-USED-WEIGHT-1M", "x-mbx-used-weight-1m"])
async def test_the_used_weight_is_read_from_every_answer(scene: Scene, name: str) -> None:
    """Also from a refusal; what is no number is no weight."""
    header = {name: "1234"}
    scene.answers(
        "time", answer({"serverTime": 1}, 200, header), answer("", 503, header), answer({"serverTime": 1}, 200, {name: "\xb2"})
    )
    await scene.rest.server_time()
    with pytest.raises(Unavailable):
        await scene.rest.server_time()
    await scene.rest.server_time()
    assert scene.used == [1234, 1234]


# refusals and failures

ERROR = '{"code":-1121,"msg":"Invalid symbol."}'
LIMITED = '{"code":-1003,"msg":"Too much request weight used."}'


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (answer(LIMITED, 429, {"Retry-After": "9"}), RateLimited, "HTTP 429, -1003 Too much request weight used."),
        (answer(LIMITED, 418, {"Retry-After": "120"}), Banned, "HTTP 418"),
        (answer('{"code":-1001,"msg":"Internal error"}', 503), Unavailable, "HTTP 503, -1001"),
        (answer("<html>Bad Gateway</html>", 502), Unavailable, "HTTP 502"),
        (answer("<html>403 Forbidden</html>", 403, {"Content-Type": "text/html"}), Denied, "HTTP 403"),
        (answer(ERROR, 400), UnknownSymbol, "HTTP 400, -1121 Invalid symbol."),
        (answer('{"code":-1100,"msg":"Illegal characters"}', 400), RequestError, "HTTP 400, -1100"),
        (answer('{"lastUpdateId":1,"bids":[["1"'), BadAnswer, "does not fit its documented shape"),
        (answer('{"lastUpdateId":1}'), BadAnswer, "missing required field `bids`"),
        (answer([1, 2]), BadAnswer, "Expected `object`"),
        (answer('{"lastUpdateId":1,"bids":[],"asks":[["NaN","1"]]}'), BadAnswer, "does not fit"),
        (answer('{"x":' + "[" * 9_000), BadAnswer, "does not fit"),
        (answer(""), BadAnswer, "does not fit"),
        (answer("", 204), BadAnswer, "does not fit"),
        (answer("<html>a captive portal</html>"), BadAnswer, "does not fit"),
        (reset, Unavailable, "cannot be reached"),
    ],
)
async def test_each_failure_is_one_of_our_errors(scene: Scene, reply: Reply, kind: type[Exception], text: str) -> None:
    """Its kind says what to do, its text what happened; neither holds the query or a key."""
    scene.answers("depth", reply)
    with pytest.raises(kind) as error:
        await scene.rest.anchor("BTCUSDT")
    assert type(error.value) is kind
    assert str(error.value).startswith("GET depth: ")
    assert text in str(error.value)
    assert "symbol=" not in str(error.value)
    assert CANARY not in repr(error.value)


@pytest.mark.parametrize(("status", "seconds"), [(429, 9.0), (418, 120.0)])
async def test_retry_after_arrives(scene: Scene, status: int, seconds: float) -> None:
    """Seconds of silence."""
    scene.answers("time", answer(LIMITED, status, {"Retry-After": f"{seconds:g}"}))
    with pytest.raises(RateLimited) as error:
        await scene.rest.server_time()
    assert error.value.retry_after == seconds


async def test_a_slow_answer_ends_at_its_deadline(scene: Scene) -> None:
    """The text says how long was waited, and for whom."""
    scene.answers("time", never)
    with pytest.raises(Unavailable, match=r"GET time: no answer within 0.05 s from http://127.0.0.1"):
        await scene.client.get("time", timeout=0.05)


async def test_an_answer_cut_short_is_unavailable(scene: Scene) -> None:
    """Fewer bytes than announced."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"serverTime":')
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        cut = Scene(scene.venue, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await cut.client.open()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await cut.rest.server_time()
        await cut.client.close()


async def test_what_speaks_no_http_is_unavailable(scene: Scene) -> None:
    """A port of something else."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        other = Scene(scene.venue, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await other.client.open()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await other.rest.server_time()
        await other.client.close()


async def test_a_refused_port_is_unavailable(scene: Scene) -> None:
    """The text names the address."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        refused = Scene(scene.venue, url)
        await refused.client.open()
        with pytest.raises(Unavailable, match=f"GET time: {url} cannot be reached"):
            await refused.rest.server_time()
        await refused.client.close()


async def test_a_redirect_is_not_followed(scene: Scene) -> None:
    """It would lead to an address that nobody named."""
    async with stub_venue() as elsewhere:
        scene.answers("time", answer("", 302, {"Location": f"{elsewhere.rest_url}/api/v3/time"}))
        with pytest.raises(BadAnswer, match="redirect, which is not followed; check rest_url"):
            await scene.rest.server_time()
        assert elsewhere.asked == []


async def test_a_symbol_missing_from_the_ticker_is_left_out(scene: Scene) -> None:
    """What did not come is not made up."""
    scene.answers("ticker/24hr", answer([{**TICKER, "symbol": "ETHUSDT"}]))
    assert "BTCUSDT" not in await scene.rest.ticker(["BTCUSDT"])


# tries


async def test_a_page_is_tried_three_times_on_what_may_pass(scene: Scene) -> None:
    """Each repeated attempt is booked with its weight, after a wait."""
    scene.answers("historicalTrades", answer("", 503), answer("", 502), answer([]))
    assert await scene.rest.page(TRADES, 1, Source.POLL) == []
    assert len(scene.venue.asked) == 3
    assert scene.spent == [25, 25]
    assert len(scene.clock.waits) == 2
    assert all(0 <= wait <= cap for wait, cap in zip(scene.clock.waits, (0.25, 0.5), strict=True))


async def test_after_three_attempts_the_last_error_is_told(scene: Scene) -> None:
    """There is no fourth."""
    scene.answers("aggTrades", answer("", 503), answer("", 503), answer("", 502))
    with pytest.raises(Unavailable, match="HTTP 502"):
        await scene.rest.page(AGG_TRADES, 1, Source.POLL)
    assert len(scene.venue.asked) == 3
    assert scene.spent == [4, 4]


async def test_a_venue_that_fails_all_is_not_asked_three_times_for_each(scene: Scene) -> None:
    """RT-4: twenty pages are asked for in the same ten seconds; ten retries and a fifth of twenty are all there are."""
    scene.answers("historicalTrades", answer("", 503))
    for _ in range(20):
        with pytest.raises(Unavailable):
            await scene.rest.page(TRADES, 1, Source.POLL)
    assert len(scene.venue.asked) <= 20 * 1.2 + 10
    assert scene.client.retries.refused > 0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(LIMITED, 429, {"Retry-After": "9"}), RateLimited),
        (answer(LIMITED, 418, {"Retry-After": "9"}), Banned),
        (answer("", 403), Denied),
        (answer(ERROR, 400), UnknownSymbol),
        (answer("{"), BadAnswer),
    ],
)
async def test_what_cannot_pass_is_tried_once(scene: Scene, reply: Reply, kind: type[Exception]) -> None:
    """Asking again would be an offence, or in vain."""
    scene.answers("historicalTrades", reply)
    with pytest.raises(kind):
        await scene.rest.page(TRADES, 1, Source.POLL)
    assert len(scene.venue.asked) == 1
    assert scene.spent == []


CALLS: list[Callable[[BinanceRest], Awaitable[Any]]] = [
    lambda rest: rest.ticker(["BTCUSDT"]),
    lambda rest: rest.book_ticker(),
    lambda rest: rest.anchor("BTCUSDT"),
    lambda rest: rest.newest(TRADES, 0),
    lambda rest: rest.newest(AGG_TRADES, 0),
    lambda rest: rest.newest(BARS, 0),
    lambda rest: rest.depth("BTCUSDT", 100),
    lambda rest: rest.depth("BTCUSDT", 1000),
    lambda rest: rest.server_time(),
    lambda rest: rest.exchange_info(),
    lambda rest: rest.busiest(),
    lambda rest: rest.halted(["BTCUSDT"]),
]


@pytest.mark.parametrize("call", CALLS)
async def test_a_poll_is_never_tried_again(scene: Scene, call: Callable[[BinanceRest], Awaitable[Any]]) -> None:
    """The next beat is the retry."""
    for path in ("ticker/24hr", "ticker/bookTicker", "depth", "aggTrades", "trades", "time", "exchangeInfo", "klines"):
        scene.answers(path, answer("", 503))
    with pytest.raises(Unavailable):
        await call(scene.rest)
    assert len(scene.venue.asked) == 1


async def test_cancelled_tries_end_at_once(scene: Scene) -> None:
    """Cancellation is never a failure to be tried again."""
    scene.answers("historicalTrades", never)
    task = asyncio.ensure_future(scene.rest.page(TRADES, 1, Source.POLL))
    while not scene.venue.asked:
        await scene.clock.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(scene.venue.asked) == 1


# its life, and what it never does


async def test_before_open_and_after_close_it_is_closed() -> None:
    """Nothing is asked then."""
    async with stub_venue() as venue:
        scene = Scene(venue)
        with pytest.raises(Closed):
            await scene.rest.server_time()
        await scene.client.close()
        await scene.client.open()
        with pytest.raises(Closed):
            await scene.rest.server_time()
        assert venue.asked == []


async def test_a_request_under_way_ends_with_the_client(scene: Scene) -> None:
    """As Closed or as unavailable, not as a traceback."""
    scene.answers("time", never)
    task = asyncio.ensure_future(scene.rest.server_time())
    while not scene.venue.asked:
        await scene.clock.sleep(0)
    await scene.client.close()
    with pytest.raises((Closed, Unavailable)):
        await task


async def test_an_own_certificate_authority_is_used() -> None:
    """The file of the setting, in place of the usual ones."""
    async with stub_venue() as venue:
        client = BinanceApiClient(
            Endpoints(venue.rest_url, venue.stream_url, ""),
            SystemClock(),
            on_used_weight=lambda used: None,
            ca_file=certifi.where(),
            proxy="http://127.0.0.1:9",
        )
        await client.open()
        assert client._exchange is not None
        assert client._exchange.cafile == certifi.where()
        with pytest.raises(Unavailable, match="cannot be reached"):  # the proxy refuses: nothing goes past it
            await client.get("time", timeout=5)
        assert venue.asked == []
        await client.close()


async def test_every_address_that_is_not_used_refuses(scene: Scene) -> None:
    """ccxt's own table leads nowhere else; what it asks by itself is switched off."""
    exchange = scene.client._exchange
    assert exchange is not None
    assert set(exchange.urls["api"].values()) == {REFUSES, f"{scene.venue.rest_url}/api/v3"}
    assert not exchange.enableRateLimit
    assert not exchange.has["fetchCurrencies"]
    assert not exchange.options["fetchMargins"]
    assert not exchange.aiohttp_trust_env


async def test_public_requests_carry_no_key(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a header, nor in the address, nor in a log."""
    with caplog.at_level(logging.DEBUG):
        await scene.rest.ticker(["BTCUSDT"])
        await scene.rest.page(TRADES, 1, Source.POLL)
    assert CANARY not in repr(scene.venue.asked)
    assert CANARY not in caplog.text
    assert CANARY not in repr(vars(scene.client)["_api_key"])
