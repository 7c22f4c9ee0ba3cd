"""What the pages take from the code is as the code is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LANE, BOOKS = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("lane.md", "books_and_bars.md"))


def test_the_page_of_the_lane_is_as_the_code() -> None:
    """Its picture, its table of moves and every default; what differs is told."""
    ended = subprocess.run([sys.executable, "-m", "docs.make_lane", "--check"], cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510 -- the code is asserted
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("snippet", re.findall(r"```python\n(.*?)```", LANE + BOOKS, re.DOTALL))
def test_their_snippets_run(snippet: str) -> None:
    """As they stand."""
    exec(compile(snippet, "page", "exec"), {})


def test_its_contents_lead_somewhere() -> None:
    """Each entry has its heading, each heading its entry."""
    headings = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", LANE, re.MULTILINE)]
    assert re.findall(r"\]\(#([^)]+)\)", LANE) == headings
