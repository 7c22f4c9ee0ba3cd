"""Keeps which ids a lane has not delivered live, so that what is found of them later is counted once."""

from collections import deque
from typing import Final

HOLES: Final = 10_000
"""So many holes are remembered at most, the newest ones; of older ones nothing is known."""


class MissingIds:
    """Holes between delivered ids. ``total`` counts the ids that were ever missing, ``found`` those that came later."""

    __slots__ = ("_forgotten", "_holes", "found", "total")

    def __init__(self) -> None:
        self.total = 0
        self.found = 0
        self._holes: deque[tuple[int, int]] = deque()
        self._forgotten = -1  # ids up to here are not known any more

    def add(self, first: int, last: int) -> None:
        """Ids ``first`` to ``last``, above all others so far, have been passed over."""
        self.total += last - first + 1
        self._holes.append((first, last))
        if len(self._holes) > HOLES:
            self._forgotten = self._holes.popleft()[1]

    def find(self, number: int) -> bool:
        """An id came after all; false for one that was not missing (any more)."""
        if number <= self._forgotten:
            self.found += 1
            return True
        for place, (first, last) in enumerate(self._holes):
            if first <= number <= last:
                self.found += 1
                parts = ((first, number - 1), (number + 1, last))
                del self._holes[place]
                for part in reversed([part for part in parts if part[0] <= part[1]]):
                    self._holes.insert(place, part)
                return True
        return False
