"""Plays the catalogue of stream failures over real sockets and prints the table; exit code 1 if anything is out of bounds."""

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec

from tests.chaos.measure import Outcome
from tests.chaos.rows import ROWS, play
from tests.chaos.table import Row, render, row_of

_POOLS = 3
"""A process that dies takes its pool along: what was under way is played again in a new one, so many times in all."""

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def main(argv: Sequence[str] | None = None) -> int:
    """The program."""
    options = _parse(argv)
    keys = [key for key in ROWS if not options.only or _is_asked(key, options.only)]
    if not keys:
        sys.stderr.write(f"--only names no row; rows: {' '.join(ROWS)}\n")
        return 2
    begun = time.monotonic()
    absent = {key: ROWS[key].absent for key in keys if ROWS[key].absent}
    keys = [key for key in keys if key not in absent]
    outcomes = _perform(keys, options.repeat, options.seed, options.jobs)
    rows = [row_of(ROWS[key], outcomes[key]) for key in keys]
    took = time.monotonic() - begun
    load = os.getloadavg()[0]
    head = (
        f"make chaos: {options.repeat} repetitions, seed {options.seed}, {options.jobs} at a time, {took / 60:.1f} min; "
        f"{os.cpu_count()} cores (load at the end {load:.1f}), Python {platform.python_version()}, {platform.system()}"
    )
    text = render(rows, absent, head)
    sys.stdout.write(text)
    if not options.only:
        _keep(text, rows)
    return 0 if all(row.is_passed for row in rows) else 1


def _perform(keys: Sequence[str], repeat: int, seed: int, jobs: int) -> dict[str, list[Outcome]]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.rows"])
    found: dict[str, list[Outcome]] = defaultdict(list)
    # The long ones first, so that none is left over at the end.
    asked = [
        (key, seed + number) for key in sorted(keys, key=lambda k: ROWS[k].most) for number in range(min(repeat, ROWS[key].most))
    ]
    for _ in range(_POOLS):
        asked = _play_all(asked, found, context, jobs)
    for key, its_seed in asked:
        found[key].append(Outcome(problems=[f"seed {its_seed}: its process died"]))
    return found


def _play_all(
    asked: Sequence[tuple[str, int]], found: dict[str, list[Outcome]], context: ForkServerContext, jobs: int
) -> list[tuple[str, int]]:
    """Plays what is asked; returns what has to be asked again, because a process died and took its pool along."""
    again: list[tuple[str, int]] = []
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        waiting: dict[Future[Outcome], tuple[str, int]] = {pool.submit(play, *each): each for each in asked}
        for done, future in enumerate(as_completed(waiting), 1):
            key, its_seed = waiting[future]
            if isinstance(future.exception(), BrokenProcessPool):
                again.append((key, its_seed))
                sys.stderr.write(f"[{done}/{len(asked)}] {key} seed {its_seed}: a process died; it is played again\n")
                continue
            outcome = _outcome(future)
            found[key].append(outcome)
            verdict = "; ".join(ROWS[key].judge(outcome)) or "ok"
            sys.stderr.write(f"[{done}/{len(asked)}] {key} seed {its_seed}: {verdict}\n")
            sys.stderr.flush()
    return again


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 -- one broken run is a line in the table, and not the end of the others
        return Outcome(problems=[f"broke: {type(error).__name__}: {error}"])


def _keep(text: str, rows: Sequence[Row]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "chaos.txt").write_text(text)
    (RESULTS / "chaos.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    sys.stderr.write("kept in benchmarks/results/chaos.txt\n")


def _is_asked(key: str, only: str) -> bool:
    return any(part == key or part == str(ROWS[key].number) for part in only.split(","))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each row")
    parser.add_argument("--only", default="", metavar="ROWS", help="rows, with commas: 4,5a")
    parser.add_argument("--seed", type=int, default=1, help="of the first repetition; each further one adds 1")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at a time")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
