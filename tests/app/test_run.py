"""The main job on the embedded exchange, seen from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from foxtrot.app.json_screen import JsonScreen
from foxtrot.app.line_writer import LineWriter
from foxtrot.app.run import Run, Stop, ended_by_signals
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Ending, Outcome
from foxtrot.app.view import View
from foxtrot.core.event import Event
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.constants import Health, LaneState, Serving
from foxtrot.util.errors import ConfigError
from foxtrot.util.system_clock import SystemClock
from tests.support.engine_run import eventually

FLAGS = 'schema = 1\n[symbols]\n"BTC/USDT" = "{btc}"\n# end of flags\n'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A lively exchange with three symbols."""
    with launch(symbols=3, activity=3) as started:
        yield started


class Watcher:
    """A screen that calls ``on_view`` with each view, and remembers."""

    def __init__(self, on_view: Callable[[View], None] = lambda _view: None) -> None:
        self.views: list[View] = []
        self.events: list[Event] = []
        self.calls: list[str] = []
        self._on_view = on_view

    def open(self, plan: RunPlan) -> None:
        self.calls.append("open")

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:
        self.events.append(event)

    def show(self, view: View) -> None:
        self.views.append(view)
        self._on_view(view)

    def ending(self) -> None:
        self.calls.append("ending")

    def close(self, outcome: Outcome) -> None:
        self.calls.append("close")


def plan(
    sandbox: Sandbox,
    folder: Path,
    *,
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"),
    channels: tuple[str, ...] = ("tick", "trades"),
    duration: float | None = None,
) -> RunPlan:
    (folder / "flags.toml").write_text(FLAGS.format(btc="streaming"))
    setting: dict[str, object] = {
        "environment": "sandbox",
        "flags": str(folder / "flags.toml"),
        "state_dir": str(folder / "state"),
        "rest_url": sandbox.rest_url,
        "stream_url": sandbox.stream_url,
    }
    return RunPlan("sandbox", symbols, channels, setting, duration)


def lanes(view: View) -> dict[tuple[str, str], Any]:
    return {(lane.symbol, lane.channel): lane for lane in view.lanes}


def test_runs_for_its_duration(sandbox: Sandbox, tmp_path: Path) -> None:
    """Values of every kind come, streamed and polled, whole and once; the time counts from the first value."""
    screen = Watcher()
    channels = ("tick", "trades", "book:50", "bars:1s")
    found = Run(plan(sandbox, tmp_path, channels=channels, duration=3.0), screen, Stop(), SystemClock()).run()
    assert (found.ending, found.exit_code) == (Ending.DURATION, 0)
    assert found.seconds >= 3.0
    assert all(lane.delivered for lane in found.lanes)
    assert not any(lane.gaps or lane.duplicates_delivered for lane in found.lanes)
    assert {lane.serving for lane in found.lanes} == {Serving.STREAM, Serving.POLL}
    assert screen.calls == ["open", "ending", "close"]
    last = lanes(screen.views[-1])["BTCUSDT", "tick"]
    assert last.health in {Health.LIVE, Health.DEGRADED}  # its stream may not have proved itself in so short a time
    assert last.decimals == 2
    assert last.bid < last.ask
    book = lanes(screen.views[-1])["BTCUSDT", "book"]
    assert book.bid < book.ask


def test_flags_are_followed_while_it_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    """A symbol moved to polling shows so in the table, with nothing lost and nothing twice."""
    stop = Stop()

    def on_view(view: View) -> None:
        lane = lanes(view)["BTCUSDT", "trades"]
        if lane.state is LaneState.STREAMING and lane.delivered:
            (tmp_path / "flags.toml").write_text(FLAGS.format(btc="polling"))
        if lane.state is LaneState.POLLING and lane.switches >= 2:
            stop.wish(Ending.SIGNAL)

    found = Run(plan(sandbox, tmp_path), Watcher(on_view), stop, SystemClock()).run()
    assert found.exit_code == 0
    assert not any(lane.gaps or lane.duplicates_delivered for lane in found.lanes)


