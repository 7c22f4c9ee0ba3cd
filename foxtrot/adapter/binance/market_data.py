"""Turns subscriptions into lanes, and what the lanes deliver into the adapter's callbacks. All of it runs on the loop."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.stream_feed import BinanceStreams, QuoteSink
from foxtrot.adapter.binance.tick_composer import TickComposer
from foxtrot.transport import flags, steps
from foxtrot.transport.base import Dialler, Item, LaneKey, LaneStatus, Quote, Rest, Stats
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.transport.breaker_memory import Memory
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.health import Finding
from foxtrot.transport.hub import Hub
from foxtrot.transport.lane_record import HOLD_NS
from foxtrot.util.clock import Clock
from foxtrot.util.constants import BreakerState, Channel, Health, LaneState, Reason, Serving, Source
from foxtrot.util.object import AggTradeData, BackfillData, GapData, HealthData, PublicTradeData, TickData, TransportData

SERVED: Final = (Channel.TICK, Channel.TRADES, Channel.AGG_TRADES)
"""The channels that this adapter serves today."""


class Callbacks(Protocol):
    """What of the adapter is called."""

    @property
    def adapter_name(self) -> str:
        """Who speaks."""
        ...

    def on_tick(self, tick: TickData) -> None:
        """A tick."""
        ...

    def on_public_trade(self, trade: PublicTradeData) -> None:
        """A trade."""
        ...

    def on_agg_trade(self, trade: AggTradeData) -> None:
        """An aggregate trade."""
        ...

    def on_transport(self, transport: TransportData) -> None:
        """A lane changed."""
        ...

    def on_health(self, health: HealthData) -> None:
        """A symbol's health changed."""
        ...

    def on_gap(self, gap: GapData) -> None:
        """Ids that will not come."""
        ...

    def on_backfill(self, backfill: BackfillData) -> None:
        """Ids of an earlier gap."""
        ...

    def write_log(self, msg: str, level: int = ...) -> None:
        """Tells a person."""
        ...


