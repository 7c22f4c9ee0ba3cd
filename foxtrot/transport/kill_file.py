"""The files by which another process, or a hand, kills and revives symbols: KILL and REVIVE."""

from pathlib import Path
from typing import Final

from foxtrot.transport.flags_model import KillList, parse_kill
from foxtrot.transport.state_file import locked, remove_durably, write_atomically
from foxtrot.util.errors import ConfigError
from foxtrot.util.symbol import to_venue_symbol

ALL: Final = "*"
KILL: Final = "KILL"
REVIVE: Final = "REVIVE"

_LOCK: Final = ".kill.lock"
_MAX_BYTES: Final = 1 << 20
_LISTED: Final = 10  # symbols named in a phrase


def kill_path(state_dir: Path) -> Path:
    """Where KILL stands: it holds for every environment."""
    return state_dir / KILL


def revive_path(state_dir: Path, environment: str) -> Path:
    """Where REVIVE stands."""
    return state_dir / environment / REVIVE


def kill_phrase(kill: KillList) -> str:
    """What KILL stops, for a person: ``KILL: ETHUSDT polls``."""
    names = sorted(kill.symbols)
    if kill.all:
        return "KILL: every symbol polls"
    if not names:
        return "KILL is lifted"
    listed = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    return f"KILL: {listed} {'polls' if len(names) == 1 else 'poll'}"


def read_kill(state_dir: Path) -> KillList:
    """What KILL stops now: nothing when there is no such file, everything when it cannot be read."""
    text = read_kill_text(state_dir)
    return KillList() if text is None else parse_kill(text)


def read_kill_text(state_dir: Path) -> str | None:
    """The text of KILL; None when there is no such file, ``*`` when it is there and cannot be read or is senselessly long."""
    try:
        with kill_path(state_dir).open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        return raw.decode("utf-8-sig") if len(raw) <= _MAX_BYTES else ALL
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ALL


def kill_symbol(state_dir: Path, symbol: str | None) -> KillList:
    """Adds a symbol (any form; None: all) to KILL, keeping what stands there; what KILL stops from here on.

    Raises ValueError for what is no symbol, OSError when the folder cannot be written.
    """
    name = ALL if symbol is None else _venue_symbol(symbol)
    with locked(state_dir, _LOCK):
        lines = _lines(read_kill_text(state_dir) or "")
        if read_kill(state_dir).all and not lines:
            lines = [ALL]  # an empty file stops everything: adding one symbol must not narrow it
        if name not in lines:
            lines.append(name)
        write_atomically(kill_path(state_dir), "\n".join(lines) + "\n")
        return read_kill(state_dir)


def revive_symbol(state_dir: Path, environment: str, symbol: str | None) -> KillList:
    """Takes a symbol (any form; None: all) out of KILL and asks the running process to try it again at once, through REVIVE.

    Returns what KILL still stops. Raises ValueError for what is no symbol, ConfigError when KILL stops everything and one
    symbol alone was to be taken out, OSError when a folder cannot be written.
    """
    name = ALL if symbol is None else _venue_symbol(symbol)
    with locked(state_dir, _LOCK):
        killed = read_kill(state_dir)
        if killed.all and name != ALL:
            raise ConfigError(
                f"{kill_path(state_dir)} stops every symbol, so {name} alone cannot be taken out; revive all (without a symbol), "
                "then kill those that shall stay stopped"
            )
        remaining = sorted(killed.symbols - {name})
        if name == ALL or not remaining:
            remove_durably(kill_path(state_dir))  # an empty file would stop everything
        elif name in killed.symbols:
            write_atomically(kill_path(state_dir), "\n".join(remaining) + "\n")
        path = revive_path(state_dir, environment)
        waiting = _lines(path.read_text(encoding="utf-8")) if path.is_file() else []
        write_atomically(path, "\n".join([*waiting, name]) + "\n")
        return read_kill(state_dir)


def take_revive(state_dir: Path, environment: str) -> frozenset[str] | None:
    """Takes away what REVIVE asks for: venue symbols, ``*`` for all; None when it asks for nothing. Raises OSError."""
    path = revive_path(state_dir, environment)
    try:
        taken = path.replace(path.with_name(REVIVE + ".taken"))  # what is asked for from here on stands in a new file
    except FileNotFoundError:
        return None
    names = frozenset(_lines(taken.read_text(encoding="utf-8", errors="replace")))
    remove_durably(taken)
    return frozenset(name for name in names if name == ALL or _is_symbol(name)) or None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _venue_symbol(text: str) -> str:
    symbol = to_venue_symbol(text)
    if ALL in symbol:
        raise ValueError(f"{text!r} is not a symbol; name one symbol, or none for all")
    return symbol


def _is_symbol(text: str) -> bool:
    try:
        return bool(_venue_symbol(text))
    except ValueError:
        return False
