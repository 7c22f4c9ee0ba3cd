"""Lets through what Foxtrot's own loggers warn of, as lines, and silences every library."""

import logging
import re
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from typing_extensions import override

_OURS: Final = "foxtrot"
_EVENT: Final = re.compile(r"^[a-z_]+\.[a-z_]+")  # component.event, as the log calls it
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))


class ForeignLogs(logging.Handler):
    """While entered: ``tell(level, text)`` for each warning or error of ours, from any thread; nothing of others.

    Names of events are told as words, extra fields by their values, a traceback as the name and text of its exception. What the
    event engine tells by events as well comes once.
    """

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell: Final = tell
        self._nobody: Final = logging.NullHandler()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.name.endswith(".event_engine"):  # its warnings come as EVENT_LOG
            return
        values = ", ".join(str(value) for name, value in vars(record).items() if name not in _STANDARD)
        text = _EVENT.sub(_in_words, record.getMessage()) + (f": {values}" if values else "")
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        self._tell(record.levelno, " ".join(text.split()))

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._nobody)  # else Python prints warnings of any library to stderr
        logging.getLogger(_OURS).addHandler(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        logging.getLogger(_OURS).removeHandler(self)
        logging.getLogger().removeHandler(self._nobody)


def _in_words(event: re.Match[str]) -> str:
    return event[0].replace(".", " ").replace("_", " ")
