"""How far a symbol's data can be trusted: the worst of its lanes (design, section 2)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from foxtrot.transport.base import LaneStatus
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Health, LaneState, Reason, Serving

BLIND_NS: Final = 3 * NS_PER_S
"""Nothing has confirmed a value for so long, or for 3 of its planned intervals if that is longer: it is not known any more."""

_RANK: Final = {Health.LIVE: 0, Health.DEGRADED: 1, Health.SUSPECT: 2, Health.BLIND: 3, Health.HALTED: 4}


class Finding(NamedTuple):
    """A health with what serves and why."""

    health: Health
    serving: Serving
    reason: Reason
    changed_ns: int
    confirmed_ns: int


class Circumstances(NamedTuple):
    """What a lane does not know of itself. ``interval_ns`` is how often polling is planned to confirm it."""

    now_ns: int
    interval_ns: int = NS_PER_S
    is_held: bool = False  # the consumer is slow
    is_halted: bool = False  # the venue does not trade the symbol
    is_silenced: bool = False  # the venue has asked for silence: REST answers nothing


def bound_ns(interval_ns: int) -> int:
    """For how long after its last confirmation a value is known, where polling is planned to confirm it so often."""
    return max(BLIND_NS, 3 * interval_ns)


def of_lane(status: LaneStatus, *, wants_stream: bool, around: Circumstances) -> Finding:
    """Judges one lane."""
    if around.is_halted:
        health, reason = Health.HALTED, Reason.HALTED
    elif status.serving is Serving.NONE:
        health, reason = Health.BLIND, Reason.RATE_LIMITED if around.is_silenced else Reason.STARTING
    elif around.now_ns - status.confirmed_ns > bound_ns(around.interval_ns):
        health, reason = Health.BLIND, Reason.RATE_LIMITED if around.is_silenced else Reason.STALE
    elif status.is_suspect:
        health, reason = Health.SUSPECT, Reason.AUDIT
    elif around.is_held:
        health, reason = Health.DEGRADED, Reason.CONSUMER_SLOW
    elif wants_stream and status.state is not LaneState.STREAMING:
        health, reason = Health.DEGRADED, status.reason
    else:
        health, reason = Health.LIVE, Reason.CONFIRMED
    serving = Serving.NONE if health is Health.BLIND else status.serving
    return Finding(health, serving, reason, status.changed_ns, status.confirmed_ns)


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The worst finding of a symbol's lanes (the first of equals), or None where it has none."""
    return max(findings, key=lambda finding: _RANK[finding.health], default=None)
