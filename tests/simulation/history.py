"""Everything a consumer was given, checked as it comes, and hashed: one seed, one hash."""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from foxtrot.transport.base import Item, LaneKey, Quote, Stats, Value
from foxtrot.transport.health import Finding
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, Channel, Health, LaneState, Reason, Serving, Source
from tests.simulation.lane_checks import DECIDED, IdCheck, ServeCheck, TickCheck
from tests.simulation.market import Happening, Instrument, Levels, Market
from tests.simulation.sim_loop import EPOCH_NS, SimLoop
from tests.simulation.truth import TruthCheck

TAIL: Final = 50
MOST: Final = 20
"""So many violations are kept; the first one is what matters."""

OLDER_NS: Final = 10 * NS_PER_S
"""How much older than its subscription the start answer of a lane may be (old replicas, caches)."""

LOOK_BACK: Final = 400


class LaneHistory:
    """The checks of one lane, from its opening to its closing event."""

    def __init__(self, key: LaneKey, complain: Callable[[str], None], opened_ns: int) -> None:
        def told(text: str) -> None:
            complain(f"{key.symbol} {key.channel}: {text}")

        self.complain = told
        self.opened_ns = opened_ns
        self.serve = ServeCheck(told)
        self.ids = IdCheck(told)
        self.tick = TickCheck(told)
        self.retry_at_ns = 0


