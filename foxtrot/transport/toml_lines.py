"""Finds the line on which each key of a TOML text stands (tomllib reads values, but tells no positions)."""

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys from the outermost in; an int is a place in an array, from 0."""

_MAX_DEPTH: Final = 32
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BLANK: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)


class _LostError(Exception):
    """The text goes on in a way that is not TOML."""


class KeyLines:
    """The line (from 1) of every key, table and array element of ``text``.

    Never raises: where ``text`` is not TOML it knows what stands before that place. ``repeats`` lists the keys that are given
    twice, as (path, first line, second line).
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._implied: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        self.repeats: list[tuple[KeyPath, int, int]] = []
        with suppress(_LostError):
            self._document()

    def line(self, path: KeyPath) -> int:
        """The line of ``path``, or of the nearest thing around it that has one; 1 when nothing has."""
        while path:
            if line := self._lines.get(path, 0) or self._implied.get(path, 0):
                return line
            path = path[:-1]
        return 1

    def _document(self) -> None:
        prefix: KeyPath = ()
        while self._skip(_GAP) < len(self._text):
            if self._text.startswith("[", self._pos):
                prefix = self._header()
            else:
                self._pair(prefix, 0)

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._pos)
        line = self._line_here()
        self._pos += 1 + is_array
        path = self._key()
        self._expect("]" * (1 + is_array))
        if is_array:
            self._tables[path] = self._tables.get(path, 0) + 1
            self._lines.setdefault(path, line)
            path = (*path, self._tables[path] - 1)
        self._record(path, line)
        return path

    def _pair(self, prefix: KeyPath, depth: int) -> None:
        line = self._line_here()
        path = prefix + self._key()
        self._expect("=")
        self._record(path, line)
        self._value(path, depth)

    def _value(self, path: KeyPath, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise _LostError
        self._skip(_BLANK)
        opening = self._text[self._pos : self._pos + 1]
        if opening == "[":
            self._array(path, depth)
        elif opening == "{":
            self._inline_table(path, depth)
        else:
            self._take(_STRING if opening in {'"', "'"} else _SCALAR)

    def _array(self, path: KeyPath, depth: int) -> None:
        self._pos += 1
        index = 0
        while not self._ends("]"):
            self._record((*path, index), self._line_here())
            self._value((*path, index), depth + 1)
            index += 1
            self._comma_before("]")

    def _inline_table(self, path: KeyPath, depth: int) -> None:
        self._pos += 1
        while not self._ends("}"):
            self._pair(path, depth + 1)
            self._comma_before("}")

    def _comma_before(self, closing: str) -> None:
        self._skip(_GAP)
        if self._text.startswith(",", self._pos):
            self._pos += 1
        elif not self._text.startswith(closing, self._pos):
            raise _LostError

    def _ends(self, closing: str) -> bool:
        self._skip(_GAP)
        is_end = self._text.startswith(closing, self._pos)
        self._pos += is_end
        return is_end

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            is_quoted = self._text[self._pos : self._pos + 1] in {'"', "'"}
            raw = self._take(_STRING if is_quoted else _BARE)
            parts.append(_unquoted(raw) if is_quoted else raw)
            self._skip(_BLANK)
            if not self._text.startswith(".", self._pos):
                return tuple(parts)
            self._pos += 1

    def _record(self, path: KeyPath, line: int) -> None:
        if path in self._lines:
            self.repeats.append((path, self._lines[path], line))
        self._lines.setdefault(path, line)
        for length in range(1, len(path)):
            self._implied.setdefault(path[:length], line)

    def _expect(self, sign: str) -> None:
        self._skip(_BLANK)
        if not self._text.startswith(sign, self._pos):
            raise _LostError
        self._pos += len(sign)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._pos)
        if match is None:
            raise _LostError
        self._pos = match.end()
        return match.group()

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos
        return self._pos

    def _line_here(self) -> int:
        return bisect_right(self._breaks, self._pos - 1) + 1


def dotted(path: KeyPath) -> str:
    """The path as TOML writes it: ``symbols."BTC/USDT".tick``, ``rollout.include[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else quoted(part)
            text += f".{name}" if text else name
    return text


def quoted(text: str) -> str:
    """The text between double quotes, on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


def printable(text: str) -> str:
    """The text on one line: what cannot be printed is escaped, so that no terminal and no log is led astray."""
    return "".join(sign if sign.isprintable() else _escaped(ord(sign)) for sign in text)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _unquoted(raw: str) -> str:
    try:
        return str(tomllib.loads(f"key = {raw}")["key"])
    except tomllib.TOMLDecodeError:
        return raw[1:-1]
