"""Checks single values of flags.toml: what was found, what is allowed, what was probably meant."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from foxtrot.transport.flags_model import EVERYTHING, Pattern
from foxtrot.transport.toml_lines import KeyPath, quoted
from foxtrot.util.constants import Channel, Exchange, Transport
from foxtrot.util.errors import nearest, unknown
from foxtrot.util.symbol import to_venue_symbol

SCHEMA: Final = 1

_DEPTH: Final = re.compile(r"[1-9]\d{0,3}")
_INTERVAL: Final = re.compile(r"[1-9]\d?[smhdwM]")
_ALL: Final = 100.0  # percent


class WrongError(Exception):
    """What is wrong with a value, and where inside of it."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at: KeyPath = at


Check = Callable[[Any], Any]
"""Turns what stands in the file into what the model holds; raises WrongError."""


def shown(found: object) -> str:
    """A value as a person would recognise it, on one line."""
    match found:
        case str():
            return quoted(found if len(found) <= 60 else found[:57] + "...")  # noqa: PLR2004 -- what fits into a line
        case bool():
            return "true" if found else "false"
        case int() | float():
            return f"{found:.10g}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


def anything(found: object) -> object:
    """Whatever stands there; its section's reader looks closer."""
    return found


def schema(found: object) -> int:
    """The one schema that this version reads."""
    if type(found) is not int or found != SCHEMA:
        raise WrongError(f"found {shown(found)}; this version of Foxtrot reads schema = {SCHEMA}")
    return SCHEMA


def boolean(found: object) -> bool:
    """True or false."""
    if not isinstance(found, bool):
        raise WrongError(f"found {shown(found)}; write true or false, without quotes")
    return found


def text(found: object) -> str:
    """Any text."""
    if not isinstance(found, str):
        raise WrongError(f"found {shown(found)}; write text, in quotes")
    return found


def transport(found: object) -> Transport:
    """polling, streaming or shadow."""
    if isinstance(found, str) and found in set(Transport):
        return Transport(found)
    close = nearest(found, Transport) if isinstance(found, str) else ""
    hint = f'; did you mean "{close}"?' if close else ""
    raise WrongError(f"found {shown(found)}; a transport is {listed(Transport)}{hint}")


def line_count(found: object) -> int:
    """1 or 2 stream connections."""
    if type(found) is not int or found not in {1, 2}:
        raise WrongError(f"found {shown(found)}; lines is 1 or 2 (two stream connections, the first arrival wins)")
    return found


def percent(found: Any) -> float:
    """0 to 100, fractions allowed."""
    if type(found) not in {int, float} or not 0 <= found <= _ALL:  # NaN is in no range
        raise WrongError(f"found {shown(found)}; percent is a number from 0 to 100, without quotes")
    return float(found)


def one_symbol(found: object) -> str:
    """The venue form; also used for keys of ``[symbols]``."""
    if not isinstance(found, str):
        raise WrongError(f'found {shown(found)}; a symbol is text, in quotes: "BTC/USDT"')
    if "*" in found:
        raise WrongError('names many; a pattern is allowed in [rollout] include and exclude only; write one symbol: "BTC/USDT"')
    exchange = found.partition(".")[2]
    if exchange and exchange.upper() not in set(Exchange):
        raise WrongError(unknown("exchange", exchange, Exchange))
    try:
        return to_venue_symbol(found)
    except ValueError as error:
        raise WrongError(str(error)) from error


def kill_symbols(found: object) -> dict[str, str]:
    """Venue form to what stands there.

    A symbol named twice is fine here, and so is ``*``: nothing may stand between a person and the brake.
    """
    return {"*" if name == "*" else _at(index, name, one_symbol): str(name) for index, name in enumerate(_list(found))}


def patterns(found: object) -> tuple[Pattern, ...]:
    """Symbols and globs, none of them twice."""
    patterns: list[Pattern] = []
    for index, entry in enumerate(_list(found)):
        pattern = _at(index, entry, one_pattern)
        for other in patterns:
            if (other.symbol, other.base, other.quote) == (pattern.symbol, pattern.base, pattern.quote):
                raise WrongError(f"is the same as {shown(other.written)}; keep one of the two", index)
        patterns.append(pattern)
    return tuple(patterns)


def one_pattern(found: object) -> Pattern:
    """A symbol in any form, or a glob ``BASE/QUOTE``; ``*`` is everything."""
    if found == "*":
        return Pattern(written="*", base=EVERYTHING.base, quote=EVERYTHING.quote)
    if not isinstance(found, str) or not set(found) & set("*?["):
        return Pattern(written=str(found), symbol=one_symbol(found))
    base, slash, quote = found.upper().partition("/")
    if not slash or not base or not quote or set(found) & set("[] \t") or "/" in quote:
        raise WrongError(f'found {shown(found)}; a pattern is BASE/QUOTE with * and ?: "*/USDT", "BTC/*", "*/*"')
    return Pattern(written=found, base=base, quote=quote)


def _list(found: object) -> list[Any]:
    if not isinstance(found, list):
        raise WrongError(f'found {shown(found)}; write a list: ["BTC/USDT", "ETH/USDT"]')
    return found


def _at(index: int, found: object, check: Check) -> Any:
    try:
        return check(found)
    except WrongError as wrong:
        raise WrongError(str(wrong), index, *wrong.at) from wrong


def is_channel(key: str) -> bool:
    """Whether this names a channel, with a fitting parameter or none: ``tick``, ``book``, ``book:20``, ``bars:1m``."""
    kind, colon, parameter = key.partition(":")
    if kind not in set(Channel):
        return False
    form = {Channel.BOOK: _DEPTH, Channel.BARS: _INTERVAL}.get(Channel(kind))
    return not colon or (form is not None and form.fullmatch(parameter) is not None)
