"""A lane in the shadow: polling serves, the stream is on and judged."""

from foxtrot.transport import steps
from foxtrot.transport.base import Stats
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source
from tests.support.lane_rig import (
    FIGURES,
    KILL,
    POLL,
    SHADOW,
    STREAM,
    Rig,
    delivered,
    fallen,
    kinds,
    moved,
    page,
    polled,
    proving,
    started,
    streaming,
    tick_started,
    tick_streaming,
)


def shadowed() -> Rig:
    """Its stream has just come up."""
    rig = started()
    rig.tell(SHADOW, steps.StreamUp())
    return rig


def failed() -> Rig:
    """Its stream has failed once; the breaker opens for 5 s."""
    rig = shadowed()
    rig.tell(steps.Stray())
    return rig


def test_the_stream_is_on_and_polling_serves() -> None:
    """Nothing streamed is delivered, however well it does."""
    rig = started()
    effects = rig.tell(SHADOW)
    assert (moved(effects), effects[-1]) == ([(LaneState.SHADOW, Reason.PIN)], steps.OpenStream(1))
    rig.tell(steps.StreamUp())
    rig.bring(11)
    rig.beat(10, 9)
    assert rig.traded(11) == [steps.FetchPage(11, Source.POLL)]
    assert delivered(rig.tell(page(11))) == [11]
    assert (rig.lane.state, rig.lane.serving, rig.lane.status.switches) == (LaneState.SHADOW, Serving.POLL, 0)


def test_what_the_stream_shows_asks_for_no_page() -> None:
    """Polls do, as without it: a busy stream must not cost a request a frame."""
    rig = shadowed()
    assert rig.bring(*range(11, 40)) == []
    assert rig.wait(1) == []


def test_a_shadow_tick_delivers_polled_quotes() -> None:
    """And figures of either source."""
    rig = tick_started()
    rig.tell(SHADOW, steps.StreamUp())
    rig.wait(1)
    assert rig.show(101, 5.0) == []
    assert kinds(rig.poll(5.0)) == [steps.Deliver]
    assert kinds(rig.tell(steps.OfferedStats(Stats(7, 1, FIGURES, rig.now)))) == [steps.Deliver]
    assert rig.lane.serving is Serving.POLL


def test_a_shadow_whose_stream_fails_stays() -> None:
    """The stream is shut until ``retry_at``, then tried again; nobody is told of a switch."""
    rig = shadowed()
    effects = rig.tell(steps.Stray())
    assert kinds(effects) == [steps.ShutStream, steps.BreakerMoved]
    assert rig.wait(4.9) == []
    assert kinds(rig.wait(0.1)) == [steps.OpenStream, steps.BreakerMoved]
    assert (rig.lane.state, rig.lane.status.switches) == (LaneState.SHADOW, 0)


def test_a_shadow_whose_stream_fails_twice_waits_longer() -> None:
    """As any lane would."""
    rig = failed()
    rig.beat(10, 5)
    rig.tell(steps.StreamUp(), steps.Stray())
    assert rig.lane.breaker.openings == 2
    assert rig.lane.status.retry_at_ns == rig.now + 10 * NS_PER_S


def test_a_shadow_waits_for_its_permit() -> None:
    """Like any lane with a trip of its own."""
    rig = failed()
    assert rig.wait(60, may_probe=False) == []
    assert steps.OpenStream in kinds(rig.wait(0.1))


def test_a_fallen_lane_that_is_to_compare_waits_for_its_permit() -> None:
    """Also one whose attempt had lost its connection: its stream is shut until then."""
    rig = fallen()
    rig.now += 60 * NS_PER_S
    assert kinds(rig.tell(SHADOW)) == [steps.Announce]
    assert steps.OpenStream in kinds(rig.wait(0.1))
    rig.tell(STREAM, steps.StreamUp(), steps.StreamDown())
    assert kinds(rig.tell(SHADOW)) == [steps.ShutStream, steps.Announce]
    assert rig.wait(60, may_probe=False) == []
    assert steps.OpenStream in kinds(rig.wait(0.1))


def test_a_lane_switched_off_by_hand_compares_nothing() -> None:
    """Until the hand lets it."""
    rig = started()
    rig.tell(steps.ForceOpen())
    assert kinds(rig.tell(SHADOW)) == [steps.Announce]
    assert rig.wait(600) == []
    assert steps.OpenStream in kinds(rig.tell(steps.Revive()))


def test_a_shadow_without_its_connection_that_is_to_serve_waits_for_it() -> None:
    """An attempt with nothing to prove would only pass the time."""
    rig = shadowed()
    rig.tell(steps.StreamDown())
    assert moved(rig.tell(STREAM)) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert rig.wait(60) == []
    assert moved(rig.tell(steps.StreamUp())) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_shadow_that_proves_itself_closes_its_breaker() -> None:
    """It would serve now."""
    rig = failed()
    rig.beat(10, 5)
    rig.tell(steps.StreamUp())
    rig.bring(11)
    effects = rig.beat(10, 30)
    assert effects[-1] == steps.BreakerMoved(BreakerState.HALF_OPEN, BreakerState.CLOSED)


def test_a_proved_shadow_is_judged_on() -> None:
    """A stream that dies in the shadow has failed, after two polls that it did not keep up with."""
    rig = shadowed()
    rig.bring(11)
    rig.beat(10, 5)
    rig.traded(12)
    rig.tell(page(11, 12))
    rig.wait(1)
    rig.traded(12)
    assert rig.lane.breaker.openings == 0
    assert steps.ShutStream in kinds([*rig.wait(1), *rig.wait(0.1)])
    assert (rig.lane.state, rig.lane.breaker.openings) == (LaneState.SHADOW, 1)


