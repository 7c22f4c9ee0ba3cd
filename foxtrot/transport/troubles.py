"""Tells each problem once: again only after it was over, or has become another."""

import logging
from collections.abc import Callable, Collection
from typing import Final

_REPEATS: Final = "REST repeats what is over, as a cache would: polls count for nothing until it is current again"

_log = logging.getLogger(__name__)


class Troubles:
    """What is wrong now, by what it is wrong with; ``tell`` takes a sentence for a person."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._now: dict[str, str] = {}
        self._broken: set[str] = set()

    def say(self, what: str, problem: str) -> None:
        """There is a problem with something; "": it works again."""
        if not problem:
            self._now.pop(what, None)
        elif self._now.get(what) != problem:
            self._now[what] = problem
            self._tell(problem)

    def polled(self, symbols: Collection[str], late: Collection[str]) -> None:
        """A beat has brought answers: ``late`` are the symbols whose answer is of the past; where all are, REST as a whole is."""
        is_all = len(late) == len(symbols) > 0
        self.say("poll", _REPEATS if is_all else "")
        for symbol in () if is_all else symbols:
            self.say(f"poll {symbol}", f"{symbol}: {_REPEATS}" if symbol in late else "")

    def broken(self, what: str, error: Exception) -> None:
        """Something of ours, or a callback of the user's, raised: it goes on, and is logged with its traceback, once for each."""
        text = f"{what}: {type(error).__name__}: {error}"
        if text not in self._broken:
            self._broken.add(text)
            _log.error("hub.broken", exc_info=error, extra={"what": what})
