"""One run: the real hub between a simulated venue and a consumer that checks everything, from a seed."""

import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.hub import Hub
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Channel, Health, LaneState, Reason, Serving, Transport
from tests.simulation.director import Director
from tests.simulation.history import History
from tests.simulation.impairment import Impairments
from tests.simulation.judge import WEIGHT_LIMIT, Judge
from tests.simulation.market import RATES, Happening, Instrument, Market
from tests.simulation.script import Fault, draw_script
from tests.simulation.sim_feed import SimFeed
from tests.simulation.sim_loop import SimClock, SimLoop
from tests.simulation.sim_rest import SimRest
from tests.simulation.sim_wire import SimDialler
from tests.support.fake_book import FakeKinds

QUIET: Final = 300.0
"""Seconds at the end in which nothing fails: by then everything has to be whole, and every lane where it belongs."""

WARM: Final = 20.0
FIRST_POLL_NS: Final = NS_PER_S
SETTLED_NS: Final = 5 * NS_PER_S
PROOF_NS: Final = 65 * NS_PER_S
"""A proof has failed or succeeded by then."""

WAIT_NS: Final = 450 * NS_PER_S
"""The longest opening of a breaker, and a while for the right to probe: one lane in ten at a time."""

STRANGER: Final = "NOSUCH"


class Plan(msgspec.Struct, frozen=True):
    """What is to be simulated. ``mixed``: some lanes are pinned to polling or shadow; else all stream.

    ``script`` None: drawn from the seed.
    """

    seed: int
    minutes: float = 10.0
    symbols: int = 10
    lines: int = 1
    pause: float = 12.0
    mixed: bool = True
    channels: tuple[str, ...] = (Channel.TICK, Channel.TRADES, Channel.AGG_TRADES)
    rates: tuple[float, ...] = RATES
    script: tuple[Fault, ...] | None = None
    settles: bool = True  # at the end everything has been well for long enough to be whole


class Outcome(msgspec.Struct, frozen=True):
    """What came of it; plain values, to be carried between processes."""

    seed: int
    trace: str
    violations: list[str]
    script: list[str]
    tail: list[str]
    faults: dict[str, int]
    detections: list[tuple[str, float]]
    false_trips: list[str]
    seconds: float
    events: int
    market_events: int
    delivered: int
    backfilled: int
    gaps: int
    switches: int
    trips: int
    dials: int
    requests: int
    most_weight: int
    wrong_s: float
    unmarked_s: float
    past_bound_s: float
    worst_s: float


