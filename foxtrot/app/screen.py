"""What shows a run: the protocol that the table, the lines and the JSON fulfil."""

from typing import Protocol

from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import Outcome
from foxtrot.app.view import View
from foxtrot.core.event import Event


class Screen(Protocol):
    """Shows a run.

    ``open``, ``show``, ``ending`` and ``close`` come from the main thread, which sees to signals: they do not wait for good on a
    reader that stalls. ``tell`` comes from the event thread, or from any with ``may_block=False``.
    """

    def open(self, plan: RunPlan) -> None:
        """The run begins."""
        ...

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:
        """A log, transport, health, gap or backfill event; ``now_ns`` is the time of now.

        It waits for a reader that is slow, until :meth:`ending`; with ``may_block=False`` it is let go instead.
        """
        ...

    def show(self, view: View) -> None:
        """How the run stands; several times a second."""
        ...

    def ending(self) -> None:
        """The run is about to end: from here on nothing here may block."""
        ...

    def close(self, outcome: Outcome) -> None:
        """The run has ended."""
        ...
