"""What lanes share: connections, and the right to dial.

Rules (design, section 5; reliability CB-3, RT-3, RT-5, BN-4):

1. A connection carries ``STREAMS`` streams at most. A lane's streams stay together; its lines are on different connections. It is
   ``Carried`` from its first line to come up until its last one is gone (``Lost``).
2. How often may be dialled stands in ``dials``: for the whole process. Lanes that nothing carries come first, then connections
   that the venue is about to close, then second lines, then those that have grown old. One attempt under way per connection.
3. After a loss the first dial comes within 0 to 1 s, then decorrelated 1 to 60 s; the address alternates. The wait is forgotten
   once a connection has lived for ``STEADY_NS``, and remembered over a restart (``FleetMemory``).
4. A connection without lanes lingers for ``LINGER_NS`` (a lane that comes back needs no dial), then it is closed.
5. A connection that grows old, or is about to be closed, gets a successor with the same lanes (``rotation``). Whichever of the
   two ends first, nothing is counted and no lane falls that the other carries. New lanes join both.
6. When ``MASS_LANES`` or more of a connection's lanes, and half of them, trip within ``MASS_NS``, the connection has failed,
   unless they are all of one symbol and others stand: then the symbol has. The connection has failed, too, where a lane tripped
   ``DYING_NS`` at most before its only connection ended. Such trips are taken back (``Forgive``).
7. Every dial has a generation; what an older one says changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from foxtrot.transport import rotation
from foxtrot.transport.backoff import Chance, decorrelated
from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import (
    Bundle,
    Carried,
    Compare,
    Connection,
    Dial,
    FleetEffect,
    Forgive,
    Hang,
    Lost,
    Phase,
)
from foxtrot.transport.dials import Dials
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState

STREAMS: Final = 200
LINGER_NS: Final = 30 * NS_PER_S
STEADY_NS: Final = 60 * NS_PER_S
FIRST_WAIT: Final = 1.0
BASE_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
MASS_NS: Final = 10 * NS_PER_S
MASS_LANES: Final = 3
DYING_NS: Final = 3 * NS_PER_S
"""What trips so shortly before its only connection ends has tripped over the connection."""

LONGEST_BAN_NS: Final = 3 * 24 * 3_600 * NS_PER_S
"""What a memory may ask for at most: the venue's longest ban. A clock that was set back must not silence us for longer."""


class FleetMemory(msgspec.Struct, frozen=True):
    """What a restart must not forget (CB-11): instants of recent dials, the venue's silence, the worst wait (s), its end."""

    dials: tuple[int, ...] = ()
    quiet_until_ns: int = 0
    wait: float = 0.0
    retry_at_ns: int = 0


class _Left(NamedTuple):
    """When a lane left, which bundles, and the numbers of the connections that carried it then."""

    at_ns: int
    bundles: list[Bundle]
    carriers: list[int]


