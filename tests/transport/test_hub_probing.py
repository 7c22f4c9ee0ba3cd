"""How many streams are tried at once after trips, and what a restart and a hand change of it (CB-3, CB-11)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from foxtrot.transport.base import LaneKey
from foxtrot.transport.breaker import BreakerMemory
from foxtrot.transport.breaker_memory import LaneMemory
from foxtrot.transport.fleet import FleetMemory
from foxtrot.transport.probing import PROBES
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Transport
from foxtrot.util.errors import Unavailable
from tests.support.hub_rig import BTC, HubRig

KEYS = [LaneKey(f"S{number}USDT", "trades") for number in range(40)]


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[HubRig]:
    """Remembers what an earlier process has left: forty lanes with trips of their own, whose waits are over."""
    made = HubRig(remembered=tmp_path / "memory.json")
    assert made.memory is not None
    tripped = LaneMemory(BreakerMemory(1, made.clock.now_ns() - 1, None, BreakerState.OPEN))
    for key in KEYS:
        made.rest.trades[key.symbol] = 10
        made.memory.note(key, tripped)
    yield made
    await made.close()


def most_probing(rig: HubRig) -> int:
    """How many breakers were half open at once."""
    count = most = 0
    for old, new in rig.breakers:
        count += (new is BreakerState.HALF_OPEN) - (old is BreakerState.HALF_OPEN)
        most = max(most, count)
    return most


async def test_a_restart_tries_a_tenth_at_once(rig: HubRig) -> None:
    """The others wait for their turn."""
    await rig.open(*KEYS, streaming=True)
    await rig.clock.advance(5.0)
    assert most_probing(rig) == len(KEYS) // PROBES


async def test_a_kill_that_is_lifted_tries_a_tenth_at_once(rig: HubRig) -> None:
    """However long it lasted; so does a look in the shadow."""
    await rig.open(*KEYS)
    for transport in (Transport.STREAMING, Transport.SHADOW):
        rig.stream(*KEYS, transport=Transport.POLLING, reason=Reason.KILL)
        await rig.clock.advance(2.0)
        rig.stream(*KEYS, transport=transport)
        await rig.clock.advance(5.0)
    assert most_probing(rig) == len(KEYS) // PROBES


async def test_a_dial_that_succeeds_is_remembered(rig: HubRig) -> None:
    """A program that is started over and over must not dial without end, however well its dials go."""
    await rig.streaming(BTC)
    assert rig.memory is not None
    known = rig.memory.recall_fleet(FleetMemory)
    assert known is not None
    assert len(known.dials) == 1


async def test_a_revival_dials_at_once(rig: HubRig) -> None:
    """A lane that waits for its connection does not wait out what many failed dials have made of it."""
    rig.dialler.failing = Unavailable("down")
    await rig.open(BTC, streaming=True)
    await rig.clock.advance_until(lambda: rig.hub.fleet.memory().retry_at_ns > rig.clock.now_ns() + 10 * NS_PER_S, 600)
    rig.dialler.failing = None
    rig.hub.revive(["BTCUSDT"])
    await rig.until(BTC, LaneState.PROVING, 1.1)
