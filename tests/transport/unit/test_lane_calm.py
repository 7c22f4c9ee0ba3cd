"""When a pulse may be left out: nothing is due in a calm lane. Each test one reason why it is not."""

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Cursor
from foxtrot.transport.switch_log import MOST
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason
from tests.support.lane_rig import (
    POLL,
    SHADOW,
    START,
    STREAM,
    Rig,
    fallen,
    page,
    proving,
    started,
    streaming,
    tick_started,
    tick_streaming,
)


def is_calm(rig: Rig) -> bool:
    return rig.lane.is_calm(rig.now)


@pytest.mark.parametrize("rig", [Rig(), Rig(is_tick=True), started(), tick_started(), streaming()])
def test_a_quiet_lane_is_calm(rig: Rig) -> None:
    """Before its start answer, while it is polled, while a quiet stream serves."""
    assert is_calm(rig)
    assert rig.wait(0.1) == []


def test_a_proof_is_looked_at() -> None:
    """Time is part of it; while no connection carries the stream nothing passes."""
    assert not is_calm(proving())
    rig = started()
    rig.tell(STREAM)
    assert is_calm(rig)


def test_a_stream_that_leaves_is_looked_at() -> None:
    """It waits for the polled value, not for ever."""
    rig = tick_streaming()
    rig.tell(POLL)
    assert not is_calm(rig)


def test_a_wait_ends() -> None:
    """At ``retry_at``, not before."""
    rig = fallen()
    rig.wait(4)
    assert is_calm(rig)
    rig.now += NS_PER_S
    assert not is_calm(rig)


def test_a_bound_is_told_once() -> None:
    """A quarantine that outlasts the breaker's wait; a breaker forced open needs no telling."""
    rig = Rig(switches=[START] * (MOST + 1))
    rig.tell(steps.Start(Cursor(10, 10)), STREAM)
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.QUARANTINE)
    assert is_calm(rig)
    rig.tell(steps.ForceOpen())
    assert not is_calm(rig)
    rig.wait(0.1)
    assert is_calm(rig)


def test_a_barred_shadow_is_calm() -> None:
    """Until its breaker lets it compare again; forced open, for ever."""
    rig = started()
    rig.tell(SHADOW, steps.StreamUp(), steps.Stray())
    assert is_calm(rig)
    rig.now += 5 * NS_PER_S
    assert not is_calm(rig)
    rig.tell(steps.ForceOpen())
    assert is_calm(rig)


def test_a_shadow_is_looked_at_while_its_lag_is_told_anew() -> None:
    """How late it is decides whether it goes on; once that is known it is calm."""
    rig = tick_started()
    rig.tell(SHADOW, steps.StreamUp())
    rig.show(97, 1.0)
    rig.wait(1.1)
    rig.poll(1.0)
    for _ in range(20):
        rig.wait(0.5)
    assert is_calm(rig)
    rig.show(98, 2.0)
    rig.show(99, 3.0)
    assert not is_calm(rig)


def test_a_poll_without_verdict_is_looked_at() -> None:
    """It may yet become a miss."""
    rig = tick_streaming()
    rig.wait(4)
    assert is_calm(rig)
    rig.poll(7.0)
    assert not is_calm(rig)


def test_a_hit_settles() -> None:
    """Its time to be shown late is over a second after its answer."""
    rig = tick_streaming()
    rig.wait(4)
    rig.poll(1.0)
    assert is_calm(rig)
    rig.now += NS_PER_S
    assert not is_calm(rig)
    rig.wait(0)
    assert is_calm(rig)


def test_old_quotes_are_forgotten_in_time() -> None:
    """What no poll can ask for any more."""
    rig = tick_streaming()
    rig.wait(4)
    rig.show(101, 2.0)
    assert is_calm(rig)
    rig.now += 3 * NS_PER_S
    assert not is_calm(rig)


def test_a_polled_id_without_verdict_is_looked_at() -> None:
    """The stream still owes it."""
    rig = streaming()
    rig.traded(12)
    assert not is_calm(rig)


def test_a_frame_has_its_lag_taken() -> None:
    """At the next pulse; and once more when it leaves the window."""
    rig = streaming()
    assert rig.lane.ids is not None
    rig.now += 1
    assert rig.lane.ids.accept(12, 12, rig.now, rig.now // 1_000_000)
    assert not is_calm(rig)
    rig.wait(0)
    assert is_calm(rig)
    rig.now += 30 * NS_PER_S
    assert not is_calm(rig)


def test_a_hole_is_looked_at() -> None:
    """While the stream serves, and while it is only watched."""
    rig = streaming()
    rig.bring(14)
    assert not is_calm(rig)
    rig.wait(0)
    assert not is_calm(rig)
    rig.tell(page(12, 13))
    rig.wait(0)
    assert is_calm(rig)


def test_a_hole_in_a_shadow_is_looked_at() -> None:
    """It may become a gap."""
    rig = started()
    rig.tell(SHADOW, steps.StreamUp())
    rig.bring(11)
    rig.beat(11, 3)
    rig.tell(page(11))
    rig.bring(13)
    assert not is_calm(rig)


def test_a_storm_is_looked_at() -> None:
    """It was told by a page, which ends no stream."""
    rig = streaming()
    for first in (13, 15, 17):
        rig.bring(first)
        rig.tell(page(first - 1))
    assert not is_calm(rig)


def test_what_is_to_be_asked_is_looked_at() -> None:
    """When the wait after a useless answer is over; not while the question is under way, nor while the consumer is slow."""
    rig = started()
    rig.traded(12)
    assert is_calm(rig)
    rig.tell(page())
    assert is_calm(rig)
    rig.now += NS_PER_S
    assert not is_calm(rig)
    rig.tell(steps.Hold(is_on=True))
    assert is_calm(rig)


def test_what_is_owed_is_looked_at() -> None:
    """Backfill of a hole that was given up."""
    rig = streaming()
    rig.bring(14)
    rig.wait(0)
    rig.now += HOLD_NS
    rig.wait(0)
    rig.tell(page())
    assert is_calm(rig)
    rig.tell(steps.PageFailed(is_late=True))
    rig.now += NS_PER_S
    assert not is_calm(rig)
