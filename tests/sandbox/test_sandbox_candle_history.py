"""The candle history: whatever it puts together is what its minutes say."""

import itertools
import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foxtrot.sandbox.amounts import UNIT, to_text
from foxtrot.sandbox.answers import ENDPOINTS, Scene
from foxtrot.sandbox.candle_history import DAY_MS, LENGTHS_MS, CandleHistory
from foxtrot.sandbox.candles import INTERVALS_MS, MINUTE_MS, Candle, next_open, open_of
from foxtrot.sandbox.figures import window_figures
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.listings import listings
from foxtrot.sandbox.publisher import candle_at
from foxtrot.sandbox.query import Query
from foxtrot.sandbox.recorded_symbol import RecordedSymbol
from foxtrot.sandbox.stream_names import parse
from foxtrot.sandbox.tape import MIN_KEEP, Tape

START_MS = 1_724_716_800_000
"""2024-08-27 00:00 UTC, a Tuesday."""

Flow = list[tuple[int, int, int, bool]]
"""Price, size, milliseconds since the trade before, whether the buyer was the maker."""

LONGER = [each for each in INTERVALS_MS if each != "1s"]
OFFSETS_MS = [0, 8 * 3_600_000, -12 * 3_600_000, 20_700_000, 60_000]
"""UTC, +08:00, -12:00, +05:45, +00:01."""


def flow_of(seed: int, pause_ms: int, count: int) -> Flow:
    """Trades at random, ``pause_ms`` apart on average: drawn one by one, hypothesis hardly ever leaves the first day."""
    rng = random.Random(seed)
    return [
        (rng.randint(1, 500), rng.randint(1, 50), int(rng.expovariate(1 / pause_ms)), rng.random() < 0.5) for _ in range(count)
    ]


flows = st.builds(
    flow_of,
    st.integers(0, 1 << 32),
    st.sampled_from([20_000, 5 * MINUTE_MS, 60 * MINUTE_MS, 480 * MINUTE_MS]),
    st.integers(1, 40),
)
intervals = st.sampled_from(LONGER)
offsets = st.sampled_from(OFFSETS_MS)
SMALLEST = 30


def fold(minutes: Iterable[Candle], interval: str, offset_ms: int = 0) -> list[Candle]:
    """What a longer candle is, minute by minute."""
    made: list[Candle] = []
    for minute in minutes:
        if not made or minute.open_ms > made[-1].close_ms:
            start = open_of(minute.open_ms, interval, offset_ms)
            made.append(Candle(start, next_open(start, interval, offset_ms) - 1, made[-1].close if made else minute.open))
        made[-1].add_candle(minute)
    return made


def figures(candle: Candle) -> list[int]:
    return [getattr(candle, name) for name in Candle.__slots__]


def fill(history: CandleHistory, flow: Flow, first_id: int = 1, start_ms: int = START_MS) -> int:
    """Trades into a history; returns when the last one was."""
    at = start_ms
    for number, (price, size, pause_ms, is_maker) in enumerate(flow):
        at += pause_ms
        history.minute(at, price * UNIT).add_trade(first_id + number, price * UNIT, size * UNIT, is_buyer_maker=is_maker)
    return at


def filled(flow: Flow, keep: int | None = None) -> CandleHistory:
    history = CandleHistory() if keep is None else CandleHistory(keep)
    fill(history, flow)
    return history


def unbounded(flow: Flow) -> CandleHistory:
    """Keeps every minute of any flow."""
    return filled(flow, 10**9)


def known(history: CandleHistory, whole: list[Candle], interval: str, offset_ms: int) -> list[Candle]:
    """Those that the history says it knows."""
    earliest = history.earliest(interval, offset_ms)
    return [each for each in whole if each.open_ms >= earliest]


@given(flows, intervals, offsets)
def test_a_longer_candle_is_the_fold_of_its_minutes(flow: Flow, interval: str, offset_ms: int) -> None:
    """Every figure of every candle of any interval and time zone, from the first trade to the newest."""
    history, truth = filled(flow), unbounded(flow)
    whole = fold(truth.minutes, interval, offset_ms)
    if len(truth.minutes) <= len(history.minutes):
        assert history.earliest(interval, offset_ms) == whole[0].open_ms
    for each in known(history, whole, interval, offset_ms):
        assert figures(history.total(each.open_ms, each.close_ms)) == figures(each)


