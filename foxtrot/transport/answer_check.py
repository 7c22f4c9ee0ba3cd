"""Holds polls' answers against what streams and earlier polls have shown: which are of the past, whose ids have begun anew."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from foxtrot.transport.base import Answer, Stats
from foxtrot.transport.id_spaces import IdSpaces
from foxtrot.transport.old_answers import OldAnswers


class Checked(NamedTuple):
    """Of one request: the symbols whose answers are to be let go, and those whose ids have begun anew."""

    late: Collection[str]
    anew: Sequence[str]


class AnswerCheck:
    """What is known of the newest trades of each symbol."""

    def __init__(self) -> None:
        self._old: Final = OldAnswers()
        self._spaces: Final = IdSpaces()

    def streamed(self, symbol: str, stats: Stats) -> None:
        """A stream has shown 24 h figures."""
        self._old.streamed(symbol, stats)
        self._spaces.streamed(symbol, stats)

    def polled(self, answers: Mapping[str, Answer], asked_ns: int, now_ns: int) -> Checked:
        """Answers of one request, asked at that instant, have come."""
        anew = [
            symbol for symbol, answer in answers.items() if answer.stats and self._spaces.polled(symbol, answer.stats, now_ns)
        ]
        return Checked(self._old.late(answers, asked_ns), anew)

    def forget(self, symbol: str) -> None:
        """What was known of it is over."""
        self._old.forget(symbol)
        self._spaces.forget(symbol)
