"""Shows a run to programs: one JSON object a line."""

from typing import Any, Final

import msgspec

from foxtrot.app.line_writer import LineWriter
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Outcome
from foxtrot.app.view import View
from foxtrot.core.event import Event
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import TickData

TYPES: Final = {
    EVENT_LOG: "log",
    EVENT_TRANSPORT: "transport",
    EVENT_HEALTH: "health",
    EVENT_GAP: "gap",
    EVENT_BACKFILL: "backfill",
    EVENT_TICK: "tick",
    EVENT_PUBLIC_TRADE: "trade",
    EVENT_AGG_TRADE: "agg_trade",
}
"""The ``type`` of an event's line."""

_STATUS_NS: Final = NS_PER_S


class JsonScreen:
    """``start``, ``endpoints``, ``contracts``, events, ``status`` per lane each second, ``summary`` per lane, ``end``.

    Every line has ``type`` and ``time_ns`` (nanoseconds since 1970 UTC).
    """

    def __init__(self, writer: LineWriter, clock: Clock) -> None:
        self._writer: Final = writer
        self._clock: Final = clock
        self._has_endpoints = False
        self._contracts = 0
        self._next_status_ns = 0

    def open(self, plan: RunPlan) -> None:
        """Says what is run."""
        self._put(
            "start",
            {"environment": plan.environment, "symbols": plan.symbols, "channels": plan.channels, "duration": plan.duration},
        )

    def tell(self, event: Event, now_ns: int) -> None:
        """One line for the event, with the fields of its data; of a tick only those that say something."""
        fields = msgspec.structs.asdict(event.data)
        if isinstance(event.data, TickData):
            fields = {name: value for name, value in fields.items() if value}
        self._put(TYPES.get(event.type, event.type), fields, now_ns)

    def show(self, view: View) -> None:
        """The addresses once, the number of instruments when it changes, every lane once a second."""
        if view.endpoints is not None and not self._has_endpoints:
            self._has_endpoints = True
            self._put("endpoints", msgspec.structs.asdict(view.endpoints))
        if view.contracts != self._contracts:
            self._contracts = view.contracts
            self._put("contracts", {"count": view.contracts})
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            for lane in view.lanes:
                self._put("status", msgspec.structs.asdict(lane))

    def ending(self) -> None:
        """What cannot be written at once is let go."""
        self._writer.end_soon()

    def close(self, outcome: Outcome) -> None:
        """A summary per lane, then the end with the exit code and its reason."""
        for lane in outcome.lanes:
            self._put("summary", {name: value for name, value in msgspec.to_builtins(lane).items() if name != "type"})
        self._put(
            "end",
            {
                "ending": outcome.ending,
                "seconds": round(outcome.seconds, 3),
                "delivered": outcome.delivered,
                "exit_code": outcome.exit_code,
                "verdict": outcome.verdict,
            },
        )
        self._writer.close()

    def _put(self, kind: str, fields: dict[str, Any], time_ns: int | None = None) -> None:
        line = {"type": kind, **fields, "time_ns": self._clock.now_ns() if time_ns is None else time_ns}
        self._writer.put(msgspec.json.encode(line).decode())
