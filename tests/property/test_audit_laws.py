"""What audits say, whatever the stream and the polls do: laws, and odds over many seeds."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.transport.audit import AGAIN_NS, FORWARD_NS, ID_FORWARD_NS, WINDOW_NS, IdAudit, Levels, QuoteAudit, Verdict
from foxtrot.transport.event_lag import WINDOW_NS as LAG_WINDOW_NS
from foxtrot.transport.event_lag import EventLag
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from tests.support.quote_venue import (
    BEFORE_NS,
    FIRST,
    LOOK_NS,
    OWN,
    Happening,
    Need,
    Outcome,
    Quotes,
    Scene,
    attempt,
    drawn,
    frames,
    market,
    play,
    polls,
)

SEEDS = st.integers(0, 2**32)
SCENES = st.builds(
    Scene,
    rate=st.sampled_from([0.02, 0.3, 1.0, 5.0, 50.0]),
    is_clocked=st.booleans(),
    sizes=st.sampled_from([0, 0, 1, 2, 10]),
    seconds=st.just(20.0),
)


def plainly(history: Quotes, asked: Sequence[Happening]) -> list[Verdict]:
    """The verdicts by the definition, from everything that the stream ever brought."""
    verdicts: list[Verdict] = []
    ends = [*(at for at, _ in history[1:]), 1 << 62]
    for at_ns, levels, asked_ns in asked:
        start_ns = asked_ns - WINDOW_NS
        is_after_miss = bool(verdicts) and verdicts[-1] is Verdict.MISS
        end_ns = at_ns + (AGAIN_NS if is_after_miss else FORWARD_NS)
        stood = [stood for (on, stood), off in zip(history, ends, strict=True) if on <= end_ns and off >= start_ns]
        if levels in stood:
            verdicts.append(Verdict.HIT)
        elif history[0][0] <= start_ns:
            verdicts.append(Verdict.MISS)
    return verdicts


@given(SEEDS, SCENES, st.floats(0, 1.5), st.floats(0, 1.5))
def test_verdicts_are_those_of_the_definition(seed: int, scene: Scene, late: float, trailing: float) -> None:
    """Whatever is trimmed, and whenever somebody looks: the same verdicts as from the whole past."""
    happenings = drawn(replace(scene, late=late, trailing=trailing), random.Random(seed))
    brought = [each for each in happenings if not each.asked_ns and each.at_ns >= BEFORE_NS]
    asked = [each for each in happenings if each.asked_ns]
    if not brought or brought[0].at_ns > BEFORE_NS + NS_PER_S:
        brought.insert(0, Happening(BEFORE_NS, (9.0, 9.0, 9.0, 9.0)))
    history: list[tuple[int, Levels]] = [(each.at_ns, each.levels) for each in brought if each.levels is not None]
    audit = QuoteAudit()
    for _ in play(audit, [*brought, *asked], BEFORE_NS):
        pass
    expected = plainly(history, asked)
    assert (audit.total_hits, audit.total_misses) == (expected.count(Verdict.HIT), expected.count(Verdict.MISS))


@given(SEEDS, SCENES, st.floats(0, 0.25), st.floats(0, 0.9), st.floats(0.005, 0.1))
def test_a_healthy_stream_never_misses(seed: int, scene: Scene, late: float, trailing: float, round_trip: float) -> None:
    """Up to 250 ms behind REST, whose replicas trail by up to 900 ms: not once, so not twice running either."""
    scene = replace(scene, late=late, jitter=0.25 - late, trailing=trailing, round_trip=(0.005, round_trip))
    audit = QuoteAudit()
    for _ in play(audit, drawn(scene, random.Random(seed)), BEFORE_NS):
        assert audit.misses == 0


@given(SEEDS, SCENES, st.floats(4, 9))
def test_a_frozen_stream_is_known_in_time(seed: int, scene: Scene, frozen_s: float) -> None:
    """Two misses running within 2.5 s of its first wrong price, where no quote comes twice."""
    rng = random.Random(seed)
    scene = replace(scene, sizes=0, round_trip=(0.005, 0.1))
    quotes = market(scene, rng)
    frozen_ns = int(frozen_s * NS_PER_S) + BEFORE_NS
    brought = [each for each in frames(quotes, replace(scene, jitter=0), rng) if each.at_ns <= frozen_ns]
    wrong_ns = next((at for at, _ in quotes if at > frozen_ns), BEFORE_NS + 99 * NS_PER_S)
    audit = QuoteAudit()
    for now_ns in play(audit, [*brought, *polls(quotes, scene, rng, BEFORE_NS)], BEFORE_NS):
        if now_ns >= wrong_ns + 2_500 * NS_PER_MS and now_ns < BEFORE_NS + scene.seconds * NS_PER_S:
            assert audit.misses >= 2
        elif now_ns < wrong_ns:
            assert audit.misses == 0


@given(SEEDS, SCENES, st.floats(0, 0.9))
def test_the_bounds_hold_the_lag(seed: int, scene: Scene, late: float) -> None:
    """Without jitter, and with REST in the present, the stream's lag lies between them: at every instant."""
    audit = QuoteAudit()
    for _ in play(audit, drawn(replace(scene, late=late, jitter=0), random.Random(seed)), BEFORE_NS):
        low, high = audit.lag_bounds
        assert low is None or low <= late * NS_PER_S
        assert high is None or high >= int(late * NS_PER_S)


