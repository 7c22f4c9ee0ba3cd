"""What lanes share: connections, and the right to dial.

Rules (design, section 5; reliability RT-3, CB-3):

1. A connection carries ``STREAMS`` streams at most. A lane's streams stay together, on the first connection with room.
2. One dial a second and 100 in any 5 minutes for the whole process; one attempt under way per connection.
3. After a loss the first dial comes within 0 to 1 s, then decorrelated 1 to 60 s. The wait is forgotten once a connection
   has lived for ``STEADY_NS``.
4. A connection without lanes lingers for ``LINGER_NS`` (a lane that comes back needs no dial), then it is closed.
5. Every dial has a generation; what an older one says changes nothing.
"""

import enum
from typing import Final

import msgspec

from foxtrot.transport.backoff import Chance, decorrelated
from foxtrot.transport.base import LaneKey
from foxtrot.transport.budget import Bucket, Rate
from foxtrot.util.clock import NS_PER_S

STREAMS: Final = 200
LINGER_NS: Final = 30 * NS_PER_S
STEADY_NS: Final = 60 * NS_PER_S
FIRST_WAIT: Final = 1.0
BASE_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
DIALS: Final = Rate(share=100, period=300, burst=40)
PACE_NS: Final = NS_PER_S


class Phase(enum.Enum):
    """The life of a connection."""

    WAITING = "waiting"  # for its next dial
    CONNECTING = "connecting"
    OPEN = "open"


class Dial(msgspec.Struct, frozen=True):
    """Connect, with these streams in the address."""

    connection: int
    generation: int
    streams: tuple[str, ...]


class Hang(msgspec.Struct, frozen=True):
    """Close a connection that nobody needs."""

    connection: int
    generation: int


class Sync(msgspec.Struct, frozen=True):
    """The streams of an open connection are not those it has: subscribe and unsubscribe."""

    connection: int


class Carried(msgspec.Struct, frozen=True):
    """A connection carries these lanes now."""

    lanes: tuple[LaneKey, ...]


class Lost(msgspec.Struct, frozen=True):
    """A connection does not carry these lanes any more; it will be dialled again."""

    lanes: tuple[LaneKey, ...]


FleetEffect = Dial | Hang | Sync | Carried | Lost


class Connection:
    """One connection as the fleet sees it."""

    __slots__ = (
        "dials",
        "empty_since_ns",
        "generation",
        "id",
        "lanes",
        "losses",
        "open_since_ns",
        "phase",
        "retry_at_ns",
        "stream_count",
        "wait",
    )

    def __init__(self, number: int, now_ns: int) -> None:
        self.id = number
        self.phase = Phase.WAITING
        self.generation = 0
        self.lanes: dict[LaneKey, tuple[str, ...]] = {}
        self.stream_count = 0
        self.retry_at_ns = now_ns
        self.wait = 0.0
        self.open_since_ns = 0
        self.empty_since_ns = 0
        self.dials = 0
        self.losses = 0

    @property
    def streams(self) -> tuple[str, ...]:
        """All streams of its lanes."""
        return tuple(stream for streams in self.lanes.values() for stream in streams)


class Fleet:
    """All connections of one venue."""

    def __init__(self, now_ns: int, chance: Chance) -> None:
        self.connections: dict[int, Connection] = {}
        self._at: dict[LaneKey, Connection] = {}
        self._chance = chance
        self._dials = Bucket(DIALS, now_ns)
        self._next_dial_ns = now_ns
        self._numbers = 0

    def want(self, lane: LaneKey, streams: tuple[str, ...], now_ns: int) -> list[FleetEffect]:
        """A lane wants its stream."""
        if lane in self._at:
            return []
        connection = self._with_room(len(streams), now_ns)
        connection.lanes[lane] = streams
        connection.stream_count += len(streams)
        self._at[lane] = connection
        if connection.phase is not Phase.OPEN:
            return self.pulse(now_ns)
        return [Sync(connection.id), Carried((lane,))]

    def unwant(self, lane: LaneKey, now_ns: int) -> list[FleetEffect]:
        """A lane wants its stream no longer."""
        connection = self._at.pop(lane, None)
        if connection is None:
            return []
        connection.stream_count -= len(connection.lanes.pop(lane))
        if not connection.lanes:
            connection.empty_since_ns = now_ns
        return [Sync(connection.id)] if connection.phase is Phase.OPEN else []

    def opened(self, number: int, generation: int, now_ns: int) -> list[FleetEffect]:
        """A dial succeeded; what was wanted and dropped meanwhile is brought in step."""
        connection = self._current(number, generation)
        if connection is None:
            return []
        connection.phase = Phase.OPEN
        connection.open_since_ns = now_ns
        return [Sync(number), Carried(tuple(connection.lanes))]

    def lost(self, number: int, generation: int, now_ns: int, not_before_ns: int = 0) -> list[FleetEffect]:
        """A dial failed or an open connection ended. ``not_before_ns``: the venue refuses this address until then."""
        connection = self._current(number, generation)
        if connection is None:
            return []
        connection.losses += 1
        steady = connection.phase is Phase.OPEN and now_ns - connection.open_since_ns >= STEADY_NS
        first = connection.wait == 0.0 or steady
        wait = FIRST_WAIT * self._chance() if first else decorrelated(connection.wait, BASE_WAIT, LONGEST_WAIT, self._chance)
        connection.wait = BASE_WAIT if first else wait
        connection.phase = Phase.WAITING
        connection.retry_at_ns = now_ns + int(wait * NS_PER_S)
        self._next_dial_ns = max(self._next_dial_ns, not_before_ns)  # whoever dials: the venue counts addresses (RT-5)
        connection.generation += 1
        return [Lost(tuple(connection.lanes))] if connection.lanes else []

    def pulse(self, now_ns: int) -> list[FleetEffect]:
        """Time has passed: dials what is due, hangs up what is empty."""
        effects: list[FleetEffect] = []
        for connection in list(self.connections.values()):
            if not connection.lanes:
                effects.extend(self._retire(connection, now_ns))
            elif connection.phase is Phase.WAITING and now_ns >= connection.retry_at_ns and self._may_dial(now_ns):
                connection.phase = Phase.CONNECTING
                connection.generation += 1
                connection.dials += 1
                effects.append(Dial(connection.id, connection.generation, connection.streams))
        return effects

    def _may_dial(self, now_ns: int) -> bool:
        if now_ns < self._next_dial_ns or self._dials.wait(1, now_ns) > 0:
            return False
        self._dials.spend(1, now_ns)
        self._next_dial_ns = now_ns + PACE_NS
        return True

    def _retire(self, connection: Connection, now_ns: int) -> list[FleetEffect]:
        if connection.phase is not Phase.WAITING and now_ns - connection.empty_since_ns < LINGER_NS:
            return []
        if connection.phase is Phase.WAITING and now_ns < connection.retry_at_ns:
            return []  # its wait is remembered: leaving and coming back is no way around it
        del self.connections[connection.id]
        return [] if connection.phase is Phase.WAITING else [Hang(connection.id, connection.generation)]

    def _with_room(self, count: int, now_ns: int) -> Connection:
        for connection in self.connections.values():
            if connection.stream_count + count <= STREAMS:
                return connection
        self._numbers += 1
        connection = self.connections[self._numbers] = Connection(self._numbers, now_ns)
        return connection

    def _current(self, number: int, generation: int) -> Connection | None:
        connection = self.connections.get(number)
        return connection if connection is not None and connection.generation == generation else None
