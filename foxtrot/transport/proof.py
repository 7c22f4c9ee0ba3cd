"""Judges one attempt at a stream: has it proved itself, or failed (design, section 5, "Proof")?

1. At first start, after a decision and after a lost connection (``FIRST``): 2 s, one hit. After a trip of the lane's own
   (``OWN``): 30 s, ten hits running.
2. No gap, and nothing late: the lag behind REST that the hits prove, and p95 of the lag by event time, are below 250 ms. A busy
   stream is waited for until hits have shown it in time; a quiet one allows no statement about lag, and is not refused for it.
3. Failed: two misses running, a gap, or no proof after 60 s in which polls were answered. Time without answers does not count,
   nor does the time that the join takes once the proof is there.
4. An acknowledgement proves nothing: only hits do, and a quiet stream earns them without a message.
"""

from typing import Final, NamedTuple

from foxtrot.transport.audit import Lateness, Verdict
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import Reason

MISSES: Final = 2
"""So many misses running are a failure, before the stream serves as after."""

LIMIT_NS: Final = 60 * NS_PER_S
"""So much time with answered polls an attempt has."""

ANSWER_NS: Final = 1500 * NS_PER_MS
"""What one answered poll adds to that time at most: polls come each second."""


class Need(NamedTuple):
    """What one attempt has to show: a span of nanoseconds, hits running, and hits that show it in time."""

    span_ns: int
    hits: int
    timely: int


FIRST: Final = Need(2 * NS_PER_S, 1, 1)
OWN: Final = Need(30 * NS_PER_S, 10, 3)


class Proof:
    """The evidence of one attempt; all instants are nanoseconds, 0 for never."""

    __slots__ = ("_answered_at_ns", "_answered_ns", "_hits", "_lateness", "_misses", "need", "up_ns")

    def __init__(self) -> None:
        self.need = FIRST
        self.end()

    def begin(self, now_ns: int, need: Need) -> None:
        """The stream is up: what it shows counts from here."""
        self.end()
        self.up_ns = now_ns
        self.need = need

    def end(self) -> None:
        """The attempt is over, and its evidence worth nothing."""
        self.up_ns = self._answered_at_ns = self._answered_ns = 0
        self._hits = self._misses = 0
        self._lateness = Lateness.QUIET

    def answered(self, now_ns: int) -> None:
        """A poll was answered, whatever it says."""
        if self.is_met(now_ns):
            self._answered_at_ns = 0
            self._answered_ns *= self._lateness is Lateness.OPEN
        elif self.up_ns:
            self._answered_ns += min(now_ns - (self._answered_at_ns or self.up_ns), ANSWER_NS)
            self._answered_at_ns = now_ns

    def judged(self, verdict: Verdict) -> None:
        """What the audit said of a poll."""
        if verdict is Verdict.HIT:
            self._hits, self._misses = self._hits + 1, 0
        else:
            self._hits, self._misses = 0, self._misses + 1

    def timed(self, lateness: Lateness) -> None:
        """What is known of how late the stream is."""
        self._lateness = lateness

    def is_timed(self, lateness: Lateness) -> bool:
        """Whether this is what is known of how late the stream is."""
        return lateness is self._lateness

    def is_met(self, now_ns: int) -> bool:
        """Whether the stream may serve. What could not be told of its lag in all that time is not held against it."""
        if not self.up_ns or now_ns - self.up_ns < self.need.span_ns or self._hits < self.need.hits:
            return False
        if self._lateness is Lateness.OPEN:
            return self._answered_ns >= LIMIT_NS
        return self._lateness is not Lateness.LATE

    @property
    def is_missed(self) -> bool:
        """Whether the last polls showed what was not on the stream."""
        return self._misses >= MISSES

    def failure(self, now_ns: int) -> Reason | None:
        """Why the attempt has failed; None while it has not."""
        if self.is_missed:
            return Reason.AUDIT
        if self._answered_ns >= LIMIT_NS and not self.is_met(now_ns):
            return Reason.LAG if self._lateness is Lateness.LATE else Reason.AUDIT
        return None
