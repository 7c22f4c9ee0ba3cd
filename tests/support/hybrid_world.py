"""Lanes of two symbols over one fleet: what the hub does between them, with a venue that is told how to misbehave."""

import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Compare, Dial, FleetEffect, Forgive, Hang, Lost
from foxtrot.transport.fleet import Fleet
from foxtrot.transport.values import HOLD_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import BreakerState, LaneState
from tests.support.fates import Sent
from tests.support.id_driver import IdDriver
from tests.support.lane_driver import START_NS, LaneDriver
from tests.support.model_venue import IdVenue
from tests.support.reference_model import Ledger
from tests.support.tick_driver import TickDriver

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
CHANNELS: Final = ("tick", "trades", "agg_trades")
PROBES: Final = 10
Driver = LaneDriver[Any]


@dataclass
class Link:
    """One dial, and what it became. ``queue``: frames under way on it."""

    generation: int
    is_open: bool = False
    queue: list[tuple[LaneKey, Sent[Any]]] = field(default_factory=list)


class World:
    """``links`` by number: dials under way, and open connections."""

    def __init__(self, seed: int, hold_ns: int | None = HOLD_NS) -> None:
        self.now = START_NS
        self.fleet = Fleet(self.now, random.Random(seed).random)
        self.links: dict[int, Link] = {}
        self.ended: list[tuple[int, int]] = []
        self.compared: set[int] = set()
        self.lanes: dict[LaneKey, Driver] = {}
        self.ledgers: dict[LaneKey, Ledger] = {}
        for number, (symbol, channel) in enumerate((symbol, channel) for symbol in SYMBOLS for channel in CHANNELS):
            key = LaneKey(symbol, channel)
            driver: Driver = TickDriver(seed + number)
            if channel != "tick":
                venue = IdVenue(next_id=5, trade_id=4)
                venue.make()
                driver = IdDriver(channel, venue, seed + number, hold_ns)
            driver.on_effect = partial(self._effect, key)
            driver.on_send = partial(self._publish, key)
            self.lanes[key] = driver
            self.ledgers[key] = Ledger(driver.told, is_whole=channel != "tick")

    def lane(self, key: LaneKey) -> Driver:
        """A lane's driver, on the world's clock."""
        driver = self.lanes[key]
        driver.now = self.now
        return driver

    # --- the hub's glue -----------------------------------------------------------------------------------------------------

    def pulse(self, span_ns: int) -> None:
        """Time passes: lanes with trips of their own share few permits, then the fleet dials."""
        self.now += span_ns
        barred = [driver for driver in self.lanes.values() if driver.lane.breaker.state is not BreakerState.CLOSED]
        permits = max(1, len(barred) // PROBES) - sum(driver.lane.is_probing for driver in barred)
        for key, driver in self.lanes.items():
            was_probing = driver.lane.is_probing
            self.lane(key).pass_time(0, may_probe=driver not in barred or permits > 0)
            permits -= driver in barred and driver.lane.is_probing and not was_probing
        self.act(self.fleet.pulse(self.now))

    def _effect(self, key: LaneKey, effect: steps.Effect) -> None:
        """Performed at once, in the midst of the lane's other effects, as the hub does."""
        match effect:
            case steps.OpenStream(lines):
                self.act(self.fleet.want(key, (f"{key.symbol}@{key.channel}",), self.now, lines))
            case steps.ShutStream():
                self.act(self.fleet.unwant(key, self.now))
            case steps.BreakerMoved(BreakerState.CLOSED, BreakerState.OPEN):
                self.act(self.fleet.tripped(key, self.now))
            case _:
                pass

    def act(self, effects: list[FleetEffect]) -> None:  # noqa: C901 -- one case an effect
        """What the fleet asks for."""
        for effect in effects:
            match effect:
                case Dial(connection, generation):
                    assert connection not in self.links, "one attempt per connection"
                    self.links[connection] = Link(generation)
                case Hang(connection, generation):
                    assert self.links[connection].generation == generation
                    self._end(connection)
                case Compare(_, new):
                    self.compared.add(new)
                case Carried(lanes):
                    for key in lanes:
                        self.lane(key).carried()
                case Lost(lanes):
                    for key in lanes:
                        driver = self.lane(key)
                        driver.is_up = False
                        driver.tell(steps.StreamDown())
                case Forgive(lanes):
                    for key in lanes:
                        self.lane(key).tell(steps.Forgiven())
                case _:
                    pass

    # --- the venue ----------------------------------------------------------------------------------------------------------

    def carriers(self, key: LaneKey) -> list[int]:
        """The open connections that bring a lane's frames."""
        return [number for number, link in self.links.items() if link.is_open and key in self.fleet.connections[number].lanes]

    def _publish(self, key: LaneKey, frame: object) -> None:
        for number in self.carriers(key):
            self.links[number].queue.append((key, Sent(frame, self.now)))

    def opened(self, number: int) -> None:
        """A dial succeeds."""
        self.links[number].is_open = True
        self.act(self.fleet.opened(number, self.links[number].generation, self.now))

    def lost(self, number: int) -> None:
        """A dial fails, or a connection ends with what was on its way."""
        generation = self.links[number].generation
        self._end(number)
        self.act(self.fleet.lost(number, generation, self.now))

    def proven(self, number: int) -> None:
        """A successor has shown what the old connection did."""
        self.act(self.fleet.proven(number, self.links[number].generation, self.now))

    def closing(self, number: int) -> None:
        """The venue announces that it will close a connection."""
        self.act(self.fleet.closing(number, self.links[number].generation, self.now))

    def _end(self, number: int) -> None:
        link = self.links.pop(number)
        self.compared.discard(number)
        self.ended.append((number, link.generation))
        for key, sent in link.queue:
            self._dropped(key, sent)

    def _dropped(self, key: LaneKey, sent: Sent[Any]) -> None:
        """Frames that no other line brings are lost."""
        elsewhere = any((key, sent) in link.queue for link in self.links.values())
        self.lanes[key].is_flawed |= not elsewhere and sent not in self.lanes[key].past

    def receive(self, number: int, *, is_lost: bool = False) -> None:
        """The oldest frame on a connection arrives, or does not."""
        key, sent = self.links[number].queue.pop(0)
        if is_lost:
            self._dropped(key, sent)
        else:
            self.lane(key).receive(sent)

    def drain(self) -> None:
        """All frames on their way arrive."""
        for link in list(self.links.values()):
            while link.queue:
                key, sent = link.queue.pop(0)
                self.lane(key).receive(sent)

    def poll(self, *, is_answered: bool = True) -> None:
        """A beat, asked and answered within 40 ms."""
        asked = [(key, driver, self.lane(key)._ask(), self.now) for key, driver in self.lanes.items()]
        self.drain()
        self.pulse(40 * NS_PER_MS)
        for key, driver, answer, asked_ns in asked:
            if is_answered and driver.shown is not LaneState.CLOSED:
                self.lane(key).poll_answered(answer, asked_ns)

    def questions(self, *, is_answered: bool = True) -> None:
        """What lanes have asked is answered, or fails: no failure of REST is the stream's."""
        for key in self.lanes:
            driver = self.lane(key)
            if is_answered:
                driver.finish_questions()
            else:
                driver.fail_questions()

    def second(self, *, is_busy: bool, is_answered: bool = True) -> None:
        """A healthy second (``is_answered``: for REST too)."""
        for number in [number for number, link in self.links.items() if not link.is_open]:
            self.opened(number)
        if is_busy:
            for key in self.lanes:
                self.lane(key).something_new()
        self.poll(is_answered=is_answered)
        for _ in range(3):
            self.pulse(320 * NS_PER_MS)
            self.questions(is_answered=is_answered)

    def skip_waits(self) -> None:
        """To the moment when the last barred lane may try its stream."""
        waiting = [d.lane.retry_at_ns for d in self.lanes.values() if d.shown is LaneState.FALLBACK and not d.is_wanted]
        self.now = max(self.now, *waiting) if waiting else self.now + NS_PER_S
