# ruff: noqa: INP001 -- a program beside the pages, not a package
"""Draws docs/images/run.svg: the table of a real run on the embedded exchange, seconds after its connection was cut.

Run it in the folder of flags.toml: ``python docs/make_pictures.py``.
"""

import io
import re
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from foxtrot.app.live_screen import LiveScreen
from foxtrot.app.run import Run, Stop
from foxtrot.app.run_plan import RunPlan, default_symbols
from foxtrot.app.summary import Ending, Outcome
from foxtrot.app.view import View
from foxtrot.core.event import Event
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.constants import LaneState
from foxtrot.util.system_clock import SystemClock

TARGET: Final = Path(__file__).parent / "images" / "run.svg"
WIDTH: Final = 122
HEIGHT: Final = 28
CALM_S: Final = 10.0
"""Seconds of undisturbed running before the streams of one symbol fall silent and all connections are closed."""


class Camera:
    """A screen that breaks the exchange once, and photographs one frame of what follows."""

    def __init__(self, sandbox: Sandbox, stop: Stop) -> None:
        self._sandbox = sandbox
        self._stop = stop
        self._broken_at: float | None = None
        self._console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
        self._screen = LiveScreen(self._console)

    def open(self, plan: RunPlan) -> None:
        """Nothing is drawn before the picture."""

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:
        """Keeps the news."""
        self._screen.tell(event, now_ns, may_block=may_block)

    def show(self, view: View) -> None:
        """Breaks, waits, photographs, ends."""
        if self._broken_at is None:
            if view.elapsed > CALM_S:
                self._broken_at = view.elapsed
                self._sandbox.chaos("first-data-never", symbol="ETHUSDT")
                self._sandbox.chaos("close")
        elif _is_told_apart(view):
            self._console.print(Text("$ foxtrot run", "bold"))
            self._console.print(self._screen.frame(view))
            picture = self._console.export_svg(title="foxtrot run")
            TARGET.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))  # it loads nothing from elsewhere
            self._stop.wish(Ending.SIGNAL)

    def ending(self) -> None:
        """Nothing is left to be done."""

    def close(self, outcome: Outcome) -> None:
        """Says where the picture is."""
        Console().print(f"{TARGET}: {outcome.verdict}")


def _is_told_apart(view: View) -> bool:
    """Whether BTCUSDT is home again while ETHUSDT, whose new stream stays empty, has been given up."""
    of_btc = [lane.state for lane in view.lanes if lane.symbol == "BTCUSDT"]
    of_eth = [lane.why for lane in view.lanes if lane.symbol == "ETHUSDT"]
    return set(of_btc) == {LaneState.STREAMING} and set(of_eth) == {"first data"}


def main() -> None:
    """Runs, breaks, draws."""
    flags = Path("flags.toml")
    with launch() as sandbox, tempfile.TemporaryDirectory() as state:
        setting: dict[str, object] = {
            "environment": "sandbox",
            "flags": str(flags),
            "state_dir": state,
            "rest_url": sandbox.rest_url,
            "stream_url": sandbox.stream_url,
        }
        plan = RunPlan("sandbox", default_symbols(flags), ("tick", "trades"), setting)
        stop = Stop()
        Run(plan, Camera(sandbox, stop), stop, SystemClock()).run()


if __name__ == "__main__":
    main()
