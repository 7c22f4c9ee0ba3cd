"""A stream that serves while it is proved, because polls are not answered: each test one fact."""

from foxtrot.transport import steps
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving
from tests.support.lane_rig import POLL, STREAM, Rig, kinds, moved, proving


def test_a_stream_under_proof_serves_when_polls_are_down() -> None:
    """2.5 s after the last answer, from the first frame on; it goes on proving itself."""
    rig = proving()
    assert rig.wait(2.4) == []
    assert rig.bring(11) == []
    effects = rig.wait(0.1)
    assert moved(effects) == [(LaneState.PROVING, Reason.POLL_DOWN)]
    assert rig.lane.status.delivered == 1
    assert rig.lane.serving is Serving.STREAM
    assert rig.lane.switch_log.times == ()


def alone() -> Rig:
    """Served by the stream under proof, the last id is 11."""
    rig = proving()
    rig.wait(3)
    rig.bring(11)
    assert rig.lane.reason is Reason.POLL_DOWN
    return rig


def test_a_stream_that_brings_nothing_new_does_not_serve() -> None:
    """Not even when polls are down: a replay tells nothing of now."""
    rig = proving()
    rig.wait(3)
    assert rig.bring(9, 10) == []
    assert rig.wait(60) == []


def test_when_polls_come_back_the_proof_is_completed() -> None:
    """The stream serves on meanwhile."""
    rig = alone()
    effects = rig.beat(11)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert rig.lane.status.switches == 1


def test_frames_behind_a_hole_wait_without_rest_too() -> None:
    """At most as long as ever; the attempt does not fail for what it lost while it alone served."""
    rig = alone()
    rig.bring(13)
    rig.wait(1.5)
    assert rig.lane.status.gaps == 0
    effects = rig.wait(0.5)
    assert steps.Missing(12, 12, Reason.HOLD) in effects
    assert rig.lane.serving is Serving.STREAM


def test_the_hole_before_the_first_frame_is_owed() -> None:
    """There is nobody to ask: a gap after two seconds, then live data."""
    rig = proving()
    rig.wait(3)
    rig.bring(15)
    assert steps.Missing(11, 14, Reason.HOLD) in [*rig.wait(0), *rig.wait(2)]


def test_a_stream_that_serves_alone_can_still_fail() -> None:
    """It is shut, and nothing serves: what was confirmed last is told."""
    rig = alone()
    confirmed_ns = rig.now
    rig.now += NS_PER_S
    effects = rig.tell(steps.Stray())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.WRONG_SYMBOL)]
    assert steps.PollNow in kinds(effects)
    rig.wait(4)
    assert rig.lane.status.confirmed_ns == confirmed_ns


def test_a_stream_that_serves_alone_trips_like_any_other() -> None:
    """Three gaps in a minute."""
    rig = alone()
    effects: list[steps.Effect] = []
    for number in (13, 15, 17):
        rig.bring(number)
        effects += [*rig.wait(0), *rig.wait(2)]
    assert moved(effects) == [(LaneState.FALLBACK, Reason.GAP)]


def test_a_lost_connection_leaves_nothing_when_polls_are_down() -> None:
    """The lane waits for both."""
    rig = alone()
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert rig.wait(60) == []


def test_a_decision_for_polling_holds_when_polls_are_down() -> None:
    """Whoever decides so gets it."""
    assert moved(alone().tell(POLL)) == [(LaneState.POLLING, Reason.PIN)]


def test_a_held_lane_does_not_serve_alone() -> None:
    """Its frames are let go."""
    rig = proving()
    rig.tell(steps.Hold(is_on=True))
    rig.wait(3)
    assert rig.bring(11) == []
    assert rig.wait(1) == []


def tick_alone() -> Rig:
    """A tick whose polls went down while it was proved."""
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    rig.now += 1
    rig.tell(STREAM, steps.StreamUp())
    rig.show(50, 1.5)
    rig.wait(3)
    return rig


def test_a_tick_without_rest_opens_with_the_first_new_frame() -> None:
    """One received more than a second after the last answer; there is no anchor."""
    rig = tick_alone()
    assert rig.lane.state is LaneState.PROVING
    assert rig.lane.serving is Serving.POLL
    effects = rig.show(51, 2.0)
    assert moved(effects) == [(LaneState.PROVING, Reason.POLL_DOWN)]
    assert rig.lane.status.delivered == 2
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_tick_that_serves_alone_is_proved_without_an_anchor() -> None:
    """It serves already; an anchor that still comes is nothing."""
    rig = tick_alone()
    rig.show(51, 2.0)
    rig.wait(1.5)
    assert rig.anchor(60, 9.0) == []
    effects: list[steps.Effect] = []
    for _ in range(12):
        effects += [*rig.wait(1), *rig.poll(2.0)]
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]


def test_an_anchor_does_not_turn_back_a_tick_that_serves() -> None:
    """Asked before polls went down, answered by a replica in the very moment of the proof."""
    rig = tick_alone()
    rig.show(51, 2.0)
    rig.show(52, 3.0)
    rig.wait(1)
    assert rig.anchor(51, 2.0) == []


def test_a_tick_that_leaves_while_polls_are_down_leaves_in_time() -> None:
    """Nine tenths of a second, and no proof on the way."""
    rig = tick_alone()
    rig.show(51, 2.0)
    rig.wait(2)
    assert rig.tell(POLL) == [steps.PollNow()]
    assert moved(rig.wait(0.9)) == [(LaneState.POLLING, Reason.PIN)]
