"""How a stream proves itself, and takes over: each test one fact."""

import pytest

from foxtrot.transport import steps
from foxtrot.transport.question import FRESH_NS
from foxtrot.transport.values_tick import SETTLE_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source
from tests.support.lane_rig import (
    POLL,
    STREAM,
    Rig,
    delivered,
    fallen,
    items,
    kinds,
    moved,
    page,
    proving,
    quote,
    started,
    streaming,
    tick_joined,
    tick_proving,
    tick_started,
    tick_streaming,
)

# --- the proof ---------------------------------------------------------------------------------------------------------------


def test_two_seconds_and_one_hit_prove_a_stream() -> None:
    """Not a frame alone, nor a hit before the time."""
    rig = proving()
    assert rig.bring(11) == []
    assert rig.beat(10) == []
    assert rig.wait(0.999) == []
    effects = rig.wait(0.001)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[-1] == steps.Deliver(items(11), Source.STREAM)


def test_time_alone_proves_nothing() -> None:
    """Without a poll there is no hit."""
    rig = proving()
    rig.bring(11)
    assert rig.wait(2) == []
    assert moved(rig.traded(10)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_quiet_stream_proves_itself_without_a_frame() -> None:
    """What the first poll after a second shows is on the stream; the next one that shows nothing else is a hit."""
    rig = proving()
    assert rig.beat(10) == []
    assert moved(rig.beat(10)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_quiet_tick_proves_itself_without_a_frame() -> None:
    """By then it is known that it moves too seldom to tell how late it is; it asks for its anchor."""
    rig = tick_started()
    rig.tell(STREAM, steps.StreamUp())
    effects: list[steps.Effect] = []
    for _ in range(6):
        effects += [*rig.wait(1), *rig.poll(1.0)]
    assert effects == [steps.FetchAnchor()]


def test_polling_serves_while_the_stream_is_judged() -> None:
    """What polls show is fetched at once, though the stream has brought it and it waits for the switch."""
    rig = proving()
    rig.bring(11, 12)
    rig.wait(1)
    assert rig.traded(12) == [steps.FetchPage(11, Source.POLL)]
    assert rig.tell(page(11, 12)) == [steps.Deliver(items(11, 12), Source.POLL)]
    assert rig.bring(13) == []
    assert delivered(rig.wait(1)) == [13]


def test_a_frame_that_polls_were_faster_with_is_no_replay() -> None:
    """The stream has brought it: the polls that show it are hits."""
    rig = proving()
    rig.wait(1)
    rig.traded(11)
    rig.tell(page(11))
    rig.bring(11)
    rig.beat(11)
    assert rig.lane.state is LaneState.STREAMING
    assert rig.lane.status.duplicates_dropped == 1


def test_a_replay_of_the_past_proves_nothing() -> None:
    """What was delivered before the stream came up tells nothing of now, however it was delivered."""
    rig = started()
    rig.traded(12)
    rig.tell(page(11, 12), STREAM, steps.StreamUp())
    rig.bring(10, 11, 12)
    rig.beat(15)
    rig.tell(page(13, 14, 15))
    assert moved(rig.beat(16, 4)) == [(LaneState.FALLBACK, Reason.FIRST_DATA)]


def test_a_replayed_quote_proves_nothing() -> None:
    """An update id that was served before."""
    rig = tick_streaming()
    rig.tell(steps.StreamDown(), steps.StreamUp())
    for second in range(4):
        rig.wait(1)
        rig.show(100, 1.0)
        rig.poll(2.0 + second)
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.FIRST_DATA)


def test_a_stream_without_a_frame_fails_when_polls_show_trades() -> None:
    """After two polls running that it did not keep up with."""
    rig = proving()
    rig.wait(1)
    rig.traded(10)
    rig.wait(0.5)
    rig.traded(12)
    rig.wait(1)
    rig.traded(12)
    assert rig.wait(1) == []
    effects = rig.wait(0.1)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FIRST_DATA)]
    assert effects[-1] == steps.BreakerMoved(BreakerState.CLOSED, BreakerState.OPEN)


def test_a_stream_that_lags_behind_polls_fails_by_the_audit() -> None:
    """It brings something, and not what polls show."""
    rig = proving()
    rig.wait(1)
    rig.bring(11)
    rig.traded(15)
    rig.wait(1)
    rig.bring(12)
    assert moved([*rig.traded(16), *rig.wait(1), *rig.wait(0.1)]) == [(LaneState.FALLBACK, Reason.AUDIT)]


def test_a_frame_left_out_fails_the_attempt() -> None:
    """Within a second it may still come: then it was only out of order."""
    rig = proving()
    rig.bring(11, 13)
    rig.wait(0.9)
    assert rig.lane.state is LaneState.PROVING
    rig.bring(12)
    rig.bring(15)
    rig.wait(0.9)
    assert rig.lane.state is LaneState.PROVING
    assert moved(rig.wait(0.1)) == [(LaneState.FALLBACK, Reason.GAP)]


