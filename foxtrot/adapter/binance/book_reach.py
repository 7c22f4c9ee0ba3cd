"""How far a symbol's book reaches: levels to deliver, levels to keep, levels to ask a snapshot for."""

from typing import Final

from foxtrot.util.clock import NS_PER_S

LIMITS: Final = (100, 500, 1_000, 5_000)
"""The sizes of a snapshot at which its weight changes: 5, 25, 50, 250 (binance.md, section 4)."""

DEPTH: Final = 20
"""Levels a side that are delivered, where nobody asks for another number."""

GREATEST_KEPT: Final = 5_000
"""Of so many levels a side the venue sends changes, and of none behind them."""

USUALLY_KEPT: Final = 1_200
"""A book of a depth of up to 600 holds fewer levels a side: a quarter of what the venue speaks of, and a snapshot of 1,000."""

SOON_NS: Final = 600 * NS_PER_S
"""A snapshot that did not last so long was too small."""

_DEAR: Final = 1_000
"""A larger snapshot is asked for where that many could not serve the depth with something to spare."""


class BookReach:
    """One symbol's; its books share it, so that a new one knows what was learned with the old. Raises ValueError.

    ``depth``: levels a side that are delivered; it may be set at any time.

    ``kept``: a book holds fewer levels a side than that; None: 1,200, or twice the depth if that is more. A venue sends no
    changes of levels beyond its best N (Binance: N = 5,000): those turn stale without a sign, or are never heard of. As long as
    kept <= N a book never says anything of such a level: with N better ones, all of which it knows, it has ``kept`` or more, and
    forgets all but the best seven eighths of ``kept``; its range ends with these. What N exceeds ``kept`` by is for levels that
    leave the best N and come back between two frames. The depth must not exceed the seven eighths.

    ``limit``: the smallest snapshot that holds the depth and half as many levels again; no larger than what is kept asks for.
    Where a book became narrow within 10 minutes of its snapshot, the next larger size, up to 1,000 (5,000 for a depth above
    500); ``forget`` goes back to the smallest.
    """

    __slots__ = ("_depth", "_kept", "_least", "kept")

    def __init__(self, depth: int = DEPTH, kept: int | None = None) -> None:
        self._kept = kept
        self._least = 0
        self._set(depth)

    @property
    def depth(self) -> int:
        """Levels a side that are delivered."""
        return self._depth

    @depth.setter
    def depth(self, depth: int) -> None:
        self._set(depth)

    @property
    def limit(self) -> int:
        """Levels a side that the next snapshot is to be asked for."""
        most = _DEAR if 2 * self._depth <= _DEAR else GREATEST_KEPT
        wanted = min(max(self._depth * 3 // 2, self._least), self.kept, most)
        return next(limit for limit in LIMITS if limit >= wanted)

    def was_narrow(self, limit: int, age_ns: int) -> None:
        """A book became narrow that had begun with a snapshot of ``limit`` levels a side so many nanoseconds ago."""
        if 0 <= age_ns < SOON_NS:
            self._least = max(self._least, next((larger for larger in LIMITS if larger > limit), LIMITS[-1]))

    def forget(self) -> None:
        """The market may be another one: begins with the smallest snapshot again."""
        self._least = 0

    def _set(self, depth: int) -> None:
        kept = max(USUALLY_KEPT, 2 * depth) if self._kept is None else self._kept
        if not 1 <= depth <= kept - kept // 8 or kept > GREATEST_KEPT:
            raise ValueError(
                f"a book delivers 1 level a side or more, and keeps eight sevenths of that at least, {GREATEST_KEPT} at most; "
                f"found {depth} to deliver, {kept} to keep"
            )
        self._depth, self.kept = depth, kept
