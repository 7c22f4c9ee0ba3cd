"""What may leave a lane, told from the order of what did: no more is known of the lane than that."""

from collections.abc import Sequence

from foxtrot.transport import steps
from foxtrot.util.constants import LaneState, Reason, Serving, Source
from tests.support.fates import Value

Told = Value | steps.Effect


class Ledger:
    """Reads what one lane has told, once, in order. ``is_whole``: its ids must be whole; else newer ones replace older ones."""

    def __init__(self, told: Sequence[Told], *, is_whole: bool) -> None:
        self._told = told
        self._read = 0
        self._is_whole = is_whole
        self._served: set[Reason] = set()
        self.last = -1
        self.live: set[int] = set()
        self.gaps: set[int] = set()
        self.found: set[int] = set()
        self.state = LaneState.POLLING
        self.serving = Serving.NONE
        self.falls = self.polls = 0
        self.faults: dict[int, str] = {}  # by the rule that is broken

    def read(self) -> None:
        """Takes in what is new."""
        for told in self._told[self._read :]:
            if self.state is LaneState.CLOSED:
                self._fault(11, told)
            match told:
                case Value():
                    self._value(told)
                case steps.Announce():
                    self._announce(told)
                case steps.Missing(first, last):
                    self.gaps.update(range(first, last + 1))
                    self.last = last
                case steps.Backfill(items):
                    self._backfill({item.id for item in items}, told)
                case steps.PollNow():
                    self.polls += 1
                case _:
                    pass
        self._read = len(self._told)

    def missing(self, made: Sequence[int], start: int) -> list[int]:
        """The ids that the venue made since the start, were passed by, and were neither delivered nor told as missing."""
        known = self.live | self.gaps
        return [item_id for item_id in made if start <= item_id <= self.last and item_id not in known]

    def _value(self, value: Value) -> None:
        is_repeat = value.id == self.last and (self._is_whole or value.source is Source.STREAM)
        if value.id < self.last or is_repeat:
            self._fault(1, value)
        if value.source is Source.STREAM and self.serving is not Serving.STREAM:
            self._fault(6, value)
        self.last = value.id
        self.live.add(value.id)

    def _backfill(self, ids: set[int], told: Told) -> None:
        if not ids <= self.gaps - self.found or ids & self.live:
            self._fault(2, told)
        self.found |= ids

    def _announce(self, change: steps.Announce) -> None:
        if change.old is not self.state:
            self._fault(6, change)  # what is told has to be in the order in which it came to be
        self.falls += self.serving is Serving.STREAM and change.serving is Serving.POLL
        self.state, self.serving = change.new, change.serving

    def _fault(self, rule: int, told: Told) -> None:
        self.faults.setdefault(rule, f"{told} when {self.state}, {self.serving} and {self.last} delivered")
