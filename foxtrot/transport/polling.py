"""The beat: every symbol is asked for once a second, in few requests, whether or not its stream serves.

Never retried: the next beat is the retry. Never late by drift: beats fall on multiples of the interval from the start, however
slow the answers are. Never over budget: a request that the budget does not admit now is left out, and said.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Final, Protocol

from foxtrot.transport import roll
from foxtrot.transport.base import Answer, Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.roll import CHUNK, FEW, ROTATION, Kind, Roll, plan
from foxtrot.util.clock import NS_PER_MS, NS_PER_S, Clock
from foxtrot.util.errors import FoxtrotError, UnknownSymbol

INTERVAL_NS: Final = 970 * NS_PER_MS
"""From beat to beat: just off the full second, or a stream that changes once a second would be looked at in one phase alone."""

SHARE_NS: Final = 250 * NS_PER_MS
"""Extra polls asked for within such a span share one."""

UNDER_WAY: Final = 3
"""Most beats whose requests of one kind are still unanswered: the next one is left out then."""

TELL_AGAIN_NS: Final = 60 * NS_PER_S
"""Between two complaints of polls that were left out for the same cause."""

chunks_of = roll.chunks_of

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears what the beat brought."""

    def polled(self, answers: Mapping[str, Answer], asked_ns: int) -> None:
        """Answers of one request, by symbol; the watched symbol's are among them."""
        ...

    def poll_failed(self, problem: str) -> None:
        """A request could not be answered, or not for every symbol."""
        ...

    def refused(self, symbol: str, problem: str) -> None:
        """The venue has not known this symbol for a minute; it is asked for no longer."""
        ...

    def unwatched(self, symbol: str) -> None:
        """The same of the watched symbol: another is to be watched."""
        ...


