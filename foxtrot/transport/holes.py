"""Notices ids that a stream under proof left out; frames that merely came out of order fill their hole in time."""

from typing import Final

from foxtrot.util.clock import NS_PER_S

PATIENCE_NS: Final = NS_PER_S
"""So long a hole may last: then it is a gap."""

CAPACITY: Final = 16
"""So many holes at once are a gap, however young."""


class Holes:
    """What lies between the ids that one stream brought."""

    __slots__ = ("_holes", "_next")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A stream came up: whatever it brings first leaves no hole before it."""
        self._next = -1
        self._holes: list[tuple[int, int, int]] = []  # first, last, since when

    def heard(self, item_id: int, now_ns: int) -> None:
        """The stream brought this id."""
        if self._next < 0 or item_id == self._next:
            self._next = item_id + 1
        elif item_id > self._next:
            self._holes.append((self._next, item_id - 1, now_ns))
            self._next = item_id + 1
        elif self._holes:
            self._holes = [rest for hole in self._holes for rest in _without(hole, item_id)]

    def stalled(self, span_ns: int) -> None:
        """Our loop stood still for so long: what fills a hole may not have been read yet."""
        self._holes = [(first, last, since_ns + span_ns) for first, last, since_ns in self._holes]

    @property
    def is_none(self) -> bool:
        """Whether nothing is missing."""
        return not self._holes

    def is_gap(self, now_ns: int) -> bool:
        """Whether something is missing that will not come any more."""
        return bool(self._holes) and (len(self._holes) > CAPACITY or now_ns - self._holes[0][2] >= PATIENCE_NS)


def _without(hole: tuple[int, int, int], item_id: int) -> list[tuple[int, int, int]]:
    first, last, since_ns = hole
    if not first <= item_id <= last:
        return [hole]
    parts = ((first, item_id - 1, since_ns), (item_id + 1, last, since_ns))
    return [part for part in parts if part[0] <= part[1]]
