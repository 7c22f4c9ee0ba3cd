"""Turns the options of ``foxtrot run`` into what is to be run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from foxtrot.adapter.binance.market_data import SERVED
from foxtrot.transport.base import LaneKey
from foxtrot.transport.flags import read
from foxtrot.transport.watched_file import WatchedFile
from foxtrot.util.constants import Exchange
from foxtrot.util.errors import unknown
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
        """The lanes, symbol by symbol."""
        return [LaneKey(symbol, channel) for symbol in self.symbols for channel in self.channels]


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
    """``tick,trades`` as channels, each once. Raises ValueError, naming the nearest, for one that is not served."""
    names = dict.fromkeys(name.lower() for name in _names(text))
    if not names:
        raise ValueError(f"--channels names none; served: {', '.join(SERVED)}")
    for name in names:
        if name not in SERVED:
            raise ValueError(unknown("channel", name, SERVED))
    return tuple(names)


def default_symbols(flags: Path) -> tuple[str, ...]:
    """The symbols that ``flags`` pins, filled up to five with liquid ones; a file that is absent or refused pins none."""
    text = WatchedFile(flags).read(0).text
    parsed, errors = read(text or "")
    pinned = [] if errors else list(parsed.pins)
    fill = [symbol for symbol in LIQUID if symbol not in pinned]
    return (*pinned, *fill[: max(0, len(LIQUID) - len(pinned))])


def _names(text: str) -> Sequence[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
