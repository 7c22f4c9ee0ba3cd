"""Tells polls' answers that are of the past: from a cache, or from a replica that stands still."""

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

from foxtrot.transport.base import Answer, Stats
from foxtrot.util.clock import NS_PER_S

BEHIND_NS: Final = 2 * NS_PER_S
"""An answer may be so far behind the streams: replicas of the venue's state trail by some hundred milliseconds."""

MEMORY: Final = 16
"""So many newest trades are remembered of each symbol; streams tell one a second."""


class OldAnswers:
    """What streams have shown of the newest trades, held against what polls answer.

    1. A symbol is late where its newest trade is behind what its stream had shown two seconds before the question.
    2. One answer has one age: where one symbol is late, nothing else in it is of the present either. It then neither confirms nor
       contradicts anything.
    3. Unless another symbol shows that it is: with a newer trade than its stream had shown, or, while the late ones stand still,
       than any poll before. Then the late ones alone are let go, for as long as they stand there.
    """

    __slots__ = ("_known", "_polled", "_stuck")

    def __init__(self) -> None:
        self._known: Final[dict[str, deque[tuple[int, int]]]] = {}  # by symbol: when (nanoseconds), the newest trade id
        self._polled: Final[dict[str, int]] = {}  # by symbol: the newest trade id that a poll has shown
        self._stuck: Final[dict[str, int]] = {}  # by symbol: where it stood still while others went on

    def streamed(self, symbol: str, stats: Stats) -> None:
        """A stream has shown 24 h figures."""
        known = self._known.setdefault(symbol, deque(maxlen=MEMORY))
        if not known or stats.last_id > known[-1][1]:
            known.append((stats.received_ns, stats.last_id))

    def forget(self, symbol: str) -> None:
        """Nobody wants it any more."""
        self._known.pop(symbol, None)
        self._polled.pop(symbol, None)
        self._stuck.pop(symbol, None)

    def late(self, answers: Mapping[str, Answer], asked_ns: int) -> Collection[str]:
        """The symbols whose answers are to be let go, of one request asked at that instant."""
        shown = {symbol: answer.stats.last_id for symbol, answer in answers.items() if answer.stats and answer.stats.last_id >= 0}
        moved = {symbol for symbol, last_id in shown.items() if last_id > self._polled.get(symbol, last_id)}
        self._polled.update({symbol: max(last_id, self._polled.get(symbol, -1)) for symbol, last_id in shown.items()})
        until_ns = asked_ns - BEHIND_NS
        known = {symbol: self._known_at(symbol, until_ns) for symbol in shown}
        late = {symbol for symbol, last_id in shown.items() if last_id < known[symbol]}
        if not late:
            return late
        is_still = not late & moved
        if any(shown[symbol] > known[symbol] >= 0 or (is_still and symbol in moved) for symbol in shown.keys() - late):
            self._stuck.update({symbol: shown[symbol] for symbol in late})
        is_whole = any(self._stuck.get(symbol) != shown[symbol] for symbol in late)
        return answers.keys() if is_whole else late

    def _known_at(self, symbol: str, until_ns: int) -> int:
        """The newest trade id that its stream had shown by then; -1: none."""
        return next((last_id for at_ns, last_id in reversed(self._known.get(symbol, ())) if at_ns <= until_ns), -1)
