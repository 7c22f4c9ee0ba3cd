"""Decides what becomes of a text read from flags.toml, and how long it must stand unchanged before."""

from typing import Final, Generic, TypeVar

import msgspec

from foxtrot.transport.flags import END_MARK, Flags, KillList, has_end_mark, loosens, read
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import FlagsError

T = TypeVar("T")

MAX_BYTES: Final = 1 << 20

MARKED_S: Final = 0.05  # a writer that overwrites in place may leave the old end mark standing
UNMARKED_S: Final = 0.2
DOUBTFUL_S: Final = 2.0  # what a cut file looks like
CONFIRM_S: Final = 0.1
RELEASE_S: Final = 0.3


class Reading(msgspec.Struct, frozen=True):
    """One look at the file: its text, or the problem that stands in the way."""

    text: str | None = None
    problem: str = ""
    is_missing: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What to do once the reading has stood for ``settle_s`` seconds: put ``flags`` in force, or tell ``problem``."""

    settle_s: float
    flags: Flags | None = None
    problem: str = ""


def judge(reading: Reading, in_force: Flags, name: str) -> Verdict:
    """The verdict on a reading of the file ``name``; takes milliseconds for a long text.

    A file still being written is never applied: if the one in force ended with the end mark, a text without it waits for it;
    else a text without the mark must stand for 200 ms, and for 2 s when it lacks a pin, an exclude or a kill entry.
    """
    text = reading.text
    if text is None:
        return Verdict(DOUBTFUL_S if reading.is_missing else UNMARKED_S, problem=f"{name}: {reading.problem}")
    is_marked = has_end_mark(text)
    if in_force.has_end_mark and not is_marked:
        missing = f"{name}: the last line {END_MARK!r} is missing, so the file may not be whole; add it"
        return Verdict(DOUBTFUL_S, problem=missing)
    flags, errors = read(text)
    if errors:
        return Verdict(MARKED_S if is_marked else DOUBTFUL_S, problem=located(name, errors[0]))
    if is_marked:
        return Verdict(MARKED_S, flags)
    return Verdict(DOUBTFUL_S if loosens(in_force, flags) else UNMARKED_S, flags)


def located(name: str, error: FlagsError) -> str:
    """``flags.toml:12: symbols."BTC/USDT": what is wrong``, the form that editors jump to."""
    return f"{name}:{error.line}: " + (f"{error.key}: " if error.key else "") + str(error)


class Settling(Generic[T]):
    """Measures for how long one and the same value has been seen."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._since_ns = 0

    def age_s(self, value: T, now_ns: int) -> float:
        """Seconds since ``value`` was first seen without another in between; 0.0 the first time."""
        if self._value is None or value != self._value:
            self._value, self._since_ns = value, now_ns
        return (now_ns - self._since_ns) / NS_PER_S

    def forget(self) -> None:
        """The next value counts as new."""
        self._value = None


def kill_settle_s(old: KillList, new: KillList, text: str | None) -> float:
    """Seconds that a KILL file with ``text`` (None: gone) must stand unchanged before ``new`` replaces ``old``.

    What stops more acts at once, unless it looks half-written (empty, or no line end); what releases anything waits longer,
    since a file that vanishes may be on its way back from an editor.
    """
    if old.all > new.all or (not new.all and old.symbols - new.symbols):
        return RELEASE_S
    return 0.0 if text is not None and text.strip() and text.endswith("\n") else CONFIRM_S
