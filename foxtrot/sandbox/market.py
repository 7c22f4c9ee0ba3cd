"""The market of all symbols, made by agents on its own clock."""

import heapq
import random
from functools import partial

from foxtrot.sandbox.agents import Agents
from foxtrot.sandbox.fanout import Fanout
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.listings import Listing
from foxtrot.sandbox.matching import Fill, MatchingEngine
from foxtrot.sandbox.publisher import Publisher
from foxtrot.sandbox.tape import CAPACITY, DAY_US, Tape

BEAT_US = 100_000
_HISTORY_STEPS = 9_360
_WARM_UP_US = 60_000_000
_MAX_STEPS = 50
"""Steps in one turn of the loop, some 2 ms: what piled up while the machine ran others is worked off in between."""


class Market:
    """Plays every symbol's agents in the order of market time; a beat every 100 ms closes what is sent by interval.

    The market is a function of the listings, the seed and the time since its start. ``speed_up`` multiplies how often agents act;
    ``keep`` is how many trades each symbol's tape holds.
    """

    def __init__(
        self,
        listings: list[Listing],
        seed: int,
        start_us: int,
        fanout: Fanout,
        speed_up: float = 1.0,
        *,
        has_past: bool = True,
        keep: int = CAPACITY,
    ) -> None:
        self.instruments: dict[str, Instrument] = {}
        self._publisher = Publisher(fanout, self.instruments)
        self._speed_up = speed_up
        self._keep = keep
        self._warm_up_us = int(_WARM_UP_US / max(1.0, speed_up)) if has_past else 0
        self._now_us = start_us
        self._agents: dict[str, Agents] = {}
        self._acted_us: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []
        self._next_beat_us = start_us // BEAT_US * BEAT_US + BEAT_US
        for number, listing in enumerate(listings):
            self._open(number, listing, seed)
        if has_past:
            self._live_through_a_day(start_us)
        self._open_for_trading(start_us)

    def play(self, until_us: int) -> bool:
        """Plays what is due until then, a bounded number of steps at most; False when more is due at once."""
        for _ in range(_MAX_STEPS):
            if min(self._due[0][0], self._next_beat_us) > until_us:
                self._now_us = until_us
                return True
            self._step()
        return False

    def due_us(self) -> int:
        """When something happens next."""
        return min(self._due[0][0], self._next_beat_us)

    @property
    def now_us(self) -> int:
        """The market's own time, up to which everything has happened."""
        return self._now_us

    def _step(self) -> None:
        due_us, symbol = self._due[0]
        if self._next_beat_us <= due_us:
            self._now_us = self._next_beat_us
            self._next_beat_us += BEAT_US
            self._publisher.beat(self._now_us)
            return
        self._now_us = due_us
        self._act(symbol)

    def _act(self, symbol: str) -> None:
        agents, instrument = self._agents[symbol], self.instruments[symbol]
        if not instrument.is_halted:
            agents.act((self._now_us - self._acted_us[symbol]) / 1e6 * self._speed_up)
            self._publisher.top(instrument)
        self._acted_us[symbol] = self._now_us
        heapq.heapreplace(self._due, (self._now_us + max(1, int(agents.pause() * 1e6 / self._speed_up)), symbol))

    def _open(self, number: int, listing: Listing, seed: int) -> None:
        book = LevelBook(update_id=1_000_000_000 + 100_000_000 * number)
        tape = Tape(next_trade_id=5_000_000 * (number + 1), next_agg_id=3_000_000 * (number + 1), capacity=self._keep)
        instrument = Instrument(listing, book, tape)
        engine = MatchingEngine(book)
        rng = random.Random(f"{seed}:{listing.symbol}")
        self.instruments[listing.symbol] = instrument
        self._agents[listing.symbol] = Agents(listing, engine, rng, partial(self._on_fills, instrument))

    def _on_fills(self, instrument: Instrument, fills: list[Fill]) -> None:
        """Books an order's fills; each run of one price is one aggregate."""
        tape, publisher = instrument.tape, self._publisher
        for at, fill in enumerate(fills):
            trade_id = tape.add(fill.price, fill.size, self._now_us, is_buyer_maker=fill.is_buyer_maker)
            publisher.trade(instrument, trade_id)
            if at + 1 == len(fills) or fills[at + 1].price != fill.price:
                publisher.agg_trade(instrument, tape.close_agg())

    def _live_through_a_day(self, start_us: int) -> None:
        """Gives every symbol a coarse past of 24 hours. Nobody listens yet."""
        steps = max(24, min(720, _HISTORY_STEPS // len(self.instruments)))
        gap_us = (DAY_US - self._warm_up_us) // steps
        for symbol, agents in self._agents.items():
            is_quiet = self.instruments[symbol].listing.orders_per_second < 1
            for number in range(steps):
                self._now_us = start_us - DAY_US + gap_us * (number + 1) - self._warm_up_us // 2
                agents.live_through(gap_us / 1e6, trades=(number % 4 == 0) if is_quiet else 2)

    def _open_for_trading(self, start_us: int) -> None:
        """Furnishes the books, and lets a minute of the past pass at full detail, if there is a past."""
        begin_us = start_us - self._warm_up_us
        for symbol, agents in self._agents.items():
            agents.furnish()
            self._acted_us[symbol] = begin_us
            self._due.append((begin_us + int(agents.pause() * 1e6), symbol))
        heapq.heapify(self._due)
        while self._warm_up_us and self._due[0][0] <= start_us:
            self._now_us = self._due[0][0]
            self._act(self._due[0][1])
        self._now_us = start_us
