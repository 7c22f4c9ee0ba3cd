# ruff: noqa: INP001 -- a program beside the pages, not a package
"""Draws the moves of a lane as an SVG: what is told of each arrow comes from the table that the machine is held to."""

import html
import textwrap
from enum import StrEnum
from typing import Final, NamedTuple

from foxtrot.transport.lane_table import MOVES, Move
from foxtrot.util.constants import LaneState

WIDTH: Final = 1130
HEIGHT: Final = 650
FONT: Final = "-apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
BOX: Final = (176, 64)
RADIUS: Final = 11
LINE: Final = 17
"""Pixels from one line of a label to the next."""


class Kind(StrEnum):
    """What causes a move, as a colour."""

    DECISION = "#64748b"  # the flags, or a kill
    RISE = "#15803d"  # towards the stream
    FALL = "#b91c1c"  # back to polling


class Box(NamedTuple):
    """Where a state stands, and what it does; x and y are those of its centre."""

    x: int
    y: int
    does: str
    fill: str


class Arrow(NamedTuple):
    """How a move is drawn: an SVG path, where its number stands, and where its words (none: the page's table has them).

    ``letters`` is how many of them fit in one line.
    """

    path: str
    number: tuple[int, int]
    words: tuple[int, int] | None = None
    anchor: str = "start"
    letters: int = 26


BOXES: Final = {
    LaneState.POLLING: Box(150, 170, "poll serves, no stream", "#e0f2fe"),
    LaneState.SHADOW: Box(150, 440, "poll serves, stream compared", "#e0f2fe"),
    LaneState.PROVING: Box(500, 170, "poll serves, stream judged", "#fef9c3"),
    LaneState.STREAMING: Box(930, 170, "stream serves, beat audits", "#dcfce7"),
    LaneState.FALLBACK: Box(740, 440, "poll serves, stream waits", "#fee2e2"),
    LaneState.CLOSED: Box(565, 605, "", "#e2e8f0"),
}

_P, _S, _V, _L, _F = (
    LaneState.POLLING,
    LaneState.SHADOW,
    LaneState.PROVING,
    LaneState.STREAMING,
    LaneState.FALLBACK,
)

ARROWS: Final = {
    (_P, _P): Arrow("M 80 138 V 116 Q 80 104 92 104 H 98 Q 110 104 110 116 V 134", (95, 104), (44, 84)),
    (_P, _S): Arrow("M 115 202 V 404", (115, 290)),
    (_S, _P): Arrow("M 185 408 V 206", (185, 330)),
    (_P, _V): Arrow("M 238 156 H 408", (306, 156)),
    (_V, _P): Arrow("M 412 184 H 242", (340, 184)),
    (_P, _F): Arrow("M 238 196 L 648 426", (530, 360)),
    (_F, _P): Arrow("M 652 446 L 228 206", (482, 350)),
    (_S, _V): Arrow("M 222 408 L 444 206", (262, 372)),
    (_V, _S): Arrow("M 470 202 L 238 414", (300, 357)),
    (_S, _F): Arrow("M 238 438 H 648", (430, 438)),
    (_F, _S): Arrow("M 652 460 H 242", (460, 460)),
    (_V, _V): Arrow("M 485 138 V 116 Q 485 104 497 104 H 503 Q 515 104 515 116 V 134", (500, 104), (530, 92)),
    (_V, _L): Arrow("M 588 170 H 838", (713, 170), (713, 198), "middle", 50),
    (_V, _F): Arrow("M 540 202 L 700 404", (605, 284), (556, 252), "end", 14),
    (_F, _V): Arrow("M 740 408 L 574 206", (664, 316), (680, 264)),
    (_L, _F): Arrow("M 918 202 L 792 404", (855, 303), (876, 308)),
    (_F, _F): Arrow("M 828 426 H 850 Q 862 426 862 438 V 444 Q 862 456 850 456 H 832", (862, 441), (882, 428)),
    (_L, _P): Arrow("M 930 138 V 62 Q 930 50 918 50 H 217 Q 205 50 205 62 V 134", (565, 50)),
    (_L, _S): Arrow("M 1018 170 H 1076 Q 1088 170 1088 182 V 516 Q 1088 528 1076 528 H 162 Q 150 528 150 516 V 476", (565, 528)),
}
"""Every move but those to CLOSED, which leave the frame around all other states."""


