"""Decides how each lane gets its data, as flags.toml and KILL say, with the reason.

Kill beats pin beats rollout beats defaults. The explanation and the decision come out of the same four steps.
"""

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from foxtrot.transport.flags_model import (
    EMPTY,
    END_MARK,
    Flags,
    KillList,
    Membership,
    Pattern,
    Pin,
    Rollout,
    bucket,
    has_end_mark,
    loosens,
    member,
    parse_kill,
)
from foxtrot.transport.flags_text import parse, read
from foxtrot.transport.toml_lines import KeyLines, KeyPath, dotted, quoted
from foxtrot.util.constants import Reason, Transport
from foxtrot.util.errors import nearest

__all__ = [
    "EMPTY",
    "END_MARK",
    "Decision",
    "Flags",
    "Judgement",
    "KillList",
    "Membership",
    "Pattern",
    "Pin",
    "Rollout",
    "bucket",
    "decide",
    "has_end_mark",
    "judgements",
    "loosens",
    "member",
    "named",
    "parse",
    "parse_kill",
    "read",
    "unlisted",
]

_HINTS = 10  # a search among thousands of names takes milliseconds


class Decision(msgspec.Struct, frozen=True):
    """How a lane gets its data, and why. Equal decisions leave a lane as it is.

    ``lines`` is the number of stream connections (1 or 2), used while it streams. ``rule`` names the entry that won, as it
    stands in the file: ``[symbols] "BTC/USDT"``.
    """

    transport: Transport
    reason: Reason
    lines: int
    rule: str


class Judgement(msgspec.Struct, frozen=True):
    """What one step says of a lane: a decision, or None with the ``remark`` why it is silent."""

    step: Literal["kill", "pin", "rollout", "defaults"]
    decision: Decision | None
    remark: str


def decide(flags: Flags, kill: KillList, symbol: str, channel: str, unified: str | None) -> Decision:
    """The decision for one lane.

    ``symbol`` in venue form; ``channel`` with its parameter, if any (``book:20``); ``unified`` (``BTC/USDT``) is None while the
    market list is not known: until then what only a glob admits polls.
    """
    steps = judgements(flags, kill, symbol, channel, unified)
    return next(step.decision for step in steps if step.decision is not None)  # the defaults always speak


def judgements(flags: Flags, kill: KillList, symbol: str, channel: str, unified: str | None) -> Iterator[Judgement]:
    """What kill, pin, rollout and defaults say, strongest first; the first with a decision wins. Arguments as in ``decide``."""
    pin = flags.pins.get(symbol)
    lines = flags.defaults.lines if pin is None or pin.lines is None else pin.lines
    yield _of_kill(flags, kill, symbol, lines)
    if flags.is_known:
        yield _of_pin(pin, channel, lines)
        yield _of_rollout(flags, symbol, unified, lines)
    yield _of_defaults(flags, lines)


def named(flags: Flags) -> dict[str, str]:
    """The symbols that the file names one by one, venue form to what stands there: pins first, then kill, include, exclude."""
    names: dict[str, str] = {}
    for _, symbol, written in _entries(flags):
        names.setdefault(symbol, written)
    return names


def unlisted(flags: Flags, listed: Collection[str]) -> list[str]:
    """A warning, with the line and the nearest right name, for each entry whose symbol is not among ``listed`` (venue form).

    Takes tens of milliseconds where thousands of names are listed and some are missing (the first 10 of these are told the
    nearest one): call it in a worker thread.
    """
    known = frozenset(listed)
    missing = [(path, symbol) for path, symbol, _ in _entries(flags) if symbol not in known]
    if not missing:
        return []
    lines = KeyLines(flags.text)
    warnings: list[str] = []
    for index, (path, symbol) in enumerate(missing):
        close = nearest(symbol, _alike(symbol, known)) if index < _HINTS else ""
        hint = f"; did you mean {close}?" if close else ""
        warnings.append(f"line {lines.line(path)}: {dotted(path)}: the venue does not list {symbol}{hint}")
    return warnings


def _alike(symbol: str, known: frozenset[str]) -> list[str]:
    """The names worth a closer look: about as long, with the same beginning or the same letters."""
    letters = sorted(symbol)
    near = (name for name in known if abs(len(name) - len(symbol)) <= 2)  # noqa: PLR2004 -- letters too many or too few
    return sorted(name for name in near if name[:1] == symbol[:1] or sorted(name) == letters)


def _of_kill(flags: Flags, kill: KillList, symbol: str, lines: int) -> Judgement:
    rule = ""
    if kill.all:
        rule = "file KILL: all"
    elif symbol in kill.symbols:
        rule = f"file KILL: {symbol}"
    elif flags.kill.streams:
        rule = "[kill] streams"
    elif symbol in flags.kill.symbols:
        rule = f"[kill] symbols {quoted(flags.kill.symbols[symbol])}"
    if rule:
        return Judgement("kill", Decision(Transport.POLLING, Reason.KILL, lines, rule), "killed: polls whatever the rest says")
    return Judgement("kill", None, "not killed")


def _of_pin(pin: Pin | None, channel: str, lines: int) -> Judgement:
    if pin is None:
        return Judgement("pin", None, "not pinned")
    found = pin.transport_for(channel)
    if found is None:
        return Judgement("pin", None, "pinned, but not for this channel")
    key, transport = found
    rule = f"[symbols] {quoted(pin.written)}" + ("" if key == "transport" else f" {key}")
    return Judgement("pin", Decision(transport, Reason.PIN, lines, rule), pin.note or "pinned")


def _of_rollout(flags: Flags, symbol: str, unified: str | None, lines: int) -> Judgement:
    rollout = flags.rollout
    if rollout is None:
        return Judgement("rollout", None, "no rollout")
    membership, entry = member(rollout, symbol, unified)
    remark = (
        f"bucket {bucket(rollout.salt, symbol)} of 10000, members are below {rollout.drawn} ({rollout.percent:g} %): {membership}"
    )
    if membership is Membership.MEMBER:
        return Judgement("rollout", Decision(rollout.transport, Reason.ROLLOUT, lines, f"[rollout] {quoted(entry)}"), remark)
    if membership is Membership.UNKNOWN and rollout.transport is not flags.defaults.transport:
        rule = f"[rollout] {quoted(entry)} waits for the market list"
        return Judgement("rollout", Decision(Transport.POLLING, Reason.ROLLOUT, lines, rule), remark)
    return Judgement("rollout", None, remark + (f" by {quoted(entry)}" if membership is Membership.EXCLUDED else ""))


def _of_defaults(flags: Flags, lines: int) -> Judgement:
    if not flags.is_known:
        return Judgement("defaults", Decision(Transport.POLLING, Reason.NO_FLAGS, lines, "no flags file"), "nothing is known")
    return Judgement(
        "defaults", Decision(flags.defaults.transport, Reason.DEFAULTS, lines, "[defaults] transport"), "what is left"
    )


def _entries(flags: Flags) -> Iterator[tuple[KeyPath, str, str]]:
    """Where each single symbol stands, its venue form, and what is written there."""
    for symbol, pin in flags.pins.items():
        yield ("symbols", pin.written), symbol, pin.written
    for symbol, written in flags.kill.symbols.items():
        yield ("kill", "symbols"), symbol, written
    if flags.rollout:
        for key, patterns in (("include", flags.rollout.include), ("exclude", flags.rollout.exclude)):
            for index, pattern in enumerate(patterns):
                if pattern.symbol:
                    yield ("rollout", key, index), pattern.symbol, pattern.written
