"""The door to the command line: exit codes, and errors of one line."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130  # as the library below reports a Ctrl-C that no command handled


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code: 0 success, 1 failure, 2 wrong use. An error is one line on stderr."""
    try:
        result = _run(argv)
    except KeyboardInterrupt:
        return FAILED
    return FAILED if result == INTERRUPTED else result


def _run(argv: Sequence[str] | None) -> int:
    # Imported here, so that a Ctrl-C while the libraries load ends without a traceback.
    from typer import Abort  # noqa: PLC0415 -- see above
    from typer.exceptions import TyperException  # noqa: PLC0415 -- see above
    from typer.main import get_command  # noqa: PLC0415 -- see above

    from foxtrot.app.commands import app  # noqa: PLC0415 -- see above
    from foxtrot.util.errors import ConfigError, FoxtrotError  # noqa: PLC0415 -- see above

    try:
        result = get_command(app).main(args=argv, prog_name="foxtrot", standalone_mode=False)
    except TyperException as error:
        return _misused(error.format_message().rstrip("."), getattr(error, "ctx", None))
    except (ConfigError, ValueError) as error:
        return _complain(str(error), WRONG_USE)
    except BrokenPipeError:  # `foxtrot ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at its end
        return 0
    except FoxtrotError as error:
        return _complain(str(error), FAILED)
    except OSError as error:
        return _complain(f"{type(error).__name__}: {error}", FAILED)
    except Abort:
        return FAILED
    return result if isinstance(result, int) else 0


def _misused(text: str, context: Any) -> int:
    if not text:  # the help has been printed instead
        return WRONG_USE
    return _complain(f"{text}; see: {context.command_path if context else 'foxtrot'} --help", WRONG_USE)


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"foxtrot: {' '.join(text.split())}\n")
    return code
