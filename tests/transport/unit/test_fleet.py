"""What lanes share: connections, and the right to dial."""

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Dial, FleetEffect, Hang, Lost, Moved, Phase, Sync
from foxtrot.transport.fleet import STREAMS, Fleet
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState


def key(number: int) -> LaneKey:
    return LaneKey(f"S{number}", "trades")


def make(chance: float = 0.5) -> Fleet:
    return Fleet(0, lambda: chance)


def want(fleet: Fleet, number: int, now_ns: int = 0, streams: int = 1) -> list[FleetEffect]:
    return fleet.want(key(number), tuple(f"s{number}@{k}" for k in range(streams)), now_ns)


def opened(fleet: Fleet, number: int = 1, now_ns: int = 0) -> list[FleetEffect]:
    return fleet.opened(number, fleet.connections[number].generation, now_ns)


def test_the_first_lane_dials_at_once() -> None:
    """Its streams stand in the address."""
    fleet = make()
    assert want(fleet, 1, streams=2) == [Dial(1, 1, ("s1@0", "s1@1"))]


def test_an_open_connection_carries_its_lanes() -> None:
    """Also those that joined while it was being made: their streams are subscribed."""
    fleet = make()
    want(fleet, 1)
    assert want(fleet, 2) == []
    assert opened(fleet) == [Sync(1), Carried((key(1), key(2)))]


def test_a_lane_that_joins_an_open_connection_is_carried_at_once() -> None:
    """No dial is needed."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    assert want(fleet, 2) == [Sync(1), Carried((key(2),))]


def test_wanting_twice_is_wanting_once() -> None:
    """A lane is on one connection."""
    fleet = make()
    want(fleet, 1)
    assert want(fleet, 1) == []
    assert len(fleet.connections) == 1


def test_a_full_connection_takes_no_more() -> None:
    """A lane's streams stay together: where two do not fit, a second connection is made, a second later."""
    fleet = make()
    for number in range(STREAMS - 1):
        want(fleet, number)
    assert want(fleet, 900, streams=2) == []
    want(fleet, 901)
    assert (len(fleet.connections[1].streams), len(fleet.connections[2].streams)) == (STREAMS, 2)
    assert fleet.pulse(NS_PER_S) == [Dial(2, 1, ("s900@0", "s900@1"))]


def test_a_lane_that_leaves_is_unsubscribed() -> None:
    """On an open connection; on one still being made its streams are brought in step once it is open."""
    fleet = make()
    want(fleet, 1)
    want(fleet, 2)
    assert fleet.unwant(key(2), 0) == []
    opened(fleet)
    assert fleet.unwant(key(1), 0) == [Sync(1)]
    assert fleet.unwant(key(1), 0) == []


def test_an_empty_connection_lingers_half_a_minute() -> None:
    """Then it is closed."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    fleet.unwant(key(1), NS_PER_S)
    assert fleet.pulse(31 * NS_PER_S - 1) == []
    assert fleet.pulse(31 * NS_PER_S) == [Hang(1, 1)]
    assert fleet.connections == {}


def test_a_lane_that_comes_back_needs_no_dial() -> None:
    """The connection that lingers takes it."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    fleet.unwant(key(1), 0)
    assert want(fleet, 1, 29 * NS_PER_S) == [Sync(1), Carried((key(1),))]
    assert fleet.pulse(60 * NS_PER_S) == []


@pytest.mark.parametrize(("chance", "due_s"), [(0.0, 1.0), (0.4, 1.0), (0.999, 1.0)])
def test_after_a_loss_the_first_dial_comes_within_a_second(chance: float, due_s: float) -> None:
    """The lanes fall at once; the pace of one dial a second holds."""
    fleet = make(chance)
    want(fleet, 1)
    opened(fleet)
    assert fleet.lost(1, 1, 0) == [Lost((key(1),)), Moved(1, BreakerState.CLOSED, BreakerState.OPEN)]
    assert fleet.connections[1].bundle.retry_at_ns < NS_PER_S
    assert fleet.pulse(int(due_s * NS_PER_S)) == [
        Moved(1, BreakerState.OPEN, BreakerState.HALF_OPEN),
        Dial(1, 3, ("s1@0",)),
    ]


def test_later_waits_are_decorrelated() -> None:
    """1 to 60 s, each up to three times the last."""
    fleet = make(0.999_999)
    want(fleet, 1)
    now, waits = 0, []
    for _ in range(7):
        fleet.lost(1, fleet.connections[1].generation, now)
        waits.append(round((fleet.connections[1].bundle.retry_at_ns - now) / NS_PER_S))
        now = fleet.connections[1].bundle.retry_at_ns + NS_PER_S
        fleet.pulse(now)
    assert waits == [1, 3, 9, 27, 60, 60, 60]


@pytest.mark.parametrize(("life_s", "longest"), [(59, 3), (60, 1)])
def test_a_steady_connection_is_forgiven(life_s: int, longest: int) -> None:
    """After 60 s of life the next loss is a first one."""
    fleet = make(0.999_999)
    want(fleet, 1)
    fleet.lost(1, 1, 0)
    fleet.pulse(2 * NS_PER_S)
    opened(fleet, 1, 2 * NS_PER_S)
    now = (2 + life_s) * NS_PER_S
    fleet.lost(1, fleet.connections[1].generation, now)
    assert round((fleet.connections[1].bundle.retry_at_ns - now) / NS_PER_S) == longest


def test_a_refused_address_dials_nowhere() -> None:
    """The venue asked for silence: no connection is tried before, and some seconds longer."""
    fleet = make()
    for number in range(STREAMS):
        want(fleet, number)
    fleet.lost(1, 1, 0, not_before_ns=120 * NS_PER_S)
    want(fleet, 900)
    due = 120 * NS_PER_S + int(5.5 * NS_PER_S)
    assert fleet.pulse(due - 1) == []
    assert [type(effect) for effect in fleet.pulse(due)] == [Moved, Dial]


def test_old_generations_change_nothing() -> None:
    """What a connection says that was given up is not heard, nor of one that never was."""
    fleet = make()
    want(fleet, 1)
    fleet.lost(1, 1, 0)
    assert fleet.opened(1, 1, 0) == []
    assert fleet.lost(1, 1, 0) == []
    assert fleet.opened(9, 1, 0) == []
    assert fleet.connections[1].phase is Phase.WAITING


def test_losing_an_empty_connection_is_nobodys_loss() -> None:
    """It is forgotten once its wait is over: leaving and coming back is no way around the wait."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    fleet.unwant(key(1), 0)
    assert fleet.lost(1, 1, 0) == [Moved(1, BreakerState.CLOSED, BreakerState.OPEN)]
    fleet.pulse(NS_PER_S // 2 - 1)
    assert 1 in fleet.connections
    fleet.pulse(NS_PER_S // 2)
    assert fleet.connections == {}


def test_a_hundred_dials_in_five_minutes_at_most() -> None:
    """Connections that fail at once and are tried again as soon as they may be."""
    fleet = make(0.0)
    for number in range(STREAMS * 3):
        want(fleet, number)
    dials = []
    for second in range(600):
        for effect in fleet.pulse(second * NS_PER_S):
            if isinstance(effect, Dial):
                dials.append(second)
                fleet.lost(effect.connection, effect.generation, second * NS_PER_S)
    assert max(sum(at <= other < at + 300 for other in dials) for at in dials) <= 100
    assert len(dials) > 150
