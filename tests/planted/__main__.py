"""Plants each fault in a copy of the package, one at a time, and runs the tests there: every one of them must be caught."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final, NamedTuple

from foxtrot.util.clock import NS_PER_S
from foxtrot.util.system_clock import SystemClock
from tests.planted.faults import FAULTS, Fault

ROOT: Final = Path(__file__).resolve().parents[2]
SUITES: Final = ("tests/transport/unit", "tests/property", "tests/transport", "tests/simulation")
"""In the order in which they are run: the quick ones first, the next only if the ones before saw nothing."""

PATIENCE: Final = 600
"""Seconds for one suite with one fault; a fault that makes it hang has been noticed too."""


class Outcome(NamedTuple):
    """Which suite caught a fault, "" for none, and by which test."""

    fault: Fault
    suite: str
    test: str
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """0: every fault was caught. 1: one was not. 2: the tests fail without any."""
    parser = argparse.ArgumentParser(prog="make planted", description=__doc__)
    parser.add_argument("--only", default="", help="plant only faults whose name or module contains this")
    parser.add_argument("--jobs", type=int, default=2, help="faults at a time")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    parser.add_argument("--no-baseline", action="store_true", help="trust that the tests pass without a fault")
    options = parser.parse_args(arguments)
    faults = [fault for fault in FAULTS if options.only in fault.name or options.only in fault.module]
    if not options.no_baseline and (failed := _run(None)).suite:
        sys.stdout.write(f"the tests fail without a fault: {failed.suite}: {failed.test}\n")
        return 2
    outcomes = _run_all(faults, options.jobs)
    table = _table(outcomes)
    sys.stdout.write(table + "\n")
    if options.out:
        options.out.write_text(table + "\n")
    return 0 if all(outcome.suite for outcome in outcomes) else 1


def _run_all(faults: Sequence[Fault], jobs: int) -> list[Outcome]:
    done: list[Outcome] = []
    with ThreadPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(_run, fault) for fault in faults]):
            outcome = future.result()
            done.append(outcome)
            said = f"caught by {outcome.suite}" if outcome.suite else "NOT CAUGHT"
            sys.stderr.write(f"{len(done)}/{len(faults)} {outcome.fault.name}: {said}, {outcome.seconds:.0f} s\n")
    return sorted(done, key=lambda outcome: faults.index(outcome.fault))


def _run(fault: Fault | None) -> Outcome:
    clock = SystemClock()
    begun = clock.monotonic_ns()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("foxtrot", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "flags.toml"):
            shutil.copy(ROOT / name, copy)
        if fault is not None:
            plant(fault, copy)
        suite, test = next(filter(None, (_try(copy, suite) for suite in SUITES)), ("", ""))
    seconds = (clock.monotonic_ns() - begun) / NS_PER_S
    return Outcome(fault or Fault("none", "", "", ""), suite, test, seconds)


def plant(fault: Fault, folder: Path) -> None:
    """Puts a fault into a copy of the package. Raises ValueError where its place is not there, or not unique."""
    path = folder / "foxtrot" / "transport" / f"{fault.module}.py"
    text = path.read_text()
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.name}: {fault.old!r} stands {text.count(fault.old)} times in {fault.module}.py")
    path.write_text(text.replace(fault.old, fault.new))


def _try(copy: Path, suite: str) -> tuple[str, str] | None:
    """The suite and its first failing test; None where all pass."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--timeout",
        "120",
        suite,
    ]
    environment = {**os.environ, "PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "gate"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return suite, f"not over after {PATIENCE} s"
    if done.returncode == 0:
        return None
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return suite, failed[0].split(" ")[1] if failed else f"pytest ended with {done.returncode}"


def _table(outcomes: Sequence[Outcome]) -> str:
    caught = sum(bool(outcome.suite) for outcome in outcomes)
    width = max(len(outcome.fault.name) for outcome in outcomes)
    rows = [f"{outcome.fault.name:<{width}}  {outcome.fault.module:<12}  {outcome.test or 'NOT CAUGHT'}" for outcome in outcomes]
    return "\n".join([*rows, "", f"{caught} of {len(outcomes)} planted faults were caught"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
