"""A venue of one quote, its stream and its polls, drawn from a seed: what an audit gets to see of them."""

import bisect
import enum
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from foxtrot.transport.audit import Lateness, Levels, QuoteAudit
from foxtrot.util.clock import NS_PER_S

LOOK_NS: Final = NS_PER_S // 10
BEFORE_NS: Final = 3 * NS_PER_S
"""The venue has lived so long when the stream comes up."""

Quotes = Sequence[tuple[int, Levels]]
"""Since when each stood at the venue, ascending; the first since ever."""


class Happening(NamedTuple):
    """At an instant the stream brought levels, or (``asked_ns`` > 0) a poll did, or (without levels) somebody looks."""

    at_ns: int
    levels: Levels | None = None
    asked_ns: int = 0


@dataclass(frozen=True)
class Scene:
    """How the venue moves, and how its stream and its polls see it. Seconds."""

    rate: float = 1.0  # changes a second
    is_clocked: bool = False  # exactly so many, else by chance (Poisson)
    sizes: int = 0  # a bid goes back and forth between two ticks, with one of so many sizes; 0: no quote comes twice
    late: float = 0.0  # the stream, behind the venue
    jitter: float = 0.1  # what comes upon it, drawn for each frame
    trailing: float = 0.0  # how far a replica trails at most, drawn for each poll
    round_trip: tuple[float, float] = (0.005, 0.080)
    beat: float = 1.0
    seconds: float = 61.0


def market(scene: Scene, rng: random.Random) -> list[tuple[int, Levels]]:
    """The quotes of a scene, from 0 on."""
    quotes: list[tuple[int, Levels]] = [(0, (1.0, 0.0, 2.0, 1.0))]
    at = rng.random() / scene.rate
    while at * NS_PER_S < BEFORE_NS + scene.seconds * NS_PER_S:
        number = len(quotes)
        fresh = (1.0, float(number), 2.0, 1.0)
        again = (1.0 + number % 2, float(rng.randrange(max(1, scene.sizes))), 3.0, 1.0)
        quotes.append((int(at * NS_PER_S), again if scene.sizes else fresh))
        at += 1 / scene.rate if scene.is_clocked else rng.expovariate(scene.rate)
    return quotes


def frames(quotes: Quotes, scene: Scene, rng: random.Random) -> Iterator[Happening]:
    """What the stream brings: each change, in order."""
    last = 0
    for at, levels in quotes[1:]:
        last = max(last, at + int((scene.late + rng.random() * scene.jitter) * NS_PER_S))
        yield Happening(last, levels)


def polls(quotes: Quotes, scene: Scene, rng: random.Random, up_ns: int) -> Iterator[Happening]:
    """What polls bring: one a beat from when the stream is up, at a phase of its own."""
    since = [at for at, _ in quotes]
    end_ns = up_ns + int(scene.seconds * NS_PER_S)
    asked = up_ns + int(rng.random() * scene.beat * NS_PER_S)
    while asked < end_ns:
        took = int(rng.uniform(*scene.round_trip) * NS_PER_S)
        seen = asked + int(rng.random() * took) - int(rng.random() * scene.trailing * NS_PER_S)
        yield Happening(asked + took, quotes[max(0, bisect.bisect_right(since, seen) - 1)][1], asked)
        asked += int(scene.beat * NS_PER_S)


def play(audit: QuoteAudit, happenings: Sequence[Happening], up_ns: int) -> Iterator[int]:
    """Shows all of it to the audit of a stream that came up then; yields each instant at which somebody has looked."""
    looks = [Happening(at) for at in range(up_ns, happenings[-1].at_ns + 2 * NS_PER_S, LOOK_NS)]
    audit.begin(up_ns)
    for at_ns, levels, asked_ns in sorted([*happenings, *looks], key=lambda each: each.at_ns):
        if levels is None:
            audit.verdicts(at_ns)
            yield at_ns
        elif asked_ns:
            audit.polled(levels, asked_ns, at_ns)
        elif at_ns >= up_ns:
            audit.note((at_ns, levels))


def drawn(scene: Scene, rng: random.Random) -> list[Happening]:
    """Frames and polls of a scene, in no order."""
    quotes = market(scene, rng)
    return [*frames(quotes, scene, rng), *polls(quotes, scene, rng, BEFORE_NS)]


class Need(NamedTuple):
    """What an attempt has to show: seconds, hits running, and hits that show the stream in time."""

    seconds: float
    hits: int
    timely: int


FIRST: Final = Need(2, 1, 1)
OWN: Final = Need(30, 10, 3)
LIMIT: Final = 60.0


class Outcome(enum.Enum):
    """How an attempt ends."""

    PROVED = "proved"
    MISSED = "missed"  # two misses running
    LATE = "late"
    SHORT = "short"  # of hits


def attempt(scene: Scene, seed: int, need: Need, *, asks_lateness: bool = True) -> tuple[Outcome, float]:
    """One attempt at the scene's stream, and how many seconds it took.

    After 60 s a stream that its hits cannot tell anything about is let through. Without ``asks_lateness`` only the overlap of
    the last 30 hits counts, as the issue words it: its lower end must be below 250 ms.
    """
    audit = QuoteAudit()
    lateness, took = Lateness.OPEN, 0.0
    for now_ns in play(audit, drawn(scene, random.Random(seed)), BEFORE_NS):
        took = (now_ns - BEFORE_NS) / NS_PER_S
        if audit.misses >= 2:
            return Outcome.MISSED, took
        lateness = audit.lateness(now_ns, need.timely) if asks_lateness else _overlap(audit)
        is_over = took >= LIMIT
        is_told = lateness is not Lateness.LATE and (is_over or lateness is not Lateness.OPEN)
        if is_told and took >= need.seconds and audit.hits >= need.hits:
            return Outcome.PROVED, took
        if is_over:
            break
    return (Outcome.LATE if lateness is Lateness.LATE else Outcome.SHORT), took


def _overlap(audit: QuoteAudit) -> Lateness:
    return Lateness.LATE if (audit.lag_ns or 0) >= NS_PER_S // 4 else Lateness.TIMELY


def noticed_after(quotes: Quotes, frozen_ns: int, seed: int) -> float:
    """Seconds from the first wrong price of a stream that freezes at that instant to two misses running; infinite: never.

    The stream came up 4 s before, a poll takes up to 100 ms, somebody looks each 100 ms, until 25 s after the wrong price.
    """
    rng = random.Random(seed)
    up_ns = frozen_ns - 4 * NS_PER_S
    first, last = bisect.bisect_left(quotes, up_ns, key=_since), bisect.bisect_right(quotes, frozen_ns, key=_since)
    wrong_ns = next(at for at, levels in quotes[last:] if levels != quotes[last - 1][1])
    scene = Scene(round_trip=(0.005, 0.1), seconds=25 + (wrong_ns - up_ns) / NS_PER_S)
    asked = list(polls(quotes, scene, rng, up_ns + int(rng.random() * LOOK_NS)))
    audit = QuoteAudit()
    for now_ns in play(audit, [*(Happening(*quote) for quote in quotes[first:last]), *asked], up_ns):
        if audit.misses >= 2:
            return (now_ns - wrong_ns) / NS_PER_S
    return float("inf")


def _since(quote: tuple[int, Levels]) -> int:
    return quote[0]
