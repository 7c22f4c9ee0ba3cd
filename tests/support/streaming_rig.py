"""Streaming over a dialler in memory, on a virtual clock, and what it told."""

import random
from collections.abc import Sequence

from foxtrot.transport.base import Answer, LaneKey, Quote, Stats
from foxtrot.transport.bundle import Carried, Forgive, Lost
from foxtrot.transport.fleet import Fleet
from foxtrot.transport.streaming import Streaming
from foxtrot.util.constants import BreakerState
from tests.support.fake_transports import FakeDialler, FakeFeed
from tests.support.model_venue import FIGURES
from tests.support.virtual_clock import VirtualClock, settle


class StreamingRig:
    """Keeps frames in the order in which handlers got them."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.dialler = FakeDialler(self.clock)
        self.feed = FakeFeed()
        self.fleet = Fleet(self.clock.now_ns(), random.Random(1).random)
        self.told: list[Carried | Lost | Forgive] = []
        self.unlisted: list[LaneKey] = []
        self.moves: list[tuple[int, BreakerState, BreakerState]] = []
        self.problems: list[str] = []
        self.unlisted_raises: Exception | None = None
        self.frames: list[bytes] = []
        self.streaming = Streaming(
            self.fleet,
            self.feed,
            self.dialler,
            self.clock,
            on_fleet=self.told.append,
            on_problem=self.problems.append,
            on_unlisted=self._unlisted,
            on_connection=lambda number, old, new: self.moves.append((number, old, new)),
        )

    def _unlisted(self, lanes: Sequence[LaneKey]) -> None:
        if self.unlisted_raises is not None:
            raise self.unlisted_raises
        self.unlisted.extend(lanes)

    async def want(self, *keys: LaneKey, lines: int = 1) -> None:
        """Lanes want their streams."""
        for key in keys:
            self.streaming.route(self.feed.streams(key)[0], lambda found, _: self.frames.append(found))
            self.streaming.act(self.fleet.want(key, self.feed.streams(key), self.clock.now_ns(), lines))
        await settle()

    async def unwant(self, key: LaneKey) -> None:
        """A lane wants its stream no longer."""
        self.streaming.act(self.fleet.unwant(key, self.clock.now_ns()))
        await settle()

    async def wait(self, seconds: float) -> None:
        """Time passes, with a pulse a tenth of a second."""
        for _ in range(round(seconds * 10)):
            await self.clock.advance(0.1)
            self.streaming.act(self.fleet.pulse(self.clock.now_ns()))
        await settle()

    def poll(self, bid: float, *, symbol: str = "BTCUSDT", last_id: int = -1) -> None:
        """A poll, asked and answered now, shows a quote, and figures up to this trade."""
        now = self.clock.now_ns()
        quote = Quote(0, bid, 1.0, bid + 1, 1.0, now, now)
        stats = Stats(last_id, 0, FIGURES, now) if last_id >= 0 else None
        self.streaming.canary_polled(Answer(symbol, quote, stats), now)
