"""What truly happens at the venue: quotes and trades of every symbol, by a seeded process, with their whole past."""

import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from tests.simulation.sim_loop import EPOCH_NS, SimLoop

Levels = tuple[float, float, float, float]

RATES: Final = (4.0, 1 / 1200, 0.5, 0.05, 1.0, 0.2, 2.0, 0.1, 0.02, 1 / 1200)
"""Events a second of the first symbols, then over again: busy, slow, and quiet for twenty minutes on end."""

FIGURES_NS: Final = NS_PER_S
"""24 h figures are pushed once in so long at most."""

FIRST_ID: Final = 1_000
"""Of trades, aggregates and book updates alike."""

_SIZES: Final = (0.5, 1.0, 1.5, 2.0, 3.0)


class Moment(NamedTuple):
    """How a symbol stood from ``at_ns`` on. ``quote_id``: the book id at which its quote last changed."""

    at_ns: int
    quote_id: int
    book_id: int
    levels: Levels
    last_trade_id: int


class Happening(NamedTuple):
    """What has just changed: a new quote, or trades ``first_id`` to the moment's last, as one aggregate."""

    moment: Moment
    is_quote: bool
    first_id: int
    agg_id: int


class Instrument:
    """One symbol and all its past."""

    def __init__(self, symbol: str, rate: float, seed: object, now_ns: int) -> None:
        self.symbol = symbol
        self.rate = rate
        self._draw = random.Random(f"{symbol} {seed}")
        self._tick = 0.01 if rate < 1 else 0.1
        self.moments = [Moment(now_ns, FIRST_ID, FIRST_ID, (100.0, 1.0, 100.0 + self._tick, 1.0), FIRST_ID - 1)]
        self._times = [now_ns]
        self.trade_times: list[int] = []  # of trade FIRST_ID and on
        self.aggregates: list[tuple[int, int]] = []  # (its time, its last trade id), of aggregate FIRST_ID and on

    @property
    def now(self) -> Moment:
        """How it stands."""
        return self.moments[-1]

    def at(self, then_ns: int) -> Moment:
        """How it stood; before the beginning: as at the beginning."""
        return self.moments[self.index_at(then_ns)]

    def index_at(self, then_ns: int) -> int:
        """Where that stands among its moments."""
        return max(0, bisect_right(self._times, then_ns) - 1)

    def wait(self) -> float:
        """Seconds until the next event."""
        return self._draw.expovariate(self.rate)

    def go_on(self, now_ns: int) -> Happening:
        """The next event: mostly a quote; else a handful of trades, which make one aggregate."""
        last = self.now
        if self._draw.random() < 0.6:
            return self._new_quote(last, now_ns)
        first_id = last.last_trade_id + 1
        count = self._draw.choice((1, 1, 1, 2, 3))
        self.trade_times.extend([now_ns] * count)
        self.aggregates.append((now_ns, last.last_trade_id + count))
        moment = self._add(Moment(now_ns, last.quote_id, last.book_id + 1, last.levels, last.last_trade_id + count))
        return Happening(moment, is_quote=False, first_id=first_id, agg_id=FIRST_ID + len(self.aggregates) - 1)

    def _new_quote(self, last: Moment, now_ns: int) -> Happening:
        bid = round(last.levels[0] + self._tick * self._draw.choice((-1, 0, 0, 1)), 2)
        levels = (bid, self._draw.choice(_SIZES), round(bid + self._tick, 2), self._draw.choice(_SIZES))
        if levels == last.levels:
            levels = (bid, levels[1] + 0.1, levels[2], levels[3])
        book_id = last.book_id + self._draw.randint(1, 5)
        return Happening(
            self._add(Moment(now_ns, book_id, book_id, levels, last.last_trade_id)), is_quote=True, first_id=0, agg_id=0
        )

    def _add(self, moment: Moment) -> Moment:
        self.moments.append(moment)
        self._times.append(moment.at_ns)
        return moment

    def newest_aggregate(self, then_ns: int) -> tuple[int, int]:
        """(id, last trade id) of the last aggregate of a time; before the first of these, one of an older day."""
        count = bisect_right(self.aggregates, (then_ns, 1 << 62))
        return FIRST_ID + count - 1, self.aggregates[count - 1][1] if count else FIRST_ID - 1

    def trades_from(self, first: int, then_ns: int, most: int) -> range:
        """Trade ids as known at a time."""
        end = FIRST_ID + bisect_right(self.trade_times, then_ns)
        begin = max(first, FIRST_ID)
        return range(begin, max(begin, min(end, begin + most)))

    def aggregates_from(self, first: int, then_ns: int, most: int) -> list[tuple[int, int]]:
        """(id, last trade id) of aggregates as known at a time."""
        end = FIRST_ID + bisect_right(self.aggregates, (then_ns, 1 << 62))
        begin = max(first, FIRST_ID)
        return [(number, self.aggregates[number - FIRST_ID][1]) for number in range(begin, min(end, begin + most))]


class Market:
    """All symbols. ``publish(instrument, happening)`` hears of each event at its instant."""

    def __init__(self, loop: SimLoop, seed: object, symbols: Sequence[str], rates: Sequence[float] = RATES) -> None:
        self._loop = loop
        self.publish: Callable[[Instrument, Happening], None] = lambda _instrument, _happening: None
        now = EPOCH_NS + loop.now_ns
        self.instruments = {
            symbol: Instrument(symbol, rates[number % len(rates)], seed, now) for number, symbol in enumerate(symbols)
        }
        self.events = 0
        self.lifted: dict[str, float] = {}  # symbols that are busier than usual, and how many times

    def start(self) -> None:
        """Opens the market."""
        for instrument in self.instruments.values():
            self._wait(instrument)

    def lift(self, symbol: str, times: float) -> None:
        """Makes a symbol so many times as busy; 1: as ever."""
        self.lifted[symbol] = times
        if times > 1:
            self._loop.call_soon(self._burst, self.instruments[symbol])

    def _burst(self, instrument: Instrument) -> None:
        if (times := self.lifted.get(instrument.symbol, 1.0)) > 1:
            self.happen(instrument)
            self._loop.call_later(instrument.wait() / times, self._burst, instrument)

    def _wait(self, instrument: Instrument) -> None:
        self._loop.call_later(instrument.wait(), self._next, instrument)

    def _next(self, instrument: Instrument) -> None:
        self.happen(instrument)
        self._wait(instrument)

    def happen(self, instrument: Instrument) -> None:
        """Something happens in a symbol now."""
        self.events += 1
        self.publish(instrument, instrument.go_on(EPOCH_NS + self._loop.now_ns))


def milliseconds(at_ns: int) -> int:
    """As the venue writes an instant."""
    return at_ns // NS_PER_MS
