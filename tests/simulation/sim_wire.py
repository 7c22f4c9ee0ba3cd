"""The simulated venue's stream side: connections with latency, and all that can befall them."""

import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from foxtrot.transport.base import StreamHandler
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.errors import RateLimited, Unavailable
from tests.simulation import sim_feed
from tests.simulation.impairment import CLEAN, Impairment, Impairments
from tests.simulation.judge import Judge
from tests.simulation.market import FIGURES_NS, Happening, Instrument, milliseconds
from tests.simulation.sim_loop import EPOCH_NS, SimLoop

PONG_NS: Final = 25 * NS_PER_S
"""After so long without a sign of life a client's own pings end a connection."""

DIAL_TIMEOUT: Final = 10.0

LIFE_NS: Final = 86_400 * NS_PER_S
"""The venue ends every connection at this age."""


class SimWire:
    """One open connection, seen from both sides."""

    def __init__(
        self, dialler: "SimDialler", number: int, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]
    ) -> None:
        self.number = number
        self.line = int(url.partition(":")[0].removeprefix("sim"))
        self.streams = {name for name in url.partition(":")[2].split(",") if name}
        self.impairment = CLEAN
        self.is_open = True
        self.is_half_open = False
        self._dialler = dialler
        self._loop = dialler.loop
        self._draw = dialler.draw
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._latency_ns = self._draw.randint(5, 60) * NS_PER_MS
        self._arrives_ns = 0
        self._held: deque[bytes] | None = None
        self.opened_ns = self._loop.now_ns

    # --- the client's side ------------------------------------------------------------------------------------------------

    def send(self, message: bytes) -> None:
        """A command: it takes its time, and none arrives where nobody listens."""
        if self.is_open:
            self._dialler.judge.commanded(self.number, self._loop.now_ns)
            self._loop.at(self._loop.now_ns + self._latency_ns, self._obey, message)

    def close(self) -> None:
        """Ends the connection from our side."""
        self.end("closed by us", delay_ns=0)

    # --- the venue's side -------------------------------------------------------------------------------------------------

    def end(self, cause: str, delay_ns: int = NS_PER_MS) -> None:
        """The connection ends; the client hears of it a moment later."""
        if self.is_open:
            self.is_open = False
            self._dialler.wires.pop(self.number, None)
            self._loop.at(self._loop.now_ns + delay_ns, self._on_closed, cause)

    def half_open(self) -> None:
        """Nothing gets through any more, either way, and nobody says so, until pings have gone unanswered."""
        self.is_half_open = True
        self._loop.at(self._loop.now_ns + PONG_NS, self.end, "no pong")

    def stall(self) -> None:
        """The venue answers pings, and nothing else."""
        self._held = deque() if self._held is None else self._held

    def go_on(self) -> None:
        """What was held comes all at once."""
        held, self._held = self._held or deque(), None
        for frame in held:
            self._bring(frame)

    def push(self, symbol: str, kind: str, stream: str, frame: bytes, trouble: Impairment) -> None:
        """A frame of a stream, if it is subscribed here."""
        if stream not in self.streams or self.is_half_open:
            return
        own = self.impairment
        if trouble is CLEAN and own is CLEAN:
            self._bring(frame)
            return
        for impairment in (trouble, own):
            if impairment.mute in {"all", kind} or self._draw.random() < impairment.loss:
                return
        if trouble.malformed or trouble.wrong:
            frame = _spoilt(symbol, frame, trouble)
        spread = max(trouble.reorder_ns, own.reorder_ns)
        late = max(trouble.late_ns, own.late_ns)
        copies = 1 + (self._draw.random() < max(trouble.duplicate, own.duplicate))
        for _ in range(copies):
            if late:  # the venue itself sends it late
                self._loop.at(self._loop.now_ns + late, self._bring, frame, spread)
            else:
                self._bring(frame, spread)

    def _bring(self, frame: bytes, spread_ns: int = 0) -> None:
        """On its way: frames of one connection arrive in the order in which they were sent, unless that is what is wrong."""
        if self._held is not None:
            self._held.append(frame)
            return
        arrives = self._loop.now_ns + self._latency_ns + int(self._draw.random() * 20 * NS_PER_MS)
        if spread_ns:
            arrives += int(self._draw.random() * spread_ns)
        else:
            arrives = self._arrives_ns = max(arrives, self._arrives_ns + 1)
        self._loop.at(arrives, self._arrive, frame)

    def _arrive(self, frame: bytes) -> None:
        if self.is_open and not self.is_half_open:
            self._on_frame(frame, EPOCH_NS + self._loop.now_ns)

    def notify(self, frame: bytes) -> None:
        """A frame that belongs to no stream."""
        if not self.is_half_open:
            self._bring(frame)

    def _obey(self, message: bytes) -> None:
        if not self.is_open or self.is_half_open:
            return
        command = sim_feed.command_of(message)
        if command.method == "SUBSCRIBE":
            self.streams.update(self._dialler.listed(command.params))
        elif command.method == "UNSUBSCRIBE":
            self.streams.difference_update(command.params)
        listing = sorted(self.streams) if command.method == "LIST_SUBSCRIPTIONS" else None
        self._bring(sim_feed.reply(command.id, listing))


