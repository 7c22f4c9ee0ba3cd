"""The lane's rules (design, section 5), above all the third, in every run of a lane of an order book."""

import hypothesis.strategies as st
from hypothesis.stateful import initialize, precondition, rule
from typing_extensions import override

from foxtrot.transport.values_book import AUDIT_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState
from tests.property.test_lane_laws import LaneMachine, fates
from tests.support.book_driver import BookDriver
from tests.support.fates import Fate


class BookMachine(LaneMachine):
    """Diffs lost, repeated, reordered; snapshots of replicas behind, of long ago, or none at all."""

    driver: BookDriver

    @initialize(seed=st.integers(0, 99), is_settled=st.sampled_from([1, 1, 0]))
    def subscribe(self, seed: int, is_settled: int) -> None:
        self.asked: list[tuple[int, int]] = []
        self.driver = BookDriver(seed)
        self.prepare(is_settled=bool(is_settled))

    @override
    def start(self) -> None:
        self.driver.poll(self.driver.venue.update_id, self.driver.now)
        self.driver.finish_questions()

    @rule(made=st.lists(st.tuples(st.integers(1, 3), fates), min_size=1, max_size=5))
    def venue_moves(self, made: list[tuple[int, Fate]]) -> None:
        for updates, fate in made:
            self.driver.change(updates)
            self.driver.carry(fate)

    @precondition(lambda self: self.driver.is_up)
    @rule(count=st.integers(2, 30))
    def frames_stream(self, count: int) -> None:
        for _ in range(count):
            self.driver.pass_time(NS_PER_S // 10)
            self.driver.something_new()
            self.driver.carry(Fate.ARRIVE)

    @rule(is_late=st.booleans())
    def poll(self, is_late: bool) -> None:
        if is_late:
            self.asked = [*self.asked[-3:], (self.driver.venue.update_id, self.driver.now)]
        else:
            self.driver.poll(self.driver.venue.update_id, self.driver.now)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def answer_poll(self, data: st.DataObject) -> None:
        update_id, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        self.driver.poll(update_id, asked_ns)

    @precondition(lambda self: self.driver.questions)
    @rule(how=st.sampled_from(["at once", "at once", "later", "behind", "never"]), data=st.data())
    def a_snapshot(self, how: str, data: st.DataObject) -> None:
        """Comes back, is under way, comes from a replica behind, or fails."""
        is_audit = data.draw(st.sampled_from(sorted(self.driver.questions)))
        if how == "never":
            self.driver.fail(is_audit=is_audit)
        elif how == "later":
            self.driver.send_question(is_audit=is_audit)
        elif how == "behind":
            behind = list(self.driver.venue.states)[-12:]
            self.driver.answer(is_audit=is_audit, update_id=data.draw(st.sampled_from(behind)))
        else:
            self.driver.answer(is_audit=is_audit)

    @precondition(lambda self: self.driver.shown is LaneState.STREAMING and not self.driver.wire)
    @rule(is_busy=st.booleans())
    def ten_minutes_pass(self, is_busy: bool) -> None:
        self.driver.finish_questions()
        self.driver.pass_time(AUDIT_NS)
        if is_busy:
            self.driver.something_new()
            self.driver.finish_questions()
            self.driver.carry(Fate.ARRIVE)
        self.driver.second(is_busy=is_busy, stream_first=True)


TestBooks = BookMachine.TestCase