class Fleet:
    """All connections of one venue. ``connections`` by number, two of a bundle while one replaces the other."""

    def __init__(self, now_ns: int, chance: Chance, memory: FleetMemory | None = None) -> None:
        past = memory or FleetMemory()
        self.connections: dict[int, Connection] = {}
        self._bundles: list[Bundle] = []
        self._homes: dict[LaneKey, dict[int, Bundle]] = {}  # by line
        self._told: dict[LaneKey, bool] = {}  # whether it was last told that it is carried
        self._left: dict[LaneKey, _Left] = {}  # its trip may be told later
        self._chance = chance
        self._dials = Dials(now_ns, chance, past.dials, min(past.quiet_until_ns, now_ns + LONGEST_BAN_NS))
        self._first_retry_ns = min(past.retry_at_ns, now_ns + int(LONGEST_WAIT * NS_PER_S))
        self._first_wait = min(past.wait, LONGEST_WAIT)
        self._numbers = 0

    # --- lanes --------------------------------------------------------------------------------------------------------------

    def want(self, lane: LaneKey, streams: tuple[str, ...], now_ns: int, lines: int = 1) -> list[FleetEffect]:
        """A lane wants its streams on so many lines; again: on another number of them."""
        homes = self._homes.setdefault(lane, {})
        touched = [self._leave(lane, line, now_ns) for line in self._surplus(homes, lines)]
        for line in range(2):
            if len(homes) < lines and line not in homes:
                bundle = homes[line] = self._with_room(len(streams), line, now_ns)
                bundle.add(lane, streams)
                touched.append(bundle)
        self._left.pop(lane, None)
        effects = [effect for bundle in touched for effect in bundle.synced()]
        return [*effects, *self._tell([lane]), *self.pulse(now_ns)]

    def unwant(self, lane: LaneKey, now_ns: int) -> list[FleetEffect]:
        """A lane wants its streams no longer."""
        carriers = [connection.id for connection in self._open_connections(lane)]
        left = [self._leave(lane, line, now_ns) for line in list(self._homes.get(lane, ()))]
        self._homes.pop(lane, None)
        self._told.pop(lane, None)
        self._left = {key: entry for key, entry in self._left.items() if now_ns - entry.at_ns <= MASS_NS}
        if left:
            self._left[lane] = _Left(now_ns, left, carriers)
        return [effect for bundle in left for effect in bundle.synced()]

    def tripped(self, lane: LaneKey, now_ns: int) -> list[FleetEffect]:
        """A lane's stream failed of itself, also one that has just been unwanted for it: was it the connection?"""
        homes = self._homes.get(lane)
        left = self._left.get(lane)
        bundles = list(homes.values()) if homes else left.bundles if left else []
        effects: list[FleetEffect] = []
        for bundle in bundles:
            bundle.trips[lane] = now_ns
            bundle.trips = {key: at for key, at in bundle.trips.items() if now_ns - at <= MASS_NS}
            if bundle.current.is_open and _is_mass(bundle):
                effects.extend(self._fail(bundle, now_ns))
        return effects

    def sole(self, number: int, streams: Iterable[str]) -> list[LaneKey]:
        """The lanes that have one of these streams on this connection and are carried by no other."""
        connection, wanted = self.connections.get(number), set(streams)
        if connection is None:
            return []
        return [
            lane
            for lane, own in connection.lanes.items()
            if not wanted.isdisjoint(own) and not any(other is not connection for other in self._open_connections(lane))
        ]

    # --- connections --------------------------------------------------------------------------------------------------------

    def opened(self, number: int, generation: int, now_ns: int) -> list[FleetEffect]:
        """A dial succeeded; what was wanted and dropped meanwhile is brought in step."""
        connection = self._known(number, generation)
        if connection is None:
            return []
        bundle = connection.bundle
        connection.phase = Phase.OPEN
        connection.open_since_ns = now_ns
        connection.replace_ns = rotation.due_ns(now_ns, self._chance)
        if connection is bundle.successor:
            return [*bundle.synced(), Compare(bundle.current.id, number)]
        return [*bundle.synced(), *bundle.moved(BreakerState.CLOSED), *self._tell(bundle.lanes)]

    def lost(self, number: int, generation: int, now_ns: int, not_before_ns: int = 0) -> list[FleetEffect]:
        """A dial failed or an open connection ended. ``not_before_ns``: the venue refuses this address until then."""
        connection = self._known(number, generation)
        if connection is None:
            return []
        if not_before_ns > now_ns:
            self._dials.silence(not_before_ns)  # whoever dials: the venue counts addresses (RT-5)
        bundle = connection.bundle
        if connection is bundle.successor:
            self._give_up_successor(bundle, now_ns)
            return []
        dying = [lane for lane, at in bundle.trips.items() if now_ns - at <= DYING_NS] if connection.is_open else []
        forgiven = [lane for lane in dying if not self._has_other(lane, connection)]
        bundle.trips = {}
        if bundle.successor is not None:
            self._promote(bundle)
        else:
            self._wait(bundle, now_ns)
        effects = [*self._tell(bundle.lanes, is_failed=True), *bundle.moved(self._state(bundle))]
        return [*effects, Forgive(tuple(forgiven))] if forgiven else effects

    def closing(self, number: int, generation: int, now_ns: int) -> list[FleetEffect]:
        """The venue has announced that it will close an open connection: a successor is due at once."""
        connection = self._known(number, generation)
        if connection is None or not connection.is_open:
            return []
        connection.replace_ns = now_ns
        connection.bundle.is_rushed = True
        return self.pulse(now_ns)

    def proven(self, number: int, generation: int, now_ns: int) -> list[FleetEffect]:
        """A successor brings what the old connection does: it takes its place."""
        connection = self._known(number, generation)
        if connection is None or connection is not connection.bundle.successor:
            return []
        old = connection.bundle.current
        self._promote(connection.bundle)
        connection.bundle.rotation_wait_ns = 0
        return [Hang(old.id, old.generation), *self.pulse(now_ns)]

    def pulse(self, now_ns: int) -> list[FleetEffect]:
        """Time has passed: dials what is due, hangs up what is empty or does not prove itself."""
        effects: list[FleetEffect] = []
        due: list[tuple[int, int, Bundle]] = []
        for place, bundle in enumerate(list(self._bundles)):
            if not bundle.lanes:
                effects.extend(self._retire(bundle, now_ns))
            elif (rank := self._rank(bundle, now_ns)) is not None:
                due.append((rank, place, bundle))
            elif self._is_unproven(bundle, now_ns):
                effects.extend(self._hang_successor(bundle, now_ns))
        for _, _, bundle in sorted(due, key=lambda entry: entry[:2]):
            if not self._dials.take(now_ns):
                break
            effects.extend(self._dial(bundle))
        return effects

    def revive(self, now_ns: int) -> list[FleetEffect]:
        """By hand: nothing waits any longer for its next dial; how often may be dialled, and the venue's silence, still hold."""
        self._first_retry_ns = min(self._first_retry_ns, now_ns)
        for bundle in self._bundles:
            bundle.retry_at_ns = min(bundle.retry_at_ns, now_ns)
        return self.pulse(now_ns)

    def memory(self) -> FleetMemory:
        """What the next process should know. Where any connection stands, the venue is well and nothing has to wait."""
        is_well = any(bundle.is_open for bundle in self._bundles)
        failing = [bundle for bundle in self._bundles if bundle.losses and not is_well]
        return FleetMemory(
            dials=tuple(self._dials.recent),
            quiet_until_ns=self._dials.quiet_until_ns,
            wait=max((bundle.wait for bundle in failing), default=0.0),
            retry_at_ns=max((bundle.retry_at_ns for bundle in failing), default=0),
        )

    # --- placing ------------------------------------------------------------------------------------------------------------

    def _surplus(self, homes: dict[int, Bundle], lines: int) -> Sequence[int]:
        """The lines to drop: first one that carries nothing."""
        by_use = sorted(homes, key=lambda line: (not homes[line].is_open, line))
        return by_use[lines:]

    def _leave(self, lane: LaneKey, line: int, now_ns: int) -> Bundle:
        bundle = self._homes[lane].pop(line)
        bundle.drop(lane, now_ns)
        return bundle

    def _with_room(self, count: int, line: int, now_ns: int) -> Bundle:
        roomy = [each for each in self._bundles if each.line == line and each.stream_count + count <= STREAMS]
        if roomy:
            return next((each for each in roomy if each.is_open), roomy[0])
        self._numbers += 1
        bundle = Bundle(self._numbers, line, now_ns)
        if now_ns < self._first_retry_ns:
            bundle.retry_at_ns, bundle.wait = self._first_retry_ns, self._first_wait
        self._bundles.append(bundle)
        self.connections[bundle.id] = bundle.current
        return bundle

    def _open_connections(self, lane: LaneKey) -> list[Connection]:
        homes = self._homes.get(lane, {}).values()
        return [connection for bundle in homes for connection in bundle.connections if connection.is_open]

    def _has_other(self, lane: LaneKey, connection: Connection) -> bool:
        """Whether another connection carries a lane, or did when it left: a trip is then not this connection's failure."""
        left = self._left.get(lane)
        carriers = left.carriers if left else [each.id for each in self._open_connections(lane)]
        return any(number != connection.id for number in carriers)

    def _tell(self, lanes: Iterable[LaneKey], *, is_failed: bool = False) -> list[FleetEffect]:
        """What has changed for lanes. One that was never carried hears of a dial that failed, once."""
        carried: list[LaneKey] = []
        lost: list[LaneKey] = []
        for lane in lanes:
            is_carried, told = any(bundle.is_open for bundle in self._homes[lane].values()), self._told.get(lane)
            if is_carried and not told:
                carried.append(lane)
            elif not is_carried and (told or (is_failed and told is None)):
                lost.append(lane)
        self._told.update(dict.fromkeys(carried, True))
        self._told.update(dict.fromkeys(lost, False))
        effects: list[FleetEffect] = [Carried(tuple(carried))] if carried else []
        return [*effects, Lost(tuple(lost))] if lost else effects

    # --- attempts -----------------------------------------------------------------------------------------------------------

    def _rank(self, bundle: Bundle, now_ns: int) -> int | None:
        """How soon a bundle may dial among those that want to; None: it does not want to."""
        if bundle.current.phase is Phase.WAITING:
            if now_ns < bundle.retry_at_ns:
                return None
            return 2 if all(self._told.get(lane) for lane in bundle.lanes) else 0
        if not bundle.current.is_open or bundle.successor is not None or now_ns < bundle.current.replace_ns:
            return None
        return 1 if bundle.is_rushed else 3

    def _dial(self, bundle: Bundle) -> list[FleetEffect]:
        connection = bundle.current
        if connection.is_open:
            self._numbers += 1
            connection = bundle.successor = Connection(self._numbers, bundle)
            self.connections[connection.id] = connection
        connection.phase = Phase.CONNECTING
        connection.generation += 1
        is_retry = bundle.breaker is BreakerState.OPEN
        moved = bundle.moved(BreakerState.HALF_OPEN) if is_retry else []
        return [*moved, Dial(connection.id, connection.generation, connection.streams, bundle.line + bundle.misses)]

    def _wait(self, bundle: Bundle, now_ns: int) -> None:
        """The bundle's only connection is gone: when it is dialled again."""
        connection = bundle.current
        steady = connection.is_open and now_ns - connection.open_since_ns >= STEADY_NS
        first = bundle.wait == 0.0 or steady
        wait = FIRST_WAIT * self._chance() if first else decorrelated(bundle.wait, BASE_WAIT, LONGEST_WAIT, self._chance)
        bundle.wait = BASE_WAIT if first else wait
        bundle.retry_at_ns = now_ns + int(wait * NS_PER_S)
        bundle.losses += 1
        bundle.misses = 0 if first else bundle.misses + 1
        bundle.is_rushed = False
        connection.phase = Phase.WAITING
        connection.generation += 1

    def _fail(self, bundle: Bundle, now_ns: int) -> list[FleetEffect]:
        """The open connection of a bundle failed its lanes."""
        connection, forgiven = bundle.current, tuple(bundle.trips)
        bundle.trips = {}
        hang = Hang(connection.id, connection.generation)
        return [hang, *self.lost(connection.id, connection.generation, now_ns), Forgive(forgiven)]

    def _state(self, bundle: Bundle) -> BreakerState:
        """The breaker after a loss: closed where a successor has stepped in."""
        return BreakerState.OPEN if bundle.current.phase is Phase.WAITING else bundle.breaker

    def _retire(self, bundle: Bundle, now_ns: int) -> list[FleetEffect]:
        if bundle.current.phase is Phase.WAITING:
            if now_ns < bundle.retry_at_ns:
                return []  # its wait is remembered: leaving and coming back is no way around it
        elif now_ns - bundle.empty_since_ns < LINGER_NS:
            return []
        self._bundles.remove(bundle)
        for connection in bundle.connections:
            del self.connections[connection.id]
        return [Hang(each.id, each.generation) for each in bundle.connections if each.phase is not Phase.WAITING]

    # --- rotation -----------------------------------------------------------------------------------------------------------

    def _promote(self, bundle: Bundle) -> None:
        """The successor is the bundle's connection from here on."""
        assert bundle.successor is not None
        del self.connections[bundle.current.id]
        bundle.current, bundle.successor = bundle.successor, None
        bundle.is_rushed = False

    def _is_unproven(self, bundle: Bundle, now_ns: int) -> bool:
        successor = bundle.successor
        if successor is None or not successor.is_open:
            return False
        return now_ns - successor.open_since_ns >= rotation.GIVE_UP_NS

    def _hang_successor(self, bundle: Bundle, now_ns: int) -> list[FleetEffect]:
        assert bundle.successor is not None
        hang = Hang(bundle.successor.id, bundle.successor.generation)
        self._give_up_successor(bundle, now_ns)
        return [hang]

    def _give_up_successor(self, bundle: Bundle, now_ns: int) -> None:
        assert bundle.successor is not None
        del self.connections[bundle.successor.id]
        bundle.successor = None
        wait = rotation.next_wait_ns(bundle.rotation_wait_ns, bundle.current.open_since_ns, now_ns, is_rushed=bundle.is_rushed)
        bundle.rotation_wait_ns = wait
        bundle.current.replace_ns = now_ns + wait

    def _known(self, number: int, generation: int) -> Connection | None:
        connection = self.connections.get(number)
        return connection if connection is not None and connection.generation == generation else None


def _is_mass(bundle: Bundle) -> bool:
    """Whether the lanes that tripped of late show that their connection failed."""
    lanes = bundle.lanes.keys() | bundle.trips.keys()
    if len(bundle.trips) < max(MASS_LANES, len(lanes) / 2):
        return False
    symbols = {lane.symbol for lane in bundle.trips}
    return len(symbols) > 1 or all(lane.symbol in symbols for lane in lanes)
