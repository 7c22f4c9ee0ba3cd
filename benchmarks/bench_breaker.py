"""What recording an outcome costs (reliability, CB-13): a trip, an attempt, a failure, an attempt and a success.

Prints the median and the 99th percentile of one in microseconds of CPU, the same for an empty call, and how much memory is left
behind.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

from foxtrot.transport.breaker import Breaker
from foxtrot.util.clock import NS_PER_S

BATCH = 100
"""Calls timed together: one alone is shorter than the clock is sharp."""


def cycle(breaker: Breaker, now_ns: int) -> int:
    """A life in outcomes: trip, wait, try, fail, wait, try, succeed."""
    breaker.trip(now_ns, half)
    permit = breaker.acquire(breaker.retry_at_ns)
    if permit is not None:
        breaker.fail(permit, breaker.retry_at_ns, half)
    permit = breaker.acquire(breaker.retry_at_ns)
    if permit is not None:
        breaker.succeed(permit, breaker.retry_at_ns)
    return breaker.retry_at_ns + 700 * NS_PER_S


def half() -> float:
    """No chance: the same work each time."""
    return 0.5


def nothing() -> None:
    """What a call costs that does nothing."""


def timed(name: str, call: Callable[[], object], rounds: int, outcomes: int = 1) -> None:
    """Prints what one outcome costs, over batches."""
    costs = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        for _ in range(BATCH):
            call()
        costs.append((time.thread_time_ns() - start) / BATCH / outcomes / 1_000)
    costs.sort()
    print(f"{name:<28} p50 {costs[len(costs) // 2]:6.3f} us   p99 {costs[len(costs) * 99 // 100]:6.3f} us")


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcomes", type=int, default=1_000_000, help="outcomes recorded while memory is watched")
    outcomes = parser.parse_args().outcomes
    breaker, now = Breaker(), 0

    def live() -> None:
        nonlocal now
        now = cycle(breaker, now)

    rounds = 2_000
    timed("an empty call", nothing, rounds)
    timed("one outcome (of five)", live, rounds, outcomes=5)
    timed("a trip while open", lambda: breaker.trip(now, half), rounds)
    stale = breaker.acquire(breaker.retry_at_ns)
    breaker.trip(now, half)
    if stale is not None:
        timed("a late outcome, dropped", lambda: breaker.succeed(stale, now), rounds)
    timed("its memory, taken", breaker.memory, rounds)
    tracemalloc.start()
    live()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(outcomes // 5):
        live()
    grown = tracemalloc.get_traced_memory()[0] - before
    print(f"memory grown over {outcomes:,} outcomes: {grown / 1024:.1f} KiB")


if __name__ == "__main__":
    main()
