"""The table of figures over all repetitions of each row."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tests.chaos.measure import Outcome, quantile
from tests.chaos.scenario import SLACK, Scenario

PASSED: Final = "ok"
_WIDTHS: Final = (4, 36, 5, 13, 13, 5, 5, 8, 6, 7)
_HEADS: Final = ("row", "scenario", "T", "detected", "to polled", "lost", "twice", "unmarked", "false", "verdict")
_MOST_NOTES: Final = 4

_LEGEND: Final = f"""\
row        of the catalogue of stream failures; letters are parts of one row
T          seconds within which it has to be detected ("-": nothing may be noticed, or there is nothing to detect); every figure
           in seconds, measured at the handlers, judged with {SLACK:g} s for the measurement itself
detected   p50 / p99 over every lane (or symbol) and repetition of what stands under "measured"
to polled  p50 / p99 from the fall of a tick lane to its first polled tick, or the poll that confirms it; 1 s allowed
lost       ids of trades and aggregate trades that the exchange's tape holds and handlers never got, live or as backfill
twice      ids handed out more than once
unmarked   seconds in which a price older than 1.6 s stood while its health said LIVE or DEGRADED, of the worst symbol
           in the worst run (where a fault takes T to be detected, T less 1.5 s is allowed)
false      trips of lanes that the fault did not touch"""


class Row(msgspec.Struct, frozen=True):
    """One row's figures. ``verdict`` is "ok", or what is out of bounds, once each with how often."""

    key: str
    title: str
    measured: str
    allowed: float | None
    runs: int
    detected_p50: float | None
    detected_p99: float | None
    to_polled_p50: float | None
    to_polled_p99: float | None
    lost: int
    twice: int
    unmarked: float
    false_trips: int
    verdict: list[str]
    notes: list[str]
    caveat: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether everything was within bounds in every run."""
        return not self.verdict


def row_of(scenario: Scenario, outcomes: Sequence[Outcome]) -> Row:
    """Sums the repetitions of one scenario up."""
    detected = [each for outcome in outcomes for each in outcome.detected]
    polled = [each for outcome in outcomes for each in outcome.to_polled]
    return Row(
        key=scenario.key,
        title=scenario.title,
        measured=scenario.measured,
        allowed=scenario.allowed,
        runs=len(outcomes),
        detected_p50=_figure(detected, 0.5),
        detected_p99=_figure(detected, 0.99),
        to_polled_p50=_figure(polled, 0.5),
        to_polled_p99=_figure(polled, 0.99),
        lost=sum(outcome.lost for outcome in outcomes),
        twice=sum(outcome.duplicates for outcome in outcomes),
        unmarked=max((outcome.unmarked for outcome in outcomes), default=0.0),
        false_trips=sum(outcome.false_trips for outcome in outcomes),
        verdict=_counted([scenario.judge(outcome) for outcome in outcomes]),
        notes=list(dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
        caveat=scenario.caveat,
    )


def render(rows: Sequence[Row], not_run: Mapping[str, str], head: str) -> str:
    """The whole table as text: head, rows, what is out of bounds, what was not run, the legend."""
    lines = [head, "", _line(_HEADS)]
    for row in rows:
        lines.append(_line(_cells(row)))
        lines.extend(f"     ! {problem}" for problem in row.verdict)
        if row.notes:
            lines.append(f"     . {'; '.join(row.notes[:_MOST_NOTES])}")
    lines.extend(f"{key:<4} not run: {why}" for key, why in not_run.items())
    passed = sum(row.is_passed for row in rows)
    lines += ["", f"{passed} of {len(rows)} rows within bounds, {sum(row.runs for row in rows)} runs", "", _LEGEND, ""]
    lines += [f"{row.key:<4} measured: {row.measured}" for row in rows if row.measured != "-"]
    lines += ["", *(f"{row.key:<4} does not show: {row.caveat}" for row in rows if row.caveat)]
    return "\n".join(lines) + "\n"


def _figure(values: Sequence[float], share: float) -> float | None:
    found = quantile(values, share)
    return None if math.isnan(found) else round(found, 4)


def _counted(verdicts: Sequence[list[str]]) -> list[str]:
    found: dict[str, int] = {}
    for verdict in verdicts:
        for problem in verdict:
            found[problem] = found.get(problem, 0) + 1
    return [problem if count == 1 else f"{problem} ({count} runs)" for problem, count in found.items()]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.key,
        row.title,
        "-" if row.allowed is None else f"{row.allowed:g}",
        _pair(row.detected_p50, row.detected_p99),
        _pair(row.to_polled_p50, row.to_polled_p99),
        str(row.lost),
        str(row.twice),
        f"{row.unmarked:.2f}",
        str(row.false_trips),
        PASSED if row.is_passed else "OUT",
    )


def _pair(p50: float | None, p99: float | None) -> str:
    return "-" if p50 is None or p99 is None else f"{p50:.3f}/{p99:.3f}"


def _line(cells: Sequence[str]) -> str:
    first, second, *rest = cells
    widths = _WIDTHS[2:]
    return f"{first:<4} {second:<{_WIDTHS[1]}.{_WIDTHS[1]}} " + " ".join(
        f"{cell:>{width}}" for cell, width in zip(rest, widths, strict=True)
    )
