"""A hub on a virtual clock between a fake REST and a fake dialler, and all that came out of it."""

import random
from collections.abc import Sequence
from pathlib import Path

from foxtrot.transport import steps
from foxtrot.transport.base import Draft, Item, LaneKey, LaneStatus, Quote, Stats, Value
from foxtrot.transport.breaker_memory import Memory
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.health import Finding
from foxtrot.transport.hub import Hub
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport
from tests.support.fake_book import FakeKinds
from tests.support.fake_transports import FakeDialler, FakeFeed, FakeRest, frame
from tests.support.virtual_clock import VirtualClock, settle

BTC = LaneKey("BTCUSDT", "trades")
TICK = LaneKey("BTCUSDT", "tick")


class HubRig:
    """Keeps what the outlet, the watcher and the doors were given; ids in ``arrived`` stand in the order of their arrival."""

    def __init__(self, limit: int = 6_000, remembered: Path | None = None) -> None:
        self.clock = VirtualClock()
        self.rest = FakeRest(self.clock)
        self.dialler = FakeDialler(self.clock)
        self.feed = FakeFeed()
        self.budget = WeightBudget(limit, self.clock.now_ns())
        self.decisions: dict[LaneKey, steps.Decide] = {}
        self.moves: list[tuple[LaneKey, LaneState, Reason]] = []
        self.quotes: list[tuple[Quote, Source, int]] = []
        self.stats: list[Stats] = []
        self.gaps: list[tuple[int, int]] = []
        self.drafts: list[tuple[Draft, Source]] = []
        self.found: list[tuple[LaneKey, int]] = []
        self.connections: list[tuple[int, BreakerState, BreakerState]] = []
        self.healths: list[tuple[str, Finding]] = []
        self.breakers: list[tuple[BreakerState, BreakerState]] = []
        self.problems: list[str] = []
        self.raises: Exception | None = None
        self.memory = Memory(remembered, self.clock, self.problem) if remembered else None
        self.rest.trades["BTCUSDT"] = 10
        self.kinds = FakeKinds()
        self.hub = Hub(
            rest=self.rest,
            feed=self.feed,
            kinds=self.kinds,
            dialler=self.dialler,
            outlet=self,
            watcher=self,
            decide=self.decide,
            budget=self.budget,
            clock=self.clock,
            chance=random.Random(1).random,
            memory=self.memory,
        )

    @property
    def arrived(self) -> list[int]:
        """Ids, in order."""
        return [number for _, number, _ in self.feed.delivered]

    def decide(self, key: LaneKey) -> steps.Decide:
        """Polling, where nothing else was said."""
        return self.decisions.get(key, steps.Decide(Transport.POLLING, Reason.DEFAULTS))

    def deliver(self, key: LaneKey, values: Sequence[Value], source: Source) -> None:
        """Sorts values by kind; or raises, if told to."""
        if self.raises is not None:
            raise self.raises
        for value in values:
            if isinstance(value, Item):
                self.feed.delivered.append((key, value.id, source))
            elif isinstance(value, Quote):
                self.quotes.append((value, source, self.clock.now_ns()))
            elif isinstance(value, Draft):
                self.drafts.append((value, source))
            else:
                self.stats.append(value)

    def announce(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        """Remembers a change."""
        self.moves.append((key, new, reason))

    def gap(self, key: LaneKey, first: int, last: int, reason: Reason) -> None:
        """Remembers a gap."""
        self.gaps.append((first, last))

    def backfill(self, key: LaneKey, items: Sequence[Item]) -> None:
        """Remembers what was found late."""
        self.found.extend((key, item.id) for item in items)

    def connection(self, number: int, old: BreakerState, new: BreakerState) -> None:
        """Remembers a connection's move."""
        self.connections.append((number, old, new))

    def health(self, symbol: str, finding: Finding) -> None:
        """Remembers a health."""
        self.healths.append((symbol, finding))

    def breaker(self, key: LaneKey, old: BreakerState, new: BreakerState) -> None:
        """Remembers a breaker's move."""
        self.breakers.append((old, new))

    def problem(self, text: str) -> None:
        """Remembers a problem."""
        self.problems.append(text)

    def refused(self, symbol: str, problem: str) -> None:
        """Remembers a refusal with the problems."""
        self.problems.append(f"{symbol}: {problem}")

    async def open(self, *keys: LaneKey, streaming: bool = False) -> None:
        """Starts the hub, and opens lanes."""
        self.hub.start()
        if streaming:
            self.stream(*keys)
        self.hub.open_lanes(keys)
        await self.clock.advance(0.05)

    def stream(self, *keys: LaneKey, transport: Transport = Transport.STREAMING, reason: Reason = Reason.PIN) -> None:
        """The flags say otherwise."""
        for key in keys:
            self.decisions[key] = steps.Decide(transport, reason)
        self.hub.decide_again()

    def status(self, key: LaneKey) -> LaneStatus:
        """How a lane stands."""
        return next(status for status in self.hub.statuses() if status.key == key)

    def trade(self, key: LaneKey = BTC, count: int = 1, *, is_streamed: bool = True) -> None:
        """The venue trades, and says so on the newest connection."""
        for _ in range(count):
            self.rest.trades[key.symbol] += 1
            if is_streamed and self.dialler.wires and self.dialler.wire.is_open:
                self.dialler.wire.bring(frame(key, self.rest.trades[key.symbol]))

    def quote(self, bid: float, key: LaneKey = TICK, *, is_streamed: bool = True) -> None:
        """The venue's quote changes."""
        self.rest.bids[key.symbol] = bid
        self.rest.book_ids[key.symbol] += 1
        if is_streamed and self.dialler.wires and self.dialler.wire.is_open:
            self.dialler.wire.bring(frame(key, self.rest.book_ids[key.symbol], bid))

    def move(self, key: LaneKey, bid: float | None = None, *, is_streamed: bool = True) -> None:
        """The venue's book moves, by one update."""
        old = self.rest.bids[key.symbol]
        self.rest.bids[key.symbol] = new = old if bid is None else bid
        self.rest.book_ids[key.symbol] += 1
        if is_streamed and self.dialler.wires and self.dialler.wire.is_open:
            self.dialler.wire.bring(frame(key, self.rest.book_ids[key.symbol], new, old=old))

    async def until(self, key: LaneKey, state: LaneState, most: float = 60.0) -> float:
        """Lets time pass until a lane is there; returns how long it took."""
        return await self.clock.advance_until(lambda: self.status(key).state is state, most)

    async def streaming(self, *keys: LaneKey) -> None:
        """Opens lanes, and brings them to their stream."""
        await self.open(*keys, streaming=True)
        for key in keys:
            await self.until(key, LaneState.STREAMING)

    async def close(self) -> None:
        """Ends the hub."""
        await self.hub.close()
        if self.memory:
            await self.memory.close()
        await settle()

    def seconds_since(self, start_ns: int) -> float:
        """On the virtual clock."""
        return (self.clock.now_ns() - start_ns) / NS_PER_S
