"""The statistical scenarios: what has to hold in every one of so many cases."""

import random
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Channel, Health, Serving
from tests.simulation import sim_feed
from tests.simulation.script import Fault
from tests.simulation.world import Plan, World

NOTICED: Final = 2.7
TOP_AGE: Final = 1.5
PERIODS: Final = (10, 14, 19, 25, 33, 41, 50, 61, 75, 90, 110, 135, 165, 200, 240, 300, 360, 430, 520, 630, 760, 900, 1000)
"""Seconds; the sweep of a flapping stream."""


class Row(NamedTuple):
    """One scenario's answer. ``wrong``: what broke, at most a few lines."""

    name: str
    case: str
    required: str
    measured: str
    wrong: list[str]


class Case(NamedTuple):
    """One run of a scenario, to be played in any process: a name of ``PLAYERS``, and a number to draw from."""

    name: str
    number: int
    share: float


def quiet(case: Case) -> Row:
    """200 symbols that change once in twenty minutes; nothing fails. Eight runs make a day."""
    hours = 3 * case.share
    world = World(_calm(case, minutes=hours * 60, symbols=200, rates=(1 / 1200,), channels=(Channel.TICK,)))
    outcome = world.run()
    return Row("quiet", f"200 symbols x {hours:g} h", "0 false trips", f"{outcome.trips} trips", outcome.violations)


def day(case: Case) -> Row:
    """One stream through its connection's whole life: renewed before the venue ends it at 24 h."""
    hours = 26 * case.share
    world = World(_calm(case, minutes=hours * 60, symbols=1, rates=(0.1,)))
    outcome = world.run()
    wrong = list(outcome.violations)
    if outcome.trips or outcome.gaps:
        wrong.append(f"{outcome.trips} trips, {outcome.gaps} gaps")
    return Row("day", f"{hours:g} h", "0 trips", f"{outcome.dials} dials, {outcome.trips} trips", wrong)


