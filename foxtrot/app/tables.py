"""Draws views and summaries as tables that fit the width there is."""

import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foxtrot.app.summary import LaneSummary, Outcome, Quantiles
from foxtrot.app.view import LaneView, View
from foxtrot.util.constants import Health, Serving

PIPE_WIDTH: Final = 160
"""Columns where no terminal says how many there are."""

_HEALTH: Final = {
    Health.LIVE: "green",
    Health.DEGRADED: "yellow",
    Health.SUSPECT: "magenta",
    Health.BLIND: "bold red",
    Health.HALTED: "dim",
}
_SERVING: Final = {Serving.STREAM: "green", Serving.POLL: "cyan", Serving.NONE: "bold red"}
_GAP: Final = 2  # blanks between two columns
_ELASTIC: Final = "why"  # what is cut short where its column is wider than the room
_WIDE_ONLY: Final = frozenset({"state", "backfilled"})
_FULL_SUMMARY: Final = 118  # columns that the whole summary takes


class Column(NamedTuple):
    """One column of the live table: how wide it is at least, and how soon it yields when the width is short (0: never).

    Columns of the same number go together.
    """

    title: str
    width: int
    yields: int
    cell: Callable[[LaneView], Text]
    justify: Literal["left", "right"] = "right"
    is_of_symbol: bool = False


def price(value: float | None, decimals: int) -> str:
    """``64120.30`` on the instrument's own decimals; ``-`` for none."""
    return "-" if value is None else f"{value:.{decimals}f}"


def age(seconds: float | None) -> str:
    """``0.4s``, ``75s``, ``12m``; ``-`` for never."""
    if seconds is None:
        return "-"
    shown = max(seconds, 0.0)
    if shown < 10:  # noqa: PLR2004 -- from ten seconds on tenths tell nothing
        return f"{shown:.1f}s"
    return f"{shown:.0f}s" if shown < 600 else f"{shown / 60:.0f}m"  # noqa: PLR2004 -- ten minutes


def rate(per_second: float) -> str:
    """``12.5``; ``1250`` without its tenths."""
    return f"{per_second:.1f}" if per_second < 1_000 else f"{per_second:.0f}"  # noqa: PLR2004 -- four digits


def why(lane: LaneView) -> str:
    """``pin``; ``audit, 4s`` or ``quarantine, 59m`` while the stream may not be tried for so long."""
    if lane.retry_in is None:
        return lane.why
    left = f"{math.ceil(lane.retry_in)}s" if lane.retry_in < 600 else f"{lane.retry_in / 60:.0f}m"  # noqa: PLR2004 -- ten minutes
    return f"{lane.why}, {left}"


def gap_style(lane: LaneView | LaneSummary) -> str:
    """Red while ids are missing, yellow once all of them have been found."""
    if not lane.gaps:
        return ""
    return "yellow" if lane.missing and lane.missing == lane.backfilled else "bold red"


COLUMNS: Final = (
    Column("symbol", 8, 0, lambda lane: Text(lane.symbol, "bold"), "left", is_of_symbol=True),
    Column("health", 8, 0, lambda lane: Text(lane.health.upper(), _HEALTH[lane.health]), "left", is_of_symbol=True),
    Column("channel", 7, 1, lambda lane: Text(lane.channel), "left"),
    Column("serves", 6, 0, lambda lane: Text(lane.serving, _SERVING[lane.serving]), "left"),
    Column("why", 10, 5, lambda lane: Text(why(lane)), "left"),
    Column("last", 8, 3, lambda lane: Text(price(lane.last, lane.decimals))),
    Column("bid", 8, 9, lambda lane: Text(price(lane.bid, lane.decimals))),
    Column("ask", 8, 9, lambda lane: Text(price(lane.ask, lane.decimals))),
    Column("age", 4, 6, lambda lane: Text(age(lane.age))),
    Column("msg/s", 5, 7, lambda lane: Text(rate(lane.rate))),
    Column("delivered", 9, 2, lambda lane: Text(str(lane.delivered))),
    Column("gaps", 4, 4, lambda lane: Text(str(lane.gaps), gap_style(lane))),
    Column("switches", 8, 8, lambda lane: Text(str(lane.switches))),
)
"""The columns of the live table, from left to right."""


def columns_for(width: int) -> list[Column]:
    """The columns that fit ``width``: those that yield soonest are left out first."""
    kept = list(COLUMNS)
    while sum(column.width + _GAP for column in kept) - _GAP > width and any(column.yields for column in kept):
        first = max(column.yields for column in kept)
        kept = [column for column in kept if column.yields != first]
    return kept


