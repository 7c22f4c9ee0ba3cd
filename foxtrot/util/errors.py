"""The error tree.

::

    FoxtrotError
    ├── ConfigError            a setting or a file is wrong; the caller mends it
    │   └── FlagsError         flags.toml: knows its line and key
    ├── RequestError           this request is wrong; sending it again cannot help
    │   ├── UnknownSymbol
    │   └── NotSupported
    ├── VenueError             the venue, or the way to it
    │   ├── Unavailable        network, timeout, 5xx: worth trying again
    │   ├── RateLimited        429: not before ``retry_after`` seconds
    │   │   └── Banned         418
    │   ├── Denied             the key, its rights, or a firewall (401, 403)
    │   └── BadAnswer          the answer does not fit its documented shape
    └── Closed                 the engine or adapter has been closed

Each error answers "worth trying again?" (``is_retryable``) and "whose fault?" (``fault``: caller, venue, network, us).
Nothing asks an error's text.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar, Literal

Fault = Literal["caller", "venue", "network", "us"]


class FoxtrotError(Exception):
    """Whatever Foxtrot raises on purpose."""

    is_retryable: ClassVar[bool] = False
    fault: ClassVar[Fault] = "us"


class ConfigError(FoxtrotError):
    """A setting or a file is wrong; the text says which and what is allowed."""

    fault: ClassVar[Fault] = "caller"


class FlagsError(ConfigError):
    """flags.toml is refused: ``line`` (from 1; 0 unknown), ``key`` (dotted path) and what is wrong with it."""

    def __init__(self, message: str, *, line: int = 0, key: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.key = key


class RequestError(FoxtrotError):
    """This request is wrong; sending it again cannot help. ``code`` is the venue's own number, 0 where it has none."""

    fault: ClassVar[Fault] = "caller"

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class UnknownSymbol(RequestError):
    """The venue does not list this symbol (Binance -1121)."""


class NotSupported(RequestError):
    """This adapter cannot do that."""


class VenueError(FoxtrotError):
    """The venue, or the way to it, failed."""

    fault: ClassVar[Fault] = "venue"


class Unavailable(VenueError):
    """Network, timeout or 5xx: the next attempt may succeed."""

    is_retryable: ClassVar[bool] = True
    fault: ClassVar[Fault] = "network"


class RateLimited(VenueError):
    """The venue asks for silence (HTTP 429) for ``retry_after`` seconds."""

    is_retryable: ClassVar[bool] = True
    fault: ClassVar[Fault] = "us"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Banned(RateLimited):
    """The venue refuses this address (HTTP 418) for ``retry_after`` seconds."""


class Denied(VenueError):
    """The key, its rights or a firewall refuse (401, 403, -2014, -2015)."""

    fault: ClassVar[Fault] = "caller"


class BadAnswer(VenueError):
    """The answer does not fit its documented shape."""


class Closed(FoxtrotError):
    """The engine or adapter has been closed; nothing more is accepted."""

    fault: ClassVar[Fault] = "caller"


def nearest(found: str, allowed: Iterable[str]) -> str:
    """The allowed name most like ``found``, or "" when none is alike; case is ignored."""
    names = {name.lower(): str(name) for name in allowed}  # an enum prints as its value
    close = difflib.get_close_matches(found.lower(), names, n=1, cutoff=0.5)
    return names[close[0]] if close else ""


def unknown(kind: str, found: str, allowed: Iterable[str]) -> str:
    """One sentence for a name that does not exist: what was found, the nearest right name, else what is allowed."""
    names = sorted(allowed)
    close = nearest(found, names)
    hint = f"did you mean {close!r}?" if close else f"allowed: {', '.join(names)}"
    return f"unknown {kind} {found!r}; {hint}"
