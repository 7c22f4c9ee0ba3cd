"""Which values a lane carries, by its channel."""

from foxtrot.transport.base import LaneKey
from foxtrot.transport.book import Kinds
from foxtrot.transport.values import Values
from foxtrot.transport.values_bars import BarValues
from foxtrot.transport.values_book import BookValues
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from foxtrot.util.constants import Channel


def values_of(key: LaneKey, hold_ns: int | None, kinds: Kinds) -> Values:
    """The values of one lane. ``hold_ns`` as in ``Hub.open_lanes``: it is for trades, bars wait without bound."""
    match key.channel.partition(":")[0]:
        case Channel.TICK:
            return TickValues()
        case Channel.BOOK:
            return BookValues(lambda: kinds.book(key))
        case Channel.BARS:
            return BarValues(kinds.close_ms(key))
        case _:
            return IdValues(hold_ns)