class Polling:
    """Asks in the background for the symbols it was given."""

    def __init__(self, rest: Rest, budget: WeightBudget, clock: Clock, listener: Listener) -> None:
        self._rest = rest
        self._budget = budget
        self._clock = clock
        self._listener = listener
        self._roll = Roll()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[Kind] = Counter()
        self._wanted_now: dict[str, None] = {}
        self._is_asking = False
        self._last_extra_ns = -SHARE_NS
        self._told_ns: dict[str, int] = {}
        self.beats = 0
        self.left_out = 0

    @property
    def rotation_ns(self) -> int:
        """How long it takes until the figures of every symbol have been asked for once."""
        count = len(self._roll.batched())
        return INTERVAL_NS if count <= FEW else -(-count // (CHUNK * ROTATION)) * INTERVAL_NS

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
        self._roll.symbols[symbol] = None
        self._reserve()

    def drop(self, symbol: str) -> None:
        """Leaves a symbol out from now on."""
        self._roll.drop(symbol)
        self._reserve()

    def watch(self, symbol: str) -> None:
        """Asks for one symbol more though nobody subscribed it, instead of the one before; "": for none."""
        self._roll.watch(symbol)
        self._reserve()

    def now(self, symbol: str) -> None:
        """Asks at once; symbols that fall within the same quarter of a second share one poll. One is under way at most."""
        self._wanted_now[symbol] = None
        if not self._is_asking:
            self._is_asking = True
            self._spawn(self._extra(), "extra poll")

    # --- rounds -------------------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        start = self._clock.now_ns()
        while True:
            try:
                self._ask_all()
            except Exception:  # noqa: BLE001 -- the beat never stops
                _log.exception("polling.beat_failed")
            self.beats = max(self.beats + 1, -(-(self._clock.now_ns() - start) // INTERVAL_NS))
            await self._clock.sleep((start + self.beats * INTERVAL_NS - self._clock.now_ns()) / NS_PER_S)

    def _ask_all(self) -> None:
        symbols = self._roll.batched()
        if len(symbols) > FEW and self._has_room(Kind.QUOTES):
            self._spawn(self._round(Kind.QUOTES, [self._ask_quotes(symbols)]), "poll quotes")
        lone = self._roll.lone(self._clock.now_ns())
        if (symbols or lone) and self._has_room(Kind.FIGURES):
            asked = [self._ask_chunk(chunk) for chunk in plan(symbols, self.beats)] + [self._ask_chunk([name]) for name in lone]
            self._spawn(self._round(Kind.FIGURES, asked), "poll figures")

    def _has_room(self, kind: Kind) -> bool:
        if self._under_way[kind] < UNDER_WAY:
            return True
        self._leave_out(f"polls of {kind.value} are left out: the last {UNDER_WAY} are not answered yet")
        return False

    async def _round(self, kind: Kind, asked: Sequence[Coroutine[None, None, None]]) -> None:
        self._under_way[kind] += 1
        try:
            await asyncio.gather(*asked)
        finally:
            self._under_way[kind] -= 1

    async def _extra(self) -> None:
        try:
            while self._wanted_now:
                await self._clock.sleep(max(0, self._last_extra_ns + SHARE_NS - self._clock.now_ns()) / NS_PER_S)
                symbols = [symbol for symbol in self._roll.batched() if symbol in self._wanted_now]
                self._wanted_now.clear()
                self._last_extra_ns = self._clock.now_ns()
                await self._ask_extra(symbols)
        finally:
            self._is_asking = False

    async def _ask_extra(self, symbols: Sequence[str]) -> None:
        if len(symbols) > FEW:
            await self._ask_quotes(self._roll.batched())
        else:
            await asyncio.gather(*(self._ask_chunk(chunk) for chunk in chunks_of(symbols)))

    # --- requests -----------------------------------------------------------------------------------------------------------

    async def _ask_quotes(self, symbols: Sequence[str]) -> None:
        if not self._may(self._rest.weight("book_ticker")):
            return
        asked = self._clock.now_ns()
        try:
            answers = await self._rest.book_ticker()
        except Exception as error:  # noqa: BLE001 -- whatever breaks, the next beat is the retry
            self._failed(error)
        else:
            self._listener.polled({symbol: answers[symbol] for symbol in symbols if symbol in answers}, asked)
            self._look_for_missing(Kind.QUOTES, symbols, answers)

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
            if len(symbols) > 1:
                self._look_for_missing(Kind.FIGURES, symbols, answers)
            elif symbols[0] in answers:
                self._roll.answered(symbols[0], self._clock.now_ns())

    def _look_for_missing(self, kind: Kind, symbols: Sequence[str], answers: Mapping[str, Answer]) -> None:
        for symbol in self._roll.batch_answered(kind, symbols, answers, self._clock.now_ns()):
            self._listener.poll_failed(f"{symbol} is missing from the venue's answer to a poll of many; it is asked for alone")

    async def _bisect(self, symbols: Sequence[str], error: UnknownSymbol) -> None:
        """One bad name must not blind its batch (rule 10): ask halves until it stands alone."""
        if len(symbols) == 1:
            self._refused(symbols[0], str(error))
            return
        half = len(symbols) // 2
        await self._ask_chunk(symbols[:half])
        await self._ask_chunk(symbols[half:])

    def _refused(self, symbol: str, problem: str) -> None:
        was_refused = self._roll.is_refused(symbol)
        if self._roll.refused(symbol, self._clock.now_ns()):
            is_wanted, is_watched = symbol in self._roll.symbols, symbol == self._roll.watched
            self._roll.give_up(symbol)
            if is_watched:
                self._listener.unwatched(symbol)
            if is_wanted:
                self._listener.refused(symbol, problem)
        elif not was_refused:
            self._listener.poll_failed(
                f"{symbol} is refused ({problem}); it is asked for alone, and given up after a minute of this"
            )
        self._reserve()

    def _may(self, weight: int) -> bool:
        now = self._clock.now_ns()
        if self._budget.wait(weight, now, is_beat=True) > 0:
            self._leave_out("polls are left out: the weight that the venue allows is used up, or it asked for silence")
            return False
        self._budget.spend(weight, now)
        return True

    def _leave_out(self, problem: str) -> None:
        """Counts a poll that is not sent; told once a minute, for others may be answered between two of them."""
        self.left_out += 1
        now = self._clock.now_ns()
        if now >= self._told_ns.get(problem, 0) + TELL_AGAIN_NS:
            self._told_ns[problem] = now
            self._listener.poll_failed(problem)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, FoxtrotError):
            self._budget.refused(error, self._clock.now_ns())
            self._listener.poll_failed(str(error))
        else:
            _log.error("polling.failed", exc_info=error)
            self._listener.poll_failed(f"{type(error).__name__}: {error}")

    def _reserve(self) -> None:
        symbols = self._roll.batched()
        quotes = self._rest.weight("book_ticker") if len(symbols) > FEW else 0
        self._budget.reserve = quotes + sum(self._rest.weight("ticker", count=len(chunk)) for chunk in plan(symbols, 0))

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
