"""The tape: contiguous ids, and figures that are the sums of its trades."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.sandbox.amounts import UNIT, notional, to_text, to_units
from foxtrot.sandbox.candles import INTERVALS_MS, Candle, next_open, open_of
from foxtrot.sandbox.figures import day_figures, five_minute_average, window_figures
from foxtrot.sandbox.tape import DAY_US, Tape

HOUR_US = 3_600_000_000
START_US = 1_723_161_600_000_000

trades = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 50), st.integers(0, 3 * HOUR_US), st.booleans(), st.booleans()),
    min_size=1,
    max_size=60,
)


def filled(flow: list[tuple[int, int, int, bool, bool]]) -> Tape:
    tape = Tape(next_trade_id=10, next_agg_id=5)
    now = START_US
    for price, size, pause_us, is_maker, ends_agg in flow:
        now += pause_us
        tape.add(price * UNIT, size * UNIT, now, is_buyer_maker=is_maker)
        if ends_agg:
            tape.close_agg()
    return tape


@given(trades)
def test_day_figures_are_those_of_the_trades_of_a_day(flow: list[tuple[int, int, int, bool, bool]]) -> None:
    """The rolling window equals a plain sum over the trades of the last 24 hours, at any moment."""
    tape = filled(flow)
    last = tape.last()
    assert last is not None
    for now_us in (last.time_us, last.time_us + DAY_US // 2, last.time_us + 2 * DAY_US):
        found = day_figures(tape, tape.day, now_us)
        inside = [each for each in map(tape.trade, range(tape.first_id, tape.next_id)) if each.time_us > now_us - DAY_US]
        assert found.count == len(inside)
        assert found.volume == sum(each.size for each in inside)
        assert found.quote == sum(notional(each.price, each.size) for each in inside)
        assert found.last == last.price
        assert found.first_id == (inside[0].trade_id if inside else -1)
        assert found.last_id == (inside[-1].trade_id if inside else -1)
        if inside:
            assert (found.open, found.high, found.low) == (
                inside[0].price,
                max(each.price for each in inside),
                min(each.price for each in inside),
            )


@given(trades, st.sampled_from(sorted(INTERVALS_MS)))
def test_candles_of_any_interval_hold_every_trade_once(flow: list[tuple[int, int, int, bool, bool]], interval: str) -> None:
    """Candles are contiguous in ids, sum to the tape, and hold only trades of their own time."""
    tape = filled(flow)
    if interval == "1s":
        return
    opens = {open_of(each.open_ms, interval): None for each in tape.candles.minutes}
    found = [tape.candles.total(at, next_open(at, interval) - 1) for at in opens]
    assert sum(each.count for each in found) == len(flow)
    assert sum(each.volume for each in found) == sum(size * UNIT for _, size, *_ in flow)
    held = [each for each in found if each.count]
    assert held[0].first_id == tape.first_id
    assert all(after.first_id == before.last_id + 1 for before, after in itertools.pairwise(held))
    for each in held:
        inside = [tape.trade(trade_id) for trade_id in range(each.first_id, each.last_id + 1)]
        assert all(each.open_ms <= item.time_us // 1_000 <= each.close_ms for item in inside)
        assert (each.open, each.close) == (inside[0].price, inside[-1].price)
        assert each.taker_volume == sum(item.size for item in inside if not item.is_buyer_maker)


@given(trades)
def test_aggregates_hold_every_trade_once(flow: list[tuple[int, int, int, bool, bool]]) -> None:
    """Aggregates follow each other without a gap, in ids of their own as in trade ids, and sum to their trades."""
    tape = filled(flow)
    tape.close_agg() if not flow[-1][4] else None
    aggs = [tape.agg(agg_id) for agg_id in range(tape.first_agg_id, tape.next_agg_id)]
    assert aggs[0].first_id == tape.first_id
    assert aggs[-1].last_id == tape.next_id - 1
    assert all(after.first_id == before.last_id + 1 for before, after in itertools.pairwise(aggs))
    assert sum(each.size for each in aggs) == sum(size * UNIT for _, size, *_ in flow)


def test_window_opens_on_a_whole_minute() -> None:
    """The figures of a window are those of its whole minutes."""
    tape = Tape()
    for minute in range(10):
        tape.add((100 + minute) * UNIT, UNIT, START_US + minute * 60_000_000, is_buyer_maker=False)
    found = window_figures(tape, 5 * 60_000, START_US + 9 * 60_000_000 + 30_000_000)
    assert (found.count, found.open, found.last) == (5, 105 * UNIT, 109 * UNIT)
    assert found.open_us % 60_000_000 == 0


def test_average_of_five_minutes_is_weighted_by_volume() -> None:
    """The average price is quote volume over volume; without trades it is the last price, without any it is 0."""
    tape = Tape()
    assert five_minute_average(tape, START_US) == (0, 0)
    tape.add(100 * UNIT, 3 * UNIT, START_US, is_buyer_maker=False)
    tape.add(200 * UNIT, UNIT, START_US, is_buyer_maker=False)
    assert five_minute_average(tape, START_US + 1) == (125 * UNIT, START_US)
    assert five_minute_average(tape, START_US + HOUR_US) == (200 * UNIT, START_US)


def test_a_full_tape_lets_the_oldest_go() -> None:
    """Beyond its capacity whole aggregates are let go, ids stay, and the day's figures cover what is left."""
    tape = Tape(capacity=100)
    for number in range(250):
        tape.add((number + 1) * UNIT, UNIT, START_US + number, is_buyer_maker=False)
        tape.close_agg()
    assert tape.next_id == 251
    assert 150 < tape.first_id <= 161
    assert tape.agg(tape.first_agg_id).first_id == tape.first_id
    found = day_figures(tape, tape.day, START_US + 1_000)
    assert found.count == tape.next_id - tape.first_id
    assert found.low == tape.trade(tape.first_id).price


