"""Keeps waiting market events in order; where too many wait, only the newest value of a symbol (of a bar: of its interval).

Two deques. Producers append to ``incoming`` without a lock (``deque.append`` is atomic with and without the GIL); everything else
happens under the owner's lock. ``front`` is older and filled only under pressure: events are sifted into it in order, and
conflated on the way.
"""

from collections import deque
from typing import Final

import msgspec

from foxtrot.core.event import Event
from foxtrot.util.event_type import CONFLATED_TYPES

_FEW_DEAD: Final = 1_000  # replaced events that are not worth clearing away


_Key = tuple[str, str, str]


class _Slot(msgspec.Struct, gc=False):
    """The place of an event that a newer one of its key may replace; empty once it was."""

    event: Event | None
    key: _Key


class Backlog:
    """Market events, oldest first. ``in_hand`` below are events the consumer took but has not handled yet: they count too."""

    def __init__(self, conflate_above: int, capacity: int) -> None:
        self.incoming: Final[deque[Event]] = deque()
        self.conflated = 0
        self.dropped = 0
        self._conflate_above: Final = conflate_above
        self._capacity: Final = capacity
        self._front: Final[deque[Event | _Slot]] = deque()
        self._newest: Final[dict[_Key, _Slot]] = {}
        self._dead = 0  # entries of _front that were replaced

    @property
    def sifted(self) -> int:
        """Waiting events but for those in ``incoming``."""
        return len(self._front) - self._dead

    @property
    def waiting(self) -> int:
        """All waiting events."""
        return self.sifted + len(self.incoming)

    def sift(self, in_hand: int) -> None:
        """Moves ``incoming`` behind what is sifted; where more than ``conflate_above`` wait, newer values replace older ones.

        At ``capacity`` the oldest event is let go for the newest. Does nothing while few events wait.
        """
        if in_hand + self.waiting <= self._conflate_above:
            return
        for _ in range(len(self.incoming)):
            event = self.incoming.popleft()
            waiting = in_hand + self.sifted
            if event.type in CONFLATED_TYPES:
                self._front.append(self._slot(event, may_replace=waiting >= self._conflate_above))
            else:
                self._front.append(event)
            if waiting >= self._capacity and in_hand + self.sifted > self._capacity:
                self._drop_oldest()
        if self._dead > _FEW_DEAD and 2 * self._dead > len(self._front):
            self._compact()

    def _slot(self, event: Event, *, may_replace: bool) -> Event | _Slot:
        key = _key_of(event)
        if key is None:
            return event
        if may_replace and (old := self._newest.get(key)) is not None:
            old.event = None  # the value goes now, its place in the row when it comes to the front
            self._dead += 1
            self.conflated += 1
        slot = self._newest[key] = _Slot(event, key)
        return slot

    def _popleft(self) -> Event | None:
        """Takes the first place of ``front``; None where its event was replaced."""
        place = self._front.popleft()
        if not isinstance(place, _Slot):
            return place
        if place.event is None:
            self._dead -= 1
        elif self._newest.get(place.key) is place:
            del self._newest[place.key]
        return place.event

    def _drop_oldest(self) -> None:
        """Lets the oldest waiting event go; there is one, else nothing would be too many."""
        while self._popleft() is None:
            pass
        self.dropped += 1

    def _compact(self) -> None:
        for _ in range(len(self._front)):
            place = self._front.popleft()
            if not isinstance(place, _Slot) or place.event is not None:
                self._front.append(place)
        self._dead = 0

    def pop(self, count: int) -> list[Event]:
        """The oldest events, ``count`` at most."""
        chunk: list[Event] = []
        while self._front and len(chunk) < count:
            event = self._popleft()
            if event is not None:
                chunk.append(event)
        if not self._front:
            popleft = self.incoming.popleft
            chunk += [popleft() for _ in range(min(len(self.incoming), count - len(chunk)))]
        return chunk

    def settle(self) -> None:
        """Moves all of ``incoming`` behind what is sifted, as it is: what comes in later stands apart."""
        self._front.extend([self.incoming.popleft() for _ in range(len(self.incoming))])

    def discard_incoming(self) -> int:
        """Lets ``incoming`` go; how many events that were."""
        count = len(self.incoming)
        for _ in range(count):
            self.incoming.popleft()
        return count

    def clear(self) -> int:
        """Lets go what is sifted; how many events that were."""
        count = self.sifted
        self._front.clear()
        self._newest.clear()
        self._dead = 0
        return count


def _key_of(event: Event) -> _Key | None:
    """What a newer value must share to replace this one; None for what is no symbol's, and for a closed bar: it must arrive."""
    symbol = getattr(event.data, "vt_symbol", None)
    if symbol is None or getattr(event.data, "is_closed", False):
        return None
    return (event.type, symbol, getattr(event.data, "interval", ""))
