"""Notices that our own loop stood still, and tells every lane before any of them judges its stream by that."""

from collections.abc import Mapping
from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.transport.lane import Lane
from foxtrot.util.clock import NS_PER_MS, Clock

STALL_NS: Final = 600 * NS_PER_MS
"""A loop in which nothing happens for so long, though it pulses ten times a second, stood still.

A machine that slept does that, a callback that blocks, a processor that others have.
"""


class LoopBeat:
    """The clock of all that is told to lanes, pulses included."""

    def __init__(self, clock: Clock, lanes: Mapping[LaneKey, Lane]) -> None:
        self._clock: Final = clock
        self._lanes: Final = lanes
        self._before_ns = clock.now_ns()

    def now_ns(self) -> int:
        """The time; to be asked before anything is told to a lane."""
        now, before = self._clock.now_ns(), self._before_ns
        self._before_ns = now
        if now - before > STALL_NS:
            for lane in self._lanes.values():
                lane.step(steps.Stalled(now - before), now)
        return now