def numbered() -> list[tuple[int, Move]]:
    """The moves that have an arrow of their own, with the numbers that they bear in the picture and in the page."""
    moves = [move for move in MOVES if move.new is not LaneState.CLOSED]
    if {(move.old, move.new) for move in moves} != ARROWS.keys():
        raise SystemExit("docs/lane_picture.py: the table of moves has changed; give each move its arrow in ARROWS")
    return list(enumerate(moves, 1))


def kind_of(move: Move) -> Kind:
    """Decisions stand apart; else what counts is where the move leads."""
    if move.when.startswith("decision") or move.new is LaneState.POLLING:
        return Kind.DECISION
    return Kind.FALL if move.new is LaneState.FALLBACK else Kind.RISE


def picture() -> str:
    """The whole SVG. It brings its own background, so it reads on a light and on a dark page."""
    moves = numbered()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="{FONT}" font-size="13" role="img" aria-label="The states of a lane and the moves between them">'
    )
    parts = [
        head,
        "<defs>",
        *(_head(kind) for kind in Kind),
        "</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#ffffff"/>',
        '<rect x="20" y="20" width="1090" height="530" rx="16" fill="#f8fafc" stroke="#cbd5e1"/>',
        *(_line(number, move) for number, move in moves),
        *(_number(number, move) for number, move in moves),
        *(_words(move) for _, move in moves),
        _end(),
        *(_box(state, box) for state, box in BOXES.items()),
        _legend(),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(kind: Kind) -> str:
    return (
        f'<marker id="{kind.name}" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M 0 0 L 10 5 L 0 10 z" fill="{kind}"/></marker>'
    )


def _line(_number: int, move: Move) -> str:
    kind, arrow = kind_of(move), ARROWS[move.old, move.new]
    style = ' stroke-width="1.4" stroke-dasharray="5 4"' if kind is Kind.DECISION else ' stroke-width="2.4"'
    return f'<path d="{arrow.path}" fill="none" stroke="{kind}"{style} marker-end="url(#{kind.name})"/>'


def _number(number: int, move: Move) -> str:
    kind, (x, y) = kind_of(move), ARROWS[move.old, move.new].number
    return (
        f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="#ffffff" stroke="{kind}" stroke-width="1.4"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle" font-size="12" font-weight="600" fill="{kind}">{number}</text>'
    )


def _words(move: Move) -> str:
    arrow = ARROWS[move.old, move.new]
    if arrow.words is None:
        return ""
    x, y = arrow.words
    lines = textwrap.wrap(move.when, arrow.letters)
    spans = "".join(f'<tspan x="{x}" dy="{LINE if k else 0}">{html.escape(line)}</tspan>' for k, line in enumerate(lines))
    return f'<text x="{x}" y="{y}" text-anchor="{arrow.anchor}" fill="{kind_of(move)}">{spans}</text>'


def _box(state: LaneState, box: Box) -> str:
    width, height = BOX if box.does else (120, 40)
    title = box.y - 5 if box.does else box.y + 6
    text = f'<text x="{box.x}" y="{box.y + 17}" text-anchor="middle" font-size="11" fill="#334155">{box.does}</text>'
    return (
        f'<rect x="{box.x - width // 2}" y="{box.y - height // 2}" width="{width}" height="{height}" rx="10" '
        f'fill="{box.fill}" stroke="#0f172a" stroke-width="1.4"/>'
        f'<text x="{box.x}" y="{title}" text-anchor="middle" font-size="16" font-weight="700" fill="#0f172a">'
        f"{state.upper()}</text>{text if box.does else ''}"
    )


def _end() -> str:
    words = next(move.when for move in MOVES if move.new is LaneState.CLOSED)
    x, y = BOXES[LaneState.CLOSED].x, BOXES[LaneState.CLOSED].y
    return (
        f'<path d="M {x} 550 V {y - 24}" fill="none" stroke="{Kind.DECISION}" stroke-width="2" '
        f'marker-end="url(#{Kind.DECISION.name})"/>'
        f'<text x="{x + 72}" y="{y + 5}" fill="{Kind.DECISION}">from every state: {html.escape(words)}</text>'
    )


def _legend() -> str:
    rows = ((Kind.RISE, "towards the stream"), (Kind.FALL, "back to polling"), (Kind.DECISION, "decided by the flags"))
    parts = []
    for row, (kind, words) in enumerate(rows):
        y = 580 + 22 * row
        dashes = ' stroke-dasharray="5 4"' if kind is Kind.DECISION else ""
        parts.append(
            f'<path d="M 36 {y} H 76" stroke="{kind}" stroke-width="2.4"{dashes}/>'
            f'<text x="86" y="{y + 4}" fill="{kind}">{words}</text>'
        )
    return "".join(parts)
