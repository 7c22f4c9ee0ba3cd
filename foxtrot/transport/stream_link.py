"""One stream connection that is being made or stands: its routes, its subscriptions, its canary."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from foxtrot.transport.base import StreamHandler, Wire
from foxtrot.transport.bundle import Dial
from foxtrot.transport.canary import Canary
from foxtrot.transport.rotation import Overlap
from foxtrot.transport.subscriptions import Subscriptions
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

MALFORMED: Final = 5
MALFORMED_NS: Final = 10 * NS_PER_S
"""So many frames that cannot be read within such a span: the connection is of no use (reliability 5.2, row 13)."""

LATE_NS: Final = 500 * NS_PER_MS
"""A look that comes so late means that our own loop was held up."""

Note = Callable[[str, int], None]
"""Takes a stream that brought a frame, and its time of arrival."""


class Link:
    """``routes`` is the table that the reader looks frames up in: plain handlers, wrapped only while somebody has to know."""

    def __init__(self, dial: Dial, streams: tuple[str, ...], envelope: bytes, now_ns: int) -> None:
        self.dial: Final = dial
        self.streams: Final = streams
        self.routes: Final[dict[bytes, StreamHandler]] = {}
        self.wire: Wire | None = None
        self.task: asyncio.Task[None] | None = None
        self.subscriptions: Subscriptions | None = None
        self.canary: Canary | None = None
        self.canary_stream = ""
        self.is_scheduled = False  # a look at its subscriptions is due within this turn of the loop
        self.overlap: Overlap | None = None
        self.partner = 0  # the connection that it is compared with
        self._unsure: frozenset[str] = frozenset()
        self._canary_handler: StreamHandler | None = None
        self._compare: Note | None = None
        self._is_listening = False
        self._envelope = envelope
        self._malformed: Final[deque[int]] = deque(maxlen=MALFORMED)
        self._looked_ns = now_ns

    # --- routes -------------------------------------------------------------------------------------------------------------

    def route_all(self, handlers: Mapping[str, StreamHandler]) -> None:
        """Fills the table anew."""
        self.routes.clear()
        for stream, handler in handlers.items():
            self.route(stream, handler)
        if self.canary_stream and self.canary_stream not in handlers:
            self.route(self.canary_stream, None)

    def route(self, stream: str, handler: StreamHandler | None) -> None:
        """Has a stream's frames carried to a lane's handler (None: no lane's), and to the canary if it is its stream."""
        if self._canary_handler is not None and stream == self.canary_stream:
            handler = self._canary_handler if handler is None else _both(self._canary_handler, handler)
        if handler is not None and self._compare is not None:
            handler = _noted(self._compare, stream, handler)
        if handler is not None and self._is_listening and self.canary is not None:
            handler = _noted(self.canary.noted, stream, handler)
        if handler is not None and self.subscriptions is not None and stream in self._unsure:
            handler = _noted(self.subscriptions.brought, stream, handler)
        if handler is None:
            self.routes.pop(self._envelope + stream.encode(), None)
        else:
            self.routes[self._envelope + stream.encode()] = handler

    def compare(self, overlap: Overlap | None, note: Note | None, partner: int) -> None:
        """It is one of two with the same streams, from here on or (None) no longer. ``route_all`` has to follow."""
        self.overlap, self._compare, self.partner = overlap, note, partner

    def doubts_anew(self) -> bool:
        """Whether it is other streams than before whose subscription is in doubt: ``route_all`` has to follow."""
        unsure = self.subscriptions.unsure if self.subscriptions is not None else frozenset[str]()
        is_new, self._unsure = unsure != self._unsure, unsure
        return is_new

    # --- its canary ---------------------------------------------------------------------------------------------------------

    def watch(self, canary: Canary | None, stream: str, handler: StreamHandler | None) -> None:
        """Watches over the connection by this stream. ``route_all`` has to follow."""
        self.canary, self.canary_stream, self._canary_handler = canary, stream, handler
        self._is_listening = False

    def listens_anew(self) -> bool:
        """Whether the canary wants other streams' frames and has not got them, or the reverse: ``route_all`` has to follow."""
        wants = self.canary is not None and self.canary.is_suspect
        is_new, self._is_listening = wants is not self._is_listening, wants
        return is_new

    def is_dead(self, now_ns: int) -> bool:
        """Looks whether the canary is dead; to be asked ten times a second."""
        if self.canary is None:
            return False
        if now_ns - self._looked_ns > LATE_NS:
            self.canary.excuse(now_ns)
        self._looked_ns = now_ns
        return self.canary.is_dead(now_ns)

    # --- what it brings -----------------------------------------------------------------------------------------------------

    def malformed(self, received_ns: int) -> bool:
        """Notes a frame that cannot be read; whether there are too many of them."""
        self._malformed.append(received_ns)
        return len(self._malformed) == MALFORMED and received_ns - self._malformed[0] <= MALFORMED_NS


def _both(first: StreamHandler, second: StreamHandler) -> StreamHandler:
    def handle(frame: bytes, received_ns: int) -> None:
        first(frame, received_ns)
        second(frame, received_ns)

    return handle


def _noted(note: Note, stream: str, handler: StreamHandler) -> StreamHandler:
    def handle(frame: bytes, received_ns: int) -> None:
        note(stream, received_ns)
        handler(frame, received_ns)

    return handle
