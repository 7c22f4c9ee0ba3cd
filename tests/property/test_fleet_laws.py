"""The fleet's rules in every order of wishes, dials, losses, rotations, trips and restarts (RT-3, CB-3, CB-11, BN-4)."""

import itertools
import random

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Compare, Dial, FleetEffect, Forgive, Hang, Lost, Moved, Phase, Sync
from foxtrot.transport.fleet import DYING_NS, MASS_LANES, MASS_NS, STREAMS, Fleet
from foxtrot.transport.rotation import GIVE_UP_NS, HOUR_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState

LANES = [LaneKey(f"S{number}", "trades") for number in range(12)]
WIDTHS = (1, 70, 100, 131, 200)


class FleetMachine(RuleBasedStateMachine):
    """Against a reference: who is wanted, which attempts are under way, who has been told what."""

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        self.now = 1_000 * NS_PER_S
        self.chance = random.Random(seed).random
        self.fleet = Fleet(self.now, self.chance)
        self.wanted: dict[LaneKey, tuple[str, ...]] = {}
        self.lines: dict[LaneKey, int] = {}
        self.told: dict[LaneKey, bool] = {}
        self.alive: dict[int, int] = {}  # connection: generation of the attempt under way or of the open connection
        self.is_open: set[int] = set()
        self.opened_at: dict[int, int] = {}
        self.compared: dict[int, int] = {}  # new connection: old one
        self.breakers: dict[int, BreakerState] = {}
        self.ended: list[tuple[int, int]] = []
        self.dials: list[int] = []
        self.tripped: dict[LaneKey, int] = {}
        self.banned_until = 0

    def act(self, effects: list[FleetEffect]) -> None:
        for effect in effects:
            match effect:
                case Dial():
                    assert effect.connection not in self.alive, "one attempt per connection"
                    assert effect.streams
                    assert self.now >= self.banned_until, "a refused address dials nowhere"
                    self.alive[effect.connection] = effect.generation
                    self.dials.append(self.now)
                case Hang():
                    assert self.alive[effect.connection] == effect.generation
                    self._end(effect.connection)
                case Sync():
                    assert effect.connection in self.is_open
                case Compare():
                    assert {effect.old, effect.new} <= self.is_open
                    self.compared[effect.new] = effect.old
                case Carried():
                    self._tell(effect.lanes, is_carried=True)
                case Lost():
                    self._tell(effect.lanes, is_carried=False)
                case Moved():
                    assert self.breakers.get(effect.bundle, BreakerState.CLOSED) is effect.old is not effect.new
                    self.breakers[effect.bundle] = effect.new
                case Forgive():
                    span = MASS_NS if len(effect.lanes) >= MASS_LANES else DYING_NS
                    assert all(self.now - self.tripped[lane] <= span for lane in effect.lanes)

    def _tell(self, lanes: tuple[LaneKey, ...], *, is_carried: bool) -> None:
        for lane in lanes:
            assert lane in self.wanted
            assert self.told.get(lane) is not is_carried, "carried and lost alternate"
            self.told[lane] = is_carried

    def _end(self, number: int) -> None:
        self.ended.append((number, self.alive.pop(number)))
        self.is_open.discard(number)
        self.compared = {new: old for new, old in self.compared.items() if number not in {new, old}}

    def _open(self, number: int) -> None:
        self.is_open.add(number)
        self.opened_at[number] = self.now
        self.act(self.fleet.opened(number, self.alive[number], self.now))

    @rule(lane=st.sampled_from(LANES), width=st.sampled_from(WIDTHS), lines=st.sampled_from([1, 1, 2]))
    def want(self, lane: LaneKey, width: int, lines: int) -> None:
        streams = self.wanted.setdefault(lane, tuple(f"{lane.symbol}@{k}" for k in range(width)))
        self.lines[lane] = lines
        self.act(self.fleet.want(lane, streams, self.now, lines))

    @rule(lane=st.sampled_from(LANES))
    def unwant(self, lane: LaneKey) -> None:
        for book in (self.wanted, self.lines, self.told):
            book.pop(lane, None)
        self.act(self.fleet.unwant(lane, self.now))

    @rule(span_ns=st.sampled_from([NS_PER_MS, 100 * NS_PER_MS, NS_PER_S, 31 * NS_PER_S, 70 * NS_PER_S, 23 * HOUR_NS]))
    def pass_time(self, span_ns: int) -> None:
        self.now += span_ns
        self.act(self.fleet.pulse(self.now))

    @rule(count=st.integers(10, 120))
    def a_minute_of_refusals(self, count: int) -> None:
        """Every dial fails at once, over and over."""
        for _ in range(count):
            self.now += NS_PER_S // 2
            self.act(self.fleet.pulse(self.now))
            for number in [number for number in self.alive if number not in self.is_open]:
                self._lose(number, 0)

    @precondition(lambda self: set(self.alive) - self.is_open)
    @rule(data=st.data())
    def dial_succeeds(self, data: st.DataObject) -> None:
        self._open(data.draw(st.sampled_from(sorted(set(self.alive) - self.is_open))))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), ban_s=st.sampled_from([0, 0, 0, 120]))
    def lose(self, data: st.DataObject, ban_s: int) -> None:
        self._lose(data.draw(st.sampled_from(sorted(self.alive))), ban_s)

    def _lose(self, number: int, ban_s: int) -> None:
        generation = self.alive[number]
        self._end(number)
        until = self.now + ban_s * NS_PER_S
        self.banned_until = max(self.banned_until, until)
        self.act(self.fleet.lost(number, generation, self.now, until))

    @precondition(lambda self: self.is_open)
    @rule(data=st.data())
    def the_venue_announces_an_end(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.is_open)))
        self.act(self.fleet.closing(number, self.alive[number], self.now))

    @precondition(lambda self: self.compared)
    @rule(data=st.data())
    def a_successor_is_proven(self, data: st.DataObject) -> None:
        """No lane falls by it, and no breaker moves."""
        number = data.draw(st.sampled_from(sorted(self.compared)))
        old, told = self.compared[number], dict(self.told)
        effects = self.fleet.proven(number, self.alive[number], self.now)
        assert Hang(old, self.alive[old]) in effects
        self.act(effects)
        assert told == self.told

    @rule(lane=st.sampled_from(LANES))
    def trip(self, lane: LaneKey) -> None:
        self.tripped[lane] = self.now
        self.act(self.fleet.tripped(lane, self.now))

    @rule()
    def revive(self) -> None:
        self.act(self.fleet.revive(self.now))

    @rule(lanes=st.lists(st.sampled_from(LANES), min_size=6, max_size=12, unique=True))
    def many_trip(self, lanes: list[LaneKey]) -> None:
        """As their machines do it: the stream is shut, then the trip is told."""
        for lane in lanes:
            self.unwant(lane)
            self.trip(lane)

    @rule()
    def restart(self) -> None:
        """The process ends and begins anew: the wishes are the same, what was dialled is not forgotten."""
        memory = self.fleet.memory()
        for number in list(self.alive):
            self._end(number)
        self.fleet = Fleet(self.now, self.chance, memory)
        self.ended, self.told, self.breakers = [], {}, {}
        for lane, streams in self.wanted.items():
            self.act(self.fleet.want(lane, streams, self.now, self.lines[lane]))

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), kind=st.sampled_from(["opened", "lost", "closing", "proven"]))
    def an_old_generation_speaks(self, data: st.DataObject, kind: str) -> None:
        number, generation = data.draw(st.sampled_from(self.ended[-5:]))
        before = [(c.id, c.phase, c.generation, c.bundle.retry_at_ns, c.bundle.losses) for c in self.fleet.connections.values()]
        fleet = self.fleet
        tell = {"opened": fleet.opened, "lost": fleet.lost, "closing": fleet.closing, "proven": fleet.proven}[kind]
        assert tell(number, generation, self.now) == []
        after = [(c.id, c.phase, c.generation, c.bundle.retry_at_ns, c.bundle.losses) for c in self.fleet.connections.values()]
        assert before == after

    @rule()
    def all_comes_home(self) -> None:
        """However it stands: when the venue answers again, every wanted lane is carried, as fast as dials are allowed."""
        for _ in range(400):
            self.now += NS_PER_S
            self.act(self.fleet.pulse(self.now))
            for number in [number for number in self.alive if number not in self.is_open]:
                self._open(number)
            if all(self.told.get(lane) for lane in self.wanted):
                break
        assert all(self.told.get(lane) for lane in self.wanted)

    @invariant()
    def every_wanted_lane_is_on_its_lines(self) -> None:
        """One connection a line; two in a rotation, and then one replaces the other."""
        if not hasattr(self, "fleet"):
            return
        bundles = {connection.bundle.id: connection.bundle for connection in self.fleet.connections.values()}
        placed = [(lane, bundle.line) for bundle in bundles.values() for lane in bundle.lanes]
        assert len(placed) == len(set(placed)), "never twice on the same line"
        assert sorted(lane for lane, _ in placed) == sorted(lane for lane, lines in self.lines.items() for _ in range(lines))
        for bundle in bundles.values():
            assert bundle.stream_count == len(bundle.current.streams) <= STREAMS
            assert {each.id for each in bundle.connections} <= set(self.fleet.connections)
            assert bundle.successor is None or bundle.current.phase is Phase.OPEN

    @invariant()
    def what_is_told_is_true(self) -> None:
        if not hasattr(self, "fleet"):
            return
        for connection in self.fleet.connections.values():
            assert (connection.phase is Phase.WAITING) is (connection.id not in self.alive)
            assert (connection.phase is Phase.OPEN) is (connection.id in self.is_open)
        for lane in self.wanted:
            carriers = [each for each in self.fleet.connections.values() if each.is_open and lane in each.lanes]
            assert bool(self.told.get(lane)) is bool(carriers)

    @invariant()
    def nothing_is_compared_for_ever(self) -> None:
        """A pulse ends it half a minute after the successor opened."""
        if hasattr(self, "fleet") and self.compared:
            self.act(self.fleet.pulse(self.now))
            assert all(self.now - self.opened_at[new] < GIVE_UP_NS for new in self.compared)

    @invariant()
    def dials_keep_their_pace(self) -> None:
        if not getattr(self, "dials", None):
            return
        dials = self.dials[-200:]
        assert all(later - earlier >= NS_PER_S for earlier, later in itertools.pairwise(dials))
        last = dials[-1]
        assert sum(at > last - 300 * NS_PER_S for at in dials) <= 100


TestFleet = FleetMachine.TestCase
