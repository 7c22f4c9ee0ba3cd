"""Binance's streams: names, commands, decoders."""

import json
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.binance.stream_feed import BinanceStreams
from foxtrot.transport.base import Diff, Draft, Item, LaneKey, Quote, Stats
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import AggTradeData, BarData, PublicTradeData
from tests.support.recording_door import Levels, RecordingDoor, RecordingOutlets

CJK = "币安人生USDT"

TRADE: dict[str, Any] = {"e": "trade", "E": 2, "s": "BTCUSDT", "t": 5, "p": "10.5", "q": "0.1", "T": 3, "m": True, "M": True}
AGG_TRADE: dict[str, Any] = {"e": "aggTrade", "s": "BTCUSDT", "a": 4, "p": "10.5", "q": "0.1", "f": 5, "l": 6, "T": 3, "m": False}
QUOTE: dict[str, Any] = {"u": 42, "s": "BTCUSDT", "b": "10", "B": "1", "a": "11", "A": "2"}
STATS: dict[str, Any] = {
    "e": "24hrTicker",
    "s": "BTCUSDT",
    "c": "1",
    "Q": "2",
    "v": "3",
    "q": "4",
    "o": "5",
    "h": "6",
    "l": "7",
    "x": "8",
    "C": 9,
    "L": 10,
}
DEPTH: dict[str, Any] = {"e": "depthUpdate", "E": 2, "s": "BTCUSDT", "U": 5, "u": 7, "b": [["10", "1"]], "a": [["11.5", "0"]]}
KLINE: dict[str, Any] = {
    "e": "kline",
    "E": 2,
    "s": "BTCUSDT",
    "k": {
        "t": 60_000,
        "T": 119_999,
        "s": "BTCUSDT",
        "i": "1m",
        "f": 4,
        "L": 6,
        "o": "1",
        "c": "2",
        "h": "3",
        "l": "0.5",
        "v": "10",
        "n": 3,
        "x": False,
        "q": "15",
        "V": "1",
        "Q": "2",
        "B": "0",
    },
}
CLOSED: dict[str, Any] = {**KLINE, "k": {**KLINE["k"], "x": True}}
KINDS = {
    "trade": ("trades", TRADE),
    "aggTrade": ("agg_trades", AGG_TRADE),
    "bookTicker": ("tick", QUOTE),
    "ticker": ("tick", STATS),
    "depth@100ms": ("book", DEPTH),
    "kline_1m": ("bars:1m", KLINE),
}


class Scene:
    """A feed with everything it delivers to."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.outlets = RecordingOutlets("BINANCE")
        self.quotes: list[tuple[int, Levels, int]] = []
        self.feed = BinanceStreams(
            ("ws://127.0.0.1:9", "ws://127.0.0.1:8"),
            self.outlets,
            lambda symbol: lambda number, levels, at: self.quotes.append((number, levels, at)),
        )
        self.door = RecordingDoor(is_open=is_open)

    def hand(self, kind: str, data: dict[str, Any], symbol: str = "BTCUSDT") -> None:
        """A frame arrives at 7 ns."""
        stream = f"{symbol.lower()}@{kind}"
        self.hand_raw(kind, json.dumps({"stream": stream, "data": data}).encode(), symbol)

    def hand_raw(self, kind: str, frame: bytes, symbol: str = "BTCUSDT") -> None:
        """These bytes arrive at 7 ns."""
        self.feed.handler(LaneKey(symbol, KINDS[kind][0]), f"{symbol.lower()}@{kind}", self.door)(frame, 7)


# names and commands


@pytest.mark.parametrize(
    ("channel", "streams"),
    [
        ("tick", ("btcusdt@bookTicker", "btcusdt@ticker")),
        ("trades", ("btcusdt@trade",)),
        ("agg_trades", ("btcusdt@aggTrade",)),
        ("book", ("btcusdt@depth@100ms",)),
        ("bars:1M", ("btcusdt@kline_1M",)),
    ],
)
def test_a_lane_knows_its_streams(channel: str, streams: tuple[str, ...]) -> None:
    """Symbols in lower case, kinds as the venue spells them."""
    assert Scene().feed.streams(LaneKey("BTCUSDT", channel)) == streams


def test_a_combined_address_joins_the_names() -> None:
    """With slashes; ``@`` stays as it is."""
    url = Scene().feed.url(["btcusdt@trade", "ethusdt@ticker"], 0)
    assert url == "ws://127.0.0.1:9/stream?streams=btcusdt@trade/ethusdt@ticker"


@pytest.mark.parametrize(("line", "port"), [(0, 9), (1, 8), (2, 9), (3, 8)])
def test_lines_go_round_the_addresses(line: int, port: int) -> None:
    """A second line takes another way than the first, where the venue has one."""
    assert Scene().feed.url(["btcusdt@trade"], line) == f"ws://127.0.0.1:{port}/stream?streams=btcusdt@trade"


def test_what_is_not_ascii_is_percent_encoded_in_the_address() -> None:
    """The venue lists such symbols and asks for it."""
    feed = Scene().feed
    assert feed.url(feed.streams(LaneKey(CJK, "trades")), 0) == (
        "ws://127.0.0.1:9/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@trade"
    )


def test_commands_carry_names_and_a_number() -> None:
    """In the venue's words; symbols that are not ASCII as UTF-8."""
    feed = Scene().feed
    streams = feed.streams(LaneKey(CJK, "trades"))
    assert json.loads(feed.subscribe(["a@trade", "b@trade"], 3)) == {
        "method": "SUBSCRIBE",
        "params": ["a@trade", "b@trade"],
        "id": 3,
    }
    assert json.loads(feed.unsubscribe(streams, 4)) == {"method": "UNSUBSCRIBE", "params": [f"{CJK.lower()}@trade"], "id": 4}


