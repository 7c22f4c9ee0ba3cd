"""The lane's eleven rules (design, section 5), over several lanes, one fleet and their breakers at once.

Rule 3 is the book's, and has its tests with the book. Hot doors are driven as decoders drive them: ``accept`` first.
"""

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Transport
from tests.support.hybrid_world import CHANNELS, SYMBOLS, Driver, World
from tests.support.id_driver import IdDriver
from tests.support.lane_driver import MOST_SWITCHES
from tests.support.lawful import DECIDED
from tests.support.tick_driver import TickDriver

KEYS = [LaneKey(symbol, channel) for symbol in SYMBOLS for channel in CHANNELS]
lanes = st.sampled_from(KEYS)
TRANSPORTS = (Transport.STREAMING, Transport.STREAMING, Transport.SHADOW, Transport.POLLING)


class HybridMachine(RuleBasedStateMachine):
    """Random decisions, failures, updates, duplicates, reorders, gaps and clock steps."""

    @initialize(
        seed=st.integers(0, 99), hold_ns=st.sampled_from([HOLD_NS, None]), is_settled=st.sampled_from([True, True, False])
    )
    def begin(self, seed: int, hold_ns: int | None, is_settled: bool) -> None:
        self.world = World(seed, hold_ns)
        self.hold_ns = hold_ns
        self.starts: dict[LaneKey, int] = {}
        self.since_recovery = 0
        for key in KEYS:
            driver = self.world.lane(key)
            if isinstance(driver, IdDriver):
                driver.start()
                self.starts[key] = driver.expected
            elif isinstance(driver, TickDriver):
                driver.poll(driver.venue.now, driver.now)
            if is_settled:
                driver.decide(Transport.STREAMING)
        for _ in range(4 if is_settled else 0):
            self.world.second(is_busy=True)

    # --- what may happen ------------------------------------------------------------------------------------------------------

    @rule(
        key=lanes,
        transport=st.sampled_from(TRANSPORTS),
        lines=st.sampled_from([1, 2, 2]),
        is_kill=st.sampled_from([False, False, True]),
    )
    def decide(self, key: LaneKey, transport: Transport, lines: int, is_kill: bool) -> None:
        if is_kill:
            self.world.lane(key).decide(Transport.POLLING, Reason.KILL)
        else:
            self.world.lane(key).decide(transport, lines=lines)

    @rule(span_ns=st.sampled_from([NS_PER_MS, 100 * NS_PER_MS, NS_PER_S, 3 * NS_PER_S, 31 * NS_PER_S, 82_900 * NS_PER_S]))
    def pass_time(self, span_ns: int) -> None:
        self.world.pulse(span_ns)

    @rule(count=st.sampled_from([1, 5, 40]), is_busy=st.booleans(), is_answered=st.sampled_from([True, True, False]))
    def seconds_pass(self, count: int, is_busy: bool, is_answered: bool) -> None:
        for _ in range(count):
            self.world.second(is_busy=is_busy, is_answered=is_answered)

    @rule(key=lanes, count=st.integers(1, 4))
    def venue_publishes(self, key: LaneKey, count: int) -> None:
        for _ in range(count):
            self.world.lane(key).something_new()

    @precondition(lambda self: any(link.queue for link in self.world.links.values()))
    @rule(data=st.data(), is_lost=st.sampled_from([False, False, True]))
    def a_frame(self, data: st.DataObject, is_lost: bool) -> None:
        number = data.draw(st.sampled_from([number for number, link in self.world.links.items() if link.queue]))
        self.world.receive(number, is_lost=is_lost)

    @rule(is_swapped=st.booleans())
    def frames_arrive(self, is_swapped: bool) -> None:
        for link in self.world.links.values():
            if is_swapped and len(link.queue) > 1:
                link.queue[:2] = reversed(link.queue[:2])
                for key, _ in link.queue[:2]:
                    self.world.lanes[key].is_flawed = True
        self.world.drain()

    @rule(key=lanes)
    def a_frame_again(self, key: LaneKey) -> None:
        driver = self.world.lane(key)
        if driver.past:
            driver.replay(driver.past[-1])

    @rule(is_answered=st.booleans())
    def beat(self, is_answered: bool) -> None:
        self.world.poll(is_answered=is_answered)

    @rule(is_answered=st.booleans())
    def rest_answers(self, is_answered: bool) -> None:
        states = {key: driver.lane.breaker.openings for key, driver in self.world.lanes.items()}
        self.world.questions(is_answered=is_answered)
        found = {key: driver.lane.breaker.openings for key, driver in self.world.lanes.items()}
        assert is_answered or found == states, "rule 10: a request that failed trips no stream"

    @precondition(lambda self: any(not link.is_open for link in self.world.links.values()))
    @rule(data=st.data(), is_good=st.booleans())
    def a_dial_ends(self, data: st.DataObject, is_good: bool) -> None:
        number = data.draw(st.sampled_from([number for number, link in self.world.links.items() if not link.is_open]))
        (self.world.opened if is_good else self.world.lost)(number)

    @precondition(lambda self: any(link.is_open for link in self.world.links.values()))
    @rule(data=st.data(), how=st.sampled_from(["lost", "lost", "announced", "replaced"]))
    def a_connection_ends(self, data: st.DataObject, how: str) -> None:
        world = self.world
        number = data.draw(st.sampled_from([number for number, link in world.links.items() if link.is_open]))
        if how == "announced":
            world.closing(number)
            return
        if how == "replaced" and number not in world.compared:
            return
        spared = [key for key in KEYS if len(world.carriers(key)) > 1]
        before = {key: len(world.lanes[key].announced) for key in spared}
        (world.proven if how == "replaced" else world.lost)(number)
        assert before == {key: len(world.lanes[key].announced) for key in spared}, "rule 9: the loss of one line costs nothing"

    @precondition(lambda self: self.world.ended)
    @rule(data=st.data(), is_open=st.booleans())
    def an_old_generation_speaks(self, data: st.DataObject, is_open: bool) -> None:
        number, generation = data.draw(st.sampled_from(self.world.ended[-5:]))
        tell = self.world.fleet.opened if is_open else self.world.fleet.lost
        assert tell(number, generation, self.world.now) == [], "rule 5: an outcome of an older generation changes nothing"

    @rule(
        key=lanes,
        given=st.sampled_from(
            [steps.Stray(), steps.Unlisted(), steps.ForceOpen(), steps.Hold(is_on=True), steps.Hold(is_on=False)]
        ),
    )
    def a_lane_alone(self, key: LaneKey, given: steps.Input) -> None:
        self.world.lane(key).tell(given)

    @rule(count=st.integers(3, 6))
    def many_lanes_trip(self, count: int) -> None:
        """When half of a connection's lanes trip together, it was the connection. Three are of one symbol: then that was it."""
        for key in KEYS[:count]:
            self.world.lane(key).tell(steps.Stray())

    @rule(key=lanes)
    def revive(self, key: LaneKey) -> None:
        self.world.lane(key).revive()

    @rule(key=lanes, offset_s=st.sampled_from([-3_600, -3, 0, 3]))
    def the_venue_sets_its_clock(self, key: LaneKey, offset_s: int) -> None:
        self.world.lane(key).step_clock(offset_s * NS_PER_S)

    @precondition(lambda self: self.since_recovery > 12)
    @rule(key=lanes)
    def close(self, key: LaneKey) -> None:
        self.world.lane(key).tell(steps.Close(Reason.UNSUBSCRIBED))

    @precondition(lambda self: self.since_recovery > 12)
    @rule(is_busy=st.booleans())
    def recover(self, is_busy: bool) -> None:
        """However it stands: on a healthy venue every lane comes to where it is decided, and has told everything."""
        self.since_recovery = 0
        open_keys = [key for key in KEYS if self.world.lanes[key].shown is not LaneState.CLOSED]
        for key in open_keys:
            self.world.lane(key).tell(steps.Hold(is_on=False))
            self.world.lane(key).revive()
            self.world.lanes[key].is_flawed = True
        unsettled = open_keys
        for _ in range(400):
            self.world.second(is_busy=is_busy)
            unsettled = [key for key in open_keys if not self._is_settled(self.world.lanes[key])]
            if not unsettled:
                return
            if all(self.world.lanes[key].shown is LaneState.FALLBACK for key in unsettled):
                self.world.skip_waits()
        stuck = [(key, self.world.lanes[key].lane.state, self.world.lanes[key].lane.reason) for key in unsettled]
        raise AssertionError(f"after healthy minutes still not home: {stuck}")

    def _is_settled(self, driver: Driver) -> bool:
        return driver.lane.state is DECIDED[driver.lane.decision.transport] and driver.is_complete()

    # --- the rules ------------------------------------------------------------------------------------------------------------

    def _drivers(self) -> list[tuple[LaneKey, Driver]]:
        return list(self.world.lanes.items()) if hasattr(self, "world") else []

    def _obeys(self, number: int) -> None:
        for key, driver in self._drivers():
            ledger = self.world.ledgers[key]
            ledger.read()
            assert number not in ledger.faults, f"{key}: {ledger.faults[number]}"
            assert driver.lane.key.channel == key.channel

    @invariant()
    def rule_1_nothing_twice_nothing_back(self) -> None:
        """ "Per lane, delivered values never repeat and never go back, by the keys above." """
        self._obeys(1)

    @invariant()
    def rule_2_ids_are_whole(self) -> None:
        """ "every id is delivered once, live in order or as backfill; with an infinite hold, live and contiguous" """
        self._obeys(2)
        for key, driver in self._drivers():
            ledger = self.world.ledgers[key]
            if isinstance(driver, IdDriver):
                made = [made.id for made in driver.venue.made]
                assert ledger.missing(made, self.starts[key]) == []
                assert self.hold_ns is not None or not ledger.gaps

    @invariant()
    def rule_4_who_falls_is_polled_at_once(self) -> None:
        """ "From the moment a stream is known dead to the first polled tick: 1 s at most": it asks for one in the same step."""
        for key, _ in self._drivers():
            ledger = self.world.ledgers[key]
            ledger.read()
            assert ledger.polls >= ledger.falls

    @invariant()
    def rule_5_no_attempt_before_its_time(self) -> None:
        """ "While open, no attempt before ``retry_at``. One probe per connection." """
        for _, driver in self._drivers():
            is_waiting = self.world.now < driver.lane.breaker.retry_at_ns
            assert not (is_waiting and driver.is_wanted), "a stream is on while its breaker is open"
        if hasattr(self, "world"):
            dialled = {number for number, each in self.world.fleet.connections.items() if each.phase.value != "waiting"}
            assert dialled == set(self.world.links)

    @invariant()
    def rule_6_nothing_streamed_after_its_end(self) -> None:
        """ "A decision for polling ends stream delivery with its TransportData event: nothing streamed follows it" """
        self._obeys(6)

    @invariant()
    def rule_7_only_data_proves(self) -> None:
        """ "A stream is never trusted on an acknowledgement: only data proves it, its own or the audit's." """
        for _, driver in self._drivers():
            if driver.serving is Serving.STREAM:
                assert driver.answered if driver.shown is LaneState.STREAMING else driver.heard

    @invariant()
    def rule_8_switches_are_few(self) -> None:
        """ "A lane returns to its stream only if it made at most 4 switches in the last 3,600 s (the return ... make 6)" """
        for _, driver in self._drivers():
            assert len([at for at in driver.counted if at > self.world.now - 3_600 * NS_PER_S]) <= MOST_SWITCHES

    @invariant()
    def rule_9_any_line_will_do(self) -> None:
        """ "With ``lines = 2`` the loss of one line costs nothing at all": a lane hears of its first line and of its last."""
        for key, driver in self._drivers():
            assert driver.is_up is (driver.is_wanted and bool(self.world.carriers(key)))

    @invariant()
    def rule_10_a_symbol_alone(self) -> None:
        """ "one bad symbol never blinds its batch": what befalls a lane leaves every other where it was decided to be."""
        for _, driver in self._drivers():
            driver.check()

    @invariant()
    def rule_11_nothing_follows_the_end(self) -> None:
        """ "After ``unsubscribe`` or ``close``, nothing follows the lane's closing event." """
        self._obeys(11)
        if hasattr(self, "world"):
            self.since_recovery += 1


TestHybrid = HybridMachine.TestCase
