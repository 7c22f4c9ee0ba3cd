"""One side of a book keeps its levels in order, and knows how far it knows them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.book_side import FEWEST, BookSide
from foxtrot.transport.base import Level

INFINITY = float("inf")
MANY = 10_000


def side(levels: list[Level], *, is_bid: bool = True, limit: int = MANY, kept: int = MANY) -> BookSide:
    """A side that has taken a snapshot."""
    made = BookSide(is_bid=is_bid)
    made.load(levels, limit, kept)
    return made


def test_nothing_is_known_at_first() -> None:
    """No level, no range, and more may be there."""
    bids = BookSide(is_bid=True)
    assert (len(bids), bids.levels, bids.best, bids.shown(5)) == (0, [], (0.0, 0.0), ((), INFINITY))
    assert bids.is_narrow(1)
    assert BookSide(is_bid=False).shown(5) == ((), 0.0)


def test_bids_come_from_the_highest_and_asks_from_the_lowest() -> None:
    """Whatever order the snapshot has."""
    levels = [(2.0, 1.0), (3.0, 1.0), (1.0, 1.0)]
    assert side(levels, is_bid=True).levels == [(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)]
    assert side(levels, is_bid=False).levels == [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]
    assert (side(levels, is_bid=True).best, side(levels, is_bid=False).best) == ((3.0, 1.0), (1.0, 1.0))


def test_a_snapshot_of_as_many_levels_as_asked_for_ends_with_its_worst() -> None:
    """Behind the worst bid or ask nothing is known."""
    levels = [(3.0, 1.0), (2.0, 1.0)]
    bids, asks = side(levels, is_bid=True, limit=2), side(levels, is_bid=False, limit=2)
    assert (bids.low, bids.high) == (2.0, INFINITY)
    assert (asks.low, asks.high) == (0.0, 3.0)
    assert bids.is_narrow(3)
    assert not bids.is_narrow(2)


def test_a_snapshot_of_fewer_levels_is_the_whole_side() -> None:
    """However few they are, that is all there is."""
    bids = side([(3.0, 1.0), (2.0, 1.0)], limit=3)
    assert (bids.low, bids.high) == (0.0, INFINITY)
    assert not bids.is_narrow(20)


def test_a_level_without_size_is_none() -> None:
    """A snapshot's empty level is not held; it counts as one that was shown."""
    bids = side([(3.0, 1.0), (2.0, 0.0)], limit=2)
    assert bids.levels == [(3.0, 1.0)]
    assert bids.low == 2.0


def test_changes_set_and_remove() -> None:
    """Sizes are absolute; 0 removes, also what is not there."""
    bids = side([(3.0, 1.0), (2.0, 1.0)])
    bids.put([(3.0, 5.0), (2.0, 0.0), (1.0, 4.0), (9.0, 0.0)], MANY)
    assert bids.levels == [(3.0, 5.0), (1.0, 4.0)]


@pytest.mark.parametrize(("is_bid", "outside", "inside"), [(True, 1.0, 2.0), (False, 4.0, 3.0)])
def test_what_is_outside_of_the_known_range_is_passed_over(is_bid: bool, outside: float, inside: float) -> None:
    """Neither shown when it appears, nor missed when it goes; the end itself is known."""
    half = side([(2.0, 1.0), (3.0, 1.0)], is_bid=is_bid, limit=2)
    half.put([(outside, 7.0), (inside, 0.0)], MANY)
    assert len(half) == 1
    half.put([(outside, 0.0), (inside, 2.0)], MANY)
    assert (inside, 2.0) in half.levels


@pytest.mark.parametrize(("is_bid", "left", "end"), [(True, range(10, 17), 10.0), (False, range(1, 8), 7.0)])
def test_too_many_levels_fall_back_to_seven_eighths(is_bid: bool, left: range, end: float) -> None:
    """The best are left; the worst of these ends what is known."""
    half = side([(float(price), 1.0) for price in range(4, 11)], is_bid=is_bid)
    half.put([(float(price), 1.0) for price in (*range(1, 4), *range(11, 17))], 8)
    assert sorted(half.levels) == [(float(price), 1.0) for price in left]
    assert (half.low if is_bid else half.high) == end


