"""The lane's rules (design, section 5), in every run of a lane against a venue that misbehaves."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Transport
from tests.support.fates import Fate, Fault
from tests.support.id_driver import IdDriver
from tests.support.lane_driver import LaneDriver
from tests.support.model_venue import IdVenue, Levels, Moment
from tests.support.tick_driver import TickDriver

SPANS = (1, NS_PER_MS, 60 * NS_PER_MS, 300 * NS_PER_MS, NS_PER_S, 3 * NS_PER_S, 11 * NS_PER_S, 400 * NS_PER_S)
fates = st.sampled_from([Fate.ARRIVE, Fate.ARRIVE, *Fate])
TRANSPORTS = (Transport.POLLING, Transport.STREAMING, Transport.STREAMING, Transport.SHADOW)
levels = st.sampled_from([(1.0, 1.0, 2.0, 1.0), (1.0, 2.0, 2.0, 1.0), (0.0, 0.0, 2.0, 1.0)])


class LaneMachine(RuleBasedStateMachine):
    """What every channel has in common: decisions, connections, the wire, time."""

    driver: LaneDriver[Any]
    since_recovery = 0
    since_decision = 0

    @property
    def is_started(self) -> bool:
        return self.driver.lane.is_started

    def prepare(self, *, is_settled: bool) -> None:
        """Most runs begin with a lane that streams, for that is where most can go wrong."""
        if is_settled:
            self.start()
            self.driver.decide(Transport.STREAMING)
            self.driver.settle(is_busy=False, is_patient=True)

    def start(self) -> None:
        raise NotImplementedError

    @precondition(lambda self: self.since_decision > 4)
    @rule(transport=st.sampled_from(TRANSPORTS), is_kill=st.booleans(), lines=st.sampled_from([1, 1, 2]))
    def decide_otherwise(self, transport: Transport, is_kill: bool, lines: int) -> None:
        self.since_decision = 0
        if is_kill:
            self.driver.decide(Transport.POLLING, Reason.KILL)
        else:
            self.driver.decide(transport, lines=lines)

    @rule(
        span_ns=st.sampled_from(SPANS),
        may_probe=st.sampled_from([True, True, False]),
        is_synced=st.sampled_from([True, True, False]),
    )
    def pass_time(self, span_ns: int, may_probe: bool, is_synced: bool) -> None:
        self.driver.pass_time(span_ns, may_probe=may_probe, is_synced=is_synced)

    @rule(span_ns=st.sampled_from([NS_PER_S, 6 * NS_PER_S, 3_600 * NS_PER_S]))
    def our_loop_stands_still(self, span_ns: int) -> None:
        told = len(self.driver.announced)
        self.driver.stall(span_ns)
        assert self.driver.announced[told:] == []

    @rule(offset_s=st.sampled_from([-3_600, -3, 0, 3, 3_600]))
    def the_venue_sets_its_clock(self, offset_s: int) -> None:
        self.driver.step_clock(offset_s * NS_PER_S)

    @precondition(lambda self: self.driver.is_wanted and not self.driver.is_up)
    @rule(
        delay_ns=st.sampled_from([0, 900 * NS_PER_MS]),
        first=st.sampled_from(["something new", "a replay", "nothing"]),
        is_answered=st.booleans(),
    )
    def connect(self, delay_ns: int, first: str, is_answered: bool) -> None:
        self.driver.connect(delay_ns)
        if first == "something new":
            self.driver.something_new()
            self.driver.carry(Fate.ARRIVE)
        elif first == "a replay" and self.driver.past:
            self.driver.replay(self.driver.past[-1])
        if is_answered:
            self.driver.finish_questions()

    @precondition(lambda self: self.driver.is_up)
    @rule(how=st.sampled_from(["lost", "lost and back", "stray", "stray, forgiven", "unlisted", "forced open"]))
    def the_stream_ends(self, how: str) -> None:
        told: dict[str, steps.Input] = {"stray": steps.Stray(), "unlisted": steps.Unlisted(), "forced open": steps.ForceOpen()}
        if how in told:
            self.driver.tell(told[how])
            return
        if how == "stray, forgiven":
            self.driver.tell(steps.Stray())
            self.driver.tell(steps.Forgiven())
            return
        self.driver.disconnect()
        if how == "lost and back" and self.driver.is_wanted:
            self.connect(0, "something new", is_answered=False)

    @precondition(lambda self: self.is_started and self.driver.lane.state is not LaneState.CLOSED)
    @rule(fault=st.sampled_from(Fault), seconds=st.sampled_from([3, 12, 40]), is_busy=st.booleans())
    def some_seconds_pass(self, fault: Fault, seconds: int, is_busy: bool) -> None:
        self.driver.suffer(fault, seconds, is_busy=is_busy)

    @precondition(lambda self: self.driver.lane.wants_stream and self.driver.shown is LaneState.STREAMING)
    @rule(count=st.integers(1, 4), is_busy=st.booleans())
    def it_flaps(self, count: int, is_busy: bool) -> None:
        """Its stream trips whenever it has come home: it comes home ever later, and at most so often in an hour."""
        for _ in range(count):
            self.driver.tell(steps.Stray())
            self.driver.settle(is_busy=is_busy, is_patient=True)

    @precondition(lambda self: self.driver.wire)
    @rule(fate=fates)
    def the_wire_moves(self, fate: Fate) -> None:
        self.driver.carry(fate)

    @precondition(lambda self: self.driver.past)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        self.driver.replay(data.draw(st.sampled_from(self.driver.past[-8:])))

    @precondition(lambda self: self.driver.is_up)
    @rule(is_kill=st.booleans(), count=st.integers(1, 3))
    def frames_cross_a_decision(self, is_kill: bool, count: int) -> None:
        for _ in range(count):
            self.driver.something_new()
        self.driver.decide(Transport.POLLING, Reason.KILL if is_kill else Reason.PIN)
        self.driver.carry(Fate.ARRIVE)

    @precondition(lambda self: self.driver.lane.state in {LaneState.FALLBACK, LaneState.SHADOW})
    @rule()
    def revive(self) -> None:
        self.driver.revive()

    @rule()
    def forgive_what_was_not_tripped(self) -> None:
        if self.driver.breaker_shown is BreakerState.CLOSED:
            self.driver.tell(steps.Forgiven())

    @precondition(lambda self: self.since_recovery > 9 and self.is_started and self.driver.lane.state is not LaneState.CLOSED)
    @rule(transport=st.sampled_from(TRANSPORTS), is_busy=st.booleans(), is_patient=st.booleans(), stream_first=st.booleans())
    def recover(self, transport: Transport, is_busy: bool, is_patient: bool, stream_first: bool) -> None:
        """However it stands: once all is well, all that the venue has is delivered, by the transport that is decided."""
        self.since_recovery = 0
        self.driver.decide(transport)
        self.driver.settle(is_busy=is_busy, is_patient=is_patient, stream_first=stream_first)
        self.driver.stay_healthy(is_busy=is_busy, stream_first=stream_first)

    @precondition(lambda self: self.driver.lane.switches > 4)
    @rule()
    def close(self) -> None:
        self.driver.tell(steps.Close(Reason.UNSUBSCRIBED))

    @invariant()
    def tells_how_it_stands(self) -> None:
        self.since_recovery += 1
        self.since_decision += 1
        status = self.driver.lane.status
        assert status.state is self.driver.shown
        assert status.confirmed_ns <= self.driver.now


class IdMachine(LaneMachine):
    """Trades, or aggregates."""

    channel = "trades"
    most_trades = 1
    driver: IdDriver

    @initialize(
        known=st.integers(0, 2),
        first_id=st.sampled_from([0, 5]),
        seed=st.integers(0, 99),
        is_settled=st.sampled_from([1, 1, 0]),
        hold_ns=st.sampled_from([HOLD_NS, HOLD_NS, None]),
    )
    def subscribe(self, known: int, first_id: int, seed: int, is_settled: int, hold_ns: int | None) -> None:
        venue = IdVenue(next_id=first_id, trade_id=first_id - 1)
        for _ in range(known):
            venue.make()
        if known and self.most_trades > 1:
            venue.trade_id += 1_000
        self.asked: list[tuple[int, int]] = []
        self.driver = IdDriver(self.channel, venue, seed, hold_ns)
        self.prepare(is_settled=bool(is_settled))

    @override
    @precondition(lambda self: not self.is_started)
    @rule()
    def start(self) -> None:
        self.driver.start()

    @rule()
    def hold_or_let_go(self) -> None:
        self.driver.tell(steps.Hold(is_on=not self.driver.lane.is_held))

    @rule(data=st.data(), made=st.lists(fates, min_size=1, max_size=4))
    def venue_makes(self, data: st.DataObject, made: list[Fate]) -> None:
        for fate in made:
            self.driver.send(self.driver.venue.make(data.draw(st.integers(1, self.most_trades))))
            self.driver.carry(fate)

    @precondition(lambda self: self.driver.venue.made)
    @rule(ids=st.integers(1, 3))
    def venue_jumps(self, ids: int) -> None:
        self.driver.jump(ids)

    @precondition(lambda self: self.is_started)
    @rule(is_late=st.booleans())
    def poll(self, is_late: bool) -> None:
        made = len(self.driver.venue.made)
        if is_late:
            self.asked = [*self.asked[-3:], (made, self.driver.now)]
        else:
            self.driver.poll_answered(self.driver.venue.answer(made, self.driver.now // NS_PER_MS), self.driver.now)

    @precondition(lambda self: self.asked and self.is_started)
    @rule(data=st.data(), kind=st.sampled_from(["on time", "trailing", "without figures"]))
    def answer_poll(self, data: st.DataObject, kind: str) -> None:
        length, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        if kind == "trailing":
            length = data.draw(st.integers(0, length))
        answer = self.driver.venue.answer(length, asked_ns // NS_PER_MS)
        if kind == "without figures":
            answer = Answer("BTCUSDT", None, None)
        self.driver.poll_answered(answer, asked_ns)

    @precondition(lambda self: self.driver.questions)
    @rule(how=st.sampled_from(["well", "well", "behind", "never"]), data=st.data())
    def a_page(self, how: str, data: st.DataObject) -> None:
        """Comes back, comes from a replica behind, or fails."""
        question = data.draw(st.sampled_from(self.driver.questions))
        made = len(self.driver.venue.made)
        if how == "never":
            self.driver.fail(question)
        else:
            self.driver.answer(question, made if how == "well" else data.draw(st.integers(0, made)))


class AggregateMachine(IdMachine):
    """Aggregates: their own ids, several trades in one."""

    channel = "agg_trades"
    most_trades = 3


class TickMachine(LaneMachine):
    """Quotes and figures."""

    driver: TickDriver

    @initialize(seed=st.integers(0, 99), is_settled=st.sampled_from([1, 1, 0]))
    def subscribe(self, seed: int, is_settled: int) -> None:
        self.asked: list[tuple[Moment, int]] = []
        self.driver = TickDriver(seed)
        self.prepare(is_settled=bool(is_settled))

    @override
    def start(self) -> None:
        self.driver.poll(self.driver.venue.now, self.driver.now)

    @rule(new=levels, ids=st.integers(1, 3), fate=fates)
    def quote_changes(self, new: Levels, ids: int, fate: Fate) -> None:
        self.driver.change(new, ids)
        self.driver.carry(fate)

    @rule(what=st.sampled_from(["trade", "trade", "no trade for 24 h", "book"]), fate=fates)
    def all_but_the_quote_changes(self, what: str, fate: Fate) -> None:
        if what == "trade":
            self.driver.trade()
        elif what == "no trade for 24 h":
            self.driver.empty()
        else:
            self.driver.venue.deepen()
        self.driver.carry(fate)

    @rule(is_late=st.booleans())
    def poll(self, is_late: bool) -> None:
        if is_late:
            self.asked = [*self.asked[-3:], (self.driver.venue.now, self.driver.now)]
        else:
            self.driver.poll(self.driver.venue.now, self.driver.now)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), with_stats=st.booleans())
    def answer_poll(self, data: st.DataObject, with_stats: bool) -> None:
        moment, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        self.driver.poll(moment, asked_ns, with_stats=with_stats)

    @precondition(lambda self: self.driver.is_up)
    @rule(new=levels, how=st.sampled_from(["lost", "stray", "killed", "left"]))
    def a_poll_crosses_a_quote_and_the_end(self, new: Levels, how: str) -> None:
        """The poll was asked before the quote that the stream brought last."""
        moment, asked_ns = self.driver.venue.now, self.driver.now
        self.driver.pass_time(1)
        self.driver.change(new, 1)
        self.driver.carry(Fate.ARRIVE)
        if how in {"lost", "stray"}:
            self.the_stream_ends(how)
        else:
            self.driver.decide(Transport.POLLING, Reason.KILL if how == "killed" else Reason.PIN)
        self.driver.poll(moment, asked_ns)

    @precondition(lambda self: self.asked and self.driver.trade_known(self.asked[-1][1]) > 0)
    @rule(data=st.data())
    def answer_poll_from_a_replica_behind(self, data: st.DataObject) -> None:
        """Known by its newest trade, which is older than what was known when it was asked."""
        _, asked_ns = self.asked.pop()
        known = self.driver.trade_known(asked_ns)
        old = [moment for moment in self.driver.venue.moments if 0 <= moment.last_id < known]
        self.driver.poll(data.draw(st.sampled_from(old)), asked_ns)

    @precondition(lambda self: self.driver.question is not None)
    @rule(how=st.sampled_from(["at once", "at once", "later", "behind", "never"]), data=st.data())
    def the_anchor(self, how: str, data: st.DataObject) -> None:
        """Comes back, is under way, comes from a replica behind (known by its book id, which went back), or fails."""
        driver = self.driver
        known = [moment for moment in driver.venue.moments if moment.book_id < driver.streamed_book_id]
        if how == "never":
            driver.fail()
            return
        if driver.sent is None:
            driver.send_question()
        if how == "at once":
            driver.answer()
        elif how == "behind" and known:
            driver.answer(data.draw(st.sampled_from(known)))


TestTrades = IdMachine.TestCase
TestAggregates = AggregateMachine.TestCase
TestTicks = TickMachine.TestCase
