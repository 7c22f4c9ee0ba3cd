"""The right to dial, for the whole process (reliability RT-3, RT-5).

One dial a second, ``RATE`` in any 5 minutes, and none at all while the venue asks for silence: it counts addresses, whichever
connection dials.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from foxtrot.transport.backoff import Chance
from foxtrot.transport.budget import Bucket, Rate
from foxtrot.util.clock import NS_PER_S

RATE: Final = Rate(share=100, period=300, burst=40)
PACE_NS: Final = NS_PER_S
PERIOD_NS: Final = 300 * NS_PER_S
AFTER_SILENCE: Final = (1.0, 10.0)
"""Seconds, drawn, that are added to what the venue asked for: not every client is to come back in the same instant."""


class Dials:
    """What was dialled lately (``recent``, instants in nanoseconds) and when the next dial may be."""

    __slots__ = ("_bucket", "_chance", "_next_ns", "quiet_until_ns", "recent")

    def __init__(self, now_ns: int, chance: Chance, recent: Sequence[int] = (), quiet_until_ns: int = 0) -> None:
        past = sorted(at for at in recent if now_ns - PERIOD_NS < at <= now_ns)
        self.recent: Final = deque(past, maxlen=int(RATE.share))
        self.quiet_until_ns = quiet_until_ns
        self._chance = chance
        self._next_ns = past[-1] + PACE_NS if past else now_ns
        self._bucket = Bucket(RATE, past[0] if past else now_ns)
        for at in past:
            self._bucket.spend(1, at)

    def take(self, now_ns: int) -> bool:
        """Whether a dial may be made now; if so, it is booked."""
        if now_ns < max(self._next_ns, self.quiet_until_ns) or self._bucket.wait(1, now_ns) > 0:
            return False
        self._bucket.spend(1, now_ns)
        self._next_ns = now_ns + PACE_NS
        self.recent.append(now_ns)
        return True

    def silence(self, until_ns: int) -> None:
        """The venue wants no dial before that instant."""
        low, high = AFTER_SILENCE
        spread = low + (high - low) * self._chance()
        self.quiet_until_ns = max(self.quiet_until_ns, until_ns + int(spread * NS_PER_S))
