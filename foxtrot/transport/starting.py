"""Gets the start answers of lanes: where an id channel stands, the first values of a tick.

They are asked before anything else of their symbol, all of one symbol's lanes in the same moment, so that nothing falls between a
subscription and its cursor.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from foxtrot.transport import steps
from foxtrot.transport.admission import Admission
from foxtrot.transport.base import Cursor, LaneKey, Rest, Stats
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.polling import chunks_of
from foxtrot.util.clock import Clock
from foxtrot.util.constants import Channel
from foxtrot.util.errors import FoxtrotError, UnknownSymbol

AGAIN: Final = 1.0
"""Seconds after which an unanswered start is asked again."""

DAY_MS: Final = 86_400_000
"""How far back the 24 h figures reach."""

_WITHOUT_CURSOR: Final = frozenset({Channel.TICK, Channel.BOOK})
"""Of these the newest value wins: they start with the first poll."""

_TOLD_BY_TICKER: Final = _WITHOUT_CURSOR | {Channel.TRADES}
"""What a ``ticker`` answers of, also where an id channel stands; the others ask for their newest id."""


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
        asked = [key for key in self._waiting if key.symbol in symbols]  # who comes while this is under way is asked for next
        try:
            await self._ask_for(asked, symbols)
        except UnknownSymbol as error:
            await self._bisect(symbols, error)
        except Exception as error:  # noqa: BLE001 -- whatever breaks is asked again, or no lane would ever start
            if isinstance(error, FoxtrotError):
                self._budget.refused(error, self._clock.now_ns())
            self._starter.poll_failed(f"{type(error).__name__}: {error}")

    async def _ask_for(self, keys: Sequence[LaneKey], symbols: Sequence[str]) -> None:
        asking = [key for key in keys if key.channel not in _TOLD_BY_TICKER]
        weight = self._rest.weight("ticker", count=len(symbols)) + sum(self._rest.weight("newest", key) for key in asking)
        await self._admission.admit(weight)
        asked_ns = self._clock.now_ns()
        answers, cursors = await asyncio.gather(
            self._rest.ticker(symbols), asyncio.gather(*(self._rest.newest(key, 0) for key in asking))
        )
        known = dict(zip(asking, cursors, strict=True))
        for key in keys:
            answer = answers.get(key.symbol)
            if answer is None or answer.stats is None or key not in self._waiting:
                continue  # missing from the answer: asked again; or wanted no longer
            if key.channel in _WITHOUT_CURSOR:
                self._start(key, steps.Polled(answer, asked_ns))
            elif key in known:
                self._start(key, steps.Start(_grounded(known[key], answer.stats)))
            else:
                self._start(key, steps.Start(await self._trades_cursor(key, answer.stats)))

    async def _trades_cursor(self, key: LaneKey, stats: Stats) -> Cursor:
        """The newest trade of the 24 h figures. A window without trades says nothing of those before it: they are asked for."""
        if stats.last_id >= 0:
            return Cursor(stats.last_id, stats.last_id)
        await self._admission.admit(self._rest.weight("newest", key))
        return await self._rest.newest(key, stats.close_ms - DAY_MS)

    def _start(self, key: LaneKey, given: steps.Start | steps.Polled) -> None:
        if key in self._waiting:
            del self._waiting[key]
            self._starter.started(key, given)

    async def _bisect(self, symbols: Sequence[str], error: UnknownSymbol) -> None:
        """One bad name must not keep its batch from starting (rule 10): ask halves until it stands alone."""
        if len(symbols) == 1:
            self._starter.refused(symbols[0], str(error))
            return
        half = len(symbols) // 2
        await self._ask(symbols[:half])
        await self._ask(symbols[half:])


def _grounded(cursor: Cursor, stats: Stats) -> Cursor:
    """Bars of REST name no trades: what was traded before the start is none that a stream owes."""
    is_nameless = cursor.id >= 0 and cursor.last_trade_id < 0
    return Cursor(cursor.id, stats.last_id) if is_nameless else cursor
