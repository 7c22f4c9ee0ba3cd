"""The verdict of a run, and its exit code."""

import pytest

from foxtrot.app.summary import FAILED, OK, Ending, Outcome, conclude
from foxtrot.app.tally import Tally
from foxtrot.core.event_engine import EventEngine
from foxtrot.transport.base import LaneKey
from tests.app.samples import FakeClock, lane, view

TRADES = LaneKey("BTCUSDT", "trades")


def concluded(ending: Ending, *ids: int, event_age_ns: int | None = 5_000_000, late: tuple[int, ...] = ()) -> Outcome:
    engine = EventEngine(FakeClock())
    tally = Tally(engine, [LaneKey("BTCUSDT", "tick"), TRADES])
    for number in ids:
        tally.lanes[TRADES].take(number, 100.0, 1_000_000, event_age_ns)
    for number in late:
        tally.lanes[TRADES].take_late(number)
    engine.stop()
    return conclude(ending, 5.0, view(lane(), lane(channel="trades")), tally, 30.0)


@pytest.mark.parametrize("ending", [Ending.DURATION, Ending.SIGNAL, Ending.NO_READER])
def test_success(ending: Ending) -> None:
    """Data came, none of it twice."""
    found = concluded(ending, 1, 2, 3)
    assert (found.exit_code, found.delivered) == (OK, 3)
    assert found.verdict == "3 values, symbols 1, gaps 0, duplicates delivered 0, in 5.0 s"


def test_nothing_came() -> None:
    """Is a failure, unless nobody read it anyway."""
    assert concluded(Ending.DURATION).exit_code == FAILED
    assert "nothing was delivered" in concluded(Ending.SIGNAL).verdict
    assert concluded(Ending.NO_READER).exit_code == OK


def test_duplicates_are_a_failure() -> None:
    """Delivering twice is what must never happen."""
    found = concluded(Ending.DURATION, 1, 1)
    assert found.exit_code == FAILED
    assert "report this" in found.verdict


@pytest.mark.parametrize(("ending", "says"), [(Ending.NO_DATA, "no data within 30 s"), (Ending.NO_SYMBOL, "--symbols")])
def test_what_to_do(ending: Ending, says: str) -> None:
    """A run that could not begin says why."""
    found = concluded(ending)
    assert found.exit_code == FAILED
    assert says in found.verdict


def test_lanes() -> None:
    """Counts of the handler beside those of the lane; ages by the kind of time that the channel carries."""
    quote, trades = concluded(Ending.DURATION, 1, 3).lanes
    assert (quote.delivered, quote.duplicates_dropped, quote.event_age_ms) == (0, 1, None)
    assert (trades.delivered, trades.gaps, trades.switches, trades.local_age_ms) == (2, 1, 1, None)
    assert trades.event_age_ms is not None
    assert trades.event_age_ms.p50 == pytest.approx(5.0, rel=0.02)


def test_backfill() -> None:
    """What live values left out, and what was found of it, stands in the lane and in the verdict; a find is no duplicate."""
    found = concluded(Ending.DURATION, 1, 5, late=(2, 4))
    assert (found.lanes[1].gaps, found.lanes[1].missing, found.lanes[1].backfilled) == (1, 3, 2)
    assert "gaps 1 (backfilled 2 of 3 ids), duplicates delivered 0" in found.verdict
    assert concluded(Ending.DURATION, 1, 3, late=(2, 2)).exit_code == FAILED


def test_without_the_venues_clock_ages_are_local() -> None:
    """An age by a clock that is not known would be a guess."""
    _, trades = concluded(Ending.DURATION, 1, 2, event_age_ns=None).lanes
    assert trades.event_age_ms is None
    assert trades.local_age_ms is not None
    assert trades.local_age_ms.p50 == pytest.approx(1.0, rel=0.02)
