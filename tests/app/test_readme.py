"""What the README shows works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_library_snippet_runs(tmp_path: Path) -> None:
    """As it stands, in an empty folder: a trade arrives, the health is told, the program ends."""
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    ended = subprocess.run(
        [sys.executable, "-c", snippets[0]], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=True
    )
    assert "BTCUSDT.BINANCE" in ended.stdout
    assert "HealthData" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    "page", [README, *README.parent.glob("docs/**/*.md"), README.parent / "CONTRIBUTING.md"], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every file that a page links to exists."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
