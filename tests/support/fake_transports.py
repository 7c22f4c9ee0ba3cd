"""A venue in memory for the hub: REST answers, a stream feed in plain JSON, and a dialler, each of which can fail."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from foxtrot.transport.base import Answer, Cursor, Depth, Diff, Door, Draft, Item, LaneKey, Quote, Stats, StreamHandler
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import Source
from foxtrot.util.errors import UnknownSymbol
from tests.support.model_venue import FIGURES
from tests.support.virtual_clock import VirtualClock

PAGE = 5
DEEP = 0.25
"""Where a book has a bid whose size is its update id."""

FEW_LEVELS = 100
"""Of a snapshot that costs little."""

Levels = tuple[float, float, float, float]


class _Data(msgspec.Struct):
    stream: str = ""
    symbol: str = ""
    id: int = 0
    bid: float = 0.0
    old: float = 0.0
    rank: int = -1
    error: str = ""


class FakeRest:
    """Trades and quotes by symbol. ``failing``: what a call raises instead of answering; ``asked``: every call, with its time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.trades: dict[str, int] = {}
        self.bids: dict[str, float] = defaultdict(lambda: 1.0)
        self.book_ids: dict[str, int] = defaultdict(lambda: 100)
        self.older: dict[str, int] = defaultdict(lambda: -1)  # the last trade before the day of the figures
        self.first: dict[str, int] = defaultdict(int)  # the oldest trade that it still has
        self.absent: set[str] = set()  # symbols that answers lack
        self.shy: set[str] = set()  # symbols that answers about many lack
        self.halts: set[str] = set()  # symbols that are listed, but not traded
        self.failing: dict[str, Exception] = {}
        self.delay = 0.0
        self.asked: list[tuple[str, tuple[str, ...], int]] = []

    @property
    def page_size(self) -> int:
        """Small, so that paging shows."""
        return PAGE

    def weight(self, call: str, key: LaneKey | None = None, count: int = 1) -> int:
        """As at Binance."""
        if key is not None and key.channel.startswith("bars:"):
            return 2
        if call == "depth":
            return 50 if count > FEW_LEVELS else 5
        return {"ticker": 2, "book_ticker": 4, "anchor": 5, "newest": 4, "page": 25, "busiest": 80, "halted": 20}[call]

    def times(self, call: str) -> int:
        """How often a call was made."""
        return sum(name == call for name, _, _ in self.asked)

    async def ticker(self, symbols: Sequence[str]) -> Mapping[str, Answer]:
        """Quotes and figures."""
        asked = self._clock.now_ns()
        await self._asking("ticker", *symbols)
        if strangers := [symbol for symbol in symbols if symbol not in self.trades]:
            raise UnknownSymbol(f"Invalid symbol: {strangers[0]}", code=-1121)
        missing = self.absent if len(symbols) == 1 else self.absent | self.shy
        return {symbol: self._answer(symbol, asked) for symbol in symbols if symbol not in missing}

    async def book_ticker(self) -> Mapping[str, Answer]:
        """Quotes of all."""
        asked = self._clock.now_ns()
        await self._asking("book_ticker")
        missing = self.absent | self.shy
        return {symbol: Answer(symbol, self._quote(symbol, asked), None) for symbol in self.trades if symbol not in missing}

    async def anchor(self, symbol: str) -> Quote:
        """The quote with its id."""
        asked = self._clock.now_ns()
        await self._asking("anchor", symbol)
        return self._quote(symbol, asked, self.book_ids[symbol])

    async def newest(self, key: LaneKey, before_ms: int) -> Cursor:
        """The last aggregate; or the last trade before the day of the figures; or the last bar."""
        await self._asking("newest", key.symbol)
        if key.channel.startswith("bars:"):
            return Cursor(self._minute - 1, -1)
        known = self.older if key.channel == "trades" else self.trades
        return Cursor(known[key.symbol], known[key.symbol])

    async def page(self, key: LaneKey, first: int, source: Source) -> Sequence[Item | Draft]:
        """Trades from an id on; or bars, the last one open, each with as many trades as there are in all."""
        last = self.trades[key.symbol]
        await self._asking("page", key.symbol)
        if key.channel.startswith("bars:"):
            numbers = list(range(first, self._minute + 1))[:PAGE]
            return [*(Item(number, -1, number) for number in numbers[:-1]), *(Draft(n, last, -1, n) for n in numbers[-1:])]
        begin = max(first, self.first[key.symbol])
        return [Item(number, number, number) for number in range(begin, min(last, begin + PAGE - 1) + 1)]

    async def busiest(self, without: Collection[str] = ()) -> str:
        """The symbol with the largest trade id."""
        await self._asking("busiest")
        return max(self.trades.keys() - set(without), key=lambda symbol: self.trades[symbol])

    async def depth(self, symbol: str, limit: int) -> Depth:
        """One level a side, and a bid whose size is the update id."""
        asked = self._clock.now_ns()
        await self._asking("depth", symbol)
        quote = self._quote(symbol, asked, self.book_ids[symbol])
        bids, asks = [(quote.bid, quote.bid_volume), (DEEP, float(quote.update_id))], [(quote.ask, quote.ask_volume)]
        return Depth(quote.update_id, bids, asks, limit, asked, quote.received_ns)

    async def halted(self, symbols: Sequence[str]) -> set[str]:
        """Those named in ``halts``."""
        await self._asking("halted", *symbols)
        if strangers := [symbol for symbol in symbols if symbol not in self.trades]:
            raise UnknownSymbol(f"Invalid symbol: {strangers[0]}", code=-1121)
        return self.halts.intersection(symbols)

    @property
    def _minute(self) -> int:
        return self._clock.now_ns() // (60 * NS_PER_S)

    async def _asking(self, call: str, *symbols: str) -> None:
        self.asked.append((call, symbols, self._clock.now_ns()))
        await self._clock.sleep(self.delay)
        if call in self.failing:
            raise self.failing[call]

    def _answer(self, symbol: str, asked_ns: int) -> Answer:
        stats = Stats(self.trades[symbol], asked_ns, FIGURES, self._clock.now_ns())
        return Answer(symbol, self._quote(symbol, asked_ns), stats)

    def _quote(self, symbol: str, asked_ns: int, update_id: int = 0) -> Quote:
        bid = self.bids[symbol]
        return Quote(update_id, bid, 1.0, bid + 1, 1.0, self._clock.now_ns(), asked_ns)


