"""Eleven real minutes of Binance ETHUSDT through the audit: 90 quotes a second, as they came."""

import random

import pytest

from foxtrot.transport.audit import Levels, QuoteAudit
from foxtrot.util.clock import NS_PER_S
from tests.support.quote_venue import Happening, Scene, noticed_after, play, polls
from tests.support.recorded_quotes import FILES, recorded_quotes

pytestmark = [
    pytest.mark.recording,
    pytest.mark.skipif(not FILES[0].exists(), reason="the recorded frames (../shared/data) are not beside this checkout"),
]


@pytest.fixture(scope="module")
def quotes() -> list[tuple[int, Levels]]:
    """The recording."""
    return recorded_quotes()


@pytest.mark.parametrize("trailing", [0.0, 0.9])
@pytest.mark.parametrize("late", [0.0, 0.25])
def test_a_healthy_stream_never_misses_twice(quotes: list[tuple[int, Levels]], late: float, trailing: float) -> None:
    """Not at any phase of the polls: the stream up to 250 ms behind REST, REST up to 900 ms behind the venue."""
    assert len(quotes) == 58_758
    brought = [Happening(at + int(late * NS_PER_S), levels) for at, levels in quotes]
    scene = Scene(trailing=trailing, round_trip=(0.005, 0.1), seconds=640.0)
    for seed in range(4):
        audit = QuoteAudit()
        asked = list(polls(quotes, scene, random.Random(seed), 1))
        assert all(audit.misses < 2 for _ in play(audit, [*brought, *asked], 1))
        assert audit.total_hits + audit.total_misses > 600


def test_a_frozen_stream_is_noticed_in_time(quotes: list[tuple[int, Levels]]) -> None:
    """Frozen at 200 random instants: two misses running within 2.7 s of the first wrong price at worst."""
    rng = random.Random(1)
    took = sorted(noticed_after(quotes, rng.randrange(5 * NS_PER_S, quotes[-1][0] - 30 * NS_PER_S), k) for k in range(200))
    assert took[-1] <= 2.7
