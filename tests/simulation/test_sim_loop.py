"""The loop that simulations run on: virtual time, seeded order, no waiting for ever."""

import asyncio
from collections.abc import Iterator

import pytest

from foxtrot.util.clock import NS_PER_S
from tests.simulation.sim_loop import Deadlock, SimClock, SimLoop


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    made = SimLoop(1)
    yield made
    made.close()


async def waiters(clock: SimClock, count: int) -> list[int]:
    """Tasks that all wake at the same instant, in the order in which they ran."""
    ran: list[int] = []

    async def one(number: int) -> None:
        await clock.sleep(1.0)
        ran.append(number)

    await asyncio.gather(*(one(number) for number in range(count)))
    return ran


def order_of(seed: int) -> list[int]:
    loop = SimLoop(seed)
    try:
        return loop.run_until_complete(waiters(SimClock(loop), 20))
    finally:
        loop.close()


def test_a_day_passes_at_once(loop: SimLoop) -> None:
    """Time is what timers say."""
    loop.run_until_complete(SimClock(loop).sleep(86_400.0))
    assert loop.now_ns == 86_400 * NS_PER_S


def test_the_same_seed_runs_in_the_same_order() -> None:
    """Twice the same schedule; it is none that tasks were made in."""
    assert order_of(7) == order_of(7)
    assert order_of(7) != list(range(20))


def test_another_seed_runs_in_another_order() -> None:
    """Otherwise seeds would explore nothing."""
    assert order_of(7) != order_of(8)


def test_waiting_for_nothing_is_told(loop: SimLoop) -> None:
    """A future that nobody will ever set ends the run instead of hanging it."""

    async def wait() -> None:
        await loop.create_future()

    task = loop.create_task(wait())
    with pytest.raises(Deadlock):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_timeouts_are_virtual(loop: SimLoop) -> None:
    """``asyncio.timeout`` fires at its virtual instant."""

    async def run() -> float:
        try:
            async with asyncio.timeout(5.0):
                await SimClock(loop).sleep(60.0)
        except TimeoutError:
            return loop.time()
        return 0.0

    assert loop.run_until_complete(run()) == pytest.approx(5.0)


def test_a_worker_thread_runs_inline(loop: SimLoop) -> None:
    """``to_thread`` starts no thread; its errors arrive as ever."""

    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 41 + 1)

    assert loop.run_until_complete(run()) == 42
