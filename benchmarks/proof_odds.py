"""How often the proof lets a stream through that is in time, 0.5 s late or 0.9 s late (``python -m benchmarks.proof_odds``).

Each row is a kind of stream, each pair of columns a lateness: per cent of the seeds that are let through. "by overlap": only the
overlap of the last 30 hits refuses, as it was asked for first. "with lateness": also a stream whose hits have not told yet waits,
at most 60 s, unless it is quiet. Polls come each beat with a round trip of 5 to 80 ms, frames with up to 100 ms of jitter.
"""

import argparse
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace

from foxtrot.util.clock import NS_PER_S
from tests.support.quote_venue import FIRST, OWN, Need, Outcome, Quotes, Scene, attempt, market, noticed_after
from tests.support.recorded_quotes import FILES, recorded_quotes

STREAMS = {
    "1/s by chance": Scene(rate=1),
    "5/s by chance": Scene(rate=5),
    "50/s by chance": Scene(rate=50),
    "1/s clocked": Scene(rate=1, is_clocked=True),
    "1/s clocked, beat 0.97 s": Scene(rate=1, is_clocked=True, beat=0.97),
    "5/s, 2 ticks, 10 sizes": Scene(rate=5, sizes=10),
    "1/s, 2 quotes only": Scene(rate=1, sizes=1),
    "5/s, 2 quotes only": Scene(rate=5, sizes=1),
    "one in 3 s": Scene(rate=1 / 3),
    "one in 20 s": Scene(rate=1 / 20),
}
LATE = (0.0, 0.5, 0.9)
NEEDS = {"first proof (2 s, one hit)": FIRST, "after a trip of its own (30 s, ten hits running)": OWN}


def row(scene: Scene, need: Need, seeds: int) -> str:
    """The figures of one kind of stream."""
    cells, times = [], [0.0]
    for late in LATE:
        for asks_lateness in (False, True):
            if late == 0 and not asks_lateness:
                continue
            ends = [attempt(replace(scene, late=late), seed, need, asks_lateness=asks_lateness) for seed in range(seeds)]
            proved = [seconds for outcome, seconds in ends if outcome is Outcome.PROVED]
            if late == 0 and proved:
                times = proved
            cells.append(f"{100 * len(proved) / seeds:9.1f}")
    p50, p90 = statistics.median(times), sorted(times)[len(times) * 9 // 10]
    return f"{cells[0]} {p50:6.1f} {p90:6.1f} |{' |'.join(f'{a} {b}' for a, b in zip(cells[1::2], cells[2::2], strict=True))}"


def frozen(name: str, quotes: Quotes, instants: int) -> str:
    """How soon two misses running show that a stream froze, at so many random instants."""
    rng = random.Random(1)
    span = (5 * NS_PER_S, quotes[-1][0] - 40 * NS_PER_S)
    took = sorted(noticed_after(quotes, rng.randrange(*span), seed) for seed in range(instants))
    return f"{name:26}|{statistics.median(took):8.2f} {took[instants * 99 // 100]:8.2f} {took[-1]:8.2f}"


def print_odds(trailing: float, seeds: int) -> None:
    """Both proofs, over every kind of stream."""
    rest = f"replicas trail by 0 to {trailing:g} s, drawn for each poll" if trailing else "REST answers from the present"
    for name, need in NEEDS.items():
        print(f"\n{name}; {rest}; per cent of {seeds:,} seeds let through")
        print(f"{'':26}|  in time   p50 s  p90 s |   0.5 s late         |   0.9 s late")
        print(f"{'stream':26}|                         | overlap  + lateness |  overlap  + lateness")
        for stream, scene in STREAMS.items():
            print(f"{stream:26}|{row(replace(scene, trailing=trailing), need, seeds)}", flush=True)


def print_frozen(instants: int) -> None:
    """Every kind of stream, frozen; the recorded one where it is at hand."""
    print(f"\nseconds from a frozen stream's first wrong price to two misses running, {instants:,} random instants")
    print(f"{'stream':26}|     p50      p99    worst")
    for stream, scene in STREAMS.items():
        print(frozen(stream, market(replace(scene, seconds=3600.0), random.Random(1)), instants), flush=True)
    if FILES[0].exists():
        print(frozen("recorded ETHUSDT, 90/s", recorded_quotes(), instants))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help="fresh, trailing, frozen (default: all)")
    parser.add_argument("--seeds", type=int, default=1_000, help="attempts behind each figure (default 1000)")
    given = parser.parse_args(arguments)
    tables = given.tables or ["fresh", "trailing", "frozen"]
    if "fresh" in tables:
        print_odds(0.0, given.seeds)
    if "trailing" in tables:
        print_odds(0.7, given.seeds)
    if "frozen" in tables:
        print_frozen(given.seeds)


if __name__ == "__main__":
    main()
