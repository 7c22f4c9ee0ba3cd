"""The seam: what a lane is called, what flows through it, what a venue must offer to feed it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from foxtrot.util.constants import LaneState, Reason, Serving, Source


class LaneKey(NamedTuple):
    """One (symbol, channel): ``("BTCUSDT", "trades")``. The symbol stands in the venue's form."""

    symbol: str
    channel: str


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask with their sizes; a missing side is 0.0.

    ``update_id`` is the order-book id, 0 when the venue's answer carries none (a plain poll). ``asked_ns`` is when a
    poll was sent, 0 for a streamed quote; ``received_ns`` is time of arrival. Both are nanoseconds since 1970 UTC.
    """

    update_id: int
    bid: float
    bid_volume: float
    ask: float
    ask_volume: float
    received_ns: int
    asked_ns: int = 0

    @property
    def levels(self) -> tuple[float, float, float, float]:
        """What the quote says, without its id and times."""
        return (self.bid, self.bid_volume, self.ask, self.ask_volume)


Figures = tuple[float, float, float, float, float, float, float, float]
"""Last price and size, volume, turnover, open, high, low, previous close: as they stand in a tick."""


class Stats(msgspec.Struct, frozen=True, gc=False):
    """Rolling 24 h figures. ``last_id`` is the newest trade they contain (-1: none), ``close_ms`` the end of their window.

    ``received_ns`` is
    time of arrival (nanoseconds since 1970 UTC).
    """

    last_id: int
    close_ms: int
    figures: Figures
    received_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """Of two that contain trades, the one with the smaller key is the older answer."""
        return (self.last_id, self.close_ms)


class Item(NamedTuple):
    """One value of an id channel: its id, the newest trade id it contains, and the mapped object."""

    id: int
    last_trade_id: int
    value: object


class Draft(NamedTuple):
    """A value that still grows: the open bar.

    ``id`` is the one that it will have as an ``Item``; of two drafts with the same id the one with the greater ``rank`` is newer.
    """

    id: int
    rank: int
    last_trade_id: int
    value: object


Level = tuple[float, float]
"""Price and size of one level of an order book; in a ``Diff`` the size is absolute, 0 removes the level."""


class Diff(msgspec.Struct, frozen=True, gc=False):
    """What changed in an order book: update ids ``first_id`` to ``last_id``, both included.

    ``received_ns`` is time of arrival (nanoseconds since 1970 UTC), 0: it is not known.
    """

    first_id: int
    last_id: int
    bids: list[Level]
    asks: list[Level]
    received_ns: int = 0


class Depth(msgspec.Struct, frozen=True, gc=False):
    """A snapshot of an order book at ``update_id``: at most ``limit`` levels a side, best first.

    ``asked_ns`` and ``received_ns`` are nanoseconds since 1970 UTC.
    """

    update_id: int
    bids: list[Level]
    asks: list[Level]
    limit: int
    asked_ns: int
    received_ns: int


class Answer(msgspec.Struct, frozen=True):
    """What one poll said of one symbol: the quote, the 24 h figures, or both."""

    symbol: str
    quote: Quote | None
    stats: Stats | None


Value = Item | Draft | Quote | Stats
"""What a lane delivers. A book goes as the ``Item`` that ``Book.item`` made."""


class Cursor(NamedTuple):
    """Where an id channel stands: the newest id (-1: none yet), and the newest trade id it contains."""

    id: int
    last_trade_id: int


class LaneStatus(msgspec.Struct, frozen=True):
    """How one lane stands, for tables and summaries. Times are nanoseconds since 1970 UTC, 0 for never."""

    key: LaneKey
    state: LaneState
    serving: Serving
    reason: Reason
    delivered: int
    duplicates_dropped: int
    gaps: int
    switches: int
    changed_ns: int
    confirmed_ns: int
    is_suspect: bool = False  # an audit disagrees with the stream, and it is not decided yet
    retry_at_ns: int = 0  # the stream is not tried before; 0: nothing forbids it
    is_whole: bool = True  # nothing that is known to be there is missing from what was delivered


StreamHandler = Callable[[bytes, int], None]
"""Takes one raw frame and its time of arrival; raises msgspec.MsgspecError for one that does not fit."""

CanarySink = Callable[[tuple[float, float, float, float], int], None]
"""Takes (bid, bid size, ask, ask size) and time of arrival."""


class Door(Protocol):
    """What a venue's decoder sees of a lane."""

    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        """True when an id is next and the stream serves: deliver it now. The hot path: no effects, no log, no task.

        ``last`` is the newest trade id inside; ``event_ms`` when the venue sent it, by its clock (0: it does not say).
        """
        ...

    def accept_quote(self, update_id: int, levels: tuple[float, float, float, float], received_ns: int) -> bool:
        """True when a quote is newer and the stream serves: deliver it now."""
        ...

    def accept_draft(self, draft: Draft, received_ns: int, event_ms: int = 0) -> bool:
        """True when a draft is newer than what is known and the stream serves: deliver its value now."""
        ...

    def accept_diff(self, diff: Diff, received_ns: int, event_ms: int = 0) -> object | None:
        """The value to deliver now: the book with this diff in it, when it is next and the stream serves; else None."""
        ...

    def offer(self, value: Item | Quote | Draft | Diff, received_ns: int, event_ms: int = 0) -> None:
        """Hands over a streamed value that the door did not accept: early, late, twice, or behind a hole."""
        ...

    def offer_stats(self, stats: Stats) -> None:
        """Hands over streamed 24 h figures."""
        ...

    def wrong_symbol(self) -> None:
        """Says that a frame of another symbol came on this lane's stream."""
        ...


