"""The agents' market: honest to itself, the same for the same seed, and alive."""

import itertools
import json
from typing import Any

import pytest

from foxtrot.sandbox.fanout import Fanout, Topic
from foxtrot.sandbox.frames import frame
from foxtrot.sandbox.listings import MAX_COUNT, foreign_listing, listings
from foxtrot.sandbox.market import Market

START_US = 1_723_161_600_000_000


class Calm:
    """No faults."""

    is_active = False

    def shape(self, subscriber: object, topic: Topic, payload: bytes) -> None:
        raise AssertionError


class Reader:
    """Reads the streams it joins, without a socket."""

    def __init__(self, *, is_combined: bool = True, is_microsecond: bool = False) -> None:
        self.out: list[bytes] = []
        self.is_combined = is_combined
        self.is_microsecond = is_microsecond
        self.writes = 0

    def flush(self) -> None:
        self.writes += 1

    def events(self) -> list[Any]:
        """What was sent, decoded."""
        return [json.loads(each[{126: 4, 127: 10}.get(each[1], 2) :]) for each in self.out]


def played(seed: int = 1, seconds: int = 30, *names: str, count: int = 3) -> tuple[Market, list[Any]]:
    """A market played for a while, and what a reader of these streams received."""
    fanout, reader = Fanout(Calm()), Reader()
    market = Market(listings(count), seed, START_US, fanout, speed_up=5.0)
    for name in names:
        fanout.join(reader, name)
    while not market.play(START_US + seconds * 1_000_000):
        pass
    return market, reader.events()


