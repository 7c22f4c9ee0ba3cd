"""What decides a lane's future, as a hash: equal for lanes that differ in their clocks and ids alone."""

import enum
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final

from foxtrot.transport.breaker import Permit
from foxtrot.util.clock import NS_PER_MS

IGNORED: Final = frozenset(
    {
        # what is reported and decides nothing
        *("delivered", "duplicates", "switches", "gaps", "changed_ns", "confirmed_ns", "generation", "total_hits"),
        *("total_misses", "key", "_now", "_out", "_reported", "_chance", "_policy", "_hold_ns", "_window_ns"),
        # what is reached by another way
        *("_values", "note", "_note"),
    }
)
PLAIN: Final = frozenset({bool, str, type(None)})
LISTS: Final = frozenset({tuple, list, deque})

FIRST_ID: Final = 10**20
FIRST_SIZE: Final = 10.0**6
START_NS: Final = 10**18
"""Where a lane's world begins: ids, sizes, nanoseconds, milliseconds and spans are told apart by how large they are."""

NEVER: Final = 2 * START_NS
TIME_NS: Final = START_NS // 2
TIME_MS: Final = START_NS // NS_PER_MS // 2
SMALL: Final = 10**4

AGES_MS: Final = (-60_000, -1, 0, 1, 250, 450, 900, 1_000, 1_500, 2_000, 2_500, 3_000, 5_000, 10_000, 30_000, 60_000)
"""The rules tell no ages apart that lie between the same two of these."""

FAR: Final = 3
"""Ids that are further than this from the venue's newest are far, whatever their number."""


class Fingerprint:
    """Of one moment: times count from ``now_ns``, ids from the ``newest``."""

    def __init__(self, now_ns: int, newest: int) -> None:
        self._now_ns = now_ns
        self._newest = newest

    def of(self, value: Any) -> object:  # noqa: PLR0911 -- of whatever a lane holds; one line a kind
        """A hashable image of a value and all it holds."""
        kind: type = type(value)
        if kind is int:
            return value if value < SMALL else self._number(value)
        if kind is float:
            return value if value < FIRST_SIZE else self._number(FIRST_ID + int(value - FIRST_SIZE))
        if kind in PLAIN or isinstance(value, enum.Enum):
            return value
        if kind in LISTS:
            return tuple([self.of(item) for item in value]) if value else ()
        if kind is Permit:
            return True
        if kind is dict:
            return tuple([(self.of(key), self.of(item)) for key, item in value.items()])
        if isinstance(value, tuple):
            return tuple([self.of(item) for item in value])
        if kind is set:
            return tuple(sorted([self._number(item) for item in value]))
        parts = _parts(kind, tuple(getattr(value, "__dict__", ())))
        return (kind, *[self.of(part) for part in parts(value)])

    def _number(self, value: int) -> int:
        if value >= FIRST_ID:
            return max(-FAR, min(FAR, value - self._newest))
        if value > NEVER:
            return value
        if value > TIME_NS:
            return _age((self._now_ns - value) // NS_PER_MS)
        return _age(self._now_ns // NS_PER_MS - value if value > TIME_MS else value // NS_PER_MS)


@cache
def _age(age_ms: int) -> int:
    return bisect_right(AGES_MS, age_ms)


@cache
def _parts(kind: type, own: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if not name.startswith("__")]
    fields = getattr(kind, "__struct_fields__", ())
    names = [name for name in dict.fromkeys([*fields, *slots, *own]) if name not in IGNORED]
    if not names:
        return lambda _: ()
    if len(names) == 1:
        (name,) = names
        return lambda value: (getattr(value, name),)
    return attrgetter(*names)
