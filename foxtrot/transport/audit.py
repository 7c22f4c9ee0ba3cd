"""Compares what polls say with the stream's recent past: does it hold, and how late is it?

Both audits judge each poll of a stream that is up, and keep count of the verdicts. All instants are nanoseconds of one clock,
ours: when a poll was asked and answered, when a frame was received.
"""

import enum
from bisect import insort
from collections import deque
from collections.abc import Callable
from itertools import chain, pairwise
from operator import attrgetter
from typing import Final

import msgspec

from foxtrot.util.clock import NS_PER_MS, NS_PER_S

Levels = tuple[float, float, float, float]
"""Bid, bid size, ask, ask size."""

WINDOW_NS: Final = NS_PER_S
"""How far a REST replica may trail: a polled quote may have left the stream so long before the poll was asked."""

FORWARD_NS: Final = 450 * NS_PER_MS
"""How much later than the answer the stream may bring a polled quote: 250 ms behind REST, twice 100 ms of jitter."""

AGAIN_NS: Final = 250 * NS_PER_MS
"""The same for the poll after a miss: a stream that was too late by then has no more credit.

So two misses running are known 2 s (two beats), a round trip, this, and the time between two looks after a frozen stream's
first wrong price: 2.45 s with 100 ms each. The rest up to 2.7 s is for a poll that meets the frozen quote by chance.
"""

ID_FORWARD_NS: Final = NS_PER_S
"""How much later than the answer the stream may bring a polled trade id, unless it says less often what it has."""

SETTLE_NS: Final = NS_PER_S
"""How long a subscription may take to come into force: what polls asked before that show, the stream does not owe."""

TOGETHER_NS: Final = 250 * NS_PER_MS
"""Polls asked closer together than this look at one moment of the venue."""

LAG_HITS: Final = 30
"""Of how many hits the lag is made."""

LATE_NS: Final = 250 * NS_PER_MS
"""A stream that is later than this is late."""

TIMELY_TO_ONE: Final = 10
"""So many hits that show a stream in time outweigh one that shows it late: a hiccup, or the one replica that never trails."""

QUIET_NS: Final = 3 * NS_PER_S
"""A stream with less than one new quote in such a time is quiet (two more are granted: one a second is taken for it in 0.4 %)."""

CAPACITY: Final = 4_096
"""How many quotes are kept at most."""

KEPT_NS: Final = 3 * NS_PER_S
"""How far back quotes are kept for the poll under way: its window, and a round trip of two seconds."""

_NEVER: Final = 1 << 62


class Verdict(enum.Enum):
    """What one poll says of the stream."""

    HIT = "hit"
    MISS = "miss"


class Lateness(enum.Enum):
    """What hits say of how far a stream is behind REST."""

    TIMELY = "timely"  # less than LATE_NS
    LATE = "late"  # LATE_NS or more
    QUIET = "quiet"  # nothing, and it moves too seldom for them ever to say much
    OPEN = "open"  # nothing yet: with the next hits they will


class Score:
    """The verdicts of one stream since ``begin``. ``hits`` and ``misses`` count those running: either ends the other."""

    __slots__ = ("_fresh", "_missed_ns", "hits", "misses", "total_hits", "total_misses")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.hits = self.misses = self.total_hits = self.total_misses = 0
        self._missed_ns = -_NEVER  # when the last miss that counted was asked
        self._fresh: list[Verdict] = []

    def _hit(self) -> None:
        self.hits += 1
        self.total_hits += 1
        self.misses = 0
        self._fresh.append(Verdict.HIT)

    def _miss(self, asked_ns: int) -> None:
        if asked_ns < self._missed_ns + TOGETHER_NS:
            return  # the same moment has been counted
        self._missed_ns = asked_ns
        self.misses += 1
        self.total_misses += 1
        self.hits = 0
        self._fresh.append(Verdict.MISS)

    def _take(self) -> list[Verdict]:
        fresh, self._fresh = self._fresh, []
        return fresh


class _Poll(msgspec.Struct):
    """One polled quote; ``low_ns`` and ``high_ns`` bound the stream's lag behind it, None for no statement."""

    levels: Levels
    asked_ns: int
    answered_ns: int
    low_ns: int | None = None
    high_ns: int | None = None

    @property
    def start_ns(self) -> int:
        """From when on the stream's past is searched."""
        return self.asked_ns - WINDOW_NS

    @property
    def settled_ns(self) -> int:
        """Until when the quote of a hit may stand once more, on a stream that is late."""
        return self.answered_ns + WINDOW_NS


