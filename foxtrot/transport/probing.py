"""Which lanes are told that time has passed, and which of them may try their stream again (reliability CB-3)."""

from collections.abc import Iterable, Iterator
from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.lane import Lane
from foxtrot.util.constants import BreakerState

PROBES: Final = 10
"""One in so many lanes with trips of their own may try its stream at once."""


def pulses(lanes: Iterable[Lane], offset_ns: int | None, now_ns: int) -> Iterator[tuple[Lane, steps.Pulse]]:
    """For lanes in which something may be due; each has to be told before the next is asked for.

    Of those with trips of their own a tenth may try their stream at once, longest waiting first. ``offset_ns`` is the venue's
    clock minus ours, None while that is not known.
    """
    tripped: list[Lane] = []
    others: list[Lane] = []
    for lane in lanes:
        (others if lane.breaker.state is BreakerState.CLOSED else tripped).append(lane)
    permits = max(1, len(tripped) // PROBES) - sum(lane.is_probing for lane in tripped)
    for lane in sorted(tripped, key=lambda each: each.retry_at_ns):
        if not lane.is_calm(now_ns, offset_ns):
            was_probing = lane.is_probing
            yield lane, steps.Pulse(offset_ns, permits > 0)
            permits -= lane.is_probing and not was_probing
    for lane in others:
        if not lane.is_calm(now_ns, offset_ns):
            yield lane, steps.Pulse(offset_ns)
