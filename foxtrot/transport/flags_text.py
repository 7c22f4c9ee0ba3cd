"""Reads the text of flags.toml, refusing every mistake with its line, its key and the nearest right name."""

import re
import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from foxtrot.transport.flags_model import Defaults, Flags, KillSwitch, Pin, Rollout
from foxtrot.transport.flags_values import (
    SCHEMA,
    Check,
    WrongError,
    anything,
    boolean,
    is_channel,
    kill_symbols,
    line_count,
    listed,
    one_symbol,
    patterns,
    percent,
    schema,
    shown,
    text,
    transport,
)
from foxtrot.transport.toml_lines import KeyLines, KeyPath, dotted, printable
from foxtrot.util.constants import Channel, Exchange
from foxtrot.util.errors import FlagsError, unknown

_POSITION: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_DEEP_KEY: Final = re.compile(r"(?<![\w.\-\"'])(?:(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}")
_BARE_SLASH: Final = re.compile(r"\s*[\w*?]+/[\w*?/]*\s*=")
_BARE_WORD: Final = re.compile(r"[=\[,]\s*(?!true\b|false\b)([A-Za-z_][\w/-]*)\s*(?:[,}\]#]|$)")


class _Reader:
    """Collects what is wrong, so that a person mends everything in one go."""

    def __init__(self) -> None:
        self.problems: list[tuple[KeyPath, str]] = []

    def value(self, path: KeyPath, found: object, check: Check) -> Any:
        """The checked value, or None with a problem noted."""
        try:
            return check(found)
        except WrongError as wrong:
            self.problems.append((path + wrong.at, str(wrong)))
            return None

    def table(self, path: KeyPath, found: object, checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> dict[str, Any]:
        """The checked values of a table; what is unknown, wrong or missing is noted and left out."""
        if not isinstance(found, dict):
            self.problems.append((path, f"found {shown(found)}; write it as a section: [{dotted(path)}]"))
            return {}
        for key in found.keys() - checks.keys():
            self.problems.append(((*path, key), _unknown_key(path, key, checks)))
        for key in required:
            if key not in found:
                self.problems.append((path, f"{key} is missing from [{dotted(path)}]"))
        values = {key: self.value((*path, key), found[key], check) for key, check in checks.items() if key in found}
        return {key: value for key, value in values.items() if value is not None}


def parse(source: str) -> Flags:
    """The flags that ``source`` states. Raises the first FlagsError of ``read``; its text says what to write instead."""
    flags, errors = read(source)
    if errors:
        raise errors[0]
    return flags


def read(source: str) -> tuple[Flags, list[FlagsError]]:
    """The flags, with everything that is wrong in the order of the lines; flags with any error must not be used."""
    if deep := _DEEP_KEY.search(source):  # tomllib would take minutes for a key of thousands of parts
        return Flags(), [FlagsError("a key has more parts than any in this file", line=source.count("\n", 0, deep.start()) + 1)]
    try:
        document = tomllib.loads(source)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a bare ValueError
        return Flags(), [_syntax_error(source, error)]
    reader = _Reader()
    flags = _flags(source, document, reader)
    if not reader.problems:
        return flags, []
    lines = KeyLines(source)
    errors = [FlagsError(message, line=lines.line(path), key=dotted(path)) for path, message in reader.problems]
    return flags, sorted(errors, key=lambda error: (error.line, error.key))


def _flags(source: str, document: dict[str, Any], reader: _Reader) -> Flags:
    if "schema" not in document:
        reader.problems.append((("schema",), f"schema is missing; begin the file with: schema = {SCHEMA}"))
    top = reader.table((), document, {"schema": schema, **dict.fromkeys(_SECTIONS, anything)})
    sections = {name: read_section(top[name], reader) for name, read_section in _SECTIONS.items() if name in top}
    names = {"symbols": "pins"}
    values = {names.get(name, name): value for name, value in sections.items() if value is not None}
    return Flags(text=source, hash=sha256(source.encode()).hexdigest(), **values)


def _kill(found: object, reader: _Reader) -> KillSwitch:
    values = reader.table(("kill",), found, {"streams": boolean, "symbols": kill_symbols})
    names: dict[str, str] = values.pop("symbols", {})
    is_all = values.get("streams", False) or "*" in names
    return KillSwitch(streams=is_all, symbols=MappingProxyType({key: name for key, name in names.items() if key != "*"}))


def _defaults(found: object, reader: _Reader) -> Defaults:
    return Defaults(**reader.table(("defaults",), found, {"transport": transport, "lines": line_count}))


def _rollout(found: object, reader: _Reader) -> Rollout | None:
    if found == {}:
        return None
    checks = {"transport": transport, "salt": text, "percent": percent, "include": patterns, "exclude": patterns}
    values = reader.table(("rollout",), found, checks, required=("percent", "salt"))
    return Rollout(**values) if {"percent", "salt"} <= values.keys() else None


def _symbols(found: object, reader: _Reader) -> Mapping[str, Pin]:
    if not isinstance(found, dict):
        reader.table(("symbols",), found, {})
        return {}
    pins: dict[str, Pin] = {}
    for key, entry in found.items():
        path = ("symbols", key)
        symbol = reader.value(path, key, one_symbol)
        if symbol in pins:
            reader.problems.append((path, f"is the same symbol as {shown(pins[symbol].written)}; keep one of the two"))
        elif symbol is not None:
            pins[symbol] = _pin(path, key, entry, reader)
    return MappingProxyType(pins)


def _pin(path: KeyPath, written: str, entry: object, reader: _Reader) -> Pin:
    if not isinstance(entry, dict):
        return Pin(written=written, transport=reader.value(path, entry, transport))
    if not entry.keys() - {"note"}:
        reader.problems.append((path, f"says nothing; name a transport, lines, or a channel ({listed(Channel)})"))
    channels: dict[str, Check] = {key: transport for key in entry if is_channel(key)}
    values = reader.table(path, entry, {"transport": transport, "note": text, "lines": line_count} | channels)
    pinned = MappingProxyType({key: values.pop(key) for key in channels if key in values})
    return Pin(written=written, channels=pinned, **values)


_SECTIONS: Final[Mapping[str, Callable[[Any, _Reader], Any]]] = {
    "kill": _kill,
    "defaults": _defaults,
    "symbols": _symbols,
    "rollout": _rollout,
}
"""Each section's reader; its value becomes the field of Flags with this name."""


def _unknown_key(path: KeyPath, key: str, checks: Mapping[str, Check]) -> str:
    if path and key == "schema":
        return "schema stands above the first section"
    if path[:1] != ("symbols",) and "/" in key:
        return "a pin stands under [symbols]"
    if len(path) < 2:  # noqa: PLR2004 -- deeper is a pin
        return unknown("key" if path else "section", key, checks)
    if key.upper() in set(Exchange):
        return f'a symbol with a dot stands in quotes: "{path[1]}.{key}"'
    if key.partition(":")[0] in set(Channel):
        return "book takes a depth (book:20), bars an interval (bars:1m), the other channels nothing"
    return unknown("key", key, ["transport", "note", "lines", *Channel])


def _syntax_error(source: str, error: Exception) -> FlagsError:
    message = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a value is too long or nested too deeply"
    position = _POSITION.search(message)  # tomllib tells where in its text only (attributes came with Python 3.14)
    end = source.count("\n", 0, len(source.rstrip())) + 1
    line = int(position[1] or end) if position else 1
    for path, first, second in KeyLines(source).repeats:
        if second <= line:
            return FlagsError(f"is given twice, first on line {first}; keep one of the two", line=second, key=dotted(path))
    written = source.split("\n")[line - 1] if line <= end else ""
    hint = _syntax_hint(written)
    reason = message[: position.start()] if position else message
    return FlagsError(f"{reason[:1].lower()}{reason[1:]} in: {printable(written.strip()[:60])}{hint}", line=line)


def _syntax_hint(written: str) -> str:
    if _BARE_SLASH.match(written):
        return '; a symbol with a slash stands in quotes: "BTC/USDT"'
    _, equals, value = written.partition("=")
    word = _BARE_WORD.search(equals + value)
    if word and word[1].lower() in {"true", "false"}:
        return f"; write {word[1].lower()}"
    return f'; text stands in quotes: "{word[1]}"' if word else ""
