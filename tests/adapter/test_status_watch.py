"""Which of the subscribed symbols the venue does not trade."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from foxtrot.adapter.binance.status_watch import CHUNK, PERIOD, StatusWatch
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import RateLimited, Unavailable
from tests.support.fake_transports import FakeRest
from tests.support.virtual_clock import VirtualClock, settle


class Scene:
    """A watch of the symbols that the venue lists, and the sets that it told."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rest = FakeRest(self.clock)
        self.budget = WeightBudget(6_000, self.clock.now_ns())
        self.symbols: list[str] = []
        self.told: list[frozenset[str]] = []
        self.watch = StatusWatch(self.rest, self.clock, self.budget, lambda: self.symbols, self.told.append)
        self.begins = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def run(self, *symbols: str) -> None:
        """The watch runs, and has looked once."""
        self.add(*symbols)
        self.begins.set()
        self.task = asyncio.create_task(self.watch.run(self.begins))
        await settle()

    def add(self, *symbols: str) -> None:
        """Subscribed, and listed."""
        self.symbols.extend(symbols)
        self.rest.trades.update(dict.fromkeys(symbols, 1))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_nothing_is_asked_before_there_is_a_subscription(scene: Scene) -> None:
    """Then at once."""
    scene.task = asyncio.create_task(scene.watch.run(scene.begins))
    await scene.clock.advance(100.0)
    assert scene.rest.asked == []
    scene.add("A")
    scene.begins.set()
    await settle()
    assert scene.rest.times("halted") == 1


async def test_a_halt_is_told_and_its_end_too(scene: Scene) -> None:
    """Within half a minute, once each."""
    await scene.run("A", "B")
    assert scene.told == []
    scene.rest.halts.add("B")
    await scene.clock.advance(3 * PERIOD)
    assert scene.told == [{"B"}]
    scene.rest.halts.clear()
    await scene.clock.advance(3 * PERIOD)
    assert scene.told == [{"B"}, frozenset()]


async def test_many_symbols_are_asked_in_chunks(scene: Scene) -> None:
    """A hundred a request; a symbol with two lanes is asked once."""
    scene.rest.halts.update({"S5", "S205"})
    names = [f"S{number}" for number in range(2 * CHUNK + 6)]
    scene.symbols.extend(names)
    await scene.run(*names)
    assert [len(asked) for call, asked, _ in scene.rest.asked if call == "halted"] == [100, 100, 6]
    assert scene.told == [{"S5", "S205"}]


async def test_no_subscription_any_more_asks_nothing(scene: Scene) -> None:
    """What was halted is not known to be so any longer."""
    scene.rest.halts.add("A")
    await scene.run("A")
    scene.symbols.clear()
    await scene.clock.advance(PERIOD)
    assert scene.rest.times("halted") == 1
    assert scene.told == [{"A"}, frozenset()]


async def test_one_unlisted_name_hides_no_status(scene: Scene) -> None:
    """It is gone, which is not the same as halted."""
    scene.rest.halts.update({"S2", "S30"})
    await scene.run(*(f"S{number}" for number in range(40)))
    del scene.rest.trades["S2"]
    await scene.clock.advance(PERIOD)
    assert scene.told == [{"S2", "S30"}, {"S30"}]


async def test_without_an_answer_the_last_status_stands(scene: Scene) -> None:
    """A venue in trouble has not taken up trading again."""
    scene.rest.halts.add("A")
    await scene.run("A")
    scene.rest.halts.clear()
    scene.rest.failing["halted"] = Unavailable("HTTP 503")
    await scene.clock.advance(PERIOD)
    assert scene.told == [{"A"}]
    scene.rest.failing.clear()
    await scene.clock.advance(PERIOD)
    assert scene.told == [{"A"}, frozenset()]


async def test_a_refusal_silences_all(scene: Scene) -> None:
    """And the watch itself obeys it."""
    scene.rest.failing["halted"] = RateLimited("429", retry_after=100.0)
    await scene.run("A")
    assert scene.budget.is_silenced(scene.clock.now_ns())
    scene.rest.failing.clear()
    await scene.clock.advance(99.0)
    assert scene.rest.times("halted") == 1
    await scene.clock.advance(2.0)
    assert scene.rest.times("halted") == 2


async def test_the_watch_keeps_to_the_budget(scene: Scene) -> None:
    """It waits for its weight, and books it."""
    scene.budget.spend(600, scene.clock.now_ns())
    await scene.run("A")
    assert scene.rest.times("halted") == 0
    await scene.clock.advance(0.6)
    assert scene.rest.times("halted") == 1
    assert scene.budget.wait(20, scene.clock.now_ns()) > 0.0
    assert scene.clock.now_ns() % NS_PER_S
