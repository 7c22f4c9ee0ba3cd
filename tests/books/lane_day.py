"""A day of one book through the whole of Foxtrot: each minute a delivered book is compared with the venue's at its update id."""

import msgspec
from typing_extensions import override

from foxtrot.adapter.binance.binance_mappings import DepthBody
from foxtrot.adapter.binance.book_reach import USUALLY_KEPT
from foxtrot.sandbox.tape import MIN_KEEP
from foxtrot.transport.base import LaneKey, Level
from foxtrot.util.object import OrderBookData
from tests.books.outages import Outages
from tests.books.venue import listing_of
from tests.books.world import World

MINUTE: float = 60.0


class Plan(msgspec.Struct, frozen=True):
    """A market of about ``market_levels`` a side, of whose best ``levels`` alone the stream speaks.

    ``every`` is the mean pause between two outages in seconds.
    """

    hours: float = 24.0
    seed: int = 1
    symbol: str = "BTCUSDT"
    market_levels: int = 3_000
    levels: int = USUALLY_KEPT
    depth: int = 20
    every: float = 1_800.0


class Record(msgspec.Struct):
    """What a run came to. Of ``compared`` books ``wrong`` differed; ``unmet`` times no book of the noted update id came."""

    plan: Plan
    compared: int
    wrong: list[str]
    unmet: int
    delivered: int
    invalid: int
    outages: dict[str, int]
    falls: dict[str, int]
    snapshots: int
    refusals: int
    problems: list[str]


class BookWorld(World):
    """Hears books, and compares those whose truth was noted."""

    def __init__(self, plan: Plan) -> None:
        super().__init__([listing_of(plan.symbol, plan.market_levels)], plan.seed, has_past=False, keep=MIN_KEEP)
        self.venue.top_only(plan.levels)
        self.plan = plan
        self.compared = self.unmet = self.delivered = self.invalid = 0
        self.wrong: list[str] = []
        self._truth: DepthBody | None = None

    @override
    def on_book(self, book: OrderBookData) -> None:
        """A book, valid or not."""
        self.delivered += 1
        truth = self._truth
        if not book.is_valid:
            self.invalid += 1
        elif truth is not None and book.update_id == truth.last_update_id:
            self._truth = None
            self.compared += 1
            bids = tuple(level for level in truth.bids[: self.plan.depth] if level[0] >= book.known_low)
            asks = tuple(level for level in truth.asks[: self.plan.depth] if level[0] <= book.known_high)
            if (book.bids, book.asks) != (bids, asks):
                self.wrong.append(f"{self.now:.1f} s, {book.source}: {_differing((*book.bids, *book.asks), (*bids, *asks))}")

    def note(self) -> None:
        """What the venue's book is now: the frame of this moment has its update id."""
        self.unmet += self._truth is not None
        params: dict[str, str | int] = {"symbol": self.plan.symbol, "limit": self.plan.depth}
        self._truth = msgspec.json.decode(self.venue.answer("depth", params), type=DepthBody, strict=False)


def play(plan: Plan) -> Record:
    """One run, and what came of it."""
    world = BookWorld(plan)
    outages = Outages(world, plan.seed, plan.every)

    async def script() -> None:
        world.market.subscribe([LaneKey(plan.symbol, f"book:{plan.depth}")])
        failing = world.loop.create_task(outages.run(plan.hours * 3_600))
        while world.now + MINUTE <= plan.hours * 3_600:
            await world.clock.sleep(MINUTE - world.now % MINUTE)
            world.venue.play(world.clock.now_ns() // 1_000)
            world.note()
        failing.cancel()

    world.run(script())
    falls: dict[str, int] = {}
    for _, _, reason in world.falls():
        falls[reason] = falls.get(reason, 0) + 1
    return Record(
        plan=plan,
        compared=world.compared,
        wrong=world.wrong,
        unmet=world.unmet,
        delivered=world.delivered,
        invalid=world.invalid,
        outages=dict(outages.counts),
        falls=falls,
        snapshots=world.client.asked.get("depth", 0),
        refusals=len(world.client.refusals),
        problems=world.problems,
    )


def _differing(ours: tuple[Level, ...], theirs: tuple[Level, ...]) -> str:
    return f"ours alone {sorted(set(ours) - set(theirs))}, the venue's alone {sorted(set(theirs) - set(ours))}"
