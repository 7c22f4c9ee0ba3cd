"""Books and bars on a live sandbox: streamed, cut and streamed again, polled; each fact is looked up in one run."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.constants import LaneState, Reason, Source
from foxtrot.util.object import BarData, OrderBookData, TickData
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text

STREAMED, POLLED = "BTCUSDT", "ETHUSDT"
CHANNELS = ("tick", "book:50", "bars:1s", "bars:5s")
LANES = ("tick", "book", "bars:1s", "bars:5s")
DEPTH = 50


class Story:
    """A run from its start to a cut connection and home again, and what the venue says of the same time."""

    def __init__(self, run: EngineRun, box: Sandbox) -> None:
        self.run = run
        self.box = box
        self.depths: list[dict[str, Any]] = []
        self.klines: dict[str, dict[int, list[Any]]] = {}

    def tell(self) -> None:
        """Streams and polls for some seconds; the connection is cut in between."""
        run, seen = self.run, self.run.seen
        for symbol in (STREAMED, POLLED):
            run.subscribe(symbol, *CHANNELS)
        eventually(lambda: seen.is_at(LaneState.STREAMING, STREAMED, *LANES), "streaming")
        self._compare_book()
        self.box.chaos("close")
        eventually(
            lambda: all((LaneState.STREAMING, LaneState.FALLBACK, Reason.CONNECTION) in seen.changes(STREAMED, c) for c in LANES),
            "the fall",
        )
        eventually(lambda: seen.is_at(LaneState.STREAMING, STREAMED, *LANES), "home again")
        for symbol in (STREAMED, POLLED):
            eventually(lambda s=symbol: len(closed(seen.bars[s, "5s"])) >= 2, "bars")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        for symbol in (STREAMED, POLLED):
            rows = self._ask("klines", symbol, "interval=1s&limit=60")
            self.klines[symbol] = {row[0]: row for row in rows}

    def _compare_book(self) -> None:
        """Asks for snapshots until one is of an update that a streamed book has shown."""

        def is_met() -> bool:
            self.depths.append(self._ask("depth", STREAMED, f"limit={DEPTH}"))
            shown = {book.update_id for book in list(self.run.seen.books[STREAMED]) if book.source is Source.STREAM}
            return any(depth["lastUpdateId"] in shown for depth in self.depths)

        eventually(is_met, "a snapshot of an update that was shown", 20)

    def _ask(self, path: str, symbol: str, query: str) -> Any:
        with urllib.request.urlopen(f"{self.box.rest_url}/api/v3/{path}?symbol={symbol}&{query}", timeout=5) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once; its engine stands still afterwards, with all it knows."""
    with launch(seed=7, activity=4.0) as box:
        pins = flags_text({STREAMED: "streaming", POLLED: "polling"})
        with engine_run(tmp_path_factory.mktemp("story"), box, pins) as run:
            found = Story(run, box)
            found.tell()
        assert box.violations()["total"] == 0
        yield found


def closed(bars: list[BarData]) -> list[BarData]:
    return [bar for bar in list(bars) if bar.is_closed]


