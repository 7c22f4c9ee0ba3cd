"""What a lane is told (inputs) and what it asks for (effects)."""

from collections.abc import Sequence

import msgspec

from foxtrot.transport.base import Answer, Cursor, Item, Quote, Stats
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport


class _Step(msgspec.Struct, frozen=True):
    """Values: compared, printed and never changed."""


# --- inputs ------------------------------------------------------------------------------------------------------------------


class Decide(_Step, frozen=True):
    """What the flags say of the lane."""

    transport: Transport
    reason: Reason


class Start(_Step, frozen=True):
    """The start answer of an id channel has come; a tick starts with its first poll instead."""

    cursor: Cursor


class StreamUp(_Step, frozen=True):
    """A connection carries the lane's streams: they have been asked for."""


class StreamDown(_Step, frozen=True):
    """The connection was lost, or could not be made; it comes back by itself."""

    reason: Reason = Reason.CONNECTION


class Offered(_Step, frozen=True):
    """A streamed value that the hot door did not accept."""

    value: Item | Quote
    received_ns: int


class OfferedStats(_Step, frozen=True):
    """Streamed 24 h figures."""

    stats: Stats


class Polled(_Step, frozen=True):
    """A poll's answer; ``asked_ns`` is when it was sent."""

    answer: Answer
    asked_ns: int


class Paged(_Step, frozen=True):
    """Items from an id on; ``is_full`` says that there may be more."""

    items: Sequence[Item]
    is_full: bool


class PageFailed(_Step, frozen=True):
    """A page could not be had."""


class Anchored(_Step, frozen=True):
    """The quote with its order-book id, or None when it could not be had."""

    quote: Quote | None


class Stray(_Step, frozen=True):
    """A frame of another symbol came on the lane's stream."""


class Hold(_Step, frozen=True):
    """The consumer is too slow (True), or has caught up (False)."""

    is_on: bool


class Pulse(_Step, frozen=True):
    """Time has passed."""


class Revive(_Step, frozen=True):
    """By hand: try the stream now."""


class Close(_Step, frozen=True):
    """The end."""

    reason: Reason


Input = (
    Decide
    | Start
    | StreamUp
    | StreamDown
    | Offered
    | OfferedStats
    | Polled
    | Paged
    | PageFailed
    | Anchored
    | Stray
    | Hold
    | Pulse
    | Revive
    | Close
)


# --- effects -----------------------------------------------------------------------------------------------------------------


class OpenStream(_Step, frozen=True):
    """Subscribe the lane's streams."""


class ShutStream(_Step, frozen=True):
    """Unsubscribe them."""


class FetchPage(_Step, frozen=True):
    """Ask for items from this id on; answered by Paged or PageFailed."""

    first: int
    source: Source


class FetchAnchor(_Step, frozen=True):
    """Ask for the quote with its order-book id; answered by Anchored."""


class PollNow(_Step, frozen=True):
    """Do not wait for the next beat."""


class Deliver(_Step, frozen=True):
    """Hand these out, in order."""

    values: Sequence[Item | Quote | Stats]
    source: Source


class Announce(_Step, frozen=True):
    """The lane changed its state, or what serves it."""

    old: LaneState
    new: LaneState
    serving: Serving
    reason: Reason


class Missing(_Step, frozen=True):
    """Ids ``first`` to ``last``, both included, will not arrive live."""

    first: int
    last: int
    reason: Reason


class BreakerMoved(_Step, frozen=True):
    """The lane's breaker changed."""

    old: BreakerState
    new: BreakerState


Effect = OpenStream | ShutStream | FetchPage | FetchAnchor | PollNow | Deliver | Announce | Missing | BreakerMoved
