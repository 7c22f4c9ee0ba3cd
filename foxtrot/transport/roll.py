"""Who is asked for in a beat: in batches, alone, or not at all.

1. A batch that the venue refuses for one name (-1121) is halved until that name stands alone. It leaves the batches and is asked
   alone every 20 s: a refusal may be a mistake of one of the venue's machines. One that stands for 60 s is believed, and the
   symbol is given up: who wants it again subscribes again.
2. A symbol that a batch's answer lacks stays in the batches and is asked alone beside them, five a beat at most: each beat as
   long as it is answered alone, every 20 s else.
3. Each of both is told once, until it is over.
"""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Final

from foxtrot.util.clock import NS_PER_S

CHUNK: Final = 20
"""Symbols in one ``ticker`` request: the most that cost the least (weight 2)."""

FEW: Final = 40
"""Up to so many symbols each beat asks quotes and figures of all; above, quotes of all and the figures in rotation."""

ROTATION: Final = 2
"""Chunks of figures in one beat of many symbols."""

AGAIN_NS: Final = 20 * NS_PER_S
"""Between two questions for a symbol that the venue does not answer."""

BELIEVED_NS: Final = 60 * NS_PER_S
"""After so long a refusal is no mistake."""

LONE: Final = 5
"""Most symbols asked alone in one beat."""


class Kind(Enum):
    """The requests of a beat."""

    QUOTES = "quotes"
    FIGURES = "figures"


def chunks_of(symbols: Sequence[str]) -> list[Sequence[str]]:
    """Symbols in groups that one ``ticker`` request carries."""
    return [symbols[at : at + CHUNK] for at in range(0, len(symbols), CHUNK)]


def plan(symbols: Sequence[str], beat: int) -> list[Sequence[str]]:
    """The ``ticker`` chunks of a beat. With many symbols the quotes come by one ``book_ticker`` beside them."""
    chunks = chunks_of(symbols)
    if len(symbols) <= FEW:
        return chunks
    first = beat * ROTATION % len(chunks)
    return [chunks[(first + k) % len(chunks)] for k in range(ROTATION)]


class _Stray:
    """A symbol that is asked alone: refused since ``since_ns``, or missing from batches of ``kind``."""

    __slots__ = ("kind", "next_ns", "since_ns")

    def __init__(self, kind: Kind | None, since_ns: int, next_ns: int) -> None:
        self.kind = kind
        self.since_ns = since_ns
        self.next_ns = next_ns


class Roll:
    """The symbols of the beat, and one more that is watched though nobody subscribed it ("": none)."""

    def __init__(self) -> None:
        self.symbols: Final[dict[str, None]] = {}
        self.watched = ""
        self._strays: dict[str, _Stray] = {}

    def drop(self, symbol: str) -> None:
        """Wants a symbol no longer; it may still be watched."""
        self.symbols.pop(symbol, None)
        if symbol != self.watched:
            self._strays.pop(symbol, None)

    def give_up(self, symbol: str) -> None:
        """Asks for a symbol no longer, neither for its subscribers nor as the watched one."""
        if symbol == self.watched:
            self.watched = ""
        self.drop(symbol)

    def watch(self, symbol: str) -> None:
        """Watches this one instead; "": none."""
        before, self.watched = self.watched, symbol
        if before not in self.symbols:
            self._strays.pop(before, None)

    def batched(self) -> list[str]:
        """Whom the batches of a beat carry: all but the refused."""
        names = dict.fromkeys([*self.symbols, self.watched] if self.watched else self.symbols)
        return [name for name in names if name not in self._strays or self._strays[name].kind is not None]

    def lone(self, now_ns: int) -> list[str]:
        """Whom to ask alone in this beat, longest waiting first; the next question is 20 s off unless this one is answered."""
        due = sorted((stray.next_ns, name) for name, stray in self._strays.items() if stray.next_ns <= now_ns)
        names = [name for _, name in due[:LONE]]
        for name in names:
            self._strays[name].next_ns = now_ns + AGAIN_NS
        return names

    def refused(self, symbol: str, now_ns: int) -> bool:
        """A symbol was refused alone. True: for so long that it is given up."""
        stray = self._strays.get(symbol)
        if stray is None or stray.kind is not None:
            stray = self._strays[symbol] = _Stray(None, now_ns, now_ns + AGAIN_NS)
        return now_ns - stray.since_ns >= BELIEVED_NS

    def is_refused(self, symbol: str) -> bool:
        """Whether it has left the batches."""
        return symbol in self._strays and self._strays[symbol].kind is None

    def answered(self, symbol: str, now_ns: int) -> None:
        """A symbol was answered alone: one that was refused is back in the batches, a missing one is asked again next beat."""
        stray = self._strays.get(symbol)
        if stray is None:
            return
        if stray.kind is None:
            del self._strays[symbol]
        else:
            stray.next_ns = now_ns

    def batch_answered(self, kind: Kind, asked: Sequence[str], came: Collection[str], now_ns: int) -> list[str]:
        """Compares what was asked with what came; returns those that are missing and were not before."""
        missing = []
        for symbol in asked:
            stray = self._strays.get(symbol)
            if symbol in came:
                if stray is not None and stray.kind is kind:
                    del self._strays[symbol]
            elif stray is None and (symbol in self.symbols or symbol == self.watched):
                self._strays[symbol] = _Stray(kind, now_ns, now_ns)
                missing.append(symbol)
        return missing
