"""Gets the start answers of lanes: where an id channel stands, the first values of a tick.

They are asked before anything else of their symbol, all of one symbol's lanes in the same moment, so that nothing falls between a
subscription and its cursor.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from foxtrot.transport import steps
from foxtrot.transport.admission import Admission
from foxtrot.transport.base import Answer, Cursor, LaneKey, Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.polling import chunks_of
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Channel
from foxtrot.util.errors import RateLimited, RequestError, VenueError

AGAIN: Final = 1.0
"""Seconds after which an unanswered start is asked again."""


class Starter(Protocol):
    """Who hears the start answers."""

    def started(self, key: LaneKey, given: steps.Start | steps.Polled) -> None:
        """A lane can begin."""
        ...

    def poll_failed(self, problem: str) -> None:
        """No answer; it is asked again."""
        ...

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know this symbol."""
        ...


class Starting:
    """Collects lanes that begin in the same moment and asks for them together."""

    def __init__(self, rest: Rest, budget: WeightBudget, admission: Admission, clock: Clock, starter: Starter) -> None:
        self._rest = rest
        self._budget = budget
        self._admission = admission
        self._clock = clock
        self._starter = starter
        self._waiting: dict[LaneKey, None] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, key: LaneKey) -> None:
        """A lane waits for its start answer."""
        self._waiting[key] = None
        self._wake.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="starting lanes")

    def drop(self, key: LaneKey) -> None:
        """A lane waits no longer."""
        self._waiting.pop(key, None)

    async def close(self) -> None:
        """Stops, and awaits what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._clock.sleep(0)  # whoever subscribes in the same moment comes along
            symbols = list(dict.fromkeys(key.symbol for key in self._waiting))
            for chunk in chunks_of(symbols):
                await self._ask(chunk)
            if self._waiting and not self._wake.is_set():
                await self._clock.sleep(AGAIN)
                self._wake.set()

    async def _ask(self, symbols: Sequence[str]) -> None:
        aggregates = [key for key in self._waiting if key.symbol in symbols and key.channel == Channel.AGG_TRADES]
        weight = self._rest.weight("ticker", count=len(symbols)) + sum(self._rest.weight("newest", key) for key in aggregates)
        await self._admission.admit(weight)
        asked = self._clock.now_ns()
        try:
            answers, cursors = await asyncio.gather(
                self._rest.ticker(symbols), asyncio.gather(*(self._rest.newest(key) for key in aggregates))
            )
        except VenueError as error:
            if isinstance(error, RateLimited):
                self._budget.silence(self._clock.now_ns() + int(error.retry_after * NS_PER_S))
            self._starter.poll_failed(str(error))
        except RequestError as error:
            await self._bisect(symbols, error)
        except Exception as error:  # noqa: BLE001 -- whatever breaks is asked again, or no lane would ever start
            self._starter.poll_failed(f"{type(error).__name__}: {error}")
        else:
            self._tell(symbols, answers, dict(zip(aggregates, cursors, strict=True)), asked)

    async def _bisect(self, symbols: Sequence[str], error: RequestError) -> None:
        if len(symbols) == 1:
            self._starter.refused(symbols[0], str(error))
            return
        half = len(symbols) // 2
        await self._ask(symbols[:half])
        await self._ask(symbols[half:])

    def _tell(
        self, symbols: Sequence[str], answers: Mapping[str, Answer], cursors: Mapping[LaneKey, Cursor], asked_ns: int
    ) -> None:
        for key in [key for key in self._waiting if key.symbol in symbols]:
            answer = answers.get(key.symbol)
            if answer is None or answer.stats is None:
                continue  # missing from the answer: asked again
            if key.channel == Channel.TICK:
                given: steps.Start | steps.Polled = steps.Polled(answer, asked_ns)
            elif key in cursors:
                given = steps.Start(cursors[key])
            else:
                given = steps.Start(Cursor(answer.stats.last_id, answer.stats.last_id))
            del self._waiting[key]
            self._starter.started(key, given)
