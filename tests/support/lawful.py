"""The table of a lane's states (design, section 5), as assertions on one lane between two steps."""

from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.lane import Lane
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Transport

DECIDED: Final = {
    Transport.POLLING: LaneState.POLLING,
    Transport.SHADOW: LaneState.SHADOW,
    Transport.STREAMING: LaneState.STREAMING,
}


def check_serving(lane: Lane) -> None:
    """What serves is what the state says, and the state is where the decision wants it, or on its way there."""
    if lane.state is LaneState.CLOSED or not lane.is_started:
        assert lane.serving is Serving.NONE
    elif lane.state is LaneState.STREAMING:
        assert lane.serving is Serving.STREAM
    elif lane.state is not LaneState.PROVING:
        assert lane.serving is Serving.POLL
    if lane.is_started and lane.state is not LaneState.CLOSED and lane.serving is not Serving.STREAM:
        decided = DECIDED[lane.decision.transport]
        way = {LaneState.PROVING, LaneState.FALLBACK} if lane.wants_stream else {decided}
        assert lane.state in way, "it is where the decision wants it, or on its way there"


def check_stream(lane: Lane, *, is_wanted: bool, is_up: bool, now_ns: int) -> None:
    """The stream is on where the state says so, and the breaker lets it."""
    match lane.state:
        case LaneState.STREAMING:
            assert is_wanted
            assert is_up
            assert lane.breaker.state is BreakerState.CLOSED
        case LaneState.PROVING:
            assert is_wanted
            assert lane.breaker.state in {BreakerState.CLOSED, BreakerState.HALF_OPEN}
        case LaneState.SHADOW:
            is_barred = lane.breaker.state in {BreakerState.OPEN, BreakerState.FORCED_OPEN}
            assert is_wanted or is_barred or now_ns < lane.breaker.retry_at_ns
        case LaneState.FALLBACK:
            is_barred = lane.breaker.state in {BreakerState.OPEN, BreakerState.FORCED_OPEN}
            is_waiting = is_wanted or is_barred or lane.reason is Reason.QUARANTINE
            assert is_waiting, "it waits for its connection, or for retry_at"
        case _:
            assert not is_wanted
    if lane.breaker.state is BreakerState.HALF_OPEN:
        assert lane.state in {LaneState.PROVING, LaneState.SHADOW}


def step(lane: Lane, given: steps.Input, now_ns: int) -> list[steps.Effect]:
    """One step. A pulse that finds the lane calm does nothing: it could as well have been left out."""
    offset_ns = given.offset_ns if isinstance(given, steps.Pulse) else None
    is_calm = isinstance(given, steps.Pulse) and lane.is_calm(now_ns, offset_ns)
    before = (lane.breaker.memory(), lane.retry_at_ns, lane.status)
    effects = lane.step(given, now_ns)
    if is_calm:
        assert effects == [], "nothing is due in a calm lane"
        assert before == (lane.breaker.memory(), lane.retry_at_ns, lane.status), "a calm lane stays as it is"
        assert lane.is_calm(now_ns, offset_ns)
    return effects