class World:
    """Everything that one run consists of; fulfils the director's ``Stage``."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        seed = plan.seed
        self.loop = SimLoop(seed)
        self.clock = SimClock(self.loop)
        self._draw = random.Random(f"world {seed}")
        self.symbols = [f"S{number}USDT" for number in range(plan.symbols)]
        self.troubles = Impairments()
        self.market = Market(self.loop, seed, self.symbols, plan.rates)
        self.history = History(self.loop, self.market)
        self.judge = Judge(self.history.complain)
        self.rest = SimRest(self.loop, seed, self.market, self.troubles, self.judge)
        self.dialler = SimDialler(self.loop, seed, self.troubles, self.judge)
        self.keys = [LaneKey(symbol, channel) for symbol in self.symbols for channel in plan.channels]
        self._base = {key: self._pin() for key in self.keys}
        self._overrides: dict[tuple[str, str], tuple[Transport, Reason]] = {}
        self._pending: dict[str, int] = {}
        script = (
            plan.script
            if plan.script is not None
            else draw_script(seed, self.symbols, WARM, plan.minutes * 60 - QUIET, plan.pause)
        )
        self.script = list(script)
        self.director = Director(self, self.script)
        self.hub = Hub(
            rest=self.rest,
            feed=SimFeed(self.history),
            kinds=FakeKinds(),
            dialler=self.dialler,
            outlet=self.history,
            watcher=self.history,
            decide=self.decide,
            budget=WeightBudget(WEIGHT_LIMIT, self.clock.now_ns()),
            clock=self.clock,
            chance=random.Random(f"hub {seed}").random,
        )
        self.market.publish = self._publish
        self.history.retry_at = self._retry_at
        self.history.fell = self._fell
        self.history.refused_proof = self.director.refused_proof
        self.history.allowance_ns = self.director.allowance_ns
        self.rest.answered = self._answered

    # --- the run ----------------------------------------------------------------------------------------------------------

    def run(self, watch: Callable[[], object] | None = None) -> Outcome:
        """Plays the plan from beginning to end. ``watch`` may book things of its own on the loop first."""
        self.loop.set_exception_handler(lambda _loop, context: self.history.complain(f"the loop: {context}"))
        errors = _Errors(self.history)
        logging.getLogger("foxtrot").addHandler(errors)
        try:
            self.loop.run_until_complete(self._run(watch))
        finally:
            logging.getLogger("foxtrot").removeHandler(errors)
            self.loop.close()
        return self._outcome()

    async def _run(self, watch: Callable[[], object] | None) -> None:
        self.market.start()
        self.director.start()
        if watch is not None:
            watch()
        self.hub.start()
        self.open([*self.keys, LaneKey(STRANGER, Channel.TICK)])
        await self.clock.sleep(self.plan.minutes * 60)
        self._check_end()
        await self.hub.close()
        self._check_closed()

    def open(self, keys: Sequence[LaneKey]) -> None:
        """Subscribes lanes."""
        for key in keys:
            self.history.opening(key)
        self.hub.open_lanes(keys)

    # --- what the hub asks ------------------------------------------------------------------------------------------------

    def decide(self, key: LaneKey) -> steps.Decide:
        """Kill before pin before shadow before what the lane was given at first."""
        for kind in ("kill", "pin", "shadow"):
            for symbol in ("", key.symbol):
                if (found := self._overrides.get((kind, symbol))) is not None:
                    return self._decision(*found)
        return self._decision(self._base.get(key, Transport.POLLING), Reason.PIN)

    def _decision(self, transport: Transport, reason: Reason) -> steps.Decide:
        return steps.Decide(transport, reason, self.plan.lines) if self.plan.lines > 1 else steps.Decide(transport, reason)

    def _pin(self) -> Transport:
        if not self.plan.mixed:
            return Transport.STREAMING
        return self._draw.choices((Transport.STREAMING, Transport.SHADOW, Transport.POLLING), (16, 2, 2))[0]

    # --- what the script does ---------------------------------------------------------------------------------------------

    def override(self, kind: str, symbol: str, decision: tuple[Transport, Reason] | None) -> None:
        """The flags change; a kill has to be in force within a second."""
        if decision is None:
            self._overrides.pop((kind, symbol), None)
        else:
            self._overrides[kind, symbol] = decision
        self.hub.decide_again()
        if decision is not None:
            self.loop.call_later(1.0, self._check_obeyed, kind, symbol)

    def subscribe(self, symbol: str, *, is_on: bool) -> None:
        """Opens or closes all lanes of a symbol."""
        keys = [key for key in self.keys if key.symbol == symbol]
        if is_on:
            self.open(keys)
            return
        for key in keys:
            self.hub.close_lane(key, Reason.UNSUBSCRIBED)
        self.history.forgotten(symbol)

    def hold(self, is_on: bool) -> None:
        """The consumer is slow, or no longer."""
        self.hub.hold(is_on)

    def revive(self) -> None:
        """Every stream is tried now."""
        for lane in self.history.lanes.values():
            lane.retry_at_ns = 0
            lane.serve.revived()
        self.hub.revive()

    # --- what is checked here ---------------------------------------------------------------------------------------------

    def _publish(self, instrument: Instrument, happening: Happening) -> None:
        self.history.happened(instrument, happening)
        self.dialler.publish(instrument, happening)

    def _retry_at(self, key: LaneKey) -> int:
        lane = self.hub._lanes.get(key)
        return lane.status.retry_at_ns if lane is not None else 0

    def _fell(self, key: LaneKey, reason: Reason) -> None:
        self.director.fell(key, reason)
        if key.channel == Channel.TICK and key.symbol not in self._pending:
            self._pending[key.symbol] = self.clock.now_ns()
            self.loop.at(self.loop.now_ns + FIRST_POLL_NS + 1, self._check_polled, key, self.clock.now_ns())

    def _answered(self, symbols: Sequence[str], asked_ns: int) -> None:
        for symbol in symbols:
            if self._pending.get(symbol, asked_ns + 1) <= asked_ns:
                del self._pending[symbol]

    def _check_polled(self, key: LaneKey, fell_ns: int) -> None:
        if self._pending.get(key.symbol) != fell_ns:
            return
        del self._pending[key.symbol]
        now = self.loop.time()
        lane = self.history.lanes[key]
        if lane.serve.state is not LaneState.CLOSED and not self.director.rest_was_ill(now - 3.0, now):
            lane.complain("rule 4: no polled answer within 1 s of the fall")

    def _check_obeyed(self, kind: str, symbol: str) -> None:
        if (kind, symbol) not in self._overrides:
            return
        for key, lane in self.history.lanes.items():
            if (
                symbol in {"", key.symbol}
                and lane.serve.serving is Serving.STREAM
                and self.decide(key).transport is not Transport.STREAMING
            ):
                lane.complain(f"rule 6: still streams 1 s after {kind}")

    def _check_end(self) -> None:
        now = self.clock.now_ns()
        for truth in self.history.truths.values():
            truth.look(now)
        for key in self.keys if self.plan.settles else ():
            lane = self.history.lanes[key]
            if key.channel != Channel.TICK:
                instrument = self.market.instruments[key.symbol]
                lane.ids.ended(self.history.newest(instrument, key, now - SETTLED_NS))
            self._check_place(key)
        if self.history.lanes[LaneKey(STRANGER, Channel.TICK)].serve.state is not LaneState.CLOSED:
            self.history.complain("rule 10: the unknown symbol was not closed")
        for trip in self.director.false_trips:
            self.history.complain(f"ST-3: {trip}")

    def _check_place(self, key: LaneKey) -> None:
        """Every lane is where its decision wants it, or waits lawfully."""
        lane, now = self.history.lanes[key], self.clock.now_ns()
        wanted = {
            Transport.POLLING: LaneState.POLLING,
            Transport.SHADOW: LaneState.SHADOW,
            Transport.STREAMING: LaneState.STREAMING,
        }[self._base[key]]
        longest = WAIT_NS if lane.serve.state is LaneState.FALLBACK else PROOF_NS
        waits = self._retry_at(key) > now or now - lane.serve.since_ns < longest
        if lane.serve.state is not wanted and not (waits and wanted is not LaneState.POLLING):
            lane.complain(
                f"is {lane.serve.state} ({lane.serve.reason}) for {(now - lane.serve.since_ns) / NS_PER_S:.0f} s, wanted {wanted}"
            )
        finding = self.history.health_of.get(key.symbol)
        if finding is None or finding.health in {Health.BLIND, Health.SUSPECT, Health.HALTED}:
            lane.complain(f"health is {finding} at the end")

    def _check_closed(self) -> None:
        for lane in self.history.lanes.values():
            if lane.serve.state is not LaneState.CLOSED:
                lane.complain("rule 11: no closing event")
        if self.dialler.wires:
            self.history.complain(f"{len(self.dialler.wires)} connections are left open after close")

    def _outcome(self) -> Outcome:
        history = self.history
        lanes = [*history.lanes.values(), *history.ended]
        truths = list(history.truths.values())
        return Outcome(
            seed=self.plan.seed,
            trace=history.trace,
            violations=history.violations,
            script=[fault.told() for fault in self.script],
            tail=[f"{at / NS_PER_S:11.6f} s  {' '.join(map(str, event))}" for at, event in history.told],
            faults=self.director.played,
            detections=self.director.detections,
            false_trips=self.director.false_trips,
            seconds=self.loop.time(),
            events=history.events,
            market_events=self.market.events,
            delivered=sum(lane.ids.delivered + lane.tick.delivered for lane in lanes),
            backfilled=sum(lane.ids.backfilled for lane in lanes),
            gaps=sum(lane.ids.gaps for lane in lanes),
            switches=sum(lane.serve.switches for lane in lanes),
            trips=sum(lane.serve.trips for lane in lanes),
            dials=self.dialler.dials,
            requests=self.rest.requests,
            most_weight=self.judge.most_weight,
            wrong_s=sum(truth.wrong_ns for truth in truths) / NS_PER_S,
            unmarked_s=sum(truth.unmarked_ns for truth in truths) / NS_PER_S,
            past_bound_s=sum(truth.past_bound_ns for truth in truths) / NS_PER_S,
            worst_s=max((truth.worst_ns for truth in truths), default=0) / NS_PER_S,
        )


class _Errors(logging.Handler):
    """Whatever the program logs as an error is one."""

    def __init__(self, history: History) -> None:
        super().__init__(logging.ERROR)
        self._history = history

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._history.complain(
            f"logged {record.getMessage()}: {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
        )


def plan_of(seed: int, minutes: float, symbols: int) -> Plan:
    """What a seed stands for: every fourth has two lines."""
    return Plan(seed=seed, minutes=minutes, symbols=symbols, lines=1 if seed % 4 else 2)


def play(plan: Plan) -> Outcome:
    """Runs a plan in a world of its own."""
    return World(plan).run()
