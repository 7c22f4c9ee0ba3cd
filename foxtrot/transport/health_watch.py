"""Watches how far each symbol's data can be trusted, and says when that changes.

A symbol is looked at when one of its lanes has been told something, when time alone may have changed what is known of it, while
it is blind (a frame may end that, and nobody is told of a frame), and with all others when what concerns them all has changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from foxtrot.transport.base import Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.health import Circumstances, Finding, bound_ns, of_lane, worst
from foxtrot.transport.lane import Lane
from foxtrot.transport.polling import INTERVAL_NS, Polling
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Health, Serving

_NEVER: Final = 1 << 63


class _Around(NamedTuple):
    """What concerns every symbol: how often pages and figures can be asked for, and what the venue lets be asked at all."""

    page_ns: int
    rotation_ns: int
    is_silenced: bool
    halted: frozenset[str]


class HealthWatch:
    """Of all lanes, by symbol; ``on_change(symbol, finding)`` hears what is new."""

    def __init__(
        self,
        lanes: Mapping[str, Sequence[Lane]],
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
        self._due: dict[str, int] = {}  # when time alone may change what was found; not there: it is to be looked at
        self._page_weight = 0
        self._is_touched = True
        self._last_around: _Around | None = None
        self.halted: frozenset[str] = frozenset()

    def finding(self, symbol: str) -> Finding | None:
        """A symbol's health now, None where it has no lane; from any thread."""
        now = self._clock.now_ns()
        lanes = list(self._lanes.get(symbol, ()))  # the copy is atomic: the loop may be opening lanes
        return worst(self._findings(lanes, self._around(now), now))

    def touch(self, symbol: str) -> None:
        """One of its lanes is told something."""
        self._due.pop(symbol, None)
        self._is_touched = True

    def forget(self, symbol: str) -> None:
        """It has no lane any more."""
        self._found.pop(symbol, None)
        self._due.pop(symbol, None)

    def look(self, together: int) -> Iterator[None]:
        """Says what has changed; yields after so many lanes, for others to have their turn."""
        now = self._clock.now_ns()
        if self._is_touched:
            self._is_touched = False
            self._weigh_pages()
        around = self._around(now)
        if around != self._last_around:
            self._last_around = around
            self._due.clear()
        seen = 0
        for symbol in [symbol for symbol in self._lanes if self._due.get(symbol, 0) <= now]:
            if lanes := self._lanes.get(symbol):
                self._look_at(symbol, lanes, around)
                seen += len(lanes)
            if seen >= together:
                seen = 0
                yield

    def _look_at(self, symbol: str, lanes: Sequence[Lane], around: _Around) -> None:
        now = self._clock.now_ns()
        findings = self._findings(lanes, around, now)
        finding, last = worst(findings), self._found.get(symbol)
        assert finding is not None  # it has lanes
        match finding.health:
            case Health.BLIND:
                self._due.pop(symbol, None)
            case Health.HALTED:
                self._due[symbol] = _NEVER
            case _:
                self._due[symbol] = 1 + min(
                    each.confirmed_ns + bound_ns(_interval_ns(lane, around)) for lane, each in zip(lanes, findings, strict=True)
                )
        if last is None or finding[:3] != last[:3]:
            self._found[symbol] = finding
            self._on_change(symbol, finding)

    def _findings(self, lanes: Sequence[Lane], around: _Around, now_ns: int) -> list[Finding]:
        return [
            of_lane(
                lane.status,
                wants_stream=lane.wants_stream,
                around=Circumstances(
                    now_ns, _interval_ns(lane, around), lane.is_held, lane.key.symbol in around.halted, around.is_silenced
                ),
            )
            for lane in lanes
        ]

    def _around(self, now_ns: int) -> _Around:
        page_ns = max(INTERVAL_NS, int(self._page_weight / self._budget.spare_per_second * NS_PER_S))
        return _Around(page_ns, self._polling.rotation_ns, self._budget.is_silenced(now_ns), self.halted)

    def _weigh_pages(self) -> None:
        """What one request for each polled lane weighs together: health waits for them as the weight allows."""
        polled = (lane for lanes in self._lanes.values() for lane in lanes if lane.serving is Serving.POLL)
        calls = ((lane.key, lane.values.poll_call) for lane in polled if lane.is_started)
        self._page_weight = sum(self._rest.weight(call[0], key, call[1]) for key, call in calls if call is not None)


def _interval_ns(lane: Lane, around: _Around) -> int:
    """How often polling is planned to confirm a lane: quotes each beat, ids with the figures, pages as the weight allows."""
    if lane.values.poll_call is None:
        return INTERVAL_NS
    pages_ns = around.page_ns if lane.serving is Serving.POLL else INTERVAL_NS
    return max(pages_ns, around.rotation_ns)
