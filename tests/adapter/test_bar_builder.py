"""Bars built from aggregate trades."""

import pytest

from foxtrot.adapter.binance.bar_builder import BarBuilder, Built, Late, Unbuilt
from foxtrot.adapter.binance.bar_sums import BarSums, from_units, to_units
from foxtrot.adapter.binance.intervals import parse
from foxtrot.transport.base import Draft, Item
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import AggTradeData, BarData

TEN = parse("10s")
START_MS = 1_723_161_600_000
FIRST = START_MS // 10_000


def agg(
    number: int, seconds: float, price: float = 1.0, volume: float = 1.0, trades: int = 1, source: Source = Source.STREAM
) -> AggTradeData:
    """An aggregate of the last ``trades`` trades of ids up to ``10 * number``, so long after the start."""
    last = 10 * number
    time_ns = (START_MS + round(seconds * 1_000)) * 1_000_000
    return AggTradeData(
        "BTCUSDT", Exchange.BINANCE, "B", source, time_ns, number, number, last - trades + 1, last, price, volume, False
    )


def builder(hold_ms: int | None = BarBuilder.HOLD_MS) -> BarBuilder:
    return BarBuilder("B", "BTCUSDT", TEN, hold_ms)


def short(built: list[Built]) -> list[object]:
    """Kind, number from the first one on, count of trades; a flat bar counts 0."""
    told: list[object] = []
    for each in built:
        if isinstance(each, Unbuilt):
            told.append(("gap", each.first - FIRST, each.last - FIRST))
            continue
        item = each.item if isinstance(each, Late) else each
        assert isinstance(item.value, BarData)
        assert item.value.is_closed is not isinstance(each, Draft)
        told.append(({Item: "bar", Draft: "open", Late: "late"}[type(each)], item.id - FIRST, item.value.trade_count))
    return told


def value(built: Built) -> BarData:
    assert not isinstance(built, Unbuilt)
    found = built.item.value if isinstance(built, Late) else built.value
    assert isinstance(found, BarData)
    return found


def fed(bars: BarBuilder, *aggs: AggTradeData) -> list[object]:
    return [told for each in aggs for told in short(bars.add(each))]


def passed(bars: BarBuilder, seconds: float, *, confirmed: bool = True) -> list[object]:
    return short(bars.passed(START_MS + round(seconds * 1_000), confirmed))


# amounts


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (0.0, 0),
        (0.1 + 0.2, 30_000_000),
        (1e-8, 1),
        (0.29, 29_000_000),
        (64120.35, 6_412_035_000_000),
        (19_999_999.99999999, 1_999_999_999_999_999),
        (20_000_000.0, 2_000_000_000_000_000),
        (123_456_789.1, 12_345_678_910_000_000),
        (999_999_999_999_999.0, 99_999_999_999_999_900_000_000),
    ],
)
def test_units_are_what_the_venue_printed(amount: float, units: int) -> None:
    """Small and large."""
    assert to_units(amount) == units
    assert from_units(units) == pytest.approx(amount, rel=1e-15)