class _Reply(msgspec.Struct):
    id: int | None = None
    result: list[str] | None = None
    event: str = ""


SHUTDOWN = b'{"event":"shutdown"}'
"""The venue is about to close the connection."""


class FakeFeed:
    """Frames are ``{"stream":...,"symbol":...,"id":...,"bid":...}``; commands ``+a,b#1``, ``-a,b#2`` and ``?#3``."""

    def __init__(self) -> None:
        self.delivered: list[tuple[LaneKey, int, Source]] = []
        self.drafts: list[tuple[LaneKey, int, int]] = []
        self.raises: Exception | None = None

    @property
    def envelope(self) -> bytes:
        """How a data frame begins."""
        return b'{"stream":"'

    def url(self, streams: Sequence[str], line: int) -> str:
        """The names, as they are; before those of another line its number."""
        return f"{line}:" * (line > 0) + "/".join(streams)

    def streams(self, key: LaneKey) -> tuple[str, ...]:
        """``BTCUSDT@trades``."""
        return (f"{key.symbol}@{key.channel}",)

    def handler(self, key: LaneKey, stream: str, door: Door) -> StreamHandler:
        """The hot door first, as a venue's decoder does."""

        def handle(frame: bytes, received_ns: int) -> None:
            if self.raises is not None:
                raise self.raises
            data = msgspec.json.decode(frame, type=_Data)
            levels = (data.bid, 1.0, data.bid + 1, 1.0)
            if data.symbol != key.symbol:
                door.wrong_symbol()
            elif key.channel == "tick":
                if door.accept_quote(data.id, levels, received_ns):
                    self.delivered.append((key, data.id, Source.STREAM))
                else:
                    door.offer(Quote(data.id, *levels, received_ns), received_ns)
            elif key.channel == "book":
                self._move(key, data, door, received_ns)
            elif data.rank >= 0:
                self._grow(key, data, door, received_ns)
            elif door.accept(data.id, data.id, received_ns):
                self.delivered.append((key, data.id, Source.STREAM))
            else:
                door.offer(Item(data.id, data.id, data.id), received_ns)

        return handle

    def _move(self, key: LaneKey, data: _Data, door: Door, received_ns: int) -> None:
        """One update of a book: its deep bid, and the best levels where they have moved."""
        changed = data.old and data.old != data.bid
        bids = [(DEEP, float(data.id)), *([(data.old, 0.0), (data.bid, 1.0)] if changed else [])]
        asks = [(data.old + 1, 0.0), (data.bid + 1, 1.0)] if changed else []
        diff = Diff(data.id, data.id, bids, asks, received_ns)
        if door.accept_diff(diff, received_ns) is None:
            door.offer(diff, received_ns)
        else:
            self.delivered.append((key, data.id, Source.STREAM))

    def _grow(self, key: LaneKey, data: _Data, door: Door, received_ns: int) -> None:
        """An open bar; its newest trade is its rank."""
        draft = Draft(data.id, data.rank, data.rank, data.id)
        if door.accept_draft(draft, received_ns):
            self.drafts.append((key, data.id, data.rank))
        else:
            door.offer(draft, received_ns)

    def canary(self, symbol: str, sink: Callable[[Levels, int], None]) -> tuple[str, StreamHandler]:
        """The quotes of the symbol's ticks."""

        def handle(frame: bytes, received_ns: int) -> None:
            bid = msgspec.json.decode(frame, type=_Data).bid
            sink((bid, 1.0, bid + 1, 1.0), received_ns)

        return f"{symbol}@tick", handle

    def stream_of(self, frame: bytes) -> str:
        """Of any JSON object."""
        return msgspec.json.decode(frame, type=_Data).stream

    def request_id(self, frame: bytes) -> int | None:
        """Of an answer."""
        return msgspec.json.decode(frame, type=_Reply).id

    def listing(self, frame: bytes) -> Sequence[str] | None:
        """Of the answer to a list."""
        return msgspec.json.decode(frame, type=_Reply).result

    def is_shutdown(self, frame: bytes) -> bool:
        """The announcement."""
        return msgspec.json.decode(frame, type=_Reply).event == "shutdown"

    def complaint(self, frame: bytes) -> str:
        """The error."""
        return msgspec.json.decode(frame, type=_Data).error

    def subscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """``+a,b#1``."""
        return f"+{','.join(streams)}#{request_id}".encode()

    def unsubscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """``-a,b#2``."""
        return f"-{','.join(streams)}#{request_id}".encode()

    def list_subscriptions(self, request_id: int) -> bytes:
        """``?#3``."""
        return f"?#{request_id}".encode()


