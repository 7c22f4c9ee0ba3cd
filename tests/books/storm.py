"""Two hundred books lose their streams' sequence in one moment: how long until all are right again, within the venue's limits."""

import statistics
from typing import Final

import msgspec
from typing_extensions import override

from foxtrot.sandbox.listings import MAX_COUNT, listings
from foxtrot.sandbox.tape import MIN_KEEP
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import LaneState, Source
from foxtrot.util.object import OrderBookData, TransportData
from tests.books.venue import ADDRESS
from tests.books.world import World

PATIENCE: Final = 1_800.0
"""Seconds after which a storm counts as not overcome."""

STEP: Final = 0.25


class Plan(msgspec.Struct, frozen=True):
    """``depth`` levels to deliver decide how large a snapshot is.

    ``kind``: ``lost``, the next frame of each book is lost; ``cut``, every connection is. ``calm`` seconds lie between the start
    and the storm: the weight that the start has used is forgotten by then.
    """

    symbols: int = MAX_COUNT
    depth: int = 20
    kind: str = "lost"
    calm: float = 130.0
    seed: int = 1


class Record(msgspec.Struct):
    """What a storm came to. Times are seconds from its beginning, for those books that it struck: (median, last).

    ``struck``: told to be invalid, or without its stream. ``served``: until the next valid book was delivered, ``home``: until a
    streamed one was. ``started``: seconds from the subscription until every book had been streamed. ``most_weight``: of the
    venue's minutes, the heaviest.
    """

    plan: Plan
    started: float
    struck: int
    served: tuple[float, float]
    home: tuple[float, float]
    not_home: int
    snapshots: int
    most_weight: int
    refusals: int
    violations: dict[str, int]
    falls: dict[str, int]
    problems: list[str]


class StormWorld(World):
    """Hears books."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(listings(plan.symbols), plan.seed, has_past=False, keep=MIN_KEEP)
        self.streamed: set[str] = set()
        self.struck: dict[str, float] = {}
        self.served: dict[str, float] = {}
        self.home: dict[str, float] = {}
        self.most_weight = 0

    @override
    def on_book(self, book: OrderBookData) -> None:
        """A book, valid or not."""
        symbol = book.symbol
        if not book.is_valid:
            self.strike(symbol)
            return
        if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
            self.problems.append(f"{symbol}: a crossed book was delivered")
        is_streamed = book.source is Source.STREAM
        if is_streamed:
            self.streamed.add(symbol)
        if symbol in self.struck:
            self.served.setdefault(symbol, self.now)
            if is_streamed:
                self.home.setdefault(symbol, self.now)

    @override
    def on_transport(self, transport: TransportData) -> None:
        """A lane changed; one that loses its stream is struck too."""
        super().on_transport(transport)
        if transport.new is LaneState.FALLBACK:
            self.strike(transport.symbol)

    def strike(self, symbol: str) -> None:
        """A book is served from its stream no longer. What befalls one that has come home since is not the storm's doing."""
        if symbol not in self.home:
            self.struck.setdefault(symbol, self.now)
            self.served.pop(symbol, None)

    async def until_streamed(self) -> float:
        """How long it takes until every book has been streamed; at most the patience."""
        begun = self.now
        while len(self.streamed) < len(self.venue.market.instruments) and self.now - begun < PATIENCE:
            await self.step()
        return self.now - begun

    async def until_home(self) -> None:
        """Returns when every book that was struck is streamed again, and no other one is to be expected."""
        begun = self.now
        while self.now - begun < PATIENCE and (
            self.now - begun < 30.0 or self.lines.doomed or self.struck.keys() - self.home.keys()
        ):
            await self.step()

    async def step(self) -> None:
        """A moment passes."""
        await self.clock.sleep(STEP)
        self.most_weight = max(self.most_weight, self.venue.limits.used(ADDRESS, self.venue.now_us))


def play(plan: Plan) -> Record:
    """One storm, and what came of it."""
    world = StormWorld(plan)
    begun = started = 0.0
    asked = 0

    async def script() -> None:
        nonlocal begun, started, asked
        symbols = list(world.venue.market.instruments)
        world.market.subscribe([LaneKey(symbol, f"book:{plan.depth}") for symbol in symbols])
        started = await world.until_streamed()
        until = world.now + plan.calm
        while world.now < until:
            await world.step()
        for of_before in (world.struck, world.served, world.home):
            of_before.clear()
        world.moves.clear()
        begun, asked = world.now, world.client.asked.get("depth", 0)
        if plan.kind == "lost":
            world.lines.doomed = {f"{symbol.lower()}@depth@100ms" for symbol in symbols}
        else:
            world.lines.cut()
        await world.until_home()

    world.run(script())
    falls: dict[str, int] = {}
    for _, _, reason in world.falls():
        falls[reason] = falls.get(reason, 0) + 1
    return Record(
        plan=plan,
        started=started,
        struck=len(world.struck),
        served=_spread([at - begun for at in world.served.values()]),
        home=_spread([at - begun for at in world.home.values()]),
        not_home=len(world.struck.keys() - world.home.keys()),
        snapshots=world.client.asked.get("depth", 0) - asked,
        most_weight=world.most_weight,
        refusals=len(world.client.refusals),
        violations=dict(world.venue.violations.counts),
        falls=falls,
        problems=world.problems,
    )


def _spread(seconds: list[float]) -> tuple[float, float]:
    return (statistics.median(seconds), max(seconds)) if seconds else (0.0, 0.0)
