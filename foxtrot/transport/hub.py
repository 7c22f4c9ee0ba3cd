"""Feeds inputs to lanes, carries out their effects; all of it on the loop's thread."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.admission import Admission
from foxtrot.transport.answer_check import AnswerCheck
from foxtrot.transport.asking import Asking
from foxtrot.transport.backoff import Chance
from foxtrot.transport.base import Answer, Dialler, LaneKey, LaneStatus, Outlet, Rest, StreamFeed
from foxtrot.transport.book import Kinds
from foxtrot.transport.breaker import Breaker
from foxtrot.transport.breaker_memory import LaneMemory, Memory
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.bundle import Carried, Forgive, Lost
from foxtrot.transport.canary_choice import CanaryChoice
from foxtrot.transport.fleet import Fleet, FleetMemory
from foxtrot.transport.health import Finding
from foxtrot.transport.health_watch import HealthWatch
from foxtrot.transport.lane import Lane
from foxtrot.transport.lane_door import LaneDoor
from foxtrot.transport.lane_kinds import values_of
from foxtrot.transport.loop_beat import LoopBeat
from foxtrot.transport.polling import Polling
from foxtrot.transport.probing import pulses
from foxtrot.transport.starting import Starting
from foxtrot.transport.streaming import Streaming
from foxtrot.transport.switch_log import SwitchLog
from foxtrot.transport.troubles import Troubles
from foxtrot.transport.values import HOLD_NS
from foxtrot.transport.watcher import Decider, Watcher
from foxtrot.util.clock import Clock
from foxtrot.util.constants import BreakerState, Reason

PULSE: Final = 0.1
"""Seconds between looks at what is due."""

TOGETHER: Final = 50
"""So many lanes are looked at without reading frames in between."""

_UNEQUAL: Final = "of its order book only {:.1%} of the levels were as the venue shows them: it begins anew"


class Hub:
    """All lanes of one venue, its beat and its streams."""

    def __init__(
        self,
        *,
        rest: Rest,
        feed: StreamFeed,
        kinds: Kinds,
        dialler: Dialler,
        outlet: Outlet,
        watcher: Watcher,
        decide: Decider,
        budget: WeightBudget,
        clock: Clock,
        chance: Chance,
        offset: Callable[[], int | None] = lambda: 0,
        memory: Memory | None = None,
    ) -> None:
        self._rest = rest
        self._feed = feed
        self._kinds = kinds
        self._outlet = outlet
        self._watcher = watcher
        self._decide = decide
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._offset = offset
        self._memory = memory
        self._lanes: dict[LaneKey, Lane] = {}
        self._at: dict[str, list[Lane]] = {}  # by symbol
        self._untold: deque[tuple[Lane, steps.Input]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_held = False
        self._beat: Final = LoopBeat(clock, self._lanes)
        self._troubles: Final = Troubles(watcher.problem)
        self.check: Final = AnswerCheck()
        self.fleet: Final = Fleet(clock.now_ns(), chance, memory.recall_fleet(FleetMemory) if memory else None)
        self.polling: Final = Polling(rest, budget, clock, self)
        self.streaming: Final = Streaming(
            self.fleet,
            feed,
            dialler,
            clock,
            on_fleet=self._carried,
            on_problem=watcher.problem,
            on_unlisted=self._unlisted,
            on_connection=self._connection_moved,
        )
        self._health: Final = HealthWatch(self._at, rest, budget, self.polling, clock, watcher.health)
        admission = Admission(budget, clock)
        self._asking: Final = Asking(rest, budget, admission, clock, self._troubles.say)
        self._starting: Final = Starting(rest, budget, admission, clock, self)
        self.canary: Final = CanaryChoice(
            self._asking, clock, self._spawn, on_chosen=self._canary_chosen, on_problem=watcher.problem
        )

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

    def open_lanes(self, keys: Iterable[LaneKey], hold_ns: int | None = HOLD_NS) -> None:
        """Opens lanes that are not open yet. Nothing is asked of their symbols before their start answers have come.

        ``hold_ns`` is how long frames wait behind a hole; None: for ever.
        """
        for key in keys:
            if key not in self._lanes:
                self._open_lane(key, hold_ns, self._memory.recall(key) if self._memory else None)

    def _open_lane(self, key: LaneKey, hold_ns: int | None, known: LaneMemory | None) -> None:
        """A lane with the breaker and the switches that an earlier one left."""
        lane = self._lanes[key] = Lane(
            key,
            values_of(key, hold_ns, self._kinds),
            now_ns=self._clock.now_ns(),
            chance=self._chance,
            breaker=Breaker(memory=known.breaker if known else None),
            switches=SwitchLog(known.switches if known else ()),
        )
        self._at.setdefault(key.symbol, []).append(lane)
        if lane.breaker.state is not BreakerState.CLOSED:
            self._watcher.breaker(key, BreakerState.CLOSED, lane.breaker.state)
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
        self._at[key.symbol].remove(lane)
        if not self._at[key.symbol]:
            del self._at[key.symbol]
            self.polling.drop(key.symbol)
            self._health.forget(key.symbol)
            self.check.forget(key.symbol)

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
        self.streaming.act(self.fleet.revive(self._clock.now_ns()))

    def force_open(self, symbols: Iterable[str]) -> None:
        """By hand: no streams for lanes of these symbols until ``revive``."""
        chosen = set(symbols)
        for key, lane in list(self._lanes.items()):
            if key.symbol in chosen:
                self.step(lane, steps.ForceOpen())

    def halted(self, symbols: frozenset[str]) -> None:
        """The venue does not trade these symbols now; all others it does."""
        self._health.halted = symbols
        self.canary.halted(symbols)

    def hold(self, is_on: bool) -> None:
        """The consumer is too slow: lanes that must be whole pause, to be completed by id afterwards."""
        self._is_held = is_on
        for lane in list(self._lanes.values()):
            self.step(lane, steps.Hold(is_on))

    def statuses(self, symbol: str = "") -> list[LaneStatus]:
        """How every lane stands, from any thread; or those of one symbol, on the loop."""
        return [lane.status for lane in (self._at.get(symbol, ()) if symbol else self._lanes.copy().values())]  # an atomic copy

    def finding(self, symbol: str) -> Finding | None:
        """A symbol's health now; from any thread."""
        return self._health.finding(symbol)

    # --- inputs -----------------------------------------------------------------------------------------------------------

    def step(self, lane: Lane, given: steps.Input) -> None:
        """Tells a lane something and does what it asks for. What that leads to in turn is told once all of it has been done."""
        self._untold.append((lane, given))
        if len(self._untold) > 1:
            return
        while self._untold:
            self._step(*self._untold[0])
            self._untold.popleft()

    def _step(self, lane: Lane, given: steps.Input) -> None:
        self._health.touch(lane.key.symbol)
        try:
            effects = lane.step(given, self._beat.now_ns())
        except Exception as error:  # noqa: BLE001 -- one lane's fault is not to stop the others
            self._troubles.broken(f"{lane.key.symbol} {lane.key.channel}", error)
            return
        for effect in effects:
            try:
                self._perform(lane, effect)
            except Exception as error:  # noqa: BLE001 -- the lane has moved: the effects that follow are due all the same
                self._troubles.broken(f"{lane.key.symbol} {lane.key.channel}", error)

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
        late, anew = self.check.polled(answers, asked_ns, self._clock.now_ns())
        for symbol in anew:
            self._begin_anew(symbol)
        self._troubles.polled(answers, late)
        fresh = {symbol: answer for symbol, answer in answers.items() if symbol not in late}
        if (canary := fresh.get(self.canary.symbol)) is not None:
            self.streaming.canary_polled(canary, asked_ns)
        told = [(lane, steps.Polled(answer, asked_ns)) for symbol, answer in fresh.items() for lane in self._at.get(symbol, ())]
        self._tell_polled(told[:TOGETHER])
        if told[TOGETHER:]:
            self._spawn(self._tell_rest(told[TOGETHER:]), "telling polls")

    async def _tell_rest(self, told: Sequence[tuple[Lane, steps.Polled]]) -> None:
        for first in range(0, len(told), TOGETHER):
            await self._clock.sleep(0)
            self._tell_polled(told[first : first + TOGETHER])

    def _tell_polled(self, told: Sequence[tuple[Lane, steps.Polled]]) -> None:
        for lane, given in told:
            if lane.is_started:
                self.step(lane, given)

    def _begin_anew(self, symbol: str) -> None:
        """The venue counts the symbol's trades from the start again: nothing that was known of them holds any longer."""
        self._watcher.problem(f"{symbol}: the venue has begun its ids anew, its lanes are closed and opened again")
        lanes = list(self._at.get(symbol, ()))
        for lane in lanes:
            self.close_lane(lane.key, Reason.IDS_BEGAN_ANEW)
        self.check.forget(symbol)
        for lane in lanes:
            self._open_lane(lane.key, lane.values.hold_ns, LaneMemory(lane.breaker.memory(), lane.switch_log.times))
        self.canary.leave(symbol, "its ids have begun anew")

    def poll_failed(self, problem: str) -> None:
        """The beat had no answer."""
        self._troubles.say("poll", problem)

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know a symbol."""
        for key in [lane.key for lane in self._at.get(symbol, ())]:
            self.close_lane(key, Reason.UNKNOWN_SYMBOL)
        self._watcher.refused(symbol, problem)

    def unwatched(self, symbol: str) -> None:
        """The venue does not know the canary's symbol."""
        self.canary.refused(symbol)

    def _carried(self, effect: Carried | Lost | Forgive) -> None:
        given: steps.Input
        match effect:
            case Carried():
                given = steps.StreamUp()
            case Lost():
                given = steps.StreamDown()
            case Forgive():  # pragma: no branch -- there are no others: mypy proves the match whole
                given = steps.Forgiven()
        self._remember_fleet()  # a dial that succeeds moves no breaker, and counts all the same
        self._tell(effect.lanes, given)

    def _connection_moved(self, number: int, old: BreakerState, new: BreakerState) -> None:
        self._remember_fleet()
        self._watcher.connection(number, old, new)

    def _remember_fleet(self) -> None:
        if self._memory:
            self._memory.note_fleet(self.fleet.memory())

    def _unlisted(self, keys: Sequence[LaneKey]) -> None:
        self._tell(keys, steps.Unlisted())

    def _tell(self, keys: Sequence[LaneKey], given: steps.Input) -> None:
        for key in keys:
            lane = self._lanes.get(key)
            if lane is not None:
                self.step(lane, given)

    async def _pulse(self) -> None:
        while True:
            try:
                await self._look_at_what_is_due()
            except Exception as error:  # noqa: BLE001 -- dials, retries and health hang on this one task
                self._troubles.broken("pulse", error)
            await self._clock.sleep(PULSE)

    async def _look_at_what_is_due(self) -> None:
        """Many lanes take some milliseconds: frames are read in between."""
        for number, (lane, given) in enumerate(pulses(self._lanes.values(), self._offset(), self._beat.now_ns())):
            self.step(lane, given)
            if number % TOGETHER == TOGETHER - 1:
                await self._clock.sleep(0)
        self.streaming.act(self.fleet.pulse(self._clock.now_ns()))
        for _ in self._health.look(TOGETHER):
            await self._clock.sleep(0)

    # --- effects ----------------------------------------------------------------------------------------------------------

    def _perform(self, lane: Lane, effect: steps.Effect) -> None:  # noqa: C901, PLR0912 -- one line an effect: this is the table
        key = lane.key
        match effect:
            case steps.Deliver():
                self._outlet.deliver(key, effect.values, effect.source)
            case steps.Backfill():
                self._outlet.backfill(key, effect.items)
            case steps.Announce():
                self._remember(lane)
                self._outlet.announce(key, effect.old, effect.new, effect.serving, effect.reason)
            case steps.Missing():
                self._outlet.gap(key, effect.first, effect.last, effect.reason)
            case steps.FetchPage():
                asking = self._asking.page(key, effect, lane.values.missing)
                self._spawn(self._answer(lane, asking), f"page {key.symbol} {key.channel}")
            case steps.FetchDepth():
                self._spawn(self._answer(lane, self._asking.depth(key, effect)), f"depth {key.symbol}")
            case steps.Disagreed():
                self._watcher.problem(f"{key.symbol}: {_UNEQUAL.format(effect.share)}")
            case steps.FetchAnchor():
                self._spawn(self._answer(lane, self._asking.anchor(key)), f"anchor {key.symbol}")
            case steps.PollNow():
                self.polling.now(key.symbol)
            case steps.OpenStream():
                self._open_stream(lane, effect.lines)
            case steps.ShutStream():
                self.streaming.act(self.fleet.unwant(key, self._clock.now_ns()))
            case steps.BreakerMoved():
                self._remember(lane)
                self._watcher.breaker(key, effect.old, effect.new)
                if effect.old is BreakerState.CLOSED and effect.new is BreakerState.OPEN:
                    self.streaming.act(self.fleet.tripped(key, self._clock.now_ns()))

    def _remember(self, lane: Lane) -> None:
        if self._memory:
            self._memory.note(lane.key, LaneMemory(lane.breaker.memory(), lane.switch_log.times))

    def _open_stream(self, lane: Lane, lines: int) -> None:
        streams = self._feed.streams(lane.key)
        door = LaneDoor(lane, self.step, self.check.streamed)
        for stream in streams:
            self.streaming.route(stream, self._feed.handler(lane.key, stream, door))
        self.streaming.act(self.fleet.want(lane.key, streams, self._clock.now_ns(), lines))
        self.canary.need()

    def _canary_chosen(self, symbol: str) -> None:
        self.polling.watch(symbol)
        self.streaming.watch(symbol)

    async def _answer(self, lane: Lane, asking: Coroutine[None, None, steps.Input]) -> None:
        self.step(lane, await asking)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
