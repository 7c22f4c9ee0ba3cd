"""The parameters of a REST request, checked with the venue's codes and words."""

import re
from collections.abc import Collection, Mapping

import msgspec

from foxtrot.sandbox.candles import INTERVALS_MS
from foxtrot.sandbox.figures import WINDOW_SPANS_MS

SYMBOL_RANGE = r"^[\w\-._&&[^a-z]]{1,50}$"
SYMBOLS_RANGE = r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'
WINDOW_RANGE = "^([1-5]?[0-9]m|1?[0-9]h|2[0-3]h|[1-7]d)$"
_SYMBOL = re.compile(r"^[^\Wa-z]([^\Wa-z]|[-.]){0,49}$")
_NUMBER = re.compile(r"^[0-9]{1,20}$")
_INT64 = 1 << 63


class Refused(Exception):
    """The venue's refusal: HTTP status, its own code and text."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> bytes:
        """``{"code":...,"msg":...}``."""
        return msgspec.json.encode({"code": self.code, "msg": self.message})


class Query:
    """The parameters of one request; each getter raises Refused with the venue's own words."""

    def __init__(
        self, pairs: Collection[tuple[str, str]], allowed: frozenset[str], mandatory: tuple[str, ...], listed: Collection[str]
    ) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Refused(-1101, "Duplicate values for a parameter detected.")
        if len(names) > len(allowed):
            raise Refused(-1101, f"Too many parameters; expected '{len(allowed)}' and received '{len(names)}'.")
        self._values: Mapping[str, str] = dict(pairs)
        self._listed = listed
        for name in mandatory:
            self.text(name)
        read = sum(name in allowed for name in names)
        if read != len(names):
            raise Refused(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(names)}'.")

    def has(self, name: str) -> bool:
        """Whether the parameter was sent."""
        return name in self._values

    def text(self, name: str) -> str:
        """A mandatory parameter."""
        value = self._values.get(name, "")
        if not value:
            raise Refused(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def symbol(self) -> str:
        """The mandatory symbol, listed."""
        return self._check_symbol(self.text("symbol"), "symbol", SYMBOL_RANGE)

    def symbols(self) -> list[str] | None:
        """What ``symbol`` or ``symbols`` names; None when neither was sent."""
        if self.has("symbol") and self.has("symbols"):
            raise Refused(-1128, "Combination of optional parameters invalid.")
        if self.has("symbol"):
            return [self.symbol()]
        if not self.has("symbols"):
            return None
        return self._list()

    def number(self, name: str, default: int | None = None) -> int | None:
        """An optional integer."""
        value = self._values.get(name)
        if value is None:
            return default
        if not value:
            raise Refused(-1105, f"Parameter '{name}' was empty.")
        if not _NUMBER.match(value):
            raise Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
        number = int(value)
        if number >= _INT64:
            raise Refused(-1130, f"Data sent for parameter '{name}' is not valid.")
        return number

    def limit(self, default: int, largest: int) -> int:
        """``limit``: above the largest the largest is served."""
        number = self.number("limit", default)
        if not number:
            raise Refused(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(number, largest)

    def interval(self) -> str:
        """The mandatory ``interval``."""
        value = self.text("interval")
        if value not in INTERVALS_MS:
            raise Refused(-1120, "Invalid interval.")
        return value

    def window(self) -> str:
        """``windowSize``, one day if absent."""
        value = self._values.get("windowSize", "1d")
        if value not in WINDOW_SPANS_MS:
            raise Refused(
                -1100,
                f"Illegal characters found in parameter 'windowSize'; legal range is '{WINDOW_RANGE}'.",
            )
        return value

    def is_mini(self) -> bool:
        """``type``: FULL (if absent) or MINI."""
        value = self._values.get("type", "FULL")
        if value not in {"FULL", "MINI"}:
            raise Refused(-1130, "Data sent for parameter 'type' is not valid.")
        return value == "MINI"

    def span(self) -> tuple[int | None, int | None]:
        """``startTime`` and ``endTime`` in milliseconds."""
        start, end = self.number("startTime"), self.number("endTime")
        if start is not None and end is not None and start > end:
            raise Refused(-1127, "Start time is greater than end time.")
        return start, end

    def offset_ms(self) -> int:
        """``timeZone`` as milliseconds east of UTC, 0 if absent."""
        value = self._values.get("timeZone", "0")
        found = re.match(r"^([+-]?)(\d{1,2})(?::([0-5]\d))?$", value)
        if not found:
            raise Refused(-1100, "Illegal characters found in parameter 'timeZone'.")
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        signed = -minutes if found[1] == "-" else minutes
        if not -720 <= signed <= 840:  # noqa: PLR2004 -- -12:00 to +14:00, as the venue has it
            raise Refused(-1130, "Data sent for parameter 'timeZone' is not valid.")
        return signed * 60_000

    def _list(self) -> list[str]:
        try:
            found = msgspec.json.decode(self.text("symbols"), type=list[str])
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refused(-1100, f"Illegal characters found in parameter 'symbols'; legal range is '{SYMBOLS_RANGE}'.") from error
        if not found:
            raise Refused(-1105, "Parameter 'symbols' was empty.")
        if len(set(found)) != len(found):
            raise Refused(-1151, "Symbol is present multiple times in the list.")
        return [self._check_symbol(each, "symbols", SYMBOL_RANGE) for each in found]

    def _check_symbol(self, value: str, name: str, legal: str) -> str:
        if not _SYMBOL.match(value):
            raise Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
        if value not in self._listed:
            raise Refused(-1121, "Invalid symbol.")
        return value