class MarketData:
    """Subscriptions, lanes, and what comes of them."""

    def __init__(
        self,
        callbacks: Callbacks,
        contracts: ContractManager,
        board: BreakerBoard,
        clock: Clock,
    ) -> None:
        self._callbacks = callbacks
        self._contracts = contracts
        self._board = board
        self._clock = clock
        self._composers: dict[str, TickComposer] = {}
        self._health: dict[str, Health] = {}
        self._flags = flags.EMPTY
        self._kill = flags.KillList()
        self._halted: frozenset[str] = frozenset()
        self._wanted: dict[LaneKey, int | None] = {}  # with how long frames wait behind a hole
        self._hub: Hub | None = None
        self._is_held = False
        self.has_lanes: Final = asyncio.Event()

    # --- its life -----------------------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        rest: Rest,
        dialler: Dialler,
        stream_urls: tuple[str, ...],
        budget: WeightBudget,
        offset: Callable[[], int | None] = lambda: 0,
        memory: Memory | None = None,
    ) -> None:
        """The connection stands: lanes of what was subscribed before are opened now.

        ``offset`` gives the venue's clock minus ours in nanoseconds, None while that is not known.
        """
        self._hub = Hub(
            rest=rest,
            feed=BinanceStreams(stream_urls, self._callbacks, self._quote_sink),
            dialler=dialler,
            outlet=self,
            watcher=self,
            decide=self._decide,
            budget=budget,
            clock=self._clock,
            chance=random.Random().random,  # noqa: S311 -- jitter is no secret
            offset=offset,
            memory=memory,
        )
        self._hub.halted(self._halted)
        self._hub.hold(self._is_held)
        self._hub.start()
        self._open(list(self._wanted))

    async def close(self) -> None:
        """Closes every lane."""
        if self._hub is not None:
            await self._hub.close()
        self.end_all()

    def end_all(self) -> None:
        """Ends what is still wanted; before the loop runs, from any thread."""
        for key in list(self._wanted):
            self._end(key, Reason.CLOSING)

    # --- what it is asked ---------------------------------------------------------------------------------------------------

    def subscribe(self, keys: Sequence[LaneKey], hold_ns: int | None = HOLD_NS) -> None:
        """Wants lanes; before the connection stands they wait for it.

        ``hold_ns`` is how long frames wait behind a hole, None: for ever; a lane that is wanted already keeps its own.
        """
        new = [key for key in keys if key not in self._wanted]
        self._wanted.update(dict.fromkeys(new, hold_ns))
        if self._hub is not None:
            self._open(new)

    def unsubscribe(self, keys: Sequence[LaneKey]) -> None:
        """Wants lanes no longer."""
        for key in keys:
            if key in self._wanted:
                self._end(key, Reason.UNSUBSCRIBED)

    def flags_changed(self, changed: flags.Flags, kill: flags.KillList) -> None:
        """What is in force from here on."""
        self._flags, self._kill = changed, kill
        if self._hub is not None:
            self._hub.decide_again()

    def revive(self, symbols: frozenset[str] | None) -> None:
        """By hand: streams are tried now."""
        if self._hub is not None:
            self._hub.revive(symbols)

    def force_open(self, symbols: frozenset[str]) -> None:
        """By hand: no streams for these symbols until they are revived."""
        if self._hub is not None:
            self._hub.force_open(symbols)

    def halted(self, symbols: frozenset[str]) -> None:
        """The venue does not trade these symbols now; all others it does."""
        self._halted = symbols
        if self._hub is not None:
            self._hub.halted(symbols)

    def hold(self, is_on: bool) -> None:
        """Handlers are too slow, or have caught up; before the connection stands it is remembered. Again: nothing."""
        if self._is_held == is_on:
            return
        self._is_held = is_on
        if self._hub is not None:
            self._hub.hold(is_on)

    def statuses(self) -> list[LaneStatus]:
        """How every lane stands."""
        return self._hub.statuses() if self._hub is not None else []

    def watched(self) -> set[str]:
        """The symbols whose quotes are looked at: of every lane, and the one that watches over the stream connections."""
        canary = self._hub.canary.symbol if self._hub is not None else ""
        return {status.key.symbol for status in self.statuses()} | ({canary} - {""})

    def health_of(self, symbol: str) -> HealthData | None:
        """A symbol's health now; None where it is not subscribed."""
        finding = self._hub.finding(symbol) if self._hub is not None else None
        if finding is None:
            return None
        return self._health_data(symbol, self._health.get(symbol, finding.health), finding)

    def decision_of(self, key: LaneKey) -> flags.Decision:
        """What the flags in force say of a lane; from any thread."""
        return flags.decide(self._flags, self._kill, key.symbol, key.channel, self._contracts.unified(key.symbol))

    # --- what lanes ask for -------------------------------------------------------------------------------------------------

    def deliver(self, key: LaneKey, values: Sequence[Item | Quote | Stats], source: Source) -> None:
        """Values in order, on to the callbacks."""
        for value in values:
            if isinstance(value, Quote):
                self._composer(key.symbol).quote(value, source)
            elif isinstance(value, Stats):
                self._composer(key.symbol).stats(value)
            elif isinstance(value.value, PublicTradeData):
                self._callbacks.on_public_trade(value.value)
            elif isinstance(value.value, AggTradeData):
                self._callbacks.on_agg_trade(value.value)

    def announce(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        """A lane changed its state."""
        composer = self._composers.get(key.symbol)
        if composer is not None and key.channel == Channel.TICK and serving is not Serving.STREAM:
            composer.served_by_poll()
        if key.channel == Channel.TICK and new is LaneState.CLOSED:
            self._composers.pop(key.symbol, None)  # a tick that begins again waits for both its halves again
        self._callbacks.on_transport(
            TransportData(key.symbol, EXCHANGE, self._callbacks.adapter_name, key.channel, old, new, serving, reason)
        )

    def gap(self, key: LaneKey, first: int, last: int, reason: Reason) -> None:
        """Ids that the venue itself has no longer."""
        self._callbacks.on_gap(GapData(key.symbol, EXCHANGE, self._callbacks.adapter_name, key.channel, first, last, reason))

    def backfill(self, key: LaneKey, items: Sequence[Item]) -> None:
        """Ids of an earlier gap."""
        values = tuple(item.value for item in items if isinstance(item.value, PublicTradeData | AggTradeData))
        self._callbacks.on_backfill(BackfillData(key.symbol, EXCHANGE, self._callbacks.adapter_name, key.channel, values))

    def health(self, symbol: str, finding: Finding) -> None:
        """A symbol's health changed."""
        old = self._health.get(symbol, finding.health)
        self._health[symbol] = finding.health
        self._callbacks.on_health(self._health_data(symbol, old, finding))

    def breaker(self, key: LaneKey, old: BreakerState, new: BreakerState) -> None:  # noqa: ARG002 -- the board knows the old one
        """A lane's breaker moved."""
        self._board.move(f"{key.symbol} {key.channel}", new)

    def connection(self, number: int, old: BreakerState, new: BreakerState) -> None:  # noqa: ARG002 -- the board knows the old one
        """A connection's breaker moved."""
        self._board.move(f"connection {number}", new)

    def problem(self, text: str) -> None:
        """Something failed that is coped with."""
        self._callbacks.write_log(text, logging.WARNING)

    def refused(self, symbol: str, problem: str) -> None:
        """The venue lists it no longer: who wants it again has to ask again."""
        self._callbacks.write_log(f"{symbol}: {problem}", logging.WARNING)
        for key in [key for key in self._wanted if key.symbol == symbol]:
            self._end(key, Reason.UNKNOWN_SYMBOL)

    # --- within -------------------------------------------------------------------------------------------------------------

    def _open(self, keys: Sequence[LaneKey]) -> None:
        known = []
        for key in keys:
            if self._contracts.lists(key.symbol):
                known.append(key)
            else:
                self._unknown(key)
        if self._hub is not None:
            for key in known:
                self._hub.open_lanes([key], self._wanted[key])
        if known:
            self.has_lanes.set()

    def _unknown(self, key: LaneKey) -> None:
        is_first = not any(other.symbol == key.symbol for other in self._wanted if other != key)
        self._forget(key)
        if is_first:
            search = asyncio.get_running_loop().run_in_executor(None, self._contracts.nearest, key.symbol)  # among thousands
            search.add_done_callback(lambda found: self._tell_nearest(key.symbol, found))
        self.announce(key, LaneState.POLLING, LaneState.CLOSED, Serving.NONE, Reason.UNKNOWN_SYMBOL)

    def _tell_nearest(self, symbol: str, search: "asyncio.Future[str]") -> None:
        hint = f"; did you mean {search.result()}?" if not search.cancelled() and search.result() else ""
        self._callbacks.write_log(f"{symbol} is not listed by the venue{hint}", logging.WARNING)

    def _end(self, key: LaneKey, reason: Reason) -> None:
        if self._hub is not None:
            self._hub.close_lane(key, reason)
        else:
            self.announce(key, LaneState.POLLING, LaneState.CLOSED, Serving.NONE, reason)
        self._forget(key)

    def _forget(self, key: LaneKey) -> None:
        self._wanted.pop(key, None)
        if not any(other.symbol == key.symbol for other in self._wanted):
            self._health.pop(key.symbol, None)

    def _decide(self, key: LaneKey) -> steps.Decide:
        decision = self.decision_of(key)
        return steps.Decide(decision.transport, decision.reason, decision.lines)

    def _composer(self, symbol: str) -> TickComposer:
        composer = self._composers.get(symbol)
        if composer is None:
            name = self._contracts.unified(symbol) or ""
            composer = TickComposer(self._callbacks.adapter_name, symbol, name, self._callbacks.on_tick)
            self._composers[symbol] = composer
        return composer

    def _quote_sink(self, symbol: str) -> QuoteSink:
        return self._composer(symbol).stream_quote

    def _health_data(self, symbol: str, old: Health, finding: Finding) -> HealthData:
        return HealthData(symbol, EXCHANGE, self._callbacks.adapter_name, old, *finding)
