"""Turns subscriptions into lanes, and tells what becomes of them. All of it runs on the loop."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from foxtrot.adapter.binance.bar_desk import BarDesk
from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.adapter.binance.callbacks import Callbacks
from foxtrot.adapter.binance.claims import Claims, carrier, is_built
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.dispatch import Dispatch, of_backfill
from foxtrot.adapter.binance.stream_feed import BinanceStreams
from foxtrot.adapter.binance.venue_kinds import VenueKinds
from foxtrot.transport import flags, steps
from foxtrot.transport.backoff import Chance
from foxtrot.transport.base import Dialler, Item, LaneKey, LaneStatus, Rest, Value
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.transport.breaker_memory import Memory
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.health import Finding
from foxtrot.transport.hub import Hub
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.channel import lane_of, normal
from foxtrot.util.clock import Clock
from foxtrot.util.constants import BreakerState, Channel, Health, LaneState, Reason, Serving, Source
from foxtrot.util.object import AggTradeData, BackfillData, GapData, HealthData, TransportData

LOOK: Final = 0.25
"""Seconds between looks at whether bars of our own have ended."""


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
        self._claims = Claims()
        self._holds: dict[LaneKey, int | None] = {}  # by lane: how long its frames wait behind a hole
        self._kinds = VenueKinds(callbacks.adapter_name)
        self._bars = BarDesk(callbacks)
        self._dispatch = Dispatch(callbacks, contracts, self._bars)
        self._health: dict[str, Health] = {}
        self._flags = flags.EMPTY
        self._kill = flags.KillList()
        self._halted: frozenset[str] = frozenset()
        self._hub: Hub | None = None
        self._states: dict[LaneKey, tuple[LaneState, Serving]] = {}  # of lanes that are open, as told last
        self._offset: Callable[[], int | None] = lambda: 0
        self._looking: asyncio.Task[None] | None = None
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
        chance: Chance | None = None,
    ) -> None:
        """The connection stands: lanes of what was subscribed before are opened now.

        ``offset`` gives the venue's clock minus ours in nanoseconds, None while that is not known. ``chance`` spreads waits.
        """
        self._offset = offset
        self._hub = Hub(
            rest=rest,
            feed=BinanceStreams(stream_urls, self._dispatch, self._dispatch.quote_sink),
            kinds=self._kinds,
            dialler=dialler,
            outlet=self,
            watcher=self,
            decide=self._decide,
            budget=budget,
            clock=self._clock,
            chance=chance or random.Random().random,  # noqa: S311 -- jitter is no secret
            offset=offset,
            memory=memory,
        )
        self._hub.halted(self._halted)
        self._hub.hold(self._is_held)
        self._hub.start()
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="bars of our own")
        for claim in self._claims.all():
            self._open(claim)

    async def close(self) -> None:
        """Closes every lane."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._hub is not None:
            await self._hub.close()
        self.end_all()

    def end_all(self) -> None:
        """Ends what is still wanted; before the loop runs, from any thread."""
        for claim in self._claims.all():
            self._end(claim, Reason.CLOSING)

    # --- what it is asked ---------------------------------------------------------------------------------------------------

    def subscribe(self, keys: Sequence[LaneKey], hold_ns: int | None = HOLD_NS) -> None:
        """Wants channels; before the connection stands they wait for it.

        ``hold_ns`` is how long frames wait behind a hole, None: for ever; a lane that is wanted already keeps its own, one that
        is wanted for bars of our own alone waits for ever.
        """
        claims = [LaneKey(key.symbol, normal(key.channel)) for key in keys]
        new = [claim for claim in claims if self._claims.add(claim)]
        for claim in new:
            self._holds.setdefault(carrier(claim), None if is_built(claim.channel) else hold_ns)
            if is_built(claim.channel):
                self._bars.open(claim)
            self._note(claim)
        for claim in new if self._hub is not None else ():
            self._open(claim)

    def unsubscribe(self, keys: Sequence[LaneKey]) -> None:
        """Wants channels no longer: as they were subscribed; ``book`` ends a book of any depth."""
        for key in keys:
            for claim in self._claims.on(carrier(key)):
                if key.channel in {Channel.BOOK, claim.channel}:
                    self._end(claim, Reason.UNSUBSCRIBED)

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
        """How every lane stands, under the channels that were subscribed; from any thread."""
        lanes = self._hub.statuses() if self._hub is not None else []
        return [
            self._named(status, LaneKey(status.key.symbol, name)) for status in lanes for name in self._claims.names(status.key)
        ]

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
        symbol, channel = carrier(key)
        if channel == Channel.BOOK and (depth := self._claims.depth(symbol)):
            channel = f"{channel}:{depth}"  # a flag may speak of this depth alone
        return flags.decide(self._flags, self._kill, symbol, channel, self._contracts.unified(symbol))

    # --- what lanes ask for -------------------------------------------------------------------------------------------------

    def deliver(self, key: LaneKey, values: Sequence[Value], source: Source) -> None:
        """Values in order, on to the callbacks."""
        for value in values:
            self._dispatch.take(key.symbol, value, source)

    def announce(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        """A lane changed its state: told under every channel that stands on it."""
        if key.channel == Channel.TICK and serving is not Serving.STREAM:
            self._dispatch.served_by_poll(key.symbol)
        if key in self._states:
            self._states[key] = (new, serving)
        if new is LaneState.CLOSED:
            self._ended(key)
        for name in self._claims.names(key):
            self._tell(LaneKey(key.symbol, name), old, new, serving, reason)

    def gap(self, key: LaneKey, first: int, last: int, reason: Reason) -> None:
        """Ids that do not come live; for the reason GAP the venue itself has them no longer."""
        if not self._claims.is_hidden(key):
            self._callbacks.on_gap(GapData(key.symbol, EXCHANGE, self._callbacks.adapter_name, key.channel, first, last, reason))
        if key.channel == Channel.AGG_TRADES and reason is Reason.GAP:
            self._bars.lost(key.symbol, first, last)

    def backfill(self, key: LaneKey, items: Sequence[Item]) -> None:
        """Ids of an earlier gap."""
        values = of_backfill([item.value for item in items])
        if not self._claims.is_hidden(key):
            self._callbacks.on_backfill(BackfillData(key.symbol, EXCHANGE, self._callbacks.adapter_name, key.channel, values))
        for value in values:
            if isinstance(value, AggTradeData):
                self._bars.take(value)

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
        for claim in self._claims.of(symbol):
            self._end(claim, Reason.UNKNOWN_SYMBOL)

    # --- within -------------------------------------------------------------------------------------------------------------

    def _open(self, claim: LaneKey) -> None:
        """Opens the lane of a subscription, or tells how it stands where it is open already."""
        if not self._contracts.lists(claim.symbol):
            self._unknown(claim)
            return
        assert self._hub is not None  # the connection stands
        lane = carrier(claim)
        if lane not in self._states:
            self._states[lane] = (LaneState.POLLING, Serving.NONE)
            self._hub.open_lanes([lane], self._holds[lane])
        elif self._is_alone(claim):
            state, serving = self._states[lane]
            if serving is not Serving.NONE:  # else it will be told with the others
                self._tell(LaneKey(claim.symbol, lane_of(claim.channel)), LaneState.POLLING, state, serving, Reason.SUBSCRIBED)
        self.has_lanes.set()

    def _unknown(self, claim: LaneKey) -> None:
        if self._claims.of(claim.symbol) == (claim,):
            search = asyncio.get_running_loop().run_in_executor(None, self._contracts.nearest, claim.symbol)  # among thousands
            search.add_done_callback(lambda found: self._tell_nearest(claim.symbol, found))
        self._end(claim, Reason.UNKNOWN_SYMBOL)

    def _tell_nearest(self, symbol: str, search: "asyncio.Future[str]") -> None:
        hint = f"; did you mean {search.result()}?" if not search.cancelled() and search.result() else ""
        self._callbacks.write_log(f"{symbol} is not listed by the venue{hint}", logging.WARNING)

    def _end(self, claim: LaneKey, reason: Reason) -> None:
        """A subscription is over, and its lane with the last one; nothing follows the closing event."""
        lane = carrier(claim)
        state, _ = self._states.get(lane, (LaneState.POLLING, Serving.NONE))
        is_last = self._claims.on(lane) == (claim,)
        self._bars.close(claim)
        if is_last and self._hub is not None and lane in self._states:
            self._hub.close_lane(lane, reason)
        elif is_last:
            self.announce(lane, state, LaneState.CLOSED, Serving.NONE, reason)
        elif self._is_alone(claim) and state is not LaneState.CLOSED:
            self._tell(LaneKey(claim.symbol, lane_of(claim.channel)), state, LaneState.CLOSED, Serving.NONE, reason)
        self._claims.drop(claim)
        self._note(claim)
        if is_last:
            self._holds.pop(lane, None)
            self._states.pop(lane, None)
        if not self._claims.of(claim.symbol):
            self._health.pop(claim.symbol, None)

    def _note(self, claim: LaneKey) -> None:
        """What follows from one subscription more, or less: how deep the book is, whether aggregate trades are shown."""
        symbol = claim.symbol
        is_hidden = self._claims.is_hidden(LaneKey(symbol, Channel.AGG_TRADES))
        (self._dispatch.hidden.add if is_hidden else self._dispatch.hidden.discard)(symbol)
        is_changed = self._kinds.deepen(symbol, self._claims.depth(symbol))
        if is_changed and self._hub is not None and symbol in self._flags.pins:
            self._hub.decide_again()  # a pin may speak of one depth alone

    def _ended(self, lane: LaneKey) -> None:
        """A lane has closed; it may begin again."""
        if lane.channel == Channel.TICK:
            self._dispatch.end_tick(lane.symbol)
        elif lane.channel == Channel.BOOK:
            self._dispatch.end_book(lane.symbol)
        elif lane.channel == Channel.AGG_TRADES:
            self._bars.begin_anew(lane.symbol)

    async def _look(self) -> None:
        """Bars of our own end with time, too."""
        while True:
            await self._clock.sleep(LOOK)
            offset_ns = self._offset()
            if self._hub is None or offset_ns is None:
                continue
            for symbol in self._bars.symbols:
                for status in self._hub.statuses(symbol):
                    if status.key.channel == Channel.AGG_TRADES:
                        self._bars.passed(symbol, status, self._clock.now_ns(), offset_ns)

    def _is_alone(self, claim: LaneKey) -> bool:
        """Whether no other subscription on its lane goes under the same name."""
        name = lane_of(claim.channel)
        return not any(lane_of(other.channel) == name for other in self._claims.on(carrier(claim)) if other != claim)

    def _named(self, status: LaneStatus, key: LaneKey) -> LaneStatus:
        """A lane's status under the channel that was subscribed; bars of our own are counted by themselves."""
        if key == status.key:
            return status
        return msgspec.structs.replace(status, key=key, delivered=self._bars.delivered(key), duplicates_dropped=0, gaps=0)

    def _tell(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        name = self._callbacks.adapter_name
        self._callbacks.on_transport(TransportData(key.symbol, EXCHANGE, name, key.channel, old, new, serving, reason))

    def _decide(self, key: LaneKey) -> steps.Decide:
        decision = self.decision_of(key)
        return steps.Decide(decision.transport, decision.reason, decision.lines)

    def _health_data(self, symbol: str, old: Health, finding: Finding) -> HealthData:
        return HealthData(symbol, EXCHANGE, self._callbacks.adapter_name, old, *finding)
