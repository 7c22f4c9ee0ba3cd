"""What Binance's answers mean: one table from (HTTP status, code) to our errors (reliability, 4.3)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foxtrot.util import retry_after
from foxtrot.util.errors import Banned, Denied, FoxtrotError, RateLimited, RequestError, Unavailable, UnknownSymbol

_UNKNOWN_SYMBOL: Final = -1121
_TRANSIENT: Final = frozenset({-1000, -1001, -1006, -1007, -1016})
_DENIED: Final = frozenset({-1002, -2014, -2015})
_TOO_MUCH: Final = frozenset({-1003, -1008, -1015, -1034})


class ErrorBody(msgspec.Struct):
    """Binance's error body."""

    code: int = 0
    msg: str = ""


def to_error(what: str, status: int, headers: Mapping[str, str], body: str) -> FoxtrotError:
    """The error for an answer of status 400 or more. ``what`` names the request without its parameters."""
    try:
        told = msgspec.json.decode(body, type=ErrorBody)
    except (msgspec.MsgspecError, RecursionError):
        told = ErrorBody()
    text = f"{what}: HTTP {status}" + (f", {told.code} {printable(told.msg)}" if told.code else "")
    if status == 418:  # noqa: PLR2004 -- HTTP's own number
        return Banned(f"{text}; this address is refused", retry_after=_retry_after(headers))
    if status == 429 or told.code in _TOO_MUCH:  # noqa: PLR2004 -- HTTP's own number
        return RateLimited(f"{text}; silence is asked for", retry_after=_retry_after(headers))
    if status >= 500 or told.code in _TRANSIENT:  # noqa: PLR2004 -- HTTP's own number
        return Unavailable(text)
    if status in {401, 403} or told.code in _DENIED:
        return Denied(text)
    if told.code == _UNKNOWN_SYMBOL:
        return UnknownSymbol(text, code=told.code)
    if not told.code:
        return Unavailable(text)  # somebody on the way answered, not the venue: it says nothing of the request
    return RequestError(text, code=told.code)


def _retry_after(headers: Mapping[str, str]) -> float:
    return retry_after.seconds(next((value for name, value in headers.items() if name.lower() == "retry-after"), ""))


def printable(text: str) -> str:
    """Without control characters: a venue's text may not write lines of its own into a log."""
    return "".join(character for character in text[:200] if character.isprintable())
