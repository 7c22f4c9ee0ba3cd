# ruff: noqa: INP001 -- a program's part beside the pages, not a package
"""Draws how true order books were over a day, as an SVG."""

import html
from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 1130
PLOT: Final = (70, 1090, 220)
"""Left and right edge of a plot, and its height."""

FIRST: Final = 60
PITCH: Final = 330
FONT: Final = "-apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
COLOURS: Final = ("#15803d", "#b45309", "#b91c1c")


class Curve(NamedTuple):
    """One way of keeping a book: (hour, share of equal levels), 0.0 to 1.0."""

    name: str
    points: Sequence[tuple[float, float]]


class Chart(NamedTuple):
    """One market with the curves of those that kept its book."""

    title: str
    hours: float
    curves: Sequence[Curve]


def picture(charts: Sequence[Chart]) -> str:
    """The whole SVG. It brings its own background, so it reads on a light and on a dark page."""
    height = FIRST + PITCH * len(charts)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="{FONT}" font-size="13" role="img" aria-label="The share of levels that equal the venue\'s, over a day">'
    )
    parts = [head, f'<rect width="{WIDTH}" height="{height}" rx="12" fill="#ffffff"/>']
    for number, chart in enumerate(charts):
        parts += _chart(chart, FIRST + PITCH * number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _chart(chart: Chart, top: int) -> list[str]:
    left, right, height = PLOT
    parts = [f'<text x="{left}" y="{top - 24}" font-size="15" font-weight="700" fill="#0f172a">{html.escape(chart.title)}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + height * (1 - share)
        parts.append(f'<path d="M {left} {y:g} H {right}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{left - 10}" y="{y + 4:g}" text-anchor="end" fill="#475569">{share:.0%}</text>')
    ticks = 8
    for tick in range(ticks + 1):
        x = left + (right - left) * tick / ticks
        parts.append(
            f'<text x="{x:g}" y="{top + height + 20}" text-anchor="middle" fill="#475569">{chart.hours * tick / ticks:g} h</text>'
        )
    for number, curve in enumerate(chart.curves):
        colour = COLOURS[number % len(COLOURS)]
        x = left + 320 * number
        parts.append(_line(curve, chart.hours, top, colour))
        parts.append(f'<path d="M {x} {top + height + 46} h 34" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 44}" y="{top + height + 50}" fill="#0f172a">{html.escape(curve.name)}</text>')
    return parts


def _line(curve: Curve, hours: float, top: int, colour: str) -> str:
    left, right, height = PLOT
    points = " ".join(
        f"{left + (right - left) * hour / hours:.1f},{top + height * (1 - share):.1f}" for hour, share in curve.points
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
