"""What the exchange itself knows at each update id, to compare other people's books with."""

import os
from collections.abc import Callable

from typing_extensions import override

from foxtrot.sandbox.exchange import Exchange
from foxtrot.util.clock import Clock

SECONDS = float(os.environ.get("INTEROP_SECONDS", "6"))
"""How long each client keeps its book: a few seconds among all tests, a minute in ``make interop``."""

Top = tuple[float, float, float, float]


class _Moments(list[bytes]):
    """Notes the exchange's own top at the moment that a depth frame is made, instead of the frame."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    @override
    def append(self, _whole: bytes, /) -> None:
        self._note()


class Reference:
    """Reads ``<symbol>@depth@100ms`` and ``@depth`` inside the exchange: ``tops[u]`` is bid, bid size, ask, ask size."""

    is_combined = False
    is_microsecond = False

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self._instrument = exchange.source.instruments[symbol]
        self.tops: dict[int, Top] = {}
        self.out: list[bytes] = _Moments(self._take)
        for suffix in ("@depth@100ms", "@depth"):
            exchange.fanout.join(self, symbol.lower() + suffix)
        self._take()

    def flush(self) -> None:
        """Nothing is written anywhere."""

    def _take(self) -> None:
        bid, bid_size, ask, ask_size = (each / 1e8 for each in self._instrument.top())
        self.tops[self._instrument.update_id] = (bid, bid_size, ask, ask_size)


class Comparison:
    """Counts how often a client's top was the exchange's at the same update id."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self.equal = 0
        self.different: list[tuple[int, Top, Top]] = []
        self._seen = 0

    def take(self, update_id: int, top: Top) -> None:
        """Compares one state of a client's book; a state between two frames (a fresh snapshot) has no reference."""
        if update_id == self._seen or update_id not in self._reference.tops:
            return
        self._seen = update_id
        expected = self._reference.tops[update_id]
        if all(abs(a - b) < 1e-9 * max(1.0, abs(b)) for a, b in zip(top, expected, strict=True)):
            self.equal += 1
        else:
            self.different.append((update_id, top, expected))


class Deadline:
    """Says when the time is up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end_ns = clock.monotonic_ns() + int(SECONDS * 1e9)

    def is_over(self) -> bool:
        """Whether it is."""
        return self._clock.monotonic_ns() >= self._end_ns


def are_contiguous(ids: list[int]) -> bool:
    """Whether every id follows the one before it."""
    return bool(ids) and ids == list(range(ids[0], ids[0] + len(ids)))