class QuoteAudit(Score):
    """Looks each polled quote up in the quotes that the stream has brought.

    Hit: the same four figures stood on the stream at some instant from ``WINDOW_NS`` before the poll was asked until
    ``FORWARD_NS`` after its answer (``AGAIN_NS`` after a miss). Miss: they did not. No verdict: what stood in that time is not
    known in whole.

    Before its first frame nothing is known of a stream. The first poll asked ``SETTLE_NS`` after ``begin`` then says what
    stands on it (no verdict), so that a quiet stream earns hits without a frame, and a dead one misses.
    """

    __slots__ = ("_baseline_ns", "_gone", "_history", "_lags", "_late", "_polls", "_settling", "_timely", "_up_ns", "note")

    def __init__(self) -> None:
        super().__init__()
        self._history: Final[deque[tuple[int, Levels]]] = deque(maxlen=CAPACITY)  # since when each quote stands
        self._polls: list[_Poll] = []  # not judged yet, in the order in which they were asked
        self._settling: deque[_Poll] = deque()  # hits whose time is not over: their quote may stand again
        self._lags: deque[_Poll] = deque(maxlen=LAG_HITS)
        self._gone = self._late = self._timely = 0  # since begin: quotes trimmed, hits that show it late, and in time
        self._up_ns = self._baseline_ns = -_NEVER
        self.note: Final[Callable[[tuple[int, Levels]], None]] = self._history.append
        """Takes (time of arrival, levels) of each new streamed quote, in order of arrival. The hot path."""

    def begin(self, now_ns: int) -> None:
        """A stream came up; what was known of an older one is forgotten."""
        self.end()
        self._up_ns = now_ns

    def end(self) -> None:
        """No stream is up: everything is forgotten, polls are ignored."""
        self._clear()
        self._history.clear()
        self._polls.clear()
        self._settling.clear()
        self._lags.clear()
        self._gone = self._late = self._timely = 0
        self._up_ns = self._baseline_ns = -_NEVER

    def polled(self, levels: Levels, asked_ns: int, answered_ns: int) -> None:
        """A poll brought this quote; ``verdicts`` will judge it. Ignored unless it was asked while a stream was up."""
        if self._up_ns == -_NEVER or asked_ns < max(self._up_ns, self._baseline_ns + TOGETHER_NS):
            return
        if not self._history and asked_ns >= self._up_ns + SETTLE_NS:
            self._baseline_ns = asked_ns
            self._polls.clear()  # none of them can be judged by a quote that was polled
            self.note((asked_ns - TOGETHER_NS, levels))
        else:
            insort(self._polls, _Poll(levels, asked_ns, answered_ns), key=attrgetter("asked_ns"))

    def verdicts(self, now_ns: int) -> list[Verdict]:
        """The polls judged since the last call, in the order in which they were asked."""
        while self._polls and self._judge(self._polls[0], now_ns):
            del self._polls[0]
        while self._settling and self._settling[0].settled_ns <= now_ns:
            self._settle(self._settling.popleft())
        self._trim(now_ns)
        return self._take()

    def stalled(self, span_ns: int) -> None:
        """Our loop stood still for so long: what the stream brought meanwhile has not been read."""
        for poll in self._polls:
            poll.answered_ns += span_ns

    def is_calm(self, now_ns: int) -> bool:
        """Whether ``verdicts`` would return and change nothing now."""
        keep_ns = now_ns - KEPT_NS
        if self._settling:
            keep_ns = min(keep_ns, self._settling[0].start_ns)
            if self._settling[0].settled_ns <= now_ns:
                return False
        return not self._polls and (len(self._history) <= 1 or self._history[1][0] > keep_ns)

    @property
    def lag_ns(self) -> int | None:
        """The least that the stream lags behind REST, by the last ``LAG_HITS`` hits; None where they allow no statement.

        Negative: it may well be ahead.
        """
        return max((hit.low_ns for hit in self._lags if hit.low_ns is not None), default=None)

    @property
    def lag_bounds(self) -> tuple[int | None, int | None]:
        """``lag_ns``, and the most that the stream lags behind the replica that trails furthest. They may cross."""
        return self.lag_ns, min((hit.high_ns for hit in self._lags if hit.high_ns is not None), default=None)

    def lateness(self, now_ns: int, timely: int = 1) -> Lateness:
        """What the hits since ``begin`` say; so many of them must show the stream in time before they are believed."""
        if (self.lag_ns or 0) >= LATE_NS or self._late * TIMELY_TO_ONE > self._timely:
            return Lateness.LATE
        if self._timely >= timely:
            return Lateness.TIMELY
        quotes = self._gone + len(self._history) - (self._baseline_ns != -_NEVER)
        return Lateness.QUIET if now_ns - self._up_ns >= (quotes + 2) * QUIET_NS else Lateness.OPEN

    def _judge(self, poll: _Poll, now_ns: int) -> bool:
        """Whether there is no more to wait for."""
        end_ns = poll.answered_ns + (AGAIN_NS if self.misses else FORWARD_NS)
        stood = self._stood(poll, end_ns)
        is_known = bool(self._history) and self._history[0][0] <= poll.start_ns
        if stood is not None:
            if is_known and stood[0] > self._baseline_ns:
                poll.low_ns = stood[0] - poll.answered_ns
                self._late += poll.low_ns >= LATE_NS
            self._hit()
            self._lags.append(poll)
            self._settling.append(poll)
        elif now_ns < end_ns:
            return False
        elif is_known:
            self._miss(poll.asked_ns)
        return True

    def _settle(self, poll: _Poll) -> None:
        stood = self._stood(poll, poll.settled_ns)
        if stood is not None and stood[1] <= poll.settled_ns:
            poll.high_ns = stood[1] - poll.asked_ns
            self._timely += poll.high_ns < LATE_NS

    def _stood(self, poll: _Poll, until_ns: int) -> tuple[int, int] | None:
        """From when to when the polled quote stood, the first and the last time within its window; None: never."""
        on_ns, off_ns = _NEVER, 0
        for (start_ns, levels), (stop_ns, _) in pairwise(chain(self._history, ((_NEVER, poll.levels),))):
            if levels == poll.levels and stop_ns >= poll.start_ns and start_ns <= until_ns:
                on_ns, off_ns = min(on_ns, start_ns), stop_ns
        return (on_ns, off_ns) if off_ns else None

    def _trim(self, now_ns: int) -> None:
        """Forgets what no poll can ask for any more; the first quote kept is the one that stood at that instant."""
        keep_ns = now_ns - KEPT_NS
        for polls in (self._polls, self._settling):
            keep_ns = min(keep_ns, polls[0].start_ns) if polls else keep_ns
        while len(self._history) > 1 and self._history[1][0] <= keep_ns:
            self._history.popleft()
            self._gone += 1


