"""A clock that stands until it is moved: hours pass in milliseconds, in the same order every time."""

import asyncio
import heapq
from collections.abc import Callable

from foxtrot.util.clock import NS_PER_S


class VirtualClock:
    """Fulfils ``Clock`` for tasks of one loop."""

    def __init__(self, now_ns: int = 1_000 * NS_PER_S) -> None:
        self._now = now_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def monotonic_ns(self) -> int:
        """The same as ``now_ns``."""
        return self._now

    def now_ns(self) -> int:
        """Where the clock stands."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Waits until the clock has been moved so far; 0 or less yields once."""
        if seconds <= 0:
            await turn()
            return
        self._count += 1
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(1, int(seconds * NS_PER_S)), self._count, waking))
        await waking

    def stall(self, seconds: float) -> None:
        """The loop is held up: time passes, and nobody is woken."""
        self._now += int(seconds * NS_PER_S)

    async def advance(self, seconds: float) -> None:
        """Moves on, waking every sleeper at its time, and lets all that follows from it happen."""
        end = self._now + int(seconds * NS_PER_S)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, waking = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not waking.done():
                waking.set_result(None)
                await settle()
        self._now = end

    async def advance_until(self, condition: Callable[[], object], most: float = 60.0) -> float:
        """Moves on by 50 ms at a time until the condition holds; returns how long it took. Fails after ``most`` seconds."""
        start = self._now
        await settle()
        while not condition():
            assert self._now - start < most * NS_PER_S, f"not within {most:g} s"
            await self.advance(0.05)
        return (self._now - start) / NS_PER_S


async def turn() -> None:
    """Lets every other task that is ready run once."""
    await asyncio.sleep(0)  # noqa: TID251 -- the one place that yields: no time passes


async def settle() -> None:
    """Lets all that is ready happen, with all that follows from it."""
    ready = getattr(asyncio.get_running_loop(), "_ready")  # noqa: B009 -- asyncio's own, which mypy does not know; it tells nobody else
    for _ in range(30):
        await turn()
        if not ready:
            return
