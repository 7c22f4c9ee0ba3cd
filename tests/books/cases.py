"""The long proofs as a list: what each plays, what it has to come to."""

from collections.abc import Iterator
from typing import Final

import msgspec

from foxtrot.adapter.binance.book_reach import USUALLY_KEPT
from tests.books import bars, lane_day, report, storm, wide
from tests.books.wide import ENOUGH, Top

SECTIONS: Final = {
    "wide": "Books of a venue that speaks of its best levels alone, kept in three ways",
    "lane": "The same through the whole of Foxtrot",
    "bars": "Bars of every length, with outages",
    "storm": "Two hundred books lose their place at once",
}


class Case(msgspec.Struct, frozen=True):
    """One run. ``section`` is where its report belongs."""

    section: str
    plan: wide.Plan | lane_day.Plan | bars.Plan | storm.Plan


class Row(msgspec.Struct, frozen=True):
    """What it came to: lines for a person, and what is not as required. ``record`` is that of a ``wide`` run."""

    case: Case
    lines: list[str]
    wrong: list[str]
    record: wide.Record | None = None


def cases(hours: float, seed: int, only: str = "") -> list[Case]:
    """All of them, or those of one section, the longest first."""
    found = [
        Case("bars", bars.Plan(hours=hours, seed=seed)),
        Case("lane", lane_day.Plan(hours=hours, seed=seed)),
        Case("wide", wide.Plan(levels=USUALLY_KEPT, market_levels=3_000, hours=hours, seed=seed)),
        Case("wide", wide.Plan(levels=50, hours=hours, seed=seed)),
        Case("wide", wide.Plan(levels=100, hours=hours, seed=seed)),
        Case("storm", storm.Plan(depth=400, seed=seed)),
        Case("storm", storm.Plan(kind="cut", seed=seed)),
        Case("storm", storm.Plan(seed=seed)),
    ]
    return [case for case in found if only in {"", case.section}]


def play(case: Case) -> Row:
    """Plays one."""
    match case.plan:
        case wide.Plan() as plan:
            contenders = [wide.pruning(plan.levels, plan.depth), wide.not_pruning(plan.depth), wide.by_the_procedure()]
            record = wide.Run(plan, contenders).play()
            return Row(case, list(report.of_wide(record)), list(_wrong_books(record)), record)
        case lane_day.Plan() as plan:
            day = lane_day.play(plan)
            return Row(case, list(report.of_lane_day(day)), [*day.wrong, *day.problems, *_none(day.compared, "was compared")])
        case bars.Plan() as plan:
            found = bars.play(plan)
            wrong = [f"{each.symbol} {each.interval}: {text}" for each in found.verdicts for text in each.wrong]
            return Row(case, list(report.of_bars(found)), [*wrong, *found.problems, *_some(found.refusals, "answers 429 or 418")])
        case storm.Plan() as plan:
            blow = storm.play(plan)
            wrong = [
                *blow.problems,
                *_some(blow.refusals, "answers 429 or 418"),
                *_some(blow.not_home, "books not streamed again"),
            ]
            wrong += [f"{count} violations: {kind}" for kind, count in blow.violations.items()]
            return Row(case, list(report.of_storm(blow)), wrong)


def _wrong_books(record: wide.Record) -> Iterator[str]:
    """Foxtrot's book is true in every audit; those that do not prune are not, or the run proves nothing."""
    ours, *others = record.courses
    yield from _none(len(ours.samples), "was audited")
    yield from _some(sum(sample.share < ENOUGH for sample in ours.samples), "audits under 99 %")
    yield from _some(sum(sample.top is Top.WRONG for sample in ours.samples), "wrong best levels")
    for course in others:
        yield from _none(sum(sample.share < ENOUGH for sample in course.samples), f"of {course.name} was found wrong")


def _some(count: int, what: str) -> Iterator[str]:
    if count:
        yield f"{count} {what}"


def _none(count: int, what: str) -> Iterator[str]:
    if not count:
        yield f"nothing {what}"