def live_table(lanes: Sequence[LaneView], width: int, rows: int) -> Table:
    """One row a lane, ``rows`` at most; what is left out is counted in the last one."""
    shown = lanes if len(lanes) <= rows else lanes[: max(rows - 1, 1)]
    natural = {column.title: max((len(column.cell(lane)) for lane in shown), default=0) for column in COLUMNS}
    wider = sum(max(0, natural[column.title] - column.width) for column in COLUMNS if column.title != _ELASTIC)
    columns = columns_for(width - wider)
    room = width - wider - sum(column.width + _GAP for column in columns) + _GAP
    table = _table()
    for column in columns:
        table.add_column(
            column.title,
            justify=column.justify,
            no_wrap=True,
            overflow="ellipsis",
            min_width=column.width,
            max_width=column.width + max(0, room) if column.title == _ELASTIC else None,
        )
    for lane, above in zip(shown, (None, *shown), strict=False):
        table.add_row(*_cells(lane, above, columns))
    if len(shown) < len(lanes):
        table.add_row(Text(f"+{len(lanes) - len(shown)} more", "dim"))
    return table


def _cells(lane: LaneView, above: LaneView | None, columns: Sequence[Column]) -> list[Text]:
    """A lane's row; what is the symbol's own stands once."""
    is_first = above is None or above.symbol != lane.symbol
    return [column.cell(lane) if is_first or not column.is_of_symbol else Text() for column in columns]


def title_lines(view: View) -> list[Text]:
    """What runs, where, for how long; in a sandbox also how to break it."""
    left = f", {max(view.left, 0.0):.0f} s to go" if view.left is not None else ""
    lines = [Text.assemble(("Foxtrot", "bold"), f" on {view.environment}, {view.elapsed:.0f} s{left}")]
    if view.endpoints is None:
        return [*lines, Text("connecting ...", "dim")]
    lines.append(Text(f"REST {view.endpoints.rest}  streams {view.endpoints.stream}", "dim"))
    return [*lines, *(Text(hint, "dim") for hint in hints(view))]


def hints(view: View) -> list[str]:
    """In a sandbox, the command that breaks it."""
    port = urlsplit(view.endpoints.rest).port if view.endpoints else None
    return [f"break it: foxtrot chaos close --port {port}"] if view.environment == "sandbox" and port else []


def lane_line(lane: LaneView) -> str:
    """A lane in one line of text."""
    quote = f" {price(lane.bid, lane.decimals)}/{price(lane.ask, lane.decimals)}" if lane.bid or lane.ask else ""
    found = f" ({lane.backfilled} of {lane.missing} ids found)" if lane.missing else ""
    return (
        f"{lane.symbol:<9} {lane.channel:<10} {lane.health.upper():<8} {lane.serving:<6} {why(lane)}: "
        f"last {price(lane.last, lane.decimals)}{quote}, age {age(lane.age)}, {rate(lane.rate)}/s, delivered {lane.delivered}, "
        f"gaps {lane.gaps}{found}, switches {lane.switches}"
    )


def summary_table(outcome: Outcome, width: int) -> Table:
    """One row a lane; a narrow one goes without the state and what was backfilled (the verdict says it)."""
    is_narrow = width < _FULL_SUMMARY
    table = _table(1 if is_narrow else _GAP)
    for title in ("symbol", "channel", *(() if is_narrow else ("state",)), "serves"):
        table.add_column(title, no_wrap=True)
    for title in (
        "delivered",
        "gaps",
        *(() if is_narrow else ("backfilled",)),
        "dup dropped",
        "dup delivered",
        "switches",
        "p50 ms",
        "p99 ms",
    ):
        table.add_column(title, justify="right")
    above = ""
    for lane in outcome.lanes:
        cells = _summary_cells(lane, is_first=lane.symbol != above)
        table.add_row(*(cell for title, cell in cells if not (is_narrow and title in _WIDE_ONLY)))
        above = lane.symbol
    return table


def plain_text(table: Table) -> str:
    """The table as text, ``PIPE_WIDTH`` columns wide at most, without colours or trailing blanks."""
    console = Console(file=io.StringIO(), width=PIPE_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _summary_cells(lane: LaneSummary, *, is_first: bool) -> Iterable[tuple[str, Text]]:
    ages = lane.event_age_ms or lane.local_age_ms or Quantiles(None, None)
    bad = "bold red"
    yield "symbol", Text(lane.symbol if is_first else "", "bold")
    yield "channel", Text(lane.channel)
    yield "state", Text(lane.state or "-")
    yield "serves", Text(lane.serving, _SERVING[lane.serving])
    yield "delivered", Text(f"{lane.delivered}")
    yield "gaps", Text(f"{lane.gaps}", gap_style(lane))
    yield "backfilled", Text(f"{lane.backfilled:,} of {lane.missing:,}" if lane.missing else "-")
    yield "dup dropped", Text(f"{lane.duplicates_dropped}")
    yield "dup delivered", Text(f"{lane.duplicates_delivered}", bad if lane.duplicates_delivered else "")
    yield "switches", Text(f"{lane.switches}")
    yield "p50 ms", Text(_milliseconds(ages.p50))
    yield "p99 ms", Text(_milliseconds(ages.p99))


def _table(gap: int = _GAP) -> Table:
    # The box itself puts one blank between two columns.
    return Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap - 1, 0, 0))


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
