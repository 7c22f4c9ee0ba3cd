"""Acts for the fleet: dials, keeps the subscriptions of each connection in step, carries frames to their handlers."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

import msgspec

from foxtrot.transport.base import Dialler, StreamFeed, StreamHandler, Wire
from foxtrot.transport.fleet import Carried, Dial, Fleet, FleetEffect, Hang, Lost, Sync
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.errors import RateLimited, VenueError

COMMAND_PAUSE: Final = 0.4
"""Seconds between commands on one connection: with pings and pongs never more than 5 messages a second."""

_log = logging.getLogger(__name__)


class FrameCounts:
    """What came and did not fit, over all connections."""

    __slots__ = ("complaints", "malformed", "raised", "unrouted")

    def __init__(self) -> None:
        self.malformed = 0
        self.unrouted = 0
        self.complaints = 0
        self.raised = 0


class _Link:
    """One connection that is being made or stands."""

    def __init__(self, dial: Dial) -> None:
        self.dial = dial
        self.wire: Wire | None = None
        self.subscribed = set(dial.streams)
        self.task: asyncio.Task[None] | None = None
        self.changed = asyncio.Event()


class Streaming:
    """All stream connections of one venue."""

    def __init__(
        self,
        fleet: Fleet,
        feed: StreamFeed,
        dialler: Dialler,
        clock: Clock,
        *,
        on_fleet: Callable[[Carried | Lost], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._fleet = fleet
        self._feed = feed
        self._dialler = dialler
        self._clock = clock
        self._on_fleet = on_fleet
        self._on_problem = on_problem
        self._links: dict[int, _Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._request_id = 0
        self._routes: Final[dict[bytes, StreamHandler]] = {}  # by how a frame begins, up to the end of its stream's name
        self.counts: Final = FrameCounts()
        self._on_frame = _router(self._routes, feed, self.counts, on_problem)

    def act(self, effects: Sequence[FleetEffect]) -> None:
        """Carries out what the fleet asks for."""
        for effect in effects:
            match effect:
                case Dial():
                    link = self._links[effect.connection] = _Link(effect)
                    link.task = self._spawn(self._live(link), f"stream connection {effect.connection}")
                case Hang():
                    self._hang(effect.connection)
                case Sync():
                    if (known := self._links.get(effect.connection)) is not None:
                        known.changed.set()
                case Carried() | Lost():
                    self._on_fleet(effect)

    def route(self, stream: str, handler: StreamHandler) -> None:
        """Has a stream's frames carried to ``handler``, whichever connection brings them."""
        self._routes[self._feed.envelope + stream.encode()] = handler

    def unroute(self, stream: str) -> None:
        """Lets a stream's frames go."""
        self._routes.pop(self._feed.envelope + stream.encode(), None)

    async def close(self) -> None:
        """Ends every connection and awaits their tasks."""
        for number in list(self._links):
            self._hang(number)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _live(self, link: _Link) -> None:
        dial = link.dial
        try:
            link.wire = await self._dialler.dial(
                self._feed.url(dial.streams), self._on_frame, lambda cause: self._ended(link, cause)
            )
        except VenueError as error:
            retry_after = error.retry_after if isinstance(error, RateLimited) else 0.0
            self._lost(link, f"stream connection {dial.connection} could not be made: {error}", retry_after)
            return
        self.act(self._fleet.opened(dial.connection, dial.generation, self._clock.now_ns()))
        await self._keep_in_step(link, link.wire)

    async def _keep_in_step(self, link: _Link, wire: Wire) -> None:
        """Brings the connection's subscriptions to what the fleet wants, one command at a time."""
        while True:
            await link.changed.wait()
            link.changed.clear()
            await self._clock.sleep(0)  # what is asked for in the same moment goes in the same command
            while command := self._next_command(link):
                wire.send(command)
                await self._clock.sleep(COMMAND_PAUSE)

    def _next_command(self, link: _Link) -> bytes:
        connection = self._fleet.connections.get(link.dial.connection)
        wanted = set(connection.streams) if connection is not None else set()
        self._request_id += 1
        if more := sorted(wanted - link.subscribed):
            link.subscribed.update(more)
            return self._feed.subscribe(more, self._request_id)
        if less := sorted(link.subscribed - wanted):
            link.subscribed.difference_update(less)
            return self._feed.unsubscribe(less, self._request_id)
        return b""

    def _ended(self, link: _Link, cause: str) -> None:
        if self._links.get(link.dial.connection) is link:
            self._lost(link, f"stream connection {link.dial.connection} ended: {cause}", 0.0)

    def _lost(self, link: _Link, problem: str, retry_after: float) -> None:
        dial = link.dial
        del self._links[dial.connection]
        if link.task is not None and link.task is not asyncio.current_task():
            link.task.cancel()
        now = self._clock.now_ns()
        self._on_problem(problem)
        self.act(self._fleet.lost(dial.connection, dial.generation, now, now + int(retry_after * NS_PER_S)))

    def _hang(self, number: int) -> None:
        link = self._links.pop(number, None)
        if link is None:
            return
        if link.task is not None:
            link.task.cancel()
        if link.wire is not None:
            link.wire.close()


def _router(
    routes: dict[bytes, StreamHandler], feed: StreamFeed, counts: FrameCounts, on_problem: Callable[[str], None]
) -> StreamHandler:
    """The reader's one callback; it never raises. A closure, because it runs for every frame."""
    start = len(feed.envelope)
    find_route = routes.get

    def route(frame: bytes, received_ns: int) -> None:
        try:
            handler = find_route(frame[: frame.find(b'"', start)]) or other(frame)
            if handler is not None:
                handler(frame, received_ns)
            else:
                counts.unrouted += 1
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # the last: nested too deep to be read
            counts.malformed += 1
        except Exception:  # noqa: BLE001 -- whatever a handler raises must not end the reader
            counts.raised += 1
            _log.exception("streaming.handler_raised")

    def other(frame: bytes) -> StreamHandler | None:
        name = feed.stream_of(frame)
        if name:
            return routes.get(feed.envelope + name.encode())
        if complaint := feed.complaint(frame):
            counts.complaints += 1
            on_problem(f"the venue refused a command: {complaint}")
        return None

    return route
