"""From Binance's klines to bars."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.intervals import LATEST_MS, VENUE_INTERVALS, parse
from foxtrot.adapter.binance.kline_mappings import KlineEnvelope, KlineRow, to_bars, to_streamed_bar
from foxtrot.sandbox import payloads
from foxtrot.sandbox.amounts import to_text
from foxtrot.sandbox.candles import Candle, next_open, open_of
from foxtrot.sandbox.frames import wrap
from foxtrot.transport.base import Draft, Item
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import BarData

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rest" / "klines.json"
FIVE = parse("5m")
NUMBER = 5_289_958
ROW: list[object] = [
    1586987400000, "6733.55000000", "6737.79000000", "6726.61000000", "6727.14000000", "121.20139100",
    1586987699999, "815879.49416818", 2208, "56.19067400", "378311.74215876", "0",
]  # fmt: skip
KLINE: dict[str, object] = {
    "t": 1586987400000, "T": 1586987699999, "s": "BTCUSDT", "i": "5m", "f": 300000000, "L": 300002207,
    "o": "6733.55000000", "c": "6727.14000000", "h": "6737.79000000", "l": "6726.61000000", "v": "121.20139100", "n": 2208,
    "x": True, "q": "815879.49416818", "V": "56.19067400", "Q": "378311.74215876", "B": "0",
}  # fmt: skip
BAR = BarData(
    symbol="BTCUSDT",
    exchange=Exchange.BINANCE,
    adapter_name="B",
    source=Source.STREAM,
    venue_time_ns=1586987400000_000_000,
    received_ns=9,
    interval="5m",
    open_price=6733.55,
    high_price=6737.79,
    low_price=6726.61,
    close_price=6727.14,
    volume=121.201391,
    turnover=815879.49416818,
    trade_count=2208,
    is_closed=True,
)


def decoded(frame: bytes) -> KlineEnvelope:
    return msgspec.json.decode(frame, type=KlineEnvelope, strict=False)


def streamed(kline: dict[str, object], interval: str = "5m") -> Item | Draft:
    data = {"e": "kline", "E": 1586987700010, "s": "BTCUSDT", "k": kline}
    frame = decoded(json.dumps({"stream": f"btcusdt@kline_{interval}", "data": data}).encode()).data
    return to_streamed_bar("B", parse(interval), frame, 9)


def rows(*given: object) -> list[KlineRow]:
    return msgspec.json.decode(json.dumps(given), type=list[KlineRow], strict=False)


def polled(*given: object, interval: str = "5m", source: Source = Source.POLL) -> list[Item | Draft]:
    return to_bars("B", "BTCUSDT", parse(interval), rows(*given), source, 9)


def bar(value: Item | Draft) -> BarData:
    assert isinstance(value.value, BarData)
    return value.value


# streamed


def test_a_closed_bar_is_an_item() -> None:
    """Every field; its id is the number of its interval."""
    assert streamed(KLINE) == Item(NUMBER, 300002207, BAR)


def test_the_open_bar_is_a_draft() -> None:
    """Its rank is its count of trades."""
    assert streamed({**KLINE, "x": False}) == Draft(NUMBER, 2208, 300002207, msgspec.structs.replace(BAR, is_closed=False))


def test_a_bar_without_trades_has_no_last_trade() -> None:
    """The venue says -1; prices are the last one's."""
    empty = {**KLINE, "f": -1, "L": -1, "n": 0, "v": "0.00000000", "q": "0.00000000"}
    found = streamed(empty)
    assert found.last_trade_id == -1
    assert (bar(found).volume, bar(found).turnover, bar(found).trade_count) == (0.0, 0.0, 0)


def test_the_frame_tells_its_symbol_interval_and_time() -> None:
    """For whoever has to refuse a stray one."""
    frame = decoded(wrap("btcusdt@kline_5m", b'{"e":"kline","E":5,"s":"BTCUSDT","k":' + json.dumps(KLINE).encode() + b"}")).data
    assert (frame.symbol, frame.kline.interval, frame.event_time) == ("BTCUSDT", "5m", 5)


def test_a_frame_need_not_say_when_it_was_sent() -> None:
    """0 then."""
    assert decoded(json.dumps({"data": {"s": "BTCUSDT", "k": KLINE}}).encode()).data.event_time == 0


# polled


def test_the_last_row_is_the_open_bar() -> None:
    """Whatever the clock says: only a later bar proves that one has closed."""
    draft = msgspec.structs.replace(BAR, source=Source.POLL, is_closed=False)
    assert polled(ROW) == [Draft(NUMBER, 2208, -1, draft)]


def test_a_row_with_a_later_one_is_closed() -> None:
    """REST does not tell its last trade id."""
    later = [1586987700000, *ROW[1:]]
    found = polled(ROW, later, source=Source.BACKFILL)
    assert found[0] == Item(NUMBER, -1, msgspec.structs.replace(BAR, source=Source.BACKFILL))
    assert isinstance(found[1], Draft)
    assert found[1].id == NUMBER + 1


def test_no_row_no_bar() -> None:
    """Before the symbol's first trade."""
    assert polled() == []


def test_intervals_may_be_missing() -> None:
    """Their numbers too: whoever counts sees it."""
    assert [each.id for each in polled(ROW, [1586988300000, *ROW[1:]])] == [NUMBER, NUMBER + 3]


