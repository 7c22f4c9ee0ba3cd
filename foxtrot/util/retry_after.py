"""Reads how long a venue wants silence for."""

from typing import Final

DEFAULT: Final = 60.0
LONGEST: Final = 3 * 86_400.0
"""Seconds: Binance's longest ban. What asks for more is not believed."""


def seconds(text: str) -> float:
    """A Retry-After header's text as seconds; ``DEFAULT`` for what is no whole number."""
    return min(float(text), LONGEST) if text.isascii() and text.isdigit() else DEFAULT
