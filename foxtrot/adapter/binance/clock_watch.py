"""Asks the venue for its time: at connect, after the first subscription, and every five minutes from then on."""

import asyncio
from collections.abc import Callable
from typing import Final

from foxtrot.adapter.binance.clock_offset import ClockOffset, Sample
from foxtrot.adapter.binance.rest_feed import BinanceRest
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_MS, Clock
from foxtrot.util.errors import RateLimited, RequestError, VenueError

SAMPLES: Final = 5
SETTLE: Final = 1.0
"""Seconds after the first subscription: by then a venue that begins to play a recording has begun."""

PERIOD: Final = 300.0


class ClockWatch:
    """Keeps a ClockOffset up to date. An estimate without an answer leaves it as it was."""

    def __init__(
        self,
        rest: BinanceRest,
        clock: Clock,
        budget: WeightBudget,
        offset: ClockOffset,
        on_problem: Callable[[str], None],
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._budget = budget
        self._offset = offset
        self._on_problem = on_problem

    async def measure(self, samples: int = SAMPLES) -> None:
        """Asks so many times, one after the other; the shortest round trip counts. Not at all while the weight is used up."""
        if self._budget.wait(samples, self._clock.now_ns()) > 0:
            return
        taken: list[Sample] = []
        for _ in range(samples):
            sent = self._clock.now_ns()
            self._budget.spend(self._rest.weight("server_time"), sent)
            try:
                venue_ms = await self._rest.server_time()
            except RateLimited as error:
                self._budget.refused(error, self._clock.now_ns())
                self._on_problem(str(error))  # the silence is everybody's
                break
            except (VenueError, RequestError):
                continue
            taken.append(Sample(sent, self._clock.now_ns(), venue_ms * NS_PER_MS))
        self._offset.learn(taken)

    async def run(self, has_subscriptions: asyncio.Event) -> None:
        """Goes on until it is cancelled."""
        await has_subscriptions.wait()
        await self._clock.sleep(SETTLE)
        await self._measure_when_allowed(SAMPLES)
        while True:
            await self._clock.sleep(PERIOD)
            await self._measure_when_allowed(1)

    async def _measure_when_allowed(self, samples: int) -> None:
        while (wait := self._budget.wait(samples, self._clock.now_ns())) > 0:
            await self._clock.sleep(wait)
        await self.measure(samples)