@given(flows, intervals, offsets, st.integers(SMALLEST, 60))
def test_it_stays_the_fold_of_all_minutes_after_they_were_let_go(flow: Flow, interval: str, offset_ms: int, keep: int) -> None:
    """From the earliest that is still known on; and what was let go before that is bounded by what may be kept."""
    history, whole = filled(flow, keep), fold(unbounded(flow).minutes, interval, offset_ms)
    found = known(history, whole, interval, offset_ms)
    assert found or interval == "1M" or offset_ms  # so few pieces do not reach over a month, or an odd edge of a day
    for each in found:
        assert figures(history.total(each.open_ms, each.close_ms)) == figures(each)
    assert all(len(row.candles) <= keep for row in history._rows)


@example(flow_of(19, 3_600_000, 8), flow_of(0, 20_000, 1), "2h", 60_000, 30)
@given(flows, flows, intervals, offsets, st.integers(SMALLEST, 60))
def test_a_closed_candle_stays_as_the_next_trades_come(flow: Flow, more: Flow, interval: str, offset_ms: int, keep: int) -> None:
    """Asked before and after, as a stream that shows it every two seconds: only the newest grows."""
    history, truth = CandleHistory(keep), CandleHistory(10**9)
    ends = [fill(each, flow) for each in (history, truth)]
    for before in known(history, fold(truth.minutes, interval, offset_ms)[-1:], interval, offset_ms):
        assert figures(history.total(before.open_ms, before.close_ms)) == figures(before)
    for each in (history, truth):
        fill(each, more, len(flow) + 1, ends[0])
    for found in known(history, fold(truth.minutes, interval, offset_ms), interval, offset_ms):
        assert figures(history.total(found.open_ms, found.close_ms)) == figures(found)


@given(flows, st.integers(0, 3 * DAY_MS), st.integers(0, 3 * DAY_MS), st.integers(SMALLEST, 60))
def test_parts_hold_each_minute_once(flow: Flow, after_ms: int, span_ms: int, keep: int) -> None:
    """They ascend without a hole and do not reach over the span; the newest are whole to the minute."""
    history = filled(flow, keep)
    first_ms, last_ms = START_MS + after_ms, START_MS + after_ms + span_ms
    parts = history.parts(first_ms, last_ms)
    assert all(after.open_ms == before.close_ms + 1 for before, after in itertools.pairwise(parts))
    assert all(first_ms <= each.open_ms and each.close_ms < last_ms + MINUTE_MS for each in parts)
    inside = [each for each in history.minutes if first_ms <= each.open_ms <= last_ms]
    if inside:
        assert parts[-1].close_ms == inside[-1].close_ms
        assert sum(each.count for each in parts) >= sum(each.count for each in inside)


def test_a_month_is_put_together_of_few() -> None:
    """At most 31 days, and at each edge 11 pieces of two hours, 7 quarter hours, 14 minutes and the newest one."""
    history = CandleHistory()
    for minute in range(0, 36 * 1_440 + 1_009, 5):
        history.minute(START_MS + minute * MINUTE_MS, UNIT).add_trade(minute, UNIT, UNIT, is_buyer_maker=False)
    newest = history.minutes[-1].open_ms
    most = max(
        len(history.parts(open_of(at, interval, offset_ms), at))
        for at in range(newest - 3 * MINUTE_MS, newest + 1, MINUTE_MS)
        for interval in LONGER
        for offset_ms in OFFSETS_MS
    )
    assert most <= 31 + 2 * (11 + 7 + 14) + 1
    assert [length for length, row in zip(LENGTHS_MS, history._rows, strict=True) if not row.candles] == []


