"""Per channel: what is next, what is newer, what came before, what is missing (design, section 5, "Keys").

Both orders keep the same promises: what they hand out never repeats and never goes back, whichever source brought it. While the
stream serves, ``is_live`` holds and the hot door admits; else streamed values wait in a bounded buffer for the switch.

``IdOrder`` (trades, agg_trades)
    1. One id space over stream, poll and backfill; the next id is the last one plus one.
    2. Values behind a hole wait until the hole has been filled by id. At most ``CAPACITY`` wait: then the newest are let go,
       and the hole that leaves is filled like any other.
    3. Where the venue itself has no such ids any more, the jump is told as a gap; before the first id there is nothing to miss.
    4. The door is closed while anything waits: a frame that fills a hole goes through ``offer``, which takes along what waited.

``QuoteOrder`` (tick)
    1. On the stream a greater ``u`` is newer; ids in between need not arrive.
    2. A polled quote has no id: it is admitted if it was asked after the last admitted value was received (streamed) or
       asked (polled).
    3. From poll to stream there is an anchor, asked after the first streamed frame: only frames with a greater ``u`` follow it.
    4. 24 h figures have one key for both sources; a smaller key is an old answer. Figures of a window without trades have no
       ``last_id``: they stand where the newest trade known stands, and their time alone orders them.
    5. A polled answer whose ``last_id`` is behind what was known when it was asked takes its quote along.
"""

import enum
import heapq
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from foxtrot.transport.base import Cursor, Item, Quote, Stats
from foxtrot.util.clock import NS_PER_S


class Verdict(enum.Enum):
    """What a polled answer says about the stream that serves."""

    HIT = enum.auto()  # the answer stood on the stream
    MISS = enum.auto()  # it did not
    DEAD = enum.auto()  # it did not, for so long that the stream is given up
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
        "_next",
        "_order",
        "delivered",
        "duplicates",
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
        self._order: list[int] = []  # the buffer's ids as a heap
        self._ahead_id = -1
        self._ahead_since_ns = 0
        self.last_trade_id = cursor.last_trade_id
        self.heard_trade_id = cursor.last_trade_id
        self.venue_trade_id = cursor.last_trade_id
        self.heard_ns = 0
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

    def accept(self, first: int, last: int, received_ns: int) -> bool:
        """The hot door: true for the next id while live and nothing waits. ``last`` is the newest trade id inside."""
        if first != self._door:
            return False
        self._door = first + 1
        self.last_trade_id = last
        self.heard_ns = received_ns
        self.delivered += 1
        return True

    def offer(self, item: Item, received_ns: int) -> list[Item]:
        """A streamed value that the door did not accept; returns what may be delivered now (only while live)."""
        if item.id < self.next_id or item.id in self._buffer:
            self.duplicates += 1  # a replay of the past refreshes nothing
            return []
        self.heard_ns = received_ns
        self.heard_trade_id = max(self.heard_trade_id, item.last_trade_id)
        is_next = self.is_live and item.id == self.next_id
        if self._is_paused or (len(self._buffer) >= self.CAPACITY and not is_next):
            return []  # let go: it has been heard of, and is fetched by id
        self._buffer[item.id] = item
        heapq.heappush(self._order, item.id)
        return self._ready() if self.is_live else []

    def hole(self) -> tuple[int, int] | None:
        """The ids (first, last) missing before the oldest buffered value."""
        if not self._order:
            return None
        oldest = self._order[0]
        return (self.next_id, oldest - 1) if oldest > self.next_id else None

    def wants_page(self) -> bool:
        """Whether a page from ``next_id`` on would bring something: a hole, what was let go, or what only the venue has."""
        if self._buffer:  # the stream brings nothing of before its subscription: what polls have shown must have come
            is_owed = not self.is_live and self.venue_trade_id > max(self.heard_trade_id, self.last_trade_id)
            return is_owed or self.hole() is not None
        known = self.heard_trade_id if self.is_live else max(self.heard_trade_id, self.venue_trade_id)
        return self.is_incomplete or known > self.last_trade_id

    def fill(self, items: Sequence[Item], *, is_full: bool) -> Filled:
        """Takes what is next of a page (a full one may not be all), up to the oldest buffered value while live."""
        if self.is_live and not self.wants_page():
            return Filled([], None)  # an answer to a question of before the switch
        self.is_incomplete = is_full
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
        self._ahead_since_ns = 0

    def polled(self, newest: int, now_ns: int) -> Verdict:
        """Judges the stream by the newest trade id that the venue has shown; ``newest`` is -1 where 24 h had no trade."""
        is_old = 0 <= newest < self.venue_trade_id
        self.venue_trade_id = max(self.venue_trade_id, newest)
        heard = max(self.heard_trade_id, self.last_trade_id)
        is_behind = self.venue_trade_id > heard
        if not is_behind:
            self._ahead_since_ns = 0
        elif not self._ahead_since_ns or self._ahead_id <= heard:
            self._ahead_since_ns, self._ahead_id = now_ns, self.venue_trade_id
        if is_behind and self.is_live and now_ns - self._ahead_since_ns >= self.PATIENCE_NS:
            return Verdict.DEAD
        if is_old:
            return Verdict.OLD
        return Verdict.MISS if is_behind else Verdict.HIT

    def _ready(self) -> list[Item]:
        taken, following = [], self.next_id
        while self._order and self._order[0] <= following:
            item = self._buffer.pop(heapq.heappop(self._order))
            if item.id < following:
                self.duplicates += 1
                continue
            taken.append(item)
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

    def _set_next(self, following: int) -> None:
        is_open = self.is_live and not self._is_paused and not self._buffer
        self._next = following
        self._door = following if is_open else -1


