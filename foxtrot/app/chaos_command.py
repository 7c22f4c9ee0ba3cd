"""The command ``foxtrot chaos``: asks a running sandbox to misbehave."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foxtrot.app.tables import PIPE_WIDTH
from foxtrot.sandbox.launcher import SECONDS, SHARE, clear_faults, list_faults, request_fault
from foxtrot.util.errors import ConfigError
from foxtrot.util.symbol import to_venue_symbol

_OPTIONS: Final = {
    "seconds": "--for S",
    "for": "--for S",
    "symbol": "--symbol S",
    "stream": "--stream NAME",
    "share": "--share 0..1",
    "fault": "the argument FAULT",
    "port": "--port PORT",
}


def chaos(
    fault: Annotated[str | None, typer.Argument(help="close, mute, rest-429 ...; --list tells all.", show_default=False)] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", min=1, max=65_535, help="The sandbox's port; `foxtrot run` shows it at its start."
        ),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="S", help="Whose data is struck: BTC/USDT or BTCUSDT; none: all.")
    ] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", metavar="NAME", help="Which stream is struck, for example btcusdt@trade; none: all.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="S", help="How many seconds it lasts; none: once, or until --clear.")
    ] = None,
    share: Annotated[
        float | None, typer.Option("--share", metavar="0..1", help="Which share of what it meets is struck.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=NUMBER", help="A parameter of the fault; again for more.")
    ] = None,
    lists: Annotated[bool, typer.Option("--list", help="List the faults with their parameters, and end.")] = False,
    clears: Annotated[bool, typer.Option("--clear", help="End every fault in force.")] = False,
) -> None:
    """Ask a running sandbox to misbehave: close streams, fall silent, refuse requests, send rubbish ..."""
    if lists:
        return _print_faults()
    if port is None:
        raise ConfigError("--port is missing: the sandbox's port; `foxtrot run` and `foxtrot sandbox` show it at their start")
    if clears:
        return typer.echo(f"faults ended: {clear_faults(port)}")
    if fault is None:
        raise ConfigError("name a fault, for example: foxtrot chaos close --port PORT; all of them: foxtrot chaos --list")
    armed = request_fault(
        port,
        fault,
        _params(param or ()),
        symbol=None if symbol is None else to_venue_symbol(symbol),
        stream=stream,
        seconds=None if seconds is None else SECONDS.check("--for", seconds),
        share=None if share is None else SHARE.check("--share", share),
    )
    return typer.echo(_said(armed, port))


def _params(texts: Iterable[str]) -> dict[str, float]:
    params: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name in _OPTIONS:
            raise ConfigError(f"--param takes the fault's own numbers; {name} is said by {_OPTIONS[name]}")
        try:
            params[name] = float(value)
        except ValueError:
            raise ConfigError(f"--param is NAME=NUMBER, for example --param ms=500; found {text!r}") from None
    return params


def _said(armed: dict[str, Any], port: int) -> str:
    whom = armed["stream"] or armed["symbol"] or "every symbol"
    left = armed["seconds_left"]
    is_instant = any(fault["is_instant"] for fault in list_faults() if fault["fault"] == armed["fault"])
    if left:
        lasting = f"for {math.ceil(left * 10) / 10:g} s"  # what was asked for, less the answer's way
    elif is_instant:
        lasting = "once"
    else:
        lasting = f"until: foxtrot chaos --clear --port {port}"
    struck = f"; connections struck: {armed['struck']}" if is_instant else ""
    return f"{armed['fault']} on {whom}, {lasting}{struck}"


def _print_faults() -> None:
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("fault", "where", "what the sandbox does", "--param (default)"):
        table.add_column(title, overflow="fold")
    for fault in list_faults():
        params: Any = fault["params"]
        asked = ", ".join(
            f"{name}={each['default']:.15g} ({each['meaning']}; {each['allowed']})" for name, each in params.items()
        )
        table.add_row(Text(str(fault["fault"]), "bold"), str(fault["side"]), Text(str(fault["effect"])), Text(asked))
    console.print(table)