def test_a_list_is_asked_for_by_number() -> None:
    """It has no parameters."""
    assert json.loads(Scene().feed.list_subscriptions(5)) == {"method": "LIST_SUBSCRIPTIONS", "id": 5}


@pytest.mark.parametrize(
    ("frame", "number", "streams"),
    [
        (b'{"result":["a@trade","b@ticker"],"id":5}', 5, ["a@trade", "b@ticker"]),
        (b'{"result":[],"id":5}', 5, []),
        (b'{"result":null,"id":4}', 4, None),
        (b'{"result":true,"id":6}', 6, None),
        (b'{"error":{"code":2,"msg":"Invalid request"},"id":7}', 7, None),
        (b'{"code":2,"msg":"Invalid request","id":8}', 8, None),
        (b'{"code":2,"msg":"Invalid request"}', None, None),
        (b'{"result":null,"id":"aabb"}', None, None),
        (b'{"result":null,"id":null}', None, None),
    ],
)
def test_answers_carry_their_number(frame: bytes, number: int | None, streams: list[str] | None) -> None:
    """In every shape that the venue uses; what is not ours has none. Only a list is a listing."""
    feed = Scene().feed
    assert (feed.request_id(frame), feed.listing(frame)) == (number, streams)


@pytest.mark.parametrize(
    ("frame", "is_shutdown"),
    [
        (b'{"e":"serverShutdown","E":1}', True),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}', True),
        (b'{"result":null,"id":4}', False),
        (b'{"stream":"a@trade","data":{}}', False),
    ],
)
def test_a_shutdown_is_announced_in_two_shapes(frame: bytes, is_shutdown: bool) -> None:
    """Raw, and in the envelope of a combined stream."""
    assert Scene().feed.is_shutdown(frame) is is_shutdown


def test_the_canary_is_a_symbols_quotes() -> None:
    """Levels and time of arrival; frames of another symbol are let go."""
    heard: list[tuple[Levels, int]] = []
    stream, handle = Scene().feed.canary("BTCUSDT", lambda levels, at: heard.append((levels, at)))
    handle(json.dumps({"stream": stream, "data": QUOTE}).encode(), 7)
    handle(json.dumps({"stream": stream, "data": {**QUOTE, "s": "ETHUSDT"}}).encode(), 8)
    assert stream == "btcusdt@bookTicker"
    assert heard == [((10.0, 1.0, 11.0, 2.0), 7)]


def test_the_envelope_is_how_data_frames_begin() -> None:
    """The router looks a frame's stream up right behind it."""
    frame = b'{"stream":"btcusdt@trade","data":{}}'
    assert frame.startswith(Scene().feed.envelope)


