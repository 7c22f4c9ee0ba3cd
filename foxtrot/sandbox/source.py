"""What makes the market: agents, or a recording."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from foxtrot.sandbox.instrument import Instrument


class Source(Protocol):
    """Plays a market into instruments and publishes what happens."""

    instruments: Mapping[str, Instrument]

    def now_us(self) -> int:
        """The time that the venue shows."""
        ...

    def advance(self) -> float:
        """Plays what is due, a bounded part of it at most; returns real seconds until it wants to be called again."""
        ...

    def touch(self, symbols: Iterable[str]) -> None:
        """Market data of these symbols has just been answered or subscribed."""
        ...

    def describe(self) -> dict[str, object]:
        """What is played, for people and for ``/sandbox/status``."""
        ...
