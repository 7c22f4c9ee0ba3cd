"""BN-2: whatever is demanded, no minute holds more than its share."""

import hypothesis.strategies as st
from hypothesis import given

from foxtrot.transport.budget import Bucket, Rate, WeightBudget
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

demands = st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([1, 2, 4, 5, 25, 80]), st.booleans()), max_size=300)


def most_in_any_span(spent: list[tuple[int, int]], span_ns: int) -> int:
    """The heaviest window, wherever it begins."""
    return max((sum(units for at, units in spent if first <= at < first + span_ns) for first, _ in spent), default=0)


@given(st.sampled_from([1_000, 1_200, 6_000]), st.integers(0, 100), demands)
def test_no_minute_holds_more_than_half_the_limit(limit: int, reserve: int, asked: list[tuple[int, int, bool]]) -> None:
    """Who asks for more waits, or goes without."""
    budget, now, spent = WeightBudget(limit, 0, reserve), 0, []
    for pause_ms, weight, is_beat in asked:
        now += pause_ms * NS_PER_MS
        if budget.wait(weight, now, is_beat=is_beat) == 0.0:
            budget.spend(weight, now)
            spent.append((now, weight))
    assert most_in_any_span(spent, 60 * NS_PER_S) <= limit / 2


@given(st.lists(st.tuples(st.integers(5, 25), st.booleans()), min_size=60, max_size=120))
def test_who_waits_as_long_as_told_is_admitted(asked: list[tuple[int, bool]]) -> None:
    """The wait that the budget names is enough, and no minute suffers for it."""
    budget, now, spent = WeightBudget(1_000, 0, reserve=10), 0, []
    for weight, is_beat in asked:
        wait = budget.wait(weight, now, is_beat=is_beat)
        now += int(wait * NS_PER_S) + 1
        assert budget.wait(weight, now, is_beat=is_beat) == 0.0
        budget.spend(weight, now)
        spent.append((now, weight))
    assert most_in_any_span(spent, 60 * NS_PER_S) <= 500


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1_200), st.integers(1, 60)), max_size=40), demands)
def test_headers_only_ever_correct_upwards(headers: list[tuple[int, int, int]], asked: list[tuple[int, int, bool]]) -> None:
    """Whatever a header says, it admits nothing that would not have been admitted without it."""
    told, untold, now = WeightBudget(1_200, 0), WeightBudget(1_200, 0), 0
    notes = iter(headers)
    for pause_ms, weight, is_beat in asked:
        now += pause_ms * NS_PER_MS
        for _, used, ends_s in [next(notes, (0, 0, 0))]:
            told.learn(used, now + ends_s * NS_PER_S)
        if told.wait(weight, now, is_beat=is_beat) == 0.0:
            assert untold.wait(weight, now, is_beat=is_beat) == 0.0
            told.spend(weight, now)
            untold.spend(weight, now)


@given(st.integers(1, 100), st.lists(st.tuples(st.integers(0, 3_000), st.floats(0, 1)), max_size=100))
def test_what_is_admitted_is_never_owed(burst: int, asked: list[tuple[int, float]]) -> None:
    """As long as nobody asks for more than the burst; and no rest saves up more than it."""
    bucket, now = Bucket(Rate(share=100.0 + burst, period=60.0, burst=float(burst)), 0), 0
    for pause_ms, part in asked:
        now += pause_ms * NS_PER_MS
        if bucket.wait(part * burst, now) == 0.0:
            bucket.spend(part * burst, now)
        assert bucket.wait(0.0, now) == 0.0
    now += 10**6 * NS_PER_S
    bucket.spend(burst, now)
    assert bucket.wait(1.0, now) > 0.0


@given(st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from([1, 5, 40, 80, 250, 400])), max_size=200))
def test_heavy_requests_keep_the_law_too(asked: list[tuple[int, int]]) -> None:
    """With a burst of 100, requests of up to 400 in a share of 500: no minute holds more, wherever it begins."""
    budget, now, spent = WeightBudget(1_000, 0), 0, []
    for pause_ms, weight in asked:
        now += pause_ms * NS_PER_MS
        if budget.wait(weight, now) == 0.0:
            budget.spend(weight, now)
            spent.append((now, weight))
    assert most_in_any_span(spent, 60 * NS_PER_S) <= 500


@given(st.lists(st.tuples(st.sampled_from([1, 25, 250, 400]), st.integers(0, 3_000)), min_size=5, max_size=60))
def test_who_saves_as_long_as_told_keeps_the_law(asked: list[tuple[int, int]]) -> None:
    """Each waits for as long as it is told, and goes: nobody waits for ever, and no minute suffers."""
    budget, now, spent = WeightBudget(1_000, 0), 0, []
    for weight, pause_ms in asked:
        now += pause_ms * NS_PER_MS
        now += int(budget.wait(weight, now) * NS_PER_S) + 1
        assert budget.wait(weight, now) == 0.0
        budget.spend(weight, now)
        spent.append((now, weight))
    assert most_in_any_span(spent, 60 * NS_PER_S) <= 500


@given(demands, st.integers(1, 1_200))
def test_an_order_is_never_kept_by_market_data(asked: list[tuple[int, int, bool]], weight: int) -> None:
    """However much market data was asked for: a fifth of the limit is there at once."""
    budget, now = WeightBudget(6_000, 0), 0
    for pause_ms, demand, is_beat in asked:
        now += pause_ms * NS_PER_MS
        if budget.wait(demand, now, is_beat=is_beat) == 0.0:
            budget.spend(demand, now)
        assert budget.wait(weight, now, is_order=True) == 0.0


@given(st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([1, 4, 80, 200]), st.booleans()), max_size=200))
def test_orders_and_market_data_together_keep_the_limit(asked: list[tuple[int, int, bool]]) -> None:
    """No minute holds more than the limit; market data stays below its half, and lifts nothing above four fifths."""
    budget, now, market, both = WeightBudget(1_000, 0), 0, [], []
    for pause_ms, weight, is_order in asked:
        now += pause_ms * NS_PER_MS
        if budget.wait(weight, now, is_order=is_order) > 0.0:
            continue
        budget.spend(weight, now, is_order=is_order)
        both.append((now, weight))
        if not is_order:
            market.append((now, weight))
            assert sum(units for at, units in both if at > now - 60 * NS_PER_S) <= 800
    assert most_in_any_span(market, 60 * NS_PER_S) <= 500
    assert most_in_any_span(both, 60 * NS_PER_S) <= 1_000
