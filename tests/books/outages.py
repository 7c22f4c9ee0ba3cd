"""What befalls a connection in the course of a day: cut, silent, REST down, all of it at once."""

import random
from collections import Counter
from typing import Final

from tests.books.world import World

KINDS: Final = ("cut", "refused", "stalled", "rest", "both")
LONGEST: Final = 300.0
MEAN: Final = 60.0


class Outages:
    """Fails the world's streams and its REST from ``begin`` on, one thing after the other, until ``end`` (seconds).

    cut: every connection is lost. refused: the same, and none can be made for a while. stalled: connections stand and are silent.
    rest: no request is answered. both: refused and rest at once.
    """

    def __init__(self, world: World, seed: int, every: float) -> None:
        self._world = world
        self._draw = random.Random(f"outages {seed}")
        self._every = every
        self.counts: Counter[str] = Counter()
        self.spans: list[tuple[float, float, str]] = []

    async def run(self, end: float) -> None:
        """Returns at ``end`` at the latest, with everything well again."""
        world = self._world
        while True:
            pause = self._draw.expovariate(1 / self._every)
            kind = self._draw.choice(KINDS)
            lasts = min(LONGEST, 1.0 + self._draw.expovariate(1 / MEAN))
            if world.now + pause + lasts > end:
                return
            await world.clock.sleep(pause)
            self.counts[kind] += 1
            self.spans.append((world.now, world.now + lasts, kind))
            self._set(kind, is_on=True)
            await world.clock.sleep(lasts)
            self._set(kind, is_on=False)

    def _set(self, kind: str, *, is_on: bool) -> None:
        lines = self._world.lines
        if kind == "stalled":
            lines.stall(is_on=is_on)
        if kind in {"rest", "both"}:
            self._world.client.is_down = is_on
        if kind in {"refused", "both"}:
            lines.is_down = is_on
        if is_on and kind in {"cut", "refused", "both"}:
            lines.cut()