class QuoteOrder:
    """The newest quote and the newest 24 h figures of one lane."""

    CAPACITY = 10_000
    WINDOW_NS = NS_PER_S
    """A quote that the stream brought so long before a poll was asked still answers for it."""

    APART_NS = NS_PER_S // 2
    """So far apart two polls are asked that count as two."""

    MEMORY = 64
    """So many newest trades are remembered with their times: a poll is held against what was known when it was asked."""

    __slots__ = (
        "_admitted_ns",
        "_buffer",
        "_door",
        "_known",
        "_missed_ns",
        "_newest_id",
        "_stats_key",
        "delivered",
        "duplicates",
        "heard_ns",
        "is_live",
        "levels",
    )

    def __init__(self) -> None:
        self._admitted_ns = -1  # asked (polled) or received (streamed): what a later poll must have been asked after
        self._buffer: deque[Quote] = deque(maxlen=self.CAPACITY)
        self._door = -1  # the last update id delivered, while live
        self._newest_id = -1  # the last update id delivered, when the stream last served
        self._missed_ns = 0  # when the poll was asked that the stream missed first; 0: it has missed none
        self._stats_key = (-1, -1)  # the newest trade id known, the end of the newest window
        self._known: deque[tuple[int, int]] = deque(maxlen=self.MEMORY)  # since when (ns), the newest trade id
        self.levels: tuple[float, float, float, float] | None = None
        self.heard_ns = 0
        self.is_live = False
        self.delivered = 0
        self.duplicates = 0

    @property
    def waiting(self) -> int:
        """How many quotes wait for the anchor."""
        return len(self._buffer)

    def accept(self, update_id: int, levels: tuple[float, float, float, float], received_ns: int) -> bool:
        """The hot door: true for a newer quote while live."""
        if not self.is_live or update_id <= self._door:
            return False
        self._door = update_id
        self.levels = levels
        self._admitted_ns = self.heard_ns = received_ns
        self.delivered += 1
        return True

    def offer(self, quote: Quote) -> bool:
        """A streamed quote that the door did not accept; false for an old one. A new one is kept for the switch."""
        if self.is_live or quote.update_id <= self._newest_id:
            self.duplicates += 1  # a replay of the past refreshes nothing
            return False
        self.heard_ns = quote.received_ns
        self._buffer.append(quote)
        return True

    def open(self, anchor: Quote) -> list[Quote]:
        """The stream serves from the anchor on; returns the buffered quotes that are newer, and follow it."""
        self._admit(anchor, anchor.asked_ns)
        self.delivered += 1
        self._newest_id = anchor.update_id
        return self.resume()

    def resume(self) -> list[Quote]:
        """The stream serves on from its last quote, as nothing was delivered since; returns the buffered quotes."""
        self._door = self._newest_id
        self.is_live = True
        self._missed_ns = 0
        taken: list[Quote] = []
        for quote in self._buffer:
            if quote.update_id > self._door:
                self._door = quote.update_id
                self._admit(quote, quote.received_ns)
                taken.append(quote)
            else:
                self.duplicates += 1
        self._buffer.clear()
        self.delivered += len(taken)
        return taken

    def shut(self) -> None:
        """The stream serves no longer."""
        self._newest_id = max(self._newest_id, self._door)
        self.is_live = False
        self._door = -1
        self._buffer.clear()

    def stats(self, stats: Stats) -> bool:
        """Whether these 24 h figures are newer than the last; if so they are taken."""
        newest_id = self._stats_key[0]
        key = stats.key if stats.last_id >= 0 else (newest_id, stats.close_ms)
        if key <= self._stats_key:
            return False
        self._stats_key = key
        if key[0] > newest_id:
            self._known.append((stats.received_ns, key[0]))
        return True

    def is_cached(self, stats: Stats | None, asked_ns: int) -> bool:
        """Whether an answer is older than what was known when it was asked: its newest trade went back.

        What came after that may well be missing from it. Figures of a window without trades say nothing of this.
        """
        if stats is None or stats.last_id < 0:
            return False
        known = next((last_id for since_ns, last_id in reversed(self._known) if since_ns <= asked_ns), -1)
        return stats.last_id < known

    def poll(self, quote: Quote) -> bool:
        """Whether a polled quote is to be delivered. One asked too early is not; an equal one only confirms."""
        if quote.asked_ns <= self._admitted_ns:
            return False
        is_changed = quote.levels != self.levels
        self._admit(quote, quote.asked_ns)
        self.delivered += is_changed
        return is_changed

    def is_admissible(self, quote: Quote) -> bool:
        """Whether a polled quote was asked after the last admitted value; an anchor is not behind the stream's last id either."""
        return quote.asked_ns > self._admitted_ns and not 0 < quote.update_id < self._newest_id

    def judge(self, quote: Quote) -> Verdict:
        """What a polled quote says of the stream: two misses running, and it is dead.

        A miss: the poll shows another quote, and none came on the stream since shortly before the poll was asked. Polls that
        were asked in the same moment miss together, which is one miss.
        """
        if quote.levels == self.levels or max(self.heard_ns + self.WINDOW_NS, self._admitted_ns) >= quote.asked_ns:
            self._missed_ns = 0
            return Verdict.HIT
        if not self._missed_ns:
            self._missed_ns = quote.asked_ns
        return Verdict.DEAD if quote.asked_ns - self._missed_ns >= self.APART_NS else Verdict.MISS

    def _admit(self, quote: Quote, admitted_ns: int) -> None:
        self._admitted_ns = max(self._admitted_ns, admitted_ns)
        self.levels = quote.levels
