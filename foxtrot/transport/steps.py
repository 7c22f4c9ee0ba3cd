"""What a lane is told (inputs) and what it asks for (effects)."""

from collections.abc import Sequence

import msgspec

from foxtrot.transport.base import Answer, Cursor, Depth, Diff, Draft, Item, Quote, Stats, Value
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Source, Transport


class _Step(msgspec.Struct, frozen=True):
    """Values: compared, printed and never changed."""


# --- inputs ------------------------------------------------------------------------------------------------------------------


class Decide(_Step, frozen=True):
    """What the flags say of the lane; ``lines`` is how many stream connections are to carry it (1 or 2)."""

    transport: Transport
    reason: Reason
    lines: int = 1


class Start(_Step, frozen=True):
    """The start answer of an id channel has come; a tick starts with its first poll instead."""

    cursor: Cursor


class StreamUp(_Step, frozen=True):
    """A connection carries the lane's streams: they have been asked for. Told of a lane's first line alone."""


class StreamDown(_Step, frozen=True):
    """The last connection was lost, or could not be made; it comes back by itself."""

    reason: Reason = Reason.CONNECTION


class Offered(_Step, frozen=True):
    """A streamed value that the hot door did not accept."""

    value: Item | Quote | Draft | Diff
    received_ns: int
    event_ms: int = 0  # when the venue sent it, its clock; 0: it does not say


class OfferedStats(_Step, frozen=True):
    """Streamed 24 h figures."""

    stats: Stats


class Polled(_Step, frozen=True):
    """A poll's answer; ``asked_ns`` is when it was sent."""

    answer: Answer
    asked_ns: int


class Paged(_Step, frozen=True):
    """Items from an id on; ``is_full`` says that there may be more, ``is_late`` that they were asked for as backfill.

    ``draft`` is the value that still grows behind them, ``asked_ns`` when they were asked for.
    """

    items: Sequence[Item]
    is_full: bool
    is_late: bool = False
    draft: Draft | None = None
    asked_ns: int = 0


class PageFailed(_Step, frozen=True):
    """A page could not be had."""

    is_late: bool = False


class Anchored(_Step, frozen=True):
    """The quote with its order-book id, or None when it could not be had."""

    quote: Quote | None


class Snapped(_Step, frozen=True):
    """A snapshot of the order book, or None when it could not be had; ``is_audit``: it was asked for to compare."""

    depth: Depth | None
    is_audit: bool = False


class Stray(_Step, frozen=True):
    """A frame of another symbol came on the lane's stream."""


class Unlisted(_Step, frozen=True):
    """The venue does not list the lane's subscription, though it was asked for twice."""


class Forgiven(_Step, frozen=True):
    """So many lanes of one connection tripped that it was the connection's failure: the trip does not count."""


class ForceOpen(_Step, frozen=True):
    """By hand: no stream until ``Revive``."""


class Hold(_Step, frozen=True):
    """The consumer is too slow (True), or has caught up (False)."""

    is_on: bool


class Pulse(_Step, frozen=True):
    """Time has passed.

    ``offset_ns`` is the venue's clock minus ours, None while that is not known. ``may_probe``: one more lane with a trip of its
    own may try its stream now.
    """

    offset_ns: int | None = 0
    may_probe: bool = True


class Stalled(_Step, frozen=True):
    """Our own loop stood still for so long: what came meanwhile has not been read, and nobody is to blame for it."""

    span_ns: int


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
    | Snapped
    | Stray
    | Unlisted
    | Forgiven
    | ForceOpen
    | Hold
    | Pulse
    | Stalled
    | Revive
    | Close
)


# --- effects -----------------------------------------------------------------------------------------------------------------


class OpenStream(_Step, frozen=True):
    """Subscribe the lane's streams, on so many connections; again: with another number."""

    lines: int = 1


class ShutStream(_Step, frozen=True):
    """Unsubscribe them."""


class FetchPage(_Step, frozen=True):
    """Ask for items from this id on; answered by Paged or PageFailed.

    With ``last`` (not -1) it is the backfill of a hole that was given up, and the answer ``is_late``.
    """

    first: int
    source: Source
    last: int = -1


class FetchAnchor(_Step, frozen=True):
    """Ask for the quote with its order-book id; answered by Anchored."""


class FetchDepth(_Step, frozen=True):
    """Ask for a snapshot of the order book, at most ``limit`` levels a side; answered by Snapped.

    ``is_audit``: to compare with; nobody waits for it. ``is_resync``: a serving stream waits for it.
    """

    limit: int
    is_audit: bool = False
    is_resync: bool = False


class Disagreed(_Step, frozen=True):
    """Of an order book kept on the stream only this share of levels was as in a snapshot: it has been begun anew from that."""

    share: float


class PollNow(_Step, frozen=True):
    """Do not wait for the next beat."""


class Deliver(_Step, frozen=True):
    """Hand these out, in order."""

    values: Sequence[Value]
    source: Source


class Backfill(_Step, frozen=True):
    """What was missing has been found: hand it out beside the live values, in order."""

    items: Sequence[Item]


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


Effect = (
    OpenStream
    | ShutStream
    | FetchPage
    | FetchAnchor
    | FetchDepth
    | Disagreed
    | PollNow
    | Deliver
    | Backfill
    | Announce
    | Missing
    | BreakerMoved
)
