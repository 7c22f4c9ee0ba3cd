"""How far a symbol's data can be trusted."""

import pytest

from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.transport.health import Circumstances, Finding, of_lane, worst
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Health, LaneState, Reason, Serving

NOW = 100 * NS_PER_S


def status(
    state: LaneState,
    serving: Serving,
    *,
    confirmed_ns: int = NOW,
    reason: Reason = Reason.DECISION,
    is_suspect: bool = False,
) -> LaneStatus:
    return LaneStatus(LaneKey("BTCUSDT", "tick"), state, serving, reason, 0, 0, 0, 0, 7, confirmed_ns, is_suspect)


LIVE = status(LaneState.STREAMING, Serving.STREAM)


def judged(found: LaneStatus, *, wants_stream: bool = True, interval_ns: int = NS_PER_S, **around: bool) -> Finding:
    return of_lane(found, wants_stream=wants_stream, around=Circumstances(NOW, interval_ns, **around))


def test_served_as_decided_and_confirmed_is_live() -> None:
    """A streaming lane that should stream, a polled one that should poll."""
    streamed = judged(status(LaneState.STREAMING, Serving.STREAM))
    polled = judged(status(LaneState.POLLING, Serving.POLL), wants_stream=False)
    assert streamed == Finding(Health.LIVE, Serving.STREAM, Reason.CONFIRMED, 7, NOW)
    assert polled == Finding(Health.LIVE, Serving.POLL, Reason.CONFIRMED, 7, NOW)


@pytest.mark.parametrize("state", [LaneState.POLLING, LaneState.PROVING, LaneState.FALLBACK])
def test_polled_where_it_should_stream_is_degraded(state: LaneState) -> None:
    """The lesser transport serves; the lane's own reason says why."""
    found = judged(status(state, Serving.POLL, reason=Reason.CONNECTION))
    assert found[:3] == (Health.DEGRADED, Serving.POLL, Reason.CONNECTION)


def test_nothing_serves_before_the_start_answer() -> None:
    """A lane that starts is blind."""
    assert judged(status(LaneState.POLLING, Serving.NONE))[:3] == (Health.BLIND, Serving.NONE, Reason.STARTING)


@pytest.mark.parametrize(("age_ns", "interval_ns", "health"), [
    (3 * NS_PER_S, NS_PER_S, Health.LIVE),
    (3 * NS_PER_S + 1, NS_PER_S, Health.BLIND),
    (15 * NS_PER_S, 5 * NS_PER_S, Health.LIVE),
    (15 * NS_PER_S + 1, 5 * NS_PER_S, Health.BLIND),
])  # fmt: skip
def test_what_nothing_confirms_is_blind(age_ns: int, interval_ns: int, health: Health) -> None:
    """After 3 s, or after three planned intervals if those are longer."""
    found = judged(status(LaneState.STREAMING, Serving.STREAM, confirmed_ns=NOW - age_ns), interval_ns=interval_ns)
    assert found.health is health
    assert (found.serving is Serving.NONE) is (health is Health.BLIND)


def test_a_slow_consumer_degrades() -> None:
    """What is on hold is not up to date, whatever serves."""
    found = judged(status(LaneState.STREAMING, Serving.STREAM), is_held=True)
    assert found[:3] == (Health.DEGRADED, Serving.STREAM, Reason.CONSUMER_SLOW)


def test_a_slow_consumer_does_not_hide_an_outage() -> None:
    """Polls confirm a lane on hold; when none is answered, nothing is known any more."""
    found = judged(status(LaneState.POLLING, Serving.POLL, confirmed_ns=NOW - 4 * NS_PER_S), is_held=True)
    assert found[:3] == (Health.BLIND, Serving.NONE, Reason.STALE)


def test_a_symbol_is_as_bad_as_its_worst_lane() -> None:
    """One blind lane is not hidden by a live one."""
    live = judged(status(LaneState.STREAMING, Serving.STREAM))
    blind = judged(status(LaneState.POLLING, Serving.NONE))
    assert worst([live, blind, live]) == blind


def test_of_equals_the_first_speaks() -> None:
    """Two degraded lanes: the first one's reason."""
    first = judged(status(LaneState.PROVING, Serving.POLL, reason=Reason.PIN))
    other = judged(status(LaneState.FALLBACK, Serving.POLL, reason=Reason.CONNECTION))
    assert worst([first, other]) == first


def test_a_symbol_without_lanes_has_no_health() -> None:
    """Nothing is said of what nobody asked for."""
    assert worst([]) is None


def test_a_stream_that_an_audit_doubts_is_suspect() -> None:
    """Worse than degraded, for nobody knows yet."""
    found = judged(status(LaneState.STREAMING, Serving.STREAM, is_suspect=True), is_held=True)
    assert found[:3] == (Health.SUSPECT, Serving.STREAM, Reason.AUDIT)


def test_what_the_venue_does_not_trade_is_halted() -> None:
    """Whatever else is wrong with it."""
    for found in (LIVE, status(LaneState.POLLING, Serving.NONE), status(LaneState.STREAMING, Serving.STREAM, confirmed_ns=0)):
        assert judged(found, is_halted=True)[::2][:2] == (Health.HALTED, Reason.HALTED)


def test_a_venue_that_asked_for_silence_is_why_nothing_confirms() -> None:
    """Before the start answer, and after the last confirmation; a stream goes on without REST."""
    starting = judged(status(LaneState.POLLING, Serving.NONE), is_silenced=True)
    old = judged(status(LaneState.POLLING, Serving.POLL, confirmed_ns=0), is_silenced=True)
    assert starting[:3] == old[:3] == (Health.BLIND, Serving.NONE, Reason.RATE_LIMITED)
    assert judged(LIVE, is_silenced=True).health is Health.LIVE


def test_healths_have_their_order() -> None:
    """From live to halted."""
    suspect = judged(status(LaneState.STREAMING, Serving.STREAM, is_suspect=True))
    findings = [
        judged(LIVE),
        judged(LIVE, is_held=True),
        suspect,
        judged(status(LaneState.POLLING, Serving.NONE)),
        judged(LIVE, is_halted=True),
    ]
    for count in range(1, len(findings) + 1):
        assert worst(reversed(findings[:count])) == findings[count - 1]


@pytest.mark.parametrize("state", [LaneState.SHADOW, LaneState.POLLING])
def test_who_polls_by_decision_is_live(state: LaneState) -> None:
    """A shadow is polled as decided."""
    assert judged(status(state, Serving.POLL), wants_stream=False).health is Health.LIVE


def test_a_stream_that_serves_unproved_is_degraded() -> None:
    """Polls are down: it says so."""
    found = judged(status(LaneState.PROVING, Serving.STREAM, reason=Reason.POLL_DOWN))
    assert found[:3] == (Health.DEGRADED, Serving.STREAM, Reason.POLL_DOWN)
