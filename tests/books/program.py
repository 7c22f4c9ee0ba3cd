"""Plays the long proofs in several processes, and keeps what they came to."""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path
from typing import Final

from docs.book_picture import Chart, Curve, picture
from tests.books.cases import SECTIONS, Case, Row, cases, play
from tests.books.wide import Course, Record

HEAD: Final = "== "
MINUTES: Final = 10
"""Audits of so many minutes make one point of the picture."""


def main() -> None:
    """Reads the command line; ends with 1 when anything is not as required."""
    found = _arguments()
    started = time.perf_counter()
    rows = _played(cases(found.hours, found.seed, found.only), found.processes)
    sections = {name: _section(name, [row for row in rows if row.case.section == name]) for name in SECTIONS}
    is_well = not any(row.wrong for row in rows)
    verdict = "all as required" if is_well else "NOT AS REQUIRED"
    sys.stdout.write("\n".join(sections.values()))
    sys.stdout.write(f"{time.perf_counter() - started:.0f} s on this machine: {verdict}\n")
    if found.output:
        _keep(Path(found.output), sections)
    if found.picture and (records := [row.record for row in rows if row.record is not None]):
        Path(found.picture).write_text(picture([_chart(record) for record in records]), encoding="utf-8")
    sys.exit(0 if is_well else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make books", description="Books and bars over a day of virtual time, and a storm.")
    parser.add_argument("--hours", type=float, default=24.0, help="virtual hours of each run (24); a storm takes its own time")
    parser.add_argument("--seed", type=int, default=1, help="the market's, and the outages' (1)")
    parser.add_argument("--only", choices=sorted(SECTIONS), default="", help="nothing but this")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--output", default="", help="write the report to this file; sections of it that were not played stay")
    parser.add_argument("--picture", default="", help="draw the books' course into this file")
    return parser.parse_args()


def _played(wanted: Sequence[Case], processes: int) -> list[Row]:
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(play, case) for case in wanted]
        for done, future in enumerate(as_completed(futures), 1):
            row = future.result()
            sys.stderr.write(f"{done} of {len(futures)}: {row.case.section}, {len(row.wrong)} not as required\n")
        return [future.result() for future in futures]


def _section(name: str, rows: Sequence[Row]) -> str:
    """Its report; "" where nothing of it was played."""
    lines = [f"{HEAD}{SECTIONS[name]}", ""]
    for row in rows:
        lines += [*row.lines, *(f"NOT AS REQUIRED: {text}" for text in row.wrong), ""]
    return "\n".join(lines) + "\n" if rows else ""


def _keep(path: Path, sections: dict[str, str]) -> None:
    """Every section in its order: as played now, else as it stands in the file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    titles = iter(line for line in lines if line.startswith(HEAD))
    standing: dict[str, str] = {}
    for is_head, group in groupby(lines, lambda line: line.startswith(HEAD)):
        if not is_head:
            title = next(titles)
            standing[title] = "\n".join([title, *group]).rstrip() + "\n\n"
    found = (text or standing.get(HEAD + SECTIONS[name], "") for name, text in sections.items())
    path.write_text("".join(found), encoding="utf-8")


def _chart(record: Record) -> Chart:
    plan = record.plan
    title = f"{record.levels[0]} levels a side, of which the stream speaks of the best {plan.levels}"
    return Chart(title, plan.hours, [Curve(course.name, _points(course)) for course in record.courses])


def _points(course: Course) -> list[tuple[float, float]]:
    grouped = groupby(course.samples, lambda sample: (sample.minute - 1) // MINUTES)
    return [((number + 1) * MINUTES / 60, statistics.fmean(sample.share for sample in samples)) for number, samples in grouped]
