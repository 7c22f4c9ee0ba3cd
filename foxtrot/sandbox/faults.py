"""The faults that the exchange commits on demand: one table that the CLI, the HTTP interface, the docs and the tests read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foxtrot.sandbox.stream_names import parse
from foxtrot.util.errors import ConfigError, unknown


class Side(StrEnum):
    """Where a fault bites: single events, whole connections, commands, the upgrade, REST answers, the market itself."""

    STREAM = "stream"
    CONNECTION = "connection"
    COMMAND = "command"
    UPGRADE = "upgrade"
    REST = "rest"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Param:
    """A number that a fault takes: its default, its meaning, and which ones are allowed (``low`` to ``high``)."""

    default: float
    meaning: str
    low: float
    high: float
    is_whole: bool = False
    is_above_low: bool = False
    never: frozenset[int] = frozenset()

    @property
    def allowed(self) -> str:
        """``whole, 1000 to 4999``."""
        words = "whole, " if self.is_whole else ""
        words += f"above {self.low:.15g} up to {self.high:.15g}" if self.is_above_low else f"{self.low:.15g} to {self.high:.15g}"
        return words + (f" without {' '.join(str(each) for each in sorted(self.never))}" if self.never else "")

    def check(self, name: str, value: object) -> float:
        """The value as a number. Raises ConfigError with the range for what is no number, not finite, or outside."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self._holds(value):
            return float(value)
        raise ConfigError(f"{name} is a number, {self.allowed}; found {_shown(value)}")

    def _holds(self, value: float) -> bool:
        if not self.low <= value <= self.high:  # true of NaN as well
            return False
        return not ((self.is_whole and value != int(value)) or (self.is_above_low and value == self.low) or value in self.never)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One kind of fault: what it does, what it imitates, its parameters with their defaults and meanings.

    ``is_instant``: it strikes at once, and, if it was given ``seconds``, again whoever comes back while they last.
    """

    name: str
    side: Side
    effect: str
    imitates: str
    params: Mapping[str, Param] = field(default_factory=dict)
    is_instant: bool = False

    @property
    def has_streams(self) -> bool:
        """Whether it can be limited to one stream: REST, upgrades and the market know none."""
        return self.side in {Side.STREAM, Side.CONNECTION, Side.COMMAND}


_NEVER_SENT = frozenset({1004, 1005, 1006, 1015})  # RFC 6455, 7.4.1: they must not stand in a close frame
_LONGEST_MS = 600_000
_LONGEST_BAN_S = 259_200  # three days, the venue's longest ban
_DAY_MS = 86_400_000
_LONGEST_SHOWN = 60

SECONDS = Param(0, "how long it lasts", 0, 31_536_000, is_above_low=True)
SHARE = Param(1, "which share of what it meets is struck", 0, 1)

_TABLE = (
    # whole connections
    FaultSpec(
        "close",
        Side.CONNECTION,
        "closes the stream connections that carry the symbol, with a close frame",
        "a gateway that restarts, a load balancer that sheds connections",
        {"code": Param(1001, "close code", 1000, 4999, is_whole=True, never=_NEVER_SENT)},
        is_instant=True,
    ),
    FaultSpec(
        "reset",
        Side.CONNECTION,
        "resets the TCP connection (RST), without a close frame",
        "a crashed gateway, a firewall that forgot the connection",
        is_instant=True,
    ),
    FaultSpec(
        "cut-24h",
        Side.CONNECTION,
        "ends connections as after 24 hours of life, now",
        "the venue's rule that no connection lives longer than a day",
        is_instant=True,
    ),
    FaultSpec(
        "server-shutdown",
        Side.CONNECTION,
        "sends serverShutdown in the connection's form, and closes what is still there after the lead",
        "a planned restart of the venue's gateways (since 2026-05-08)",
        {"lead": Param(10, "seconds from the notice to the close", 0, 3_600)},
        is_instant=True,
    ),
    FaultSpec(
        "black-hole",
        Side.CONNECTION,
        "nothing is sent, read or answered any more, the socket stays open; when the fault ends, it is reset",
        "a dead peer behind a NAT or a pulled cable: TCP says nothing for minutes",
    ),
    FaultSpec(
        "stall",
        Side.CONNECTION,
        "data and acknowledgements wait, pings and pongs go on; when the fault ends, all of it comes in one burst",
        "a proxy that buffers, a gateway whose sender thread hangs while its heartbeat lives",
    ),
    FaultSpec(
        "delay-connection",
        Side.CONNECTION,
        "everything but pings leaves later, in order",
        "a congested path, bufferbloat",
        {"ms": Param(500, "milliseconds", 0, _LONGEST_MS)},
    ),
    FaultSpec(
        "ping-flood",
        Side.CONNECTION,
        "sends pings far more often than every 20 s",
        "a gateway gone wild; clients that answer each one run into their own message limit",
        {"per_second": Param(20, "pings a second on each connection", 1, 10_000, is_whole=True)},
    ),
    # single events
    FaultSpec(
        "mute",
        Side.STREAM,
        "drops the data frames of the symbol's streams; the connection, acknowledgements and pings go on",
        "one publisher behind the gateway that died: the stream stays open and silent",
    ),
    FaultSpec(
        "first-data-never",
        Side.STREAM,
        "streams subscribed while it lasts are acknowledged and bring nothing; older subscriptions go on",
        "a reconnect to a gateway that lost its upstream",
    ),
    FaultSpec(
        "delay",
        Side.STREAM,
        "frames of the symbol's streams leave later, in order",
        "one overloaded publisher: the data is whole but old",
        {"ms": Param(500, "milliseconds", 0, _LONGEST_MS), "jitter_ms": Param(0, "up to this many more", 0, _LONGEST_MS)},
    ),
    FaultSpec("duplicate", Side.STREAM, "sends frames twice", "two publishers active after a failover"),
    FaultSpec(
        "reorder", Side.STREAM, "sends a frame after the one that follows it", "two paths of different length behind the gateway"
    ),
    FaultSpec(
        "drop",
        Side.STREAM,
        "loses one frame in N",
        "a full queue inside the venue that sheds load",
        {"one_in": Param(10, "N", 1, 1_000_000, is_whole=True)},
    ),
    FaultSpec("malformed", Side.STREAM, "cuts the JSON text short", "a broken encoder, a truncating proxy"),
    FaultSpec("binary", Side.STREAM, "sends the frame as binary", "a gateway switched to another encoding by mistake"),
    FaultSpec(
        "oversize",
        Side.STREAM,
        "blows the frame up",
        "a runaway message that a client must refuse without falling over",
        {"bytes": Param(2_000_000, "size of the frame", 1, 16_777_216, is_whole=True)},
    ),
    FaultSpec(
        "wrong-symbol", Side.STREAM, "puts another symbol's name into the event", "a routing mistake inside the venue's fan-out"
    ),
    FaultSpec(
        "stale-replay",
        Side.STREAM,
        "a new subscription first brings old frames, recorded since the fault was armed, then the present",
        "a gateway that replays its buffer after a reconnect",
        {"frames": Param(20, "old frames", 1, 1_000, is_whole=True)},
    ),
    FaultSpec(
        "book-top-only",
        Side.STREAM,
        "diff depth frames leave out what changed beyond the best N levels of a side",
        "a venue that publishes only the top of its book: deep levels turn stale without a gap in the ids",
        {"levels": Param(20, "N", 1, 5_000, is_whole=True)},
    ),
    # commands
    FaultSpec(
        "ack-dropped", Side.COMMAND, "acknowledges SUBSCRIBE and forgets it", "a subscription lost between gateway and publisher"
    ),
    FaultSpec("no-ack", Side.COMMAND, "never answers a command, but carries it out", "a lost answer"),
    FaultSpec(
        "error-ack",
        Side.COMMAND,
        "answers SUBSCRIBE with an error and does nothing",
        "a venue in maintenance, a symbol just delisted",
        {"code": Param(2, "error code", -9_999, 9_999, is_whole=True)},
    ),
    # upgrade
    FaultSpec(
        "upgrade-hang",
        Side.UPGRADE,
        "takes the socket and never completes the upgrade",
        "an overloaded gateway",
    ),
    FaultSpec(
        "upgrade-status",
        Side.UPGRADE,
        "answers the upgrade with an HTTP error",
        "an address over its connection limit, a firewall, a gateway without backend",
        {
            "status": Param(503, "HTTP status", 400, 599, is_whole=True),
            "retry_after": Param(0, "seconds for Retry-After (0 sends none)", 0, _LONGEST_BAN_S, is_whole=True),
        },
    ),
    # REST
    FaultSpec(
        "rest-429",
        Side.REST,
        "answers 429, code -1003, with Retry-After",
        "another program on the same address that used up the weight",
        {"retry_after": Param(5, "seconds", 0, _LONGEST_BAN_S, is_whole=True)},
    ),
    FaultSpec(
        "rest-418",
        Side.REST,
        "answers 418, code -1003, with Retry-After",
        "an address banned after it went on into 429",
        {"retry_after": Param(120, "seconds", 0, _LONGEST_BAN_S, is_whole=True)},
    ),
    FaultSpec("rest-403", Side.REST, "answers 403 with a page of HTML", "the venue's web application firewall"),
    FaultSpec(
        "rest-5xx",
        Side.REST,
        "answers 5xx, code -1001",
        "an internal error; for an order it would mean: outcome unknown",
        {"status": Param(503, "HTTP status", 500, 599, is_whole=True)},
    ),
    FaultSpec(
        "rest-slow",
        Side.REST,
        "answers later",
        "an overloaded API, a slow path",
        {"ms": Param(2_000, "milliseconds", 0, _LONGEST_MS), "jitter_ms": Param(0, "up to this many more", 0, _LONGEST_MS)},
    ),
    FaultSpec(
        "rest-replica",
        Side.REST,
        "answers from a state some hundred milliseconds behind the streams",
        "reads served by a replica of the matching engine's state",
        {"behind_ms": Param(300, "milliseconds", 0, 60_000)},
    ),
    FaultSpec("rest-cached", Side.REST, "repeats the first answer to each URL", "a cache between client and venue"),
    FaultSpec(
        "rest-missing-symbol",
        Side.REST,
        "leaves the symbol (if none is named: one of them) out of batched answers",
        "a symbol that a shard of the venue does not know",
    ),
    FaultSpec("rest-down", Side.REST, "cuts REST connections without an answer", "an API that is down while streams live"),
    # market
    FaultSpec(
        "wrong-clock",
        Side.MARKET,
        "/time and serverTime are off; events are not",
        "a time server of the venue gone astray, or one's own clock",
        {"ms": Param(1_500, "milliseconds ahead (negative: behind)", -_DAY_MS, _DAY_MS)},
    ),
    FaultSpec(
        "halt",
        Side.MARKET,
        "the symbol's status is HALT and nothing happens in it (agents' market only)",
        "a venue that suspends trading of a symbol",
    ),
)

FAULTS: Mapping[str, FaultSpec] = {spec.name: spec for spec in _TABLE}
"""Every fault by its name."""


def find(name: str) -> FaultSpec:
    """The fault of this name (``_`` and ``-`` alike). Raises ConfigError naming the nearest."""
    spec = FAULTS.get(name.replace("_", "-").lower())
    if spec is None:
        raise ConfigError(unknown("fault", name, FAULTS))
    return spec


def check_params(spec: FaultSpec, params: Mapping[str, object]) -> dict[str, float]:
    """Every parameter of the fault, as given or by default. Raises ConfigError naming the parameters, or the range, allowed."""
    for name in params:
        if name not in spec.params:
            known = ", ".join(spec.params) if spec.params else "none"
            apart = "symbol, stream, seconds and share are said apart (--symbol, --stream, --for, --share)"
            raise ConfigError(f"unknown parameter {name!r} of {spec.name}; allowed: {known}; {apart}")
    return {name: param.check(name, params.get(name, param.default)) for name, param in spec.params.items()}


def check_stream(spec: FaultSpec, stream: object) -> str:
    """The stream's name. Raises ConfigError for what names no stream, and for a fault that knows none."""
    if not isinstance(stream, str) or parse(stream) is None:
        raise ConfigError(f"unknown stream {_shown(stream)}; write it as a client subscribes to it, for example btcusdt@trade")
    if not spec.has_streams:
        raise ConfigError(f"{spec.name} cannot be limited to a stream; limit it to a symbol")
    return stream


def describe(specs: Iterable[FaultSpec] = FAULTS.values()) -> list[dict[str, object]]:
    """The table of faults as plain data."""
    return [
        {
            "fault": spec.name,
            "side": spec.side.value,
            "effect": spec.effect,
            "imitates": spec.imitates,
            "is_instant": spec.is_instant,
            "params": {
                name: {"default": each.default, "meaning": each.meaning, "allowed": each.allowed}
                for name, each in spec.params.items()
            },
        }
        for spec in specs
    ]


def _shown(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else repr(value)[:_LONGEST_SHOWN]
