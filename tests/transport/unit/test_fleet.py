"""What lanes share: connections, and the right to dial."""

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Compare, Dial, FleetEffect, Forgive, Hang, Lost, Moved, Phase, Sync
from foxtrot.transport.fleet import STREAMS, Fleet, FleetMemory
from foxtrot.transport.rotation import HOUR_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState

OF_ONE = tuple(LaneKey("ONE", channel) for channel in ("tick", "trades", "agg_trades"))


def key(number: int) -> LaneKey:
    return LaneKey(f"S{number}", "trades")


def make(chance: float = 0.5) -> Fleet:
    return Fleet(0, lambda: chance)


def want(fleet: Fleet, number: int, now_ns: int = 0, streams: int = 1, lines: int = 1) -> list[FleetEffect]:
    return fleet.want(key(number), tuple(f"s{number}@{k}" for k in range(streams)), now_ns, lines)


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


# lines


def test_two_lines_are_two_connections() -> None:
    """On different addresses, a second apart; the lane is carried with the first of them."""
    fleet = make()
    assert want(fleet, 1, lines=2) == [Dial(1, 1, ("s1@0",), 0)]
    assert fleet.pulse(NS_PER_S) == [Dial(2, 1, ("s1@0",), 1)]
    assert opened(fleet, 2, NS_PER_S) == [Sync(2), Carried((key(1),))]
    assert opened(fleet, 1, NS_PER_S) == [Sync(1)]


def two_lines() -> Fleet:
    """One lane on two open connections."""
    fleet = make()
    want(fleet, 1, lines=2)
    fleet.pulse(NS_PER_S)
    opened(fleet, 1, NS_PER_S)
    opened(fleet, 2, NS_PER_S)
    return fleet


def test_the_loss_of_one_line_costs_nothing() -> None:
    """Only that of the last one is told."""
    fleet = two_lines()
    assert fleet.lost(1, 1, 2 * NS_PER_S) == [Moved(1, BreakerState.CLOSED, BreakerState.OPEN)]
    assert Lost((key(1),)) in fleet.lost(2, 1, 2 * NS_PER_S)


def test_a_line_that_comes_back_is_not_told() -> None:
    """The lane was carried all the time."""
    fleet = two_lines()
    fleet.lost(1, 1, 2 * NS_PER_S)
    fleet.pulse(4 * NS_PER_S)
    assert opened(fleet, 1, 4 * NS_PER_S) == [Sync(1), Moved(1, BreakerState.HALF_OPEN, BreakerState.CLOSED)]