# what accepted values become


def test_an_accepted_trade_is_delivered() -> None:
    """Mapped whole, not handed over again."""
    scene = Scene(is_open=True)
    scene.hand("trade", TRADE)
    assert scene.door.accepted == [(5, 5, 7)]
    assert scene.outlets.delivered == [
        PublicTradeData(
            symbol="BTCUSDT",
            exchange=Exchange.BINANCE,
            adapter_name="BINANCE",
            source=Source.STREAM,
            venue_time_ns=3_000_000,
            received_ns=7,
            trade_id=5,
            price=10.5,
            volume=0.1,
            is_buyer_maker=True,
        )
    ]
    assert scene.door.given == []


def test_an_accepted_aggregate_is_delivered() -> None:
    """Its door hears the newest trade it contains."""
    scene = Scene(is_open=True)
    scene.hand("aggTrade", AGG_TRADE)
    assert scene.door.accepted == [(4, 6, 7)]
    found = scene.outlets.delivered[0]
    assert isinstance(found, AggTradeData)
    assert (found.agg_id, found.first_trade_id, found.last_trade_id, found.is_buyer_maker) == (4, 5, 6, False)


def test_an_accepted_quote_goes_to_its_sink() -> None:
    """Id, levels, time of arrival."""
    scene = Scene(is_open=True)
    scene.hand("bookTicker", QUOTE)
    assert scene.quotes == [(42, (10.0, 1.0, 11.0, 2.0), 7)]
    assert scene.door.given == []


def test_what_the_door_makes_of_a_diff_is_delivered() -> None:
    """The book as it stands with it."""
    scene = Scene(is_open=True)
    scene.hand("depth@100ms", DEPTH)
    assert scene.door.accepted == [(5, 7, 7)]
    assert list[object](scene.outlets.delivered) == [
        Diff(5, 7, [(10.0, 1.0)], [(11.5, 0.0)], 7)
    ]  # as its door gives back what it was given
    assert scene.door.given == []


def test_an_open_bar_is_a_draft_and_a_closed_one_an_item() -> None:
    """Each has its own door."""
    scene = Scene(is_open=True)
    scene.hand("kline_1m", KLINE)
    scene.hand("kline_1m", CLOSED)
    assert scene.door.accepted == [(1, 3, 7), (1, 6, 7)]
    bars = [bar for bar in scene.outlets.delivered if isinstance(bar, BarData)]
    assert [(bar.interval, bar.is_closed, bar.venue_time_ns) for bar in bars] == [
        ("1m", False, 60_000_000_000),
        ("1m", True, 60_000_000_000),
    ]
    shut = Scene()
    shut.hand("kline_1m", CLOSED)
    assert [type(given) for given in shut.door.given] == [Item]


def test_a_bar_of_another_interval_is_a_stray() -> None:
    """As a frame of another symbol would be."""
    scene = Scene(is_open=True)
    scene.hand("kline_1m", {**KLINE, "k": {**KLINE["k"], "i": "3m"}})
    assert (scene.door.strays, scene.door.accepted) == (1, [])


def test_what_the_door_does_not_accept_is_offered() -> None:
    """The lane decides what becomes of it; nothing is delivered."""
    scene = Scene()
    for kind, (_, data) in KINDS.items():
        scene.hand(kind, data)
    trade, aggregate, quote, stats, diff, draft = scene.door.given
    assert isinstance(trade, Item)
    assert isinstance(aggregate, Item)
    assert (trade.id, trade.last_trade_id, aggregate.id, aggregate.last_trade_id) == (5, 5, 4, 6)
    assert quote == Quote(42, 10.0, 1.0, 11.0, 2.0, 7)
    assert stats == Stats(10, 9, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0), 7)
    assert diff == Diff(5, 7, [(10.0, 1.0)], [(11.5, 0.0)], 7)
    assert isinstance(draft, Draft)
    assert (draft.id, draft.rank, draft.last_trade_id) == (1, 3, 6)
    assert scene.outlets.delivered == []
    assert scene.quotes == []


@pytest.mark.parametrize("kind", KINDS)
def test_another_symbols_event_is_told_and_goes_nowhere(kind: str) -> None:
    """A crossed stream must not poison a symbol's data."""
    scene = Scene(is_open=True)
    scene.hand(kind, {**KINDS[kind][1], "s": "ETHUSDT"})
    assert scene.door.strays == 1
    assert scene.door.accepted == []
    assert scene.door.given == []