def test_pieces_are_let_go_without_a_hole() -> None:
    """In a history that began within a quarter hour, no span has a hole: its last piece is all there or not at all."""
    history = CandleHistory(SMALLEST)
    fill(history, [(5, 1, MINUTE_MS, False)] * 100, start_ms=START_MS + 6 * MINUTE_MS)
    for end_ms in range(START_MS, START_MS + 107 * MINUTE_MS, MINUTE_MS):
        parts = history.parts(START_MS, end_ms)
        assert all(after.open_ms == before.close_ms + 1 for before, after in itertools.pairwise(parts))


def test_a_copy_of_a_history_goes_its_own_way() -> None:
    """What comes into one of them is not in the other, at any length."""
    flow, more = [(5, 1, MINUTE_MS, False)] * 200, [(9, 3, MINUTE_MS, False)] * 3_000
    history, truth = filled(flow), unbounded(flow + flow * 10)
    copy = history.copy()
    fill(history, more, 201, START_MS + 200 * MINUTE_MS)
    fill(copy, flow * 10, 201, START_MS + 200 * MINUTE_MS)
    for interval in LONGER:
        for each in fold(truth.minutes, interval):
            assert figures(copy.total(each.open_ms, each.close_ms)) == figures(each)


def test_before_and_after_what_is_kept_a_candle_is_flat() -> None:
    """At the last price, without ids."""
    history = filled([(7, 1, 0, False)])
    for open_ms in (START_MS - DAY_MS, START_MS + DAY_MS):
        made = history.total(open_ms, open_ms + MINUTE_MS - 1)
        assert (made.open, made.close, made.count, made.first_id) == (7 * UNIT, 7 * UNIT, 0, -1)


# in a symbol


def traded(flow: Flow, history: CandleHistory | None = None) -> Instrument:
    """A symbol of that flow, with few trades kept."""
    tape = Tape(capacity=MIN_KEEP)
    if history is not None:
        tape.candles = history
    at = START_MS
    for price, size, pause_ms, is_maker in flow:
        at += pause_ms
        tape.add(price * UNIT, size * UNIT, at * 1_000, is_buyer_maker=is_maker)
        tape.close_agg()
    return Instrument(listings(1)[0], LevelBook(), tape)


def asked(instrument: Instrument, now_ms: int, text: str) -> list[list[object]]:
    """Rows of ``klines`` at ``now_ms``."""
    endpoint, listed = ENDPOINTS["/api/v3/klines"], {instrument.symbol: instrument}
    pairs = [
        ("symbol", instrument.symbol),
        *((name, value) for name, _, value in (each.partition("=") for each in text.split("&"))),
    ]
    query = Query(pairs, endpoint.params, endpoint.mandatory, listed)
    return msgspec.json.decode(endpoint.answer(Scene(listed, now_ms * 1_000, now_ms * 1_000), query), type=list[list[object]])


def expected(
    minutes: list[Candle], now_ms: int, interval: str, limit: int, start_ms: int | None, end_ms: int | None
) -> list[list[object]]:
    """Open time, volume, trades and close of what ``klines`` has to answer: from a fold of all minutes up to now."""
    last = minutes[-1]
    flat = [Candle(at, at + MINUTE_MS - 1, last.close) for at in range(last.close_ms + 1, now_ms + 1, MINUTE_MS)]
    found = fold([*minutes, *flat], interval)
    if start_ms is not None:
        found = [each for each in found if each.open_ms >= start_ms][:limit]
    if end_ms is not None:
        found = [each for each in found if each.open_ms <= end_ms]
    return [[each.open_ms, to_text(each.volume), each.count, to_text(each.close)] for each in found[-limit:]]


