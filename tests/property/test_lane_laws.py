"""The lane's rules (design, section 5), in every run of a lane against a venue that misbehaves."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Transport
from tests.support.lane_driver import IdDriver, LaneDriver, TickDriver
from tests.support.model_venue import IdVenue, Levels, Moment

SPANS = (1, NS_PER_MS, 60 * NS_PER_MS, 300 * NS_PER_MS, NS_PER_S, 3 * NS_PER_S, 11 * NS_PER_S, 400 * NS_PER_S)
TRANSPORTS = (Transport.POLLING, Transport.STREAMING)
levels = st.sampled_from([(1.0, 1.0, 2.0, 1.0), (1.0, 2.0, 2.0, 1.0), (0.0, 0.0, 2.0, 1.0)])


class LaneMachine(RuleBasedStateMachine):
    """What every channel has in common: decisions, connections, the wire, time."""

    driver: LaneDriver[Any]

    @property
    def is_started(self) -> bool:
        return self.driver.lane.is_started

    @rule(transport=st.sampled_from(TRANSPORTS), reason=st.sampled_from([Reason.PIN, Reason.KILL]))
    def decide(self, transport: Transport, reason: Reason) -> None:
        self.driver.decide(transport, Reason.PIN if transport is Transport.STREAMING else reason)

    @rule(span_ns=st.sampled_from(SPANS))
    def pass_time(self, span_ns: int) -> None:
        self.driver.pass_time(span_ns)

    @precondition(lambda self: self.driver.is_wanted and not self.driver.is_up)
    @rule()
    def connect(self) -> None:
        self.driver.connect()

    @precondition(lambda self: self.driver.is_wanted)
    @rule()
    def disconnect(self) -> None:
        self.driver.disconnect()

    @precondition(lambda self: self.driver.wire)
    @rule(count=st.integers(1, 4))
    def receive(self, count: int) -> None:
        for _ in range(min(count, len(self.driver.wire))):
            self.driver.receive_next()

    @precondition(lambda self: self.driver.wire)
    @rule()
    def lose_a_frame(self) -> None:
        self.driver.wire.pop(0)

    @precondition(lambda self: len(self.driver.wire) > 1)
    @rule()
    def reorder(self) -> None:
        self.driver.wire[:2] = reversed(self.driver.wire[:2])

    @precondition(lambda self: self.driver.past)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        self.driver.receive(data.draw(st.sampled_from(self.driver.past[-8:])))

    @rule()
    def stray(self) -> None:
        if self.driver.is_up:
            self.driver.tell(steps.Stray())

    @rule()
    def revive(self) -> None:
        self.driver.tell(steps.Revive())

    @rule(is_on=st.booleans())
    def hold(self, is_on: bool) -> None:
        self.driver.tell(steps.Hold(is_on))

    @precondition(lambda self: self.is_started and self.driver.lane.state is not LaneState.CLOSED)
    @rule(transport=st.sampled_from(TRANSPORTS), is_busy=st.booleans(), is_patient=st.booleans(), stream_first=st.booleans())
    def recover(self, transport: Transport, is_busy: bool, is_patient: bool, stream_first: bool) -> None:
        """Whatever has happened: once all is well, all that the venue has is delivered, by the transport that is decided."""
        self.driver.decide(transport)
        self.driver.settle(is_busy=is_busy, is_patient=is_patient)
        self.driver.stay_healthy(is_busy=is_busy, stream_first=stream_first)

    @rule()
    @precondition(lambda self: self.driver.lane.switches > 4)
    def close(self) -> None:
        self.driver.tell(steps.Close(Reason.UNSUBSCRIBED))

    @invariant()
    def counts_agree(self) -> None:
        status = self.driver.lane.status
        assert status.state is self.driver.shown
        assert status.confirmed_ns <= self.driver.now


class IdMachine(LaneMachine):
    """Trades, or aggregates."""

    channel = "trades"
    most_trades = 1
    driver: IdDriver

    @initialize(known=st.integers(0, 3), first_id=st.sampled_from([0, 1, 5]), seed=st.integers(0, 99))
    def subscribe(self, known: int, first_id: int, seed: int) -> None:
        venue = IdVenue(next_id=first_id, trade_id=first_id - 1)
        for _ in range(known):
            venue.make()
        self.asked: list[tuple[int, int]] = []
        self.driver = IdDriver(self.channel, venue, seed)

    @rule()
    def start(self) -> None:
        self.driver.start()

    @rule(data=st.data(), count=st.integers(1, 5))
    def venue_makes(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            self.driver.send(self.driver.venue.make(data.draw(st.integers(1, self.most_trades))))

    @precondition(lambda self: self.driver.venue.made)
    @rule(ids=st.integers(1, 3))
    def venue_jumps(self, ids: int) -> None:
        self.driver.venue.jump(ids)

    @rule()
    def ask_poll(self) -> None:
        self.asked = [*self.asked[-3:], (len(self.driver.venue.made), self.driver.now)]

    @precondition(lambda self: self.asked and self.is_started)
    @rule(data=st.data(), kind=st.sampled_from(["on time", "trailing", "without figures"]))
    def answer_poll(self, data: st.DataObject, kind: str) -> None:
        length, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        if kind == "trailing":
            length = data.draw(st.integers(0, length))
        answer = self.driver.venue.answer(length, asked_ns // NS_PER_MS)
        if kind == "without figures":
            answer = Answer("BTCUSDT", None, None)
        self.driver.tell(steps.Polled(answer, asked_ns))

    @precondition(lambda self: self.driver.question is not None)
    @rule(data=st.data())
    def answer_page(self, data: st.DataObject) -> None:
        made = len(self.driver.venue.made)
        self.driver.answer(length=data.draw(st.just(made) | st.integers(0, made)))

    @precondition(lambda self: self.driver.question is not None)
    @rule()
    def fail_page(self) -> None:
        self.driver.fail()


class AggregateMachine(IdMachine):
    """Aggregates: their own ids, several trades in one."""

    channel = "agg_trades"
    most_trades = 3

    @override
    @initialize(known=st.integers(0, 3), first_id=st.sampled_from([0, 1, 5]), seed=st.integers(0, 99))
    def subscribe(self, known: int, first_id: int, seed: int) -> None:
        super().subscribe(known, first_id, seed)
        self.driver.venue.trade_id += 1_000 if known else 0


class TickMachine(LaneMachine):
    """Quotes and figures."""

    driver: TickDriver

    @initialize(seed=st.integers(0, 99))
    def subscribe(self, seed: int) -> None:
        self.asked: list[tuple[Moment, int]] = []
        self.driver = TickDriver(seed)

    @rule(new=levels, ids=st.integers(1, 3))
    def quote_changes(self, new: Levels, ids: int) -> None:
        self.driver.change(new, ids)

    @rule()
    def book_changes(self) -> None:
        self.driver.venue.deepen()

    @rule()
    def trade(self) -> None:
        self.driver.trade()

    @rule()
    def ask_poll(self) -> None:
        self.asked = [*self.asked[-3:], (self.driver.venue.now, self.driver.now)]

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), with_stats=st.booleans())
    def answer_poll(self, data: st.DataObject, with_stats: bool) -> None:
        moment, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        self.driver.poll(moment, asked_ns, with_stats=with_stats)

    @precondition(lambda self: self.asked and self.driver.figures[0] >= 0)
    @rule(data=st.data())
    def answer_poll_from_a_replica_behind(self, data: st.DataObject) -> None:
        """Known by its newest trade, which went back."""
        known = self.driver.figures[0]
        moment = data.draw(st.sampled_from([moment for moment in self.driver.venue.moments if moment.last_id < known]))
        _, asked_ns = self.asked.pop()
        self.driver.poll(moment, asked_ns)

    @precondition(lambda self: self.driver.question is not None and self.driver.sent is None)
    @rule()
    def anchor_reaches_the_venue(self) -> None:
        self.driver.send_question()

    @precondition(lambda self: self.driver.sent is not None)
    @rule()
    def answer_anchor(self) -> None:
        self.driver.answer()

    @precondition(lambda self: self.driver.sent is not None and self.driver.streamed_book_id > 7)
    @rule(data=st.data())
    def answer_anchor_from_a_replica_behind(self, data: st.DataObject) -> None:
        """Known by its book id, which went back."""
        known = self.driver.streamed_book_id
        places = [at for at, moment in enumerate(self.driver.venue.moments) if moment.book_id < known]
        self.driver.answer(moment=data.draw(st.sampled_from(places)))

    @precondition(lambda self: self.driver.question is not None)
    @rule()
    def fail_anchor(self) -> None:
        self.driver.fail()


TestTrades = IdMachine.TestCase
TestAggregates = AggregateMachine.TestCase
TestTicks = TickMachine.TestCase