def test_the_day_is_kept_up_while_nobody_asks() -> None:
    """Trades that are older than a day leave the day's figures as others come, not all at once when somebody asks."""
    tape = Tape()
    for hour in range(100):
        tape.add((hour + 1) * UNIT, UNIT, START_US + hour * HOUR_US, is_buyer_maker=False)
    assert (tape.day.count, tape.day.volume) == (24, 24 * UNIT)


def test_a_full_tape_lets_go_in_small_pieces() -> None:
    """What is let go at once is a hundredth."""
    tape, firsts = Tape(capacity=1_000), set()
    for number in range(1_100):
        tape.add(UNIT, UNIT, START_US + number, is_buyer_maker=False)
        tape.close_agg()
        firsts.add(tape.first_id)
    assert sorted(firsts) == list(range(1, 102, 10))


def test_one_open_aggregate_keeps_a_full_tape() -> None:
    """Trades of an aggregate that is not complete are never let go."""
    tape = Tape(capacity=10)
    for number in range(30):
        tape.add(UNIT, UNIT, START_US + number, is_buyer_maker=False)
    assert tape.first_id == 1


def test_a_copy_goes_its_own_way() -> None:
    """What is added to a copied tape is not in the original."""
    tape = filled([(1, 1, 1, False, True)])
    copy = tape.copy()
    copy.add(2 * UNIT, UNIT, START_US + 10, is_buyer_maker=False)
    assert (tape.next_id, copy.next_id) == (11, 12)
    assert tape.candles.minutes[0].count == 1
    assert day_figures(copy, copy.day, START_US + 20).count == 2


def test_ids_are_set_before_the_first_trade_only() -> None:
    """A tape that holds trades keeps its ids."""
    tape = Tape()
    tape.restart_ids(77)
    assert tape.add(UNIT, UNIT, START_US, is_buyer_maker=False) == 77
    with pytest.raises(ValueError, match="before the first trade"):
        tape.restart_ids(5)


def test_finds_ids_by_time() -> None:
    """The first id at a time or later, of trades and of aggregates."""
    tape = filled([(1, 1, 10, False, True), (1, 1, 10, False, False), (1, 1, 10, False, True)])
    assert tape.id_at(START_US + 11) == 11
    assert tape.agg_id_at(START_US + 11) == 6
    assert tape.id_at(START_US + 999) == tape.next_id


def test_a_quiet_minute_is_a_flat_candle() -> None:
    """A minute without trades has a candle at the price before it."""
    tape = filled([(7, 1, 0, False, True), (9, 1, 180_000_000, False, True)])
    assert [(each.count, each.close // UNIT) for each in tape.candles.minutes] == [(1, 7), (0, 7), (0, 7), (1, 9)]


@given(st.integers(0, 2_000_000_000_000), st.sampled_from(sorted(INTERVALS_MS)), st.sampled_from([0, 28_800_000]))
def test_every_moment_belongs_to_one_candle(time_ms: int, interval: str, offset_ms: int) -> None:
    """A candle opens at or before the moment, ends after it, and the next opens where it ends."""
    start = open_of(time_ms, interval, offset_ms)
    end = next_open(start, interval, offset_ms)
    assert start <= time_ms < end
    assert open_of(end, interval, offset_ms) == end
    assert open_of(end - 1, interval, offset_ms) == start


def test_weeks_open_on_monday() -> None:
    """2024-08-09 was a Friday; its week opened on Monday the 5th."""
    assert open_of(1_723_161_600_000, "1w") == 1_722_816_000_000


def test_an_empty_candle_adds_nothing() -> None:
    """Folding a candle without trades changes nothing."""
    total = Candle(0, 59_999, 5)
    total.add_candle(Candle(0, 59_999, 9))
    assert (total.count, total.open) == (0, 5)


@given(st.integers(-(10**17), 10**17))
def test_amounts_survive_their_text(units: int) -> None:
    """Text of eight decimals and back is the same amount."""
    assert to_units(to_text(units)) == units


def test_amounts_finer_than_the_venue_prints_are_refused() -> None:
    """More than eight decimals are refused, unless they are zeros."""
    assert to_units("1.0000000000") == UNIT
    with pytest.raises(ValueError, match="finer"):
        to_units("0.123456789")
