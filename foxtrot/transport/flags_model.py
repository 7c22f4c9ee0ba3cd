"""What flags.toml and the KILL file say, as frozen values."""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import msgspec

from foxtrot.util.constants import Transport
from foxtrot.util.symbol import to_venue_symbol

END_MARK: Final = "# end of flags"
"""The last line of a whole file: without it, a file may still be being written."""

BUCKETS: Final = 10_000
"""A bucket is a hundredth of a percent."""


class KillList(msgspec.Struct, frozen=True):
    """What the file KILL says: everything, or these symbols (venue form), polls."""

    all: bool = False
    symbols: frozenset[str] = frozenset()


class KillSwitch(msgspec.Struct, frozen=True):
    """``[kill]``: ``symbols`` maps the venue form to what stands in the file."""

    streams: bool = False
    symbols: Mapping[str, str] = MappingProxyType({})


class Defaults(msgspec.Struct, frozen=True):
    """``[defaults]``: what holds where nothing else speaks. ``lines``: stream connections a lane, 1 or 2."""

    transport: Transport = Transport.POLLING
    lines: int = 1


class Pin(msgspec.Struct, frozen=True):
    """An entry of ``[symbols]``, ``written`` as its key stands in the file.

    ``channels`` maps ``tick``, ``book``, ``book:20`` ... to a transport and beats ``transport``; None where the entry is silent.
    """

    written: str
    transport: Transport | None = None
    channels: Mapping[str, Transport] = MappingProxyType({})
    lines: int | None = None
    note: str = ""

    def transport_for(self, channel: str) -> tuple[str, Transport] | None:
        """The key that speaks for ``channel`` (itself, its kind, or ``transport``) with its transport, or None."""
        for key in (channel, channel.partition(":")[0]):
            if key in self.channels:
                return key, self.channels[key]
        return None if self.transport is None else ("transport", self.transport)


class Pattern(msgspec.Struct, frozen=True):
    """An entry of ``include`` or ``exclude``: one symbol (``symbol`` in venue form), or a glob over BASE/QUOTE."""

    written: str
    symbol: str = ""
    base: str = "*"
    quote: str = "*"

    def matches(self, symbol: str, unified: str | None) -> bool | None:
        """Whether it names ``symbol``; None when only the unified form could tell and that is not known yet."""
        if self.symbol:
            return self.symbol == symbol
        if unified is None:
            return None
        base, _, quote = unified.upper().partition("/")
        return fnmatchcase(base, self.base) and fnmatchcase(quote.partition(":")[0], self.quote)


EVERYTHING: Final = Pattern(written="*/*")


class Membership(StrEnum):
    """Where a symbol stands towards the rollout."""

    MEMBER = "member"
    NOT_INCLUDED = "not included"
    EXCLUDED = "excluded"
    NOT_DRAWN = "not drawn"
    UNKNOWN = "only a glob can tell, and the market list is not known yet"


class Rollout(msgspec.Struct, frozen=True):
    """``[rollout]``: the transport of a share of what is not pinned. ``percent`` is 0 to 100, counted in hundredths."""

    percent: float
    salt: str
    transport: Transport = Transport.STREAMING
    include: tuple[Pattern, ...] = (EVERYTHING,)
    exclude: tuple[Pattern, ...] = ()

    @property
    def drawn(self) -> int:
        """Buckets below this number are members."""
        return round(self.percent * 100)


class Flags(msgspec.Struct, frozen=True):
    """One whole flags.toml. ``Flags()`` knows nothing, so everything polls. ``pins`` has the venue form as its key."""

    text: str = ""
    hash: str = ""
    kill: KillSwitch = KillSwitch()
    defaults: Defaults = Defaults()
    pins: Mapping[str, Pin] = MappingProxyType({})
    rollout: Rollout | None = None

    @property
    def is_known(self) -> bool:
        """Whether these come from a file."""
        return bool(self.hash)

    @property
    def has_end_mark(self) -> bool:
        """Whether the text ends with ``# end of flags``, white space aside."""
        return has_end_mark(self.text)


EMPTY: Final = Flags()


def has_end_mark(text: str) -> bool:
    """Whether the last line that is not blank is ``# end of flags``."""
    return text.rstrip().rpartition("\n")[2].strip() == END_MARK


def bucket(salt: str, symbol: str) -> int:
    """The bucket of a symbol (venue form), 0 to 9,999: the same in every process, version and machine."""
    digest = sha256(f"{salt}|{symbol}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def member(rollout: Rollout, symbol: str, unified: str | None) -> tuple[Membership, str]:
    """Where ``symbol`` (venue form) stands, with the entry, as written, that says so ("" for none)."""
    if bucket(rollout.salt, symbol) >= rollout.drawn:
        return Membership.NOT_DRAWN, ""
    excluded, by = _first_match(rollout.exclude, symbol, unified)
    if excluded:
        return Membership.EXCLUDED, by
    included, entry = _first_match(rollout.include, symbol, unified)
    if included is False:
        return Membership.NOT_INCLUDED, ""
    if included is None or excluded is None:
        return Membership.UNKNOWN, entry if included is None else by
    return Membership.MEMBER, entry


def loosens(old: Flags, new: Flags) -> bool:
    """Whether ``new`` lacks a pin, a pinned channel, an exclude or a kill entry that ``old`` has: what a cut file looks like."""
    if (old.kill.streams and not new.kill.streams) or old.kill.symbols.keys() - new.kill.symbols.keys():
        return True
    if _excluded(old) - _excluded(new):
        return True
    return any(
        symbol not in new.pins or pin.channels.keys() - new.pins[symbol].channels.keys() for symbol, pin in old.pins.items()
    )


def parse_kill(text: str | None) -> KillList:
    """What a file KILL with this text stops; None for a file that cannot be read.

    One symbol a line, in any form. ``*``, an empty file, and whatever cannot be understood stop everything: the safe side.
    """
    names = (text or "").split("\n")
    symbols: set[str] = set()
    for name in filter(None, map(str.strip, names)):
        try:
            symbols.add(to_venue_symbol(name))
        except ValueError:
            return KillList(all=True)
    if not symbols or any("*" in symbol for symbol in symbols):
        return KillList(all=True)
    return KillList(symbols=frozenset(symbols))


def _first_match(patterns: tuple[Pattern, ...], symbol: str, unified: str | None) -> tuple[bool | None, str]:
    undecided = ""
    for pattern in patterns:
        matches = pattern.matches(symbol, unified)
        if matches:
            return True, pattern.written
        if matches is None:
            undecided = undecided or pattern.written
    return (None, undecided) if undecided else (False, "")


def _excluded(flags: Flags) -> set[Pattern]:
    return set(flags.rollout.exclude) if flags.rollout else set()
