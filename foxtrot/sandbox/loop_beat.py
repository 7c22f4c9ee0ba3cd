"""Measures how long the exchange's loop stands still."""

from typing import Final

from foxtrot.sandbox.stolen_time import Stolen, most_stolen
from foxtrot.util.clock import NS_PER_MS, ProcessorClock

BEAT_S: Final = 0.01
"""The beats are due so far apart."""


class LoopBeat:
    """Beats on the loop and keeps three figures, in milliseconds.

    ``longest_stall_ms`` is how much later than due a beat came: by the exchange's doing, or because the machine ran others.

    ``longest_own_stall_ms`` is the processor time that the loop's own thread used from one beat to the next: what it called back,
    the market, the passes of the garbage collector; nothing that other threads or processes ran, and nothing of the time for
    which the host froze this machine. Nothing that the loop called ran for longer. The figure overstates: it holds the work of
    the 10 ms before the beat was due, too.

    ``stolen_ms`` is the time for which the host froze this machine, in sum: beats at which it did are told with what is left.
    """

    def __init__(self, clock: ProcessorClock, stolen: Stolen) -> None:
        self._clock: Final = clock
        self._stolen: Final = stolen
        self.longest_stall_ms = 0.0
        self.longest_own_stall_ms = 0.0
        self.stolen_ms = 0

    async def watch(self) -> None:
        """Beats until it is cancelled. Call it on the loop's own thread."""
        while True:
            await self.beat()

    async def beat(self) -> None:
        """Waits for the next beat and notes how it came."""
        clock = self._clock
        stolen = self._stolen()
        before_ns, worked_ns = clock.monotonic_ns(), clock.processor_ns()
        await clock.sleep(BEAT_S)
        late_ms = (clock.monotonic_ns() - before_ns) / NS_PER_MS - BEAT_S * 1e3
        own_ms = (clock.processor_ns() - worked_ns) / NS_PER_MS
        stolen_ms = most_stolen(stolen, self._stolen())
        self.stolen_ms += stolen_ms
        self.longest_stall_ms = max(self.longest_stall_ms, late_ms)
        self.longest_own_stall_ms = max(self.longest_own_stall_ms, own_ms - stolen_ms)
