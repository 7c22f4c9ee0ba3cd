"""The loop stands still for seconds, as on a laptop that sleeps: no lane says that it was its stream."""

from collections.abc import AsyncIterator

import pytest_asyncio

from foxtrot.util.constants import LaneState, Reason
from tests.support.fake_transports import frame
from tests.support.hub_rig import BTC, HubRig


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[HubRig]:
    """Its stream serves, and has not brought yet what a poll has just shown."""
    made = HubRig()
    await made.streaming(BTC)
    made.trade(is_streamed=False)
    await made.clock.advance(1.2)
    yield made
    await made.close()


async def test_a_loop_that_stood_still_blames_no_stream(rig: HubRig) -> None:
    """An answer is read before the frames that have waited as long."""
    before = len(rig.moves)
    rig.clock.stall(6.0)
    await rig.clock.advance(1.5)
    rig.dialler.wire.bring(frame(BTC, 11))
    await rig.clock.advance(10.0)
    assert rig.moves[before:] == []
    assert rig.arrived == [11]


async def test_a_loop_that_runs_blames_it(rig: HubRig) -> None:
    """The same without the stall."""
    await rig.clock.advance(6.0)
    assert rig.moves[-1] == (BTC, LaneState.FALLBACK, Reason.SILENCE)
