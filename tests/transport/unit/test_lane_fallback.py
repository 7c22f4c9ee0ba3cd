"""How a lane waits for its stream, and is held back from it: breaker, connection, bound on switches, a hand."""

from collections.abc import Callable

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Cursor
from foxtrot.transport.breaker import Breaker, BreakerMemory
from foxtrot.transport.switch_log import SPAN_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason
from tests.support.lane_rig import (
    KILL,
    POLL,
    SHADOW,
    START,
    STREAM,
    Rig,
    fallen,
    kinds,
    moved,
    proving,
    started,
    streaming,
    tick_streaming,
)

# --- the breaker -------------------------------------------------------------------------------------------------------------


def test_nothing_is_tried_before_the_break_is_over() -> None:
    """Then the stream is asked for again."""
    rig = fallen()
    assert rig.wait(4.9) == []
    effects = rig.wait(0.1)
    assert moved(effects) == [(LaneState.PROVING, Reason.RETRY)]
    assert kinds(effects) == [steps.Announce, steps.OpenStream, steps.BreakerMoved]


def test_a_retry_waits_for_its_permit() -> None:
    """Few lanes with trips of their own try at once; a lane without one needs none."""
    rig = fallen()
    assert rig.wait(60, may_probe=False) == []
    assert moved(rig.wait(0.1)) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_decision_does_not_shorten_the_break() -> None:
    """Polling and back: the lane falls back again until ``retry_at``."""
    rig = fallen()
    assert moved(rig.tell(POLL, STREAM)) == [(LaneState.POLLING, Reason.PIN), (LaneState.FALLBACK, Reason.BREAKER_OPEN)]
    assert kinds(rig.wait(5)) == [steps.Announce, steps.OpenStream, steps.BreakerMoved]


def test_a_lane_that_polls_by_decision_needs_no_stream() -> None:
    """Nothing is tried, however long."""
    rig = fallen()
    rig.tell(POLL)
    assert rig.wait(1_000) == []


def test_a_status_tells_when_the_stream_is_tried_again() -> None:
    """Nothing forbids it before the first trip."""
    assert streaming().lane.status.retry_at_ns == 0
    rig = fallen()
    assert rig.lane.status.retry_at_ns == rig.now + 5 * NS_PER_S


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.FORCED_OPEN])
def test_a_break_outlives_the_process(state: BreakerState) -> None:
    """A lane that starts with it falls back at once, and waits for its end."""
    rig = Rig(breaker=Breaker(memory=BreakerMemory(2, START + 7 * NS_PER_S, None, state)))
    effects = rig.tell(STREAM, steps.Start(Cursor(10, 10)))
    why = Reason.BREAKER_OPEN if state is BreakerState.OPEN else Reason.FORCED_OPEN
    assert moved(effects)[-1] == (LaneState.FALLBACK, why)
    assert rig.wait(6.9) == []
    tried = [(LaneState.PROVING, Reason.RETRY)] if state is BreakerState.OPEN else []
    assert moved(rig.wait(0.1)) == tried


def test_a_break_that_ended_between_two_processes_is_tried_with_the_next_pulse_that_lets_it() -> None:
    """Not all lanes of a restart at once (CB-3); it still has to prove itself as after a trip."""
    rig = Rig(breaker=Breaker(memory=BreakerMemory(2, START - 1, None, BreakerState.OPEN)))
    effects = rig.tell(STREAM, steps.Start(Cursor(10, 10)))
    assert moved(effects)[-1] == (LaneState.FALLBACK, Reason.BREAKER_OPEN)
    assert rig.wait(60, may_probe=False) == []
    assert moved(rig.wait(0.1)) == [(LaneState.PROVING, Reason.RETRY)]
    assert rig.lane.is_probing


@pytest.mark.parametrize("away", [POLL, KILL, SHADOW])
def test_a_decision_is_no_way_around_the_permit(away: steps.Decide) -> None:
    """When a kill is lifted from many lanes with trips, they try their streams one after another all the same (CB-3)."""
    rig = fallen()
    rig.tell(away)
    assert rig.wait(400, may_probe=False) == []
    assert moved(rig.tell(STREAM)) == [(LaneState.FALLBACK, Reason.BREAKER_OPEN)]
    assert rig.wait(60, may_probe=False) == []
    assert moved(rig.wait(0.1)) == [(LaneState.PROVING, Reason.RETRY)]


# --- the connection ----------------------------------------------------------------------------------------------------------


