"""Runs the tests with branch coverage, and fails where a module is below its bound.

Bounds: 100 % of each pure module (the list in pyproject.toml's import contract, and the pure ones of ``foxtrot/util``), 90 % of
the package. What is given on the command line goes on to pytest: ``python benchmarks/coverage_gate.py -m "not recording"``.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE_BOUND = 90.0
PURE_UTIL = ("clock", "constants", "errors", "event_type", "object", "symbol")
PROCESSES = 3


def pure_modules(pyproject: str) -> list[str]:
    """The modules that pyproject.toml's contract calls pure, and the pure ones of util, as paths."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each["name"].startswith("pure modules"))
    named = [*contract["source_modules"], *(f"foxtrot.util.{name}" for name in PURE_UTIL)]
    return [module.replace(".", "/") + ".py" for module in named]


def run_tests(arguments: list[str], report: Path) -> int:
    """Runs pytest; returns its exit code. The report holds every file of the package."""
    command = [
        *(sys.executable, "-m", "pytest", "--quiet", "--numprocesses", str(PROCESSES)),
        *("--cov=foxtrot", "--cov-branch", "--cov-report=", f"--cov-report=json:{report}"),
        *arguments,
    ]
    # The same examples each time: what is covered must not depend on a draw.
    return subprocess.run(command, cwd=ROOT, env={"HYPOTHESIS_PROFILE": "gate", **os.environ}, check=False).returncode


def missing(file: dict[str, Any]) -> str:
    """The lines and branches of a file that no test has reached; "" for none."""
    lines = [str(line) for line in file["missing_lines"]]
    branches = [f"{start}->{end if end > 0 else 'exit'}" for start, end in file["missing_branches"]]
    return ", ".join(lines + branches)


def share(summaries: list[dict[str, Any]]) -> float:
    """Per cent of lines and branches that were reached, over several files."""
    reached = sum(each["covered_lines"] + each["covered_branches"] for each in summaries)
    return float(100 * reached / sum(each["num_statements"] + each["num_branches"] for each in summaries))


def shortfalls(report: dict[str, Any], pure: list[str]) -> list[str]:
    """What falls below its bound, a line each; prints the table that says so."""
    files = {path.replace(os.sep, "/"): file for path, file in report["files"].items()}
    found = []
    for path in pure:
        left = missing(files[path]) if path in files else "not measured"
        tell(path, share([files[path]["summary"]]) if path in files else 0.0)
        if left:
            found.append(f"{path}: {left}")
    for folder in sorted({path.split("/")[1] for path in files if path.count("/") > 1}):
        tell(
            f"foxtrot/{folder}/",
            share([file["summary"] for path, file in files.items() if path.startswith(f"foxtrot/{folder}/")]),
        )
    total = share([file["summary"] for file in files.values()])
    tell("foxtrot/", total)
    if total < PACKAGE_BOUND:
        found.append(f"foxtrot/: {total:.1f} %, at least {PACKAGE_BOUND:g} % are asked for")
    return found


def tell(what: str, per_cent: float) -> None:
    """One row of the table; never rounded up to 100."""
    print(f"{what:<40} {int(per_cent * 10) / 10:6.1f} %")


def main(arguments: list[str]) -> int:
    """Returns 0 when the tests pass and every bound is kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        code = run_tests(arguments, path)
        if not path.exists():
            print("no coverage was measured: see pytest's own words above")
            return code or 1
        found = shortfalls(json.loads(path.read_text()), pure_modules((ROOT / "pyproject.toml").read_text()))
    if found:
        print("\nbelow the bound:", *found, sep="\n  ")
    return code or bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
