"""Judges one attempt at a stream: has it shown that it is alive?

The first version of design.md's proof: the stream's first new value; or, for a quiet stream, a poll asked ``QUIET_NS`` after the
subscription, while no poll has shown anything that the stream should have brought.
"""

from typing import Final

from foxtrot.util.clock import NS_PER_S

SETTLE_NS: Final = NS_PER_S
"""How long a subscription may take to come into force: what polls asked before that show, the stream does not owe."""

QUIET_NS: Final = 2 * NS_PER_S
"""How long after a subscription a poll must have been asked to prove a quiet stream."""

FIRST_DATA_NS: Final = 10 * NS_PER_S
"""How long a stream may owe data that polls have shown to exist (BN-5)."""


class Proof:
    """The evidence of one attempt; all instants are monotonic nanoseconds, 0 for never."""

    __slots__ = ("_has_baseline", "_owed_ns", "proven_ns", "up_ns")

    def __init__(self) -> None:
        self.end()

    def begin(self, now_ns: int) -> None:
        """A connection carries the stream from here."""
        self.end()
        self.up_ns = now_ns

    def end(self) -> None:
        """The attempt is over, and its evidence worth nothing."""
        self.up_ns = 0
        self.proven_ns = 0
        self._owed_ns = 0
        self._has_baseline = False

    def heard(self, now_ns: int) -> None:
        """The stream brought something new."""
        self._owed_ns = 0
        self.proven_ns = self.proven_ns or now_ns

    def polled(self, asked_ns: int, now_ns: int, *, is_changed: bool) -> bool:
        """A poll was answered; ``is_changed``: with something newer than the polls before it. True when it is the proof.

        The first poll after ``SETTLE_NS`` only says where the venue stood when the stream began.
        """
        if not self.up_ns or self.proven_ns or asked_ns < self.up_ns + SETTLE_NS:
            return False
        if not self._has_baseline:
            self._has_baseline = True
        elif is_changed:
            self._owed_ns = self._owed_ns or now_ns
        elif not self._owed_ns and asked_ns >= self.up_ns + QUIET_NS:
            self.proven_ns = now_ns
            return True
        return False

    def is_overdue(self, now_ns: int) -> bool:
        """Whether the stream has owed data for too long."""
        return self._owed_ns > 0 and now_ns >= self._owed_ns + FIRST_DATA_NS
