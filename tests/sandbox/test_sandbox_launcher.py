"""The launcher: a child of its own that says where it is, does what it is told, and ends with its parent."""

import http.client
import http.server
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from foxtrot.sandbox import launcher, program
from foxtrot.util.errors import ConfigError, Unavailable

CHILD = [sys.executable, "-m", "foxtrot.sandbox"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[launcher.Sandbox]:
    """One exchange for the tests that leave it alive."""
    with launcher.launch(symbols=2, seed=9) as started:
        yield started


def test_is_light() -> None:
    """Importing the launcher loads neither a server nor a client library."""
    heavy = "('aiohttp', 'picows', 'ccxt', 'asyncio')"
    code = f"import sys, foxtrot.sandbox.launcher; print([each for each in {heavy} if each in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_says_where_it_is(sandbox: launcher.Sandbox) -> None:
    """Port, addresses, seed and process id."""
    assert sandbox.rest_url == f"http://127.0.0.1:{sandbox.port}"
    assert sandbox.stream_url == f"ws://127.0.0.1:{sandbox.port}"
    assert sandbox.ws_api_url.endswith("/ws-api/v3")
    assert sandbox.seed == 9
    assert sandbox.is_running()
    assert sandbox.status()["symbols"] == ["BTCUSDT", "ETHUSDT"]
    assert sandbox.violations()["total"] == 0


def test_misbehaves_on_demand(sandbox: launcher.Sandbox) -> None:
    """A fault is armed and cleared; a wrong one is refused before and by the exchange."""
    fault = sandbox.chaos("rest_slow", symbol="BTCUSDT", seconds=5, share=0.5, ms=1)
    assert (fault["fault"], fault["symbol"], fault["params"]["ms"]) == ("rest-slow", "BTCUSDT", 1)
    sandbox.clear_faults()
    with pytest.raises(ConfigError, match="did you mean"):
        sandbox.chaos("closs")
    with pytest.raises(ConfigError, match="unknown symbol"):
        sandbox.chaos("mute", symbol="BTCUSDC")
    assert {each["fault"] for each in launcher.list_faults()} >= {"close", "mute"}


def test_nobody_answers() -> None:
    """A port without a sandbox is named, with the way to start one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match=f"foxtrot sandbox --port {port}"):
        launcher.request_fault(port, "mute")


@pytest.mark.parametrize(
    ("fault", "params", "words"),
    [
        ("mute", {"seconds": 3.0}, "unknown parameter 'seconds' of mute; allowed: none"),
        ("delay", {"msec": 3.0}, "allowed: ms, jitter_ms"),
        ("close", {"code": 99999.0}, "code is a number, whole, 1000 to 4999"),
        ("drop", {"one_in": math.nan}, "one_in is a number, whole, 1 to"),
    ],
)
def test_parameters_are_checked_before_anybody_is_asked(fault: str, params: dict[str, float], words: str) -> None:
    """No sandbox is needed to hear what is allowed."""
    with pytest.raises(ConfigError, match=words):
        launcher.request_fault(1, fault, params)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b'{"error": "a mistake"}', "the sandbox on 127.0.0.1:PORT answered HTTP 500: a mistake"),
        (500, b"oops", "what listens on 127.0.0.1:PORT failed with HTTP 500"),
        (404, b"", "what listens on 127.0.0.1:PORT is no sandbox"),
    ],
)
def test_an_answer_that_is_none_is_told_as_what_it_is(status: int, body: bytes, words: str) -> None:
    """A sandbox that fails is not taken for something else."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(Unavailable, match=words.replace("PORT", str(server.server_port))):
            launcher.clear_faults(server.server_port)
        thread.join()


def test_ends_when_told() -> None:
    """``stop`` ends the child cleanly, twice is once."""
    started = launcher.launch(symbols=1)
    assert started.stop() == 0
    assert started.stop() == 0
    assert not started.is_running()


def test_last_words_name_the_violations() -> None:
    """After ``stop`` one can read what clients did wrong; nothing is nothing."""
    quiet = launcher.launch(symbols=1)
    quiet.stop()
    assert quiet.last_words == ""
    with launcher.launch(symbols=1) as broken:
        connection = http.client.HTTPConnection("127.0.0.1", broken.port)
        for _ in range(25):
            connection.request("GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000")
            connection.getresponse().read()
        connection.close()
    assert "violations of the limits by clients: weight" in broken.last_words


def test_a_child_that_hangs_is_killed() -> None:
    """A stopped process does not keep ``stop`` waiting for ever."""
    started = launcher.launch(symbols=1)
    os.kill(started.pid, signal.SIGSTOP)
    assert started.stop(timeout=0.3) == -signal.SIGKILL


def test_ends_with_its_parent() -> None:
    """A parent that is killed takes its exchange with it."""
    code = "from foxtrot.sandbox.launcher import launch; s = launch(symbols=1); print(s.pid, flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout
    assert parent.stdin
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    while Path(f"/proc/{pid}").exists():
        pass


def test_a_failed_start_says_why(tmp_path: Path) -> None:
    """The child's own words stand in the error."""
    with pytest.raises(Unavailable, match="cannot read the recording"):
        launcher.launch(replay=[tmp_path / "none"])


def test_a_taken_port_is_named() -> None:
    """Another port is what is needed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="choose another --port"):
            launcher.launch(port=taken.getsockname()[1], symbols=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_by_hand_it_ends_on_a_signal(number: int) -> None:
    """Started from a shell it does not mind a closed stdin; Ctrl-C and SIGTERM end it without a traceback."""
    child = subprocess.Popen([*CHILD, "--symbols", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    said = json.loads(child.stdout.readline())
    assert said["pid"] == child.pid
    child.send_signal(number)
    _, errors = child.communicate(timeout=10)
    assert (child.returncode, errors) == (0, b"")


def test_violations_are_told_at_the_end() -> None:
    """What clients did wrong stands on stderr."""
    child = subprocess.Popen([*CHILD, "--symbols", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    port = json.loads(child.stdout.readline())["port"]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    statuses = []
    while 429 not in statuses:
        connection.request("GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000")
        with connection.getresponse() as response:
            statuses.append(response.status)
            response.read()
    connection.close()
    child.terminate()
    _, errors = child.communicate(timeout=10)
    assert b"violations of the limits by clients: weight" in errors


@pytest.mark.parametrize(
    "argv",
    [
        ["--port", "70000"],
        ["--symbols", "0"],
        ["--symbols", "201"],
        ["--speed", "0"],
        ["--time-scale", "-1"],
        ["--activity", "x"],
        ["--keep", "999"],
        ["--nope"],
    ],
)
def test_wrong_use_exits_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Usage errors say what is allowed."""
    with pytest.raises(SystemExit) as error:
        program.parse(argv, "foxtrot sandbox")
    assert error.value.code == 2
    assert "see: foxtrot sandbox --help" in capsys.readouterr().err


def test_the_foreground_form_returns_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong recording is one line and exit code 2."""
    assert launcher.run_foreground(["--replay", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("cannot read the recording")