def opens_ms(bars: list[BarData]) -> list[int]:
    return [bar.venue_time_ns // 1_000_000 for bar in bars]


def figures(bar: BarData) -> tuple[float, ...]:
    return (bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.volume, bar.turnover, bar.trade_count)


def test_a_streamed_book_is_the_venues_at_the_same_update(story: Story) -> None:
    """Every snapshot of an update that was shown: price and size of each level, as far as the book's range goes."""
    shown = {book.update_id: book for book in story.run.seen.books[STREAMED] if book.source is Source.STREAM}
    met = [depth for depth in story.depths if depth["lastUpdateId"] in shown]
    assert met
    for depth in met:
        book = shown[depth["lastUpdateId"]]
        for side, levels in ((book.bids, depth["bids"]), (book.asks, depth["asks"])):
            assert side == tuple((float(price), float(size)) for price, size in levels[: len(side)])
            assert side  # fewer than asked for where the price has wandered since the book's own snapshot


@pytest.mark.parametrize("symbol", [STREAMED, POLLED])
def test_books_go_on_and_are_never_crossed(story: Story, symbol: str) -> None:
    """Valid ones by their update ids, whatever serves; the levels of each stand in order, within what is known."""
    valid = [book for book in story.run.seen.books[symbol] if book.is_valid]
    ids = [book.update_id for book in valid]
    assert ids == sorted(set(ids))
    for book in valid:
        assert_sound(book)
    sources = {book.source for book in valid}
    assert sources == ({Source.STREAM, Source.POLL} if symbol == STREAMED else {Source.POLL})


def assert_sound(book: OrderBookData) -> None:
    bids, asks = [price for price, _ in book.bids], [price for price, _ in book.asks]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert 0 < len(bids) <= DEPTH
    assert 0 < len(asks) <= DEPTH
    assert book.known_low <= bids[-1] < bids[0] < asks[0] < asks[-1] <= book.known_high


@pytest.mark.parametrize("symbol", [STREAMED, POLLED])
def test_each_bar_of_the_venue_closes_once_as_the_venue_has_it(story: Story, symbol: str) -> None:
    """In order, none missing, through the cut; open ones only before they close."""
    bars = story.run.seen.bars[symbol, "1s"]
    opened = opens_ms(closed(bars))
    assert opened == list(range(opened[0], opened[0] + 1_000 * len(opened), 1_000))
    last = -1
    for bar in bars:
        assert bar.venue_time_ns > last
        last = bar.venue_time_ns if bar.is_closed else last
    compared = [bar for bar in closed(bars) if bar.venue_time_ns // 1_000_000 in list(story.klines[symbol])[:-1]]
    assert len(compared) >= 5
    for bar in compared:
        _, opening, high, low, close, volume, _, turnover, count, *_ = story.klines[symbol][bar.venue_time_ns // 1_000_000]
        assert figures(bar) == tuple(map(float, (opening, high, low, close, volume, turnover, count)))


@pytest.mark.parametrize("symbol", [STREAMED, POLLED])
def test_bars_that_the_venue_lacks_are_what_its_own_make_together(story: Story, symbol: str) -> None:
    """Five seconds of one second each; the trades they are built of are nobody's event."""
    bars = closed(story.run.seen.bars[symbol, "5s"])
    opened = opens_ms(bars)
    assert opened == list(range(opened[0], opened[0] + 5_000 * len(opened), 5_000))
    for bar in bars[:2]:
        start_ms = bar.venue_time_ns // 1_000_000
        rows = [story.klines[symbol][start_ms + second * 1_000] for second in range(5)]
        traded = [row for row in rows if row[8]] or rows
        assert bar.open_price == float(traded[0][1])
        assert bar.close_price == float(rows[-1][4])
        assert bar.high_price == max(float(row[2]) for row in traded)
        assert bar.low_price == min(float(row[3]) for row in traded)
        assert bar.volume == pytest.approx(sum(float(row[5]) for row in rows), rel=1e-12)
        assert bar.trade_count == sum(row[8] for row in rows)
    assert not story.run.seen.agg_trades
    assert story.run.seen.gaps == []


@pytest.mark.parametrize("symbol", [STREAMED, POLLED])
def test_ticks_have_the_levels_behind_their_best(story: Story, symbol: str) -> None:
    """In order, each with its size; in nearly all ticks since the first book."""
    with_levels = [tick for tick in story.run.seen.ticks[symbol] if tick.bid_price_5]
    assert len(with_levels) > 0.5 * len(story.run.seen.ticks[symbol])
    for tick in with_levels:
        prices = levels(tick)
        assert prices == sorted(set(prices))
        assert min(tick.bid_volume_2, tick.bid_volume_5, tick.ask_volume_2) > 0


def levels(tick: TickData) -> list[float]:
    bids = [tick.bid_price_5, tick.bid_price_4, tick.bid_price_3, tick.bid_price_2, tick.bid_price_1]
    asks = [tick.ask_price_1, tick.ask_price_2, tick.ask_price_3, tick.ask_price_4, tick.ask_price_5]
    return bids + [price for price in asks if price]


def test_the_last_bar_can_be_asked_for_and_no_book_any_more(story: Story) -> None:
    """Bars by symbol and interval; a book ends with its lane: here the engine has been closed."""
    engine, seen = story.run.engine, story.run.seen
    assert seen.books[STREAMED][-1].is_valid
    assert engine.oms.get_book("BTCUSDT.BINANCE") is None
    assert engine.oms.get_bar("BTCUSDT.BINANCE", "5s") is seen.bars[STREAMED, "5s"][-1]
