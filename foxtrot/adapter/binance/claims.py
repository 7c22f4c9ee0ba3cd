"""Which subscriptions stand on which lane: books of any depth on their symbol's, bars of our own on its aggregate trades."""

from collections.abc import Iterable

from foxtrot.adapter.binance.intervals import VENUE_INTERVALS
from foxtrot.transport.base import LaneKey
from foxtrot.util.channel import depth_of, interval_of, lane_of
from foxtrot.util.constants import Channel


def is_built(channel: str) -> bool:
    """Whether these are bars that the venue does not make: they are built here."""
    interval = interval_of(channel)
    return bool(interval) and interval not in VENUE_INTERVALS


def carrier(claim: LaneKey) -> LaneKey:
    """The lane that a subscription stands on."""
    return LaneKey(claim.symbol, Channel.AGG_TRADES.value if is_built(claim.channel) else lane_of(claim.channel))


def names(claims: Iterable[LaneKey]) -> tuple[str, ...]:
    """The channels under which subscriptions are told of their lane: ``book`` whatever its depth, ``bars:10s``; each once."""
    return tuple(dict.fromkeys(lane_of(claim.channel) for claim in claims))


class Claims:
    """What is subscribed: each (symbol, channel) as it was asked for. Changed by one thread at a time, read from any."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[LaneKey, ...]] = {}  # by symbol; tuples, so that a reader sees one moment

    def add(self, claim: LaneKey) -> bool:
        """One more; false if it is there already."""
        if claim in self:
            return False
        self._of[claim.symbol] = (*self.of(claim.symbol), claim)
        return True

    def drop(self, claim: LaneKey) -> None:
        """One less; one that is not there is no error."""
        if left := tuple(other for other in self.of(claim.symbol) if other != claim):
            self._of[claim.symbol] = left
        else:
            self._of.pop(claim.symbol, None)

    def __contains__(self, claim: LaneKey) -> bool:
        return claim in self.of(claim.symbol)

    def of(self, symbol: str) -> tuple[LaneKey, ...]:
        """Those of a symbol."""
        return self._of.get(symbol, ())

    def on(self, lane: LaneKey) -> tuple[LaneKey, ...]:
        """Those that stand on a lane."""
        return tuple(claim for claim in self.of(lane.symbol) if carrier(claim) == lane)

    def all(self) -> list[LaneKey]:
        """Every one, symbol by symbol."""
        return [claim for claims in self._of.copy().values() for claim in claims]

    def is_hidden(self, lane: LaneKey) -> bool:
        """Whether a lane is wanted for what is made of it alone: its own values are nobody's."""
        claims = self.on(lane)
        return bool(claims) and lane.channel not in names(claims)

    def names(self, lane: LaneKey) -> tuple[str, ...]:
        """The channels under which a lane is told of."""
        return names(self.on(lane))

    def depth(self, symbol: str) -> int:
        """The greatest depth that is asked for of a symbol's book; 0: none."""
        return max((depth_of(claim.channel) for claim in self.on(LaneKey(symbol, Channel.BOOK))), default=0)
