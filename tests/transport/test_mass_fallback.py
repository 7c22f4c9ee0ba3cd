"""Two hundred streams that end at once (reliability, BN-3): everybody is served again within a second, within the weight."""

from collections.abc import AsyncIterator

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Serving
from foxtrot.util.errors import Unavailable
from tests.support.hub_rig import HubRig

KEYS = [LaneKey(f"S{number}USDT", "tick") for number in range(200)]
WEIGHTS = {"ticker": 2, "book_ticker": 4, "anchor": 5}


@pytest.fixture
async def rig() -> AsyncIterator[HubRig]:
    """Two hundred ticks, all of them streamed; each answer takes 0.2 s."""
    made = HubRig()
    made.rest.delay = 0.2
    for key in KEYS:
        made.rest.trades[key.symbol] = 10
    await made.open(*KEYS, streaming=True)
    await made.clock.advance_until(lambda: all(each.state is LaneState.STREAMING for each in made.hub.statuses()), 240)
    yield made
    await made.close()


def cut(rig: HubRig) -> None:
    """Every connection ends, and none can be made."""
    rig.dialler.failing = Unavailable("down")
    for wire in rig.dialler.wires:
        wire.end("reset")


async def test_a_mass_fallback_is_one_poll(rig: HubRig) -> None:
    """Asked at once, whatever the number of symbols; its answer confirms them all."""
    start = rig.clock.now_ns()
    asked = len(rig.rest.asked)
    cut(rig)
    await rig.clock.advance(0.25)
    assert [call for call, _, at in rig.rest.asked[asked:] if at == start and call != "anchor"].count("book_ticker") == 1
    assert all(each.serving is Serving.POLL and each.confirmed_ns >= start for each in rig.hub.statuses())


async def test_each_top_of_book_stays_younger_than_a_second_and_a_half(rig: HubRig) -> None:
    """For as long as there are no streams; no minute holds more than half the limit."""
    cut(rig)
    await rig.clock.advance(1.0)
    for _ in range(300):
        await rig.clock.advance(0.1)
        now = rig.clock.now_ns()
        assert max(now - each.confirmed_ns for each in rig.hub.statuses()) <= 1.5 * NS_PER_S
    spent = [(at, WEIGHTS.get(call, 80)) for call, _, at in rig.rest.asked]
    for first, _ in spent:
        assert sum(weight for at, weight in spent if first <= at < first + 60 * NS_PER_S) <= 3_000