def test_a_second_line_may_be_added_and_dropped() -> None:
    """By wanting again; the lane hears nothing of it."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    assert want(fleet, 1, NS_PER_S, lines=2) == [Dial(2, 1, ("s1@0",), 1)]
    opened(fleet, 2, NS_PER_S)
    assert want(fleet, 1, 2 * NS_PER_S) == [Sync(2)]
    assert fleet.connections[2].streams == ()


def test_the_line_that_carries_is_kept() -> None:
    """The first one is down when one of the two is to go."""
    fleet = two_lines()
    fleet.lost(1, 1, 2 * NS_PER_S)
    assert want(fleet, 1, 2 * NS_PER_S) == []
    assert (fleet.connections[1].streams, fleet.connections[2].streams) == ((), ("s1@0",))
    want(fleet, 1, 2 * NS_PER_S, lines=2)
    assert fleet.connections[1].streams == ("s1@0",)


def test_dropping_the_line_that_carries_is_told() -> None:
    """Both are down: none is better than the other; one is open: it stays."""
    fleet = make()
    want(fleet, 1, lines=2)
    fleet.pulse(NS_PER_S)
    assert want(fleet, 1, NS_PER_S) == []
    assert fleet.connections[1].streams == ("s1@0",)


def test_lanes_without_any_line_are_dialled_first() -> None:
    """Second lines wait for them: one dial a second is all there is."""
    fleet = two_lines()
    fleet.lost(1, 1, 2 * NS_PER_S)
    want(fleet, 2, 2 * NS_PER_S, streams=STREAMS)
    fleet.lost(3, 1, 2 * NS_PER_S)
    dials = [effect.connection for second in (3, 4) for effect in fleet.pulse(second * NS_PER_S) if isinstance(effect, Dial)]
    assert dials == [3, 1]


def test_a_lane_goes_to_a_connection_that_stands() -> None:
    """Where one has room, it need not wait for one that is down."""
    fleet = make()
    want(fleet, 1, streams=150)
    want(fleet, 2, streams=100)
    fleet.pulse(NS_PER_S)
    opened(fleet, 2, NS_PER_S)
    assert want(fleet, 3, NS_PER_S, streams=50) == [Sync(2), Carried((key(3),))]


def test_addresses_alternate_while_losses_go_on() -> None:
    """A first loss tries the same one again, the next another."""
    fleet = make()
    want(fleet, 1)
    now = 0
    lines: list[int] = []
    for _ in range(4):
        fleet.lost(1, fleet.connections[1].generation, now)
        now += 61 * NS_PER_S
        lines.extend(effect.line for effect in fleet.pulse(now) if isinstance(effect, Dial))
    assert lines == [0, 1, 2, 3]


def test_a_failed_dial_is_told_once() -> None:
    """The lane waits for its connection, however often it fails."""
    fleet = make()
    want(fleet, 1)
    told = [effect for effect in fleet.lost(1, 1, 0) if isinstance(effect, Lost)]
    now = 61 * NS_PER_S
    fleet.pulse(now)
    told += [effect for effect in fleet.lost(1, fleet.connections[1].generation, now) if isinstance(effect, Lost)]
    assert told == [Lost((key(1),))]


def test_streams_that_another_line_brings_are_not_missed() -> None:
    """``sole`` names the lanes that have nothing else."""
    fleet = two_lines()
    want(fleet, 2, NS_PER_S)
    assert fleet.sole(1, ["s1@0", "s2@0", "other"]) == [key(2)]
    assert fleet.sole(1, []) == []
    assert fleet.sole(9, ["s1@0"]) == []


# breakers


def test_a_connections_breaker_follows_its_dials() -> None:
    """Open at its loss, half-open at the next dial, closed once it is open."""
    fleet = make()
    moves = [effect for effect in want(fleet, 1) if isinstance(effect, Moved)]
    moves += [effect for effect in fleet.lost(1, 1, 0) if isinstance(effect, Moved)]
    moves += [effect for effect in fleet.pulse(NS_PER_S) if isinstance(effect, Moved)]
    moves += [effect for effect in opened(fleet, 1, NS_PER_S) if isinstance(effect, Moved)]
    assert [(move.old, move.new) for move in moves] == [
        (BreakerState.CLOSED, BreakerState.OPEN),
        (BreakerState.OPEN, BreakerState.HALF_OPEN),
        (BreakerState.HALF_OPEN, BreakerState.CLOSED),
    ]


# rotation

OLD = 23 * HOUR_NS


def rotating(lanes: int = 1) -> Fleet:
    """Connection 1 has grown old, 2 is open beside it."""
    fleet = make()
    for number in range(1, lanes + 1):
        want(fleet, number)
    opened(fleet)
    fleet.pulse(OLD)
    opened(fleet, 2, OLD)
    return fleet


def test_an_old_connection_gets_a_successor() -> None:
    """After 22 to 23 hours, with the same lanes; they hear nothing of it."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    due = int(22.5 * HOUR_NS)
    assert fleet.pulse(due - 1) == []
    assert fleet.pulse(due) == [Dial(2, 1, ("s1@0",))]
    assert opened(fleet, 2, due) == [Sync(1), Sync(2), Compare(1, 2)]
    assert fleet.pulse(due + NS_PER_S) == []


def test_a_proven_successor_takes_the_place() -> None:
    """The old connection is hung up; nothing is lost or counted."""
    fleet = rotating()
    assert fleet.proven(2, 1, OLD) == [Hang(1, 1)]
    assert set(fleet.connections) == {2}
    assert fleet.connections[2].bundle.losses == 0
    assert fleet.proven(2, 1, OLD) == []
    assert [type(effect) for effect in fleet.pulse(2 * OLD)] == [Dial]


def test_a_successor_that_proves_nothing_is_hung_up() -> None:
    """After 30 s; another follows a minute later, then two."""
    fleet = rotating()
    assert fleet.pulse(OLD + 30 * NS_PER_S - 1) == []
    assert fleet.pulse(OLD + 30 * NS_PER_S) == [Hang(2, 1)]
    assert fleet.pulse(OLD + 90 * NS_PER_S - 1) == []
    assert fleet.pulse(OLD + 90 * NS_PER_S) == [Dial(3, 1, ("s1@0",))]
    assert fleet.lost(3, 1, OLD + 90 * NS_PER_S) == []
    assert fleet.pulse(OLD + 210 * NS_PER_S - 1) == []
    assert fleet.pulse(OLD + 210 * NS_PER_S) == [Dial(4, 1, ("s1@0",))]