def by_stream(events: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for event in events:
        found.setdefault(event["stream"].partition("@")[2], []).append(event["data"])
    return found


def test_same_seed_same_market() -> None:
    """Two markets with one seed send the same bytes at the same times; another seed does not."""
    names = ("btcusdt@trade", "btcusdt@bookTicker", "ethusdt@depth@100ms")
    _, first = played(7, 20, *names)
    _, second = played(7, 20, *names)
    _, other = played(8, 20, *names)
    assert first == second
    assert first != other


def test_views_agree() -> None:
    """Trades, aggregates, book tickers and both depths tell one story."""
    names = [f"btcusdt@{kind}" for kind in ("trade", "aggTrade", "bookTicker", "depth@100ms", "depth", "depth5@100ms")]
    market, events = played(3, 30, *names)
    found = by_stream(events)
    trades, aggs = found["trade"], found["aggTrade"]
    assert all(after["t"] == before["t"] + 1 for before, after in itertools.pairwise(trades))
    assert all(after["a"] == before["a"] + 1 and after["f"] == before["l"] + 1 for before, after in itertools.pairwise(aggs))
    assert sum(float(each["q"]) for each in trades) == pytest.approx(sum(float(each["q"]) for each in aggs))
    for kind in ("depth@100ms", "depth"):
        assert all(after["U"] == before["u"] + 1 for before, after in itertools.pairwise(found[kind]))
    assert max(event["u"] for event in found["depth@100ms"]) <= market.instruments["BTCUSDT"].update_id


def test_book_ticker_is_the_top_of_the_book_at_its_id() -> None:
    """Diffs applied one by one reach, at each book ticker's id that ends a frame, the quote that it named."""
    fanout, reader = Fanout(Calm()), Reader()
    market = Market(listings(1), 5, START_US, fanout, speed_up=5.0)
    book = market.instruments["BTCUSDT"].book.copy()
    for name in ("btcusdt@bookTicker", "btcusdt@depth@100ms"):
        fanout.join(reader, name)
    while not market.play(START_US + 30_000_000):
        pass
    quotes = {each["data"]["u"]: each["data"] for each in reader.events() if each["stream"].endswith("bookTicker")}
    compared = 0
    for event in reader.events():
        if not event["stream"].endswith("bookTicker"):
            diff = event["data"]
            for side, rows in ((book.bids, diff["b"]), (book.asks, diff["a"])):
                for price, size in rows:
                    side.put(round(float(price) * 1e8), round(float(size) * 1e8))
            quote = quotes.get(diff["u"])
            if quote:
                compared += 1
                bid, bid_size, ask, ask_size = book.best()
                assert [round(float(quote[key]) * 1e8) for key in "bBaA"] == [bid, bid_size, ask, ask_size]
                assert bid < ask
    assert compared > 10


def test_the_market_is_alive() -> None:
    """Wide books, trades on both sides, a busy symbol and quiet ones."""
    market, _ = played(1, 40, count=13)
    busy, quiet = market.instruments["BTCUSDT"], market.instruments["NULSUSDT"]
    assert len(busy.book.bids.prices) > 150
    assert len(busy.book.asks.prices) > 150
    first = busy.tape.id_at(START_US)
    sides = {busy.tape.trade(trade_id).is_buyer_maker for trade_id in range(first, busy.tape.next_id)}
    assert sides == {True, False}
    assert busy.tape.next_id - first > 20 * (quiet.tape.next_id - quiet.tape.id_at(START_US))
    assert busy.tape.next_id - busy.tape.first_id > 1_000


def test_a_halted_symbol_stands_still() -> None:
    """Nothing happens in a halted symbol; the others go on."""
    market, _ = played(1, 5)
    market.instruments["BTCUSDT"].is_halted = True
    before = {name: each.update_id for name, each in market.instruments.items()}
    while not market.play(START_US + 60_000_000):
        pass
    assert market.instruments["BTCUSDT"].update_id == before["BTCUSDT"]
    assert market.instruments["ETHUSDT"].update_id > before["ETHUSDT"]


def test_each_event_is_encoded_once_for_all_readers() -> None:
    """Readers of one form share the very same bytes; forms differ."""
    fanout = Fanout(Calm())
    plain, also, combined, micro = Reader(is_combined=False), Reader(is_combined=False), Reader(), Reader(is_microsecond=True)
    for reader in (plain, also, combined, micro):
        fanout.join(reader, "btcusdt@trade")
    fanout.publish("btcusdt@trade", lambda per_unit: str(2_000 // per_unit).encode())
    assert plain.out[0] is also.out[0]
    assert plain.out[0] == frame(b"2")
    assert combined.out[0] == frame(b'{"stream":"btcusdt@trade","data":2}')
    assert micro.out[0] == frame(b'{"stream":"btcusdt@trade","data":2000}')
    fanout.flush()
    assert plain.writes == 1


def test_a_topic_nobody_reads_is_forgotten() -> None:
    """After the last reader has left nothing is encoded any more."""
    fanout, reader = Fanout(Calm()), Reader()
    fanout.join(reader, "btcusdt@trade")
    fanout.leave(reader, "btcusdt@trade")
    fanout.leave(reader, "btcusdt@trade")
    assert not fanout.has("btcusdt@trade")
    fanout.publish("btcusdt@trade", lambda _: b"never")
    assert reader.out == []


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
def test_frames_carry_their_length(size: int) -> None:
    """The three ways in which a frame says how long it is."""
    head = frame(b"x" * size)[: -size or None]
    assert len(head) == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_lists_up_to_two_hundred_symbols() -> None:
    """Every symbol is listed once; more than 200 or none is refused."""
    assert len({each.symbol for each in listings(MAX_COUNT)}) == MAX_COUNT
    for count in (0, MAX_COUNT + 1):
        with pytest.raises(ValueError, match="1 to 200"):
            listings(count)


def test_a_recorded_symbol_is_taken_apart() -> None:
    """Base and quote of a symbol that is not listed here."""
    assert (foreign_listing("PEPEFDUSD").base, foreign_listing("PEPEFDUSD").quote) == ("PEPE", "FDUSD")
    assert foreign_listing("ETHUSDT").tick == 1_000_000
    assert foreign_listing("ABCXYZ").quote == "XYZ"


def test_no_more_trades_are_kept_than_asked_for() -> None:
    """A long run in little memory: the oldest go, ids go on."""
    market = Market(listings(1), 5, START_US, Fanout(Calm()), speed_up=50.0, keep=1_000)
    while not market.play(START_US + 120_000_000):
        pass
    tape = market.instruments["BTCUSDT"].tape
    assert tape.first_id > 5_000_000
    assert tape.next_id - tape.first_id <= 1_000
