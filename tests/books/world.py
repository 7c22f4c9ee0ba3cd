"""Foxtrot's market data, whole but for its sockets, beside the exchange's market on one virtual clock."""

import logging
import random
from collections.abc import Coroutine, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from foxtrot.adapter.binance.binance_mappings import ExchangeInfoBody
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.rest_feed import BinanceRest
from foxtrot.sandbox.listings import Listing
from foxtrot.transport import flags, flags_text
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.constants import LaneState, Reason
from foxtrot.util.object import (
    AggTradeData,
    BackfillData,
    BarData,
    GapData,
    HealthData,
    OrderBookData,
    PublicTradeData,
    TickData,
    TransportData,
)
from tests.books.client import VenueClient
from tests.books.lines import Lines
from tests.books.venue import KEEP, Venue
from tests.simulation.sim_loop import EPOCH_NS, SimClock, SimLoop

STREAM_ALL: Final = 'schema = 1\n[defaults]\ntransport = "streaming"\n'


class World:
    """One run; fulfils ``Callbacks`` as an adapter does. Whoever judges it fills in ``on_bar`` and the like.

    ``problems``: what was logged as an error, which nothing here may cause.
    """

    adapter_name = "BINANCE"

    def __init__(
        self, listed: Sequence[Listing], seed: int, *, activity: float = 1.0, has_past: bool = True, keep: int = KEEP
    ) -> None:
        self.loop = SimLoop(seed)
        self.clock = SimClock(self.loop)
        self.venue = Venue(listed, seed, EPOCH_NS // 1_000, activity=activity, has_past=has_past, keep=keep)
        self.client = VenueClient(self.venue, self.clock, seed)
        self.lines = Lines(self.loop, self.venue, seed)
        self.budget = WeightBudget(6_000, self.clock.now_ns())
        self.contracts = ContractManager(self.adapter_name, lambda _contract: None)
        self.market = MarketData(self, self.contracts, BreakerBoard(), self.clock)
        self._chance = random.Random(f"market data {seed}").random
        self.problems: list[str] = []
        self.logged: list[str] = []
        self.moves: list[tuple[float, TransportData]] = []
        self.gaps: list[GapData] = []
        self.backfills: list[BackfillData] = []

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.loop.time()

    def run(self, script: Coroutine[None, None, None]) -> None:
        """Starts everything, lets the script happen, and closes."""
        errors = _Errors(self.problems)
        self.loop.set_exception_handler(lambda _loop, context: self.problems.append(f"the loop: {context}"))
        logging.getLogger("foxtrot").addHandler(errors)
        try:
            self.loop.run_until_complete(self._run(script))
        finally:
            logging.getLogger("foxtrot").removeHandler(errors)
            self.loop.close()

    async def _run(self, script: Coroutine[None, None, None]) -> None:
        body = self.venue.answer("exchangeInfo", {})
        self.contracts.take(self.contracts.build(msgspec.json.decode(body, type=ExchangeInfoBody, strict=False)))
        self.market.flags_changed(flags_text.parse(STREAM_ALL), flags.KillList())
        self._play()
        self.market.start(
            rest=BinanceRest(self.client, self.clock, self.adapter_name, self._spend),
            dialler=self.lines,
            stream_urls=("ws://venue",),
            budget=self.budget,
            chance=self._chance,
        )
        await script
        await self.market.close()

    def _play(self) -> None:
        """The market goes on, each thing at its time."""
        self.venue.play((EPOCH_NS + self.loop.now_ns) // 1_000)
        self.loop.at(self.venue.market.due_us() * 1_000 - EPOCH_NS, self._play)

    def _spend(self, weight: int) -> None:
        self.budget.spend(weight, self.clock.now_ns())

    # --- what Foxtrot tells -------------------------------------------------------------------------------------------------

    def on_tick(self, tick: TickData) -> None:
        """A tick."""

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """A trade."""

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """An aggregate trade."""

    def on_book(self, book: OrderBookData) -> None:
        """An order book."""

    def on_bar(self, bar: BarData) -> None:
        """A bar, closed or open."""

    def on_transport(self, transport: TransportData) -> None:
        """A lane changed."""
        self.moves.append((self.now, transport))

    def on_health(self, health: HealthData) -> None:
        """A symbol's health changed."""

    def on_gap(self, gap: GapData) -> None:
        """Ids that will not come live."""
        self.gaps.append(gap)

    def on_backfill(self, backfill: BackfillData) -> None:
        """Ids of an earlier gap."""
        self.backfills.append(backfill)

    def write_log(self, msg: str, level: int = logging.INFO) -> None:
        """Tells a person."""
        self.logged.append(f"{self.now:.3f} {logging.getLevelName(level)} {msg}")

    def falls(self) -> list[tuple[float, str, Reason]]:
        """Every move of a lane to FALLBACK."""
        return [(at, f"{move.symbol} {move.channel}", move.reason) for at, move in self.moves if move.new is LaneState.FALLBACK]


class _Errors(logging.Handler):
    """Whatever the program logs as an error is one."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._problems = problems

    @override
    def emit(self, record: logging.LogRecord) -> None:
        cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self._problems.append(record.getMessage() + cause)
