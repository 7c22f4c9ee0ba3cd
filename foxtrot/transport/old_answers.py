"""Tells a poll's answer that is old as a whole: from a cache, or from a replica that stands still."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from foxtrot.transport.base import Answer, Stats
from foxtrot.util.clock import NS_PER_S

BEHIND_NS: Final = 2 * NS_PER_S
"""An answer may be so far behind the streams: replicas of the venue's state trail by some hundred milliseconds."""

MEMORY: Final = 16
"""So many newest trades are remembered of each symbol; streams tell one a second."""


class OldAnswers:
    """What streams have shown of the newest trades, held against what polls answer.

    One answer has one age: where the newest trade of one of its symbols is behind what that symbol's stream had shown two seconds
    before it was asked, nothing else in it is of the present either. It then neither confirms nor contradicts anything.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Final[dict[str, deque[tuple[int, int]]]] = {}  # by symbol: when (nanoseconds), the newest trade id

    def streamed(self, symbol: str, stats: Stats) -> None:
        """A stream has shown 24 h figures."""
        known = self._known.setdefault(symbol, deque(maxlen=MEMORY))
        if not known or stats.last_id > known[-1][1]:
            known.append((stats.received_ns, stats.last_id))

    def is_old(self, answers: Mapping[str, Answer], asked_ns: int) -> bool:
        """Whether answers of one request, asked at that instant, show that it was answered from the past."""
        return any(self._is_behind(each, asked_ns - BEHIND_NS) for each in answers.values())

    def _is_behind(self, answer: Answer, until_ns: int) -> bool:
        if answer.stats is None or answer.stats.last_id < 0:
            return False  # it says nothing of trades
        known = self._known.get(answer.symbol, ())
        return answer.stats.last_id < next((last_id for at_ns, last_id in reversed(known) if at_ns <= until_ns), -1)
