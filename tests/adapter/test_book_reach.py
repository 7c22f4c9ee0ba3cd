"""How far a book reaches: what is delivered, what is kept, and how large a snapshot it asks for."""

import pytest

from foxtrot.adapter.binance.book_reach import GREATEST_KEPT, SOON_NS, BookReach


@pytest.mark.parametrize(
    ("depth", "limit"),
    [
        (1, 100),
        (20, 100),
        (67, 100),
        (68, 500),
        (333, 500),
        (334, 1_000),
        (500, 1_000),
        (667, 1_000),
        (668, 5_000),
        (1_000, 5_000),
    ],
)
def test_the_first_snapshot_is_the_smallest_that_serves_with_something_to_spare(depth: int, limit: int) -> None:
    """Half as many levels again as are delivered: weight 5, 25, 50, 250."""
    assert BookReach(depth).limit == limit


def test_twenty_levels_are_delivered_and_twelve_hundred_kept_where_nothing_is_said() -> None:
    """A quarter of what the venue sends changes of."""
    assert (BookReach().depth, BookReach().kept) == (20, 1_200)


def test_twice_the_depth_is_kept_where_that_is_more() -> None:
    """The depth may be set at any time."""
    reach = BookReach(600)
    assert reach.kept == 1_200
    reach.depth = 1_000
    assert (reach.depth, reach.kept, reach.limit) == (1_000, 2_000, 5_000)
    reach.depth = 20
    assert (reach.kept, reach.limit) == (1_200, 100)


@pytest.mark.parametrize(
    ("depth", "kept"), [(0, None), (-1, None), (2_501, None), (20, 21), (20, 0), (20, GREATEST_KEPT + 1), (5_000, 5_000)]
)
def test_what_cannot_be_kept_is_refused(depth: int, kept: int | None) -> None:
    """At least one level is delivered; seven eighths of what is kept serve the depth; the venue speaks of 5,000 levels."""
    with pytest.raises(ValueError, match=f"found {depth} to deliver"):
        BookReach(depth, kept)


def test_a_depth_that_cannot_be_kept_changes_nothing() -> None:
    """It is refused when it is set later, too."""
    reach = BookReach(20, 50)
    with pytest.raises(ValueError, match="found 45 to deliver, 50 to keep"):
        reach.depth = 45
    assert reach.depth == 20


def test_a_book_soon_narrow_asks_for_the_next_size_up_to_a_thousand() -> None:
    """100, 500, 1,000, and no more for a depth of 20."""
    reach = BookReach()
    for limit, following in ((100, 500), (500, 1_000), (1_000, 1_000), (5_000, 1_000)):
        reach.was_narrow(limit, SOON_NS - 1)
        assert reach.limit == following
    reach.forget()
    assert reach.limit == 100


def test_the_largest_is_for_depths_that_need_it() -> None:
    """Above 500 a snapshot of 1,000 that did not last is followed by one of 5,000."""
    reach = BookReach(501)
    assert reach.limit == 1_000
    reach.was_narrow(1_000, 0)
    assert reach.limit == 5_000


@pytest.mark.parametrize("age_ns", [SOON_NS, -1, -(10**18)])
def test_a_snapshot_that_lasted_is_asked_for_again(age_ns: int) -> None:
    """Ten minutes or more, or nobody knows how long: the size stays."""
    reach = BookReach()
    reach.was_narrow(100, age_ns)
    assert reach.limit == 100


def test_no_more_is_asked_for_than_is_kept() -> None:
    """Fifty kept: a hundred asked for, whatever happens."""
    reach = BookReach(20, 50)
    reach.was_narrow(100, 0)
    assert reach.limit == 100
