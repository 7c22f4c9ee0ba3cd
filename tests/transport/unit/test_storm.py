"""When gaps make a storm, and what a lane does then."""

from foxtrot.transport import steps
from foxtrot.transport.storm import GAPS, SPAN_NS, Storm
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason
from tests.support.lane_rig import kinds, moved, page, streaming


def test_three_gaps_in_a_minute_are_a_storm() -> None:
    """The third makes it; the count begins anew."""
    storm = Storm()
    assert [storm.gap(number, number * NS_PER_S) for number in range(2 * GAPS)] == [False, False, True] * 2


def test_gaps_far_apart_are_none() -> None:
    """However many there are."""
    storm = Storm()
    assert not any(storm.gap(number, number * (SPAN_NS // 2 + 1)) for number in range(20))


def test_one_gap_asked_for_again_is_one_gap() -> None:
    """A venue's REST may trail its stream for a while."""
    storm = Storm()
    assert not any(storm.gap(7, number) for number in range(20))


def test_a_filled_hole_is_just_a_gap() -> None:
    """The stream goes on serving."""
    rig = streaming()
    for first in (13, 15):
        rig.bring(first)
        rig.tell(page(first - 1))
    assert rig.lane.state is LaneState.STREAMING


def test_a_storm_of_gaps_trips_the_lane() -> None:
    """The third loss is filled, and is the last that this stream had to offer."""
    rig = streaming()
    for first in (13, 15):
        rig.bring(first)
        rig.tell(page(first - 1))
    rig.bring(17)
    effects = [*rig.tell(page(16)), *rig.wait(0.1)]
    assert moved(effects) == [(LaneState.FALLBACK, Reason.GAP)]
    assert steps.ShutStream in kinds(effects)
    assert rig.lane.ids is not None
    assert rig.lane.ids.next_id == 18


def test_frames_out_of_order_are_no_gaps() -> None:
    """What the stream itself brings late has not been lost."""
    rig = streaming()
    for first in range(13, 33, 2):
        rig.bring(first, first - 1)
        rig.tell(page())
    assert rig.lane.state is LaneState.STREAMING
