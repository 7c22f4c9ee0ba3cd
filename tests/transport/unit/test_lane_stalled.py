"""Our own loop stood still: what came meanwhile has not been read, and no stream is to blame for it."""

from collections.abc import Callable

import pytest

from foxtrot.transport import steps
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving
from tests.support.lane_rig import Rig, fallen, moved, proving, started, streaming, tick_streaming


def stall(rig: Rig, seconds: float) -> list[steps.Effect]:
    """The loop runs again after so long, and says so first."""
    rig.now += int(seconds * NS_PER_S)
    return rig.tell(steps.Stalled(int(seconds * NS_PER_S)))


def test_a_stream_that_was_behind_before_is_given_its_time() -> None:
    """The answer was read before the frames that wait in the socket; a stream that stays behind is dead all the same."""
    rig = streaming()
    rig.traded(12)
    assert stall(rig, 6) == []
    assert moved(rig.traded(40)) == []
    rig.wait(4.9)
    assert rig.lane.state is LaneState.STREAMING
    assert moved(rig.beat(40)) == [(LaneState.FALLBACK, Reason.SILENCE)]


def test_a_stream_that_was_level_owes_nothing() -> None:
    """Nothing was missing when the loop stood still."""
    rig = streaming()
    stall(rig, 60)
    assert moved([*rig.traded(12), *rig.wait(0.1)]) == []


def test_polls_are_not_down_because_we_were() -> None:
    """One frame, read before the answer: REST is fine."""
    rig = fallen()
    rig.beat(11, 5)
    rig.tell(steps.StreamUp())
    rig.beat(11, 2)
    stall(rig, 3)
    assert moved(rig.bring(12)) == []
    assert rig.lane.serving is Serving.POLL
    assert moved(rig.wait(2.5)) == [(LaneState.PROVING, Reason.POLL_DOWN)]


def test_a_poll_before_is_judged_by_frames_after() -> None:
    """An attempt fails by no miss of ours."""
    rig = proving()
    rig.bring(11)
    rig.beat(10, 2)
    rig.traded(12)
    stall(rig, 6)
    rig.traded(13)
    rig.wait(0.1)
    rig.bring(12, 13)
    assert moved(rig.wait(1)) == []
    assert rig.lane.breaker.openings == 0


def trade_polled() -> Rig:
    """A poll has just shown a trade that the stream has not brought."""
    rig = streaming()
    rig.traded(12)
    return rig


def quote_polled() -> Rig:
    """A poll has just shown a quote that the stream has not brought."""
    rig = tick_streaming()
    rig.poll(7.0)
    return rig


@pytest.mark.parametrize(("polled", "seconds"), [(trade_polled, 1.0), (quote_polled, 0.4)])
def test_what_was_polled_and_does_not_come_is_missed_all_the_same(polled: Callable[[], Rig], seconds: float) -> None:
    """The stream has as long as ever, from then on."""
    rig = polled()
    stall(rig, 6)
    rig.wait(seconds)
    assert not rig.lane.status.is_suspect
    rig.wait(0.1)
    assert rig.lane.status.is_suspect


def test_a_polled_quote_before_is_judged_by_quotes_after() -> None:
    """Of two in a row, too."""
    rig = tick_streaming()
    for bid in (7.0, 8.0):
        rig.poll(bid)
        rig.now += NS_PER_S // 4
    stall(rig, 6)
    rig.show(101, 7.0)
    rig.show(102, 8.0)
    assert moved([*rig.wait(0.1), *rig.wait(1)]) == []
    assert not rig.lane.status.is_suspect


def test_a_hole_is_as_old_as_we_could_look() -> None:
    """While the stream is proved, and while it serves."""
    rig = proving()
    rig.bring(11, 13)
    stall(rig, 6)
    assert moved(rig.wait(0.1)) == []
    rig.bring(12)
    assert moved(rig.wait(1)) == []
    rig = streaming()
    rig.bring(13)
    stall(rig, 6)
    assert not [effect for effect in rig.wait(1.9) if isinstance(effect, steps.Missing)]
    assert [effect for effect in rig.wait(0.1) if isinstance(effect, steps.Missing)] == [steps.Missing(12, 12, Reason.HOLD)]


def test_frames_of_before_do_not_tell_how_late_the_stream_is() -> None:
    """They waited for us; those that the venue sends later count again."""
    rig = streaming()
    stall(rig, 6)
    for number in range(12, 22):
        rig.bring(number, late_ms=5_000)
        assert moved(rig.wait(0.1)) == []
    rig.wait(6)
    fallen_by = []
    for number in range(22, 26):
        rig.bring(number, late_ms=3_000)
        fallen_by += moved(rig.wait(0.1))
    assert fallen_by == [(LaneState.FALLBACK, Reason.LAG)]


def test_a_lane_that_has_not_started_hears_it_too() -> None:
    """It has nothing to excuse."""
    assert stall(Rig(), 6) == []
    assert stall(started(), 6) == []
