"""What frames and polls say of one lane's stream: whether an attempt has proved it, whether a serving one has to be given up.

A serving stream is given up (design, section 5, "Trip") when the audit misses twice running (``tick``); when the venue has been
ahead of it for 5 s (ids); when it loses frames time and again; when 1 % of the frames of 30 s came more than 2 s late.
"""

from typing import Final

from foxtrot.transport.audit import Verdict
from foxtrot.transport.proof import Need, Proof
from foxtrot.transport.values import Values
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Reason

LATE_NS: Final = 2 * NS_PER_S
"""A serving stream is given up when 1 % of its frames came later than this."""

FEW: Final = 2
"""Fewer late frames are no late stream, however few came in all: p99 of less than a hundred is but the latest of them."""


class Evidence:
    """Of one stream at a time: from ``begin``, when a connection carries it, to ``end``."""

    def __init__(self, values: Values) -> None:
        self._values: Final = values
        self._proof: Final = Proof()
        self._heard_ns = 0

    @property
    def is_up(self) -> bool:
        """Whether a connection carries the stream."""
        return self._proof.up_ns > 0

    @property
    def is_fresh(self) -> bool:
        """Whether the stream has brought something new since it came up; a replay of the past is nothing new."""
        order = self._values.order
        return order is not None and order.heard_ns != self._heard_ns

    def begin(self, now_ns: int, need: Need) -> None:
        """The stream is up: what it shows counts from here."""
        order = self._values.order
        self._heard_ns = order.heard_ns if order else 0
        self._proof.begin(now_ns, need)
        self._values.up(now_ns)

    def end(self) -> None:
        """The stream is not up any more, or what it showed counts no longer."""
        self._proof.end()
        self._values.shut()

    def answered(self, now_ns: int) -> None:
        """A poll was answered."""
        self._proof.answered(now_ns)

    def judge(self, now_ns: int) -> bool:
        """Takes what polls have shown since the last time; true when one of them stood on the stream."""
        verdicts = self._values.verdicts(now_ns)
        for verdict in verdicts:
            self._proof.judged(verdict)
        self._proof.timed(self._values.lateness(now_ns, self._proof.need.timely))
        return Verdict.HIT in verdicts

    def is_calm(self, now_ns: int, *, is_serving: bool) -> bool:
        """Whether time alone shows nothing new; of a stream that serves, how late it is by its hits no longer matters."""
        if not self._values.is_calm(now_ns):
            return False
        is_watched = self.is_up and not is_serving
        return not is_watched or self._proof.is_timed(self._values.lateness(now_ns, self._proof.need.timely))

    def is_proven(self, now_ns: int) -> bool:
        """Whether the stream may serve."""
        return self._proof.is_met(now_ns)

    def failure(self, now_ns: int) -> Reason | None:
        """Why a stream that does not serve yet, or is only watched, has failed; None while it has not."""
        if self._values.has_gap(now_ns):
            return Reason.GAP
        reason = self._proof.failure(now_ns)
        return Reason.FIRST_DATA if reason is Reason.AUDIT and not self.is_fresh else reason

    def trip(self, now_ns: int) -> Reason | None:
        """Why a stream that serves has to be given up; None while it has not."""
        if self._values.trips_on_misses and self._proof.is_missed:
            return Reason.AUDIT
        if (reason := self._values.trip(now_ns)) is not None:
            return reason
        return Reason.LAG if self._values.lag.late(LATE_NS, now_ns) >= FEW else None
