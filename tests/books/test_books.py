"""The long proofs of order books and bars, each for some virtual minutes."""

from tests.books import bars, lane_day, storm, wide
from tests.books.cases import Case, play
from tests.books.wide import ENOUGH


def test_a_book_that_prunes_is_true_and_others_are_not() -> None:
    """Its venue speaks of the best 50 levels alone: a quarter of an hour, every minute compared with the whole truth."""
    row = play(Case("wide", wide.Plan(levels=50, hours=0.25, cut_minutes=5.0, loss_minutes=2.0)))
    assert row.wrong == []
    assert row.record is not None
    ours, *others = row.record.courses
    assert row.record.cuts > 0
    assert ours.gaps > 0
    assert {sample.share for sample in ours.samples} == {1.0}
    assert all(min(sample.share for sample in course.samples) < ENOUGH for course in others)


def test_books_delivered_through_outages_are_the_venues() -> None:
    """Ten minutes through the whole of Foxtrot, which keeps as many levels as it does by default."""
    record = lane_day.play(lane_day.Plan(hours=1 / 6, market_levels=1_500, every=100.0))
    assert (record.wrong, record.problems, record.refusals) == ([], [], 0)
    assert sum(record.outages.values()) > 1
    assert record.compared > 1


def test_bars_are_whole_and_equal_through_outages() -> None:
    """Nine minutes of a lively symbol and of a quiet one: each bar once, in order, as the exchange has it."""
    plan = bars.Plan(hours=0.15, intervals=("1s", "1m", "3m"), every=60.0, quiet=180.0)
    record = bars.play(plan)
    assert [text for verdict in record.verdicts for text in verdict.wrong] == []
    assert (record.problems, record.refusals, record.gaps, record.backfills) == ([], 0, 0, 0)
    assert sum(record.outages.values()) > 2
    assert all(verdict.closed > 0 for verdict in record.verdicts)


def test_books_that_lose_their_place_at_once_come_back_within_the_limits() -> None:
    """Twelve of them lose a frame each; then their connections, in another run."""
    for kind in ("lost", "cut"):
        row = play(Case("storm", storm.Plan(symbols=12, kind=kind, calm=10.0)))
        assert row.wrong == []


def test_the_same_seed_makes_the_same_run() -> None:
    """Outages, waits and all."""
    plan = bars.Plan(hours=0.05, intervals=("1s",), every=30.0, quiet=30.0)
    first, second = bars.play(plan), bars.play(plan)
    assert (first.verdicts, first.requests, first.logged) == (second.verdicts, second.requests, second.logged)
