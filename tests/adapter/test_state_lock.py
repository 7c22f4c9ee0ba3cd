"""One process at a time in a state folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from foxtrot.adapter.binance.state_lock import StateLock
from foxtrot.util.errors import ConfigError

HOLDER = """
import pathlib, sys
from foxtrot.adapter.binance.state_lock import StateLock
lock = StateLock(pathlib.Path(sys.argv[1]), "sandbox")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_it_until_that_one_is_killed(tmp_path: Path) -> None:
    """The system frees it with the process: no stale lock to remove by hand."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=rf"sandbox is in use by process {holder.pid}; end it, or name another state_dir"):
            StateLock(tmp_path, "sandbox")
        holder.kill()
        holder.wait()
        StateLock(tmp_path, "sandbox").release()


def test_each_environment_has_its_own(tmp_path: Path) -> None:
    """A sandbox beside a live session."""
    held = StateLock(tmp_path, "sandbox")
    StateLock(tmp_path, "testnet").release()
    held.release()


def test_after_its_release_it_is_free(tmp_path: Path) -> None:
    """Releasing again is no error."""
    first = StateLock(tmp_path, "sandbox")
    with pytest.raises(ConfigError, match="in use by process"):
        StateLock(tmp_path, "sandbox")
    first.release()
    first.release()
    StateLock(tmp_path, "sandbox").release()


def test_a_holder_that_left_no_name_is_another_process(tmp_path: Path) -> None:
    """The lock counts, not the text in it."""
    held = StateLock(tmp_path, "sandbox")
    (tmp_path / "sandbox" / "lock").write_text("")
    with pytest.raises(ConfigError, match="in use by another process"):
        StateLock(tmp_path, "sandbox")
    held.release()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """With what to do about it."""
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ConfigError, match=r"the state folder .* cannot be used: .*; name another state_dir"):
        StateLock(tmp_path / "state", "sandbox")
