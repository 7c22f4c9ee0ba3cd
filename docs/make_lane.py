# ruff: noqa: INP001 -- a program beside the pages, not a package
"""Writes what docs/lane.md takes from the code: the picture of the lane, the table of its moves, every default.

``python -m docs.make_lane`` writes, with ``--check`` it only says (exit code 1) that the page or the picture is not as the code.
"""

import argparse
import difflib
import re
import sys
from pathlib import Path
from typing import Final

from docs.lane_defaults import tables
from docs.lane_picture import numbered, picture
from foxtrot.transport.lane_table import MOVES
from foxtrot.util.constants import LaneState

DOCS: Final = Path(__file__).resolve().parent
PAGE: Final = DOCS / "lane.md"
PICTURE: Final = DOCS / "images" / "lane.svg"


def moves_table() -> str:
    """The moves with the numbers that they bear in the picture; the ends in one row."""
    rows = [f"| {number} | {move.old.upper()} | {move.new.upper()} | {move.when} |" for number, move in numbered()]
    end = next(move for move in MOVES if move.new is LaneState.CLOSED)
    return "\n".join(["| | from | to | when |", "|---|---|---|---|", *rows, f"| | every state | CLOSED | {end.when} |"])


def page(text: str) -> str:
    """The page with its generated parts renewed; what stands between their markers is replaced."""
    for name, part in (("moves", moves_table()), ("defaults", tables())):
        pattern = re.compile(rf"(<!-- {name}: made by make docs -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        places = list(pattern.finditer(text))
        if len(places) != 1:
            raise SystemExit(f"{PAGE.name} has no place for the {name}: its markers are gone")
        text = text[: places[0].end(1)] + f"\n{part}\n\n" + text[places[0].start(2) :]
    return text


def main() -> int:
    """Writes, or compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    status = 0
    for path, wanted in ((PAGE, page(PAGE.read_text(encoding="utf-8"))), (PICTURE, picture())):
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if present == wanted:
            continue
        if is_check:
            status = 1
            changes = difflib.unified_diff(
                present.splitlines(), wanted.splitlines(), path.name, "as the code is", lineterm="", n=0
            )
            sys.stderr.write("\n".join([*changes, f"{path.name} is not as the code; run: make docs", ""]))
        else:
            path.write_text(wanted, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
