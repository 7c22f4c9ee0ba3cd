"""Shows a run in a terminal: a table that lives, the last news beneath it."""

import logging
import os
from collections import deque
from contextlib import suppress
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from foxtrot.app.run_plan import RunPlan
from foxtrot.app.summary import OK, Outcome
from foxtrot.app.tables import live_table, summary_table, title_lines
from foxtrot.app.view import View
from foxtrot.app.words import clock_time, is_news, level_of, phrase
from foxtrot.core.event import Event

_KEPT: Final = 200  # news, of which the last fit on the screen
_LEAST_NEWS: Final = 3  # lines kept free for them
_MOST_NEWS: Final = 12
_LEAST_ROWS: Final = 2  # one lane, and how many more there are
_HEAD: Final = 4  # the titles of the columns, their rule, and a blank line above and below
_LEAVE_SCREEN: Final = "\x1b[?1049l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_STYLES: Final = {logging.WARNING: "yellow", logging.ERROR: "bold red", logging.CRITICAL: "bold red"}


class LiveScreen:
    """A frame that fits the terminal: the title, one row a lane, the last news. Drawn when told to, by the main thread."""

    def __init__(self, console: Console) -> None:
        self._console: Final = console
        self._live: Final = Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop")
        self._news: Final[deque[Text]] = deque(maxlen=_KEPT)
        self._grave: Final[deque[Text]] = deque(maxlen=_MOST_NEWS)

    def open(self, plan: RunPlan) -> None:
        """Begins to draw; the cursor is hidden until the close."""
        self._live.start()
        self._live.update(Text(f"starting: {', '.join(plan.symbols)}"), refresh=True)

    def tell(self, event: Event, now_ns: int, *, may_block: bool = True) -> None:  # noqa: ARG002 -- it never blocks
        """Keeps it for the next frame."""
        if not is_news(event):
            return
        level = level_of(event)
        line = Text(f"{clock_time(now_ns)} {phrase(event)}", _STYLES.get(level, ""))
        self._news.append(line)
        if level >= logging.ERROR:
            self._grave.append(line)

    def show(self, view: View) -> None:
        """Draws a frame."""
        self._live.update(self.frame(view), refresh=True)

    def frame(self, view: View) -> Group:
        """One frame for the terminal's present size."""
        width, height = self._console.size
        title = title_lines(view)
        room = height - len(title) - _HEAD
        rows = min(len(view.lanes), max(_LEAST_ROWS, room - _LEAST_NEWS))
        count = max(0, min(_MOST_NEWS, room - rows))
        news = list(self._news)[-count:] if count else []
        for line in (*title, *news):
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*title, Text(), live_table(view.lanes, width, rows), Text(), *news)

    def ending(self) -> None:
        """Nothing to do: a terminal that is there takes what is drawn; where it does not, a signal's watch ends the run."""

    def close(self, outcome: Outcome) -> None:
        """Takes the frame away; leaves the errors, the summary and the verdict."""
        self._live.stop()
        for line in self._grave:
            self._console.print(line)
        self._console.print(summary_table(outcome, self._console.width))
        self._console.print(Text(outcome.verdict, "bold green" if outcome.exit_code == OK else "bold red"))

    def abandon(self) -> None:
        """Gives the terminal back, without a summary: for an end at once, from any thread, whatever is being drawn."""
        sequence = (_LEAVE_SCREEN if self._console.is_alt_screen else "") + _SHOW_CURSOR + "\n"
        with suppress(OSError, ValueError):  # the terminal has gone
            os.write(self._console.file.fileno(), sequence.encode())  # past the console's lock and its buffer
