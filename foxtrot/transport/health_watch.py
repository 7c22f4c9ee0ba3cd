"""Watches how far each symbol's data can be trusted, and says when that changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from foxtrot.transport.base import LaneKey, Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.health import Circumstances, Finding, of_lane, worst
from foxtrot.transport.lane import Lane
from foxtrot.transport.polling import INTERVAL_NS, Polling
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Serving


class HealthWatch:
    """Of all symbols in ``lanes``; ``on_change(symbol, finding)`` hears what is new."""

    def __init__(
        self,
        lanes: Mapping[LaneKey, Lane],
        rest: Rest,
        budget: WeightBudget,
        polling: Polling,
        clock: Clock,
        on_change: Callable[[str, Finding], None],
    ) -> None:
        self._lanes: Final = lanes
        self._rest = rest
        self._budget = budget
        self._polling = polling
        self._clock = clock
        self._on_change = on_change
        self._found: dict[str, Finding] = {}
        self._page_interval_ns = INTERVAL_NS
        self.halted: frozenset[str] = frozenset()

    def finding(self, symbol: str) -> Finding | None:
        """A symbol's health now, None where it has no lane; from any thread."""
        lanes = dict(self._lanes)  # the copy is atomic: the loop may be opening lanes
        return self._finding([lane for key, lane in lanes.items() if key.symbol == symbol])

    def forget(self, symbol: str) -> None:
        """It has no lane any more."""
        self._found.pop(symbol, None)

    def look(self, together: int) -> Iterator[None]:
        """Says what has changed; yields after so many lanes, for others to have their turn."""
        self._plan_pages()
        by_symbol: dict[str, list[Lane]] = {}
        for key, lane in self._lanes.items():
            by_symbol.setdefault(key.symbol, []).append(lane)
        seen = 0
        for symbol, lanes in by_symbol.items():
            finding, last = self._finding(lanes), self._found.get(symbol)
            if finding is not None and (last is None or finding[:3] != last[:3]) and lanes[0].key in self._lanes:
                self._found[symbol] = finding
                self._on_change(symbol, finding)
            seen += len(lanes)
            if seen >= together:
                seen = 0
                yield

    def _finding(self, lanes: Iterable[Lane]) -> Finding | None:
        now = self._clock.now_ns()
        is_silenced = self._budget.is_silenced(now)
        rotation_ns = self._polling.rotation_ns
        return worst(
            of_lane(
                lane.status,
                wants_stream=lane.wants_stream,
                around=Circumstances(
                    now, self._interval_ns(lane, rotation_ns), lane.is_held, lane.key.symbol in self.halted, is_silenced
                ),
            )
            for lane in lanes
        )

    def _interval_ns(self, lane: Lane, rotation_ns: int) -> int:
        """How often polling is planned to confirm a lane: quotes each beat, ids with the figures, pages as the weight allows."""
        if lane.quotes is not None:
            return INTERVAL_NS
        pages = self._page_interval_ns if lane.serving is Serving.POLL else INTERVAL_NS
        return max(pages, rotation_ns)

    def _plan_pages(self) -> None:
        """How often each polled id lane can be asked for a page, as the weight allows: health waits for it."""
        polled = (key for key, lane in self._lanes.items() if lane.ids and lane.serving is Serving.POLL)
        weight = sum(self._rest.weight("page", key) for key in polled)
        self._page_interval_ns = max(INTERVAL_NS, int(weight / self._budget.spare_per_second * NS_PER_S))
