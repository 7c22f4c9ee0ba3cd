"""Lets requests beside the beat through as the weight allows: first come, first served."""

import asyncio
from typing import Final

from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import Clock


class Admission:
    """The one gate of pages, anchors and start answers: whoever waits has its turn, however greedy those behind it are."""

    def __init__(self, budget: WeightBudget, clock: Clock) -> None:
        self._budget: Final = budget
        self._clock: Final = clock
        self._turn: Final = asyncio.Lock()

    async def admit(self, weight: int) -> None:
        """Returns once a request of this weight may be sent; it is booked then."""
        async with self._turn:
            while (wait := self._budget.wait(weight, self._clock.now_ns())) > 0:
                await self._clock.sleep(wait)
            self._budget.spend(weight, self._clock.now_ns())
