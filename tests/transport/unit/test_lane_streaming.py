"""A lane while its stream serves, and what makes it give the stream up: each test one fact."""

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Stats
from foxtrot.transport.evidence import FEW
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Source
from tests.support.lane_rig import (
    FIGURES,
    POLL,
    Rig,
    delivered,
    items,
    kinds,
    moved,
    page,
    polled,
    started,
    streaming,
    tick_streaming,
)

# --- holes -------------------------------------------------------------------------------------------------------------------


def test_a_hole_is_filled_in_order() -> None:
    """What waited behind it follows at once."""
    rig = streaming()
    assert rig.bring(14) == [steps.FetchPage(12, Source.BACKFILL)]
    assert rig.tell(page(12, 13, 14)) == [steps.Deliver(items(12, 13), Source.BACKFILL), steps.Deliver(items(14), Source.STREAM)]


def test_a_page_that_trails_the_stream_is_asked_again() -> None:
    """Not at once."""
    rig = streaming()
    rig.bring(14)
    assert rig.tell(page()) == []
    assert rig.wait(0.25) == [steps.FetchPage(12, Source.BACKFILL)]


def test_ids_that_the_venue_does_not_have_are_told() -> None:
    """Once, and the stream goes on."""
    rig = streaming()
    rig.bring(14)
    assert rig.tell(page(14)) == [steps.Missing(12, 13, Reason.GAP), steps.Deliver(items(14), Source.STREAM)]
    assert rig.lane.status.gaps == 1


def test_a_page_tells_where_it_was_asked() -> None:
    """Asked while the stream served, answered while polling does: still backfill."""
    rig = streaming()
    rig.bring(14)
    rig.tell(POLL)
    assert rig.tell(page(12, 13, 14))[0] == steps.Deliver(items(12, 13, 14), Source.BACKFILL)


def test_a_reordered_frame_takes_along_what_waited() -> None:
    """At once, without a page; the door is open again after it."""
    rig = streaming()
    rig.bring(13)
    ids = rig.lane.ids
    assert ids is not None
    assert not ids.accept(12, 12, rig.now)
    assert rig.bring(12) == [steps.Deliver(items(12, 13), Source.STREAM)]
    assert ids.accept(14, 14, rig.now)


def test_what_waits_behind_a_hole_confirms_nothing() -> None:
    """Frames that come and are not delivered prove nothing of what the consumer has; nor do polls that know of them."""
    rig = streaming()
    before = rig.lane.status.confirmed_ns
    rig.now += NS_PER_S
    rig.bring(13)
    rig.traded(13)
    assert rig.lane.status.confirmed_ns == before
    rig.tell(page(12))
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_poll_that_the_stream_has_kept_up_with_confirms() -> None:
    """Without a frame between."""
    rig = streaming()
    rig.beat(11)
    assert rig.lane.status.confirmed_ns == rig.now


# --- trips -------------------------------------------------------------------------------------------------------------------


def test_a_silent_stream_is_suspect_then_given_up() -> None:
    """The venue is ahead for 5 s: polling serves, asks at once, and the breaker opens."""
    rig = streaming()
    rig.traded(12)
    rig.wait(1.1)
    assert rig.lane.status.is_suspect
    rig.now += 4 * NS_PER_S
    effects = rig.traded(12)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.SILENCE)]
    assert kinds(effects) == [steps.ShutStream, steps.Announce, steps.PollNow, steps.FetchPage, steps.BreakerMoved]
    assert not rig.lane.status.is_suspect


def test_a_silent_tick_is_given_up_after_two_misses() -> None:
    """One makes it suspect; the poll after the trip is delivered."""
    rig = tick_streaming()
    assert rig.poll(2.0) == []
    rig.wait(0.5)
    assert rig.lane.status.is_suspect
    rig.now += NS_PER_S // 2
    assert rig.poll(2.0) == []
    assert moved(rig.wait(0.5)) == [(LaneState.FALLBACK, Reason.AUDIT)]
    assert kinds(rig.poll(2.0)) == [steps.Deliver]


def test_a_tick_whose_polls_stood_on_the_stream_serves_on() -> None:
    """Each of them confirms it, also without a frame."""
    rig = tick_streaming()
    for _ in range(5):
        rig.wait(1)
        assert rig.poll(1.0) == []
        assert rig.lane.status.confirmed_ns == rig.now
    assert not rig.lane.status.is_suspect


def test_replayed_quotes_keep_no_stream_alive() -> None:
    """A venue that repeats its past for ever is found as dead as a silent one."""
    rig = tick_streaming()
    for second in range(1, 4):
        rig.wait(1)
        rig.show(100, 1.0)
        rig.poll(1.0 + second)
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.AUDIT)


