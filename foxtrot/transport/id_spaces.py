"""Notices that a venue has begun its ids anew, as a testnet does that is reset, or an exchange that is started again."""

from typing import Final

from foxtrot.transport.base import Stats
from foxtrot.util.clock import NS_PER_S

ANEW_NS: Final = 30 * NS_PER_S
"""For so long polls must show smaller ids, that grow, before they are believed: no replica trails so far."""


class _Space:
    """The ids of one symbol: the newest known, and since when (0: not) polls go on below them, from where to where."""

    __slots__ = ("first_id", "last_id", "newest", "since_ns")

    def __init__(self) -> None:
        self.newest = (-1, -1)
        self.since_ns = 0
        self.first_id = self.last_id = -1


class IdSpaces:
    """Holds the newest trade of each symbol against what polls answer.

    An old answer has a smaller id and an older window. A smaller id in a newer window is of other ids: so it is told once these
    have gone on for ``ANEW_NS``, while nothing has shown the known ones, or higher ones, again.
    """

    __slots__ = ("_spaces",)

    def __init__(self) -> None:
        self._spaces: Final[dict[str, _Space]] = {}

    def streamed(self, symbol: str, stats: Stats) -> None:
        """A stream has shown 24 h figures."""
        self._raise(self._spaces.setdefault(symbol, _Space()), stats.key)

    def polled(self, symbol: str, stats: Stats, now_ns: int) -> bool:
        """A poll has; whether its ids have begun anew. -1, a day without trades, says nothing."""
        space = self._spaces.setdefault(symbol, _Space())
        if stats.last_id < 0 or self._raise(space, stats.key):
            return False
        if stats.close_ms <= space.newest[1]:
            space.since_ns = 0
        elif not space.since_ns or stats.last_id < space.last_id:
            space.since_ns = now_ns
            space.first_id = space.last_id = stats.last_id
        else:
            space.last_id = stats.last_id
        return space.since_ns > 0 and space.last_id > space.first_id and now_ns - space.since_ns >= ANEW_NS

    def forget(self, symbol: str) -> None:
        """Nobody wants it any more, or what was known of it is over."""
        self._spaces.pop(symbol, None)

    def _raise(self, space: _Space, key: tuple[int, int]) -> bool:
        """Whether these are the known ids, or higher ones."""
        if key[0] < space.newest[0]:
            return False
        space.newest = max(space.newest, key)
        space.since_ns = 0
        return True