class IdAudit(Score):
    """Compares polled trade ids with the newest that the stream has brought.

    Hit: the polled id is at or below the stream's, ``forward_ns`` after the answer at the latest. Before its first frame
    the stream's is the cursor's, or what the first poll asked ``SETTLE_NS`` after ``begin`` shows (no verdict).
    """

    __slots__ = ("_baseline_ns", "_forward_ns", "_heard_id", "_is_known", "_polls", "_up_ns")

    def __init__(self, forward_ns: int = ID_FORWARD_NS) -> None:
        super().__init__()
        self._forward_ns = forward_ns
        self.end()

    def begin(self, now_ns: int, heard_trade_id: int) -> None:
        """A stream came up, for a lane whose newest trade id is this (-1: none yet)."""
        self.end()
        self._up_ns = now_ns
        self._heard_id = heard_trade_id

    def end(self) -> None:
        """No stream is up: everything is forgotten, polls are ignored."""
        self._clear()
        self._polls: list[tuple[int, int, int]] = []  # (asked, answered, id), not judged yet
        self._up_ns = self._baseline_ns = -_NEVER
        self._heard_id = -1
        self._is_known = False

    def heard(self, last_trade_id: int, now_ns: int) -> None:
        """The stream brought this trade. One that is not newer than all before it says nothing."""
        if last_trade_id <= self._heard_id:
            return
        if self._polls:
            self._judge(now_ns)  # what comes too late must not count
        self._is_known = True
        self._heard_id = last_trade_id

    def polled(self, last_id: int, asked_ns: int, answered_ns: int) -> None:
        """A poll showed this trade as the newest. Ignored unless it was asked while a stream was up."""
        if self._up_ns == -_NEVER or asked_ns < max(self._up_ns, self._baseline_ns + TOGETHER_NS):
            return
        if self._is_known:
            insort(self._polls, (asked_ns, answered_ns, last_id))
        elif asked_ns >= self._up_ns + SETTLE_NS:
            self._baseline_ns = asked_ns
            self._is_known = True
            self._heard_id = max(self._heard_id, last_id)

    def verdicts(self, now_ns: int) -> list[Verdict]:
        """The polls judged since the last call, in the order in which they were asked."""
        self._judge(now_ns)
        return self._take()

    def stalled(self, span_ns: int) -> None:
        """Our loop stood still for so long: what the stream brought meanwhile has not been read."""
        self._polls = [(asked_ns, answered_ns + span_ns, last_id) for asked_ns, answered_ns, last_id in self._polls]

    @property
    def is_calm(self) -> bool:
        """Whether no poll waits for its verdict."""
        return not self._polls

    def _judge(self, now_ns: int) -> None:
        while self._polls:
            asked_ns, answered_ns, last_id = self._polls[0]
            if last_id <= self._heard_id:
                self._hit()
            elif now_ns > answered_ns + self._forward_ns:
                self._miss(asked_ns)
            else:
                return
            del self._polls[0]
