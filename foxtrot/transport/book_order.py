"""One lane's order book: what was delivered of it, and what the stream has brought for it.

1. What is delivered never goes back: a valid book follows only with a greater update id. With the same one it follows a book
   that was told as invalid, or that a comparison found unequal.
2. The stream's book begins with a snapshot and goes on with the diffs that continue it: those received meanwhile are kept.
3. A diff that does not continue it, or leaves it crossed, ends it: it is delivered once as invalid, and a new snapshot is due.
4. While a snapshot is under way a valid book goes on being served; the new one takes its place when it is not behind it.
5. A snapshot that was asked for to compare is brought to the same update first. One that is ahead of the stream waits for it.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from foxtrot.transport.base import Depth, Diff, Item
from foxtrot.transport.book import Book
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Source

CAPACITY: Final = 1_000
"""So many diffs are kept for a snapshot under way: more than a minute of them. Beyond, the oldest go, and it will not fit."""

MEMORY: Final = 10
"""So many are kept always: a snapshot may come from a replica that is behind the stream."""


class BookOrder:
    """The book of one lane. ``make`` gives an empty book."""

    __slots__ = (
        "_compared", "_diffs", "_is_final", "_make", "_told_id", "book", "delivered", "duplicates", "ended_by", "ends",
        "event_ms", "has_gap", "heard_ns", "is_linked", "is_live", "keeps_all",
    )  # fmt: skip

    def __init__(self, make: Callable[[], Book]) -> None:
        self._make: Final = make
        self._diffs: deque[Diff] = deque(maxlen=CAPACITY)
        self._compared: Book | None = None
        self._told_id = 0  # of the book that was delivered last
        self._is_final = True  # no other book of that update follows
        self.book = make()  # the stream's
        self.ends = 0  # so many books of the stream have ended
        self.ended_by = 0  # where the diff began that ended the last of them
        self.has_gap = False  # a diff was missing before it served
        self.delivered = 0
        self.duplicates = 0
        self.heard_ns = 0
        self.event_ms = 0  # when the venue sent what was heard last, its clock
        self.is_linked = False  # nothing lies between the book's snapshot and the stream
        self.is_live = False
        self.keeps_all = False  # a snapshot is under way

    @property
    def is_joined(self) -> bool:
        """Whether the stream's book may be served, and is not behind what was delivered."""
        return self.book.is_valid and self.is_linked and self.book.update_id >= self._told_id

    @property
    def is_comparable(self) -> bool:
        """Whether a snapshot to compare with stands at the same update as the stream's book."""
        other = self._compared
        return other is not None and self.book.is_valid and other.update_id == self.book.update_id

    @property
    def is_behind(self) -> bool:
        """Whether it is ahead of the stream's book."""
        other = self._compared
        return other is not None and self.book.is_valid and other.update_id > self.book.update_id

    # --- what the stream brings ---------------------------------------------------------------------------------------------

    def accept(self, diff: Diff, received_ns: int, event_ms: int = 0) -> object | None:
        """The hot door: the value to deliver, if the stream serves and this is the next diff; else None."""
        following = self.book.update_id + 1
        if not self.is_live or diff.first_id > following or diff.last_id < following or not self.book.is_valid:
            return None
        self._take(diff, received_ns, event_ms)
        item = self.stream_item()
        return item.value if item is not None else None

    def offer(self, diff: Diff, received_ns: int, event_ms: int = 0) -> bool:
        """A diff that the door did not accept; whether it has ended the book."""
        newest_id = max(self.book.update_id, self._diffs[-1].last_id if self._diffs else 0)
        if diff.last_id <= newest_id:
            self.duplicates += 1
            return False
        self.has_gap |= not self.is_live and bool(self._diffs) and diff.first_id > newest_id + 1
        was_valid = self.book.is_valid
        self._take(diff, received_ns, event_ms)
        return was_valid and not self.book.is_valid

    def stream_item(self) -> Item | None:
        """The stream's book, to be delivered now; None while that would go back or say nothing new. One that ended is news."""
        if self.book.is_valid and not self._may_follow(self.book.update_id):
            return None
        self._note(self.book)
        return self.book.item(Source.STREAM, self.event_ms * NS_PER_MS, self.heard_ns)

    def forget(self) -> None:
        """The stream is over, and its book with it."""
        self.is_live = self.keeps_all = self.has_gap = False
        self._compared = None
        self._diffs.clear()
        self.book.clear()

    def _take(self, diff: Diff, received_ns: int, event_ms: int) -> None:
        self.heard_ns, self.event_ms = received_ns, event_ms
        self._diffs.append(diff)
        if self._compared is not None:
            self._compared.apply(diff)
            if not self._compared.is_valid:
                self._compared = None
        if not self.book.is_valid:
            return
        self.book.apply(diff)
        self.is_linked |= self.book.is_valid  # it continues the snapshot
        while len(self._diffs) > MEMORY and not self.keeps_all:
            self._diffs.popleft()
        if not self.book.is_valid:
            self.ends += 1
            self.ended_by = diff.first_id

    # --- what snapshots bring -----------------------------------------------------------------------------------------------

    def polled_item(self, depth: Depth) -> Item | None:
        """A snapshot as polling delivers it; None for one that is not newer than what was delivered."""
        if not self._may_follow(depth.update_id):
            return None
        polled = self._make()
        polled.load(depth)
        if not polled.is_valid:
            return None
        self._note(polled)
        return polled.item(Source.POLL, 0, depth.received_ns)

    def is_known(self, depth: Depth) -> bool:
        """Whether a snapshot shows what was delivered last."""
        return depth.update_id == self._told_id and self._is_final

    def load(self, depth: Depth, *, is_timely: bool = True) -> bool:
        """The stream's book begins from this snapshot, if the diffs at hand continue it and it is not behind the one there is.

        ``is_timely``: it was asked for when the subscription was in force. Where no diff is at hand, only such a snapshot, and
        none behind what was delivered, is linked to the stream: what changed between another one and the subscription no diff
        would bring.
        """
        fresh = self._caught_up(depth)
        if fresh is None or (self.book.is_valid and fresh.update_id < self.book.update_id):
            return False
        self.book = fresh
        self.is_linked = bool(self._diffs) or (is_timely and depth.update_id >= self._told_id)
        return True

    def compare(self, depth: Depth) -> bool:
        """Takes a snapshot to compare the stream's book with; false where the diffs at hand do not bring it so far."""
        fresh = self._caught_up(depth)
        is_fit = fresh is not None and self.book.is_valid and fresh.update_id >= self.book.update_id
        self._compared = fresh if is_fit else None
        return is_fit

    def compared(self, least: float) -> float:
        """The share of equal levels (``is_comparable``); with a smaller one the snapshot's book takes the place of the other."""
        assert self._compared is not None  # there are two books to compare
        share = self.book.agreement(self._compared)
        if share < least:
            self._is_final &= not self.is_live or self._told_id != self.book.update_id  # what was told last was wrong
            self.book = self._compared
        self._compared = None
        return share

    def _caught_up(self, depth: Depth) -> Book | None:
        fresh = self._make()
        fresh.load(depth)
        for diff in self._diffs:
            fresh.apply(diff)
        return fresh if fresh.is_valid else None

    def _may_follow(self, update_id: int) -> bool:
        """Whether a valid book may be delivered now."""
        return update_id > self._told_id or (update_id == self._told_id and not self._is_final)

    def _note(self, told: Book) -> None:
        self._told_id, self._is_final = told.update_id, told.is_valid
        self.delivered += 1
