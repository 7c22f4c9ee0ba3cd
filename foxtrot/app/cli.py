"""The command line: ``foxtrot run``, ``sandbox``, ``chaos`` and ``flags``."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from foxtrot.app import chaos_command, flags_commands, run_command
from foxtrot.util.errors import ConfigError, FoxtrotError

FAILED: Final = 1
WRONG_USE: Final = 2

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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code: 0 success, 1 failure, 2 wrong use. An error is one line on stderr."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=argv, prog_name="foxtrot", standalone_mode=False)
    except TyperException as error:
        return _misused(error)
    except (ConfigError, ValueError) as error:
        return _complain(str(error), WRONG_USE)
    except (FoxtrotError, OSError) as error:
        return _failed(error)
    except (KeyboardInterrupt, typer.Abort):
        return FAILED
    return result if isinstance(result, int) else 0


def _misused(error: TyperException) -> int:
    text = error.format_message().rstrip(".")
    if not text:  # the help has been printed instead
        return WRONG_USE
    context = getattr(error, "ctx", None)
    return _complain(f"{text}; see: {context.command_path if context else 'foxtrot'} --help", WRONG_USE)


def _failed(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):  # `foxtrot ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at its end
        return 0
    return _complain(f"{type(error).__name__}: {error}" if isinstance(error, OSError) else str(error), FAILED)


def _complain(text: str, code: int) -> int:
    typer.echo(f"foxtrot: {' '.join(text.split())}", err=True)
    return code
