"""Feeds inputs to lanes, carries out their effects; all of it on the loop's thread."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Final, Protocol

from foxtrot.transport import steps
from foxtrot.transport.admission import Admission
from foxtrot.transport.backoff import Chance
from foxtrot.transport.base import Answer, Dialler, Item, LaneKey, LaneStatus, Outlet, Quote, Rest, Stats, StreamFeed
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.fleet import Carried, Fleet, Lost
from foxtrot.transport.health import Finding, of_lane, worst
from foxtrot.transport.lane import Lane
from foxtrot.transport.polling import INTERVAL_NS, Polling
from foxtrot.transport.starting import Starting
from foxtrot.transport.streaming import Streaming
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import BreakerState, Channel, Reason, Serving, Source
from foxtrot.util.errors import FoxtrotError

PULSE: Final = 0.1
"""Seconds between looks at what is due."""


_log = logging.getLogger(__name__)


class Decider(Protocol):
    """Says how a lane is to be served."""

    def __call__(self, key: LaneKey) -> steps.Decide:
        """The decision in force."""
        ...


class Watcher(Protocol):
    """Hears what is no market data."""

    def health(self, symbol: str, finding: Finding) -> None:
        """A symbol's health changed."""
        ...

    def breaker(self, key: LaneKey, old: BreakerState, new: BreakerState) -> None:
        """A lane's breaker moved."""
        ...

    def problem(self, text: str) -> None:
        """Something failed that the hub copes with; said once until it works again."""
        ...

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know a symbol any more; its lanes have been closed."""
        ...


class LaneDoor:
    """What a decoder sees of one lane. ``accept`` and ``accept_quote`` are the order's own: one call, nothing between."""

    def __init__(self, hub: "Hub", lane: Lane) -> None:
        self._hub = hub
        self._lane = lane
        if lane.ids is not None:
            self.accept = lane.ids.accept
        if lane.quotes is not None:
            self.accept_quote = lane.quotes.accept

    def offer(self, value: Item | Quote, received_ns: int) -> None:
        """Hands over a streamed value that the door did not accept."""
        self._hub.step(self._lane, steps.Offered(value, received_ns))

    def offer_stats(self, stats: Stats) -> None:
        """Hands over streamed 24 h figures."""
        self._hub.step(self._lane, steps.OfferedStats(stats))

    def wrong_symbol(self) -> None:
        """Says that a frame of another symbol came on this lane's stream."""
        self._hub.step(self._lane, steps.Stray())