def test_figures_that_cross_every_poll_blind_no_audit() -> None:
    """Both come once a second: a newer trade in the figures between request and answer makes no answer a cached one."""
    rig = tick_streaming()
    for second in range(3):
        asked_ns = rig.now + NS_PER_S
        rig.now = asked_ns + NS_PER_S // 50
        rig.tell(steps.OfferedStats(Stats(10 + second, 1, FIGURES, rig.now)))
        stats = Stats(9 + second, 1, FIGURES, rig.now)
        rig.tell(steps.Polled(Answer("BTCUSDT", polled(9.0, asked_ns), stats), asked_ns))
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.AUDIT)


def test_a_cached_answer_makes_no_stream_suspect() -> None:
    """Its newest trade went back: it shows the past."""
    rig = tick_streaming()
    rig.tell(steps.OfferedStats(Stats(10, 1, FIGURES, rig.now)))
    for _ in range(4):
        rig.wait(1)
        rig.poll(7.0, 9)
    assert rig.lane.state is LaneState.STREAMING
    assert not rig.lane.status.is_suspect


def test_an_old_answer_neither_confirms_nor_forgives() -> None:
    """A replica that lags answers between two others: the silent stream is given up in time."""
    rig = streaming()
    rig.now += NS_PER_S
    rig.traded(12)
    confirmed_ns = rig.lane.status.confirmed_ns
    rig.now += 2 * NS_PER_S
    rig.traded(11)
    assert rig.lane.status.confirmed_ns == confirmed_ns
    rig.now += 3 * NS_PER_S
    assert moved(rig.traded(12)) == [(LaneState.FALLBACK, Reason.SILENCE)]


@pytest.mark.parametrize(
    ("given", "reason"), [(steps.Stray(), Reason.WRONG_SYMBOL), (steps.Unlisted(), Reason.UNLISTED)]
)  # fmt: skip
def test_what_is_told_of_the_stream_is_a_trip_at_one(given: steps.Input, reason: Reason) -> None:
    """A frame of another symbol; a subscription that the venue does not list."""
    rig = streaming()
    effects = rig.tell(given)
    assert moved(effects) == [(LaneState.FALLBACK, reason)]
    assert kinds(effects) == [steps.ShutStream, steps.Announce, steps.PollNow, steps.BreakerMoved]


def test_what_is_told_of_no_stream_is_nothing() -> None:
    """A polled lane has nothing to give up."""
    assert started().tell(steps.Stray(), steps.Unlisted()) == []


def hurried(count: int, late_ms: int) -> Rig:
    """So many frames a second apart came through the door, each so late."""
    rig = streaming()
    assert rig.lane.ids is not None
    for number in range(12, 12 + count):
        rig.now += NS_PER_S
        rig.lane.ids.accept(number, number, rig.now, rig.now // NS_PER_MS - late_ms)
        rig.tell(steps.Pulse())
        rig.traded(number)
    return rig


def test_a_stream_that_comes_two_seconds_late_is_given_up() -> None:
    """By the venue's time in its frames."""
    rig = hurried(FEW, 2_001)
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.LAG)


def test_a_stream_that_comes_just_in_time_serves_on() -> None:
    """Two seconds are allowed."""
    assert hurried(40, 2_000).lane.state is LaneState.STREAMING


def test_of_few_frames_no_lag_is_told() -> None:
    """One late frame is no late stream; those of more than 30 s ago do not count."""
    rig = hurried(FEW - 1, 9_000)
    assert rig.lane.state is LaneState.STREAMING
    rig.beat(12, 30)
    assert rig.lane.ids is not None
    rig.lane.ids.accept(13, 13, rig.now, rig.now // NS_PER_MS - 9_000)
    rig.wait(0.1)
    assert rig.lane.state is LaneState.STREAMING


def test_frames_without_a_time_are_not_late() -> None:
    """They say nothing of it."""
    rig = streaming()
    for number in range(12, 40):
        rig.now += NS_PER_S
        rig.bring(number)
        rig.tell(steps.Pulse())
    assert rig.lane.state is LaneState.STREAMING


# --- a lost connection -------------------------------------------------------------------------------------------------------


def test_a_lost_connection_falls_back_and_comes_home() -> None:
    """It is not the lane's fault: nothing is counted, and the stream is not shut."""
    rig = streaming()
    effects = rig.tell(steps.StreamDown())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert kinds(effects) == [steps.Announce, steps.PollNow]
    assert rig.lane.breaker.openings == 0
    assert moved(rig.beat(11, 60)) == []
    assert moved(rig.tell(steps.StreamUp())) == [(LaneState.PROVING, Reason.RETRY)]
    rig.bring(12)
    effects = rig.beat(12, 2)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]


def test_what_the_dead_stream_left_comes_by_poll() -> None:
    """By id, from where it ended."""
    rig = streaming()
    rig.bring(14)
    rig.tell(steps.PageFailed(), steps.StreamDown())
    assert delivered(rig.tell(page(12, 13, 14, 15))) == [12, 13, 14, 15]


def test_a_redial_that_fails_changes_nothing() -> None:
    """The lane has fallen already, and goes on waiting."""
    rig = streaming()
    rig.tell(steps.StreamDown())
    assert rig.tell(steps.StreamDown(), steps.Pulse()) == []
