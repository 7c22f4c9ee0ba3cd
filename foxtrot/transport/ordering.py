"""Ids of one lane: what is next, what came before, what is missing (design, section 5, "Keys").

The order keeps its promises whichever source brings a value: what it hands out never repeats and never goes back. While the
stream serves, ``is_live`` holds and the hot door admits; else streamed values wait in a bounded buffer for the switch.

1. One id space over stream, poll and backfill; the next id is the last one plus one.
2. Values behind a hole wait until the hole has been filled by id, or is given up (``skip_to_buffer``). At most ``CAPACITY``
   wait: then the newest are let go, and the hole that leaves is filled like any other.
3. Where the venue itself has no such ids any more, the jump is told as a gap; before the first id there is nothing to miss.
4. The door is closed while anything waits: a frame that fills a hole goes through ``offer``, which takes along what waited.
5. What polls have delivered meanwhile waits no longer; while a stream is only watched (shadow), nothing does.
6. A replay is what the stream brings of before it came up, or again: it refreshes nothing. What polls were faster with is none.
"""

import enum
import heapq
from collections.abc import Sequence
from typing import NamedTuple

from foxtrot.transport.base import Cursor, Item
from foxtrot.util.clock import NS_PER_S


class Standing(enum.Enum):
    """How the venue stands to the stream, as its newest trade id tells."""

    LEVEL = enum.auto()  # the stream has brought it
    AHEAD = enum.auto()  # it has not, yet
    DEAD = enum.auto()  # it has not, for so long that the stream is given up
    OLD = enum.auto()  # the answer is older than an earlier one: it says nothing


class Filled(NamedTuple):
    """What a page brought: items in order, and the ids that the venue no longer has (first, last) before the first of them."""

    items: list[Item]
    gap: tuple[int, int] | None


