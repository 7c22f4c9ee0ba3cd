"""The names of streams, taken apart."""

import re
from dataclasses import dataclass
from enum import StrEnum

from foxtrot.sandbox.candles import INTERVALS_MS


class Kind(StrEnum):
    """What a stream carries."""

    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    BOOK_TICKER = "bookTicker"
    TICKER = "ticker"
    MINI_TICKER = "miniTicker"
    WINDOW_TICKER = "windowTicker"
    AVG_PRICE = "avgPrice"
    KLINE = "kline"
    DIFF_DEPTH = "depth"
    PARTIAL_DEPTH = "partialDepth"
    ALL_MINI_TICKERS = "!miniTicker@arr"
    ALL_WINDOW_TICKERS = "!ticker@arr"


@dataclass(frozen=True, slots=True)
class StreamName:
    """A stream that exists: its kind, its symbol ("" for all), and its parameters."""

    text: str
    kind: Kind
    symbol: str = ""
    interval: str = ""
    offset_ms: int = 0
    levels: int = 0
    is_fast: bool = False


_PLAIN = {
    kind.value: kind for kind in (Kind.TRADE, Kind.AGG_TRADE, Kind.BOOK_TICKER, Kind.TICKER, Kind.MINI_TICKER, Kind.AVG_PRICE)
}
_DEPTH = re.compile(r"^depth(5|10|20)?(@100ms|@1000ms)?$")
_KLINE = re.compile(r"^kline_([0-9]+[smhdwM])(@\+08:00)?$")
_WINDOW = re.compile(r"^ticker_(1h|4h|1d)$")
_EIGHT_HOURS_MS = 28_800_000


def parse(text: str) -> StreamName | None:
    """The stream behind a name; None when no such kind exists (the venue acknowledges it and stays silent)."""
    symbol, _, what = text.partition("@")
    if symbol.startswith("!"):
        return _all_market(text)
    if symbol != symbol.lower() or not symbol:
        return None
    venue_symbol = symbol.upper()
    if what in _PLAIN:
        return StreamName(text, _PLAIN[what], venue_symbol)
    if found := _DEPTH.match(what):
        levels = int(found[1] or 0)
        kind = Kind.PARTIAL_DEPTH if levels else Kind.DIFF_DEPTH
        return StreamName(text, kind, venue_symbol, levels=levels, is_fast=found[2] == "@100ms")
    if (found := _KLINE.match(what)) and found[1] in INTERVALS_MS:
        return StreamName(text, Kind.KLINE, venue_symbol, interval=found[1], offset_ms=_EIGHT_HOURS_MS if found[2] else 0)
    if found := _WINDOW.match(what):
        return StreamName(text, Kind.WINDOW_TICKER, venue_symbol, interval=found[1])
    return None


def _all_market(text: str) -> StreamName | None:
    if text == Kind.ALL_MINI_TICKERS:
        return StreamName(text, Kind.ALL_MINI_TICKERS)
    if found := re.match(r"^!ticker_(1h|4h|1d)@arr$", text):
        return StreamName(text, Kind.ALL_WINDOW_TICKERS, interval=found[1])
    return None
