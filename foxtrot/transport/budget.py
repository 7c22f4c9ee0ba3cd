"""What may still be asked of the venue: REST weight, connection attempts, messages.

A rate is kept as a bucket that refills evenly. With a bucket of ``burst`` and a refill of ``(share - burst) / period``, no span
of ``period`` ever holds more than ``share``: so neither does a calendar window of the venue, wherever its borders lie.
"""

import msgspec

from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import FoxtrotError, RateLimited


class Rate(msgspec.Struct, frozen=True):
    """``share`` units in any ``period`` seconds, ``burst`` of them at once."""

    share: float
    period: float
    burst: float

    @property
    def per_second(self) -> float:
        """The refill."""
        return (self.share - self.burst) / self.period


class Bucket:
    """Units left of a rate. Starts full."""

    __slots__ = ("_at_ns", "_left", "rate")

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self.rate = rate
        self._left = rate.burst
        self._at_ns = now_ns

    def wait(self, units: float, now_ns: int, keep: float = 0.0) -> float:
        """Seconds until ``units`` may be spent with ``keep`` units left over for others; 0.0: now.

        What is more than the bucket ever holds may be spent when it is full, and is owed.
        """
        short = min(units + keep, self.rate.burst) - self._refilled(now_ns)
        return max(0.0, short / self.rate.per_second)

    def spend(self, units: float, now_ns: int) -> None:
        """Takes units; what is missing is owed."""
        self._left = self._refilled(now_ns) - units

    def drain(self, units: float, now_ns: int) -> None:
        """Leaves ``units`` at most: somebody else has spent of the same limit."""
        self._left = min(self._refilled(now_ns), units)

    def left(self, now_ns: int) -> float:
        """Units that may be spent now; below 0 they are owed."""
        return self._refilled(now_ns)

    def _refilled(self, now_ns: int) -> float:
        elapsed = max(0, now_ns - self._at_ns) / NS_PER_S
        self._left = min(self.rate.burst, self._left + elapsed * self.rate.per_second)
        self._at_ns = max(self._at_ns, now_ns)
        return self._left


class WeightBudget:
    """REST weight a minute: half of the venue's limit for market data, nothing at all while the venue asks for silence.

    ``reserve`` is kept for the beat: pages and anchors are admitted only on top of it. Headers correct the ledger upwards:
    what others on this address have spent comes off too, and above ``ceiling`` of the limit nothing is asked until the
    venue's next minute.
    """

    SHARE = 0.5
    CEILING = 0.8
    _WINDOW = 60.0

    def __init__(self, limit: int, now_ns: int, reserve: float = 0.0) -> None:
        self.limit = limit
        self.reserve = reserve
        self.quiet_until_ns = 0
        self._bucket = Bucket(self._rate(limit), now_ns)

    def resize(self, limit: int, now_ns: int) -> None:
        """The venue has told its limit (more than 0): what was spent and learnt before still counts."""
        spent = self._bucket.rate.burst - self._bucket.left(now_ns)
        self.limit = limit
        self._bucket = Bucket(self._rate(limit), now_ns)
        self._bucket.spend(spent, now_ns)

    def _rate(self, limit: int) -> Rate:
        share = limit * self.SHARE
        return Rate(share=share, period=self._WINDOW, burst=share / 5)

    @property
    def spare_per_second(self) -> float:
        """Weight a second that the beat leaves to everything else (its reserve is what one beat, a second, costs)."""
        return max(1.0, self._bucket.rate.per_second - self.reserve)

    def wait(self, weight: int, now_ns: int, *, is_beat: bool = False) -> float:
        """Seconds until a request of this weight may be sent; 0.0: now."""
        quiet = max(0, self.quiet_until_ns - now_ns) / NS_PER_S
        return max(quiet, self._bucket.wait(weight, now_ns, keep=0.0 if is_beat else self.reserve))

    def spend(self, weight: int, now_ns: int) -> None:
        """Books a request about to be sent."""
        self._bucket.spend(weight, now_ns)

    def learn(self, used: int, now_ns: int, window_ends_ns: int) -> None:
        """Reads a used-weight header: ``used`` units of the venue's minute that ends at ``window_ends_ns``."""
        left = self.limit * self.CEILING - used
        if left <= 0:
            self.silence(window_ends_ns)
        else:
            self._bucket.drain(left, now_ns)

    def refused(self, error: FoxtrotError, now_ns: int) -> None:
        """Reads what a request failed of: after 429 or 418 nothing is asked for as long as the venue said."""
        if isinstance(error, RateLimited):
            self.silence(now_ns + int(error.retry_after * NS_PER_S))

    def silence(self, until_ns: int) -> None:
        """Nothing is asked before that instant."""
        self.quiet_until_ns = max(self.quiet_until_ns, until_ns)
