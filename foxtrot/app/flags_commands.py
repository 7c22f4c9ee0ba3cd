"""The commands under ``foxtrot flags``: look at the flags, pull the brake, let go of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console

from foxtrot.app import bar_pins, flags_view
from foxtrot.transport.flag_intake import located
from foxtrot.transport.flags import EMPTY, END_MARK, Flags, KillList, read
from foxtrot.transport.kill_file import kill_path, kill_symbol, read_kill, revive_symbol
from foxtrot.transport.watched_file import WatchedFile
from foxtrot.util.constants import Exchange
from foxtrot.util.errors import ConfigError
from foxtrot.util.symbol import to_venue_symbol

FAILED = 1
WRONG_USE = 2

_PIPE_WIDTH = 200  # columns where no terminal says how many there are

app = typer.Typer(name="flags", help="Look at flags.toml, and kill or revive symbols, safely.", no_args_is_help=True)


class Environment(StrEnum):
    """Whose state folder is meant."""

    SANDBOX = "sandbox"
    TESTNET = "testnet"
    DEMO = "demo"
    LIVE = "live"


FlagsOption = Annotated[Path, typer.Option("--flags", help="The flags file.")]
StateOption = Annotated[Path, typer.Option("--state-dir", help="The state folder of the running process.")]
EnvironmentOption = Annotated[Environment, typer.Option("--environment", help="The environment of the running process.")]
SymbolOrAll = Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="BTC/USDT, BTCUSDT or BTCUSDT.BINANCE; none: all.")]

FLAGS = Path("flags.toml")
STATE = Path("state")


@app.command()
def check(
    flags: FlagsOption = FLAGS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: ok, file, hash, errors, warnings.")] = False,
) -> None:
    """Say whether the flags file would be accepted; every mistake with its line. Exits 1 when it would be refused."""
    reading = WatchedFile(flags).read(0)
    parsed, errors = (EMPTY, []) if reading.text is None else read(reading.text)
    problems = [{"line": error.line, "key": error.key, "message": str(error)} for error in errors]
    messages = [located(str(flags), error) for error in errors]
    if reading.text is None:
        problems.append({"line": 0, "key": "", "message": reading.problem})
        messages.append(f"{flags}: {reading.problem}")
    warnings = [] if problems else bar_pins.warnings(parsed)
    if not problems and not parsed.has_end_mark:
        warnings.append(f"the last line {END_MARK!r} is missing: a cut file could be taken for whole")
    if as_json:
        report = {"ok": not problems, "file": str(flags), "hash": parsed.hash, "errors": problems, "warnings": warnings}
        typer.echo(msgspec.json.encode(report).decode())
    else:
        for line in messages:
            typer.echo(line, err=True)
        _warn(flags, warnings)
        if not problems:
            typer.echo(f"{flags}: ok ({flags_view.summary(parsed)})")
    if problems:
        raise typer.Exit(FAILED)


@app.command()
def show(flags: FlagsOption = FLAGS, state_dir: StateOption = STATE) -> None:
    """Show what each symbol that the file names gets, and by which rule."""
    parsed = _flags_or_exit(flags)
    _warn(flags, bar_pins.warnings(parsed))
    kill = read_kill(state_dir)
    _tell_kill(state_dir, kill)
    _console().print(flags_view.decisions(parsed, kill))


@app.command()
def explain(
    symbol: Annotated[str, typer.Argument(help="BTC/USDT tells most: patterns match BASE/QUOTE.")],
    flags: FlagsOption = FLAGS,
    state_dir: StateOption = STATE,
) -> None:
    """Explain the decision for a symbol, channel by channel: the rule that won and those that lost."""
    venue = _symbol_or_exit(symbol)
    parsed = _flags_or_exit(flags)
    _warn(flags, bar_pins.warnings(parsed, venue))
    kill = read_kill(state_dir)
    _tell_kill(state_dir, kill)
    unified = flags_view.unified_of(symbol) or flags_view.unified_of(flags_view.written_in(parsed, venue))
    console = _console()
    console.print(flags_view.headline(parsed, venue, unified))
    console.print(flags_view.explanation(parsed, kill, venue, unified))


@app.command()
def kill(symbol: SymbolOrAll = None, state_dir: StateOption = STATE) -> None:
    """Let a symbol (none: all) poll within a second, whatever flags.toml says, in every process that uses the state folder."""
    name = None if symbol is None else _symbol_or_exit(symbol)
    _check_state_dir(state_dir)
    is_new = not state_dir.exists()
    try:
        killed = kill_symbol(state_dir, name)
    except OSError as error:
        _fail(f"{kill_path(state_dir)} cannot be written: {error.strerror}; say it in flags.toml instead: [kill] streams = true")
    except ValueError as error:
        _fail(str(error), WRONG_USE)
    back = (
        "foxtrot flags revive" + ("" if killed.all else f" {name}") + ("" if state_dir == STATE else f" --state-dir {state_dir}")
    )
    typer.echo(f"{kill_path(state_dir)} stops {flags_view.killed(killed)}; back with: {back}")
    if is_new:
        typer.echo(
            f"{state_dir.absolute()} was not there and was made; a process that runs elsewhere wants its --state-dir", err=True
        )


@app.command()
def revive(
    symbol: SymbolOrAll = None,
    flags: FlagsOption = FLAGS,
    state_dir: StateOption = STATE,
    environment: EnvironmentOption = Environment.SANDBOX,
) -> None:
    """Take a symbol (none: all) out of KILL, and let the running process try its stream again at once."""
    name = None if symbol is None else _symbol_or_exit(symbol)
    _check_state_dir(state_dir)
    try:
        before = read_kill(state_dir)
        left = revive_symbol(state_dir, environment, name)
    except OSError as error:
        _fail(f"{state_dir} cannot be written: {error.strerror}")
    except ConfigError as error:
        _fail(str(error))
    except ValueError as error:
        _fail(str(error), WRONG_USE)
    whom = "all symbols" if name is None else name
    if before.all or (name in before.symbols if name else before.symbols):
        told = f"{whom} revived ({environment})"
    else:
        told = f"{name or 'nothing'} was {'not ' if name else ''}killed; {whom} may try again at once ({environment})"
    typer.echo(f"{told}; {kill_path(state_dir)} stops {flags_view.killed(left)}")
    parsed, errors = read(WatchedFile(flags).read(0).text or "")
    still = [] if errors else flags_view.kill_entries(parsed, name)
    if still:
        typer.echo(f"but {flags} still kills: {', '.join(still)}", err=True)


def _flags_or_exit(path: Path) -> Flags:
    reading = WatchedFile(path).read(0)
    if reading.is_missing:
        typer.echo(f"{path}: no such file; everything polls", err=True)
        return EMPTY
    if reading.text is None:
        _fail(f"{path}: {reading.problem}")
    parsed, errors = read(reading.text)
    if errors:
        more = f" (and {len(errors) - 1} more: foxtrot flags check)" if len(errors) > 1 else ""
        _fail(located(str(path), errors[0]) + more)
    return parsed


def _warn(path: Path, warnings: list[str]) -> None:
    for warning in warnings:
        typer.echo(f"{path}: warning: {warning}", err=True)


def _check_state_dir(path: Path) -> None:
    """A folder that is named wrongly must not look like a brake; the default one is made by whoever comes first."""
    if path != STATE and not path.exists():
        _fail(
            f"{path}: no such folder; --state-dir is the state folder of the running process (make it if none runs yet)",
            WRONG_USE,
        )


def _symbol_or_exit(text: str) -> str:
    if text.partition(".")[2].upper() not in {"", Exchange.BINANCE}:
        bare = text.partition(".")[0]
        _fail(f"{text!r} is of another venue; this adapter serves {Exchange.BINANCE}: write {bare} or {bare}.BINANCE", WRONG_USE)
    try:
        return to_venue_symbol(text)
    except ValueError as error:
        _fail(str(error), WRONG_USE)


def _tell_kill(state_dir: Path, kill: KillList) -> None:
    if kill.all or kill.symbols:
        typer.echo(f"{kill_path(state_dir)} stops {flags_view.killed(kill)}", err=True)


def _console() -> Console:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _fail(message: str, code: int = FAILED) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