def test_trades_in_any_order_make_the_same_sums() -> None:
    """First and last are so by id."""
    trades = [agg(1, 0, 5.0), agg(2, 0, 7.0), agg(3, 0, 3.0), agg(4, 0, 6.0, 2.0, 4)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        sums = BarSums()
        for at in order:
            sums.take(trades[at])
        assert (sums.first, sums.last, sums.high, sums.low) == (trades[0], trades[3], 7.0, 3.0)
        assert (sums.volume, sums.turnover, sums.count) == (500_000_000, 2_700_000_000, 7)


def test_turnover_is_cut_for_each_aggregate() -> None:
    """As the venue cuts it: 0.064362 x 0.0158 is 0.00101691."""
    sums = BarSums()
    sums.take(agg(1, 0, 0.064362, 0.0158))
    assert from_units(sums.turnover) == 0.00101691


# bars


def test_a_bar_of_all_its_trades() -> None:
    """Every field; closed by the first later trade."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10, 7.0, 0.1, 2), agg(3, 12, 9.0, 0.2, 3), agg(4, 19.999, 8.0, 0.4))
    closed, draft = bars.add(agg(5, 20, 3.0))
    expected = BarData(
        symbol="BTCUSDT",
        exchange=Exchange.BINANCE,
        adapter_name="B",
        source=Source.STREAM,
        venue_time_ns=(START_MS + 10_000) * 1_000_000,
        received_ns=4,
        interval="10s",
        open_price=7.0,
        high_price=9.0,
        low_price=7.0,
        close_price=8.0,
        volume=0.7,
        turnover=5.7,
        trade_count=6,
        is_closed=True,
    )
    assert closed == Item(FIRST + 1, 40, expected)
    assert isinstance(draft, Draft)
    assert (draft.id, draft.rank, draft.last_trade_id) == (FIRST + 2, 1, 50)
    assert (value(draft).open_price, value(draft).close_price, value(draft).is_closed) == (3.0, 3.0, False)


def test_the_first_bar_is_the_first_whole_interval() -> None:
    """The one of the first trade is not told, neither open nor closed."""
    bars = builder()
    assert fed(bars, agg(1, 0), agg(2, 9.9)) == []
    assert fed(bars, agg(3, 10)) == [("open", 1, 1)]


def test_every_trade_makes_a_draft_of_greater_rank() -> None:
    """Its rank is its count of trades."""
    bars = builder()
    assert fed(bars, agg(1, 5), agg(2, 10), agg(3, 11, trades=4)) == [("open", 1, 1), ("open", 1, 5)]


def test_intervals_without_trades_are_flat() -> None:
    """At the last price, without a last trade id; also right after the first trade's own."""
    bars = builder()
    bars.add(agg(1, 5, 4.0))
    built = bars.add(agg(2, 35, 6.0))
    assert short(built) == [("bar", 1, 0), ("bar", 2, 0), ("open", 3, 1)]
    flat = value(built[1])
    assert (flat.open_price, flat.high_price, flat.low_price, flat.close_price) == (4.0, 4.0, 4.0, 4.0)
    assert (flat.volume, flat.turnover, flat.received_ns, flat.source) == (0.0, 0.0, 1, Source.STREAM)
    assert isinstance(built[1], Item)
    assert built[1].last_trade_id == -1


def test_a_trade_twice_changes_nothing() -> None:
    """Whether it is the newest or an old one."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10), agg(3, 20))
    assert fed(bars, agg(3, 20), agg(2, 10), agg(1, 5), agg(0, 5)) == []


def test_a_trade_older_than_the_newest_belongs_to_the_newest_bar() -> None:
    """None is left out."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 20))
    assert fed(bars, agg(3, 19)) == [("open", 2, 2)]


# time that passes


def test_confirmed_time_closes_a_bar() -> None:
    """At the first instant after it, not before."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert passed(bars, 19.999) == []
    assert passed(bars, 20) == [("bar", 1, 1)]
    assert passed(bars, 45) == [("bar", 2, 0), ("bar", 3, 0)]


def test_time_alone_closes_nothing() -> None:
    """A trade may still be on its way."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert passed(bars, 500, confirmed=False) == []


def test_time_that_goes_back_changes_nothing() -> None:
    """An old answer."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10), agg(3, 30))
    assert passed(bars, 12) == []


def test_a_trade_of_a_bar_that_time_closed_goes_into_the_open_one() -> None:
    """A closed bar never changes; the trade is not left out."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    passed(bars, 20)
    assert fed(bars, agg(3, 19.9)) == [("open", 2, 1)]


def test_before_the_first_trade_there_is_nothing() -> None:
    """No price, no bar."""
    bars = builder()
    assert passed(bars, 50) == []
    assert bars.lost(1, 5) == []


# holes


def test_a_bar_with_a_hole_waits_until_it_is_filled() -> None:
    """So do all after it; then all come in order, and the open one again."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert fed(bars, agg(5, 31), agg(6, 45)) == []
    assert passed(bars, 60) == []
    assert fed(bars, agg(4, 30, source=Source.BACKFILL)) == []
    assert fed(bars, agg(3, 12)) == [("bar", 1, 2), ("bar", 2, 0), ("bar", 3, 2), ("bar", 4, 1), ("bar", 5, 0)]
    assert fed(bars, agg(7, 61)) == [("open", 6, 1)]


def test_a_filled_hole_shows_the_open_bar_again() -> None:
    """Whole."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert fed(bars, agg(4, 12)) == []
    assert fed(bars, agg(3, 11)) == [("open", 1, 3)]


def test_a_hole_is_filled_from_its_middle_too() -> None:
    """What is left on both sides stays missing, in narrower bounds."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10), agg(6, 50))
    assert fed(bars, agg(4, 30)) == []
    assert fed(bars, agg(3, 22)) == [("bar", 1, 1), ("bar", 2, 1)]
    assert fed(bars, agg(5, 31)) == [("bar", 3, 2), ("bar", 4, 0), ("open", 5, 1)]


def test_what_fills_a_hole_stays_between_its_neighbours() -> None:
    """Whatever its time says."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 20), agg(5, 30))
    assert fed(bars, agg(3, 7)) == []
    assert fed(bars, agg(4, 99)) == [("bar", 2, 2), ("open", 3, 2)]


def test_bars_before_the_hole_do_not_wait() -> None:
    """They closed before it."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    passed(bars, 20)
    assert fed(bars, agg(4, 35)) == []
    assert fed(bars, agg(3, 22)) == [("bar", 2, 1), ("open", 3, 1)]


def test_a_hole_is_given_up_after_the_hold() -> None:
    """One gap names its bars; what follows goes on, beginning with the next whole bar."""
    bars = builder(hold_ms=30_000)
    fed(bars, agg(1, 5), agg(2, 15), agg(4, 25))
    assert passed(bars, 55, confirmed=False) == []
    assert passed(bars, 55.001) == [("gap", 1, 2), ("bar", 3, 0), ("bar", 4, 0)]
    assert fed(bars, agg(5, 56)) == [("open", 5, 1)]


def test_the_open_bar_is_not_shown_when_it_lacks_a_trade() -> None:
    """Neither when it closes."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 11))
    assert passed(bars, 13) == [("gap", 1, 1)]
    assert fed(bars, agg(5, 14), agg(6, 20)) == [("open", 2, 1)]


def test_without_a_hold_it_waits_for_ever() -> None:
    """For recorders."""
    bars = builder(hold_ms=None)
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 11))
    assert passed(bars, 90_000) == []


