"""What happens behind a hole, and to a slow consumer: gaps, backfill, holds."""

import pytest

from foxtrot.transport import steps
from foxtrot.transport.ordering import IdOrder
from foxtrot.transport.values_ids import OWED, IdValues
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Source
from tests.support.lane_rig import (
    POLL,
    Rig,
    delivered,
    fallen,
    items,
    kinds,
    late_page,
    moved,
    page,
    proving,
    started,
    streaming,
    tick_streaming,
)

# --- holes that are given up -------------------------------------------------------------------------------------------------


def given_up() -> Rig:
    """The hole 12 to 13 has been given up, 14 delivered; its page is still under way."""
    rig = streaming()
    rig.bring(14)
    rig.wait(0)
    rig.wait(2)
    assert rig.lane.status.gaps == 1
    return rig


def test_frames_wait_two_seconds_behind_a_hole() -> None:
    """Then one gap names the ids, live data goes on, and the hole is asked for beside it."""
    rig = streaming()
    rig.bring(14)
    assert rig.wait(1.999) == []
    assert rig.wait(0.001) == [
        steps.Missing(12, 13, Reason.HOLD),
        steps.Deliver(items(14), Source.STREAM),
        steps.FetchPage(12, Source.BACKFILL, 13),
    ]
    assert delivered(rig.bring(15)) == [15]


def test_a_recorder_waits_for_ever() -> None:
    """Every id live, in order."""
    rig = streaming(hold_ns=None)
    rig.bring(14)
    assert rig.wait(500) == []
    assert delivered(rig.tell(page(12, 13))) == [12, 13, 14]


def test_who_does_not_wait_has_the_gap_at_once() -> None:
    """At the next look."""
    rig = streaming(hold_ns=0)
    rig.bring(14)
    assert delivered(rig.wait(0)) == [14]


def test_each_hole_has_its_own_time() -> None:
    """One that opens as another closes is not given up for the other's age."""
    rig = streaming()
    rig.bring(13)
    rig.wait(1.9)
    rig.bring(12)
    rig.bring(15)
    rig.wait(0.2)
    assert rig.lane.status.gaps == 0
    rig.wait(1.8)
    assert rig.lane.status.gaps == 1


def test_a_frame_behind_two_holes_waits_no_longer() -> None:
    """The second hole inherits its time."""
    rig = streaming()
    rig.bring(13, 15)
    rig.wait(1.9)
    rig.bring(12)
    effects = rig.wait(0.1)
    assert steps.Missing(14, 14, Reason.HOLD) in effects
    assert delivered(effects) == [15]


def test_holes_of_the_same_age_are_given_up_together() -> None:
    """Each under its own gap, in order."""
    rig = streaming()
    rig.bring(13, 15)
    effects = rig.wait(2)
    assert [effect.first for effect in effects if isinstance(effect, steps.Missing)] == [12, 14]
    assert delivered(effects) == [13, 15]


def test_what_is_found_late_is_backfill() -> None:
    """Never told through the live event; only what was missing."""
    rig = given_up()
    assert rig.tell(late_page(12, 13, 14)) == [steps.Backfill(items(12, 13))]
    assert rig.wait(1) == []


def test_the_live_page_that_comes_too_late_is_let_go() -> None:
    """Backfill has its own question."""
    rig = given_up()
    assert rig.tell(page(12, 13, 14)) == []
    assert delivered(rig.bring(15)) == [15]


def test_backfill_that_failed_is_asked_again() -> None:
    """After a while, however long it takes."""
    rig = given_up()
    assert rig.tell(steps.PageFailed(is_late=True), steps.Pulse()) == []
    assert rig.wait(0.25) == [steps.FetchPage(12, Source.BACKFILL, 13)]


def test_backfill_answered_short_goes_on_from_there() -> None:
    """A replica that trails, or a page too small."""
    rig = given_up()
    assert rig.tell(late_page(12)) == [steps.Backfill(items(12)), steps.FetchPage(13, Source.BACKFILL, 13)]
    assert rig.tell(late_page()) == []
    assert rig.wait(0.25) == [steps.FetchPage(13, Source.BACKFILL, 13)]


@pytest.mark.parametrize("found", [late_page(14), late_page(12, 14), late_page(13)])
def test_backfill_that_the_venue_has_no_longer_is_let_go(found: steps.Paged) -> None:
    """It has been told as a gap; what is there is handed out, and nothing asked again."""
    rig = given_up()
    backfill = [effect for effect in rig.tell(found) if isinstance(effect, steps.Backfill)]
    assert sum(len(effect.items) for effect in backfill) == len([item for item in found.items if item.id < 14])
    assert rig.wait(10) == []


def test_backfill_for_nobody_is_let_go() -> None:
    """No hole is owed."""
    assert streaming().tell(late_page(11, 12)) == []


def test_backfill_comes_in_every_state() -> None:
    """Polling goes on behind it; the hole is not asked for again as a part of that."""
    rig = given_up()
    rig.tell(POLL)
    assert rig.tell(late_page(12, 13)) == [steps.Backfill(items(12, 13))]
    assert rig.lane.state is LaneState.POLLING


def test_so_many_holes_are_owed_and_no_more() -> None:
    """The oldest are let go; they have been told."""
    rig = started(hold_ns=0)
    values = rig.lane.values
    assert isinstance(values, IdValues)
    values.open()
    for number in range(OWED + 5):
        values.offered(steps.Offered(items(12 + 2 * number)[0], rig.now), rig.now, is_kept=True)
        values.passed(rig.now, None)
    asked = values.asks(rig.now, is_streaming=True, is_joining=False)
    assert asked[-1] == steps.FetchPage(11 + 2 * 5, Source.BACKFILL, 11 + 2 * 5)


