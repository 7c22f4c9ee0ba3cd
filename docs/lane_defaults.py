# ruff: noqa: INP001 -- a program beside the pages, not a package
"""Collects every constant of the transports with its value from the code, and its reason."""

import ast
import enum
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from foxtrot.transport.breaker import BreakerPolicy
from foxtrot.transport.budget import Rate
from foxtrot.transport.proof import Need
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

ROOT: Final = Path(__file__).resolve().parent.parent / "foxtrot"
TOLD: Final = tomllib.loads((Path(__file__).parent / "lane_reasons.toml").read_text(encoding="utf-8"))
REASONS: Final[dict[str, str]] = TOLD["reasons"]
UNITS: Final[dict[str, str]] = TOLD["units"]
HOUR_S: Final = 3_600

SECTIONS: Final = {
    "The lane: holds, gaps, the breaker, the bound on switches": (
        "transport.lane",
        "transport.values",
        "transport.ordering",
        "transport.quote_order",
        "transport.values_ids",
        "transport.values_bars",
        "transport.values_book",
        "transport.book_order",
        "transport.values_tick",
        "transport.question",
        "transport.storm",
        "transport.switch_log",
        "transport.breaker",
        "transport.health",
    ),
    "Audit and proof": (
        "transport.audit",
        "transport.book_audit",
        "transport.proof",
        "transport.evidence",
        "transport.event_lag",
        "transport.holes",
    ),
    "Polling and REST": (
        "transport.polling",
        "transport.roll",
        "transport.old_answers",
        "transport.id_spaces",
        "transport.budget",
        "transport.admission",
        "transport.starting",
        "transport.retry_budget",
        "adapter.binance.rest_feed",
        "adapter.binance.api_client",
        "adapter.binance.connection",
        "adapter.binance.clock_offset",
        "adapter.binance.clock_watch",
        "adapter.binance.status_watch",
    ),
    "Connections": (
        "transport.hub",
        "transport.loop_beat",
        "transport.probing",
        "transport.fleet",
        "transport.dials",
        "transport.rotation",
        "transport.canary",
        "transport.canary_choice",
        "transport.subscriptions",
        "transport.stream_link",
        "transport.streaming",
        "transport.wire",
    ),
    "Memory and listeners": (
        "transport.breaker_memory",
        "transport.breaker_board",
    ),
}
"""The modules of each table; what is not named here comes last."""

OUTSIDE: Final = frozenset({"flags", "flags_model", "flags_text", "flags_values", "flag_intake", "flag_store", "kill_file"})
"""Modules of ``transport`` that have a page of their own (docs/flags.md)."""

NONE: Final = frozenset({"MINUTE_NS", "HOUR_NS", "DAY_NS", "DAY_MS", "VERSION", "NEVER", "PERIOD_NS"})
"""Units of time, versions and the like: nothing that could be chosen otherwise."""


class Default(NamedTuple):
    """One constant: ``module.NAME``, its value in words, its reason."""

    name: str
    value: str
    reason: str


def tables() -> str:
    """All of them, a table a section. Ends the program where a constant has no reason, or a reason no constant."""
    named = {name.rpartition(".")[2] for names in SECTIONS.values() for name in names}
    others = sorted({path.stem for path in (ROOT / "transport").glob("[a-z]*.py")} - named - OUTSIDE)
    sections = {**SECTIONS, "Others": tuple(f"transport.{name}" for name in others)}
    found = {title: [each for name in names for each in _defaults(name)] for title, names in sections.items()}
    known = {default.name for defaults in found.values() for default in defaults}
    wrong = [f"{each.name}: no docstring says why" for defaults in found.values() for each in defaults if not each.reason]
    wrong += [f"{name}: a reason for nothing" for name in sorted(REASONS.keys() - known)]
    if wrong:
        raise SystemExit("docs/lane_reasons.toml has to be brought up to date:\n" + "\n".join(wrong))
    return "\n\n".join(_table(title, defaults) for title, defaults in found.items() if defaults)


def _table(title: str, defaults: list[Default]) -> str:
    rows = [f"| `{default.name}` | {default.value} | {default.reason} |" for default in defaults]
    return "\n".join([f"**{title}**", "", "| constant | value | why |", "|---|---|---|", *rows])


def _defaults(module: str) -> list[Default]:
    """The numbers among a module's constants, in its order; with the fields of a policy."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    loaded = importlib.import_module(f"foxtrot.{module}")
    short = module.rpartition(".")[2]
    defaults = []
    for path, text in _constants(tree.body):
        value: object = loaded
        for part in path.split("."):
            value = getattr(value, part)
        if isinstance(value, enum.Enum):
            value = value.value
        name = f"{short}.{path}"
        is_number = isinstance(value, int | float | Need | Rate) or (isinstance(value, tuple) and isinstance(value[0], float))
        if path not in NONE and is_number:
            defaults.append(_default(name, path, value, text))
    if loaded.__name__ == BreakerPolicy.__module__:
        fields = msgspec.structs.fields(BreakerPolicy)
        defaults += [_default(f"{short}.BreakerPolicy.{field.name}", "", field.default, "") for field in fields]
    return defaults


def _default(name: str, path: str, value: object, text: str) -> Default:
    return Default(name, _shown(name, path, value), REASONS.get(name) or _plain(text))


def _constants(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, str]]:
    """Public capitals with the docstring beneath them; enum members that have no value of their own are none."""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
            yield from _constants(statement.body, f"{owner}{statement.name}.")
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if isinstance(statement.targets[0], ast.Name) else None
        if not isinstance(target, ast.Name) or not re.fullmatch("[A-Z][A-Z_]*", target.id):
            continue
        if isinstance(statement, ast.Assign) and ast.unparse(statement.value) == "enum.auto()":
            continue
        text = following.value.value if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) else ""
        yield owner + target.id, text if isinstance(text, str) else ""


def _plain(text: str) -> str:
    """A docstring as one line of a table, without what it cites."""
    line = " ".join(text.partition("\n\n")[0].split())
    line = re.sub(r" \((?:design|reliability)[^)]*\)", "", line)
    return line.replace("``", "`").replace("|", "\\|")


def _shown(name: str, path: str, value: object) -> str:
    match value:
        case Need():
            hits = f"{value.hits} hit{'s' * (value.hits > 1)} running"
            return f"{_seconds(value.span_ns / NS_PER_S)}, {hits}, {value.timely} in time"
        case Rate():
            return f"{value.share:g} in {value.period:g} s, {value.burst:g} of them at once"
        case (int() | float() as low, int() | float() as high):
            return f"{low:g} to {high:g} s"
        case int() if path.endswith("_NS"):
            return _seconds(value / NS_PER_S)
        case int() if path.endswith("_MS"):
            return _seconds(value * NS_PER_MS / NS_PER_S)
        case int():
            return f"{value:,} {UNITS.get(name, '')}".strip()
        case float():
            return f"{value:g} {UNITS[name]}".strip() if name in UNITS else _seconds(value)
        case _:
            raise SystemExit(f"{name}: how is {value!r} to be shown?")


def _seconds(seconds: float) -> str:
    if seconds >= HOUR_S and seconds % HOUR_S == 0:
        return f"{seconds / HOUR_S:g} h"
    return f"{seconds:g} s" if seconds >= 1 or not seconds else f"{seconds * 1_000:g} ms"
