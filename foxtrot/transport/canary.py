"""Notices a dead socket by the quotes of one busy symbol (design, section 5, rule 7).

Dead is a socket that has brought nothing for ``SILENT_NS`` while a poll shows a quote that it should have brought, first seen at
least ``ON_ITS_WAY_NS`` ago. What a poll shows is no such quote

- when the stream brought it, and it stood there within ``WINDOW_NS`` before the poll was asked: replicas trail;
- when it stood there within ``MEMORY_NS``, unless a poll asked ``AGAIN_NS`` later still shows it: answers are cached;
- when it was asked within ``WINDOW_NS`` after the first frame: what stood before is not known;
- before the first frame, until a first poll asked ``SETTLED_NS`` after the subscription has shown what stands; a socket that
  never brought anything has ``FIRST_DATA_NS``, for a venue may be slow to begin.

A frame of any other stream shows that the socket lives, and only the canary's own stream is mute: ``noted`` is told of it,
while ``is_suspect``.
"""

from collections import deque
from typing import Final

from foxtrot.util.clock import NS_PER_MS, NS_PER_S

SILENT_NS: Final = 2 * NS_PER_S
ON_ITS_WAY_NS: Final = 250 * NS_PER_MS
WINDOW_NS: Final = NS_PER_S
MEMORY_NS: Final = 10 * NS_PER_S
AGAIN_NS: Final = 800 * NS_PER_MS
SETTLED_NS: Final = NS_PER_S
FIRST_DATA_NS: Final = 10 * NS_PER_S
MOST: Final = 10_000
"""Quotes that are remembered at most."""

Levels = tuple[float, float, float, float]


class Canary:
    """Watches one connection from the moment its quotes were subscribed. Times are nanoseconds since 1970 UTC."""

    __slots__ = ("_alive_ns", "_doubt", "_evidence_ns", "_first_ns", "_heard_ns", "_last", "_past", "_since_ns")

    def __init__(self, since_ns: int) -> None:
        self._since_ns = since_ns
        self._heard_ns = self._first_ns = 0
        self._alive_ns = since_ns
        self._last: Levels | None = None  # what stands: on the stream; before its first frame, at the first poll
        self._past: deque[tuple[Levels, int]] = deque(maxlen=MOST)  # what stood on the stream, and until when
        self._evidence_ns = 0  # when a quote was first seen that should have come; 0: none is missing
        self._doubt: tuple[Levels, int] | None = None  # what may be a cached answer, and when it was asked for

    @property
    def is_suspect(self) -> bool:
        """Whether a quote is missing: other streams' frames count now."""
        return self._evidence_ns > 0

    def heard(self, levels: Levels, received_ns: int) -> None:
        """A frame came. Whatever was missing may have been on its way."""
        if not self._heard_ns:
            self._first_ns = received_ns
        elif levels != self._last and self._last is not None:
            self._past.append((self._last, received_ns))
            while received_ns - self._past[0][1] > MEMORY_NS:
                self._past.popleft()
        self._last, self._heard_ns, self._alive_ns = levels, received_ns, received_ns
        self._evidence_ns, self._doubt = 0, None

    def noted(self, _stream: str, received_ns: int) -> None:
        """A frame of any stream came."""
        self._alive_ns = received_ns

    def polled(self, levels: Levels, asked_ns: int, answered_ns: int) -> None:
        """A poll shows these levels."""
        if self._last is None:
            if asked_ns >= self._since_ns + SETTLED_NS:
                self._last = levels
        elif asked_ns <= self._heard_ns:
            return  # of before the last frame: it says nothing of what came since
        elif levels == self._last:
            self._evidence_ns, self._doubt = 0, None
        elif not self._evidence_ns and not self._is_excused(levels, asked_ns):
            self._evidence_ns = answered_ns

    def excuse(self, now_ns: int) -> None:
        """We ourselves were held up: what waits in the socket is to be read first."""
        if self._evidence_ns:
            self._evidence_ns = now_ns

    def is_dead(self, now_ns: int) -> bool:
        """Whether to close the socket."""
        if not self._evidence_ns or now_ns - self._evidence_ns < ON_ITS_WAY_NS:
            return False
        return now_ns - self._alive_ns >= (SILENT_NS if self._heard_ns else FIRST_DATA_NS)

    def _is_excused(self, levels: Levels, asked_ns: int) -> bool:
        """Whether an older answer than the stream's last quote would show these levels."""
        stood_ns = max((until for past, until in self._past if past == levels), default=0)
        if asked_ns - max(stood_ns, self._first_ns) <= WINDOW_NS:
            return True
        if asked_ns - stood_ns > MEMORY_NS:
            return False
        if self._doubt is not None and self._doubt[0] == levels:
            return asked_ns - self._doubt[1] < AGAIN_NS
        self._doubt = (levels, asked_ns)
        return True