def test_a_late_stream_is_refused() -> None:
    """It brings everything, 300 ms late: there is no proof, and after 60 s with answers a failure."""
    rig = proving()
    effects: list[steps.Effect] = []
    for number in range(11, 72):
        rig.wait(0.9)
        rig.bring(number, late_ms=300)
        rig.wait(0.1)
        effects += rig.traded(number)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.LAG)]


def test_without_a_clock_in_step_lag_is_not_judged() -> None:
    """The proof rests on the audit."""
    rig = proving()
    rig.bring(11, late_ms=5_000)
    for _ in range(2):
        rig.now += NS_PER_S
        rig.tell(steps.Pulse(offset_ns=None))
        rig.traded(10)
    assert rig.lane.state is LaneState.STREAMING


def test_a_tick_that_trails_rest_is_refused() -> None:
    """Each hit shows how late the stream was at least."""
    rig = tick_proving()
    for number in range(1, 5):
        rig.wait(0.6)
        rig.poll(1.0 + number)
        rig.wait(0.4)
        rig.show(100 + number, 1.0 + number)
        rig.wait(0)
    assert rig.lane.state is LaneState.PROVING
    assert rig.lane.breaker.state is BreakerState.CLOSED


def test_time_on_hold_fails_no_attempt() -> None:
    """A slow consumer is not the stream's fault: polls are not judged, so they do not count either."""
    rig = proving()
    rig.tell(steps.Hold(is_on=True))
    assert moved(rig.beat(50, 90)) == []
    assert rig.lane.state is LaneState.PROVING


def test_a_hold_delays_the_join() -> None:
    """What was let go meanwhile is fetched by id before the stream serves."""
    rig = proving()
    rig.bring(11)
    rig.beat(10)
    rig.tell(steps.Hold(is_on=True))
    assert rig.bring(12) == []
    assert rig.wait(1) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(11, Source.POLL)]
    effects = rig.tell(page(11, 12))
    assert delivered(effects) == [11, 12]
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]


def test_frames_without_a_connection_are_ignored() -> None:
    """Late ones of a connection that is gone; a stray one fails no attempt."""
    rig = started()
    rig.tell(STREAM)
    assert rig.bring(11) == []
    assert rig.tell(steps.Stray()) == []
    assert rig.lane.state is LaneState.PROVING


# --- the join by id ----------------------------------------------------------------------------------------------------------


def test_what_lies_between_cursor_and_stream_is_fetched_first() -> None:
    """Then the buffer follows; nothing of it is repeated."""
    rig = proving()
    rig.bring(13)
    rig.beat(10)
    assert rig.wait(1) == [steps.FetchPage(11, Source.POLL)]
    effects = rig.tell(page(11, 12, 13))
    assert effects[0] == steps.Deliver(items(11, 12, 13), Source.POLL)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert delivered(rig.bring(14)) == [14]


def test_a_long_join_is_no_failure() -> None:
    """The proof is there; page after page of an outage may take minutes."""
    rig = proving()
    rig.bring(90_000)
    rig.beat(10, 2)
    for number in range(11, 161):
        rig.wait(1)
        rig.traded(90_000)
        rig.tell(page(number, is_full=True))
    assert rig.lane.state is LaneState.PROVING


def test_a_lane_without_any_trade_begins_with_the_first() -> None:
    """The stream brings it: nothing lies before."""
    rig = proving(-1)
    rig.beat(-1)
    rig.beat(-1)
    rig.bring(7)
    effects = rig.tell(page(7))
    assert rig.lane.state is LaneState.STREAMING
    assert delivered(effects) == [7]


# --- the join of a tick ------------------------------------------------------------------------------------------------------


def test_a_tick_joins_by_its_anchor() -> None:
    """The anchor is delivered, and the newer of the quotes that waited."""
    rig, effects = tick_joined()
    assert effects == [steps.FetchAnchor()]
    rig.show(101, 2.0)
    effects = rig.anchor(100, 1.5)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[1:] == [
        steps.Deliver([quote(100, 1.5, rig.now, rig.now)], Source.POLL),
        steps.Deliver([quote(101, 2.0, received_ns=rig.now)], Source.STREAM),
    ]


def test_an_anchor_that_could_not_be_had_is_asked_for_again() -> None:
    """Not at once."""
    rig, _ = tick_joined()
    assert rig.tell(steps.Anchored(None), steps.Pulse()) == []
    assert rig.wait(0.25) == [steps.FetchAnchor()]


def test_an_anchor_that_was_asked_too_early_is_none() -> None:
    """Within a second after the stream came up the subscription need not have come into force."""
    rig, _ = tick_joined()
    asked_ns = rig.now - NS_PER_S - 1
    assert rig.tell(steps.Anchored(quote(100, 1.0, asked_ns))) == []
    assert rig.wait(0.25) == [steps.FetchAnchor()]


