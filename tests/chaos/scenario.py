"""What a row of the table is, and how one repetition of it is performed."""

from collections.abc import Callable

import msgspec

from foxtrot.util.clock import Clock
from tests.chaos.measure import Outcome
from tests.chaos.stage import NotSeenError, Setup, Stage, staged

SLACK = 0.15
"""Seconds granted to the measurement itself: the control request, the event thread, two looks at the exchange."""

_BEYOND = 36


class Scenario(msgspec.Struct, frozen=True):
    """One row. ``key`` is the row of the catalogue (with a letter where one row has several parts).

    ``allowed``: seconds within which it must be detected, None where nothing is to be detected; ``measured`` says what is
    taken for the detection; ``stale``: seconds for which an old price may stand unmarked; ``clock``: another clock than ours.
    ``alone``: it needs no stage and is only given its seed. ``most``: repetitions, of one that takes minutes. ``absent``: why it
    cannot be run here. ``caveat``: what of the catalogue's row it does not show.
    """

    key: str
    title: str
    measured: str
    allowed: float | None
    play: Callable[[Stage], None] | None = None
    setup: Setup = Setup()
    stale: float = 0.0
    clock: Callable[[], Clock] | None = None
    alone: Callable[[int], Outcome] | None = None
    most: int = 1_000
    absent: str = ""
    caveat: str = ""

    @property
    def number(self) -> int:
        """The row of the catalogue."""
        digits = "".join(c for c in self.key if c.isdigit())
        return int(digits) if digits else _BEYOND

    def judge(self, outcome: Outcome) -> list[str]:
        """What is out of bounds in one repetition."""
        found = list(outcome.problems)
        if self.allowed is not None:
            late = [each for each in outcome.detected if each > self.allowed + SLACK]
            if late:
                found.append(f"detected after {max(late):.2f} s, allowed {self.allowed:g}")
            if not outcome.detected and not outcome.problems:
                found.append("nothing was detected")
        slow = [each for each in outcome.to_polled if each > 1.0 + SLACK]
        if slow:
            found.append(f"first polled value {max(slow):.2f} s after the fall, allowed 1")
        for count, what in ((outcome.lost, "ids lost"), (outcome.duplicates, "ids twice"), (outcome.false_trips, "false trips")):
            if count:
                found.append(f"{count} {what}")
        if outcome.unmarked > self.stale + SLACK:
            found.append(f"old price unmarked for {outcome.unmarked:.2f} s, allowed {self.stale:g}")
        return found


def perform(scenario: Scenario, seed: int) -> Outcome:
    """Plays one repetition on a stage of its own."""
    if scenario.alone is not None:
        return scenario.alone(seed)
    outcome = Outcome()
    try:
        with staged(scenario.setup, seed, scenario.clock() if scenario.clock else None) as stage:
            outcome = stage.outcome
            try:
                assert scenario.play is not None
                scenario.play(stage)
            except NotSeenError as error:
                stage.problem(str(error))
            stage.clear()
            stage.finish()
    except NotSeenError as error:
        outcome.problems.append(f"before the fault: {error}")
    return outcome
