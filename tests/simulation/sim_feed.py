"""The simulated venue's stream language: names, commands, frames, and the decoder that carries frames to a lane's door."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from foxtrot.transport.base import Door, Figures, Item, LaneKey, Quote, Stats, StreamHandler
from foxtrot.util.constants import Channel
from tests.simulation.market import Levels

STREAMS = {Channel.TICK: ("quote", "stats"), Channel.TRADES: ("trades",), Channel.AGG_TRADES: ("aggs",)}
SHUTDOWN = b'{"event":"serverShutdown"}'
FIGURES: Figures = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)

_encode = msgspec.json.Encoder().encode


class Command(msgspec.Struct):
    """What a client sends."""

    method: str
    id: int
    params: list[str] = []


class Reply(msgspec.Struct):
    """Whatever comes that is no data of a known stream."""

    stream: str = ""
    id: int | None = None
    result: list[str] | None = None
    error: str = ""
    event: str = ""


class _QuoteFrame(msgspec.Struct):
    data: tuple[str, int, float, float, float, float]


class _IdFrame(msgspec.Struct):
    data: tuple[str, int, int, int]  # symbol, id, newest trade id inside, the venue's milliseconds


class _StatsFrame(msgspec.Struct):
    data: tuple[str, int, int]


class _CanaryFrame(msgspec.Struct):
    data: tuple[str, int, float, float, float, float]


_quote = msgspec.json.Decoder(_QuoteFrame).decode
_id = msgspec.json.Decoder(_IdFrame).decode
_stats = msgspec.json.Decoder(_StatsFrame).decode
_canary = msgspec.json.Decoder(_CanaryFrame).decode
_reply = msgspec.json.Decoder(Reply).decode
command_of = msgspec.json.Decoder(Command).decode


class Listener(Protocol):
    """Who hears of the values that a door accepted."""

    def streamed_id(self, key: LaneKey, first: int) -> None:
        """An id was delivered by the hot path."""
        ...

    def streamed_quote(self, key: LaneKey, update_id: int, levels: Levels, received_ns: int) -> None:
        """A quote was delivered by the hot path."""
        ...


def quote_frame(symbol: str, update_id: int, levels: Levels) -> bytes:
    """A new quote."""
    return b'{"stream":"%s@quote","data":%s}' % (symbol.encode(), _encode((symbol, update_id, *levels)))


def id_frame(symbol: str, kind: str, number: int, last_trade_id: int, event_ms: int) -> bytes:
    """A trade or an aggregate."""
    return b'{"stream":"%s@%s","data":["%s",%d,%d,%d]}' % (
        symbol.encode(), kind.encode(), symbol.encode(), number, last_trade_id, event_ms,
    )  # fmt: skip


def stats_frame(symbol: str, last_trade_id: int, close_ms: int) -> bytes:
    """24 h figures."""
    return b'{"stream":"%s@stats","data":["%s",%d,%d]}' % (symbol.encode(), symbol.encode(), last_trade_id, close_ms)


def reply(request_id: int, result: Sequence[str] | None = None) -> bytes:
    """The answer to a command."""
    return _encode({"result": result, "id": request_id})


class SimFeed:
    """Fulfils ``StreamFeed``."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def envelope(self) -> bytes:
        """How a data frame begins."""
        return b'{"stream":"'

    def url(self, streams: Sequence[str], line: int = 0) -> str:
        """The line, and the names."""
        return f"sim{line}:{','.join(streams)}"

    def streams(self, key: LaneKey) -> tuple[str, ...]:
        """``S0@quote`` and ``S0@stats`` for a tick; one for ids."""
        return tuple(f"{key.symbol}@{kind}" for kind in STREAMS[Channel(key.channel)])

    def handler(self, key: LaneKey, stream: str, door: Door) -> StreamHandler:
        """The hot door first, as a venue's decoder does."""
        if stream.endswith("@quote"):
            return _quotes(key, door, self._listener)
        if stream.endswith("@stats"):
            return _figures(key, door)
        return _ids(key, door, self._listener)

    def canary(self, symbol: str, sink: Callable[[Levels, int], None]) -> tuple[str, StreamHandler]:
        """A symbol's quotes, for whoever watches a connection."""

        def handle(frame: bytes, received_ns: int) -> None:
            found = _canary(frame).data
            if found[0] == symbol:
                sink(found[2:], received_ns)

        return f"{symbol}@quote", handle

    def stream_of(self, frame: bytes) -> str:
        """Of any JSON object."""
        return _reply(frame).stream

    def complaint(self, frame: bytes) -> str:
        """The error."""
        return _reply(frame).error

    def request_id(self, frame: bytes) -> int | None:
        """Which command a frame answers."""
        return _reply(frame).id

    def is_shutdown(self, frame: bytes) -> bool:
        """Whether the venue will close this connection soon."""
        return _reply(frame).event == "serverShutdown"

    def listing(self, frame: bytes) -> Sequence[str] | None:
        """The streams that the venue says it sends; None for any other answer."""
        return _reply(frame).result

    def subscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """Adds streams."""
        return _encode(Command("SUBSCRIBE", request_id, list(streams)))

    def unsubscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """Drops streams."""
        return _encode(Command("UNSUBSCRIBE", request_id, list(streams)))

    def list_subscriptions(self, request_id: int) -> bytes:
        """Asks what is sent."""
        return _encode(Command("LIST_SUBSCRIPTIONS", request_id))


def _quotes(key: LaneKey, door: Door, listener: Listener) -> StreamHandler:
    accept, deliver = door.accept_quote, listener.streamed_quote

    def handle(frame: bytes, received_ns: int) -> None:
        symbol, update_id, *rest = _quote(frame).data
        levels = (rest[0], rest[1], rest[2], rest[3])
        if symbol != key.symbol:
            door.wrong_symbol()
        elif accept(update_id, levels, received_ns):
            deliver(key, update_id, levels, received_ns)
        else:
            door.offer(Quote(update_id, *levels, received_ns), received_ns)

    return handle


def _ids(key: LaneKey, door: Door, listener: Listener) -> StreamHandler:
    accept, deliver = door.accept, listener.streamed_id

    def handle(frame: bytes, received_ns: int) -> None:
        symbol, number, last, event_ms = _id(frame).data
        if symbol != key.symbol:
            door.wrong_symbol()
        elif accept(number, last, received_ns, event_ms):
            deliver(key, number)
        else:
            door.offer(Item(number, last, number), received_ns, event_ms)

    return handle


def _figures(key: LaneKey, door: Door) -> StreamHandler:
    def handle(frame: bytes, received_ns: int) -> None:
        symbol, last_trade_id, close_ms = _stats(frame).data
        if symbol != key.symbol:
            door.wrong_symbol()
        else:
            door.offer_stats(Stats(last_trade_id, close_ms, FIGURES, received_ns))

    return handle