def test_what_is_found_later_is_late() -> None:
    """Once each, in order, with the source it came by; flat ones at the price before them."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5), agg(2, 10, 2.0), agg(6, 50, 9.0))
    assert passed(bars, 61) == [("gap", 1, 5)]
    assert fed(bars, agg(3, 11, 3.0), agg(5, 35, 5.0)) == []
    built = bars.add(agg(4, 12, 4.0))
    assert short(built) == [("late", 1, 3), ("late", 2, 0), ("late", 3, 1), ("late", 4, 0), ("late", 5, 1)]
    assert [value(each).close_price for each in built] == [4.0, 4.0, 5.0, 5.0, 9.0]
    assert {value(each).source for each in built} == {Source.BACKFILL}
    assert fed(bars, agg(3, 11), agg(7, 62)) == [("open", 6, 1)]


def test_what_is_found_before_the_bar_has_ended_is_late_when_it_ends() -> None:
    """It has been told as unbuilt."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 11))
    assert passed(bars, 13) == [("gap", 1, 1)]
    assert fed(bars, agg(3, 11)) == []
    assert passed(bars, 20) == [("late", 1, 3)]


def test_a_flat_bar_behind_a_late_one_has_its_newest_price() -> None:
    """Though both ended apart."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5), agg(2, 10, 2.0))
    fed(bars, agg(5, 31, 7.0))  # trades 3 and 4 lie in bars 1 to 3
    assert passed(bars, 33) == [("gap", 1, 3)]
    assert fed(bars, agg(4, 12, 4.0), agg(3, 11, 3.0)) == [("late", 1, 3), ("late", 2, 0)]
    built = bars.passed(START_MS + 50_000, confirmed=True)
    assert short(built) == [("bar", 4, 0), ("late", 3, 1)]
    assert value(built[0]).close_price == 7.0


def test_two_holes_name_each_bar_once() -> None:
    """Also where both touch the same."""
    bars = builder(hold_ms=30_000)
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 21), agg(6, 21.5), agg(8, 41))
    assert passed(bars, 80, confirmed=False) == [("gap", 1, 2), ("gap", 3, 4)]
    assert passed(bars, 60) == [("bar", 5, 0)]
    assert fed(bars, agg(3, 12)) == [("late", 1, 2)]
    assert fed(bars, agg(5, 21), agg(7, 33)) == [("late", 2, 3), ("late", 3, 1), ("late", 4, 1)]


def test_a_hole_at_the_start_tells_no_gap() -> None:
    """The part of a bar before the first whole one is nobody's; its price is."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5, 1.0), agg(3, 6, 3.0))
    built = bars.passed(START_MS + 20_000, confirmed=True)
    assert short(built) == [("bar", 1, 0)]
    assert value(built[0]).close_price == 3.0
    assert fed(bars, agg(2, 5)) == []


def test_a_part_of_a_bar_carries_its_price_into_a_late_one() -> None:
    """Found with it, not told itself."""
    bars = builder(hold_ms=1_000)
    fed(bars, agg(1, 5), agg(3, 25))
    assert passed(bars, 30) == [("gap", 1, 2)]
    built = bars.add(agg(2, 6, 8.0))
    assert short(built) == [("late", 1, 0), ("late", 2, 1)]
    assert value(built[0]).close_price == 8.0


