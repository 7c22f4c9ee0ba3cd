"""Asks the venue which of the watched symbols it does not trade just now."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from foxtrot.transport.base import Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import Clock
from foxtrot.util.errors import RequestError, UnknownSymbol, VenueError

PERIOD: Final = 30.0
"""Seconds between two looks."""

CHUNK: Final = 100
"""Symbols in one request: its address stays below 2,000 characters."""


class StatusWatch:
    """Keeps the set of halted symbols up to date. What cannot be asked stays as it was last known."""

    def __init__(
        self,
        rest: Rest,
        clock: Clock,
        budget: WeightBudget,
        symbols: Callable[[], Iterable[str]],
        on_halted: Callable[[frozenset[str]], None],
    ) -> None:
        self._rest: Final = rest
        self._clock: Final = clock
        self._budget: Final = budget
        self._symbols: Final = symbols
        self._on_halted: Final = on_halted
        self._halted: frozenset[str] = frozenset()

    async def run(self, has_subscriptions: asyncio.Event) -> None:
        """Looks at once when there is something to look at, then every 30 s; goes on until it is cancelled."""
        await has_subscriptions.wait()
        while True:
            await self.look()
            await self._clock.sleep(PERIOD)

    async def look(self) -> None:
        """Asks for every watched symbol once; ``on_halted`` is called when the set has changed."""
        symbols = list(dict.fromkeys(self._symbols()))
        halted = self._halted.intersection(symbols)  # of those wanted no longer nothing is known
        for at in range(0, len(symbols), CHUNK):
            halted = await self._ask(symbols[at : at + CHUNK], halted)
        if halted != self._halted:
            self._halted = halted
            self._on_halted(halted)

    async def _ask(self, symbols: Sequence[str], halted: frozenset[str]) -> frozenset[str]:
        """The halted symbols, with those of this chunk brought up to date."""
        weight = self._rest.weight("halted")
        while (wait := self._budget.wait(weight, self._clock.now_ns())) > 0:
            await self._clock.sleep(wait)
        self._budget.spend(weight, self._clock.now_ns())
        try:
            return (halted - set(symbols)) | await self._rest.halted(symbols)
        except UnknownSymbol:
            return await self._bisect(symbols, halted)
        except (VenueError, RequestError) as error:
            self._budget.refused(error, self._clock.now_ns())  # told by the beat, which meets the same venue each second
            return halted

    async def _bisect(self, symbols: Sequence[str], halted: frozenset[str]) -> frozenset[str]:
        """One bad name must not hide the status of the others (rule 10). An unlisted symbol is not halted: it is gone."""
        if len(symbols) == 1:
            return halted - set(symbols)
        half = len(symbols) // 2
        return await self._ask(symbols[half:], await self._ask(symbols[:half], halted))
