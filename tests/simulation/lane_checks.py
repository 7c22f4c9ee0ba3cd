"""What one lane may deliver: rules 1, 2, 6, 8 and 11, told by the first thing that breaks them."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from foxtrot.transport.base import Quote, Stats
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving

DECIDED: Final = frozenset(
    {
        Reason.NO_FLAGS,
        Reason.DEFAULTS,
        Reason.PIN,
        Reason.ROLLOUT,
        Reason.KILL,
        Reason.DECISION,
        Reason.SUBSCRIBED,
        Reason.UNSUBSCRIBED,
        Reason.UNKNOWN_SYMBOL,
        Reason.CLOSING,
        Reason.POLL_DOWN,
    }
)
"""Reasons of switches that no failure caused: they are not counted (rule 8)."""

SWITCHES: Final = 6
SWITCHES_NS: Final = 3_600 * NS_PER_S

Complain = Callable[[str], None]


class IdCheck:
    """Ids of one lane: each once, in order, none missing but those that a gap has named."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._bounds: tuple[int, int] | None = None
        self.next_id = -1
        self.missing: set[int] = set()
        self.delivered = self.backfilled = self.gaps = 0

    def begin(self, first: int, last: int) -> None:
        """The lane has started: its first id lies between these."""
        if self._bounds is None:
            self._bounds = (first, last)

    def live(self, number: int) -> None:
        """An id was delivered in its lane's own order."""
        self.delivered += 1
        if self.next_id < 0:
            low, high = self._bounds or (0, -1)
            if not low <= number <= high:
                self._complain(f"rule 2: begins with id {number}, not within {low}..{high}")
        elif number < self.next_id:
            self._complain(f"rule 1: id {number} after {self.next_id - 1}")
        elif number > self.next_id:
            self._complain(f"rule 2: id {number} after {self.next_id - 1}, without a gap event for what lies between")
        self.next_id = max(self.next_id, number + 1)

    def gap(self, first: int, last: int) -> None:
        """Ids were told missing."""
        self.gaps += 1
        if first > last or (self.next_id >= 0 and first != self.next_id):
            self._complain(f"rule 2: a gap {first}..{last} where {self.next_id} was next")
        self.missing.update(range(first, last + 1))
        self.next_id = max(self.next_id, last + 1)

    def backfill(self, numbers: Iterable[int]) -> None:
        """Ids of an earlier gap were found."""
        for number in numbers:
            self.backfilled += 1
            if number not in self.missing:
                self._complain(f"rule 2: id {number} comes as backfill and was in no gap, or twice")
            self.missing.discard(number)

    def ended(self, newest: int) -> None:
        """After a long healthy time nothing may be missing up to this id."""
        first = self._bounds[1] if self._bounds else newest + 1
        if self.missing:
            self._complain(f"rule 2: {len(self.missing)} ids never came, {min(self.missing)} the first of them")
        if newest >= first and self.next_id <= newest:
            self._complain(f"rule 2: stands before id {self.next_id}, the venue at {newest}")


class TickCheck:
    """Quotes and figures of one lane: newer and newer, by the keys of design.md section 5."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._update_id = -1
        self._admitted_ns = -1
        self._stats_key = (-1, -1)
        self.delivered = 0

    def streamed(self, update_id: int, received_ns: int) -> None:
        """A quote came from the stream."""
        self.delivered += 1
        if update_id <= self._update_id:
            self._complain(f"rule 1: streamed quote {update_id} after {self._update_id}")
        self._update_id = update_id
        self._admitted_ns = max(self._admitted_ns, received_ns)

    def polled(self, quote: Quote) -> None:
        """A quote came from a poll, or as the anchor."""
        self.delivered += 1
        if quote.asked_ns <= self._admitted_ns:
            self._complain("rule 1: a polled quote was asked before the last value was received")
        if quote.update_id:
            if quote.update_id < self._update_id:
                self._complain(f"rule 1: anchor {quote.update_id} after streamed quote {self._update_id}")
            self._update_id = max(self._update_id, quote.update_id)
        self._admitted_ns = max(self._admitted_ns, quote.asked_ns)

    def figures(self, stats: Stats) -> None:
        """24 h figures came, from either source."""
        if stats.key <= self._stats_key:
            self._complain(f"rule 1: 24 h figures {stats.key} after {self._stats_key}")
        self._stats_key = stats.key


class ServeCheck:
    """State, what serves, and how often that was switched."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.state = LaneState.POLLING
        self.serving = Serving.NONE
        self.reason = Reason.SUBSCRIBED
        self.since_ns = 0
        self.switches = 0
        self.trips = 0
        self._failed = False
        self._counted: deque[int] = deque()
        self.most_in_an_hour = 0

    def announced(self, old: LaneState, new: LaneState, serving: Serving, reason: Reason, now_ns: int) -> None:
        """A change of the lane."""
        if self.state is LaneState.CLOSED:
            self._complain(f"rule 11: {new} after the closing event")
        if old is not self.state:
            self._complain(f"told to leave {old}, and it was {self.state}")
        if self.serving is Serving.STREAM and serving is not Serving.STREAM:
            self._failed = reason not in DECIDED
            self.trips += self._failed
            if self._failed:
                self._count(now_ns)
        elif self.serving is Serving.POLL and serving is Serving.STREAM and self._failed and reason not in DECIDED:
            self._count(now_ns)
        elif reason in DECIDED:
            self._failed = False  # it comes back, if it does, because a decision says so
        self.state, self.serving, self.reason, self.since_ns = new, serving, reason, now_ns

    def streams(self) -> None:
        """A streamed value was delivered."""
        if self.serving is not Serving.STREAM:
            self._complain(f"rule 6: a streamed value while {self.serving} serves ({self.state})")

    def delivers(self) -> None:
        """Anything was delivered."""
        if self.state is LaneState.CLOSED:
            self._complain("rule 11: a value after the closing event")

    def revived(self) -> None:
        """By hand: the past does not count."""
        self._counted.clear()

    def _count(self, now_ns: int) -> None:
        self.switches += 1
        self._counted.append(now_ns)
        while now_ns - self._counted[0] >= SWITCHES_NS:
            self._counted.popleft()
        self.most_in_an_hour = max(self.most_in_an_hour, len(self._counted))
        if len(self._counted) > SWITCHES:
            self._complain(f"rule 8: {len(self._counted)} switches within {(now_ns - self._counted[0]) / NS_PER_S:.0f} s")
