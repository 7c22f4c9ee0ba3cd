"""Admission: nobody starves, nobody is passed for longer than the patience of what passes, no minute holds too much."""

import asyncio

import hypothesis.strategies as st
from hypothesis import given, settings

from foxtrot.transport.admission import Admission, Urgency
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from tests.support.virtual_clock import VirtualClock, settle

asks = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(list(Urgency)), st.integers(0, 2_000), st.sampled_from([2, 4, 5, 25, 80])),
    min_size=1,
    max_size=60,
)


class Passage:
    """One who asked: when, how urgently, and when it came through (-1: not yet)."""

    def __init__(self, asked_ns: int, due_ns: int, weight: int) -> None:
        self.asked_ns = asked_ns
        self.due_ns = due_ns
        self.weight = weight
        self.went_ns = -1


async def played(asked: list[tuple[int, Urgency, int, int]]) -> list[Passage]:
    """Lets them all ask a budget of 1,000 a minute that is used up, and waits until all went."""
    clock = VirtualClock()
    budget = WeightBudget(1_000, clock.now_ns())
    budget.spend(100, clock.now_ns())
    admission, passages = Admission(budget, clock), []

    async def go(passage: Passage, urgency: Urgency, missing: int) -> None:
        await admission.admit(passage.weight, urgency, missing)
        passage.went_ns = clock.now_ns()

    tasks = []
    for pause_ms, urgency, missing, weight in asked:
        await clock.advance(pause_ms / 1_000)
        passage = Passage(clock.now_ns(), clock.now_ns() + urgency.patience_ns(missing), weight)
        passages.append(passage)
        tasks.append(asyncio.create_task(go(passage, urgency, missing)))
        await settle()
    await clock.advance(3_600)
    await asyncio.gather(*tasks)
    return passages


@settings(max_examples=60)
@given(asks)
def test_everybody_goes_and_nobody_is_passed_by_a_later_due(asked: list[tuple[int, Urgency, int, int]]) -> None:
    """Of two who wait at the same time, the one that is due first goes first."""
    passages = asyncio.run(played(asked))
    assert all(passage.went_ns >= 0 for passage in passages)
    for one in passages:
        for other in passages:
            if one.due_ns < other.due_ns and one.asked_ns < other.went_ns:
                assert one.went_ns <= other.went_ns
    longest_ns = Urgency.LATE.patience_ns()
    for one in passages:
        passed_by = [other for other in passages if other.went_ns < one.went_ns and other.asked_ns > one.asked_ns]
        assert all(other.asked_ns - one.asked_ns <= longest_ns for other in passed_by)


@settings(max_examples=60)
@given(asks)
def test_no_minute_holds_more_than_the_share(asked: list[tuple[int, Urgency, int, int]]) -> None:
    """Whoever asks, however urgently."""
    passages = asyncio.run(played(asked))
    for first in passages:
        within = [each for each in passages if first.went_ns <= each.went_ns < first.went_ns + 60 * NS_PER_S - NS_PER_MS]
        assert sum(each.weight for each in within) <= 500


@given(st.sampled_from(list(Urgency)), st.integers(-5, 5_000), st.integers(-5, 5_000))
def test_missing_more_is_never_less_pressing(urgency: Urgency, fewer: int, more: int) -> None:
    """And no page presses more than a hole of a serving stream."""
    fewer, more = sorted((fewer, more))
    assert urgency.patience_ns(more) <= urgency.patience_ns(fewer) <= urgency.patience_ns()
    assert Urgency.PAGE.patience_ns(more) >= Urgency.HOLE.patience_ns(more)