def test_a_proved_shadow_that_leaves_frames_out_has_failed() -> None:
    """A hole that lasts a second."""
    rig = shadowed()
    rig.bring(11)
    rig.beat(10, 5)
    rig.bring(12, 14)
    assert rig.wait(0.9) == []
    assert steps.ShutStream in kinds(rig.wait(0.1))


def test_a_proved_shadow_tick_is_judged_on() -> None:
    """It shows what polls do not."""
    rig = tick_started()
    rig.tell(SHADOW, steps.StreamUp())
    rig.show(99, 1.0)
    for _ in range(3):
        rig.wait(1)
        rig.poll(1.0)
    rig.wait(1)
    rig.poll(2.0)
    rig.wait(1)
    rig.poll(3.0)
    assert steps.ShutStream in kinds(rig.wait(0.5))
    assert rig.lane.breaker.openings == 1


def test_a_shadow_that_loses_its_connection_waits_for_it() -> None:
    """Nothing is told, and nothing counted; with the connection the judging begins anew."""
    rig = shadowed()
    assert rig.tell(steps.StreamDown()) == []
    assert rig.wait(30) == []
    assert rig.tell(steps.StreamUp()) == []
    rig.bring(11)
    assert rig.lane.ids is not None
    assert rig.lane.ids.heard_trade_id == 11
    assert rig.lane.breaker.openings == 0


def test_a_shadow_is_forgiven_too() -> None:
    """The whole connection failed: it waits for that."""
    rig = failed()
    assert kinds(rig.tell(steps.Forgiven())) == [steps.OpenStream, steps.BreakerMoved]
    assert rig.wait(30) == []
    rig.tell(steps.StreamUp())
    rig.bring(11)
    rig.beat(10, 3)
    assert (rig.lane.breaker.state, rig.lane.breaker.openings) == (BreakerState.CLOSED, 0)


def test_a_shadow_forced_open_has_no_stream() -> None:
    """Until it is revived."""
    rig = shadowed()
    assert kinds(rig.tell(steps.ForceOpen())) == [steps.ShutStream, steps.BreakerMoved]
    assert rig.wait(10_000) == []
    assert steps.OpenStream in kinds(rig.tell(steps.Revive()))


def test_a_stream_decided_into_the_shadow_stays_on() -> None:
    """Polled at once; it is judged anew, without being asked for again."""
    rig = streaming()
    effects = rig.tell(SHADOW)
    assert kinds(effects) == [steps.Announce, steps.PollNow]
    assert rig.bring(12) == []
    assert rig.lane.switch_log.times == ()


def test_a_tick_goes_into_the_shadow_with_the_polled_value_first() -> None:
    """As it would leave for polling; its stream stays on."""
    rig = tick_streaming()
    assert rig.tell(SHADOW) == [steps.PollNow()]
    effects = rig.poll(2.0)
    assert kinds(effects) == [steps.Announce, steps.PollNow, steps.Deliver]
    assert effects[-1] == steps.Deliver([polled(2.0, rig.now)], Source.POLL)
    assert rig.lane.state is LaneState.SHADOW


def test_a_tick_that_trips_on_its_way_into_the_shadow_tries_again_there() -> None:
    """The breaker is open; polling serves."""
    rig = tick_streaming()
    rig.tell(SHADOW)
    assert moved(rig.tell(steps.Stray())) == [(LaneState.SHADOW, Reason.PIN)]
    assert steps.OpenStream in kinds(rig.wait(5))


def test_a_tick_that_loses_its_connection_on_its_way_into_the_shadow_waits_there() -> None:
    """The stream is judged as soon as it is back."""
    rig = tick_streaming()
    rig.tell(SHADOW)
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.SHADOW, Reason.PIN)]
    assert rig.tell(steps.StreamUp()) == []
    before = rig.lane.status.duplicates_dropped
    rig.show(101, 5.0)
    assert rig.lane.quotes is not None
    assert (rig.lane.quotes.heard_ns, rig.lane.status.duplicates_dropped) == (rig.now, before)


def test_an_attempt_decided_into_the_shadow_goes_on_there() -> None:
    """Judged anew; a connection that is up stays up."""
    rig = proving()
    assert kinds(rig.tell(SHADOW)) == [steps.Announce]
    rig.bring(11)
    rig.beat(10, 3)
    assert moved(rig.tell(STREAM)) == [(LaneState.PROVING, Reason.PIN)]


def test_a_shadow_decided_to_stream_proves_itself_anew() -> None:
    """On the stream that is on; it serves two seconds later."""
    rig = shadowed()
    rig.bring(11)
    rig.beat(10)
    effects = rig.tell(STREAM)
    assert moved(effects) == [(LaneState.PROVING, Reason.PIN)]
    assert steps.OpenStream not in kinds(effects)
    rig.tell(page(11))
    rig.bring(12)
    effects = rig.beat(11, 2)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert delivered(effects) == [12]


def test_a_shadow_decided_to_stream_waits_for_its_break() -> None:
    """A decision never shortens it."""
    assert moved(failed().tell(STREAM)) == [(LaneState.FALLBACK, Reason.BREAKER_OPEN)]


def test_a_fallen_lane_decided_into_the_shadow_waits_for_its_break() -> None:
    """Then it compares."""
    rig = streaming()
    rig.tell(steps.Stray())
    assert moved(rig.tell(SHADOW)) == [(LaneState.SHADOW, Reason.PIN)]
    assert rig.wait(4.9) == []
    assert kinds(rig.wait(0.1)) == [steps.OpenStream, steps.BreakerMoved]


def test_a_decision_for_polling_ends_the_shadow() -> None:
    """The stream is shut; a kill does the same."""
    for decision in (POLL, KILL):
        assert kinds(shadowed().tell(decision)) == [steps.ShutStream, steps.Announce]
