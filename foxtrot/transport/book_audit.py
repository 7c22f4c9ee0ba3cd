"""Compares what polls say of the best levels with an order book that a stream keeps.

A book's stream is sampled: several quotes may come and go between two of its frames, so a polled quote need not have stood on it.
A poll is a hit when a frame came at about that time, or when the book's best levels are the polled ones; a miss when neither.
Levels say nothing of a poll asked before the snapshot with which the book began: that REST agrees with itself proves no stream.
"""

from collections import deque
from typing import Final

from foxtrot.transport.audit import FORWARD_NS, TOGETHER_NS, WINDOW_NS, Levels, Score, Verdict

SETTLE_NS: Final = WINDOW_NS
"""How long a subscription may take to come into force: polls asked before say nothing of it."""

_NEVER: Final = 1 << 62


class BookAudit(Score):
    """The verdicts of one stream: from ``begin`` to ``end``. All instants are nanoseconds of one clock."""

    __slots__ = ("_based_ns", "_polls", "_up_ns")

    def __init__(self) -> None:
        super().__init__()
        self._polls: deque[tuple[Levels, int, int]] = deque()  # levels, asked, answered; not judged yet
        self._up_ns = _NEVER
        self._based_ns = 0  # from when on polls can be compared with the book's levels

    def begin(self, now_ns: int) -> None:
        """A stream came up; what was known of an older one is forgotten."""
        self.end()
        self._up_ns = now_ns

    def end(self) -> None:
        """No stream is up: everything is forgotten, polls are ignored."""
        self._clear()
        self._polls.clear()
        self._up_ns = _NEVER

    def based(self, received_ns: int) -> None:
        """The book has begun with a snapshot that was received then."""
        self._based_ns = received_ns + TOGETHER_NS

    def polled(self, levels: Levels, asked_ns: int, answered_ns: int) -> None:
        """A poll brought this quote. Ignored unless it was asked when a subscription made at ``begin`` was in force."""
        if asked_ns >= self._up_ns + SETTLE_NS:
            self._polls.append((levels, asked_ns, answered_ns))

    def judge(self, heard_ns: int, top: Levels | None, now_ns: int) -> list[Verdict]:
        """The polls that can be judged now.

        ``heard_ns`` is when the newest frame came, ``top`` the book's best levels; None: there is no book, and no verdict.
        """
        while self._polls:
            levels, asked_ns, answered_ns = self._polls[0]
            is_comparable = top is not None and asked_ns >= self._based_ns
            if heard_ns >= asked_ns - WINDOW_NS or (is_comparable and levels == top):
                self._hit()
            elif now_ns < answered_ns + FORWARD_NS:
                break
            elif is_comparable:
                self._miss(asked_ns)
            self._polls.popleft()
        return self._take()

    def stalled(self, span_ns: int) -> None:
        """Our loop stood still for so long: what the stream brought meanwhile has not been read."""
        self._polls = deque((levels, asked_ns, answered_ns + span_ns) for levels, asked_ns, answered_ns in self._polls)

    @property
    def is_calm(self) -> bool:
        """Whether no poll waits for its verdict."""
        return not self._polls
