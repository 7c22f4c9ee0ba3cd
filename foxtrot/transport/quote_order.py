"""Quotes and 24 h figures of one lane: what is newer, whichever source brings it (design, section 5, "Keys").

1. On the stream a greater ``u`` is newer; ids in between need not arrive.
2. A polled quote has no id: it is admitted if it was asked after the last admitted value was received (streamed) or asked
   (polled).
3. From poll to stream there is an anchor, asked after the first streamed frame: only frames with a greater ``u`` follow it (the
   stream's frames up to it, still on their way, are noted: they show that the stream has what polls show). While
   REST is down there is none: then the first frame that came long enough after the last answer opens the stream.
4. 24 h figures have one key for both sources; a smaller key is an old answer. Figures of a window without trades have no
   ``last_id``: they stand where the newest trade known stands, and their time alone orders them.
5. A polled answer whose ``last_id`` is behind what was known when it was asked takes its quote along.
"""

from collections import deque
from collections.abc import Callable

from foxtrot.transport.base import Quote, Stats

Levels = tuple[float, float, float, float]
Note = Callable[[tuple[int, Levels]], None]
"""Takes what the stream showed: since when (nanoseconds), and the levels."""


def _nothing(_shown: tuple[int, Levels]) -> None:
    """Nobody audits."""


class QuoteOrder:
    """The newest quote and the newest 24 h figures of one lane."""

    CAPACITY = 10_000
    MEMORY = 64
    """So many newest trades are remembered with their times: a poll is held against what was known when it was asked."""

    __slots__ = (
        "_admitted_ns",
        "_anchor_id",
        "_buffer",
        "_door",
        "_known",
        "_newest_heard",
        "_newest_id",
        "_note",
        "_stats_key",
        "delivered",
        "duplicates",
        "heard_ns",
        "is_live",
        "levels",
    )

    def __init__(self, note: Note = _nothing) -> None:
        self._note = note
        self._admitted_ns = -1  # asked (polled) or received (streamed): what a later poll must have been asked after
        self._buffer: deque[Quote] = deque(maxlen=self.CAPACITY)
        self._door = -1  # the last update id delivered, while live
        self._newest_id = -1  # the last update id delivered, when the stream last served
        self._newest_heard = -1  # the last update id that came while it did not serve, on whichever connection
        self._anchor_id = 0  # the anchor's update id, while its own frame may still be on its way
        self._stats_key = (-1, -1)  # the newest trade id known, the end of the newest window
        self._known: deque[tuple[int, int]] = deque(maxlen=self.MEMORY)  # since when (ns), the newest trade id
        self.levels: Levels | None = None
        self.heard_ns = 0
        self.is_live = False
        self.delivered = 0
        self.duplicates = 0

    @property
    def waiting(self) -> int:
        """How many quotes wait for the anchor."""
        return len(self._buffer)

    def accept(self, update_id: int, levels: Levels, received_ns: int) -> bool:
        """The hot door: true for a newer quote while live."""
        if not self.is_live or update_id <= self._door:
            return False
        self._door = update_id
        self.levels = levels
        self._admitted_ns = self.heard_ns = received_ns
        self.delivered += 1
        self._note((received_ns, levels))
        return True

    def offer(self, quote: Quote, *, is_kept: bool = True) -> bool:
        """A streamed quote that the door did not accept; false for an old one. ``is_kept``: a new one waits for a switch."""
        if self.is_live or quote.update_id <= max(self._newest_id, self._newest_heard):
            self.duplicates += 1  # a replay of the past refreshes nothing
            if self._door == self._anchor_id > 0 and quote.update_id > self._newest_heard:  # the anchor was ahead of the stream
                self._newest_heard = quote.update_id
                self._note((quote.received_ns, quote.levels))
            return False
        self._newest_heard = quote.update_id
        self.heard_ns = quote.received_ns
        self._note((quote.received_ns, quote.levels))
        if is_kept:
            self._buffer.append(quote)
        return True

    def open(self, anchor: Quote) -> list[Quote]:
        """The stream serves from the anchor on; returns the buffered quotes that are newer, and follow it."""
        self._admit(anchor, anchor.asked_ns)
        self.delivered += 1
        self._newest_id = self._anchor_id = anchor.update_id
        return self.resume()

    def open_unanchored(self, after_ns: int) -> list[Quote]:
        """The stream serves from the first quote received after that instant: there is no REST to ask for an anchor."""
        while self._buffer and self._buffer[0].received_ns <= max(after_ns, self._admitted_ns):
            self._newest_id = max(self._newest_id, self._buffer.popleft().update_id)
        return self.resume() if self._buffer else []

    def resume(self) -> list[Quote]:
        """The stream serves on from its last quote, as nothing was delivered since; returns the buffered quotes."""
        self._door = self._newest_id
        self.is_live = True
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
        self._anchor_id = 0
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

    def _admit(self, quote: Quote, admitted_ns: int) -> None:
        self._admitted_ns = max(self._admitted_ns, admitted_ns)
        self.levels = quote.levels