class History:
    """Fulfils Outlet and Watcher, and hears what the hot path delivers. ``retry_at`` reads a lane's breaker."""

    def __init__(self, loop: SimLoop, market: Market) -> None:
        self._loop = loop
        self._market = market
        self._hash = hashlib.sha256()
        self.tail: deque[tuple[int, tuple[object, ...]]] = deque(maxlen=TAIL)
        self.violations: list[str] = []
        self.told: list[tuple[int, tuple[object, ...]]] = []  # the last events up to the first violation
        self.lanes: dict[LaneKey, LaneHistory] = {}
        self.ended: list[LaneHistory] = []
        self.truths: dict[str, TruthCheck] = {}
        self.health_of: dict[str, Finding] = {}
        self.events = self.problems = self.blind = 0
        self.allowance_ns: Callable[[], int] = lambda: 0
        self.retry_at: Callable[[LaneKey], int] = lambda _key: 0
        self.refused_proof: Callable[[LaneKey, Reason], None] = lambda _key, _reason: None
        self.fell: Callable[[LaneKey, Reason], None] = lambda _key, _reason: None

    # --- its own words ----------------------------------------------------------------------------------------------------

    @property
    def trace(self) -> str:
        """The hash of all that happened."""
        return self._hash.hexdigest()

    def note(self, *event: object) -> None:
        """Something happened."""
        self.hash_only(*event)
        self.tail.append((self._loop.now_ns, event))

    def hash_only(self, *event: object) -> None:
        """Something happened that tells a person nothing."""
        self.events += 1
        self._hash.update(repr((self._loop.now_ns, event)).encode())

    def complain(self, text: str) -> None:
        """A rule is broken."""
        self.note("VIOLATION", text)
        if not self.violations:
            self.told = list(self.tail)
        if len(self.violations) < MOST:
            self.violations.append(f"{self._loop.time():.3f} s: {text}")

    def opening(self, key: LaneKey) -> None:
        """A lane is about to be opened: what comes under its key from here on is the new lane's."""
        if (old := self.lanes.get(key)) is not None:
            self.ended.append(old)
        self.lanes[key] = LaneHistory(key, self.complain, EPOCH_NS + self._loop.now_ns)
        if key.channel == Channel.TICK and key.symbol in self._market.instruments:
            truth = self.truths[key.symbol] = TruthCheck(
                lambda text: self.complain(f"{key.symbol}: {text}"), self._now, self.allowance_ns
            )
            truth.is_true(self._market.instruments[key.symbol].now.levels, self._now)

    def happened(self, instrument: Instrument, happening: Happening) -> None:
        """The truth changed."""
        if happening.is_quote and (truth := self.truths.get(instrument.symbol)) is not None:
            truth.is_true(happening.moment.levels, self._now)

    @property
    def _now(self) -> int:
        return EPOCH_NS + self._loop.now_ns

    # --- the hot path -----------------------------------------------------------------------------------------------------

    def streamed_id(self, key: LaneKey, first: int) -> None:
        """An id was delivered by the hot path."""
        lane = self._delivery(key, Source.STREAM)
        self.note(key.symbol, key.channel, first, "stream")
        lane.ids.live(first)

    def streamed_quote(self, key: LaneKey, update_id: int, levels: Levels, received_ns: int) -> None:
        """A quote was delivered by the hot path."""
        lane = self._delivery(key, Source.STREAM)
        self.note(key.symbol, "quote", update_id, levels, "stream")
        lane.tick.streamed(update_id, received_ns)
        self._believes(key.symbol, levels)

    # --- the outlet -------------------------------------------------------------------------------------------------------

    def deliver(self, key: LaneKey, values: Sequence[Value], source: Source) -> None:
        """Values in order."""
        for value in values:
            if isinstance(value, Stats):
                lane = self._delivery(key, Source.POLL)  # figures come from either source in every state
                self.hash_only(key.symbol, "figures", value.key, source.value)
                lane.tick.figures(value)
            elif isinstance(value, Quote):
                lane = self._delivery(key, source)
                self.note(key.symbol, "quote", value.update_id, value.levels, source.value)
                if source is Source.STREAM:
                    lane.tick.streamed(value.update_id, value.received_ns)
                else:
                    lane.tick.polled(value)
                self._believes(key.symbol, value.levels)
            else:
                lane = self._delivery(key, source)
                self.note(key.symbol, key.channel, value.id, source.value)
                lane.ids.live(value.id)

    def announce(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        """A lane changed."""
        self.note(key.symbol, key.channel, f"{old} -> {new}", serving.value, reason.value)
        lane = self.lanes[key]
        was = lane.serve.serving
        lane.serve.announced(old, new, serving, reason, self._now)
        if was is Serving.NONE and serving is not Serving.NONE:
            self._starts(key, lane)
        if new is LaneState.PROVING and self._now < lane.retry_at_ns:
            lane.complain(f"rule 5: tried {(lane.retry_at_ns - self._now) / NS_PER_S:.2f} s before retry_at")
        if reason not in DECIDED:
            if was is Serving.STREAM and serving is not Serving.STREAM:
                self.fell(key, reason)
            elif old is LaneState.PROVING and new is LaneState.FALLBACK:
                self.refused_proof(key, reason)

    def gap(self, key: LaneKey, first: int, last: int, reason: Reason) -> None:
        """Ids that will not come live."""
        self.note(key.symbol, key.channel, "gap", first, last, reason.value)
        lane = self.lanes[key]
        lane.serve.delivers()
        lane.ids.gap(first, last)

    def backfill(self, key: LaneKey, items: Sequence[Item]) -> None:
        """Ids of an earlier gap."""
        numbers = [item.id for item in items]
        self.note(key.symbol, key.channel, "backfill", numbers[0], numbers[-1], len(numbers))
        lane = self.lanes[key]
        lane.serve.delivers()
        lane.ids.backfill(numbers)

    # --- the watcher ------------------------------------------------------------------------------------------------------

    def health(self, symbol: str, finding: Finding) -> None:
        """A symbol's health changed."""
        self.note(symbol, "health", finding.health.value, finding.serving.value, finding.reason.value)
        last = self.health_of.get(symbol)
        if last is not None and last[:3] == finding[:3]:
            self.complain(f"{symbol}: health {finding.health} was told twice")
        if finding.health is Health.LIVE and finding.serving is Serving.NONE:
            self.complain(f"{symbol}: LIVE, and nothing serves")
        self.blind += finding.health is Health.BLIND
        self.health_of[symbol] = finding
        if (truth := self.truths.get(symbol)) is not None:
            truth.is_marked(finding.health, self._now)

    def forgotten(self, symbol: str) -> None:
        """No lane of a symbol is subscribed any more."""
        self.health_of.pop(symbol, None)
        if (truth := self.truths.get(symbol)) is not None:
            truth.is_marked(None, self._now)

    def breaker(self, key: LaneKey, old: BreakerState, new: BreakerState) -> None:
        """A lane's breaker moved."""
        self.note(key.symbol, key.channel, "breaker", old.value, new.value)
        if key in self.lanes:
            self.lanes[key].retry_at_ns = self.retry_at(key) if new is BreakerState.OPEN else 0

    def connection(self, number: int, old: BreakerState, new: BreakerState) -> None:
        """A connection's breaker moved."""
        self.note("connection", number, old.value, new.value)

    def problem(self, text: str) -> None:
        """Something failed that is coped with."""
        self.problems += 1
        self.note("problem", text)

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know a symbol."""
        self.note(symbol, "refused", problem)

    # --- within -----------------------------------------------------------------------------------------------------------

    def _delivery(self, key: LaneKey, source: Source) -> LaneHistory:
        lane = self.lanes[key]
        lane.serve.delivers()
        if source is Source.STREAM:
            lane.serve.streams()
        return lane

    def _starts(self, key: LaneKey, lane: LaneHistory) -> None:
        """Between these two its first id lies: the newest of a little before the subscription, and that of now."""
        instrument = self._market.instruments[key.symbol]
        before = max(EPOCH_NS, lane.opened_ns - OLDER_NS)
        lane.ids.begin(self.newest(instrument, key, before) + 1, self.newest(instrument, key, self._now) + 1)

    def newest(self, instrument: Instrument, key: LaneKey, then_ns: int) -> int:
        """The newest id of a lane at a time."""
        if key.channel == Channel.TRADES:
            return instrument.at(then_ns).last_trade_id
        return instrument.newest_aggregate(then_ns)[0]

    def _believes(self, symbol: str, levels: Levels) -> None:
        moments = self._market.instruments[symbol].moments
        until = self._now
        for back in range(1, min(LOOK_BACK, len(moments)) + 1):
            if moments[-back].levels == levels:
                break
            until = moments[-back].at_ns
        self.truths[symbol].believes(levels, self._now, until)
