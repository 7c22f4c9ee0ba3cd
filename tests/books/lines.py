"""Stream connections to the exchange in the same process: Foxtrot's dialler on one side, the fan-out's reader on the other."""

import random
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from foxtrot.sandbox import commands
from foxtrot.sandbox.limits import STREAMS_PER_CONNECTION, MessageGate
from foxtrot.transport.base import StreamHandler
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.errors import RateLimited, Unavailable
from tests.books.venue import ADDRESS, Venue, payload_of
from tests.simulation.sim_loop import EPOCH_NS, SimLoop

HANDSHAKE: Final = (0.03, 0.18)
LATENCY_MS: Final = (5, 60)
ENVELOPE: Final = b'{"stream":"'


class Line:
    """One open connection. ``is_stalled``: the venue answers pings, and sends nothing else; what it had to say is lost."""

    is_combined = True
    is_microsecond = False

    def __init__(self, lines: "Lines", url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> None:
        self.out: list[bytes] = []
        self.streams: dict[str, None] = {}
        self.is_open = True
        self.is_stalled = False
        self._lines = lines
        self._gate = MessageGate()
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._arrives_ns = 0
        self._latency_ns = lines.draw.randint(*LATENCY_MS) * NS_PER_MS
        self._join(unquote(url.partition("streams=")[2]).split("/"))

    # --- the client's side ------------------------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        """A command is on its way."""
        loop = self._lines.loop
        loop.at(loop.now_ns + self._latency_ns, self._obey, message)

    def close(self) -> None:
        """Ends the connection from our side."""
        self.end("closed by us")

    # --- the venue's side -------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """The venue writes: all of it arrives together."""
        written, self.out = self.out, []
        if self.is_open and not self.is_stalled:
            loop = self._lines.loop
            self._arrives_ns = max(loop.now_ns + self._latency_ns, self._arrives_ns + 1)  # in the order in which it was written
            loop.at(self._arrives_ns, self._arrive, [payload_of(each) for each in written])

    def end(self, cause: str) -> None:
        """The connection ends; what was on its way is lost."""
        if not self.is_open:
            return
        self.is_open = False
        for name in self.streams:
            self._lines.venue.fanout.leave(self, name)
        self._lines.open.remove(self)
        self._lines.loop.at(self._lines.loop.now_ns + NS_PER_MS, self._on_closed, cause)

    def _arrive(self, payloads: list[bytes]) -> None:
        now_ns = EPOCH_NS + self._lines.loop.now_ns
        for payload in payloads:
            if self.is_open and not self._lines.loses(payload):
                self._on_frame(payload, now_ns)

    def _obey(self, message: bytes) -> None:
        if not self.is_open:
            return
        venue = self._lines.venue
        if not self._gate.admit(venue.now_us):
            venue.violations.add("messages", "", venue.now_us, message.decode())
            self.end("closed by the venue: 1008 too many requests")
            return
        asked = commands.parse(message)
        assert isinstance(asked, commands.Command), asked
        if asked.method == "SUBSCRIBE":
            self._join(asked.streams)
        elif asked.method == "UNSUBSCRIBE":
            for name in asked.streams:
                self.streams.pop(name, None)
                venue.fanout.leave(self, name)
        listed = list(self.streams) if asked.method == "LIST_SUBSCRIPTIONS" else None
        self.out.append(b"\x81\x00" + commands.answer(listed, asked.request_id))
        self.flush()

    def _join(self, names: "list[str] | tuple[str, ...]") -> None:
        for name in filter(None, names):
            self.streams[name] = None
            self._lines.venue.fanout.join(self, name)
        assert len(self.streams) <= STREAMS_PER_CONNECTION


class Lines:
    """Fulfils ``Dialler``. ``is_down``: nothing can be dialled; ``doomed`` names streams whose next frame is lost."""

    def __init__(self, loop: SimLoop, venue: Venue, seed: object) -> None:
        self.loop = loop
        self.venue = venue
        self.draw = random.Random(f"lines {seed}")
        self.open: list[Line] = []
        self.is_down = False
        self.doomed: set[str] = set()
        self.dials = 0

    async def dial(self, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> Line:
        """Connects, or fails."""
        self.dials += 1
        verdict = self.venue.limits.connect(ADDRESS, self.venue.now_us)
        if verdict.status != 200:
            raise RateLimited("the WebSocket upgrade was refused", retry_after=verdict.retry_after)
        waking = self.loop.create_future()
        self.loop.call_later(self.draw.uniform(*HANDSHAKE), waking.set_result, None)
        await waking
        if self.is_down:
            raise Unavailable("connection refused")
        line = Line(self, url, on_frame, on_closed)
        self.open.append(line)
        return line

    def cut(self) -> None:
        """Every connection ends."""
        for line in list(self.open):
            line.end("connection reset by peer")

    def stall(self, *, is_on: bool) -> None:
        """Every connection that stands falls silent, or speaks again."""
        for line in self.open:
            line.is_stalled = is_on

    def loses(self, payload: bytes) -> bool:
        """Whether this frame is the one that its stream loses."""
        if not self.doomed:
            return False
        stream = payload[len(ENVELOPE) :].partition(b'"')[0].decode()
        if stream not in self.doomed:
            return False
        self.doomed.discard(stream)
        return True
