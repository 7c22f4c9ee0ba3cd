"""Plays seeds and scenarios in several processes."""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.simulation.report import failure, summary, table
from tests.simulation.scenarios import PLAYERS, Row, cases, play_case
from tests.simulation.world import Outcome, Plan, plan_of, play

SHOWN = 5
"""So many failed seeds are told in full, and so many lines of a failed scenario."""


def main() -> None:
    """Reads the command line; ends with 1 when anything was violated."""
    found = _arguments()
    started = time.perf_counter()
    report: list[str] = []
    is_well = True
    with ProcessPoolExecutor(found.processes) as pool:
        if found.seeds and not found.only:
            plans = [plan_of(seed, found.minutes, found.symbols) for seed in range(found.seed, found.seed + found.seeds)]
            outcomes = list(_outcomes(plans, pool))
            is_well = not any(outcome.violations for outcome in outcomes)
            report += summary(outcomes)
        if found.only or found.scenarios:
            rows = list(_rows(found.only, found.share, pool))
            is_well = is_well and not any(row.wrong for row in rows)
            report += table(rows)
    report.append(f"{time.perf_counter() - started:.0f} s on this machine: {'all as required' if is_well else 'VIOLATIONS'}")
    _say("\n".join(report))
    if found.output:
        Path(found.output).write_text("\n".join(report) + "\n", encoding="utf-8")
    sys.exit(0 if is_well else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description="The real lanes against a simulated venue, seed by seed.")
    parser.add_argument("--seeds", type=int, default=500, help="how many seeds (500; 0: none)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them; with --seeds 1 this one is played again")
    parser.add_argument("--minutes", type=float, default=60.0, help="virtual minutes of each (60; the last 5 are without faults)")
    parser.add_argument("--symbols", type=int, default=10, help="symbols of each, three lanes a symbol (10)")
    parser.add_argument("--scenarios", action=argparse.BooleanOptionalAction, default=True, help="the statistical scenarios too")
    parser.add_argument("--only", choices=sorted(PLAYERS), default="", help="nothing but this scenario")
    parser.add_argument("--share", type=float, default=1.0, help="play this fraction of each scenario's length (1.0)")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--output", default="", help="write the report to this file too")
    return parser.parse_args()


def _outcomes(plans: list[Plan], pool: ProcessPoolExecutor) -> Iterator[Outcome]:
    futures = {pool.submit(play, plan): plan for plan in plans}
    failures = 0
    for done, future in enumerate(as_completed(futures), 1):
        outcome = future.result()
        yield outcome
        if outcome.violations:
            failures += 1
            if failures <= SHOWN:
                _say("\n".join(failure(outcome, futures[future])))
        if done % max(1, len(plans) // 50) == 0:
            sys.stderr.write(f"{done} of {len(plans)} seeds, {failures} with violations\n")


def _rows(only: str, share: float, pool: ProcessPoolExecutor) -> Iterator[Row]:
    for future in as_completed([pool.submit(play_case, case) for case in cases(only, share)]):
        row = future.result()
        yield row
        if row.wrong:
            _say("\n  ".join([f"{row.name} ({row.case}) failed:", *row.wrong[:SHOWN]]))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
