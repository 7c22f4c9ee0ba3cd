"""KILL and REVIVE as other processes and hands write them."""

from pathlib import Path

import pytest

from foxtrot.transport.flags import KillList
from foxtrot.transport.kill_file import (
    kill_path,
    kill_phrase,
    kill_symbol,
    read_kill,
    revive_path,
    revive_symbol,
    take_revive,
)
from foxtrot.transport.state_file import write_atomically
from foxtrot.util.errors import ConfigError


def killed(*symbols: str) -> KillList:
    return KillList(symbols=frozenset(symbols))


def test_no_file_kills_nothing(tmp_path: Path) -> None:
    """A state folder without KILL, or none at all, stops nothing."""
    assert read_kill(tmp_path) == read_kill(tmp_path / "missing") == KillList()


def test_an_unreadable_file_kills_everything(tmp_path: Path) -> None:
    """What is there and cannot be read stops everything."""
    kill_path(tmp_path).mkdir()
    assert read_kill(tmp_path) == KillList(all=True)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"A\n" * 600_000], ids=["not text", "too long"])
def test_a_senseless_file_kills_everything(tmp_path: Path, raw: bytes) -> None:
    """Neither is understood, so everything stops."""
    kill_path(tmp_path).write_bytes(raw)
    assert read_kill(tmp_path) == KillList(all=True)


@pytest.mark.parametrize(
    ("kill", "words"),
    [
        (KillList(all=True), "KILL: every symbol polls"),
        (killed("ETHUSDT"), "KILL: ETHUSDT polls"),
        (killed("ETHUSDT", "BTCUSDT"), "KILL: BTCUSDT, ETHUSDT poll"),
        (
            killed(*(f"S{number:02}" for number in range(12))),
            "KILL: S00, S01, S02, S03, S04, S05, S06, S07, S08, S09 and 2 more poll",
        ),
        (KillList(), "KILL is lifted"),
    ],
)
def test_a_kill_in_words(kill: KillList, words: str) -> None:
    """What a person reads when KILL changes."""
    assert kill_phrase(kill) == words


def test_kill_adds_a_symbol(tmp_path: Path) -> None:
    """A killed symbol joins those that are killed already, in venue form, once."""
    kill_symbol(tmp_path, "ETHUSDT")
    kill_symbol(tmp_path, "btc/usdt")
    assert kill_symbol(tmp_path, "BTCUSDT.BINANCE") == killed("BTCUSDT", "ETHUSDT")
    assert kill_path(tmp_path).read_text(encoding="utf-8") == "ETHUSDT\nBTCUSDT\n"


def test_kill_all_keeps_the_other_lines(tmp_path: Path) -> None:
    """Everything stops, and the file still shows what was stopped one by one."""
    kill_symbol(tmp_path, "ETHUSDT")
    assert kill_symbol(tmp_path, None) == KillList(all=True)
    assert kill_path(tmp_path).read_text(encoding="utf-8") == "ETHUSDT\n*\n"


@pytest.mark.parametrize("text", ["", "not a symbol\n", "A B\x0bC\n"])
def test_killing_one_symbol_never_narrows_a_kill_of_all(tmp_path: Path, text: str) -> None:
    """A file that stops everything still does after a symbol was added."""
    kill_path(tmp_path).write_text(text, encoding="utf-8")
    assert kill_symbol(tmp_path, "ETHUSDT") == KillList(all=True)


@pytest.mark.parametrize("text", ["", "A B", "*", "*/USDT"])
def test_kill_refuses_what_is_no_symbol(tmp_path: Path, text: str) -> None:
    """A typing mistake must not stop everything by accident."""
    with pytest.raises(ValueError, match="is not a symbol"):
        kill_symbol(tmp_path, text)
    assert not kill_path(tmp_path).exists()


def test_revive_takes_one_symbol_out(tmp_path: Path) -> None:
    """The others stay killed, and the running process is asked to try this one now."""
    kill_symbol(tmp_path, "ETHUSDT")
    kill_symbol(tmp_path, "BTCUSDT")
    assert revive_symbol(tmp_path, "sandbox", "ETH/USDT") == killed("BTCUSDT")
    assert take_revive(tmp_path, "sandbox") == frozenset({"ETHUSDT"})


def test_revive_of_the_last_symbol_removes_the_file(tmp_path: Path) -> None:
    """An empty file would stop everything."""
    kill_symbol(tmp_path, "ETHUSDT")
    assert revive_symbol(tmp_path, "sandbox", "ETHUSDT") == KillList()
    assert not kill_path(tmp_path).exists()


def test_revive_all_removes_the_file(tmp_path: Path) -> None:
    """Whatever KILL says, reviving all ends it."""
    kill_symbol(tmp_path, None)
    assert revive_symbol(tmp_path, "sandbox", None) == KillList()
    assert take_revive(tmp_path, "sandbox") == frozenset({"*"})


def test_one_symbol_cannot_be_revived_out_of_all(tmp_path: Path) -> None:
    """KILL cannot say "all but one"; the refusal says what to do, and changes nothing."""
    kill_symbol(tmp_path, None)
    with pytest.raises(ConfigError, match="revive all"):
        revive_symbol(tmp_path, "sandbox", "ETHUSDT")
    assert read_kill(tmp_path) == KillList(all=True)
    assert take_revive(tmp_path, "sandbox") is None


def test_reviving_what_is_not_killed_asks_for_a_new_attempt(tmp_path: Path) -> None:
    """revive also shortens the wait of a tripped symbol."""
    kill_symbol(tmp_path, "BTCUSDT")
    assert revive_symbol(tmp_path, "sandbox", "ETHUSDT") == killed("BTCUSDT")
    assert take_revive(tmp_path, "sandbox") == frozenset({"ETHUSDT"})


def test_revive_requests_add_up_until_they_are_taken(tmp_path: Path) -> None:
    """Two commands in a row both count, each once."""
    revive_symbol(tmp_path, "sandbox", "ETHUSDT")
    revive_symbol(tmp_path, "sandbox", "BTCUSDT")
    assert take_revive(tmp_path, "sandbox") == frozenset({"ETHUSDT", "BTCUSDT"})
    assert take_revive(tmp_path, "sandbox") is None


def test_an_empty_revive_asks_for_nothing(tmp_path: Path) -> None:
    """Towards streaming, what cannot be understood does nothing."""
    write_atomically(revive_path(tmp_path, "sandbox"), "not a symbol\n\n")
    assert take_revive(tmp_path, "sandbox") is None


def test_an_interrupted_write_leaves_the_old_text(tmp_path: Path) -> None:
    """A write that fails changes nothing and leaves no litter."""
    target = tmp_path / "file"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(target, "new")
    assert list(tmp_path.iterdir()) == [target]