class Outlet(Protocol):
    """Where a lane's values leave the transport layer, on their way to the adapter's callbacks."""

    def deliver(self, key: LaneKey, values: Sequence[Value], source: Source) -> None:
        """Values in order."""
        ...

    def announce(self, key: LaneKey, old: LaneState, new: LaneState, serving: Serving, reason: Reason) -> None:
        """A lane changed its state; stands in order with its data."""
        ...

    def gap(self, key: LaneKey, first: int, last: int, reason: Reason) -> None:
        """Ids that did not arrive and will not arrive live."""
        ...

    def backfill(self, key: LaneKey, items: Sequence[Item]) -> None:
        """Ids of an earlier gap, in order, under an event of their own."""
        ...


class Rest(Protocol):
    """The venue's REST side. Each call is one request of known weight and raises VenueError or RequestError.

    ``symbols`` stand in the venue's form; an answer may lack some of them.
    """

    @property
    def page_size(self) -> int:
        """Most items in one page."""
        ...

    def weight(self, call: str, key: LaneKey | None = None, count: int = 1) -> int:
        """Weight of one call (a method name below) for a lane, or for so many symbols."""
        ...

    async def ticker(self, symbols: Sequence[str]) -> Mapping[str, Answer]:
        """Quotes and 24 h figures of up to 20 symbols."""
        ...

    async def book_ticker(self) -> Mapping[str, Answer]:
        """Quotes of every symbol that the venue lists."""
        ...

    async def anchor(self, symbol: str) -> Quote:
        """The quote with its order-book id."""
        ...

    async def newest(self, key: LaneKey, before_ms: int) -> Cursor:
        """Where an id channel stands now; for trades where it stood at ``before_ms``, the venue's time (-1: before its first)."""
        ...

    async def page(self, key: LaneKey, first: int, source: Source) -> Sequence[Item | Draft]:
        """Items from id ``first`` on, ascending, ``page_size`` at most, mapped as having come from ``source``.

        Of bars: the closed ones, and as the last one the open bar as a ``Draft``.
        """
        ...

    async def depth(self, symbol: str, limit: int) -> Depth:
        """A snapshot of an order book: at most ``limit`` levels a side. Its weight is that of ``depth`` with this ``count``."""
        ...

    async def busiest(self, without: Collection[str] = ()) -> str:
        """The symbol with most trades in the last 24 h, of all but these."""
        ...

    async def halted(self, symbols: Sequence[str]) -> set[str]:
        """Those of these symbols (100 at most) that the venue lists, but does not trade now."""
        ...


class StreamFeed(Protocol):
    """The venue's stream side: names, commands and decoders; no connection of its own."""

    @property
    def envelope(self) -> bytes:
        """What every data frame starts with, up to the stream's name, which ends at the next quotation mark."""
        ...

    def url(self, streams: Sequence[str], line: int) -> str:
        """Where to connect for these streams. ``line`` (0, 1, ...) goes round the venue's addresses, where it has several."""
        ...

    def streams(self, key: LaneKey) -> tuple[str, ...]:
        """The stream names that carry a lane."""
        ...

    def handler(self, key: LaneKey, stream: str, door: Door) -> StreamHandler:
        """The decoder that carries one stream's frames to the lane's door."""
        ...

    def canary(self, symbol: str, sink: CanarySink) -> tuple[str, StreamHandler]:
        """The stream of a symbol's quotes, and the decoder that gives each quote's levels to ``sink``."""
        ...

    def stream_of(self, frame: bytes) -> str:
        """The stream name of a data frame in another shape than usual; "" for what is no data. Raises as a handler does."""
        ...

    def complaint(self, frame: bytes) -> str:
        """What an answer to a command complains of; "" for an acknowledgement or a notice. Raises as a handler does."""
        ...

    def request_id(self, frame: bytes) -> int | None:
        """Which command a frame answers; None for a frame that answers none of ours. Raises as a handler does."""
        ...

    def listing(self, frame: bytes) -> Sequence[str] | None:
        """The subscriptions that a frame lists; None for any other frame. Raises as a handler does."""
        ...

    def is_shutdown(self, frame: bytes) -> bool:
        """Whether the venue announces that it will close this connection. Raises as a handler does."""
        ...

    def subscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """The command that adds streams."""
        ...

    def unsubscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """The command that drops streams."""
        ...

    def list_subscriptions(self, request_id: int) -> bytes:
        """The command that asks what is subscribed."""
        ...


class Wire(Protocol):
    """One open WebSocket."""

    def send(self, message: bytes) -> None:
        """Queues a text frame."""
        ...

    def close(self) -> None:
        """Ends the connection; ``on_closed`` follows."""
        ...


class Dialler(Protocol):
    """Opens WebSockets."""

    async def dial(self, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> Wire:
        """Connects within its own deadline. Raises Unavailable, RateLimited or Denied.

        ``on_frame`` gets each data frame and its time of arrival, ``on_closed`` the end, once, with what is known of its cause.
        """
        ...
