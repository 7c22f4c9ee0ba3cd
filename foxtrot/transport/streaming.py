"""Acts for the fleet: dials, keeps the subscriptions of each connection in step, carries frames to their handlers.

Every connection is looked at ten times a second: whether its canary lives, a command is due, a successor has proved itself. What
is found dead is closed and dialled again as a lost connection is.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from foxtrot.transport.base import Answer, Dialler, LaneKey, StreamFeed, StreamHandler
from foxtrot.transport.bundle import Carried, Compare, Dial, FleetEffect, Forgive, Hang, Lost, Moved, Sync
from foxtrot.transport.canary import Canary
from foxtrot.transport.fleet import Fleet
from foxtrot.transport.frame_router import FrameCounts, router
from foxtrot.transport.rotation import Overlap
from foxtrot.transport.stream_link import Link
from foxtrot.transport.subscriptions import Command, Subscriptions, Verb
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import BreakerState
from foxtrot.util.errors import RateLimited, VenueError

LOOK: Final = 0.1
"""Seconds between looks at a connection."""

SPREAD: Final = 0.618_034
"""Connections ask for their lists at different times: multiples of this, less their whole part, lie far from each other."""

_log = logging.getLogger(__name__)


class Streaming:
    """All stream connections of one venue.

    ``on_fleet`` hears which lanes are carried, lost and forgiven; ``on_unlisted`` of lanes whose streams the venue does not send
    though asked twice; ``on_connection`` of a connection's breaker (number, old, new); ``on_problem`` in words.
    """

    def __init__(
        self,
        fleet: Fleet,
        feed: StreamFeed,
        dialler: Dialler,
        clock: Clock,
        *,
        on_fleet: Callable[[Carried | Lost | Forgive], None],
        on_problem: Callable[[str], None],
        on_unlisted: Callable[[Sequence[LaneKey]], None] = lambda _lanes: None,
        on_connection: Callable[[int, BreakerState, BreakerState], None] = lambda _number, _old, _new: None,
    ) -> None:
        self._fleet = fleet
        self._feed = feed
        self._dialler = dialler
        self._clock = clock
        self._on_fleet = on_fleet
        self._on_unlisted = on_unlisted
        self._on_connection = on_connection
        self._on_problem = on_problem
        self._links: dict[int, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[str, StreamHandler] = {}
        self._request_id = 0
        self._canary_symbol = ""
        self._figures_key = (-1, -1)
        self.counts: Final = FrameCounts()

    def act(self, effects: Sequence[FleetEffect]) -> None:
        """Carries out what the fleet asks for."""
        for effect in effects:
            match effect:
                case Dial():
                    self._dial(effect)
                case Hang():
                    self._hang(effect.connection)
                case Sync():
                    if (known := self._links.get(effect.connection)) is not None:
                        self._schedule(known)
                case Compare():
                    self._compare(self._links[effect.old], self._links[effect.new])
                case Carried() | Lost() | Forgive():
                    self._on_fleet(effect)
                case Moved():  # pragma: no branch -- there are no other effects: mypy proves the match whole
                    self._on_connection(effect.bundle, effect.old, effect.new)

    def route(self, stream: str, handler: StreamHandler) -> None:
        """Has a stream's frames carried to ``handler``, whichever connection brings them."""
        self._handlers[stream] = handler
        for link in self._links.values():
            link.route(stream, handler)

    def unroute(self, stream: str) -> None:
        """Lets a stream's frames go."""
        self._handlers.pop(stream, None)
        for link in self._links.values():
            link.route(stream, None)

    def watch(self, symbol: str) -> None:
        """The canary of every connection is this symbol's quote stream from here on; "": none."""
        if symbol == self._canary_symbol:
            return
        self._canary_symbol = symbol
        self._figures_key = (-1, -1)
        for link in self._links.values():
            self._place_canary(link)
            self._schedule(link)

    def canary_polled(self, answer: Answer, asked_ns: int) -> None:
        """What a poll of the canary's symbol showed."""
        if answer.quote is None or answer.symbol != self._canary_symbol:
            return
        if answer.stats is not None:
            if answer.stats.key < self._figures_key:
                return  # a cached answer
            self._figures_key = answer.stats.key
        now = self._clock.now_ns()
        for link in self._links.values():
            if link.canary is not None and link.subscriptions is not None:
                link.canary.polled(answer.quote.levels, asked_ns, now)
                self._listen(link)

    async def close(self) -> None:
        """Ends every connection and awaits their tasks."""
        for number in list(self._links):
            self._hang(number)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- the life of a connection -------------------------------------------------------------------------------------------

    def _dial(self, dial: Dial) -> None:
        canary = self._feed.canary(self._canary_symbol, _ignore)[0] if self._canary_symbol else ""
        streams = dial.streams if not canary or canary in dial.streams else (*dial.streams, canary)
        link = Link(dial, streams, self._feed.envelope, self._clock.now_ns())
        link.route_all(self._handlers)
        self._links[dial.connection] = link
        link.task = self._spawn(self._live(link), f"stream connection {dial.connection}")

    async def _live(self, link: Link) -> None:
        dial = link.dial
        on_frame = router(
            link.routes, self._feed, self.counts, lambda frame: self._notice(link, frame), lambda at: self._malformed(link, at)
        )
        try:
            link.wire = await self._dialler.dial(
                self._feed.url(link.streams, dial.line), on_frame, lambda cause: self._ended(link, cause)
            )
        except VenueError as error:
            retry_after = error.retry_after if isinstance(error, RateLimited) else 0.0
            self._lost(link, f"stream connection {dial.connection} could not be made: {error}", retry_after)
            return
        except Exception as error:  # noqa: BLE001 -- a fault of ours must not leave it connecting for ever
            _log.exception("streaming.dial_raised")
            self._lost(link, f"stream connection {dial.connection} could not be made: {type(error).__name__}: {error}", 0.0)
            return
        now = self._clock.now_ns()
        link.subscriptions = Subscriptions(link.streams, now, spread=dial.connection * SPREAD % 1)
        self._place_canary(link)
        self.act(self._fleet.opened(dial.connection, dial.generation, now))
        while self._is_current(link):
            await self._clock.sleep(LOOK)
            try:
                self._look(link)
            except Exception:  # noqa: BLE001 -- whatever a callback raises, the connection is looked at again
                _log.exception("streaming.look_raised")

    def _look(self, link: Link) -> None:
        now = self._clock.now_ns()
        if link.is_dead(now):
            self._drop(link, f"nothing came for seconds, though the quote of {self._canary_symbol} changed")
            return
        self._listen(link)
        self._command(link)
        if link.overlap is not None and link.overlap.is_proven(now) and not (link.canary and link.canary.is_suspect):
            self.act(self._fleet.proven(link.dial.connection, link.dial.generation, now))

    def _drop(self, link: Link, cause: str) -> None:
        """A connection that stands is of no use: closed, it counts as lost."""
        if self._is_current(link):
            self._ended(link, cause)
            if link.wire is not None:
                link.wire.close()

    def _ended(self, link: Link, cause: str) -> None:
        if self._is_current(link):
            self._lost(link, f"stream connection {link.dial.connection} ended: {cause}", 0.0)

    def _lost(self, link: Link, problem: str, retry_after: float) -> None:
        dial = link.dial
        self._forget(link)
        now = self._clock.now_ns()
        self._on_problem(problem)
        self.act(self._fleet.lost(dial.connection, dial.generation, now, now + int(retry_after * NS_PER_S)))

    def _hang(self, number: int) -> None:
        link = self._links.get(number)
        if link is None:
            return
        self._forget(link)
        if link.wire is not None:
            link.wire.close()

    def _forget(self, link: Link) -> None:
        del self._links[link.dial.connection]
        if link.task is not None and link.task is not asyncio.current_task():
            link.task.cancel()
        if (partner := self._links.get(link.partner)) is not None:
            partner.compare(None, None, 0)
            partner.route_all(self._handlers)

    def _is_current(self, link: Link) -> bool:
        return self._links.get(link.dial.connection) is link

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- subscriptions ------------------------------------------------------------------------------------------------------

    def _schedule(self, link: Link) -> None:
        """What is asked for in the same moment goes in the same command."""
        if not link.is_scheduled:
            link.is_scheduled = True
            asyncio.get_running_loop().call_soon(self._command, link)

    def _command(self, link: Link) -> None:
        link.is_scheduled = False
        connection, subscriptions = self._fleet.connections.get(link.dial.connection), link.subscriptions
        if connection is None or subscriptions is None or link.wire is None or not self._is_current(link):
            return
        wanted = {*connection.streams, link.canary_stream} - {""}
        if command := subscriptions.next(wanted, self._request_id + 1, self._clock.now_ns()):
            self._request_id += 1
            link.wire.send(self._to_frame(command))
        if link.doubts_anew():
            link.route_all(self._handlers)
        if given_up := subscriptions.take_given_up():
            some, more = ", ".join(sorted(given_up)[:3]), len(given_up) - 3
            self._on_problem(f"the venue does not send {some}{f' and {more} more' * (more > 0)}, though asked for it twice")
            if lanes := self._fleet.sole(link.dial.connection, given_up):
                self._on_unlisted(lanes)

    def _to_frame(self, command: Command) -> bytes:
        if command.verb is Verb.LIST:
            return self._feed.list_subscriptions(self._request_id)
        encode = self._feed.subscribe if command.verb is Verb.SUBSCRIBE else self._feed.unsubscribe
        return encode(command.streams, self._request_id)

    def _notice(self, link: Link, frame: bytes) -> None:
        """A frame of no stream: an announcement, or the answer to a command."""
        now = self._clock.now_ns()
        if self._feed.is_shutdown(frame):
            self._on_problem(f"the venue closes stream connection {link.dial.connection} soon: another takes its place")
            self.act(self._fleet.closing(link.dial.connection, link.dial.generation, now))
            return
        if complaint := self._feed.complaint(frame):
            self.counts.complaints += 1
            self._on_problem(f"the venue refused a command: {complaint}")
        request_id, listing = self._feed.request_id(frame), self._feed.listing(frame)
        if request_id is None or link.subscriptions is None:
            return
        if listing is not None:
            link.subscriptions.listed(request_id, listing, now)
        else:
            link.subscriptions.answered(request_id, now, is_refused=bool(complaint))

    def _malformed(self, link: Link, received_ns: int) -> None:
        if link.malformed(received_ns):  # not in the middle of the reader's work
            asyncio.get_running_loop().call_soon(self._drop, link, "too many frames that cannot be read")

    # --- canary and successor -----------------------------------------------------------------------------------------------

    def _place_canary(self, link: Link) -> None:
        if self._canary_symbol:
            canary = Canary(self._clock.now_ns())
            link.watch(canary, *self._feed.canary(self._canary_symbol, canary.heard))
        else:
            link.watch(None, "", None)
        link.route_all(self._handlers)

    def _listen(self, link: Link) -> None:
        if link.listens_anew():
            link.route_all(self._handlers)

    def _compare(self, old: Link, new: Link) -> None:
        """Both have the same lanes: what one brings, the other has to."""
        overlap = Overlap(self._clock.now_ns())
        old.compare(None, overlap.old_brought, new.dial.connection)
        new.compare(overlap, overlap.new_brought, old.dial.connection)
        old.route_all(self._handlers)
        new.route_all(self._handlers)


def _ignore(_levels: tuple[float, float, float, float], _received_ns: int) -> None:
    """Of a canary that is asked for its name alone."""
