"""What a person reads after each command under ``foxtrot flags``."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from foxtrot.app.flags_commands import app
from foxtrot.transport.flags import KillList
from foxtrot.transport.kill_file import kill_path, kill_symbol, read_kill, take_revive

TEXT = """schema = 1
[kill]
symbols = ["LTC/USDT"]
[symbols]
"BTC/USDT" = "streaming"
"SOL/USDT" = { tick = "streaming", "book:20" = "shadow", note = "books are big" }
[rollout]
percent = 25
salt = "2026-11"
include = ["*/USDT"]
# end of flags
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of its own with a flags file in it, as the current one."""
    before = Path.cwd()
    (tmp_path / "flags.toml").write_text(TEXT, encoding="utf-8")
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def rows(result: Result) -> list[list[str]]:
    """The cells of a printed table, without its head."""
    lines = [line.strip() for line in result.stdout.splitlines() if "  " in line.strip()]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines if "─" not in line][1:]


def test_check_accepts_a_good_file() -> None:
    """A good file exits 0 with a summary on one line."""
    result = run("check")
    assert (result.exit_code, result.output) == (
        0,
        'flags.toml: ok (2 pins, rollout 25 %, kills by [kill] symbols "LTC/USDT")\n',
    )


def test_check_names_every_mistake_on_its_line(folder: Path) -> None:
    """A bad file exits 1; each mistake has its line, so that editors can jump to it."""
    (folder / "flags.toml").write_text(TEXT.replace('"streaming"', '"streeming"'), encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [
        ["flags.toml:5", 'symbols."BTC/USDT"'],
        ["flags.toml:6", 'symbols."SOL/USDT".tick'],
    ]


def test_check_warns_of_a_missing_end_mark(folder: Path) -> None:
    """Without the mark the file is accepted, with a warning."""
    (folder / "flags.toml").write_text("schema = 1\n[symbols]\nBTCUSDT = 'polling'", encoding="utf-8")
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "flags.toml: ok (1 pin, no rollout, nothing killed)\n")
    assert result.stderr.startswith("flags.toml: warning: the last line '# end of flags' is missing")


def pinned(folder: Path, pin: str) -> None:
    """A file whose one pin, on line 3, is ``pin``; all others poll."""
    (folder / "flags.toml").write_text(f"schema = 1\n[symbols]\n'BTC/USDT' = {{ {pin} }}\n# end of flags\n", encoding="utf-8")


BUILT = (
    """flags.toml: warning: line 3: symbols."BTC/USDT"."bars:10s": bars:10s are built of agg_trades: pin agg_trades instead\n"""
)
MISNAMED = """flags.toml: warning: line 3: symbols."BTC/USDT"."bars:60s": interval '60s' is called '1m': say bars:1m\n"""


@pytest.mark.parametrize(
    ("pin", "warning"),
    [("'bars:10s' = 'streaming'", BUILT), ("'bars:60s' = 'streaming'", MISNAMED), ("'bars:1m' = 'streaming'", "")],
)
def test_check_warns_of_pinned_bars_that_the_venue_does_not_have(folder: Path, pin: str, warning: str) -> None:
    """The file is accepted; the warning has the line, and what to write instead."""
    pinned(folder, pin)
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, warning)


def test_check_says_warnings_of_bars_in_json_too(folder: Path) -> None:
    """Machines get the same text."""
    pinned(folder, "'bars:60s' = 'streaming'")
    assert json.loads(run("check", "--json").stdout)["warnings"] == [MISNAMED.removeprefix("flags.toml: warning: ").strip()]


def test_check_of_a_missing_file_fails() -> None:
    """There is nothing to accept."""
    result = run("check", "--flags", "other.toml")
    assert (result.exit_code, result.stderr) == (1, "other.toml: no such file\n")


def test_check_speaks_json(folder: Path) -> None:
    """Machines get the same as one object, mistakes with line, key and message."""
    assert json.loads(run("check", "--json").stdout)["ok"] is True
    (folder / "flags.toml").write_text("schema = 2", encoding="utf-8")
    result = run("check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"] == [
        {"line": 1, "key": "schema", "message": "found 2; this version of Foxtrot reads schema = 1"}
    ]


def test_show_lists_each_symbol_with_its_rule() -> None:
    """Symbols that the file names, split by channel where channels differ, then all others."""
    assert rows(run("show")) == [
        ["BTC/USDT", "all", "streaming", "pin", '[symbols] "BTC/USDT"'],
        ["SOL/USDT", "tick", "streaming", "pin", '[symbols] "SOL/USDT" tick'],
        ["SOL/USDT", "trades, agg_trades, book, bars", "polling", "defaults", "[defaults] transport"],
        ["SOL/USDT", "book:20", "shadow", "pin", '[symbols] "SOL/USDT" book:20'],
        ["LTC/USDT", "all", "polling", "kill", '[kill] symbols "LTC/USDT"'],
        ["25 % of */USDT", "all", "streaming", "rollout", "[rollout]"],
        ["all others", "all", "polling", "defaults", "[defaults] transport"],
    ]


def test_show_obeys_the_kill_file(folder: Path) -> None:
    """KILL stands above the file, and is said first."""
    kill_symbol(folder / "state", None)
    result = run("show")
    assert {row[-1] for row in rows(result)} == {"file KILL: all"}
    assert result.stderr == "state/KILL stops every symbol\n"


def test_show_lists_killed_symbols_that_the_file_does_not_name(folder: Path) -> None:
    """A symbol in KILL alone has its row too."""
    kill_symbol(folder / "state", "XRPUSDT")
    assert ["XRPUSDT", "all", "polling", "kill", "file KILL: XRPUSDT"] in rows(run("show"))


def test_show_without_a_file_says_that_everything_polls() -> None:
    """No flags file is a state, not a mistake."""
    result = run("show", "--flags", "other.toml")
    assert (result.exit_code, result.stderr) == (0, "other.toml: no such file; everything polls\n")
    assert rows(result) == [["all others", "all", "polling", "no_flags", "no flags file"]]


def test_show_of_a_bad_file_fails_with_one_line(folder: Path) -> None:
    """The first mistake, and how many more there are."""
    (folder / "flags.toml").write_text("schema = 2\n[kil]", encoding="utf-8")
    result = run("show")
    assert result.exit_code == 1
    assert result.stderr == (
        "flags.toml:1: schema: found 2; this version of Foxtrot reads schema = 1 (and 1 more: foxtrot flags check)\n"
    )


def test_show_of_an_unreadable_file_fails_with_one_line(folder: Path) -> None:
    """A file that is no text says so."""
    (folder / "flags.toml").write_bytes(b"\xff")
    result = run("show")
    assert (result.exit_code, result.stderr) == (1, "flags.toml: not UTF-8 text in line 1; save it as UTF-8\n")


def test_explain_tells_winner_and_losers() -> None:
    """Four steps, strongest first; one wins and the others say why they do not."""
    result = run("explain", "DOGE/USDT")
    assert result.stdout.splitlines()[0] == "DOGE/USDT (DOGEUSDT): bucket 426 of 10000"
    assert rows(result)[2][1:4] == ["wins", "streaming", '[rollout] "*/USDT"']
    assert rows(result)[3][:3] == ["defaults", "overruled", "polling"]


def test_explain_lets_agg_trades_decide_for_built_bars(folder: Path) -> None:
    """A pin of bars that the venue does not have wins nothing: it shows the decision that the run obeys, and the warning."""
    pinned(folder, "'bars:10s' = 'streaming', agg_trades = 'shadow'")
    result = run("explain", "BTC/USDT")
    table = rows(result)
    labels = [row[0] for row in table if "kill" in row]
    assert labels == ["tick, trades, book, bars", "agg_trades, bars:10s (agg_trades decides)"]
    assert [row[-4:-1] for row in table if "wins" in row] == [
        ["wins", "polling", "[defaults] transport"],
        ["wins", "shadow", '[symbols] "BTC/USDT" agg_trades'],
    ]
    assert result.stderr == BUILT


def test_explain_names_built_bars_where_all_share_a_decision(folder: Path) -> None:
    """The pinned channel is not lost in "all"."""
    pinned(folder, "'bars:10s' = 'streaming'")
    assert rows(run("explain", "BTC/USDT"))[0][:2] == ["all, bars:10s (agg_trades decides)", "kill"]


def test_explain_leaves_out_bars_that_no_channel_is_called(folder: Path) -> None:
    """No subscription can name them: the warning says the right name, and nothing is said to be decided."""
    pinned(folder, "'bars:60s' = 'streaming'")
    result = run("explain", "BTC/USDT")
    assert (rows(result)[0][0], result.stderr) == ("all", MISNAMED)


def test_explain_warns_of_the_pins_of_its_symbol_only(folder: Path) -> None:
    """What is wrong with another symbol is for check."""
    pinned(folder, "'bars:10s' = 'streaming'")
    assert run("explain", "ETH/USDT").stderr == ""


def test_show_lets_agg_trades_decide_for_built_bars(folder: Path) -> None:
    """The list says the same as the explanation."""
    pinned(folder, "'bars:10s' = 'streaming'")
    result = run("show")
    assert rows(result)[0] == ["BTC/USDT", "all, bars:10s (agg_trades decides)", "polling", "defaults", "[defaults] transport"]
    assert result.stderr == BUILT


def test_explain_takes_the_unified_form_from_the_file() -> None:
    """A symbol that the file writes with a slash is known with it."""
    assert run("explain", "solusdt").stdout.startswith("SOL/USDT (SOLUSDT): ")


def test_explain_says_what_the_venue_form_leaves_open() -> None:
    """Without BASE/QUOTE a pattern cannot be judged."""
    result = run("explain", "DOGEUSDT")
    assert result.stdout.startswith("DOGEUSDT (written BASE/QUOTE, patterns could be judged too)")
    assert '[rollout] "*/USDT" waits for the market list' in result.stdout


def test_explain_without_rollout_has_no_bucket(folder: Path) -> None:
    """A bucket means nothing without a rollout."""
    (folder / "flags.toml").write_text("schema = 1\n# end of flags", encoding="utf-8")
    assert run("explain", "BTC/USDT").stdout.splitlines()[0] == "BTC/USDT (BTCUSDT)"


@pytest.mark.parametrize("command", ["explain", "kill", "revive"])
def test_what_is_no_symbol_is_wrong_use(command: str) -> None:
    """Wrong use exits 2 with one line, and changes nothing."""
    result = run(command, "BTC USDT")
    assert (result.exit_code, result.stderr) == (2, "'BTC USDT' is not a symbol; write BTC/USDT, BTCUSDT or BTCUSDT.BINANCE\n")
    assert not Path("state").exists()


@pytest.mark.parametrize("command", ["kill", "revive"])
def test_a_pattern_is_no_symbol(command: str) -> None:
    """KILL knows no patterns; * must not stop everything by accident."""
    assert run(command, "*").exit_code == 2


def test_kill_stops_a_symbol(folder: Path) -> None:
    """The command says what is stopped and how to undo it."""
    result = run("kill", "btc/usdt")
    assert (result.exit_code, result.stdout) == (0, "state/KILL stops BTCUSDT; back with: foxtrot flags revive BTCUSDT\n")
    assert read_kill(folder / "state") == KillList(symbols=frozenset({"BTCUSDT"}))


@pytest.mark.parametrize("command", ["explain", "kill", "revive"])
def test_another_venue_is_wrong_use(command: str) -> None:
    """A brake that looks pulled and is not would be the worst; the right form is named."""
    result = run(command, "SOLUSDT.OKX")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "'SOLUSDT.OKX' is of another venue; this adapter serves BINANCE: write SOLUSDT or SOLUSDT.BINANCE\n"
    assert not Path("state").exists()


@pytest.mark.parametrize("command", ["kill", "revive"])
def test_a_state_folder_that_is_not_there_is_wrong_use(command: str) -> None:
    """A folder named wrongly must not look like a brake; nothing is made."""
    result = run(command, "--state-dir", "stat")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("stat: no such folder; --state-dir is the state folder of the running process")
    assert not Path("stat").exists()


def test_kill_says_that_it_made_the_default_folder(folder: Path) -> None:
    """Called in the wrong folder, it shows where it acted; a second time it goes without saying."""
    assert run("kill").stderr.startswith(f"{folder / 'state'} was not there and was made")
    assert run("kill").stderr == ""


def test_kill_stops_everything(folder: Path) -> None:
    """Without a symbol everything polls."""
    (folder / "elsewhere").mkdir()
    result = run("kill", "--state-dir", "elsewhere")
    assert result.stdout == "elsewhere/KILL stops every symbol; back with: foxtrot flags revive --state-dir elsewhere\n"
    assert read_kill(folder / "elsewhere").all


def test_kill_says_what_else_to_do_when_it_cannot_write() -> None:
    """A brake that fails names the other one."""
    result = run("kill", "--state-dir", "flags.toml")
    assert result.exit_code == 1
    assert "say it in flags.toml instead: [kill] streams = true" in result.stderr


def test_revive_takes_a_symbol_out(folder: Path) -> None:
    """KILL goes, and the running process of the environment is asked to try again."""
    kill_symbol(folder / "state", "BTCUSDT")
    result = run("revive", "BTC/USDT", "--environment", "testnet")
    assert (result.exit_code, result.stdout) == (0, "BTCUSDT revived (testnet); state/KILL stops nothing\n")
    assert not kill_path(folder / "state").exists()
    assert take_revive(folder / "state", "testnet") == frozenset({"BTCUSDT"})


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        (["FOO"], "FOO was not killed; FOO may try again at once (sandbox); state/KILL stops BTCUSDT\n"),
        (["BTCUSDT"], "BTCUSDT revived (sandbox); state/KILL stops nothing\n"),
        ([], "all symbols revived (sandbox); state/KILL stops nothing\n"),
    ],
)
def test_revive_says_what_was_killed(folder: Path, symbol: list[str], says: str) -> None:
    """Revived is only what was killed; to try again at once is asked for all the same."""
    kill_symbol(folder / "state", "BTCUSDT")
    result = run("revive", *symbol)
    assert (result.exit_code, result.stdout) == (0, says)
    assert take_revive(folder / "state", "sandbox") == frozenset(symbol or ["*"])


def test_revive_of_all_where_nothing_was_killed() -> None:
    """It says so."""
    result = run("revive")
    assert (result.exit_code, result.stdout) == (
        0,
        "nothing was killed; all symbols may try again at once (sandbox); state/KILL stops nothing\n",
    )


def test_revive_names_a_kill_that_still_holds() -> None:
    """What [kill] says in the file is not changed by revive, so it is named."""
    result = run("revive", "LTCUSDT")
    assert result.stderr == 'but flags.toml still kills: [kill] symbols "LTC/USDT"\n'


def test_revive_of_one_out_of_all_is_refused(folder: Path) -> None:
    """KILL cannot say "all but one"."""
    kill_symbol(folder / "state", None)
    result = run("revive", "BTCUSDT")
    assert result.exit_code == 1
    assert result.stderr.startswith("state/KILL stops every symbol, so BTCUSDT alone cannot be taken out")


def test_revive_says_when_it_cannot_write() -> None:
    """A state folder that is a file is told."""
    assert run("revive", "--state-dir", "flags.toml").exit_code == 1
