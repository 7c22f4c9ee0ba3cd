"""The commands of ``foxtrot``, put together."""

from importlib.metadata import version
from typing import Annotated

import typer

from foxtrot.app import chaos_command, flags_commands, run_command

app = typer.Typer(
    name="foxtrot",
    help="One market feed per symbol: streamed where it can be, polled where it must be, as flags.toml says.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run_command.run)
app.command("chaos")(chaos_command.chaos)
app.add_typer(flags_commands.app)


@app.callback(invoke_without_command=True)
def common(
    tells_version: Annotated[bool, typer.Option("--version", help="Print the version, and end.", is_eager=True)] = False,
) -> None:
    """One market feed per symbol: streamed where it can be, polled where it must be, as flags.toml says."""
    if tells_version:
        typer.echo(f"foxtrot {version('foxtrot')}")
        raise typer.Exit


@app.command("sandbox", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Run the embedded exchange alone, for any Binance client; its port comes as one JSON line. Options: sandbox --help."""
    from foxtrot.sandbox.launcher import run_foreground  # noqa: PLC0415 -- only where it is wanted

    raise typer.Exit(run_foreground(context.args))