class Hub:
    """All lanes of one venue, its beat and its streams."""

    def __init__(
        self,
        *,
        rest: Rest,
        feed: StreamFeed,
        dialler: Dialler,
        outlet: Outlet,
        watcher: Watcher,
        decide: Decider,
        budget: WeightBudget,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._rest = rest
        self._feed = feed
        self._outlet = outlet
        self._watcher = watcher
        self._decide = decide
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._lanes: dict[LaneKey, Lane] = {}
        self._findings: dict[str, Finding] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue = asyncio.Lock()  # pages of polled lanes wait here, oldest first
        self._is_held = False
        self._page_interval_ns = INTERVAL_NS
        self._troubles: dict[str, str] = {}
        self._told: set[str] = set()
        self.fleet: Final = Fleet(clock.now_ns(), chance)
        self.polling: Final = Polling(rest, budget, clock, self)
        self.streaming: Final = Streaming(self.fleet, feed, dialler, clock, on_fleet=self._carried, on_problem=watcher.problem)
        self._admission: Final = Admission(budget, clock)
        self._starting: Final = Starting(rest, budget, self._admission, clock, self)

    # --- the life of the hub ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to beat and to look at what is due."""
        self.polling.start()
        self._spawn(self._pulse(), "pulse")

    async def close(self) -> None:
        """Closes every lane, then ends what is under way."""
        for key in list(self._lanes):
            self.close_lane(key, Reason.CLOSING)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._starting.close()
        await self.polling.close()
        await self.streaming.close()

    # --- lanes ------------------------------------------------------------------------------------------------------------

    def open_lanes(self, keys: Iterable[LaneKey]) -> None:
        """Opens lanes that are not open yet. Nothing is asked of their symbols before their start answers have come."""
        now = self._clock.now_ns()
        for key in keys:
            if key not in self._lanes:
                lane = Lane(key, is_tick=_is_tick(key), now_ns=now, chance=self._chance)
                self._lanes[key] = lane
                self.step(lane, self._decide(key))
                self._starting.add(key)

    def close_lane(self, key: LaneKey, reason: Reason) -> None:
        """Ends a lane; its closing event is its last."""
        lane = self._lanes.pop(key, None)
        if lane is None:
            return
        self.step(lane, steps.Close(reason))
        self._starting.drop(key)
        for stream in self._feed.streams(key):
            self.streaming.unroute(stream)
        if not any(other.symbol == key.symbol for other in self._lanes):
            self.polling.drop(key.symbol)
            self._findings.pop(key.symbol, None)

    def decide_again(self) -> None:
        """The flags have changed: each lane whose decision differs is told."""
        for key, lane in list(self._lanes.items()):
            decision = self._decide(key)
            if decision != lane.decision:
                self.step(lane, decision)

    def revive(self, symbols: Iterable[str] | None = None) -> None:
        """By hand: lanes of these symbols (None: all) try their stream now."""
        chosen = None if symbols is None else set(symbols)
        for key, lane in list(self._lanes.items()):
            if chosen is None or key.symbol in chosen:
                self.step(lane, steps.Revive())

    def hold(self, is_on: bool) -> None:
        """The consumer is too slow: lanes that must be whole pause, to be completed by id afterwards."""
        self._is_held = is_on
        for lane in list(self._lanes.values()):
            self.step(lane, steps.Hold(is_on))

    def statuses(self) -> list[LaneStatus]:
        """How every lane stands; from any thread."""
        return [lane.status for lane in self._lanes.copy().values()]  # the copy is atomic: the loop may be opening lanes

    def finding(self, symbol: str) -> Finding | None:
        """A symbol's health now; from any thread."""
        return self._finding([lane for key, lane in self._lanes.copy().items() if key.symbol == symbol])

    def _finding(self, lanes: Iterable[Lane]) -> Finding | None:
        now = self._clock.now_ns()
        return worst(
            of_lane(
                lane.status,
                is_held=lane.is_held,
                wants_stream=lane.wants_stream,
                now_ns=now,
                interval_ns=self._interval_ns(lane),
            )
            for lane in lanes
        )

    def _interval_ns(self, lane: Lane) -> int:
        """How often polling is planned to confirm a lane: quotes each beat, ids with the figures, pages as the weight allows."""
        if lane.ids is None:
            return INTERVAL_NS
        pages = self._page_interval_ns if lane.serving is Serving.POLL else INTERVAL_NS
        return max(pages, self.polling.rotation_ns)

    # --- inputs -----------------------------------------------------------------------------------------------------------

    def step(self, lane: Lane, given: steps.Input) -> None:
        """Tells a lane something and does what it asks for."""
        try:
            effects = lane.step(given, self._clock.now_ns())
        except Exception as error:  # noqa: BLE001 -- one lane's fault is not to stop the others
            self._broken(f"{lane.key.symbol} {lane.key.channel}", error)
            return
        for effect in effects:
            try:
                self._perform(lane, effect)
            except Exception as error:  # noqa: BLE001 -- the lane has moved: the effects that follow are due all the same
                self._broken(f"{lane.key.symbol} {lane.key.channel}", error)

    def started(self, key: LaneKey, given: steps.Start | steps.Polled) -> None:
        """The start answer of a lane has come: from here its symbol is in the beat."""
        lane = self._lanes.get(key)
        if lane is None:
            return
        self.polling.add(key.symbol)
        self.step(lane, given)
        if self._is_held:
            self.step(lane, steps.Hold(is_on=True))

    def polled(self, answers: Mapping[str, Answer], asked_ns: int) -> None:
        """The beat brought answers."""
        self._troubles.pop("poll", None)
        for key, lane in list(self._lanes.items()):
            answer = answers.get(key.symbol)
            if answer is not None and lane.is_started:
                self.step(lane, steps.Polled(answer, asked_ns))

    def poll_failed(self, problem: str) -> None:
        """The beat had no answer."""
        self._say_once("poll", problem)

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know a symbol."""
        for key in [key for key in self._lanes if key.symbol == symbol]:
            self.close_lane(key, Reason.UNKNOWN_SYMBOL)
        self._watcher.refused(symbol, problem)

    def _carried(self, effect: Carried | Lost) -> None:
        given = steps.StreamUp() if isinstance(effect, Carried) else steps.StreamDown()
        for key in effect.lanes:
            lane = self._lanes.get(key)
            if lane is not None:
                self.step(lane, given)

    async def _pulse(self) -> None:
        while True:
            try:
                self._look_at_what_is_due()
            except Exception as error:  # noqa: BLE001 -- dials, retries and health hang on this one task
                self._broken("pulse", error)
            await self._clock.sleep(PULSE)

    def _look_at_what_is_due(self) -> None:
        for lane in list(self._lanes.values()):
            self.step(lane, steps.Pulse())
        self.streaming.act(self.fleet.pulse(self._clock.now_ns()))
        self._plan_pages()
        by_symbol: dict[str, list[Lane]] = {}
        for key, lane in self._lanes.items():
            by_symbol.setdefault(key.symbol, []).append(lane)
        for symbol, lanes in by_symbol.items():
            self._look_at_health(symbol, self._finding(lanes))

    def _plan_pages(self) -> None:
        """How often each polled id lane can be asked for a page, as the weight allows: health waits for it."""
        polled = (key for key, lane in self._lanes.items() if lane.ids and lane.serving is Serving.POLL)
        weight = sum(self._rest.weight("page", key) for key in polled)
        self._page_interval_ns = max(INTERVAL_NS, int(weight / self._budget.spare_per_second * NS_PER_S))

    def _look_at_health(self, symbol: str, finding: Finding | None) -> None:
        last = self._findings.get(symbol)
        if finding is not None and (last is None or finding[:3] != last[:3]):
            self._findings[symbol] = finding
            self._watcher.health(symbol, finding)

    # --- effects ----------------------------------------------------------------------------------------------------------

    def _perform(self, lane: Lane, effect: steps.Effect) -> None:
        key = lane.key
        match effect:
            case steps.Deliver():
                self._outlet.deliver(key, effect.values, effect.source)
            case steps.Announce():
                self._outlet.announce(key, effect.old, effect.new, effect.serving, effect.reason)
            case steps.Missing():
                self._outlet.gap(key, effect.first, effect.last, effect.reason)
            case steps.FetchPage():
                self._spawn(self._page(lane, effect), f"page {key.symbol} {key.channel}")
            case steps.FetchAnchor():
                self._spawn(self._anchor(lane), f"anchor {key.symbol}")
            case steps.PollNow():
                self.polling.now(key.symbol)
            case steps.OpenStream():
                self._open_stream(lane)
            case steps.ShutStream():
                self.streaming.act(self.fleet.unwant(key, self._clock.now_ns()))
            case steps.BreakerMoved():
                self._watcher.breaker(key, effect.old, effect.new)

    def _open_stream(self, lane: Lane) -> None:
        streams = self._feed.streams(lane.key)
        door = LaneDoor(self, lane)
        for stream in streams:
            self.streaming.route(stream, self._feed.handler(lane.key, stream, door))
        self.streaming.act(self.fleet.want(lane.key, streams, self._clock.now_ns()))

    async def _page(self, lane: Lane, wanted: steps.FetchPage) -> None:
        """A hole of a serving stream is asked for at once; what polled lanes have to fetch queues, oldest first."""
        weight = self._rest.weight("page", lane.key)
        if wanted.source is Source.BACKFILL:
            await self._admission.admit(weight)
        else:
            async with self._queue:
                await self._admission.admit(weight)
        try:
            items = await self._rest.page(lane.key, wanted.first, wanted.source)
        except Exception as error:  # noqa: BLE001 -- every question is answered, or the lane would wait for ever
            self._failed(f"page {lane.key.symbol} {lane.key.channel}", error)
            self.step(lane, steps.PageFailed())
        else:
            self._troubles.pop(f"page {lane.key.symbol} {lane.key.channel}", None)
            self.step(lane, steps.Paged(items, is_full=len(items) >= self._rest.page_size))

    async def _anchor(self, lane: Lane) -> None:
        await self._admission.admit(self._rest.weight("anchor"))
        try:
            quote = await self._rest.anchor(lane.key.symbol)
        except Exception as error:  # noqa: BLE001 -- every question is answered, or the lane would wait for ever
            self._failed(f"anchor {lane.key.symbol}", error)
            self.step(lane, steps.Anchored(None))
        else:
            self._troubles.pop(f"anchor {lane.key.symbol}", None)
            self.step(lane, steps.Anchored(quote))

    def _failed(self, what: str, error: Exception) -> None:
        if isinstance(error, FoxtrotError):
            self._budget.refused(error, self._clock.now_ns())
        self._say_once(what, f"{what}: {type(error).__name__}: {error}")

    def _broken(self, what: str, error: Exception) -> None:
        """Something of ours, or a callback of the user's, raised: it goes on, and is told with its traceback, once for each."""
        text = f"{what}: {type(error).__name__}: {error}"
        if text not in self._told:
            self._told.add(text)
            _log.error("hub.broken", exc_info=error, extra={"what": what})

    def _say_once(self, what: str, problem: str) -> None:
        if self._troubles.get(what) != problem:
            self._troubles[what] = problem
            self._watcher.problem(problem)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_tick(key: LaneKey) -> bool:
    return key.channel == Channel.TICK