class IdOrder:
    """Contiguous ids of one lane."""

    CAPACITY = 10_000
    PATIENCE_NS = 5 * NS_PER_S
    """How long the venue may be ahead of the stream before it is dead."""

    __slots__ = (
        "_ahead_id",
        "_ahead_since_ns",
        "_buffer",
        "_door",
        "_is_paused",
        "_let_go_id",
        "_next",
        "_order",
        "delivered",
        "duplicates",
        "event_ms",
        "heard_ns",
        "heard_trade_id",
        "is_incomplete",
        "is_live",
        "last_trade_id",
        "venue_trade_id",
    )

    def __init__(self, cursor: Cursor) -> None:
        self._next = cursor.id + 1
        self._door = -1
        self._buffer: dict[int, Item] = {}
        self._is_paused = False
        self._let_go_id = -1  # the newest trade that a slow consumer's frames contained
        self._order: list[int] = []  # the buffer's ids as a heap
        self._ahead_id = -1
        self._ahead_since_ns = 0
        self.last_trade_id = cursor.last_trade_id
        self.heard_trade_id = cursor.last_trade_id
        self.venue_trade_id = cursor.last_trade_id
        self.heard_ns = 0
        self.event_ms = 0  # when the venue sent what was heard last, its clock
        self.is_live = False
        self.is_incomplete = False  # frames were let go on purpose: ask for a page even without a frame behind the hole
        self.delivered = 0
        self.duplicates = 0

    @property
    def next_id(self) -> int:
        """The id that will be delivered next; 0 while none is known."""
        return self._door if self._door >= 0 else self._next

    @property
    def waiting(self) -> int:
        """How many values wait behind a hole or for the switch."""
        return len(self._buffer)

    @property
    def streamed_trade_id(self) -> int:
        """The newest trade that the stream has brought; what had been delivered before counts as well."""
        return max(self.heard_trade_id, self.last_trade_id)

    @property
    def missing(self) -> int:
        """How many trades are known of that have not been delivered."""
        return max(self.heard_trade_id, self.venue_trade_id) - self.last_trade_id

    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        """The hot door: true for the next id while live and nothing waits. ``last`` is the newest trade id inside."""
        if first != self._door:
            return False
        self._door = first + 1
        self.last_trade_id = last
        self.heard_ns = received_ns
        self.event_ms = event_ms
        self.delivered += 1
        return True

    def offer(self, item: Item, received_ns: int, event_ms: int = 0, *, is_kept: bool = True) -> list[Item]:
        """A streamed value that the door did not accept; returns what may be delivered now (only while live).

        ``is_kept``: it may wait for a switch; else it has only been heard of.
        """
        is_known = item.id < self.next_id or item.id in self._buffer
        self.duplicates += is_known
        if is_known and (self.is_live or item.last_trade_id <= self.heard_trade_id):
            return []
        self.heard_ns, self.event_ms = received_ns, event_ms
        self.heard_trade_id = max(self.heard_trade_id, item.last_trade_id)
        if is_known:
            return []
        is_next = self.is_live and item.id == self.next_id
        if self._is_paused or not is_kept or (len(self._buffer) >= self.CAPACITY and not is_next):
            return []  # let go: it has been heard of, and is fetched by id
        self._buffer[item.id] = item
        heapq.heappush(self._order, item.id)
        return self._ready() if self.is_live else []

    def listen(self) -> None:
        """A stream comes up: what has been delivered is its past."""
        self.heard_trade_id = self.last_trade_id

    def hole(self) -> tuple[int, int] | None:
        """The ids (first, last) missing before the oldest buffered value."""
        if not self._order:
            return None
        oldest = self._order[0]
        return (self.next_id, oldest - 1) if oldest > self.next_id else None

    def wants_poll(self) -> bool:
        """Whether polling, while it serves, has something to fetch from ``next_id`` on, whatever waits for the switch."""
        return self.is_incomplete or self.venue_trade_id > self.last_trade_id

    def wants_page(self) -> bool:
        """Whether a page from ``next_id`` on is needed to serve the stream: a hole, what was let go, what only the venue has."""
        if self._buffer:  # the stream brings nothing of before its subscription: what polls have shown must have come
            is_owed = not self.is_live and self.venue_trade_id > max(self.heard_trade_id, self.last_trade_id)
            return is_owed or self.hole() is not None
        known = self.heard_trade_id if self.is_live else max(self.heard_trade_id, self.venue_trade_id)
        return self.is_incomplete or known > self.last_trade_id

    def fill(self, items: Sequence[Item], *, is_full: bool) -> Filled:
        """Takes what is next of a page (a full one may not be all), up to the oldest buffered value while live."""
        if self.is_live and not self.wants_page():
            return Filled([], None)  # an answer to a question of before the switch
        end = self._order[0] if self.is_live and self._order else None
        following, gap = self.next_id, None
        taken: list[Item] = []
        for item in items:
            if item.id < following:
                continue
            if item.id > following:
                if taken:
                    break  # the venue's ids jump: the rest is asked for again
                reached = item.id if end is None else min(item.id, end)
                gap = (following, reached - 1) if following > 0 else None
                following = reached
            if end is not None and item.id >= end:
                break
            taken.append(item)
            following = item.id + 1
        self._advance(taken, following)
        self.is_incomplete = is_full or (self.is_live and self.last_trade_id < self._let_go_id)
        return Filled(taken, gap)

    def skip_to_buffer(self) -> tuple[int, int] | None:
        """Gives the hole up: the ids (first, last) let go, or None where there is no hole."""
        hole = self.hole()
        if hole is not None:
            self._set_next(hole[1] + 1)
        return hole

    def ready(self) -> list[Item]:
        """Takes the buffered values that are next."""
        return self._ready()

    def open(self) -> list[Item]:
        """The stream serves from here; returns the buffered values that go first."""
        ready = self._ready()
        self.is_live = True
        self._set_next(self.next_id)
        self._ahead_since_ns = 0
        return ready

    def shut(self) -> None:
        """The stream serves no longer; what it left behind a hole is fetched by id instead."""
        self._next = self.next_id
        self._door = -1
        self.is_live = False
        self._drop_buffer()
        self.is_incomplete = False
        self.venue_trade_id = max(self.venue_trade_id, self.heard_trade_id)
        self.heard_trade_id = self.last_trade_id
        self._ahead_since_ns = 0

    def pause(self) -> None:
        """The consumer is slow: the door is closed and the buffer let go, to be completed by id afterwards."""
        self._next, self._door = self.next_id, -1
        self._is_paused = True
        self._drop_buffer()

    def resume(self) -> None:
        """The consumer has caught up: what was let go is asked for, whether or not a frame shows a hole."""
        self._is_paused = False
        self._set_next(self.next_id)
        self.is_incomplete = True
        self._let_go_id = self.heard_trade_id
        self._ahead_since_ns = 0

    def polled(self, newest: int, now_ns: int) -> Standing:
        """Judges the stream by the newest trade id that the venue has shown; ``newest`` is -1 where 24 h had no trade."""
        is_old = 0 <= newest < self.venue_trade_id
        self.venue_trade_id = max(self.venue_trade_id, newest)
        heard = self.streamed_trade_id
        is_behind = self.venue_trade_id > heard
        if not is_behind:
            self._ahead_since_ns = 0
        elif not self._ahead_since_ns or self._ahead_id <= heard:
            self._ahead_since_ns, self._ahead_id = now_ns, self.venue_trade_id
        if is_behind and self.is_live and now_ns - self._ahead_since_ns >= self.PATIENCE_NS:
            return Standing.DEAD
        if is_old:
            return Standing.OLD
        return Standing.AHEAD if is_behind else Standing.LEVEL

    def stalled(self, span_ns: int) -> None:
        """Our loop stood still for so long: that the stream was behind meanwhile says nothing."""
        if self._ahead_since_ns:
            self._ahead_since_ns += span_ns

    def _ready(self) -> list[Item]:
        taken, following = [], self.next_id
        while self._order and self._order[0] == following:
            taken.append(self._buffer.pop(heapq.heappop(self._order)))
            following += 1
        self._advance(taken, following)
        return taken

    def _drop_buffer(self) -> None:
        self._buffer.clear()
        self._order.clear()

    def _advance(self, taken: list[Item], following: int) -> None:
        if taken:
            self.last_trade_id = max(self.last_trade_id, taken[-1].last_trade_id)
            self.delivered += len(taken)
        self._set_next(following)
        while self._order and self._order[0] < following and not self.is_live:
            del self._buffer[heapq.heappop(self._order)]  # polls have delivered it

    def _set_next(self, following: int) -> None:
        is_open = self.is_live and not self._is_paused and not self._buffer
        self._next = following
        self._door = following if is_open else -1
