"""What built bars promise, for every sequence of trades, holes, backfills and pauses, and beside the sandbox's own candles."""

from typing import NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import given

from foxtrot.adapter.binance.bar_builder import BarBuilder, Built, Late, Unbuilt
from foxtrot.adapter.binance.bar_sums import from_units, to_units
from foxtrot.adapter.binance.intervals import parse
from foxtrot.sandbox.amounts import UNIT, to_text
from foxtrot.sandbox.candles import Candle
from foxtrot.sandbox.fanout import Fanout, Subscriber, Topic
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.listings import listings
from foxtrot.sandbox.market import Market
from foxtrot.sandbox.publisher import candle_at
from foxtrot.sandbox.stream_names import parse as parse_stream
from foxtrot.sandbox.tape import AggTrade
from foxtrot.transport.base import Draft, Item
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import AggTradeData, BarData

START_MS = 1_723_161_600_000
TEN = parse("10s")

Figures = tuple[float, float, float, float, float, float, int]


def to_agg(symbol: str, item: AggTrade) -> AggTradeData:
    return AggTradeData(
        symbol, Exchange.BINANCE, "B", Source.STREAM, item.time_us // 1_000 * 1_000_000, 1,
        item.agg_id, item.first_id, item.last_id, float(to_text(item.price)), float(to_text(item.size)), item.is_buyer_maker,
    )  # fmt: skip


def figures(value: object) -> Figures:
    assert isinstance(value, BarData)
    return (
        value.open_price, value.high_price, value.low_price, value.close_price,
        value.volume, value.turnover, value.trade_count,
    )  # fmt: skip


def of_candle(candle: Candle) -> Figures:
    amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote)
    opened, high, low, close, volume, turnover = (float(to_text(amount)) for amount in amounts)
    return (opened, high, low, close, volume, turnover, candle.count)


# amounts


@given(st.integers(0, 10**15 - 1))
def test_every_amount_of_fifteen_digits_is_exact(units: int) -> None:
    """From the venue's text to a float, to units, and to the same float again."""
    amount = float(to_text(units))
    assert to_units(amount) == units
    assert from_units(units) == amount


@given(st.integers(0, 10**7 - 1), st.integers(0, 8))
def test_so_is_a_large_one_of_few_digits(digits: int, zeros: int) -> None:
    """What is traded by the billion has few decimals."""
    units = digits * 10**zeros * UNIT
    assert to_units(float(to_text(units))) == units


# trades, holes, backfills and pauses


class Step(NamedTuple):
    """One aggregate, so long after the one before; whether it comes live, what is found after it, how far time then passes."""

    after_ms: int
    price: int
    size: int
    trades: int
    is_live: bool
    finds: int
    pause: int


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 1, 900, 5_000, 9_999, 10_000, 31_000]),
        st.integers(1, 9),
        st.integers(1, 10**12),
        st.integers(1, 4),
        st.booleans() | st.just(True),
        st.integers(0, 3),
        st.sampled_from([0, 0, 50, 100]),
    ),
    min_size=1,
    max_size=40,
)


def aggregates(given_steps: list[Step]) -> list[AggTrade]:
    made: list[AggTrade] = []
    time_ms, last_id = START_MS, 0
    for number, step in enumerate(given_steps):
        time_ms += step.after_ms
        is_buyer_maker = False
        made.append(
            AggTrade(number, step.price * UNIT, step.size, last_id + 1, last_id + step.trades, time_ms * 1_000, is_buyer_maker)
        )
        last_id += step.trades
    return made


