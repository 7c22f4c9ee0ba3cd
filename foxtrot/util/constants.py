"""The words of the platform, as enums."""

from enum import StrEnum


class Exchange(StrEnum):
    """A venue, as it stands in ``vt_symbol`` after the dot."""

    BINANCE = "BINANCE"
    LOCAL = "LOCAL"  # a venue of the user's own, for tests and research


class Channel(StrEnum):
    """A kind of market data. ``book`` and ``bars`` take a parameter: ``book:20``, ``bars:1m``."""

    TICK = "tick"
    TRADES = "trades"
    AGG_TRADES = "agg_trades"
    BOOK = "book"
    BARS = "bars"


class Transport(StrEnum):
    """How data is got, as a flag says it. ``SHADOW`` polls, with the stream beside it for comparison."""

    POLLING = "polling"
    STREAMING = "streaming"
    SHADOW = "shadow"


class Source(StrEnum):
    """What delivered one value."""

    STREAM = "stream"
    POLL = "poll"
    BACKFILL = "backfill"


class Serving(StrEnum):
    """What delivers a lane's values now; ``NONE`` is blind."""

    POLL = "poll"
    STREAM = "stream"
    NONE = "none"


class LaneState(StrEnum):
    """Where a lane stands on its way through the transports."""

    POLLING = "polling"
    SHADOW = "shadow"
    PROVING = "proving"
    STREAMING = "streaming"
    FALLBACK = "fallback"
    CLOSED = "closed"


class Health(StrEnum):
    """How far a symbol's data can be trusted.

    LIVE: served as decided, and confirmed. DEGRADED: served by the lesser transport. SUSPECT: an audit disagrees, not yet
    decided. BLIND: nothing confirms it. HALTED: the venue says that it does not trade.
    """

    LIVE = "live"
    DEGRADED = "degraded"
    SUSPECT = "suspect"
    BLIND = "blind"
    HALTED = "halted"


class Reason(StrEnum):
    """Why something is as it is: a decision, a switch, a health, a gap."""

    # decisions
    NO_FLAGS = "no_flags"  # no flags file: polling is what runs
    DEFAULTS = "defaults"
    PIN = "pin"
    ROLLOUT = "rollout"
    KILL = "kill"
    # a lane's way
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    UNKNOWN_SYMBOL = "unknown_symbol"
    DECISION = "decision"
    RETRY = "retry"  # the wait is over, the stream is tried again
    PROOF = "proof"
    CLOSING = "closing"
    IDS_BEGAN_ANEW = "ids_began_anew"  # the venue counts from the start again: so does the lane
    # trips and failures
    CONNECTION = "connection"
    SILENCE = "silence"
    GAP = "gap"
    WRONG_SYMBOL = "wrong_symbol"
    AUDIT = "audit"
    LAG = "lag"
    FIRST_DATA = "first_data"  # none came in time
    UNLISTED = "unlisted"  # the venue does not have its subscription, though it was asked twice
    HOLD = "hold"  # what frames waited for did not come in time
    POLL_DOWN = "poll_down"
    RATE_LIMITED = "rate_limited"
    QUARANTINE = "quarantine"
    BREAKER_OPEN = "breaker_open"
    FORCED_OPEN = "forced_open"
    # health
    STARTING = "starting"
    CONFIRMED = "confirmed"
    STALE = "stale"
    CONSUMER_SLOW = "consumer_slow"
    HALTED = "halted"


class BreakerState(StrEnum):
    """The states of a breaker; ``FORCED_OPEN`` is switched off by hand."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    FORCED_OPEN = "forced_open"


class Direction(StrEnum):
    """Side of an order, a trade or a position."""

    LONG = "long"
    SHORT = "short"
    NET = "net"


class Offset(StrEnum):
    """Open or close; ``NONE`` on spot."""

    NONE = ""
    OPEN = "open"
    CLOSE = "close"


class Status(StrEnum):
    """Where an order stands; ``UNKNOWN`` until the venue has been asked."""

    SUBMITTING = "submitting"
    NOT_TRADED = "not_traded"
    PART_TRADED = "part_traded"
    ALL_TRADED = "all_traded"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class OrderType(StrEnum):
    """How an order is priced and how long it stands."""

    LIMIT = "limit"
    MARKET = "market"
    STOP = "stop"
    FAK = "fak"
    FOK = "fok"
    LIMIT_MAKER = "limit_maker"


class Product(StrEnum):
    """Class of instrument."""

    SPOT = "spot"
    FUTURES = "futures"


class Interval(StrEnum):
    """Length of a bar, in the venue's words."""

    SECOND = "1s"
    MINUTE = "1m"
    HOUR = "1h"
    DAILY = "1d"
    WEEKLY = "1w"
