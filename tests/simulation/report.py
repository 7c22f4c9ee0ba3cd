"""Lines for a person: a failed seed with all that explains it, the figures of many seeds, the table of scenarios."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.simulation.scenarios import PLAYERS, Row
from tests.simulation.world import Outcome, Plan


def failure(outcome: Outcome, plan: Plan) -> Iterator[str]:
    """All that is needed to understand a failed seed, and to play it again."""
    replay = f"--seed {plan.seed} --seeds 1 --minutes {plan.minutes:g} --symbols {plan.symbols} --no-scenarios"
    yield f"\nSEED {outcome.seed} FAILED (trace {outcome.trace[:16]}); again: make simulate ARGS={replay!r}"
    yield "violations:"
    yield from (f"  {text}" for text in outcome.violations)
    yield "script:"
    yield from (f"  {line}" for line in outcome.script)
    yield "the last events up to the first violation:"
    yield from (f"  {line}" for line in outcome.tail)


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Figures over all seeds."""
    faults: Counter[str] = Counter()
    delays: defaultdict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        faults.update(outcome.faults)
        for kind, delay in outcome.detections:
            delays[kind].append(delay)
    return [
        *_figures(outcomes, faults.total()),
        "",
        f"{'fault':<14} {'times':>6} {'falls':>6} {'p50 s':>7} {'p99 s':>7}   from the first wrong value to the first fall",
        *(_fault(kind, faults[kind], sorted(delays[kind])) for kind in sorted(faults)),
        "",
    ]


def _figures(outcomes: Sequence[Outcome], faults: int) -> Iterator[str]:
    hours = sum(outcome.seconds for outcome in outcomes) / 3600
    market = sum(outcome.market_events for outcome in outcomes)
    yield f"{len(outcomes)} seeds, {hours:.1f} virtual hours, {faults} faults, {market} market events"
    delivered, backfilled = sum(outcome.delivered for outcome in outcomes), sum(outcome.backfilled for outcome in outcomes)
    yield f"{delivered} values delivered, {backfilled} as backfill, {sum(outcome.gaps for outcome in outcomes)} gap events"
    falls, false = sum(outcome.trips for outcome in outcomes), sum(len(outcome.false_trips) for outcome in outcomes)
    yield f"{sum(outcome.switches for outcome in outcomes)} counted switches, {falls} falls, {false} of them for nothing"
    weight = max(outcome.most_weight for outcome in outcomes)
    yield f"{sum(outcome.dials for outcome in outcomes)} dials; the most REST weight in a minute was {weight}"
    wrong, unmarked = sum(outcome.wrong_s for outcome in outcomes), sum(outcome.unmarked_s for outcome in outcomes)
    past = sum(outcome.past_bound_s for outcome in outcomes)
    yield f"quotes were behind for {wrong:.0f} symbol-seconds, {unmarked:.0f} of them LIVE, {past:.2f} of those beyond 3 s"
    yield f"the oldest quote that was LIVE: {max(outcome.worst_s for outcome in outcomes):.2f} s"
    yield f"{sum(bool(outcome.violations) for outcome in outcomes)} seeds with violations"


def _fault(kind: str, times: int, delays: Sequence[float]) -> str:
    if not delays:
        return f"{kind:<14} {times:>6} {0:>6} {'-':>7} {'-':>7}"
    p99 = delays[int(len(delays) * 0.99)]
    return f"{kind:<14} {times:>6} {len(delays):>6} {statistics.median(delays):7.2f} {p99:7.2f}"


def table(rows: Sequence[Row]) -> list[str]:
    """One line a run, in the order of the scenarios."""
    order = list(PLAYERS)
    ordered = sorted(rows, key=lambda row: (order.index(row.name), row.case))
    return [f"{'scenario':<9} {'case':<22} {'required':<30} {'measured':<38} result", *map(_line, ordered), ""]


def _line(row: Row) -> str:
    return f"{row.name:<9} {row.case:<22} {row.required:<30} {row.measured:<38} {'FAILED' if row.wrong else 'ok'}"
