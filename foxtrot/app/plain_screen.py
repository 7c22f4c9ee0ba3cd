"""Shows a run where there is no terminal: lines of text."""

from typing import Final

from foxtrot.app.line_writer import LineWriter
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Outcome
from foxtrot.app.tables import PIPE_WIDTH, hints, lane_line, plain_text, summary_table
from foxtrot.app.view import View
from foxtrot.app.words import clock_time, is_news, let_go_phrase, phrase
from foxtrot.core.event import Event
from foxtrot.util.clock import NS_PER_S, Clock

_STATUS_NS: Final = 5 * NS_PER_S


class PlainScreen:
    """What happens as it happens, and a line for each lane every five seconds; the summary as a table."""

    def __init__(self, writer: LineWriter, clock: Clock) -> None:
        self._writer: Final = writer
        self._clock: Final = clock
        self._is_connected = False
        self._told_let_go = 0
        self._next_status_ns = clock.monotonic_ns() + _STATUS_NS

    def open(self, plan: RunPlan) -> None:
        """Says what is run."""
        self._offer(f"{plan.environment}: {', '.join(plan.channels)} of {', '.join(plan.symbols)}")

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:
        """One line for what is worth one."""
        if not is_news(event):
            return
        line = f"{clock_time(now_ns)} {phrase(event)}"
        if may_block:
            self._writer.put(line)
        else:
            self._writer.offer(line)

    def show(self, view: View) -> None:
        """How to break a sandbox, once; the lanes every five seconds; what was let go."""
        let_go = self._writer.let_go
        if let_go != self._told_let_go and self._offer(let_go_phrase(let_go)):
            self._told_let_go = let_go
        if view.endpoints is not None and not self._is_connected:
            self._is_connected = True
            for line in hints(view):
                self._offer(line)
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            for lane in view.lanes:
                self._offer(lane_line(lane))

    def ending(self) -> None:
        """What cannot be written at once is let go."""
        self._writer.end_soon()

    def close(self, outcome: Outcome) -> None:
        """What was let go, the summary and the verdict."""
        let_go = self._writer.let_go
        lines = [let_go_phrase(let_go)] if let_go != self._told_let_go else []
        self._writer.close([*lines, plain_text(summary_table(outcome, PIPE_WIDTH)), outcome.verdict])

    def _offer(self, text: str) -> bool:
        return self._writer.offer(f"{clock_time(self._clock.now_ns())} {text}")