def test_polls_make_way_for_an_anchor_under_way() -> None:
    """One asked later would make it worthless; but not for longer than 2 s."""
    rig, _ = tick_joined()
    rig.show(101, 2.0)
    rig.now += FRESH_NS - NS_PER_MS
    assert rig.poll(2.0) == []
    rig.now += NS_PER_MS
    assert kinds(rig.poll(2.0)) == [steps.Deliver]
    assert rig.tell(steps.Anchored(quote(102, 1.0, rig.now - 1))) == []
    assert rig.lane.state is LaneState.PROVING


def test_an_anchor_of_an_older_attempt_opens_nothing() -> None:
    """The new attempt has not shown anything yet."""
    rig, _ = tick_joined()
    asked_ns = rig.now
    rig.wait(1)
    rig.tell(steps.StreamDown(), steps.StreamUp())
    assert rig.tell(steps.Anchored(quote(100, 1.0, asked_ns))) == []
    assert rig.lane.state is LaneState.PROVING


@pytest.mark.parametrize("asked_ns", [-1, SETTLE_NS - 1])
def test_an_anchor_of_before_the_subscription_is_in_force_opens_nothing(asked_ns: int) -> None:
    """It was under way: the quote changed meanwhile, no frame says so, and polls would confirm the stream."""
    rig, _ = tick_joined()
    rig.tell(steps.StreamDown(), steps.StreamUp())
    asked_ns += rig.now
    rig.wait(1)
    rig.poll(2.0)
    rig.wait(0.25)
    rig.poll(2.0)
    rig.wait(5)
    assert rig.tell(steps.Anchored(quote(100, 1.0, asked_ns, rig.now))) == []
    assert rig.wait(0.25) == [steps.FetchAnchor()]
    assert rig.anchor(101, 2.0)[-1] == steps.Deliver([quote(101, 2.0, rig.now, rig.now)], Source.POLL)
    assert rig.lane.state is LaneState.STREAMING


def test_an_anchor_for_a_lane_that_polls_by_now_is_nothing() -> None:
    """It was decided otherwise meanwhile."""
    rig, _ = tick_joined()
    rig.tell(POLL)
    assert rig.anchor(100, 1.0) == []


# --- proof after a trip ------------------------------------------------------------------------------------------------------


def retried() -> Rig:
    """Its stream is up again after a trip of the lane's own."""
    rig = fallen()
    rig.beat(11, 5)
    rig.tell(steps.StreamUp())
    assert rig.lane.is_probing
    return rig


def test_after_a_trip_of_its_own_proof_takes_thirty_seconds() -> None:
    """And ten hits running."""
    rig = retried()
    rig.bring(12)
    assert moved(rig.beat(11, 29)) == []
    effects = rig.beat(11)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[-1] == steps.BreakerMoved(BreakerState.HALF_OPEN, BreakerState.CLOSED)


def test_a_miss_begins_the_ten_hits_anew() -> None:
    """They are to come one after another."""
    rig = retried()
    rig.bring(12)
    rig.beat(12, 25)
    rig.tell(page(12))
    rig.beat(13)
    rig.tell(page(13))
    rig.wait(1)
    rig.wait(0.1)
    rig.bring(13)
    assert moved(rig.beat(13, 9)) == []
    assert moved(rig.beat(13)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_polling_serves_the_whole_time() -> None:
    """Each trade of these thirty seconds is delivered within its second, and confirmed."""
    rig = retried()
    for number in range(12, 42):
        rig.bring(number)
        rig.wait(1)
        asked = rig.traded(number)
        if rig.lane.state is LaneState.PROVING:
            assert asked == [steps.FetchPage(number, Source.POLL)]
            assert delivered(rig.tell(page(number))) == [number]
            assert rig.lane.status.confirmed_ns == rig.now
    assert rig.lane.serving is Serving.STREAM


def test_an_attempt_that_fails_opens_the_breaker_for_longer() -> None:
    """Nothing more is tried for 10 s."""
    rig = retried()
    effects = rig.tell(steps.Stray())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.WRONG_SYMBOL)]
    assert rig.lane.status.retry_at_ns == rig.now + 10 * NS_PER_S


def test_after_a_lost_connection_two_seconds_are_enough() -> None:
    """The lane itself has failed in nothing."""
    rig = streaming()
    rig.tell(steps.StreamDown(), steps.StreamUp())
    rig.bring(12)
    rig.beat(11, 2)
    assert rig.lane.state is LaneState.STREAMING


def test_a_connection_lost_during_the_proof_does_not_shorten_it() -> None:
    """The trip before it still asks for thirty seconds."""
    rig = retried()
    rig.tell(steps.StreamDown(), steps.StreamUp())
    rig.bring(12)
    assert moved(rig.beat(11, 29)) == []
    assert moved(rig.beat(11)) == [(LaneState.STREAMING, Reason.PROOF)]