def test_a_lost_connection_ends_the_attempt_without_blame() -> None:
    """The lane waits for its connection, and tries again as soon as it is back."""
    rig = proving()
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert rig.lane.breaker.openings == 0
    assert rig.wait(60) == []
    assert moved(rig.tell(steps.StreamUp())) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_dial_that_fails_is_no_failure_of_the_lane() -> None:
    """It never was up."""
    rig = started()
    rig.tell(STREAM)
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert rig.lane.breaker.openings == 0


@pytest.mark.parametrize(
    ("decision", "state"), [(POLL, LaneState.POLLING), (KILL, LaneState.POLLING), (SHADOW, LaneState.SHADOW)]
)
def test_a_decision_ends_the_wait_for_a_connection(decision: steps.Decide, state: LaneState) -> None:
    """A shadow keeps its place on the connection; who polls does not."""
    rig = streaming()
    rig.tell(steps.StreamDown())
    effects = rig.tell(decision)
    assert moved(effects) == [(state, decision.reason)]
    assert (steps.ShutStream in kinds(effects)) is (state is LaneState.POLLING)
    assert moved(rig.tell(steps.StreamUp())) == []


def test_a_lane_decided_again_while_its_connection_is_down_waits_for_it() -> None:
    """Shadow and back: the stream is still asked for, and proves itself when it comes."""
    rig = streaming()
    rig.tell(steps.StreamDown(), SHADOW)
    assert moved(rig.tell(STREAM)) == [(LaneState.PROVING, Reason.PIN)]
    rig.tell(steps.StreamUp())
    rig.bring(12)
    assert moved(rig.beat(11, 2)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_more_lines_are_asked_for_while_the_connection_is_down() -> None:
    """The fleet dials for what is wanted now."""
    rig = streaming()
    rig.tell(steps.StreamDown())
    assert rig.tell(steps.Decide(STREAM.transport, STREAM.reason, lines=2)) == [steps.OpenStream(2)]


# --- a trip that is forgiven -------------------------------------------------------------------------------------------------


def test_a_trip_of_the_whole_connection_is_forgiven() -> None:
    """Nothing is counted; the lane waits for its connection instead of its breaker, and proves itself in two seconds."""
    rig = fallen()
    effects = rig.tell(steps.Forgiven())
    assert kinds(effects) == [steps.Announce, steps.OpenStream, steps.BreakerMoved]
    assert moved(effects) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert (rig.lane.breaker.state, rig.lane.breaker.openings) == (BreakerState.CLOSED, 0)
    assert rig.beat(11, 10) == []
    assert moved(rig.tell(steps.StreamUp())) == [(LaneState.PROVING, Reason.RETRY)]
    rig.bring(12)
    assert moved(rig.beat(11, 2)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_what_did_not_trip_is_not_forgiven() -> None:
    """A lane that serves, one that waits for its connection, one forgiven already."""
    waiting = streaming()
    waiting.tell(steps.StreamDown())
    forgiven = fallen()
    forgiven.tell(steps.Forgiven())
    for rig in (streaming(), waiting, forgiven):
        assert rig.tell(steps.Forgiven()) == []


def test_a_lane_that_polls_by_now_is_forgiven_without_a_stream() -> None:
    """Its breaker has nothing to wait for when streaming is decided again."""
    rig = fallen()
    rig.tell(POLL)
    assert kinds(rig.tell(steps.Forgiven())) == [steps.BreakerMoved]
    assert moved(rig.tell(STREAM)) == [(LaneState.PROVING, Reason.PIN)]


# --- by hand -----------------------------------------------------------------------------------------------------------------


def test_revive_tries_at_once() -> None:
    """By hand, whatever the break."""
    rig = fallen()
    assert moved(rig.tell(steps.Revive())) == [(LaneState.PROVING, Reason.RETRY)]


@pytest.mark.parametrize("make", [proving, streaming, tick_streaming])
def test_forced_open_there_is_no_stream(make: Callable[[], Rig]) -> None:
    """Until revived, however long."""
    rig = make()
    effects = rig.tell(steps.ForceOpen())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FORCED_OPEN)]
    assert steps.ShutStream in kinds(effects)
    assert rig.wait(10_000) == []
    assert moved(rig.tell(steps.Revive())) == [(LaneState.PROVING, Reason.RETRY)]


