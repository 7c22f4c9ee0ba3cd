"""Shows a run where there is no terminal: lines of text."""

from typing import Final

from foxtrot.app.line_writer import LineWriter
from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Outcome
from foxtrot.app.tables import PIPE_WIDTH, hints, lane_line, plain_text, summary_table
from foxtrot.app.view import View
from foxtrot.app.words import clock_time, is_news, phrase
from foxtrot.core.event import Event
from foxtrot.util.clock import NS_PER_S, Clock

_STATUS_NS: Final = 5 * NS_PER_S


class PlainScreen:
    """What happens as it happens, and a line for each lane every five seconds; the summary as a table."""

    def __init__(self, writer: LineWriter, clock: Clock) -> None:
        self._writer: Final = writer
        self._clock: Final = clock
        self._is_connected = False
        self._next_status_ns = clock.monotonic_ns() + _STATUS_NS

    def open(self, plan: RunPlan) -> None:
        """Says what is run."""
        self._put(f"{plan.environment}: {', '.join(plan.channels)} of {', '.join(plan.symbols)}")

    def tell(self, event: Event, now_ns: int) -> None:
        """One line for what is worth one."""
        if is_news(event):
            self._put(phrase(event), now_ns)

    def show(self, view: View) -> None:
        """How to break a sandbox, once; the lanes every five seconds."""
        if view.endpoints is not None and not self._is_connected:
            self._is_connected = True
            for line in hints(view):
                self._put(line)
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            for lane in view.lanes:
                self._put(lane_line(lane))

    def ending(self) -> None:
        """What cannot be written at once is let go."""
        self._writer.end_soon()

    def close(self, outcome: Outcome) -> None:
        """The summary and the verdict."""
        self._writer.put(plain_text(summary_table(outcome, PIPE_WIDTH)))
        self._writer.put(outcome.verdict)
        self._writer.close()

    def _put(self, text: str, now_ns: int | None = None) -> None:
        self._writer.put(f"{clock_time(self._clock.now_ns() if now_ns is None else now_ns)} {text}")
