"""A fast part of the catalogue of stream failures over real sockets; all of it: ``make chaos``."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos import recorded
from tests.chaos.measure import Outcome
from tests.chaos.rows import ROWS, play

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    # A connection that is reset while it is being made: uvloop closes the descriptor and leaves the socket object unmarked.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


FAST = ("1", "5a", "10", "16", "25c")


def test_a_failure_is_noticed_in_time_and_costs_nothing() -> None:
    """Detected within T, polled within a second, no id lost or twice, no other lane touched, no old price unmarked."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        outcomes = dict(zip(FAST, pool.map(lambda key: play(key, seed=11), FAST), strict=True))
    assert {key: ROWS[key].judge(outcome) for key, outcome in outcomes.items()} == {key: [] for key in FAST}


@pytest.mark.recording
@pytest.mark.skipif(not recorded.is_here(), reason=recorded.NOT_HERE)
@pytest.mark.parametrize("hold", [float("inf"), None], ids=["infinite hold", "default hold"])
def test_the_recording_arrives_whole_whatever_befalls_its_stream(hold: float | None) -> None:
    """Killed, stalled, delayed or muted five times: every trade id once; live and in order if the hold is infinite."""
    outcome = recorded.replayed(5, hold=hold, faults=5, speed=60.0)
    assert (outcome.problems, outcome.lost, outcome.duplicates) == ([], 0, 0)


def test_every_row_of_the_catalogue_is_there() -> None:
    """1 to 35, each with what is measured where something is to be detected."""
    assert {row.number for row in ROWS.values()} >= set(range(1, 36))
    assert all(row.measured != "-" for row in ROWS.values() if row.allowed is not None)


def test_a_verdict_names_each_thing_out_of_bounds() -> None:
    """Late, slow, lost, twice, false, stale, and what the script itself found."""
    outcome = Outcome([2.0], [1.5], 1, 2, 0.9, 3, [], ["odd"])
    found = ROWS["1"].judge(outcome)
    assert len(found) == 7
    assert found[0] == "odd"
    assert ROWS["1"].judge(Outcome([0.01], [0.02])) == []
    assert ROWS["1"].judge(Outcome()) == ["nothing was detected"]