def test_what_is_lost_at_the_venue_is_not_waited_for() -> None:
    """Told before the trade behind it, or after."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert bars.lost(3, 3) == []
    assert fed(bars, agg(4, 11), agg(5, 20)) == [("gap", 1, 1), ("open", 2, 1)]
    assert fed(bars, agg(7, 21)) == []
    assert short(bars.lost(6, 6)) == [("gap", 2, 2)]


# bounds


def test_holes_that_wait_are_bounded() -> None:
    """The oldest is given up."""
    bars = builder(hold_ms=None)
    fed(bars, agg(1, 5))
    for number in range(1, bars.HOLES + 1):
        assert fed(bars, agg(1 + 2 * number, 10 * number)) == []
    number = bars.HOLES + 1
    assert fed(bars, agg(1 + 2 * number, 10 * number)) == [("gap", 1, 1)]


def test_bars_that_wait_are_bounded() -> None:
    """By how many intervals the hole is behind."""
    bars = builder(hold_ms=None)
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 20))
    assert passed(bars, 10 * (1 + bars.CAPACITY)) == []
    built = passed(bars, 10 * (2 + bars.CAPACITY))
    assert built[0] == ("gap", 1, 2)
    assert len(built) == bars.CAPACITY


def test_holes_that_were_given_up_are_bounded() -> None:
    """Bars of the oldest are never told as whole, nor is a flat one whose price they would tell."""
    bars = builder(hold_ms=0)
    fed(bars, agg(1, 5))
    for number in range(1, bars.HOLES + 3):
        fed(bars, agg(1 + 2 * number, 20 * number))
        passed(bars, 20 * number + 0.001)
    assert fed(bars, *(agg(2 * number, 20 * number) for number in range(1, 5))) == [("late", 6, 2), ("late", 7, 0)]


def test_holes_in_one_bar_are_bounded_too() -> None:
    """A bar whose holes are forgotten is forgotten before it has ended."""
    bars = builder(hold_ms=0)
    fed(bars, agg(1, 5), agg(2, 10))
    for number in range(2, bars.HOLES + 4):
        fed(bars, agg(2 * number, 10 + number / 1_000))
    fed(bars, *(agg(2 * number - 1, 10) for number in range(2, bars.HOLES + 4)))
    assert passed(bars, 30) == [("bar", 2, 0)]


def test_broken_bars_are_bounded() -> None:
    """The newest are remembered: what is older is not told any more."""
    bars = builder(hold_ms=1_000)
    half = bars.CAPACITY * 6 // 10
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 10 * half), agg(6, 20 * half))
    assert passed(bars, 20 * half + 5) == [("gap", half + 1, 2 * half)]
    assert passed(bars, 20 * half + 10) == []
    assert len(bars._broken) == bars.CAPACITY
    assert fed(bars, agg(3, 10)) == []
    built = fed(bars, agg(5, 10 * half))
    assert (built[0], built[-1]) == (("late", half, 2), ("late", 2 * half, 1))
    assert len(built) == half + 1


def test_a_very_long_silence_is_a_gap() -> None:
    """But for its last bar."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    built = fed(bars, agg(3, 10 * (bars.CAPACITY + 3)))
    assert built == [("bar", 1, 1), ("gap", 2, bars.CAPACITY + 1), ("bar", bars.CAPACITY + 2, 0), ("open", bars.CAPACITY + 3, 1)]


def test_a_long_silence_is_flat_bars() -> None:
    """As many as it takes."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    assert len(fed(bars, agg(3, 10 * (bars.CAPACITY + 2)))) == bars.CAPACITY + 2


def test_silences_that_together_are_very_long_are_flat_bars() -> None:
    """None of them is."""
    bars = builder(hold_ms=None)
    half = bars.CAPACITY * 6 // 10
    fed(bars, agg(1, 5), agg(2, 10), agg(4, 20), agg(5, 10 * half))
    built = fed(bars, agg(6, 20 * half))
    assert (built[0], built[-1]) == (("gap", 1, 2), ("open", 2 * half, 1))
    assert len(built) == 2 * half - 1
    assert [each for each in built if isinstance(each, tuple) and each[0] == "gap"] == [("gap", 1, 2)]


def test_a_very_long_hole_is_not_completed() -> None:
    """Its last bar would need the price of bars that are not kept."""
    bars = builder()
    fed(bars, agg(1, 5), agg(2, 10))
    last = bars.CAPACITY + 5
    assert fed(bars, agg(4, 10 * last)) == [("gap", 1, last)]
    assert passed(bars, 10 * last + 10) == []
    assert fed(bars, agg(3, 50)) == [("late", last, 1)]