STREAMS = {
    "1/s": Scene(rate=1),
    "5/s": Scene(rate=5),
    "50/s": Scene(rate=50),
    "1/s clocked": Scene(rate=1, is_clocked=True, beat=0.97),
    "10 sizes": Scene(rate=5, sizes=10),
}


@pytest.mark.parametrize("need", [FIRST, OWN], ids=["first", "own"])
@pytest.mark.parametrize("name", STREAMS)
def test_the_proof_refuses_late_streams_and_lets_healthy_ones_through(name: str, need: Need) -> None:
    """At most one seed in 100 ends otherwise."""
    for late, seeds in ((0.0, 20), (0.5, 20), (0.9, 20)):
        proved = [attempt(replace(STREAMS[name], late=late), seed, need)[0] is Outcome.PROVED for seed in range(seeds)]
        assert proved.count(late > 0) == 0


@pytest.mark.parametrize("rate", [1 / 20, 1 / 1200])
def test_a_quiet_stream_proves_itself(rate: float) -> None:
    """One that allows no statement about its lag is not refused for that."""
    for seed in range(20):
        outcome, seconds = attempt(Scene(rate=rate), seed, FIRST)
        assert outcome is Outcome.PROVED
        assert seconds <= 61


# --- trade ids --------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 1_000)), min_size=1),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=20, unique_by=lambda at: at // 250),
)
def test_trade_verdicts_are_those_of_the_definition(trades: list[tuple[int, int]], asked: list[int]) -> None:
    """A poll is a hit when the stream has brought its id a second after the answer at the latest. Milliseconds."""
    arrivals = sorted((at + late, number) for number, (at, late) in enumerate(sorted(trades), start=1))
    happened = [(at, 0, number) for at, number in arrivals] + [(at, 1, sum(t <= at for t, _ in trades)) for at in sorted(asked)]
    audit = IdAudit()
    audit.begin(-NS_PER_S, -1)
    audit.heard(0, -NS_PER_S)
    verdicts: list[Verdict] = []
    for at, is_poll, number in sorted(happened):
        if is_poll:
            audit.polled(number, at * NS_PER_MS, at * NS_PER_MS)
        else:
            audit.heard(number, at * NS_PER_MS)
        if at % 3 == 0:
            verdicts += audit.verdicts(at * NS_PER_MS)
    verdicts += audit.verdicts(99 * NS_PER_S)
    limit_ms = ID_FORWARD_NS // NS_PER_MS
    expected: list[Verdict] = []
    missed_at = -1_000
    for at in sorted(asked):
        is_hit = sum(t <= at for t, _ in trades) <= max((number for on, number in arrivals if on <= at + limit_ms), default=0)
        if is_hit or at >= missed_at + 250:
            expected.append(Verdict.HIT if is_hit else Verdict.MISS)
            missed_at = missed_at if is_hit else at
    assert verdicts == expected


# --- lag by event time ------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 3 * NS_PER_S), st.integers(-NS_PER_S, 5 * NS_PER_S), st.integers(-9, 9)), max_size=200),
    st.integers(1, 1_000),
)
def test_lag_is_exact(samples: list[tuple[int, int, int]], per_mille: int) -> None:
    """At each moment the nearest rank of what is in the window, as sorting it anew would tell."""
    lag = EventLag()
    at_ns = 0
    known: list[tuple[int, int]] = []
    for gap_ns, lag_ns, offset_ns in samples:
        at_ns += gap_ns
        lag.sample(at_ns, at_ns + offset_ns - lag_ns, offset_ns)
        known.append((at_ns, lag_ns))
        window = sorted(late for at, late in known if at > at_ns - LAG_WINDOW_NS)
        assert lag.quantile(per_mille / 1_000, at_ns) == window[math.ceil(per_mille * len(window) / 1_000) - 1]


def test_looking_is_often_enough() -> None:
    """The bounds above are meant for a look every 100 ms."""
    assert LOOK_NS == 100 * NS_PER_MS
