"""When a connection is replaced, and when its successor has shown enough (design, section 5, rule 9; reliability BN-4).

A successor is proven once it has been up for ``PROVE_NS`` and every stream that brought something on the old connection since
then has brought something on the new one too; what came within the last ``GRACE_NS`` may still be on its way.
"""

from typing import Final

from foxtrot.transport.backoff import Chance
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

HOUR_NS: Final = 3_600 * NS_PER_S
AGE_NS: Final = 22 * HOUR_NS
SPREAD_NS: Final = HOUR_NS
DAY_NS: Final = 24 * HOUR_NS
"""The venue ends every connection after a day: a successor is due between 22 and 23 hours."""

PROVE_NS: Final = 2 * NS_PER_S
GRACE_NS: Final = 500 * NS_PER_MS
GIVE_UP_NS: Final = 30 * NS_PER_S
FIRST_WAIT_NS: Final = 60 * NS_PER_S
RUSHED_WAIT_NS: Final = 2 * NS_PER_S
LAST_CHANCE_NS: Final = 300 * NS_PER_S
"""Waits double, yet the last attempts fall before the day is over, or close on each other if the venue has announced its end."""


def due_ns(opened_ns: int, chance: Chance) -> int:
    """When a connection that has just opened wants a successor."""
    return opened_ns + AGE_NS + int(SPREAD_NS * chance())


def next_wait_ns(last_wait_ns: int, opened_ns: int, now_ns: int, *, is_rushed: bool) -> int:
    """How long to wait after a successor that could not be had or did not prove itself."""
    wait = max(RUSHED_WAIT_NS if is_rushed else FIRST_WAIT_NS, 2 * last_wait_ns)
    left = opened_ns + DAY_NS - now_ns - LAST_CHANCE_NS
    return min(wait, max(left, FIRST_WAIT_NS)) if not is_rushed else min(wait, FIRST_WAIT_NS)


class Overlap:
    """What two connections with the same streams have brought since the newer one opened."""

    __slots__ = ("_new", "_old", "_opened_ns")

    def __init__(self, opened_ns: int) -> None:
        self._opened_ns = opened_ns
        self._old: dict[str, int] = {}
        self._new: set[str] = set()

    def old_brought(self, stream: str, received_ns: int) -> None:
        """The old connection brought a frame; its first counts."""
        self._old.setdefault(stream, received_ns)

    def new_brought(self, stream: str, _received_ns: int) -> None:
        """The new connection brought a frame."""
        self._new.add(stream)

    def is_proven(self, now_ns: int) -> bool:
        """Whether the new connection can do without the old one."""
        if now_ns - self._opened_ns < PROVE_NS:
            return False
        return all(stream in self._new for stream, first_ns in self._old.items() if first_ns <= now_ns - GRACE_NS)
