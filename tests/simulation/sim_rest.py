"""The simulated venue's REST side: true answers, late, old, missing or refused as the script says."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from foxtrot.transport.base import Answer, Cursor, Depth, Item, LaneKey, Quote, Stats
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Channel, Source
from foxtrot.util.errors import Banned, RateLimited, Unavailable, UnknownSymbol
from tests.simulation.impairment import Impairments
from tests.simulation.judge import Judge
from tests.simulation.market import Instrument, Market, Moment, milliseconds
from tests.simulation.sim_feed import FIGURES
from tests.simulation.sim_loop import EPOCH_NS, SimClock, SimLoop

PAGE: Final = 500
TIMEOUT: Final = {"ticker": 2.5, "book_ticker": 2.5, "busiest": 2.5, "halted": 10.0, "anchor": 1.5, "newest": 2.5, "page": 5.0}
_WEIGHTS: Final = {"book_ticker": 4, "anchor": 5, "busiest": 80, "halted": 20}
_IDS: Final = {f"{call}:{Channel.TRADES}": 25 for call in ("newest", "page")} | {
    f"{call}:{Channel.AGG_TRADES}": 4 for call in ("newest", "page")
}


class SimRest:
    """Fulfils ``Rest``. ``answered(symbols, asked_ns)`` hears of every quote that reached the client."""

    def __init__(self, loop: SimLoop, seed: object, market: Market, troubles: Impairments, judge: Judge) -> None:
        self._loop = loop
        self._clock = SimClock(loop)
        self._draw = random.Random(f"rest {seed}")
        self._market = market
        self._troubles = troubles
        self._judge = judge
        self.halted_symbols: set[str] = set()
        self.answered: Callable[[Sequence[str], int], None] = lambda _symbols, _asked_ns: None
        self.requests = 0

    @property
    def page_size(self) -> int:
        """Less than the venue's, so that paging shows."""
        return PAGE

    def weight(self, call: str, key: LaneKey | None = None, count: int = 1) -> int:
        """As at Binance."""
        if call == "ticker":
            return 2 if count <= 20 else 40 if count <= 100 else 80
        return _IDS[f"{call}:{key.channel}"] if key is not None else _WEIGHTS[call]

    async def ticker(self, symbols: Sequence[str]) -> Mapping[str, Answer]:
        """Quotes and 24 h figures; one stranger among the symbols refuses them all."""
        asked = self._clock.now_ns()
        then = await self._ask("ticker", self.weight("ticker", count=len(symbols)))
        if strangers := [symbol for symbol in symbols if symbol not in self._market.instruments]:
            raise UnknownSymbol(f"Invalid symbol: {strangers[0]}", code=-1121)
        present = [symbol for symbol in symbols if symbol not in self._troubles.rest.missing]
        self.answered(present, asked)
        now = self._clock.now_ns()
        found = {}
        for symbol in present:
            moment = self._market.instruments[symbol].at(then)
            stats = Stats(moment.last_trade_id, milliseconds(then), FIGURES, now)
            found[symbol] = Answer(symbol, _quote(moment, 0, now, asked), stats)
        return found

    async def book_ticker(self) -> Mapping[str, Answer]:
        """Quotes of all."""
        asked = self._clock.now_ns()
        then = await self._ask("book_ticker", 4)
        now = self._clock.now_ns()
        present = [symbol for symbol in self._market.instruments if symbol not in self._troubles.rest.missing]
        self.answered(present, asked)
        return {symbol: Answer(symbol, _quote(self._instrument(symbol).at(then), 0, now, asked), None) for symbol in present}

    async def anchor(self, symbol: str) -> Quote:
        """The quote with its book id."""
        asked = self._clock.now_ns()
        then = await self._ask("anchor", 5)
        moment = self._instrument(symbol).at(then)
        return _quote(moment, moment.book_id, self._clock.now_ns(), asked)

    async def newest(self, key: LaneKey, before_ms: int) -> Cursor:
        """The last aggregate; or the last trade before an instant."""
        then = await self._ask("newest", self.weight("newest", key))
        instrument = self._instrument(key.symbol)
        if key.channel == Channel.AGG_TRADES:
            return Cursor(*instrument.newest_aggregate(then))
        found = instrument.at(min(then, before_ms * NS_PER_MS)).last_trade_id
        return Cursor(found, found)

    async def page(self, key: LaneKey, first: int, source: Source) -> Sequence[Item]:
        """Items from an id on."""
        then = await self._ask("page", self.weight("page", key))
        instrument = self._instrument(key.symbol)
        if key.channel == Channel.AGG_TRADES:
            return [Item(number, last, number) for number, last in instrument.aggregates_from(first, then, PAGE)]
        return [Item(number, number, number) for number in instrument.trades_from(first, then, PAGE)]

    async def depth(self, symbol: str, limit: int) -> Depth:
        """The best level of each side."""
        asked = self._clock.now_ns()
        moment = self._instrument(symbol).at(await self._ask("depth", 5))
        bid, bid_size, ask, ask_size = moment.levels
        return Depth(moment.book_id, [(bid, bid_size)], [(ask, ask_size)], limit, asked, self._clock.now_ns())

    async def busiest(self, without: Collection[str] = ()) -> str:
        """The symbol that changes most."""
        await self._ask("busiest", 80)
        return max(
            (each for each in self._market.instruments.values() if each.symbol not in without),
            key=lambda instrument: instrument.rate,
        ).symbol

    async def halted(self, symbols: Sequence[str]) -> set[str]:
        """Those that do not trade."""
        await self._ask("halted", 20)
        return self.halted_symbols & set(symbols)

    def _instrument(self, symbol: str) -> Instrument:
        return self._market.instruments[symbol]

    async def _ask(self, call: str, weight: int) -> int:
        """One request; returns as of when it is answered."""
        self.requests += 1
        trouble = self._troubles.rest
        is_within = self._judge.spent(call, weight, self._loop.now_ns)
        there = 0.005 + 0.04 * self._draw.random()
        back = 0.005 + 0.04 * self._draw.random()
        taken = there + back + trouble.latency * (0.5 + self._draw.random())
        if trouble.is_down or taken > TIMEOUT[call]:
            await self._clock.sleep(TIMEOUT[call] if self._draw.random() < 0.5 else 0.02)
            raise Unavailable(f"{call}: no answer")
        await self._clock.sleep(taken - back)
        then = self._clock.now_ns() - trouble.trailing_ns
        if self._draw.random() < trouble.cached:
            then -= trouble.cached_ns
        fails = self._draw.random() < trouble.errors
        refusal, trouble.refuse_next = trouble.refuse_next, None
        await self._clock.sleep(back)
        if refusal is not None or not is_within:
            self._refuse(*(refusal or (429, 30.0)))
        if fails:
            raise Unavailable(f"{call}: HTTP 503")
        return max(then, EPOCH_NS)

    def _refuse(self, status: int, retry_after: float) -> None:
        self._judge.silenced(self._loop.now_ns, retry_after)
        kind = Banned if status == 418 else RateLimited
        raise kind(f"HTTP {status}", retry_after=retry_after)


def _quote(moment: Moment, update_id: int, received_ns: int, asked_ns: int) -> Quote:
    return Quote(update_id, *moment.levels, received_ns, asked_ns)
