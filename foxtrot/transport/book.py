"""What the transports ask of a venue's order books and bars."""

import enum
from collections.abc import Callable
from typing import Protocol

from foxtrot.transport.base import Depth, Diff, Item, LaneKey
from foxtrot.util.constants import Source


class Fit(enum.Enum):
    """How a ``Diff`` stands to a book."""

    OLD = enum.auto()  # the book holds it already
    NEXT = enum.auto()  # it has been applied
    GAP = enum.auto()  # something is missing before it, or the book is no book any more: a snapshot is due


class Book(Protocol):
    """One order book as its venue's rules keep it; ``values_book`` brings it snapshots and diffs."""

    @property
    def update_id(self) -> int:
        """Up to which update it holds everything; 0: none."""
        ...

    @property
    def is_valid(self) -> bool:
        """Whether it may be served: it has a snapshot, nothing is missing, it is not crossed."""
        ...

    @property
    def is_narrow(self) -> bool:
        """Whether fewer levels are known on a side than are to be served: a new snapshot is due."""
        ...

    @property
    def limit(self) -> int:
        """How many levels a side the next snapshot is to be asked for."""
        ...

    @property
    def top(self) -> tuple[float, float, float, float]:
        """Best bid, its size, best ask, its size; 0.0 for a side that is empty."""
        ...

    def clear(self) -> None:
        """Forgets everything: not valid until the next snapshot."""
        ...

    def load(self, depth: Depth) -> None:
        """Begins anew from a snapshot."""
        ...

    def apply(self, diff: Diff) -> Fit:
        """Takes the next diff."""
        ...

    def agreement(self, other: "Book") -> float:
        """The share of levels, of those that both know, that are equal in another book at the same update: 0.0 to 1.0."""
        ...

    def item(self, source: Source, venue_time_ns: int, received_ns: int) -> Item:
        """The book as it is delivered, valid or not; its id is ``update_id``. Times are nanoseconds since 1970 UTC."""
        ...


class Kinds(Protocol):
    """What a venue knows of its books and bars."""

    def book(self, key: LaneKey) -> Book:
        """An empty order book for a lane."""
        ...

    def close_ms(self, key: LaneKey) -> Callable[[int], int]:
        """When the bar of a number closes: its last millisecond, since 1970 UTC."""
        ...
