"""What is told of health is what a look at every lane would find, though few are looked at."""

import random

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import Health, Reason, Transport
from foxtrot.util.errors import RateLimited, Unavailable
from tests.support.hub_rig import BTC, TICK, HubRig

ETH = LaneKey("ETHUSDT", "tick")
KEYS = (BTC, TICK, ETH)
ERRORS = (Unavailable("down"), RateLimited("429", retry_after=2.0))


def disturb(rig: HubRig, draw: random.Random) -> None:
    """Something happens to the venue, a lane or a connection."""
    key = draw.choice(KEYS)
    match draw.randrange(8):
        case 0:
            rig.rest.failing["ticker"] = draw.choice(ERRORS)
        case 1:
            rig.rest.failing.clear()
        case 2:
            rig.hub.halted(frozenset(draw.sample([key.symbol for key in KEYS], draw.randint(0, 2))))
        case 3:
            rig.hub.hold(is_on=draw.random() < 0.5)
        case 4:
            rig.stream(key, transport=draw.choice(list(Transport)))
        case 5:
            rig.hub.close_lane(key, Reason.UNSUBSCRIBED)
        case 6:
            rig.hub.open_lanes(KEYS)
        case _:
            rig.hub.force_open([key.symbol])
            rig.hub.revive()


def bring(rig: HubRig, draw: random.Random) -> None:
    """Frames come, or a stream is silent while the venue moves."""
    rig.trade(is_streamed=draw.random() < 0.7)
    rig.quote(draw.random(), draw.choice((TICK, ETH)), is_streamed=draw.random() < 0.7)


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_told_is_what_is_found(seed: int) -> None:
    """At most for a pulse it is not, whatever happens."""
    rig, draw = HubRig(), random.Random(seed)
    rig.rest.trades["ETHUSDT"] = 3
    rig.decisions = {key: steps.Decide(Transport.STREAMING, Reason.PIN) for key in KEYS}
    await rig.open(*KEYS)
    wrong = dict.fromkeys(("BTCUSDT", "ETHUSDT"), 0)
    seen: set[Health] = set()
    for _ in range(1_500):
        if draw.random() < 0.05:
            disturb(rig, draw)
        if draw.random() < 0.3:
            bring(rig, draw)
        await rig.clock.advance(0.05)
        for symbol in wrong:
            finding = rig.hub.finding(symbol)
            told = [last for name, last in rig.healths if name == symbol]
            is_told = finding is None or (bool(told) and told[-1][:3] == finding[:3])
            wrong[symbol] = 0 if is_told else wrong[symbol] + 1
            assert wrong[symbol] <= 2, f"{symbol}: told {told[-1:]}, found {finding}"
            seen.update([finding.health] if finding else [])
    await rig.close()
    assert {Health.LIVE, Health.DEGRADED, Health.BLIND} <= seen


async def test_a_frame_ends_blindness() -> None:
    """Nobody is told of a frame that passes the door."""
    rig = HubRig()
    await rig.streaming(TICK)
    rig.rest.failing["ticker"] = Unavailable("down")
    await rig.clock.advance(30.0)
    before = len(rig.healths)
    rig.quote(7.0)
    await rig.clock.advance(0.15)
    assert rig.healths[before - 1][1].health is Health.BLIND
    assert [finding.health for _, finding in rig.healths[before:]] == [Health.LIVE]
    await rig.close()
