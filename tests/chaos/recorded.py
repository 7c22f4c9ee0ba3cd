"""Ten recorded minutes of ETHUSDT, replayed while the stream is killed, stalled, delayed or muted at random."""

import gzip
import json
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Exchange
from foxtrot.util.object import SubscribeRequest
from tests.chaos.measure import Outcome
from tests.chaos.recorder import Recorder, id_of
from tests.support.engine_run import EngineRun, eventually, flags_text

SYMBOL: Final = "ETHUSDT"
LANE: Final = LaneKey(SYMBOL, "trades")
LASTS: Final = 600.0
"""Seconds of the recording, at speed 1."""

_DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES: Final = [_DATA / "ethusdt_20240808.gz", _DATA / "ethusdt_20240809.gz"]
NOT_HERE: Final = "the recorded frames (../shared/data) are not beside this checkout"
_WHOLE: Final = 90.0

Strike = Callable[[Sandbox, float, random.Random], object]

_STRIKES: Final[dict[str, Strike]] = {
    "killed (close)": lambda box, _seconds, _rng: box.chaos("close"),
    "killed (reset)": lambda box, _seconds, _rng: box.chaos("reset"),
    "stalled": lambda box, seconds, _rng: box.chaos("stall", None, seconds),
    "delayed": lambda box, seconds, rng: box.chaos("delay", SYMBOL, seconds, None, None, ms=rng.uniform(200, 3_000)),
    "muted": lambda box, seconds, _rng: box.chaos("mute", SYMBOL, seconds),
}


def is_here() -> bool:
    """Whether the recording lies beside this checkout."""
    return all(path.exists() for path in FILES)


def recorded_ids() -> list[int]:
    """Every trade id of the recording, in order."""
    ids: list[int] = []
    for path in FILES:
        with gzip.open(path, "rt") as lines:
            frames = (json.loads(line.split(" ", 1)[1]) for line in lines if "@trade" in line)
            ids.extend(frame["data"]["t"] for frame in frames if frame["stream"].endswith("@trade"))
    return ids


def replayed(seed: int, *, hold: float | None, faults: int, speed: float) -> Outcome:
    """Plays it once. ``hold`` None: the default one. Infinite: every id live, once, in order; else live or as backfill."""
    outcome, seen, rng = Outcome(), Recorder(), random.Random(seed)
    expected = recorded_ids()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-replay-")))
        box = stack.enter_context(launch(replay=FILES, speed=speed, seed=seed))
        run = EngineRun(folder, box, flags_text({SYMBOL: "streaming"}))
        stack.callback(run.engine.close)
        run.engine.event_engine.register_general(seen.take)
        run.connect()
        held = {} if hold is None else {"hold": hold}
        run.engine.subscribe(SubscribeRequest(SYMBOL, Exchange.BINANCE, ("tick", "trades"), **held), "BINANCE")
        eventually(lambda: seen.live[LANE], "the first trade")
        outcome.notes.append(_strike(box, rng, faults, LASTS / speed))
        box.clear_faults()
        deadline = time.monotonic() + LASTS / speed + _WHOLE
        _wait(lambda: len({id_of(t) for t in (*seen.live[LANE], *seen.backfilled[LANE])}) >= len(expected), deadline)
        _judge(outcome, seen, expected, is_infinite=hold is not None)
    return outcome


def _strike(box: Sandbox, rng: random.Random, faults: int, lasts: float) -> str:
    """Spreads the faults over nine tenths of the replay; returns what was done how often."""
    begun, done = time.monotonic(), dict.fromkeys(_STRIKES, 0)
    moments = sorted(begun + rng.uniform(0.02, 0.92) * lasts for _ in range(faults))
    for moment in moments:
        _wait(lambda: False, moment)
        name = rng.choice(list(_STRIKES))
        _STRIKES[name](box, rng.uniform(0.5, 4.0), rng)
        done[name] += 1
    return ", ".join(f"{name} {count}" for name, count in done.items() if count)


def _wait(condition: Callable[[], bool], until: float) -> None:
    try:
        eventually(condition, "", max(0.0, until - time.monotonic()))
    except AssertionError:
        return  # what is missing then is counted


def _judge(outcome: Outcome, seen: Recorder, expected: list[int], *, is_infinite: bool) -> None:
    live = [id_of(trade) for trade in seen.live[LANE]]
    late = [id_of(trade) for trade in seen.backfilled[LANE]]
    outcome.lost = len(set(expected) - {*live, *late})
    outcome.duplicates = len(live) + len(late) - len({*live, *late})
    outcome.notes.append(
        f"{len(live):,} live, {len(late):,} as backfill, {len(seen.gaps)} gap events, {len(seen.falls(0))} falls"
    )
    if live != sorted(live):
        outcome.problems.append("live trades out of order")
    if is_infinite and live != expected:
        outcome.problems.append(f"not every id live, once, in order: {len(live)} of {len(expected)}, {len(late)} as backfill")
    if strange := {*live, *late} - set(expected):
        outcome.problems.append(f"{len(strange)} ids that were never recorded")
