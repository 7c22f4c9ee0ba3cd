"""The fleet's rules in every order of wishes, dials, losses and pulses (RT-3, CB-3)."""

import itertools
import random

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Dial, FleetEffect, Hang, Lost, Phase, Sync
from foxtrot.transport.fleet import STREAMS, Fleet
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

LANES = [LaneKey(f"S{number}", "trades") for number in range(12)]
WIDTHS = (1, 70, 100, 131, 200)


class FleetMachine(RuleBasedStateMachine):
    """Against a reference: who is wanted, which attempts are under way, who has been told what."""

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        self.now = 1_000 * NS_PER_S
        self.fleet = Fleet(self.now, random.Random(seed).random)
        self.wanted: dict[LaneKey, tuple[str, ...]] = {}
        self.carried: set[LaneKey] = set()
        self.alive: dict[int, int] = {}  # connection: generation of the attempt under way or of the open connection
        self.is_open: set[int] = set()
        self.ended: list[tuple[int, int]] = []
        self.dials: list[int] = []
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
                    self.ended.append((effect.connection, self.alive.pop(effect.connection)))
                    self.is_open.discard(effect.connection)
                case Sync():
                    assert effect.connection in self.is_open
                case Carried():
                    assert set(effect.lanes) <= set(self.wanted)
                    assert not self.carried & set(effect.lanes), "told once"
                    self.carried.update(effect.lanes)
                case Lost():
                    assert set(effect.lanes) <= set(self.wanted)
                    self.carried -= set(effect.lanes)

    @rule(lane=st.sampled_from(LANES), width=st.sampled_from(WIDTHS))
    def want(self, lane: LaneKey, width: int) -> None:
        streams = self.wanted.setdefault(lane, tuple(f"{lane.symbol}@{k}" for k in range(width)))
        self.act(self.fleet.want(lane, streams, self.now))

    @rule(lane=st.sampled_from(LANES))
    def unwant(self, lane: LaneKey) -> None:
        self.wanted.pop(lane, None)
        self.carried.discard(lane)
        self.act(self.fleet.unwant(lane, self.now))

    @rule(span_ns=st.sampled_from([NS_PER_MS, 100 * NS_PER_MS, NS_PER_S, 31 * NS_PER_S, 70 * NS_PER_S]))
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
        number = data.draw(st.sampled_from(sorted(set(self.alive) - self.is_open)))
        self.is_open.add(number)
        self.act(self.fleet.opened(number, self.alive[number], self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), ban_s=st.sampled_from([0, 0, 0, 120]))
    def lose(self, data: st.DataObject, ban_s: int) -> None:
        self._lose(data.draw(st.sampled_from(sorted(self.alive))), ban_s)

    def _lose(self, number: int, ban_s: int) -> None:
        generation = self.alive.pop(number)
        self.is_open.discard(number)
        self.ended.append((number, generation))
        until = self.now + ban_s * NS_PER_S
        self.banned_until = max(self.banned_until, until)
        self.act(self.fleet.lost(number, generation, self.now, until))

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), is_open=st.booleans())
    def an_old_generation_speaks(self, data: st.DataObject, is_open: bool) -> None:
        number, generation = data.draw(st.sampled_from(self.ended[-5:]))
        before = [(c.id, c.phase, c.generation, c.bundle.retry_at_ns, c.bundle.losses) for c in self.fleet.connections.values()]
        tell = self.fleet.opened if is_open else self.fleet.lost
        assert tell(number, generation, self.now) == []
        assert before == [
            (c.id, c.phase, c.generation, c.bundle.retry_at_ns, c.bundle.losses) for c in self.fleet.connections.values()
        ]

    @rule()
    def all_comes_home(self) -> None:
        """However it stands: when the venue answers again, every wanted lane is carried, as fast as dials are allowed."""
        for _ in range(400):
            self.now += NS_PER_S
            self.act(self.fleet.pulse(self.now))
            for number in [number for number in self.alive if number not in self.is_open]:
                self.is_open.add(number)
                self.act(self.fleet.opened(number, self.alive[number], self.now))
            if self.carried == set(self.wanted):
                break
        assert self.carried == set(self.wanted)

    @invariant()
    def every_wanted_lane_is_on_one_connection(self) -> None:
        if not hasattr(self, "fleet"):
            return
        placed = [lane for connection in self.fleet.connections.values() for lane in connection.lanes]
        assert sorted(placed) == sorted(self.wanted)
        for connection in self.fleet.connections.values():
            assert len(connection.streams) <= STREAMS
            assert (connection.phase is Phase.WAITING) is (connection.id not in self.alive)
            assert (connection.phase is Phase.OPEN) is (connection.id in self.is_open)
            assert self.carried >= set(connection.lanes) if connection.phase is Phase.OPEN else True
        assert self.carried <= set(self.wanted)

    @invariant()
    def dials_keep_their_pace(self) -> None:
        if not getattr(self, "dials", None):
            return
        dials = self.dials[-200:]
        assert all(later - earlier >= NS_PER_S for earlier, later in itertools.pairwise(dials))
        last = dials[-1]
        assert sum(at > last - 300 * NS_PER_S for at in dials) <= 100


TestFleet = FleetMachine.TestCase