def flap(case: Case) -> Row:
    """A stream that comes and goes with one period, by its connection (even numbers) or by itself (odd ones)."""
    period = PERIODS[case.number // 2 % len(PERIODS)]
    minutes = 360 * case.share
    world = World(_calm(case, minutes=minutes, symbols=1, rates=(1.0,), settles=False))

    def beat() -> None:
        if case.number % 2:
            trouble = world.troubles.of("S0USDT")
            trouble.mute = "" if trouble.mute else "all"
        else:
            for wire in world.dialler.open_wires():
                wire.end("connection reset")
        world.loop.call_later(period / (2 if case.number % 2 else 1), beat)

    outcome = world.run(lambda: world.loop.call_later(60.0, beat))
    most = max((lane.serve.most_in_an_hour for lane in world.history.lanes.values()), default=0)
    wrong = [text for text in outcome.violations if not text.startswith(f"{outcome.seconds:.3f} s: ST-3")]
    kind = "itself" if case.number % 2 else "connection"
    return Row("flap", f"{kind}, {period} s", "<= 6 switches an hour", f"{most}", wrong)


def cut(case: Case) -> Row:
    """200 lanes lose their connections at once, and get none for a while."""
    at, lasts = 40.0 + case.number % 7 * 0.37, 20.0
    script = (Fault(at, "cut", "", 0.0, 0.0), Fault(at, "dial_refused", "", lasts, 0.0))
    plan = _calm(case, minutes=1.2, symbols=200, rates=(2.0, 1.0, 0.5), channels=(Channel.TICK,), settles=False)
    world = World(msgspec.structs.replace(plan, script=script))
    ages: list[int] = []

    def watch() -> None:
        world.loop.at(int((at - 0.001) * NS_PER_S), forget)
        world.loop.at(int((at + lasts) * NS_PER_S), remember)

    def forget() -> None:
        for truth in world.history.truths.values():
            truth.look(world.clock.now_ns())
            truth.oldest_ns = 0

    def remember() -> None:
        for truth in world.history.truths.values():
            truth.look(world.clock.now_ns())
            ages.append(truth.oldest_ns)

    outcome = world.run(watch)
    worst = max(ages, default=0) / NS_PER_S
    wrong = list(outcome.violations)
    if world.judge.refusals or worst > TOP_AGE:
        wrong.append(f"{world.judge.refusals} x 429, oldest top of book {worst:.2f} s")
    return Row("cut", "200 lanes", f"0 x 429, top <= {TOP_AGE} s", f"{world.judge.refusals} x 429, {worst:.2f} s", wrong)


def lines(case: Case) -> Row:
    """One of two lines is killed again and again."""
    kills = int(200 * case.share)
    draw = random.Random(f"kills {case.number}")
    world = World(_calm(case, minutes=(60 + kills * 15) / 60, symbols=2, rates=(4.0, 1.0), lines=2))
    killed: list[int] = []

    def kill() -> None:
        wires = list(world.dialler.open_wires())
        if len(wires) > 1 and all(world.loop.now_ns - wire.opened_ns > 2 * NS_PER_S for wire in wires):
            draw.choice(wires).end("connection reset")
            killed.append(1)
        if len(killed) < kills:
            world.loop.call_later(draw.uniform(6.0, 14.0), kill)

    return _unharmed("lines", world, world.run(lambda: world.loop.call_later(30.0, kill)).violations, killed)


def rotate(case: Case) -> Row:
    """The venue announces its shutdown again and again, and closes ten seconds later."""
    rotations = int(200 * case.share)
    world = World(_calm(case, minutes=(60 + rotations * 45) / 60, symbols=2, rates=(4.0, 1.0)))
    told: list[int] = []

    def shut_down() -> None:
        for wire in world.dialler.open_wires():
            wire.notify(sim_feed.SHUTDOWN)
            world.loop.call_later(10.0, wire.end, "closed by the venue: 1001 shutdown")
            told.append(1)
        if len(told) < rotations:
            world.loop.call_later(40.0, shut_down)

    return _unharmed("rotate", world, world.run(lambda: world.loop.call_later(30.0, shut_down)).violations, told)


def frozen(case: Case) -> Row:
    """Each of 20 symbols freezes once, at an instant of its own; on odd numbers all of them with their connection."""
    draw = random.Random(f"frozen {case.number}")
    plan = _calm(case, minutes=6, symbols=20, rates=(4.0, 2.0, 1.0, 0.5, 0.2), channels=(Channel.TICK,), settles=False)
    world = World(plan)
    delays: list[float] = []
    wrong: list[str] = []

    def freeze(symbol: str) -> None:
        if world.history.lanes[LaneKey(symbol, Channel.TICK)].serve.serving is Serving.STREAM:
            world.troubles.of(symbol).mute = "quote"
            look(symbol, world.market.instruments[symbol].now.levels, 0)

    def look(symbol: str, frozen_at: tuple[float, float, float, float], since_ns: int) -> None:
        """Once in 10 ms: has the truth moved on, has somebody said so?"""
        now = world.loop.now_ns
        if not since_ns and world.market.instruments[symbol].now.levels != frozen_at:
            since_ns = now
        lane = world.history.lanes[LaneKey(symbol, Channel.TICK)].serve
        marked = world.history.health_of[symbol].health is not Health.LIVE
        if since_ns and (marked or lane.serving is not Serving.STREAM):
            delays.append((now - since_ns) / NS_PER_S)
        elif now - since_ns < 30 * NS_PER_S or not since_ns:
            world.loop.at(now + NS_PER_S // 100, look, symbol, frozen_at, since_ns)
        else:
            wrong.append(f"{symbol}: not noticed within 30 s")

    def watch() -> None:
        for symbol in world.symbols:
            world.loop.call_later(draw.uniform(60.0, 300.0), freeze, symbol)

    world.run(watch)
    delays.sort()
    wrong += [f"noticed after {delay:.2f} s" for delay in delays if delay > NOTICED]
    worst = delays[-1] if delays else 0.0
    return Row("frozen", f"{len(delays)} instants", f"<= {NOTICED} s", f"{worst:.2f} s at worst", wrong)


def late(case: Case) -> Row:
    """20 busy streams, by three runs in turn: in time, 0.5 s late, 0.9 s late. Who is let in?"""
    lag = (0.0, 0.5, 0.9)[case.number % 3]
    world = World(_calm(case, minutes=2.0, symbols=20, rates=(8.0, 4.0, 2.0), channels=(Channel.TICK,), settles=False))
    for symbol in world.symbols:
        world.troubles.of(symbol).late_ns = int(lag * NS_PER_S)
    admitted = set[str]()

    def look() -> None:
        admitted.update(key.symbol for key, lane in world.history.lanes.items() if lane.serve.serving is Serving.STREAM)
        world.loop.call_later(0.1, look)

    world.run(look)
    right = len(admitted) if not lag else len(world.symbols) - len(admitted)
    wrong = [] if right == len(world.symbols) else [f"{len(admitted)} of {len(world.symbols)} served from a stream {lag} s late"]
    verdict = "admitted" if not lag else "refused"
    return Row("late", f"20 streams {lag} s late", f"all {verdict}", f"{right} of {len(world.symbols)} {verdict}", wrong)


def _unharmed(name: str, world: World, violations: list[str], strokes: list[int]) -> Row:
    lanes = list(world.history.lanes.values())
    gaps = sum(lane.ids.gaps for lane in lanes)
    trips = sum(lane.serve.trips for lane in lanes)
    wrong = list(violations)
    if gaps or trips:
        wrong.append(f"{gaps} gaps, {trips} trips")
    return Row(
        name,
        f"{len(strokes)} strokes",
        "0 gaps, 0 duplicates, 0 trips",
        f"{gaps} gaps, {len(violations)} violations, {trips} trips",
        wrong,
    )


def _calm(
    case: Case,
    *,
    minutes: float,
    symbols: int,
    rates: tuple[float, ...],
    channels: tuple[str, ...] = (Channel.TICK, Channel.TRADES),
    lines: int = 1,
    settles: bool = True,
) -> Plan:
    return Plan(
        seed=case.number,
        minutes=minutes,
        symbols=symbols,
        lines=lines,
        mixed=False,
        channels=channels,
        rates=rates,
        script=(),
        settles=settles,
    )


PLAYERS: Final[dict[str, tuple[Callable[[Case], Row], int]]] = {
    "quiet": (quiet, 8),
    "day": (day, 2),
    "flap": (flap, 2 * len(PERIODS)),
    "cut": (cut, 10),
    "lines": (lines, 5),
    "frozen": (frozen, 10),
    "late": (late, 15),
    "rotate": (rotate, 5),
}
"""Scenarios, each with the number of runs that it consists of."""


def cases(only: str, share: float) -> Iterable[Case]:
    """All runs of one scenario, or of all of them. ``share``: a fraction of the full length."""
    for name, (_, runs) in PLAYERS.items():
        if only in {"", name}:
            yield from (Case(name, number, share) for number in range(runs))


def play_case(case: Case) -> Row:
    """One run."""
    return PLAYERS[case.name][0](case)
