"""Puts flags, decisions and their reasons into tables and sentences."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from foxtrot.app import bar_pins
from foxtrot.transport.flags import Decision, Flags, KillList, bucket, decide, judgements, named
from foxtrot.util.constants import Channel, Reason, Transport

T = TypeVar("T")

_STYLES = {Transport.STREAMING: "green", Transport.SHADOW: "yellow", Transport.POLLING: ""}
_NOBODY = "\x00"  # no venue lists it: what this symbol gets, all get that no entry names


def summary(flags: Flags) -> str:
    """``5 pins, rollout 25 %, nothing killed``."""
    pins = f"{len(flags.pins)} pin{'' if len(flags.pins) == 1 else 's'}"
    rollout = f"rollout {flags.rollout.percent:g} %" if flags.rollout else "no rollout"
    entries = kill_entries(flags, None)
    return f"{pins}, {rollout}, {'kills by ' + ', '.join(entries) if entries else 'nothing killed'}"


def killed(kill: KillList) -> str:
    """``nothing``, ``every symbol`` or the symbols."""
    return "every symbol" if kill.all else ", ".join(sorted(kill.symbols)) or "nothing"


def kill_entries(flags: Flags, symbol: str | None) -> list[str]:
    """The entries of ``[kill]`` that hold for ``symbol`` (venue form; None: for any)."""
    entries = ["[kill] streams"] if flags.kill.streams else []
    return entries + [f'[kill] symbols "{name}"' for key, name in flags.kill.symbols.items() if symbol in {None, key}]


def unified_of(text: str) -> str | None:
    """``BTC/USDT`` out of what a person wrote, or None if it says not where the base ends."""
    return text.partition(".")[0].upper() if "/" in text else None


def written_in(flags: Flags, symbol: str) -> str:
    """The symbol as the file writes it, or the venue form."""
    return named(flags).get(symbol, symbol)


def decisions(flags: Flags, kill: KillList) -> Table:
    """One row for each symbol named in a file, split by channel where channels differ, and one for all others."""
    table = _table("symbol", "channel", "transport", "reason", "rule")
    names = {symbol: symbol for symbol in sorted(kill.symbols)} | named(flags)
    for symbol, written in names.items():
        groups = _grouped(flags, symbol, _decider(flags, kill, symbol, unified_of(written)))
        for decision, channels in groups.items():
            table.add_row(Text(written), _channels_text(channels, len(groups)), *_cells(decision))
    for label, decision in _others(flags, kill):
        table.add_row(Text(label), Text("all"), *_cells(decision))
    return table


def headline(flags: Flags, symbol: str, unified: str | None) -> str:
    """The symbol in its forms, with its bucket where there is a rollout."""
    name = f"{unified} ({symbol})" if unified else f"{symbol} (written BASE/QUOTE, patterns could be judged too)"
    return f"{name}: bucket {bucket(flags.rollout.salt, symbol)} of 10000" if flags.rollout else name


def explanation(flags: Flags, kill: KillList, symbol: str, unified: str | None) -> Table:
    """For each channel the four steps, strongest first: what each says, and which one wins."""
    table = _table("channel", "step", "", "transport", "rule", "because")
    groups = _grouped(flags, symbol, lambda channel: tuple(judgements(flags, kill, symbol, channel, unified)))
    for steps, channels in groups.items():
        winner = next(step for step in steps if step.decision is not None)
        label = _channels_text(channels, len(groups))
        for step in steps:
            verdict = Text("wins", "bold") if step is winner else Text("overruled" if step.decision else "silent", "dim")
            transport, rule = (_transport(step.decision.transport), step.decision.rule) if step.decision else (Text("-"), "-")
            table.add_row(label, Text(step.step), verdict, transport, Text(rule), Text(step.remark))
            label = Text("")
        table.add_section()
    return table


def _others(flags: Flags, kill: KillList) -> list[tuple[str, Decision]]:
    rest = decide(msgspec.structs.replace(flags, rollout=None), kill, _NOBODY, Channel.TICK, None)
    rollout = flags.rollout
    if rollout is None or not rollout.drawn or rest.reason is Reason.KILL:
        return [("all others", rest)]
    included = ", ".join(entry.written for entry in rollout.include)
    member = Decision(rollout.transport, Reason.ROLLOUT, flags.defaults.lines, "[rollout]")
    return [(f"{rollout.percent:g} % of {included}", member), ("all others", rest)]


def _decider(flags: Flags, kill: KillList, symbol: str, unified: str | None) -> Callable[[str], Decision]:
    return lambda channel: decide(flags, kill, symbol, channel, unified)


def _grouped(flags: Flags, symbol: str, outcome: Callable[[str], T]) -> dict[T, list[str]]:
    """The channels that share an outcome, in the order of the channels; bars under a name that no channel has are left out."""
    pin = flags.pins.get(symbol)
    pinned = pin.channels if pin else ()
    exact = [channel for channel in pinned if channel not in set(Channel) and not bar_pins.misnamed(channel)]
    groups: dict[T, list[str]] = {}
    for channel in [*Channel, *exact]:
        groups.setdefault(outcome(bar_pins.decider(channel)), []).append(channel)
    return groups


def _channels_text(channels: list[str], groups: int) -> Text:
    """``tick, book``, or ``all``; channels for which another one decides say which."""
    deciders = {channel: bar_pins.decider(channel) for channel in channels}
    own = [channel for channel, decider in deciders.items() if decider == channel]
    ruled = [f"{channel} ({decider} decides)" for channel, decider in deciders.items() if decider != channel]
    return Text(", ".join((["all"] if groups == 1 else own) + ruled))


def _cells(decision: Decision) -> tuple[Text, Text, Text]:
    return _transport(decision.transport), Text(decision.reason), Text(decision.rule)


def _transport(transport: Transport) -> Text:
    return Text(transport, _STYLES[transport])


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