def test_the_old_one_may_end_first() -> None:
    """The open successor carries on: no lane falls, nothing is counted."""
    fleet = rotating()
    assert fleet.lost(1, 1, OLD) == []
    assert fleet.connections[2].bundle.losses == 0
    assert Lost((key(1),)) in fleet.lost(2, 1, OLD)


def test_the_old_one_may_end_while_the_successor_is_dialled() -> None:
    """The lanes fall, and come home with the dial that is under way."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    fleet.pulse(OLD)
    assert fleet.lost(1, 1, OLD) == [Lost((key(1),))]
    assert opened(fleet, 2, OLD) == [Sync(2), Carried((key(1),))]


def test_a_successor_that_is_all_there_is_may_fail_too() -> None:
    """Then it is a lost connection like any other."""
    fleet = make()
    want(fleet, 1)
    opened(fleet)
    fleet.pulse(OLD)
    fleet.lost(1, 1, OLD)
    assert fleet.lost(2, 1, OLD) == [Moved(1, BreakerState.CLOSED, BreakerState.OPEN)]
    assert [type(effect) for effect in fleet.pulse(OLD + NS_PER_S)] == [Moved, Dial]


def test_lanes_come_and_go_on_both() -> None:
    """While one connection replaces the other."""
    fleet = rotating()
    assert want(fleet, 2, OLD) == [Sync(1), Sync(2), Carried((key(2),))]
    assert fleet.unwant(key(1), OLD) == [Sync(1), Sync(2)]
    assert fleet.connections[1].streams == fleet.connections[2].streams == ("s2@0",)


def test_both_are_hung_up_when_nobody_needs_them() -> None:
    """After the linger of any connection."""
    fleet = rotating()
    fleet.unwant(key(1), OLD)
    assert fleet.pulse(OLD + 30 * NS_PER_S) == [Hang(1, 1), Hang(2, 1)]
    assert fleet.connections == {}


def test_an_announced_end_is_not_waited_for() -> None:
    """The successor is dialled at once, as far as the pace of dials allows; what is not open needs none."""
    fleet = make()
    want(fleet, 1)
    assert fleet.closing(1, 1, 0) == []
    opened(fleet)
    assert fleet.closing(9, 1, 5 * NS_PER_S) == []
    assert fleet.closing(1, 1, 5 * NS_PER_S) == [Dial(2, 1, ("s1@0",))]
    opened(fleet, 2, 5 * NS_PER_S)
    assert fleet.proven(2, 1, 7 * NS_PER_S) == [Hang(1, 1)]


def test_an_announced_end_goes_before_old_age() -> None:
    """Lanes without any line go before both."""
    fleet = make()
    for number in range(4):
        want(fleet, number, 10 * number * NS_PER_S, streams=STREAMS)
        opened(fleet, number + 1, 10 * number * NS_PER_S)
    fleet.lost(2, 1, 22 * HOUR_NS)
    dials = [effect for effect in fleet.closing(3, 1, OLD) if isinstance(effect, Dial)]
    for second in range(1, 4):
        dials += [effect for effect in fleet.pulse(OLD + second * NS_PER_S) if isinstance(effect, Dial)]
    carried = [effect.streams[0] for effect in dials]
    assert carried == ["s1@0", "s2@0", "s0@0", "s3@0"]


def test_a_shutdown_of_the_successor_is_kept_in_mind() -> None:
    """Once it has taken the place, it is replaced."""
    fleet = rotating()
    assert fleet.closing(2, 1, OLD) == []
    assert fleet.proven(2, 1, OLD + 2 * NS_PER_S) == [Hang(1, 1), Dial(3, 1, ("s1@0",))]


# by hand


def test_a_revival_dials_what_waits() -> None:
    """At once, however long the wait has grown."""
    fleet = make(0.999_999)
    want(fleet, 1)
    fleet.lost(1, 1, 0)
    assert fleet.pulse(NS_PER_S // 2) == fleet.revive(NS_PER_S // 2) == []  # one dial a second, whoever asks
    assert [type(effect) for effect in fleet.revive(NS_PER_S)] == [Moved, Dial]


def test_a_revival_does_not_break_the_venues_silence() -> None:
    """What the address is refused for, no hand shortens."""
    fleet = make()
    want(fleet, 1)
    fleet.lost(1, 1, 0, not_before_ns=60 * NS_PER_S)
    assert fleet.revive(2 * NS_PER_S) == fleet.revive(59 * NS_PER_S) == []


def test_a_revival_ends_a_wait_of_an_earlier_process() -> None:
    """Also for lanes that come after it."""
    fleet = Fleet(0, lambda: 0.5, FleetMemory(wait=60.0, retry_at_ns=60 * NS_PER_S))
    fleet.revive(NS_PER_S)
    assert [type(effect) for effect in want(fleet, 1, NS_PER_S)] == [Dial]


# mass failure


def test_half_of_the_lanes_within_ten_seconds_are_the_connections_failure() -> None:
    """It is hung up and dialled again; the trips are taken back, the other lanes fall with it."""
    fleet = make()
    for number in range(6):
        want(fleet, number)
    opened(fleet)
    assert fleet.tripped(key(0), 0) == fleet.tripped(key(1), 9 * NS_PER_S) == []
    assert fleet.tripped(key(2), 10 * NS_PER_S) == [
        Hang(1, 1),
        Lost(tuple(key(number) for number in range(6))),
        Moved(1, BreakerState.CLOSED, BreakerState.OPEN),
        Forgive((key(0), key(1), key(2))),
    ]
    assert fleet.tripped(key(3), 10 * NS_PER_S) == []


@pytest.mark.parametrize(("ends_s", "forgiven"), [(2, [Forgive((key(0),))]), (3.1, [])])
def test_a_trip_just_before_the_connection_ends_is_taken_back(ends_s: float, forgiven: list[FleetEffect]) -> None:
    """An audit and the canary notice the same dead socket in the same moment."""
    fleet = make()
    want(fleet, 0)
    want(fleet, 1)
    opened(fleet)
    fleet.unwant(key(0), 0)
    assert fleet.tripped(key(0), 0) == []
    ended = fleet.lost(1, 1, int(ends_s * NS_PER_S))
    assert ended == [Lost((key(1),)), Moved(1, BreakerState.CLOSED, BreakerState.OPEN), *forgiven]
    assert fleet.lost(1, fleet.connections[1].generation, int(ends_s * NS_PER_S)) == []


@pytest.mark.parametrize("has_left", [True, False])
def test_a_trip_is_not_taken_back_where_the_lanes_other_line_stands(has_left: bool) -> None:
    """Whatever ended on one line, the other brought the same: the trip was the stream's."""
    fleet = make()
    want(fleet, 0, lines=2)
    fleet.pulse(NS_PER_S)
    opened(fleet, 1, NS_PER_S)
    opened(fleet, 2, NS_PER_S)
    if has_left:
        fleet.unwant(key(0), 2 * NS_PER_S)
    assert fleet.tripped(key(0), 2 * NS_PER_S) == []
    assert not any(isinstance(effect, Forgive) for effect in fleet.lost(1, 1, 3 * NS_PER_S))


