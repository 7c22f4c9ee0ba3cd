"""The command ``foxtrot run``: its options, and which screen shows it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from foxtrot.app.flags_commands import Environment
from foxtrot.app.json_screen import JsonScreen
from foxtrot.app.line_writer import LineWriter, stdout_writer
from foxtrot.app.live_screen import LiveScreen
from foxtrot.app.plain_screen import PlainScreen
from foxtrot.app.run import Run, Stop, ended_by_signals
from foxtrot.app.run_plan import RunPlan, channels_of, default_symbols, symbols_of
from foxtrot.app.screen import Screen
from foxtrot.app.summary import Ending
from foxtrot.util.errors import ConfigError
from foxtrot.util.system_clock import SystemClock


def run(
    environment: Annotated[Environment, typer.Option("--environment", help="The venue; sandbox is the embedded exchange.")] = (
        Environment.SANDBOX
    ),
    flags: Annotated[Path, typer.Option("--flags", help="Which symbols stream and which are polled; watched while it runs.")] = (
        Path("flags.toml")
    ),
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", metavar="A,B,...", help="BTC/USDT or BTCUSDT; none: those pinned in the flags, at least 5."),
    ] = None,
    channels: Annotated[
        str, typer.Option("--channels", metavar="A,B,...", help="tick, trades, agg_trades, book[:depth], bars:<interval>.")
    ] = "tick,trades",
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="End so many seconds after the first value; none: at Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, each with its type.")] = False,
    events: Annotated[bool, typer.Option("--events", help="With --json: each value as well.")] = False,
    rest_url: Annotated[
        str | None, typer.Option("--rest-url", metavar="URL", help="Another REST address, e.g. http://127.0.0.1:9000.")
    ] = None,
    stream_url: Annotated[
        str | None, typer.Option("--stream-url", metavar="URL", help="Another stream address, e.g. ws://127.0.0.1:9000.")
    ] = None,
    state_dir: Annotated[Path, typer.Option("--state-dir", help="Where state is kept and the file KILL is looked for.")] = Path(
        "state"
    ),
) -> None:
    """Run the main job: one feed per symbol, and a table, lines or JSON that show it; a summary at the end.

    Exits 0 when data was delivered and none of it twice, else 1.
    """
    plan = _plan(environment, flags, symbols, channels, duration, state_dir, {"rest_url": rest_url, "stream_url": stream_url})
    if events and not as_json:
        raise ConfigError("--events goes with --json: the table and the lines count values, they do not print them")
    stop, clock = Stop(), SystemClock()
    console = Console()
    at_once: Callable[[], None] = _nothing
    if as_json or not sys.stdout.isatty() or console.is_dumb_terminal:
        writer = LineWriter(stdout_writer(), lambda: stop.wish(Ending.NO_READER), clock)
        screen: Screen = JsonScreen(writer, clock) if as_json else PlainScreen(writer, clock)
    else:
        screen = live = LiveScreen(console)
        at_once = live.abandon
    with ended_by_signals(stop, at_once):
        outcome = Run(plan, screen, stop, clock, tells_values=events).run()
    raise typer.Exit(outcome.exit_code)


def _plan(
    environment: Environment,
    flags: Path,
    symbols: str | None,
    channels: str,
    duration: float | None,
    state_dir: Path,
    urls: dict[str, str | None],
) -> RunPlan:
    if duration is not None and not 0 < duration < float("inf"):
        raise ConfigError(f"--duration is a number of seconds above 0; found {duration:g}")
    setting: dict[str, object] = {"environment": environment.value, "flags": str(flags), "state_dir": str(state_dir)}
    setting.update({name: url for name, url in urls.items() if url})
    return RunPlan(
        environment=environment.value,
        symbols=default_symbols(flags) if symbols is None else symbols_of(symbols),
        channels=channels_of(channels),
        setting=setting,
        duration=duration,
    )


def _nothing() -> None:
    """Lines need no terminal restored."""
