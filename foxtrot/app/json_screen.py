"""Shows a run to programs: one JSON object a line."""

import logging
from typing import Any, Final

import msgspec

from foxtrot.app.line_writer import LineWriter
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Outcome
from foxtrot.app.view import View
from foxtrot.app.words import let_go_phrase
from foxtrot.core.event import Event
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BACKFILL,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import LogData, TickData

TYPES: Final = {
    EVENT_LOG: "log",
    EVENT_TRANSPORT: "transport",
    EVENT_HEALTH: "health",
    EVENT_GAP: "gap",
    EVENT_BACKFILL: "backfill",
    EVENT_TICK: "tick",
    EVENT_PUBLIC_TRADE: "trade",
    EVENT_AGG_TRADE: "agg_trade",
    EVENT_BOOK: "book",
    EVENT_BAR: "bar",
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
        self._told_let_go = 0

    def open(self, plan: RunPlan) -> None:
        """Says what is run."""
        self._offer(
            "start",
            {"environment": plan.environment, "symbols": plan.symbols, "channels": plan.channels, "duration": plan.duration},
        )

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:
        """One line for the event, with the fields of its data; of a tick only those that say something."""
        fields = msgspec.structs.asdict(event.data)
        if isinstance(event.data, TickData):
            fields = {name: value for name, value in fields.items() if value}
        line = self._line(TYPES.get(event.type, event.type), fields, now_ns)
        if may_block:
            self._writer.put(line)
        else:
            self._writer.offer(line)

    def show(self, view: View) -> None:
        """The addresses once, the number of instruments when it changes, every lane once a second; what was let go."""
        let_go = self._writer.let_go
        if let_go != self._told_let_go and self._writer.offer(self._let_go_line(let_go)):
            self._told_let_go = let_go
        if view.endpoints is not None and not self._has_endpoints:
            self._has_endpoints = self._offer("endpoints", msgspec.structs.asdict(view.endpoints))
        if view.contracts != self._contracts and self._offer("contracts", {"count": view.contracts}):
            self._contracts = view.contracts
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            for lane in view.lanes:
                self._offer("status", msgspec.structs.asdict(lane))

    def ending(self) -> None:
        """What cannot be written at once is let go."""
        self._writer.end_soon()

    def close(self, outcome: Outcome) -> None:
        """What was let go, a summary per lane, then the end with the exit code and its reason."""
        let_go = self._writer.let_go
        lines = [self._let_go_line(let_go)] if let_go != self._told_let_go else []
        for lane in outcome.lanes:
            fields = {name: value for name, value in msgspec.to_builtins(lane).items() if name != "type"}
            lines.append(self._line("summary", fields))
        end = {
            "ending": outcome.ending,
            "seconds": round(outcome.seconds, 3),
            "delivered": outcome.delivered,
            "exit_code": outcome.exit_code,
            "verdict": outcome.verdict,
        }
        self._writer.close([*lines, self._line("end", end)])

    def _let_go_line(self, count: int) -> str:
        log = LogData(adapter_name="", msg=let_go_phrase(count), level=logging.WARNING)
        return self._line("log", msgspec.structs.asdict(log))

    def _offer(self, kind: str, fields: dict[str, Any]) -> bool:
        return self._writer.offer(self._line(kind, fields))

    def _line(self, kind: str, fields: dict[str, Any], time_ns: int | None = None) -> str:
        line = {"type": kind, **fields, "time_ns": self._clock.now_ns() if time_ns is None else time_ns}
        return msgspec.json.encode(line).decode()