def test_values_are_told_on_demand(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every value that was counted was told as well."""
    screen = Watcher()
    run = Run(plan(sandbox, tmp_path, duration=1.0), screen, Stop(), SystemClock(), tells_values=True)
    found = run.run()
    assert sum(event.type in {"eTick.", "ePublicTrade."} for event in screen.events) == found.delivered


def test_a_pipe_that_nobody_reads_does_not_keep_a_run_from_its_end(sandbox: Sandbox, tmp_path: Path) -> None:
    """The main thread goes on while lines wait: it sees the wish, and the run ends."""
    reader, writer = os.pipe()
    stop, clock = Stop(), SystemClock()
    lines = LineWriter(lambda text: os.write(writer, text.encode()), lambda: None, clock, capacity=50)
    run = Run(plan(sandbox, tmp_path), JsonScreen(lines, clock), stop, clock, tells_values=True)
    thread = threading.Thread(target=run.run)
    thread.start()
    eventually(lambda: lines.let_go, "the pipe and the queue are full")
    stop.wish(Ending.SIGNAL)
    thread.join(10)
    os.close(reader)  # the writer's thread ends with an error, that is its end
    assert not thread.is_alive()
    os.close(writer)


def test_symbols_that_nobody_lists(sandbox: Sandbox, tmp_path: Path) -> None:
    """The run ends by itself, and says so."""
    found = Run(plan(sandbox, tmp_path, symbols=("NONEUSDT",)), Watcher(), Stop(), SystemClock()).run()
    assert (found.ending, found.exit_code, found.lanes[0].state) == (Ending.NO_SYMBOL, 1, LaneState.CLOSED)


def test_wrong_setting(tmp_path: Path) -> None:
    """Is refused before anything starts."""
    screen = Watcher()
    with pytest.raises(ConfigError):
        Run(RunPlan("moon", ("BTCUSDT",), ("tick",), {"environment": "moon"}), screen, Stop(), SystemClock()).run()
    assert screen.calls == []


def test_first_wish_counts() -> None:
    """The reason of an end does not change any more."""
    stop = Stop()
    stop.wish(Ending.NO_READER)
    stop.wish(Ending.SIGNAL)
    assert (stop.wait(0), stop.ending) == (True, Ending.NO_READER)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_without_a_signal_the_handlers_come_back() -> None:
    """A run that ends by itself leaves signals as they were."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with ended_by_signals(Stop(), lambda: None):
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_wishes_for_the_end() -> None:
    """The handler stays until the process ends, so that a second signal means the same throughout."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    stop = Stop()
    try:
        with ended_by_signals(stop, lambda: None):
            ours = signal.getsignal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert stop.wait(5)
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("at_once", ["lambda: print('restored', flush=True)", "threading.Event().wait"])
@pytest.mark.parametrize("is_late", [False, True])
def test_a_second_signal_ends_at_once(at_once: str, is_late: bool) -> None:
    """With exit code 130, early or late, after the terminal was restored, or could not be."""
    code = f"""
import signal, threading
from foxtrot.app.run import Stop, ended_by_signals
with ended_by_signals(Stop(), {at_once}):
    signal.raise_signal(signal.SIGINT)
    if not {is_late}:
        signal.raise_signal(signal.SIGTERM)
signal.raise_signal(signal.SIGTERM)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")
    assert ended.stdout == ("restored\n" if "print" in at_once else "")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """``foxtrot run``, with files of its own."""
    (tmp_path / "flags.toml").write_text(FLAGS.format(btc="streaming"))
    files = ["--flags", str(tmp_path / "flags.toml"), "--state-dir", str(tmp_path / "state")]
    code = "import sys; from foxtrot.app.cli import main; sys.exit(main())"
    return [sys.executable, "-c", code, "run", "--json", *files]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly_on_a_signal(command: list[str], number: signal.Signals) -> None:
    """With a summary, without a traceback; the embedded exchange ends too."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = 0
        for line in process.stdout:
            said = json.loads(line)
            port = int(said["rest"].rpartition(":")[2]) if said["type"] == "endpoints" else port
            if said["type"] == "status" and said["channel"] == "tick" and said["delivered"]:
                break
        process.send_signal(number)
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
    assert rest[-1]["type"] == "end"
    assert [line["type"] for line in rest].count("summary") == 10
    with pytest.raises(ConnectionError):
        _connect(port)


def test_reader_that_goes_away(command: list[str]) -> None:
    """As ``| head -1`` does: a clean end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_terminal_gets_a_table(command: list[str]) -> None:
    """The frame is drawn, Ctrl-C leaves the summary."""
    ours, theirs = os.openpty()
    command.remove("--json")
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        seen = bytearray()
        has_table = threading.Event()

        def read() -> None:
            while chunk := _read(ours):
                seen.extend(chunk)
                if b"stream" in seen and b"BTCUSDT" in seen and b"LIVE" in seen:
                    has_table.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert has_table.wait(30)
        process.send_signal(signal.SIGINT)
        exit_code = process.wait(30)
        reader.join(10)
    os.close(ours)
    assert exit_code == 0, seen.decode(errors="replace")[-6000:]
    assert b"duplicates delivered 0" in seen
    assert b"Traceback" not in seen


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_second_signal_gives_the_terminal_back(command: list[str]) -> None:
    """The table is left and the cursor shown, whatever was being done: no frozen table, and exit code 130."""
    ours, theirs = os.openpty()
    command.remove("--json")
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        seen = b""
        while b"LIVE" not in seen:
            seen += _read(ours)
        process.send_signal(signal.SIGSTOP)  # so that both signals wait for it together
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        while chunk := _read(ours):
            seen += chunk
        assert process.wait(30) == 130
    os.close(ours)
    assert seen.endswith(b"\x1b[?1049l\x1b[?25h\r\n")
    assert b"Traceback" not in seen


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_terminal_that_stalls_does_not_keep_a_run_from_its_end(command: list[str]) -> None:
    """The main thread hangs in a write; the process ends all the same."""
    termios = pytest.importorskip("termios")
    ours, theirs = os.openpty()
    command.remove("--json")
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as process:
        seen = b""
        while b"LIVE" not in seen:
            seen += _read(ours)
        termios.tcflow(theirs, termios.TCOOFF)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(30) == 1
        finally:
            process.kill()
            termios.tcflow(theirs, termios.TCOON)
    os.close(theirs)
    os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side has gone
        return b""


def _connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
