"""Requests beside the beat: who is let through, and when."""

import asyncio

import pytest

from foxtrot.transport.admission import FULL_PAGE, Admission, Urgency
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_S
from tests.support.virtual_clock import VirtualClock, settle


class Gate:
    """A budget of 6,000 a minute with nothing left, and the names of those who came through."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.budget = WeightBudget(6_000, self.clock.now_ns())
        self.admission = Admission(self.budget, self.clock)
        self.through: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def empty(self) -> None:
        """The burst is spent: 40 a second come back."""
        self.budget.spend(600, self.clock.now_ns())

    async def ask(self, name: str, weight: int, urgency: Urgency, missing: int = 0) -> None:
        """Somebody asks, and waits."""

        async def wait() -> None:
            await self.admission.admit(weight, urgency, missing)
            self.through.append(name)

        self.tasks.append(asyncio.create_task(wait()))
        await settle()


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_who_may_go_goes_at_once(gate: Gate) -> None:
    """And what it costs is booked."""
    await gate.ask("a", 600, Urgency.LATE)
    assert gate.through == ["a"]
    assert gate.budget.wait(1, gate.clock.now_ns()) > 0


async def test_the_most_pressing_goes_first(gate: Gate) -> None:
    """Of those who wait together, whatever the order in which they came."""
    gate.empty()
    for urgency in reversed(Urgency):
        await gate.ask(urgency.name, 40, urgency)
    assert gate.admission.waiting == 5
    await gate.clock.advance(5.1)
    assert gate.through == ["START", "JOIN", "HOLE", "PAGE", "LATE"]
    assert gate.admission.waiting == 0


async def test_equals_go_in_the_order_of_their_coming(gate: Gate) -> None:
    """First come, first served."""
    gate.empty()
    for name in "abc":
        await gate.ask(name, 25, Urgency.PAGE)
    await gate.clock.advance(3.0)
    assert gate.through == ["a", "b", "c"]


async def test_who_misses_more_goes_before(gate: Gate) -> None:
    """The busiest of the polled lanes first."""
    gate.empty()
    for missing in (1, FULL_PAGE // 2, 3 * FULL_PAGE):
        await gate.ask(str(missing), 25, Urgency.PAGE, missing)
    await gate.clock.advance(3.0)
    assert gate.through == ["3000", "500", "1"]


async def test_who_has_waited_long_goes_before_the_busiest(gate: Gate) -> None:
    """A full page that comes ten seconds later finds the quiet one before it."""
    gate.budget.silence(gate.clock.now_ns() + 20 * NS_PER_S)
    gate.empty()
    await gate.ask("quiet", 25, Urgency.PAGE, 1)
    await gate.clock.advance(9.1)
    await gate.ask("busy", 25, Urgency.PAGE, FULL_PAGE)
    await gate.clock.advance(20.0)
    assert gate.through == ["quiet", "busy"]


async def test_a_heavy_request_is_not_overtaken_for_ever(gate: Gate) -> None:
    """While it waits for its weight, light ones behind it wait too."""
    gate.empty()
    await gate.ask("heavy", 80, Urgency.HOLE)
    await gate.ask("light", 2, Urgency.HOLE)
    await gate.clock.advance(1.0)
    assert gate.through == []
    await gate.clock.advance(1.1)
    assert gate.through == ["heavy", "light"]


@pytest.mark.parametrize(
    ("page", "before", "anchor", "after", "through"),
    [
        pytest.param(
            80, 0.1, 5, 0.05, ["anchor"], id="it goes as soon as its own weight is there, though a page was there first"
        ),
        pytest.param(40, 0.5, 80, 0.6, [], id="the page, woken by the clock in the anchor's turn, does not push in"),
    ],
)
async def test_an_anchor_comes_before_a_page_that_waits(
    gate: Gate, page: int, before: float, anchor: int, after: float, through: list[str]
) -> None:
    """Whichever of them has its weight first; the page follows."""
    gate.empty()
    await gate.ask("page", page, Urgency.PAGE)
    await gate.clock.advance(before)
    await gate.ask("anchor", anchor, Urgency.JOIN)
    await gate.clock.advance(after)
    assert gate.through == through
    await gate.clock.advance(2.1)
    assert gate.through == ["anchor", "page"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_cancelled_claim_is_gone(gate: Gate, is_first: bool) -> None:
    """Nothing is booked for it, and whoever stood behind it moves up."""
    gate.empty()
    await gate.ask("first", 400, Urgency.HOLE)
    await gate.ask("second", 40, Urgency.HOLE)
    gate.tasks[0 if is_first else 1].cancel()
    await settle()
    assert gate.admission.waiting == 1
    await gate.clock.advance(1.1 if is_first else 10.1)
    assert gate.through == ["second" if is_first else "first"]


async def test_nothing_goes_while_the_venue_wants_silence(gate: Gate) -> None:
    """Whatever the urgency."""
    gate.budget.silence(gate.clock.now_ns() + 30 * NS_PER_S)
    for urgency in Urgency:
        await gate.ask(urgency.name, 1, urgency)
    await gate.clock.advance(29.9)
    assert gate.through == []
    await gate.clock.advance(0.2)
    assert len(gate.through) == len(Urgency)


async def test_silence_that_begins_while_somebody_waits_is_obeyed(gate: Gate) -> None:
    """Who was told to come back in a second looks again."""
    gate.empty()
    await gate.ask("a", 40, Urgency.START)
    gate.budget.silence(gate.clock.now_ns() + 5 * NS_PER_S)
    await gate.clock.advance(4.9)
    assert gate.through == []
    await gate.clock.advance(0.2)
    assert gate.through == ["a"]
