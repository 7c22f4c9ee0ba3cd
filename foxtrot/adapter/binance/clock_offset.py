"""How far the venue's clock is from ours, and whether that is known at all (design, section 6, "Time")."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from foxtrot.util.clock import NS_PER_MS

TOLERANCE_NS: Final = 250 * NS_PER_MS


class Sample(NamedTuple):
    """One answer of the venue's clock: when it was asked and answered (ours), and what it said (nanoseconds since 1970 UTC)."""

    sent_ns: int
    received_ns: int
    venue_ns: int

    @property
    def round_trip_ns(self) -> int:
        """The shorter, the less the offset can err: by half of it at most."""
        return self.received_ns - self.sent_ns

    @property
    def offset_ns(self) -> int:
        """The venue's clock minus ours, had the answer taken as long as the question."""
        return self.venue_ns - (self.sent_ns + self.received_ns) // 2


class ClockOffset:
    """The best estimate so far. Unsynced before the first, and whenever the newest two disagree beyond what chance explains."""

    def __init__(self) -> None:
        self.offset_ns = 0
        self.is_synced = False
        self._last: Sample | None = None

    def known_ns(self) -> int | None:
        """The venue's clock minus ours; None while it is not known."""
        return self.offset_ns if self.is_synced else None

    def learn(self, samples: Sequence[Sample]) -> None:
        """Takes the sample with the shortest round trip; none: nothing is learnt."""
        if not samples:
            return
        best = min(samples, key=lambda sample: sample.round_trip_ns)
        bound = TOLERANCE_NS + best.round_trip_ns // 2
        self.is_synced = self._last is None or abs(best.offset_ns - self._last.offset_ns) <= bound
        self.offset_ns = best.offset_ns
        self._last = best
