"""The lane's rules (design, section 5), above all the second, in every run of a lane of bars."""

import hypothesis.strategies as st
from hypothesis.stateful import initialize, precondition, rule
from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from tests.property.test_lane_laws import LaneMachine, fates
from tests.support.bar_driver import TRAIL_NS, BarDriver
from tests.support.fates import Fate


class BarMachine(LaneMachine):
    """Frames lost, repeated, reordered; closes that the stream never sends; pages of replicas that have not closed a bar yet."""

    driver: BarDriver

    @initialize(seed=st.integers(0, 99), is_settled=st.sampled_from([1, 1, 0]), sends_closes=st.sampled_from([True, True, False]))
    def subscribe(self, seed: int, is_settled: int, sends_closes: bool) -> None:
        self.asked: list[tuple[int, int]] = []
        self.driver = BarDriver(seed, sends_closes=sends_closes)
        self.prepare(is_settled=bool(is_settled))

    @override
    @precondition(lambda self: not self.is_started)
    @rule()
    def start(self) -> None:
        self.driver.start()

    @override
    @rule(offset_s=st.sampled_from([-3, 0, 3]))
    def the_venue_sets_its_clock(self, offset_s: int) -> None:
        self.driver.step_clock(offset_s * NS_PER_S)

    @rule()
    def hold_or_let_go(self) -> None:
        self.driver.tell(steps.Hold(is_on=not self.driver.lane.is_held))

    @rule(made=st.lists(fates, min_size=1, max_size=4))
    def venue_trades(self, made: list[Fate]) -> None:
        for fate in made:
            self.driver.something_new()
            self.driver.carry(fate)

    @precondition(lambda self: self.driver.is_up)
    @rule(seconds=st.integers(1, 12), is_busy=st.booleans(), fate=fates)
    def bars_pass(self, seconds: int, is_busy: bool, fate: Fate) -> None:
        for _ in range(seconds):
            self.driver.pass_time(NS_PER_S)
            if is_busy:
                self.driver.something_new()
            self.driver.carry(fate)

    @precondition(lambda self: self.is_started)
    @rule(is_late=st.booleans())
    def poll(self, is_late: bool) -> None:
        if is_late:
            self.asked = [*self.asked[-3:], (self.driver.venue.now_ms, self.driver.now)]
        else:
            self.driver.poll(self.driver.venue.now_ms, self.driver.now)

    @precondition(lambda self: self.asked and self.is_started)
    @rule(data=st.data(), behind_ms=st.sampled_from([0, 0, 900]))
    def answer_poll(self, data: st.DataObject, behind_ms: int) -> None:
        at_ms, asked_ns = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        self.driver.poll(at_ms - behind_ms, asked_ns)

    @precondition(lambda self: self.driver.questions)
    @rule(
        how=st.sampled_from(["well", "well", "behind", "never"]), behind_ns=st.sampled_from([NS_PER_MS, TRAIL_NS // 2, TRAIL_NS])
    )
    def a_page(self, how: str, behind_ns: int) -> None:
        """Comes back, comes from a replica behind, or fails."""
        question = self.driver.questions[0]
        if how == "never":
            self.driver.fail(question)
        else:
            self.driver.answer(question, behind_ns if how == "behind" else 0)


TestBars = BarMachine.TestCase