def test_three_holes_given_up_are_a_storm() -> None:
    """Frames that nobody could find in time were lost by the stream."""
    rig = streaming()
    effects: list[steps.Effect] = []
    for number in (14, 17, 20):
        rig.bring(number)
        rig.wait(1)
        rig.traded(number)
        rig.wait(0.9)
        effects += rig.wait(0.1)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.GAP)]


def test_more_than_the_buffer_holds_is_fetched_by_id() -> None:
    """The newest are let go, and the hole behind what waited grows."""
    rig = streaming()
    last = 12 + IdOrder.CAPACITY
    rig.bring(*range(13, last + 50))
    effects = rig.wait(2)
    assert delivered(effects)[-1] == last
    rig.tell(page(12))
    assert rig.wait(0.25)[-1] == steps.FetchPage(last + 1, Source.BACKFILL)


# --- a slow consumer ---------------------------------------------------------------------------------------------------------


def test_a_hold_lets_frames_go_and_completes_them_by_id() -> None:
    """The stream still serves; the page is backfill."""
    rig = streaming()
    assert rig.tell(steps.Hold(is_on=True)) == []
    assert rig.bring(12, 13) == []
    assert rig.traded(13) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(12, Source.BACKFILL)]
    assert rig.tell(page(12, 13)) == [steps.Deliver(items(12, 13), Source.BACKFILL)]


@pytest.mark.parametrize("answer", [steps.PageFailed(), page()])
def test_frames_let_go_are_no_loss_of_the_stream(answer: steps.Paged | steps.PageFailed) -> None:
    """However often, and however late their page comes: asked in vain, or of a replica that does not have them yet."""
    rig = streaming()
    effects: list[steps.Effect] = []
    for first in (12, 15, 18):
        rig.tell(steps.Hold(is_on=True))
        rig.bring(first, first + 1)
        rig.tell(steps.Hold(is_on=False), answer)
        rig.bring(first + 2)
        assert rig.wait(0.25) == [steps.FetchPage(first, Source.BACKFILL)]
        effects += [*rig.tell(page(first, first + 1)), *rig.wait(1)]
    assert delivered(effects) == list(range(12, 21))
    assert rig.lane.state is LaneState.STREAMING


def test_frames_let_go_change_and_confirm_nothing() -> None:
    """They came, and the consumer has not got them."""
    rig = streaming()
    changed_ns = rig.lane.status.changed_ns
    rig.tell(steps.Hold(is_on=True))
    rig.now += NS_PER_S
    rig.bring(12)
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (changed_ns, changed_ns)


def test_a_hold_ends_the_wait_behind_a_hole() -> None:
    """All of it is completed by id afterwards: no gap is told."""
    rig = streaming()
    rig.bring(14)
    rig.tell(steps.Hold(is_on=True))
    assert rig.wait(60) == []
    assert rig.tell(page(12, 13), steps.Hold(is_on=False)) == [steps.FetchPage(12, Source.BACKFILL)]
    assert delivered(rig.tell(page(12, 13, 14))) == [12, 13, 14]


@pytest.mark.parametrize("rig", [started(), streaming()])
def test_a_poll_answered_during_a_hold_confirms(rig: Rig) -> None:
    """The venue is reached, however far ahead: the lane is degraded by its consumer, not blind; nor is its stream silent."""
    state = rig.lane.state
    rig.tell(steps.Hold(is_on=True))
    for _ in range(8):
        rig.wait(1)
        assert rig.traded(50) == []
    assert (rig.lane.status.confirmed_ns, rig.lane.state) == (rig.now, state)


def test_a_page_that_comes_during_a_hold_is_let_go() -> None:
    """It is asked again afterwards."""
    rig = started()
    rig.traded(12)
    assert rig.tell(steps.Hold(is_on=True), page(11, 12)) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(11, Source.POLL)]


def test_backfill_waits_for_a_slow_consumer() -> None:
    """What is under way is handed out; no more is asked."""
    rig = given_up()
    rig.tell(steps.Hold(is_on=True))
    assert rig.tell(late_page(12)) == [steps.Backfill(items(12))]
    assert steps.FetchPage(13, Source.BACKFILL, 13) in rig.tell(steps.Hold(is_on=False))


def test_ticks_know_no_hold() -> None:
    """They are conflated instead; nor does a hold begin twice."""
    rig = tick_streaming()
    assert rig.tell(steps.Hold(is_on=True)) == []
    assert not rig.lane.is_held
    other = streaming()
    assert other.tell(steps.Hold(is_on=True), steps.Hold(is_on=True)) == []


def test_a_stream_can_fall_during_a_hold() -> None:
    """The place is kept, the rest comes by poll."""
    rig = streaming()
    rig.tell(steps.Hold(is_on=True))
    rig.bring(12)
    assert kinds(rig.tell(steps.StreamDown())) == [steps.Announce, steps.PollNow]
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(12, Source.POLL)]


def test_a_hold_on_a_lane_that_waits_for_its_retry_changes_no_state() -> None:
    """Nor does it make the break longer."""
    rig = fallen()
    rig.tell(steps.Hold(is_on=True))
    assert moved(rig.wait(5)) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_proving_lane_on_hold_keeps_nothing() -> None:
    """What comes is heard of, and fetched by id."""
    rig = proving()
    rig.tell(steps.Hold(is_on=True))
    rig.bring(11, 12)
    assert rig.lane.ids is not None
    assert rig.lane.ids.waiting == 0