@given(
    flows.filter(lambda flow: sum(each[2] for each in flow) < 6 * DAY_MS),
    intervals,
    st.integers(1, 1_000),
    st.none() | st.integers(-DAY_MS, 7 * DAY_MS),
    st.none() | st.integers(0, DAY_MS),
    st.integers(0, DAY_MS),
)
def test_klines_are_a_fold_of_all_minutes(
    flow: Flow, interval: str, limit: int, start: int | None, span: int | None, later_ms: int
) -> None:
    """Whatever is asked for: the first of them from ``startTime`` on, else the last; flat after the last trade."""
    instrument, truth = traded(flow), unbounded(flow).minutes
    now_ms = START_MS + sum(each[2] for each in flow) + later_ms
    start_ms = None if start is None else START_MS + start
    end_ms = None if span is None else (start_ms or START_MS) + span
    text = f"interval={interval}&limit={limit}"
    text += "" if start_ms is None else f"&startTime={start_ms}"
    text += "" if end_ms is None else f"&endTime={end_ms}"
    found = [[row[0], row[5], row[8], row[4]] for row in asked(instrument, now_ms, text)]
    assert found == expected(truth, now_ms, interval, limit, start_ms, end_ms)


@pytest.mark.parametrize("interval", LONGER)
def test_streams_and_answers_say_the_same(interval: str) -> None:
    """After two weeks, with half of the trades let go: the stream's newest candle is the last of ``klines``, and whole."""
    flow = [(100 + number % 7, 1 + number % 3, 11 * MINUTE_MS + 7, number % 2 == 0) for number in range(2_000)]
    instrument, stream = traded(flow, CandleHistory(1_500)), parse(f"btcusdt@kline_{interval}")
    assert stream is not None
    now_ms = START_MS + sum(each[2] for each in flow)
    candle = candle_at(instrument, stream, open_of(now_ms, interval))
    row = asked(instrument, now_ms, f"interval={interval}&limit=1")[0]
    assert [row[0], row[5], row[8], row[4]] == [candle.open_ms, to_text(candle.volume), candle.count, to_text(candle.close)]
    whole = fold(unbounded(flow).minutes, interval)[-1]
    assert figures(candle)[:-3] == figures(whole)[:-3]


def test_the_newest_candle_is_shown_in_any_zone() -> None:
    """A month that opens a minute past the hour, after its first minutes were let go: what is known of it, not nothing."""
    flow = [(5, 1, 11 * MINUTE_MS, False)] * 2_000
    instrument = traded(flow, CandleHistory(1_500))
    row = asked(instrument, START_MS + 22_000 * MINUTE_MS, "interval=1M&timeZone=-0:01")[0]
    whole = fold(unbounded(flow).minutes, "1M", -MINUTE_MS)[-1]
    assert row[0] == whole.open_ms
    assert whole.count - 2 <= int(str(row[8])) <= whole.count


@pytest.mark.parametrize("text", ["startTime=9223372036854775807", "endTime=0", "startTime=0&endTime=0"])
@pytest.mark.parametrize("interval", ["1m", "1M"])
def test_times_without_candles_have_none(interval: str, text: str) -> None:
    """Far ahead, and long ago."""
    assert asked(traded([(5, 1, 0, False)]), START_MS, f"interval={interval}&timeZone=-12&{text}") == []


@given(flows, st.integers(1, 7 * 1_440))
def test_a_window_is_the_sum_of_its_minutes(flow: Flow, minutes: int) -> None:
    """Rolling figures of a span are put together of the same candles."""
    tape, truth = traded(flow).tape, unbounded(flow).minutes
    now_ms = START_MS + sum(each[2] for each in flow)
    found = window_figures(tape, minutes * MINUTE_MS, now_ms * 1_000)
    inside = [each for each in truth if found.open_us // 1_000 <= each.open_ms]
    assert (found.count, found.volume) == (sum(each.count for each in inside), sum(each.volume for each in inside))


def test_a_hole_in_a_recording_keeps_the_candles() -> None:
    """Trades before it can no longer be asked by id, but a day holds them, and what is between is flat."""
    played = RecordedSymbol(listings(1)[0])
    for trade_id, after_ms in ((7, 0), (8, 20 * MINUTE_MS), (90, 200 * MINUTE_MS)):
        played.play_trade(
            b'{"t":%d,"p":"5.0","q":"1.0","T":%d,"m":false,"a":%d,"b":1}' % (trade_id, START_MS + after_ms, trade_id)
        )
    tape = played.instrument.tape
    assert tape.first_id == 90
    assert [tape.candles.total(START_MS, START_MS + DAY_MS - 1).count, len(tape.candles.minutes)] == [3, 201]