@pytest.mark.parametrize("second", [1586987400000, 1586987100000])
def test_rows_that_do_not_ascend_are_refused(second: int) -> None:
    """Twice the same, or an older one."""
    with pytest.raises(msgspec.ValidationError, match="out of order"):
        polled(ROW, [second, *ROW[1:]])


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers (../shared/data/rest) are not beside this checkout")
def test_recorded_klines() -> None:
    """24 of them: 23 closed, without a break, and the open one."""
    body = msgspec.json.decode(RECORDED.read_bytes(), type=list[KlineRow], strict=False)
    found = to_bars("B", "BTCUSDT", FIVE, body, Source.POLL, 9)
    assert [each.id for each in found] == list(range(NUMBER, NUMBER + 24))
    assert [type(each) for each in found] == [Item] * 23 + [Draft]
    assert bar(found[0]) == msgspec.structs.replace(BAR, source=Source.POLL)
    assert bar(found[-1]).turnover == 335940.61968591
    assert all(row.close_time == FIVE.close_ms(each.id) for row, each in zip(body, found, strict=True))


# the same bar by REST and by stream

AMOUNTS = st.integers(0, 10**15)


@given(
    st.sampled_from(sorted(VENUE_INTERVALS)),
    st.integers(0, 4_000_000_000_000),
    st.lists(AMOUNTS, min_size=6, max_size=6),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_a_bar_is_the_same_by_stream(interval: str, time_ms: int, amounts: list[int], count: int, is_closed: bool) -> None:
    """Equal but for source and last trade id, from the bytes that the sandbox sends."""
    start = open_of(time_ms, interval)
    if start < 0:
        start = next_open(start, interval)
    candle = Candle(start, next_open(start, interval) - 1, 0)
    candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote = amounts
    candle.count, candle.last_id = count, count - 1
    payload = payloads.kline("BTCUSDT", interval, candle, time_ms * 1_000, 1_000, is_closed=is_closed)
    by_stream = to_streamed_bar("B", parse(interval), decoded(wrap(f"btcusdt@kline_{interval}", payload)).data, 9)
    text = [to_text(amount) for amount in amounts]
    row = [start, *text[:5], candle.close_ms, text[5], count, "0", "0", "0"]
    later = [candle.close_ms + 1, *row[1:]]
    by_rest = polled(*([row, later] if is_closed else [row]), interval=interval)[0]
    assert bar(by_rest) == msgspec.structs.replace(bar(by_stream), source=Source.POLL)
    assert by_rest == by_stream._replace(last_trade_id=-1, value=by_rest.value)


# what does not fit


@pytest.mark.parametrize("start", [1586987400001, 1586987460000])
def test_a_bar_that_opens_between_is_refused(start: int) -> None:
    """Of another interval or time zone."""
    with pytest.raises(msgspec.ValidationError, match="no bar of 5m opens at"):
        polled([start, *ROW[1:]])
    with pytest.raises(msgspec.ValidationError):
        streamed({**KLINE, "t": start})


@pytest.mark.parametrize("start", [-1, 1.5, "x", None, LATEST_MS, 1586987400000_000, 2**63])
def test_what_is_no_time_is_refused(start: object) -> None:
    """In microseconds, or past what a calendar knows."""
    with pytest.raises(msgspec.ValidationError):
        rows([start, *ROW[1:]])
    with pytest.raises(msgspec.ValidationError):
        streamed({**KLINE, "t": start})


@pytest.mark.parametrize("amount", ["NaN", "inf", "-1", "1e15", "", None, True])
@pytest.mark.parametrize(("at", "key"), [(1, "o"), (2, "h"), (3, "l"), (4, "c"), (5, "v"), (7, "q")])
def test_what_is_no_amount_is_refused(at: int, key: str, amount: object) -> None:
    """By either way."""
    with pytest.raises(msgspec.ValidationError):
        rows([*ROW[:at], amount, *ROW[at + 1 :]])
    with pytest.raises(msgspec.ValidationError):
        streamed({**KLINE, key: amount})


@pytest.mark.parametrize("count", [-1, 1.5, 2**63, None])
def test_what_is_no_count_is_refused(count: object) -> None:
    """Whole, 0 or more."""
    with pytest.raises(msgspec.ValidationError):
        rows([*ROW[:8], count, *ROW[9:]])
    with pytest.raises(msgspec.ValidationError):
        streamed({**KLINE, "n": count})


def test_a_last_trade_id_below_none_is_refused() -> None:
    """-1 is the venue's none."""
    with pytest.raises(msgspec.ValidationError):
        streamed({**KLINE, "L": -2})


@pytest.mark.parametrize("key", ["t", "i", "L", "o", "h", "l", "c", "v", "q", "n", "x"])
def test_a_missing_key_is_refused(key: str) -> None:
    """Nothing is made up."""
    with pytest.raises(msgspec.ValidationError, match=f"`{key}`"):
        streamed({name: value for name, value in KLINE.items() if name != key})


@pytest.mark.parametrize("length", range(9))
def test_a_short_row_is_refused(length: int) -> None:
    """What follows the count is not read."""
    with pytest.raises(msgspec.ValidationError):
        rows(ROW[:length])
    assert rows([*ROW, "more"]) == rows(ROW[:9])


def test_what_the_venue_adds_is_ignored() -> None:
    """A new key must not stop anything."""
    assert streamed({**KLINE, "new": {"deep": [1]}}) == streamed(KLINE)