# the frame's spelling


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spell",
    [
        lambda stream, data: json.dumps({"data": data, "stream": stream}),
        lambda stream, data: json.dumps({"stream": stream, "data": dict(reversed(data.items()))}, indent=2),
        lambda stream, data: json.dumps({"extra": [1], "stream": stream, "data": {**data, "new": {"x": None}}}),
    ],
    ids=["data first", "white space, keys reversed", "more keys"],
)
def test_the_same_json_in_another_spelling(kind: str, spell: Any) -> None:
    """Order of keys, white space and new keys change nothing."""
    usual, other = Scene(), Scene()
    stream, data = f"btcusdt@{kind}", KINDS[kind][1]
    frame = spell(stream, data).encode()
    usual.hand(kind, data)
    other.hand_raw(kind, frame)
    assert other.door.given == usual.door.given
    assert other.feed.stream_of(frame) == stream


@pytest.mark.parametrize("is_ascii", [True, False])
def test_symbols_in_any_script(is_ascii: bool) -> None:
    """Escaped or as UTF-8."""
    scene = Scene(is_open=True)
    stream = f"{CJK.lower()}@trade"
    frame = json.dumps({"stream": stream, "data": {**TRADE, "s": CJK}}, ensure_ascii=is_ascii).encode()
    scene.hand_raw("trade", frame, CJK)
    assert scene.outlets.delivered[0].symbol == CJK
    assert scene.feed.stream_of(frame) == stream


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "frame", [b"", b"{", b"[]", b"null", b'{"stream":"btcusdt@trade"}', b'{"data":null}', b'{"data":[]}', b"\xff"]
)
def test_a_malformed_frame_raises_what_the_reader_counts(kind: str, frame: bytes) -> None:
    """A msgspec error, and nothing is delivered."""
    scene = Scene(is_open=True)
    with pytest.raises(msgspec.MsgspecError):
        scene.hand_raw(kind, frame)
    assert scene.outlets.delivered == []
    assert scene.quotes == []


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("trade", "p"),
        ("trade", "t"),
        ("aggTrade", "q"),
        ("bookTicker", "b"),
        ("ticker", "c"),
        ("depth@100ms", "U"),
        ("kline_1m", "k"),
    ],
)
@pytest.mark.parametrize("value", ["NaN", "-1", "1e400", "", None, [], True])
def test_a_frame_with_a_wrong_value_raises(kind: str, field: str, value: object) -> None:
    """No value is made up, and none half taken."""
    scene = Scene(is_open=True)
    with pytest.raises(msgspec.ValidationError):
        scene.hand(kind, {**KINDS[kind][1], field: value})
    assert scene.door.accepted == []


# what is no data


@pytest.mark.parametrize(
    "frame", [b'{"result":null,"id":1}', b'{"id":1}', b'{"error":{"code":2,"msg":"x"},"id":1}', b'{"e":"x"}']
)
def test_what_is_no_data_has_no_stream(frame: bytes) -> None:
    """Acknowledgements, errors, notices."""
    assert not Scene().feed.stream_of(frame)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (b'{"result":null,"id":1}', ""),
        (b'{"result":["btcusdt@trade"],"id":1}', ""),
        (b'{"error":{"code":2,"msg":"Invalid request"},"id":1}', "2 Invalid request"),
        (b'{"code":3,"msg":"Invalid JSON","id":null}', "3 Invalid JSON"),
        (b'{"error":{},"id":1}', "None None"),
    ],
)
def test_a_complaint_comes_in_two_shapes(frame: bytes, complaint: str) -> None:
    """Flat, or nested under ``error``; an acknowledgement complains of nothing."""
    assert Scene().feed.complaint(frame) == complaint


@pytest.mark.parametrize("frame", [rb'{"error":{"code":2,"msg":"a\nb\u001b"}}', rb'{"code":2,"msg":"a\nb\u001b"}'])
def test_a_complaint_writes_no_lines_into_a_log(frame: bytes) -> None:
    """Control characters go."""
    assert Scene().feed.complaint(frame) == "2 ab"
