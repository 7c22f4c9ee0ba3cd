"""Turns the options of ``foxtrot run`` into what is to be run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from foxtrot.adapter.binance.intervals import parse
from foxtrot.transport.base import LaneKey
from foxtrot.transport.flags import read
from foxtrot.transport.watched_file import WatchedFile
from foxtrot.util.channel import check_channels, interval_of, lane_of
from foxtrot.util.constants import Channel, Exchange
from foxtrot.util.symbol import to_venue_symbol

LIQUID: Final = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT")
"""What fills the symbols up where flags.toml pins too few."""


class RunPlan(msgspec.Struct, frozen=True):
    """What to run: symbols in the venue's form, channels, the adapter's setting; ``duration`` in seconds, None: until told."""

    environment: str
    symbols: tuple[str, ...]
    channels: tuple[str, ...]
    setting: dict[str, object]
    duration: float | None = None

    @property
    def keys(self) -> list[LaneKey]:
        """The lanes, symbol by symbol; a book of any depth is ``book``."""
        channels = dict.fromkeys(lane_of(channel) for channel in self.channels)
        return [LaneKey(symbol, channel) for symbol in self.symbols for channel in channels]


def symbols_of(text: str) -> tuple[str, ...]:
    """``BTC/USDT,ETHUSDT`` as venue symbols, each once. Raises ValueError for what is no symbol, or of another venue."""
    names = _names(text)
    if not names:
        raise ValueError("--symbols names none; write for example --symbols BTC/USDT,ETH/USDT")
    for name in names:
        venue = name.partition(".")[2].upper()
        if venue not in {"", Exchange.BINANCE}:
            raise ValueError(f"{name!r} is of another venue; this adapter serves {Exchange.BINANCE}")
    return tuple(dict.fromkeys(to_venue_symbol(name) for name in names))


def channels_of(text: str) -> tuple[str, ...]:
    """``tick,book:50,bars:1m`` as channels, each once. Raises ValueError, saying what is right, for one that cannot be."""
    parts = [name.partition(":") for name in _names(text)]
    names = tuple(dict.fromkeys(kind.lower() + colon + parameter for kind, colon, parameter in parts))  # 1m and 1M are two
    if not names:
        raise ValueError(f"--channels names none; write for example --channels tick,book,bars:1m (of {', '.join(Channel)})")
    check_channels(names)
    for interval in filter(None, map(interval_of, names)):
        parse(interval)
    return names


def default_symbols(flags: Path) -> tuple[str, ...]:
    """The symbols that ``flags`` pins, filled up to five with liquid ones; a file that is absent or refused pins none."""
    text = WatchedFile(flags).read(0).text
    parsed, errors = read(text or "")
    pinned = [] if errors else list(parsed.pins)
    fill = [symbol for symbol in LIQUID if symbol not in pinned]
    return (*pinned, *fill[: max(0, len(LIQUID) - len(pinned))])


def _names(text: str) -> Sequence[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
