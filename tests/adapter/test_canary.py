"""A canary key: it is shown nowhere and goes nowhere, and every address that is asked is on loopback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.stub_venue import StubVenue, threaded_stub_venue

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"FOXTROT_BINANCE_API_KEY": "canary-key-51c0", "FOXTROT_BINANCE_SECRET": "canary-secret-51c0"}
CANARY = re.compile(r"canary-\w+-51c0")


def run_child(folder: Path, venue: StubVenue, where: str) -> dict[str, Any]:
    """Runs the program with the key in its setting, or in its environment."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **(KEYS if where == "environment" else {})}
    child = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/canary.py"), str(folder), venue.rest_url, venue.stream_url, where],
        capture_output=True,
        text=True,
        timeout=50,
        env=environ,
        cwd=folder,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert not CANARY.search(child.stderr)
    found: dict[str, Any] = json.loads(child.stdout)
    return found


@pytest.mark.parametrize("where", ["setting", "environment"])
def test_a_canary_key_stays_where_it_is(tmp_path: Path, where: str) -> None:
    """In no request, log, repr, exception or file; every connection and every name asked is loopback."""
    with threaded_stub_venue() as venue:
        found = run_child(tmp_path, venue, where)
    assert found["loop"].startswith("asyncio")  # whose connections the audit sees
    assert {f"('127.0.0.1', {venue.port})", "127.0.0.1"} >= set(found["asked"])
    assert f"('127.0.0.1', {venue.port})" in found["asked"]
    assert {urlsplit(each.url).hostname for each in venue.asked} == {"127.0.0.1"}
    assert {"exchangeInfo", "time", "ticker/24hr", "/stream"} <= set(venue.paths)
    assert not CANARY.search(repr(venue.asked))
    assert not [text for text in found["shown"] if CANARY.search(text)]
    log = (tmp_path / "all.log").read_text()
    assert "asyncio" in log  # the loggers did write
    files = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert Path("all.log") in files
    assert any(path.parts[0] == "state" for path in files)
    assert not [path for path, content in files.items() if CANARY.search(content.decode(errors="replace"))]
