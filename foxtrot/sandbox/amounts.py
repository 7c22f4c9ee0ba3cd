"""Prices and quantities as integers of 1e-8, the finest step the venue prints."""

UNIT = 100_000_000
"""Units in one whole."""


def to_text(units: int) -> str:
    """The venue's notation with eight decimals: ``267_760_000_000`` becomes ``"2677.60000000"``."""
    if units < 0:
        return "-" + to_text(-units)
    return f"{units // UNIT}.{units % UNIT:08d}"


def to_units(text: str) -> int:
    """The integer behind the venue's notation. Raises ValueError for what is no plain decimal of at most eight places."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.removeprefix("-").partition(".")
    places = 8
    if len(fraction) > places:
        if fraction[places:].strip("0"):
            raise ValueError(f"{text!r} is finer than 1e-8")
        fraction = fraction[:places]
    return sign * (int(whole) * UNIT + int(fraction.ljust(places, "0")))


def notional(price: int, size: int) -> int:
    """Price times quantity, cut to 1e-8 as the venue does."""
    return price * size // UNIT
