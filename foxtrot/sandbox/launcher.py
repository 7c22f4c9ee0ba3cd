"""Starts the embedded exchange as a child process, talks to its controls, and ends it: the one door from outside."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self

from foxtrot.sandbox import faults
from foxtrot.util.errors import ConfigError, Unavailable

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0
CONTROL_TIMEOUT_S = 5.0

_OK = 200
_WRONG = 400
_FAILED = 500

SECONDS = faults.SECONDS
SHARE = faults.SHARE


class Sandbox:
    """A running exchange. Use it as a context manager, or call ``stop``."""

    def __init__(self, process: subprocess.Popen[bytes], said: dict[str, Any], errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors
        self.last_words = ""
        self.port: int = said["port"]
        self.pid: int = said["pid"]
        self.seed: int = said["seed"]
        self.rest_url: str = said["rest"]
        self.stream_url: str = said["stream"]
        self.ws_api_url: str = said["ws_api"]

    def chaos(
        self,
        fault: str,
        symbol: str | None = None,
        seconds: float | None = None,
        share: float | None = None,
        stream: str | None = None,
        **params: float,
    ) -> dict[str, Any]:
        """Asks it to misbehave; see ``request_fault``."""
        return request_fault(self.port, fault, params, symbol=symbol, stream=stream, seconds=seconds, share=share)

    def clear_faults(self) -> None:
        """Ends every fault in force."""
        clear_faults(self.port)

    def violations(self) -> dict[str, Any]:
        """``{"total", "counts", "recent"}``: what clients did against the venue's limits."""
        return _control(self.port, "GET", "/sandbox/violations")

    def status(self) -> dict[str, Any]:
        """What it plays, and for how many connections."""
        return _control(self.port, "GET", "/sandbox/status")

    def is_running(self) -> bool:
        """Whether the process still lives."""
        return self._process.poll() is None

    def stop(self, timeout: float = 2.0) -> int:
        """Ends it and returns its exit code: stdin is closed, then, ``timeout`` seconds later, its group is killed.

        ``last_words`` is then what it wrote to stderr: violations of the limits by clients, if there were any.
        """
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            _kill_group(self._process)
            code = self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        if not self._errors.closed:
            self.last_words = _read(self._errors)
            self._errors.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def launch(
    port: int = 0,
    seed: int = 1,
    *,
    symbols: int | None = None,
    replay: Sequence[str | Path] = (),
    speed: float = 1.0,
    time_scale: float = 1.0,
    activity: float = 1.0,
    start_ms: int | None = None,
    has_past: bool = True,
    keep: int | None = None,
    timeout: float = START_TIMEOUT_S,
) -> Sandbox:
    """Starts an exchange in a process group of its own and waits until it listens. Blocks: call it off the loop.

    ``replay`` names recorded files played one after the other at ``speed``; else agents make a market of ``symbols`` symbols
    (``activity`` times as lively as by default; with a day's past, or with nothing ever traded;
    ``keep`` trades are kept per symbol). Raises Unavailable, with what the child said, when it does not come up.
    """
    args = [f"--port={port}", f"--seed={seed}", f"--speed={speed}", f"--time-scale={time_scale}", f"--activity={activity}"]
    if symbols is not None:
        args.append(f"--symbols={symbols}")
    if start_ms is not None:
        args.append(f"--start-ms={start_ms}")
    if keep is not None:
        args.append(f"--keep={keep}")
    if not has_past:
        args.append("--no-past")
    if replay:
        args.extend(("--replay", *(str(Path(file).resolve()) for file in replay)))
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as long as the child
    process = subprocess.Popen(  # noqa: S603 -- our own interpreter, arguments built above
        [sys.executable, "-m", "foxtrot.sandbox", "--until-stdin-closes", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )
    line = _first_line(process, timeout)
    if line:
        return Sandbox(process, json.loads(line), errors)
    _kill_group(process)
    process.wait()
    with contextlib.ExitStack() as opened:
        for each in (process.stdin, process.stdout, errors):
            if each:
                opened.enter_context(each)
        said = _read(errors)
    raise Unavailable(f"the sandbox did not start within {timeout:g} s: {said or 'it said nothing'}")


def request_fault(
    port: int,
    fault: str,
    params: Mapping[str, float] | None = None,
    *,
    symbol: str | None = None,
    stream: str | None = None,
    seconds: float | None = None,
    share: float | None = None,
) -> dict[str, Any]:
    """Asks the exchange on ``port`` to commit a fault; returns it with its ``id`` and how many connections it ``struck``.

    ``params`` are the fault's own; ``symbol`` and ``stream`` (``btcusdt@trade``) None: all; ``seconds`` (above 0) None: until
    cleared; ``share``: 0 to 1 of what it meets. Raises ConfigError for an unknown fault or parameter and for a value outside its
    range, Unavailable when no sandbox answers, or when one fails.
    """
    spec = faults.find(fault)
    asked: dict[str, object] = {"fault": spec.name, **(params or {})}
    faults.check_params(spec, params or {})
    if stream is not None:
        asked["stream"] = faults.check_stream(spec, stream)
    if seconds is not None:
        asked["seconds"] = SECONDS.check("seconds", seconds)
    if share is not None:
        asked["share"] = SHARE.check("share", share)
    if symbol is not None:
        asked["symbol"] = symbol
    return _control(port, "POST", "/sandbox/faults", asked)


def clear_faults(port: int) -> int:
    """Ends every fault in force on ``port`` and returns how many; raises Unavailable when no sandbox answers."""
    return int(_control(port, "DELETE", "/sandbox/faults")["cleared"])


def list_faults() -> list[dict[str, object]]:
    """The table of faults: name, effect, what it imitates, parameters with default and meaning."""
    return faults.describe()


def run_foreground(argv: Sequence[str]) -> int:
    """Runs the exchange in this process until Ctrl-C or SIGTERM and returns the exit code; prints one JSON line first."""
    from foxtrot.sandbox.program import main  # noqa: PLC0415 -- the server's libraries load only where it runs

    return main(argv, prog="foxtrot sandbox")


def _control(port: int, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(HOST, port, timeout=CONTROL_TIMEOUT_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status not in {_OK, _WRONG}:
            raise _not_served(port, response.status, text)
        answer: dict[str, Any] = json.loads(text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(
            f"no sandbox answers on {HOST}:{port} ({error}); start one with: foxtrot sandbox --port {port}"
        ) from error
    finally:
        connection.close()
    if response.status == _WRONG:
        raise ConfigError(str(answer.get("error", answer)))
    return answer


def _not_served(port: int, status: int, text: bytes) -> Unavailable:
    """What to say of an answer that is neither a yes nor a refusal: the sandbox's own word, if there is one."""
    with contextlib.suppress(ValueError):
        answer = json.loads(text)
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            return Unavailable(f"the sandbox on {HOST}:{port} answered HTTP {status}: {answer['error']}")
    if status >= _FAILED:
        return Unavailable(f"what listens on {HOST}:{port} failed with HTTP {status}; what it wrote to stderr says why")
    return Unavailable(f"what listens on {HOST}:{port} is no sandbox (HTTP {status})")


def _first_line(process: subprocess.Popen[bytes], timeout: float) -> bytes:
    """The child's first line; empty when it ends or stays silent."""
    lines: Queue[bytes] = Queue(maxsize=1)
    pipe = process.stdout
    assert pipe is not None
    Thread(target=lambda: lines.put(pipe.readline()), name="sandbox.first_line", daemon=True).start()
    try:
        return lines.get(timeout=timeout)
    except Empty:
        return b""


def _read(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace").strip()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
