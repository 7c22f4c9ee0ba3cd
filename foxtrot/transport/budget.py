"""What may still be asked of the venue: REST weight, connection attempts, messages.

A rate is kept as a bucket that refills evenly. With a bucket of ``burst`` and a refill of ``(share - burst) / period``, no span
of ``period`` ever holds more than ``share``: so neither does a calendar window of the venue, wherever its borders lie. What is
heavier than the burst has to be saved for: it goes once nobody has spent for as long as the difference takes to refill.
"""

from collections import deque
from typing import Final

import msgspec

from foxtrot.transport.backoff import Chance
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import Banned, FoxtrotError, RateLimited

MINUTE_NS: Final = 60 * NS_PER_S
_DUST: Final = 1e-9
"""Units that only rounding misses; who is admitted without them owes them."""


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

    __slots__ = ("_at_ns", "_saved", "rate")

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self.rate = rate
        self._saved = rate.burst  # grows past the burst as long as nothing is spent; only what is heavier may use that
        self._at_ns = now_ns

    def wait(self, units: float, now_ns: int, keep: float = 0.0) -> float:
        """Seconds until ``units`` may be spent with ``keep`` units left over for others; 0.0: now.

        ``keep`` asks for a full bucket at most. More units than the share are let through after a whole period without any.
        """
        need = max(min(units, self.rate.share), min(units + keep, self.rate.burst))
        short = need - self._refilled(now_ns)
        return short / self.rate.per_second if short > _DUST else 0.0

    def spend(self, units: float, now_ns: int) -> None:
        """Takes units; what is missing is owed."""
        self._saved = min(self._refilled(now_ns), self.rate.burst) - units

    def left(self, now_ns: int) -> float:
        """Units that may be spent now; below 0 they are owed."""
        return min(self._refilled(now_ns), self.rate.burst)

    def _refilled(self, now_ns: int) -> float:
        elapsed = max(0, now_ns - self._at_ns) / NS_PER_S
        self._saved = min(self.rate.share, self._saved + elapsed * self.rate.per_second)
        self._at_ns = max(self._at_ns, now_ns)
        return self._saved


class Ledger:
    """What was spent in the last 60 s, and what the venue counted of its own minute: the larger of both is believed."""

    __slots__ = ("_entries", "_sum", "_told", "_told_until_ns")

    def __init__(self) -> None:
        self._entries: deque[tuple[int, int]] = deque()
        self._sum = 0
        self._told = 0
        self._told_until_ns = 0

    def spend(self, weight: int, now_ns: int) -> None:
        """Books a request."""
        self._told += weight
        self._sum += weight
        if self._entries and self._entries[-1][0] >= now_ns:
            now_ns, earlier = self._entries.pop()
            weight += earlier
        self._entries.append((now_ns, weight))

    def learn(self, used: int, window_ends_ns: int) -> None:
        """Takes the venue's count of the minute that ends at ``window_ends_ns``; what is spent from here on comes on top."""
        self._told, self._told_until_ns = used, window_ends_ns

    def wait(self, weight: int, limit: float, now_ns: int) -> float:
        """Seconds until ``weight`` more keeps within ``limit`` (at most the time until nothing is remembered); 0.0: now."""
        self._drop(now_ns)
        until, over = now_ns, self._sum + weight - limit
        for at_ns, spent in self._entries:
            if over <= 0:
                break
            until, over = at_ns + MINUTE_NS, over - spent
        if now_ns < self._told_until_ns and self._told + weight > limit:
            until = max(until, self._told_until_ns)
        return (until - now_ns) / NS_PER_S

    def _drop(self, now_ns: int) -> None:
        while self._entries and self._entries[0][0] <= now_ns - MINUTE_NS:
            self._sum -= self._entries.popleft()[1]


class WeightBudget:
    """REST weight a minute, in three parts.

    - Market data never spends more than ``SHARE`` of the venue's limit by our own count, and nothing that would carry all that is
      counted (orders, others on this address by the venue's headers) above ``CEILING``: until the venue's next minute if need be.
    - Orders may use whatever is left up to the limit: at least ``1 - CEILING`` is theirs alone.
    - While the venue asks for silence (429, 418) nothing is asked at all. It is kept a little longer than asked for: after
      a ban 1 to 10 s, else up to 1 s, by chance, so that programs behind one address do not all return in the same moment.

    ``reserve`` is what one beat costs. Twice that is kept: for the beat, and for the extra poll of lanes that fall between two
    beats. Pages and anchors are admitted only on top of it.
    """

    SHARE = 0.5
    CEILING = 0.8
    _WINDOW = 60.0

    def __init__(self, limit: int, now_ns: int, reserve: float = 0.0, chance: Chance = lambda: 0.0) -> None:
        self.limit = limit
        self.reserve = reserve
        self.silenced_until_ns = 0
        """The venue wants no request before that instant; 0: it has never asked for silence."""
        self._chance = chance
        self._bucket = Bucket(self._rate(limit), now_ns)
        self._ledger = Ledger()

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

    def is_silenced(self, now_ns: int) -> bool:
        """Whether no market data may be asked for now, however light: the venue wants silence, or its minute is used up."""
        return now_ns < self.silenced_until_ns or self._ledger.wait(1, self.limit * self.CEILING, now_ns) > 0

    def wait(self, weight: int, now_ns: int, *, is_beat: bool = False, is_order: bool = False) -> float:
        """Seconds until a request of this weight may be sent; 0.0: now."""
        silence = max(0, self.silenced_until_ns - now_ns) / NS_PER_S
        if is_order:
            return max(silence, self._ledger.wait(weight, self.limit, now_ns))
        shared = self._ledger.wait(weight, self.limit * self.CEILING, now_ns)
        return max(silence, shared, self._bucket.wait(weight, now_ns, keep=0.0 if is_beat else 2 * self.reserve))

    def spend(self, weight: int, now_ns: int, *, is_order: bool = False) -> None:
        """Books a request about to be sent; an order's counts against the limit, not against market data's share."""
        self._ledger.spend(weight, now_ns)
        if not is_order:
            self._bucket.spend(weight, now_ns)

    def learn(self, used: int, window_ends_ns: int) -> None:
        """Reads a used-weight header: ``used`` units of the venue's minute that ends at ``window_ends_ns``."""
        self._ledger.learn(used, window_ends_ns)

    def refused(self, error: FoxtrotError, now_ns: int) -> None:
        """Reads what a request failed of: after 429 or 418 nothing is asked for as long as the venue said."""
        if isinstance(error, RateLimited):
            spread = 1.0 + 9.0 * self._chance() if isinstance(error, Banned) else self._chance()
            self.silence(now_ns + int((error.retry_after + spread) * NS_PER_S))

    def silence(self, until_ns: int) -> None:
        """Nothing is asked before that instant; one that was asked for before and lasts longer stays."""
        self.silenced_until_ns = max(self.silenced_until_ns, until_ns)