def frame(key: LaneKey, number: int, bid: float = 1.0, *, old: float = 0.0, rank: int = -1) -> bytes:
    """A frame of a lane's stream. ``old``: the bid before, of a book; ``rank``: how many trades an open bar has."""
    data = {"symbol": key.symbol, "id": number, "bid": bid, "old": old, "rank": rank}
    return msgspec.json.encode({"stream": f"{key.symbol}@{key.channel}", **data})


class FakeWire:
    """One open connection: what was sent on it (commands without their numbers), and what the venue does to it.

    Commands are carried out and answered at once; not those that begin with ``mute`` or ``refused``. ``ignored`` streams are
    acknowledged and never listed. ``lists`` is when lists were asked for.
    """

    def __init__(self, url: str, clock: VirtualClock, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> None:
        self.url = url
        self.sent: list[tuple[bytes, int]] = []
        self.lists: list[int] = []
        self.streams = set(url.rpartition(":")[2].split("/"))
        self.ignored: set[str] = set()
        self.mute = self.refused = b"!"
        self.is_open = True
        self._clock = clock
        self._on_frame = on_frame
        self._on_closed = on_closed

    def send(self, message: bytes) -> None:
        """Remembers the command, and has it answered."""
        command, _, number = message.partition(b"#")
        if command == b"?":
            self.lists.append(self._clock.now_ns())
        else:
            self.sent.append((command, self._clock.now_ns()))
        if not command.startswith(self.mute):
            asyncio.get_running_loop().call_soon(self._obey, command, int(number))

    def _obey(self, command: bytes, number: int) -> None:
        if not self.is_open:
            return
        if command.startswith(self.refused):
            self.bring(msgspec.json.encode({"error": "no", "id": number}))
            return
        names = set(command[1:].decode().split(","))
        if command[:1] == b"+":
            self.streams |= names
        elif command[:1] == b"-":
            self.streams -= names
        listed = sorted(self.streams - self.ignored) if command == b"?" else None
        self.bring(msgspec.json.encode({"result": listed, "id": number}))

    def close(self) -> None:
        """Ends the connection from our side."""
        self.end("closed by us")

    def bring(self, message: bytes) -> None:
        """The venue sends a frame."""
        self._on_frame(message, self._clock.now_ns())

    def end(self, cause: str) -> None:
        """The connection ends."""
        if self.is_open:
            self.is_open = False
            self._on_closed(cause)


class FakeDialler:
    """Opens connections in memory. ``failing``: what a dial raises; ``delay``: how long it takes."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.failing: Exception | None = None
        self.delay = 0.0
        self.dials: list[int] = []
        self.wires: list[FakeWire] = []

    @property
    def wire(self) -> FakeWire:
        """The newest connection."""
        return self.wires[-1]

    async def dial(self, url: str, on_frame: StreamHandler, on_closed: Callable[[str], None]) -> FakeWire:
        """Connects, or fails."""
        self.dials.append(self._clock.now_ns())
        await self._clock.sleep(self.delay)
        if self.failing is not None:
            raise self.failing
        wire = FakeWire(url, self._clock, on_frame, on_closed)
        self.wires.append(wire)
        return wire
