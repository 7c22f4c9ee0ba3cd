"""Lines for a person: what became of books and bars."""

import statistics
from collections import Counter
from collections.abc import Iterator

from tests.books import bars, lane_day, storm, wide
from tests.books.wide import ENOUGH, Top

_WEIGHTS = {100: 5, 500: 25, 1_000: 50, 5_000: 250}
_SHOWN = 3


def of_wide(record: wide.Record) -> Iterator[str]:
    """One day of books: all contenders, and their course by the hour."""
    plan, (bids, asks) = record.plan, record.levels
    yield (
        f"{plan.hours:g} h of {plan.symbol}, seed {plan.seed}: {bids} + {asks} levels at the end, the stream speaks of the best "
        f"{plan.levels} a side, {plan.depth} are delivered; price {min(record.prices):,.2f} to {max(record.prices):,.2f}, "
        f"{record.frames:,} frames, {record.losses} of them lost, {record.cuts} cuts"
    )
    yield (
        f"{'':<26} {'audits':>6} {'least':>7} {'mean':>7} {'<99 %':>6} {'top true/unknown/wrong':>24} {'alarms':>6} {'gaps':>6} "
        f"{'snapshots':>9} {'weight/min':>10} {'valid':>8}"
    )
    yield from (_course(course, plan.hours) for course in record.courses)
    yield "share of equal levels by the hour (mean of its audits):"
    yield from (f"{course.name:<26} " + " ".join(f"{share:.2f}" for share in hourly(course)) for course in record.courses)


def hourly(course: wide.Course) -> list[float]:
    """The mean share of each hour; hours without any audit are left out."""
    of: dict[int, list[float]] = {}
    for sample in course.samples:
        of.setdefault((sample.minute - 1) // 60, []).append(sample.share)
    return [statistics.fmean(shares) for _, shares in sorted(of.items())]


def _course(course: wide.Course, hours: float) -> str:
    shares = [sample.share for sample in course.samples]
    tops = Counter(sample.top for sample in course.samples)
    weight = sum(_WEIGHTS[limit] for limit in course.snapshots) / (60 * hours)
    top = f"{tops[Top.TRUE]}/{tops[Top.UNKNOWN]}/{tops[Top.WRONG]}"
    return (
        f"{course.name:<26} {len(shares):>6} {min(shares):>7.4f} {statistics.fmean(shares):>7.4f} "
        f"{sum(share < ENOUGH for share in shares):>6} {top:>24} {course.alarms:>6} {course.gaps:>6} "
        f"{len(course.snapshots):>9} {weight:>10.1f} {course.served / course.beats:>8.3%}"
    )


def of_bars(record: bars.Record) -> Iterator[str]:
    """A day of bars: one line a length."""
    plan = record.plan
    outages = ", ".join(f"{count} {kind}" for kind, count in sorted(record.outages.items()))
    asked = ", ".join(f"{count:,} {path}" for path, count in sorted(record.requests.items()))
    yield f"{plan.hours:g} h of {' and '.join(plan.symbols)}, seed {plan.seed}; outages: {outages or 'none'}"
    yield (
        f"requests: {asked}; {record.refusals} refused; {record.falls} falls to polling, {record.gaps} gaps told, "
        f"{record.backfills} backfills"
    )
    yield f"{'':<22} {'closed':>8} {'open':>9} {'wrong':>6}   told after its end, at worst"
    for verdict in record.verdicts:
        name = f"{verdict.symbol} {verdict.interval}"
        yield f"{name:<22} {verdict.closed:>8,} {verdict.open:>9,} {len(verdict.wrong):>6}   {verdict.latest:.1f} s"
        yield from (f"    {text}" for text in verdict.wrong[:_SHOWN])
    yield from (f"    problem: {text}" for text in record.problems[:_SHOWN])


def of_storm(record: storm.Record) -> Iterator[str]:
    """One storm."""
    plan = record.plan
    what = "every book loses its next frame" if plan.kind == "lost" else "every connection is cut"
    falls = ", ".join(f"{count} {reason}" for reason, count in sorted(record.falls.items()))
    yield (
        f"{plan.symbols} books of {plan.depth} levels, seed {plan.seed}: all streamed {record.started:.0f} s after their "
        f"subscription; then {what}"
    )
    yield (
        f"  {record.struck} struck; valid again after {record.served[0]:.1f} s (median), {record.served[1]:.1f} s (last); "
        f"streamed again after {record.home[0]:.1f} s, {record.home[1]:.1f} s; {record.not_home} not at all"
    )
    yield (
        f"  {record.snapshots} snapshots, {record.most_weight:,} of 6,000 weight in the heaviest minute, "
        f"{record.refusals} answers 429 or 418; falls to polling: {falls or 'none'}; violations: {record.violations or 'none'}"
    )
    yield from (f"    problem: {text}" for text in record.problems[:_SHOWN])


def of_lane_day(record: lane_day.Record) -> Iterator[str]:
    """A day of one book through everything."""
    plan = record.plan
    outages = ", ".join(f"{count} {kind}" for kind, count in sorted(record.outages.items()))
    falls = ", ".join(f"{count} {reason}" for reason, count in sorted(record.falls.items()))
    yield (
        f"{plan.hours:g} h of {plan.symbol}, seed {plan.seed}, a market of about {plan.market_levels} levels a side, the stream "
        f"speaks of the best {plan.levels}, {plan.depth} are delivered; outages: {outages or 'none'}"
    )
    yield (
        f"  {record.delivered:,} books delivered, {record.invalid} of them as invalid; {record.compared} compared with the "
        f"venue's at the same update id, {len(record.wrong)} differ; {record.unmet} minutes without a book of that id"
    )
    yield f"  {record.snapshots} snapshots, {record.refusals} answers 429 or 418; falls to polling: {falls or 'none'}"
    yield from (f"    wrong: {text}" for text in record.wrong[:_SHOWN])
    yield from (f"    problem: {text}" for text in record.problems[:_SHOWN])
