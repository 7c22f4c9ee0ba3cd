"""Lanes that share a connection, the connections that carry them, and what the fleet may ask for."""

import enum

import msgspec

from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import BreakerState


class Phase(enum.Enum):
    """The life of a connection."""

    WAITING = "waiting"  # for its next dial
    CONNECTING = "connecting"
    OPEN = "open"


class Dial(msgspec.Struct, frozen=True):
    """Connect, with these streams in the address; ``line`` goes round the venue's addresses."""

    connection: int
    generation: int
    streams: tuple[str, ...]
    line: int = 0


class Hang(msgspec.Struct, frozen=True):
    """Close a connection: nobody needs it, another has taken its place, or it fails its lanes."""

    connection: int
    generation: int


class Sync(msgspec.Struct, frozen=True):
    """The streams of an open connection are not those it has: subscribe and unsubscribe."""

    connection: int


class Compare(msgspec.Struct, frozen=True):
    """Two connections carry the same lanes: watch whether the new one brings what the old one does, then say ``proven``."""

    old: int
    new: int


class Carried(msgspec.Struct, frozen=True):
    """The first line of these lanes is up."""

    lanes: tuple[LaneKey, ...]


class Lost(msgspec.Struct, frozen=True):
    """The last line of these lanes is gone, or could not be made; it will be dialled again."""

    lanes: tuple[LaneKey, ...]


class Forgive(msgspec.Struct, frozen=True):
    """So many lanes of one connection tripped that it was the connection's failure: these trips do not count."""

    lanes: tuple[LaneKey, ...]


class Moved(msgspec.Struct, frozen=True):
    """The breaker of a bundle's connection changed."""

    bundle: int
    old: BreakerState
    new: BreakerState


FleetEffect = Dial | Hang | Sync | Compare | Carried | Lost | Forgive | Moved


class Connection:
    """One connection as the fleet sees it. ``replace_ns``: when a successor is due, 0 while it is not open."""

    __slots__ = ("bundle", "generation", "id", "open_since_ns", "phase", "replace_ns")

    def __init__(self, number: int, bundle: "Bundle") -> None:
        self.id = number
        self.bundle = bundle
        self.phase = Phase.WAITING
        self.generation = 0
        self.open_since_ns = 0
        self.replace_ns = 0

    @property
    def is_open(self) -> bool:
        """Whether it carries its lanes."""
        return self.phase is Phase.OPEN

    @property
    def lanes(self) -> dict[LaneKey, tuple[str, ...]]:
        """Its lanes with their streams."""
        return self.bundle.lanes

    @property
    def streams(self) -> tuple[str, ...]:
        """All streams of its lanes."""
        return tuple(stream for streams in self.bundle.lanes.values() for stream in streams)


class Bundle:
    """Lanes that share one line: carried by ``current``, while it is replaced also by ``successor``.

    ``misses`` counts losses with no steady connection between them; the waits after them grow.
    """

    __slots__ = (
        "breaker",
        "current",
        "empty_since_ns",
        "id",
        "is_rushed",
        "lanes",
        "line",
        "losses",
        "misses",
        "retry_at_ns",
        "rotation_wait_ns",
        "stream_count",
        "successor",
        "trips",
        "wait",
    )

    def __init__(self, number: int, line: int, now_ns: int) -> None:
        self.id = number
        self.line = line
        self.lanes: dict[LaneKey, tuple[str, ...]] = {}
        self.stream_count = 0
        self.current = Connection(number, self)
        self.successor: Connection | None = None
        self.breaker = BreakerState.CLOSED
        self.retry_at_ns = now_ns
        self.wait = 0.0
        self.losses = 0
        self.misses = 0
        self.rotation_wait_ns = 0
        self.is_rushed = False  # the venue has announced that it closes the connection
        self.empty_since_ns = now_ns
        self.trips: dict[LaneKey, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether a connection carries its lanes."""
        return any(connection.is_open for connection in self.connections)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """One; two while one replaces the other."""
        return (self.current,) if self.successor is None else (self.current, self.successor)

    def add(self, lane: LaneKey, streams: tuple[str, ...]) -> None:
        """Takes a lane in."""
        self.lanes[lane] = streams
        self.stream_count += len(streams)

    def drop(self, lane: LaneKey, now_ns: int) -> None:
        """Lets a lane go."""
        self.stream_count -= len(self.lanes.pop(lane))
        if not self.lanes:
            self.empty_since_ns = now_ns

    def synced(self) -> list[FleetEffect]:
        """Has what is open brought in step with its lanes."""
        return [Sync(connection.id) for connection in self.connections if connection.is_open]

    def moved(self, new: BreakerState) -> list[FleetEffect]:
        """Its breaker's change, if it is one."""
        old, self.breaker = self.breaker, new
        return [Moved(self.id, old, new)] if old is not new else []