def test_forced_open_is_told_of_a_lane_that_waited() -> None:
    """Its reason is the hand's from here on; its connection is not waited for any more."""
    rig = streaming()
    rig.tell(steps.StreamDown())
    effects = rig.tell(steps.ForceOpen())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FORCED_OPEN)]
    assert rig.tell(steps.StreamUp()) == []


def test_forced_open_a_polled_lane_goes_on() -> None:
    """What it would wait for shows when streaming is decided."""
    rig = started()
    assert kinds(rig.tell(steps.ForceOpen())) == [steps.BreakerMoved]
    assert moved(rig.tell(STREAM)) == [(LaneState.FALLBACK, Reason.FORCED_OPEN)]


def test_a_hand_is_no_counted_switch() -> None:
    """Like a decision or a kill."""
    rig = streaming()
    rig.tell(steps.ForceOpen())
    assert rig.lane.switch_log.times == ()


# --- the bound on switches ---------------------------------------------------------------------------------------------------


def switched(*ages_s: int) -> Rig:
    """A lane with counted switches so many seconds ago, that has just started."""
    rig = Rig(switches=[START - age * NS_PER_S for age in ages_s])
    rig.tell(steps.Start(Cursor(10, 10)))
    return rig


def test_falls_and_returns_are_counted() -> None:
    """The first way to the stream was a decision's."""
    rig = streaming()
    assert not rig.lane.switch_log.times
    down = rig.now
    rig.tell(steps.StreamDown(), steps.StreamUp())
    rig.bring(12)
    rig.beat(11, 2)
    assert rig.lane.state is LaneState.STREAMING
    assert rig.lane.switch_log.times == (down, rig.now)
    assert rig.lane.status.switches == 3


def test_decisions_are_not_counted() -> None:
    """Nor is the way back after them."""
    rig = streaming()
    rig.tell(POLL, STREAM, steps.StreamUp())
    rig.bring(12)
    rig.beat(11, 2)
    assert rig.lane.state is LaneState.STREAMING
    assert rig.lane.switch_log.times == ()
    assert rig.lane.status.switches == 3


def test_after_four_switches_a_lane_may_return() -> None:
    """The return and a trip after it make six."""
    assert moved(switched(400, 300, 200, 100).tell(STREAM)) == [(LaneState.PROVING, Reason.PIN)]


def test_after_five_it_waits_until_the_hour_is_over() -> None:
    """Until only four are left within it; then it tries."""
    rig = switched(500, 400, 300, 200, 100)
    assert moved(rig.tell(STREAM)) == [(LaneState.FALLBACK, Reason.QUARANTINE)]
    free_at = START - 500 * NS_PER_S + SPAN_NS
    assert rig.lane.status.retry_at_ns == free_at
    assert rig.wait((free_at - rig.now) / NS_PER_S - 0.1) == []
    assert moved(rig.wait(0.1)) == [(LaneState.PROVING, Reason.RETRY)]


def test_the_bound_holds_back_a_retry() -> None:
    """Told once, when the break is over."""
    rig = Rig(switches=[START - age * NS_PER_S for age in (400, 300, 200, 100)])
    rig.tell(steps.Start(Cursor(10, 10)), STREAM, steps.StreamUp())
    rig.bring(11)
    rig.beat(10, 2)
    rig.tell(steps.Stray())
    assert rig.lane.reason is Reason.WRONG_SYMBOL
    assert moved(rig.beat(11, 5)) == [(LaneState.FALLBACK, Reason.QUARANTINE)]
    assert moved(rig.beat(11, 60)) == []


def test_the_bound_holds_back_a_lane_whose_connection_is_back() -> None:
    """It lets go of the stream."""
    rig = Rig(switches=[START - age * NS_PER_S for age in (400, 300, 200, 100)])
    rig.tell(steps.Start(Cursor(10, 10)), STREAM, steps.StreamUp())
    rig.bring(11)
    rig.beat(10, 2)
    rig.tell(steps.StreamDown())
    effects = rig.tell(steps.StreamUp())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.QUARANTINE)]
    assert kinds(effects) == [steps.ShutStream, steps.Announce]


def test_revive_lifts_the_bound() -> None:
    """By hand: the past does not count."""
    rig = switched(500, 400, 300, 200, 100)
    rig.tell(STREAM)
    assert moved(rig.tell(steps.Revive())) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_lane_that_does_not_want_its_stream_is_not_bound() -> None:
    """A shadow serves nothing by it."""
    rig = switched(500, 400, 300, 200, 100)
    assert rig.lane.status.retry_at_ns == 0
    assert steps.OpenStream(1) in rig.tell(SHADOW)
