"""Decides which errors of a handler are told one by one, which only as a count."""

import functools
from typing import Any, Final

from foxtrot.util.clock import NS_PER_S


class HandlerErrors:
    """The first error of a handler is told at once, those of the next second as one count at its end. For one thread."""

    def __init__(self, quiet_ns: int = NS_PER_S) -> None:
        self.total = 0
        self._quiet_ns: Final = quiet_ns
        self._quiet_until: Final[dict[str, int]] = {}
        self._untold: Final[dict[str, int]] = {}

    def is_told(self, name: str, now_ns: int) -> bool:
        """Counts one error; whether it is to be told now."""
        self.total += 1
        if now_ns < self._quiet_until.get(name, now_ns):
            self._untold[name] = self._untold.get(name, 0) + 1
            return False
        self._quiet_until[name] = now_ns + self._quiet_ns
        return True

    def due(self, now_ns: int) -> list[tuple[str, int]]:
        """Names whose quiet second is over, each with the number of errors it hid; to be asked about once a second."""
        ended = [name for name, until in self._quiet_until.items() if until <= now_ns]
        told = []
        for name in ended:
            count = self._untold.pop(name, 0)
            if count:
                self._quiet_until[name] = now_ns + self._quiet_ns
                told.append((name, count))
            else:
                del self._quiet_until[name]
        return told


def name_of(handler: Any) -> str:
    """``module.Class.method`` of a callable, of what a partial calls, or of the class of a callable object."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    named = handler if hasattr(handler, "__qualname__") else type(handler)
    return f"{named.__module__}.{named.__qualname__}"