class SimDialler:
    """Fulfils ``Dialler``, and sends what the market does to every connection that wants it."""

    def __init__(self, loop: SimLoop, seed: object, troubles: Impairments, judge: Judge) -> None:
        self.loop = loop
        self.draw = random.Random(f"wires {seed}")
        self.judge = judge
        self.wires: dict[int, SimWire] = {}
        self.dials = 0
        self._troubles = troubles
        self._numbers = 0
        self._figures_ns: dict[str, int] = {}

    async def dial(self, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> SimWire:
        """Connects, or fails as the script says."""
        self.dials += 1
        self.judge.dialled(self.loop.now_ns)
        trouble = self._troubles.dials
        if trouble.hangs:
            await self._pass(DIAL_TIMEOUT)
            raise Unavailable(f"no WebSocket within {DIAL_TIMEOUT:g} s")
        await self._pass(0.03 + 0.15 * self.draw.random())
        if trouble.retry_after:
            self.judge.silenced_dials(self.loop.now_ns, trouble.retry_after)
            raise RateLimited("the WebSocket upgrade was refused: HTTP 429", retry_after=trouble.retry_after)
        if trouble.is_refused:
            raise Unavailable("connection refused")
        self._numbers += 1
        wire = SimWire(self, self._numbers, url, on_frame, on_closed)
        wire.streams = self.listed(wire.streams)
        self.wires[wire.number] = wire
        self.loop.at(self.loop.now_ns + LIFE_NS, wire.end, "closed by the venue: 1001 after 24 h")
        return wire

    def listed(self, streams: "set[str] | list[str]") -> set[str]:
        """Of these streams, those that the venue will really send."""
        return {name for name in streams if name.partition("@")[0] not in self._troubles.unlisted}

    def open_wires(self) -> Iterator[SimWire]:
        """Every connection that stands, oldest first."""
        yield from list(self.wires.values())

    def publish(self, instrument: Instrument, happening: Happening) -> None:
        """What has just happened, to whom it may concern."""
        if not self.wires:
            return
        symbol, moment = instrument.symbol, happening.moment
        if happening.is_quote:
            self._push(symbol, "quote", sim_feed.quote_frame(symbol, moment.quote_id, moment.levels))
            return
        event_ms = milliseconds(moment.at_ns)
        for number in range(happening.first_id, moment.last_trade_id + 1):
            self._push(symbol, "trades", sim_feed.id_frame(symbol, "trades", number, number, event_ms))
        self._push(symbol, "aggs", sim_feed.id_frame(symbol, "aggs", happening.agg_id, moment.last_trade_id, event_ms))
        if moment.at_ns - self._figures_ns.get(symbol, 0) >= FIGURES_NS:
            self._figures_ns[symbol] = moment.at_ns
            self._push(symbol, "stats", sim_feed.stats_frame(symbol, moment.last_trade_id, event_ms))

    def _push(self, symbol: str, kind: str, frame: bytes) -> None:
        trouble = self._troubles.symbols.get(symbol, CLEAN)
        stream = f"{symbol}@{kind}"
        for wire in self.wires.values():
            wire.push(symbol, kind, stream, frame, trouble)

    async def _pass(self, seconds: float) -> None:
        waking = self.loop.create_future()
        timer = self.loop.call_later(seconds, waking.set_result, None)
        try:
            await waking
        finally:
            timer.cancel()


def _spoilt(symbol: str, frame: bytes, trouble: Impairment) -> bytes:
    if trouble.malformed:
        trouble.malformed -= 1
        return frame[:-3]
    trouble.wrong -= 1
    return frame.replace(b'["%s"' % symbol.encode(), b'["WRONGUSDT"')
