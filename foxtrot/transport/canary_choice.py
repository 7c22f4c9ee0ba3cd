"""Chooses whose quotes watch over the stream connections: the venue's busiest symbol, and another one when that is of no use."""

from collections.abc import Callable, Collection, Coroutine
from typing import Final

from foxtrot.transport.asking import Asking
from foxtrot.util.clock import Clock

AGAIN: Final = 10.0
"""Seconds after which an unanswered search is made again."""


class CanaryChoice:
    """The canary's symbol; "" while there is none.

    ``on_chosen`` hears each new symbol, "" for none; ``on_problem`` why one is watched no longer; ``spawn`` owns the search.
    """

    def __init__(
        self,
        asking: Asking,
        clock: Clock,
        spawn: Callable[[Coroutine[None, None, None], str], None],
        *,
        on_chosen: Callable[[str], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._asking = asking
        self._clock = clock
        self._spawn = spawn
        self._on_chosen = on_chosen
        self._on_problem = on_problem
        self._refused: set[str] = set()
        self._halted: Collection[str] = ()
        self._is_choosing = False
        self.symbol = ""

    def need(self) -> None:
        """There are streams to watch over."""
        if not self.symbol and not self._is_choosing:
            self._is_choosing = True
            self._spawn(self._choose(), "choosing the canary")

    def refused(self, symbol: str) -> None:
        """The venue does not know this symbol: it is not chosen again."""
        self._refused.add(symbol)
        self.leave(symbol, "the venue does not know it any more")

    def halted(self, symbols: Collection[str]) -> None:
        """The venue does not trade these now: their quotes show nothing."""
        self._halted = symbols
        if self.symbol in symbols:
            self.leave(self.symbol, "the venue does not trade it now")

    def leave(self, symbol: str, why: str) -> None:
        """If this is the canary, it is watched no longer, and one is chosen anew."""
        if symbol == self.symbol:
            self._on_problem(f"{symbol} watches over the stream connections no longer ({why}): one is chosen anew")
            self._set("")
            self.need()

    async def _choose(self) -> None:
        try:
            while not (symbol := await self._asking.busiest({*self._refused, *self._halted})):
                await self._clock.sleep(AGAIN)
        finally:
            self._is_choosing = False
        self._set(symbol)

    def _set(self, symbol: str) -> None:
        self.symbol = symbol
        self._on_chosen(symbol)
