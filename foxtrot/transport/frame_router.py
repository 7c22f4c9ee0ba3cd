"""The reader's one callback for each frame of a connection."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from foxtrot.transport.base import StreamFeed, StreamHandler

_log: Final = logging.getLogger(__name__)


class FrameCounts:
    """What came and did not fit, over all connections."""

    __slots__ = ("complaints", "malformed", "raised", "unrouted")

    def __init__(self) -> None:
        self.malformed = 0
        self.unrouted = 0
        self.complaints = 0
        self.raised = 0


def router(
    routes: Mapping[bytes, StreamHandler],
    feed: StreamFeed,
    counts: FrameCounts,
    on_notice: Callable[[bytes], None],
    on_malformed: Callable[[int], None],
) -> StreamHandler:
    """Carries frames to their handlers; never raises. A closure, because it runs for every frame.

    ``routes`` are by how a frame begins, up to the end of its stream's name. ``on_notice`` gets what is no data of a stream,
    ``on_malformed`` the time of arrival of what cannot be read and names no stream of ours.
    """
    start = len(feed.envelope)
    find_route = routes.get

    def route(frame: bytes, received_ns: int) -> None:
        handler = find_route(frame[: frame.find(b'"', start)])
        try:
            if handler is not None:
                handler(frame, received_ns)
            else:
                other(frame, received_ns)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # the last: nested too deep to be read
            counts.malformed += 1
            if handler is None:  # else it is one stream's own trouble: its lane's audit finds it, and spares the others
                on_malformed(received_ns)
        except Exception:  # noqa: BLE001 -- whatever a handler raises must not end the reader
            counts.raised += 1
            _log.exception("streaming.handler_raised")

    def other(frame: bytes, received_ns: int) -> None:
        """Another spelling of the same JSON, a frame of no stream, or one of a stream that nobody wants any more."""
        name = feed.stream_of(frame)
        handler = find_route(feed.envelope + name.encode()) if name else None
        if handler is not None:
            handler(frame, received_ns)
        elif not name or feed.is_shutdown(frame):
            on_notice(frame)
        else:
            counts.unrouted += 1

    return route