def test_lanes_that_have_left_for_their_trip_count() -> None:
    """A trip shuts the lane's stream before it is told."""
    fleet = make()
    for number in range(6):
        want(fleet, number)
    opened(fleet)
    for number in range(2):
        fleet.unwant(key(number), 0)
        assert fleet.tripped(key(number), 0) == []
    fleet.unwant(key(2), 0)
    assert fleet.tripped(key(2), 0)[-1] == Forgive((key(0), key(1), key(2)))


def test_the_last_lanes_of_a_connection_may_all_be_forgiven() -> None:
    """They come back to the connection that failed, and home with it."""
    fleet = make()
    for number in range(3):
        want(fleet, number)
    opened(fleet)
    effects: list[FleetEffect] = []
    for number in range(3):
        fleet.unwant(key(number), 0)
        effects += fleet.tripped(key(number), 0)
    assert effects[-1] == Forgive((key(0), key(1), key(2)))
    assert want(fleet, 0) == []
    assert [type(effect) for effect in fleet.pulse(NS_PER_S)] == [Moved, Dial]


@pytest.mark.parametrize(
    ("lanes", "tripped", "span_s"),
    [(2, 2, 0), (7, 3, 0), (6, 3, 11)],
)
def test_fewer_trips_are_the_lanes_own(lanes: int, tripped: int, span_s: int) -> None:
    """Less than three, less than half, or over more than ten seconds."""
    fleet = make()
    for number in range(lanes):
        want(fleet, number)
    opened(fleet)
    for number in range(tripped):
        assert fleet.tripped(key(number), number * span_s * NS_PER_S // (tripped - 1)) == []


def test_one_symbol_among_others_fails_alone() -> None:
    """All its lanes trip together when the venue sends none of its streams: the others' connection stands."""
    fleet = make()
    for lane in [*OF_ONE, key(1), key(2), key(3)]:
        fleet.want(lane, (f"{lane.symbol}@{lane.channel}",), 0)
    opened(fleet)
    for lane in OF_ONE:
        fleet.unwant(lane, 0)
        assert fleet.tripped(lane, 0) == []
    fleet.unwant(key(1), NS_PER_S)
    assert fleet.tripped(key(1), NS_PER_S)[-1] == Forgive((*OF_ONE, key(1)))


def test_the_only_symbol_of_a_connection_may_fail_with_it() -> None:
    """Nothing else shows whose failure it was, and no other lane falls by a new dial."""
    fleet = make()
    for lane in OF_ONE:
        fleet.want(lane, (f"{lane.symbol}@{lane.channel}",), 0)
    opened(fleet)
    effects = [effect for lane in OF_ONE for effect in fleet.tripped(lane, 0)]
    assert effects[-1] == Forgive(OF_ONE)


def test_a_trip_of_a_lane_that_left_long_ago_is_its_own() -> None:
    """Nor does one count that was never here, or whose connection is down."""
    fleet = make()
    for number in range(3):
        want(fleet, number)
    opened(fleet)
    fleet.unwant(key(0), 0)
    fleet.unwant(key(1), 11 * NS_PER_S)
    for number in (0, 1, 9):
        assert fleet.tripped(key(number), 11 * NS_PER_S) == []
    assert not fleet.connections[1].bundle.trips.keys() & {key(0), key(9)}


def test_a_connection_that_fails_its_lanes_leaves_them_to_its_successor() -> None:
    """No lane falls that the other carries."""
    fleet = rotating(lanes=3)
    effects = [effect for number in (1, 2, 3) for effect in fleet.tripped(key(number), OLD)]
    assert effects == [Hang(1, 1), Forgive((key(1), key(2), key(3)))]
    assert set(fleet.connections) == {2}


# memory


def test_a_restart_does_not_hammer() -> None:
    """The wait that was under way goes on, and grows from there; so does the venue's silence."""
    fleet = make(0.999_999)
    want(fleet, 1)
    now = 0
    for _ in range(4):
        fleet.lost(1, fleet.connections[1].generation, now)
        now = fleet.connections[1].bundle.retry_at_ns
        fleet.pulse(now + NS_PER_S)
    fleet.lost(1, fleet.connections[1].generation, now)
    again = Fleet(now + NS_PER_S, lambda: 0.999_999, fleet.memory())
    due = fleet.connections[1].bundle.retry_at_ns
    assert want(again, 1, now + NS_PER_S) == []
    assert again.pulse(due - 1) == []
    assert [type(effect) for effect in again.pulse(due)] == [Dial]
    again.lost(1, 1, due)
    assert again.connections[1].bundle.retry_at_ns - due > 50 * NS_PER_S


def test_a_restart_while_all_is_well_waits_for_nothing() -> None:
    """A connection stands: another one's trouble is not remembered."""
    fleet = two_lines()
    fleet.lost(1, 1, 2 * NS_PER_S)
    memory = fleet.memory()
    assert (memory.wait, memory.retry_at_ns) == (0.0, 0)
    assert [type(effect) for effect in want(Fleet(3 * NS_PER_S, lambda: 0.5, memory), 1, 3 * NS_PER_S)] == [Dial]


def test_an_absurd_memory_is_bounded() -> None:
    """The clock was set back: a minute for a wait, three days for a ban."""
    absurd = FleetMemory(quiet_until_ns=10**30, wait=1e9, retry_at_ns=10**30)
    fleet = Fleet(0, lambda: 0.5, absurd)
    want(fleet, 1)
    assert fleet.connections[1].bundle.retry_at_ns == 60 * NS_PER_S
    assert fleet.connections[1].bundle.wait == 60
    assert [type(effect) for effect in fleet.pulse(3 * 24 * HOUR_NS)] == [Dial]


def test_later_connections_know_nothing_of_the_memory() -> None:
    """Its wait is over."""
    fleet = Fleet(0, lambda: 0.5, FleetMemory(wait=30.0, retry_at_ns=10 * NS_PER_S))
    assert want(fleet, 1, 11 * NS_PER_S) == [Dial(1, 1, ("s1@0",))]
    assert fleet.connections[1].bundle.wait == 0.0