def test_a_whole_side_is_whole_until_there_are_as_many_levels_as_are_kept() -> None:
    """From then on the venue may leave levels out."""
    bids = side([(float(price), 1.0) for price in range(8, 2, -1)])
    bids.put([(9.0, 1.0)], 8)
    assert (len(bids), bids.low) == (7, 0.0)
    bids.put([(10.0, 1.0)], 8)
    assert (len(bids), bids.low) == (7, 4.0)


def test_a_snapshot_falls_back_as_well() -> None:
    """What it brings beyond what is kept is let go."""
    bids = side([(float(price), 1.0) for price in range(20, 0, -1)], kept=16)
    assert (len(bids), bids.low) == (14, 7.0)


def test_a_forgotten_level_is_not_known_when_the_price_comes_back() -> None:
    """The range does not grow again."""
    bids = side([(float(price), 1.0) for price in range(9, 0, -1)], kept=9)
    bids.put([(9.0, 0.0), (8.0, 0.0), (1.0, 5.0)], 9)
    assert bids.levels == [(float(price), 1.0) for price in range(7, 1, -1)]
    assert bids.is_narrow(7)


def test_what_is_shown_says_up_to_where_it_is_all() -> None:
    """The last level shown where more are known, else the end of what is known."""
    bids = side([(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)], limit=3)
    assert bids.shown(2) == (((3.0, 1.0), (2.0, 1.0)), 2.0)
    bids.put([(1.0, 0.0)], MANY)
    assert bids.shown(2) == (((3.0, 1.0), (2.0, 1.0)), 1.0)
    asks = side([(3.0, 1.0)], is_bid=False)
    assert asks.shown(2) == (((3.0, 1.0),), INFINITY)


def test_forgets_everything() -> None:
    """Cleared, nothing is known, and changes are passed over."""
    bids = side([(3.0, 1.0)])
    bids.clear()
    bids.put([(3.0, 1.0)], MANY)
    assert (len(bids), bids.shown(1)) == (0, ((), INFINITY))


def test_agreeing_levels_are_counted_where_both_know_them() -> None:
    """Equal ones, and all that either has."""
    one = side([(5.0, 1.0), (4.0, 1.0), (3.0, 1.0), (2.0, 1.0)], limit=4)
    other = side([(5.0, 1.0), (4.0, 2.0), (3.5, 1.0), (3.0, 1.0)], limit=4)
    assert one.agreeing(other) == other.agreeing(one) == (2, 4)


@given(
    st.booleans(),
    st.integers(0, 2_000),
    st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 120), st.sampled_from([0.1, 0.5, 0.9])), max_size=12),
)
def test_the_best_are_in_order_however_many_come_and_go(
    is_bid: bool, held: int, seed: int, blows: list[tuple[int, int, float]]
) -> None:
    """Against a plain dict: levels by the hundred put in and taken out anywhere, looked at in any number."""
    rng = random.Random(seed)
    plain = {float(price): 1.0 for price in rng.sample(range(3_000), held)}
    half = side(list(plain.items()), is_bid=is_bid)
    for start, count, share in blows:
        changes = [(float(price), float(rng.random() < share)) for price in range(3 * start, 3 * start + 8 * count)]
        half.put(changes, MANY)
        plain = {price: size for price, size in {**plain, **dict(changes)}.items() if size}
        best = sorted(plain.items(), reverse=is_bid)
        looked = rng.choice([1, 20, FEWEST, 200, 1_000])
        assert half.shown(looked)[0] == tuple(best[:looked])
        assert half.best == (best[0] if best else (0.0, 0.0))
        assert len(half) == len(plain)