def whole_bars(aggs: list[AggTrade], end_ms: int) -> dict[int, Figures]:
    """What each bar has to say, folded by the sandbox's candle; from the first whole one to the last that ended."""
    made: dict[int, Figures] = {}
    price = aggs[0].price
    first = TEN.number_of(aggs[0].time_us // 1_000)
    for number in range(first, TEN.number_of(end_ms)):
        candle = Candle(TEN.open_ms(number), TEN.close_ms(number), price)
        joined = 0
        for item in aggs:
            if candle.open_ms <= item.time_us // 1_000 <= candle.close_ms:
                candle.add_trade(item.last_id, item.price, item.size, is_buyer_maker=False)
                joined += item.last_id - item.first_id
        candle.count += joined
        price = candle.close
        if number > first:
            made[number] = of_candle(candle)
    return made


def played(given_steps: list[Step], aggs: list[AggTrade], bars: BarBuilder, end_ms: int, *, is_reversed: bool) -> list[Built]:
    """Lives through it; at the end all that was missing is found."""
    out: list[Built] = []
    missing: list[AggTrade] = []
    for at, (step, item) in enumerate(zip(given_steps, aggs, strict=True)):
        if step.is_live or at == 0:
            out += bars.add(to_agg("BTCUSDT", item))
        else:
            missing.append(item)
        for _ in range(min(step.finds, len(missing))):
            if missing[0].agg_id > item.agg_id - 1:
                break
            found = missing.pop(0)
            out += bars.add(to_agg("BTCUSDT", found)) if found.agg_id < bars._next_id else []
            missing += [] if found.agg_id < bars._next_id else [found]
        next_us = aggs[at + 1].time_us if at + 1 < len(aggs) else item.time_us
        time_ms = (item.time_us + (next_us - item.time_us) * step.pause // 100) // 1_000
        out += bars.passed(time_ms - (time_ms * 1_000 == next_us), confirmed=item.agg_id < bars._next_id)
    known = [item for item in missing if item.agg_id < bars._next_id]
    for item in reversed(known) if is_reversed else known:
        out += bars.add(to_agg("BTCUSDT", item))
    for item in [item for item in missing if item not in known]:
        out += bars.add(to_agg("BTCUSDT", item))
    return out + bars.passed(end_ms, confirmed=True)


def numbers(built: list[Built], kind: type[Item] | type[Late]) -> dict[int, Figures]:
    items = [each.item if isinstance(each, Late) else each for each in built if isinstance(each, kind)]
    found = {each.id: figures(each.value) for each in items if isinstance(each, Item)}
    assert len(found) == len(items), "a bar twice"
    return found


@given(steps, st.sampled_from([None, 0, 5_000, 60_000]), st.booleans())
def test_every_bar_comes_once_whole_and_in_order(given_steps: list[Step], hold_ms: int | None, is_reversed: bool) -> None:
    """Live, or named by a gap and then late; each equal to what its trades say."""
    aggs = aggregates(given_steps)
    end_ms = aggs[-1].time_us // 1_000 + 20_000
    expected = whole_bars(aggs, end_ms)
    built = played(given_steps, aggs, BarBuilder("B", "BTCUSDT", TEN, hold_ms), end_ms, is_reversed=is_reversed)
    live, late = numbers(built, Item), numbers(built, Late)
    assert live | late == expected
    told: list[int] = []
    for each in built:
        if isinstance(each, Unbuilt):
            told += range(each.first, each.last + 1)
        elif isinstance(each, Item):
            told.append(each.id)
    assert told == list(range(told[0], told[0] + len(told))) if told else not expected
    assert set(told) - set(live) == set(late)
    assert hold_ms is not None or not late


@given(steps, st.sampled_from([None, 0, 5_000]))
def test_drafts_grow_and_say_what_has_come(given_steps: list[Step], hold_ms: int | None) -> None:
    """Behind every closed bar, of greater rank each time; the last one is the closed bar but for being open."""
    aggs = aggregates(given_steps)
    end_ms = aggs[-1].time_us // 1_000 + 20_000
    built = played(given_steps, aggs, BarBuilder("B", "BTCUSDT", TEN, hold_ms), end_ms, is_reversed=False)
    done, rank, open_id = -1, 0, -1
    last: dict[int, Figures] = {}
    for each in built:
        if isinstance(each, Draft):
            assert each.id > done
            assert (each.id, each.rank) > (open_id, rank)
            open_id, rank = each.id, each.rank
            last[each.id] = figures(each.value)
        elif isinstance(each, Unbuilt):
            done = each.last
        elif isinstance(each, Item):
            assert each.id > done
            done = each.id
            assert last.get(done, figures(each.value)) == figures(each.value) or rank < figures(each.value)[6]


# beside the sandbox's candles


class Calm:
    """No faults."""

    is_active = False

    def shape(self, subscriber: Subscriber, topic: Topic, payload: bytes) -> None:
        raise AssertionError


SECONDS = 150


@pytest.fixture(scope="module")
def market() -> Market:
    """Ten symbols, a few minutes of their trading at four times the usual pace."""
    made = Market(listings(10), 11, START_MS * 1_000, Fanout(Calm()), speed_up=4.0, has_past=False)
    while not made.play((START_MS + SECONDS * 1_000) * 1_000):
        pass
    return made


def compared(instrument: Instrument, interval: str) -> list[tuple[Figures, Figures, int]]:
    """Each bar as it was built, as the sandbox's stream shows it, and how many trades its aggregates joined."""
    tape, stream = instrument.tape, parse_stream(f"{instrument.stream_prefix}@kline_{interval}")
    assert stream is not None
    bars = BarBuilder("B", instrument.symbol, parse(interval))
    aggs = [tape.agg(agg_id) for agg_id in range(tape.first_agg_id, tape.next_agg_id)]
    built = [each for item in aggs for each in bars.add(to_agg(instrument.symbol, item))]
    built += bars.passed(START_MS + SECONDS * 1_000, confirmed=True)
    made = []
    for number, found in numbers(built, Item).items():
        candle = candle_at(instrument, stream, parse(interval).open_ms(number))
        joined = sum(item.last_id - item.first_id for item in aggs if candle.open_ms <= item.time_us // 1_000 <= candle.close_ms)
        made.append((found, of_candle(candle), joined))
    return made


@pytest.mark.parametrize(("interval", "count"), [("1s", SECONDS), ("1m", 2)])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "DOGEUSDT", "USDCUSDT"])
def test_built_bars_are_the_venues(market: Market, symbol: str, interval: str, count: int) -> None:
    """Every figure, to the last decimal; bars without trades too."""
    found = compared(market.instruments[symbol], interval)
    assert len(found) > count // 2 - 1
    assert any(bar[6] for bar, _, _ in found)
    for bar, candle, _ in found:
        assert bar == candle


@pytest.mark.parametrize("interval", ["1s", "1m"])
def test_where_the_venue_cuts_its_turnover_it_differs_by_less_than_a_unit_a_trade(market: Market, interval: str) -> None:
    """ETHBTC: its price tick times its volume step is 1e-9. All else is equal."""
    for bar, candle, joined in compared(market.instruments["ETHBTC"], interval):
        assert (*bar[:5], bar[6]) == (*candle[:5], candle[6])
        assert 0 <= to_units(bar[5]) - to_units(candle[5]) <= joined
