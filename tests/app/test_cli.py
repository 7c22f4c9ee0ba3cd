"""The command line: exit codes, and errors of one line that say what to do."""

from collections.abc import Iterator

import pytest

from foxtrot.app import cli
from foxtrot.sandbox.launcher import Sandbox, launch


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A running exchange to be broken."""
    with launch(symbols=2) as started:
        yield started


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("run --durtion 3", "--duration"),
        ("run --duration 0", "above 0"),
        ("run --duration x", "--duration"),
        ("run --symbols ,", "--symbols names none"),
        ("run --symbols BTCUSDT.KRAKEN", "another venue"),
        ("run --channels tik", "did you mean 'tick'"),
        ("run --events", "--json"),
        ("run --rest-url http://127.0.0.1:9", "stream_url"),
        ("run --environment moon", "sandbox"),
        ("rnu", "rnu"),
        ("chaos", "--port"),
        ("chaos --port 9", "name a fault"),
        ("chaos clos --port 9", "did you mean 'close'"),
        ("chaos delay --port 9 --param ms", "NAME=NUMBER"),
        ("chaos close --port 99999", "--port"),
        ("chaos mute --port 9 --param seconds=3", "seconds is said by --for"),
        ("chaos mute --port 9 --param stream=1", "stream is said by --stream NAME"),
        ("chaos mute --port 9 --param symbol=BTCUSDT", "symbol is said by --symbol"),
        (
            "chaos mute --port 9 --param foo=3",
            "allowed: none; symbol, stream, seconds and share are said apart (--symbol, --stream, --for, --share)",
        ),
        ("chaos close --port 9 --param code=99999", "whole, 1000 to 4999"),
        ("chaos mute --port 9 --for 0", "--for is a number, above 0"),
        ("chaos mute --port 9 --for nan", "--for is a number, above 0"),
        ("chaos mute --port 9 --share 2", "--share is a number, 0 to 1"),
        ("chaos mute --port 9 --stream moon", "for example btcusdt@trade"),
        ("flags shwo", "show"),
    ],
)
def test_wrong_use(line: str, says: str, capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    """Exit code 2, one line on stderr."""
    state = f" --state-dir {tmp_path}" if line.startswith("run") else ""
    assert cli.main((line + state).split()) == cli.WRONG_USE
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.startswith("foxtrot: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("command", [[], ["run"], ["chaos"], ["flags"], ["flags", "check"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command has it."""
    assert cli.main([*command, "--help"]) == 0
    assert "--help" in capsys.readouterr().out


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help, and wrong use."""
    assert cli.main([]) == cli.WRONG_USE
    captured = capsys.readouterr()
    assert "chaos" in captured.out + captured.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and number."""
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("foxtrot 0.")


def test_sandbox_takes_its_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    """They go to the exchange, which has a help and errors of its own."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["sandbox", "--help"])
    assert ended.value.code == 0
    assert "--replay" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["sandbox", "--port", "70000"])
    assert ended.value.code == cli.WRONG_USE
    assert capsys.readouterr().err.count("\n") == 1


def test_chaos_without_a_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    """Fails, and says how to start one."""
    assert cli.main(["chaos", "close", "--port", "9"]) == cli.FAILED
    assert "foxtrot sandbox --port 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("close", "close on every symbol, once"),
        ("mute --symbol BTC/USDT --for 5", "mute on BTCUSDT, for 5 s"),
        ("mute --stream btcusdt@trade --for 0.5", "mute on btcusdt@trade, for 0.5 s"),
        ("delay --param ms=20 --share 0.5", "until: foxtrot chaos --clear"),
        ("--clear", "faults ended: "),
    ],
)
def test_chaos(line: str, says: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what was done, to whom, and for how long."""
    assert cli.main(["chaos", *line.split(), "--port", str(sandbox.port)]) == 0
    assert says in capsys.readouterr().out


def test_chaos_lists_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """With their parameters."""
    assert cli.main(["chaos", "--list"]) == 0
    out = capsys.readouterr().out
    assert "rest-429" in out
    assert "retry_after=5" in out
