"""The beat: every symbol is asked for once a second, in few requests, whether or not its stream serves.

Never retried: the next beat is the retry. Never late by drift: beats fall on multiples of the interval from the start. Never over
budget: a request that the budget does not admit now is left out, and said.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Final, Protocol

from foxtrot.transport.base import Answer, Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_MS, NS_PER_S, Clock
from foxtrot.util.errors import FoxtrotError, UnknownSymbol

INTERVAL_NS: Final = NS_PER_S
CHUNK: Final = 20
"""Symbols in one ``ticker`` request: the most that cost the least (weight 2)."""

FEW: Final = 40
"""Up to so many symbols each beat asks quotes and figures of all; above, quotes of all and the figures in rotation."""

ROTATION: Final = 2
"""Chunks of figures in one beat of many symbols."""

SHARE_NS: Final = 250 * NS_PER_MS
"""Extra polls asked for within such a span share one."""


_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears what the beat brought."""

    def polled(self, answers: Mapping[str, Answer], asked_ns: int) -> None:
        """Answers of one request, by symbol."""
        ...

    def poll_failed(self, problem: str) -> None:
        """A request could not be answered."""
        ...

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know this symbol; it is asked for no longer."""
        ...


def chunks_of(symbols: Sequence[str]) -> list[Sequence[str]]:
    """Symbols in groups that one ``ticker`` request carries."""
    return [symbols[at : at + CHUNK] for at in range(0, len(symbols), CHUNK)]


def plan(symbols: Sequence[str], beat: int) -> list[Sequence[str]]:
    """The ``ticker`` chunks of a beat. With many symbols the quotes come by one ``book_ticker`` beside them."""
    chunks = chunks_of(symbols)
    if len(symbols) <= FEW:
        return chunks
    first = beat * ROTATION % len(chunks)
    return [chunks[(first + k) % len(chunks)] for k in range(ROTATION)]


class Polling:
    """Asks in the background for the symbols it was given."""

    def __init__(self, rest: Rest, budget: WeightBudget, clock: Clock, listener: Listener) -> None:
        self._rest = rest
        self._budget = budget
        self._clock = clock
        self._listener = listener
        self._symbols: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted_now: dict[str, None] = {}
        self._last_extra_ns = -SHARE_NS
        self.beats = 0
        self.left_out = 0

    @property
    def rotation_ns(self) -> int:
        """How long it takes until the figures of every symbol have been asked for once."""
        if len(self._symbols) <= FEW:
            return INTERVAL_NS
        return -(-len(self._symbols) // (CHUNK * ROTATION)) * INTERVAL_NS

    def start(self) -> None:
        """Begins to beat."""
        self._spawn(self._beat(), "beat")

    async def close(self) -> None:
        """Stops, and awaits what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def add(self, symbol: str) -> None:
        """Takes a symbol into the beat."""
        self._symbols[symbol] = None
        self._reserve()

    def drop(self, symbol: str) -> None:
        """Leaves a symbol out from now on."""
        self._symbols.pop(symbol, None)
        self._reserve()

    def now(self, symbol: str) -> None:
        """Asks at once; symbols that fall within the same quarter of a second share one request."""
        is_first = not self._wanted_now
        self._wanted_now[symbol] = None
        if is_first:
            self._spawn(self._extra(), "extra poll")

    async def _extra(self) -> None:
        wait = max(0, self._last_extra_ns + SHARE_NS - self._clock.now_ns()) / NS_PER_S
        await self._clock.sleep(wait)
        symbols = [symbol for symbol in self._wanted_now if symbol in self._symbols]
        self._wanted_now.clear()
        self._last_extra_ns = self._clock.now_ns()
        self._ask_all(symbols, 0)

    async def _beat(self) -> None:
        start = self._clock.now_ns()
        while True:
            self._ask_all(list(self._symbols), self.beats)
            self.beats = max(self.beats + 1, -(-(self._clock.now_ns() - start) // INTERVAL_NS))
            await self._clock.sleep((start + self.beats * INTERVAL_NS - self._clock.now_ns()) / NS_PER_S)

    def _ask_all(self, symbols: Sequence[str], beat: int) -> None:
        if len(symbols) > FEW:
            self._spawn(self._ask_quotes(), "poll book_ticker")
        for chunk in plan(symbols, beat):
            self._spawn(self._ask_chunk(chunk), "poll ticker")

    async def _ask_quotes(self) -> None:
        if not self._may(self._rest.weight("book_ticker")):
            return
        asked = self._clock.now_ns()
        try:
            answers = await self._rest.book_ticker()
        except Exception as error:  # noqa: BLE001 -- whatever breaks, the next beat is the retry
            self._failed(error)
        else:
            self._listener.polled({symbol: answers[symbol] for symbol in self._symbols if symbol in answers}, asked)

    async def _ask_chunk(self, symbols: Sequence[str]) -> None:
        if not self._may(self._rest.weight("ticker", count=len(symbols))):
            return
        asked = self._clock.now_ns()
        try:
            answers = await self._rest.ticker(symbols)
        except UnknownSymbol as error:
            await self._bisect(symbols, error)
        except Exception as error:  # noqa: BLE001 -- whatever breaks, the next beat is the retry
            self._failed(error)
        else:
            self._listener.polled(answers, asked)

    async def _bisect(self, symbols: Sequence[str], error: UnknownSymbol) -> None:
        """One bad name must not blind its batch (rule 10): ask halves until it stands alone."""
        if len(symbols) == 1:
            self.drop(symbols[0])
            self._listener.refused(symbols[0], str(error))
            return
        half = len(symbols) // 2
        await self._ask_chunk(symbols[:half])
        await self._ask_chunk(symbols[half:])

    def _may(self, weight: int) -> bool:
        now = self._clock.now_ns()
        if self._budget.wait(weight, now, is_beat=True) > 0:
            self.left_out += 1
            self._listener.poll_failed("polls are left out: the weight that the venue allows is used up, or it asked for silence")
            return False
        self._budget.spend(weight, now)
        return True

    def _failed(self, error: Exception) -> None:
        if isinstance(error, FoxtrotError):
            self._budget.refused(error, self._clock.now_ns())
            self._listener.poll_failed(str(error))
        else:
            _log.error("polling.failed", exc_info=error)
            self._listener.poll_failed(f"{type(error).__name__}: {error}")

    def _reserve(self) -> None:
        chunks = plan(list(self._symbols), 0)
        quotes = self._rest.weight("book_ticker") if len(self._symbols) > FEW else 0
        self._budget.reserve = quotes + sum(self._rest.weight("ticker", count=len(chunk)) for chunk in chunks)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
