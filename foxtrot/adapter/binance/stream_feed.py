"""Binance's market streams as the transports need them: names, commands, decoders (binance.md, section 2)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

from foxtrot.adapter.binance.binance_mappings import (
    EXCHANGE,
    AggTradeEnvelope,
    BookTickerEnvelope,
    StreamReply,
    TickerEnvelope,
    TradeEnvelope,
    to_agg_trade,
    to_stats,
)
from foxtrot.adapter.binance.callbacks import Outlets
from foxtrot.adapter.binance.depth_mappings import decode_depth, to_diff
from foxtrot.adapter.binance.error_codes import printable
from foxtrot.adapter.binance.intervals import parse
from foxtrot.adapter.binance.kline_mappings import KlineEnvelope, to_streamed_bar
from foxtrot.transport.base import CanarySink, Door, Item, LaneKey, Quote, StreamHandler
from foxtrot.util.channel import interval_of
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Channel, Source
from foxtrot.util.object import PublicTradeData

_STREAMS: Final[Mapping[str, tuple[str, ...]]] = {
    Channel.TICK: ("bookTicker", "ticker"),
    Channel.TRADES: ("trade",),
    Channel.AGG_TRADES: ("aggTrade",),
    Channel.BOOK: ("depth@100ms",),
}
_KLINE: Final = "kline_"

_trade: Final = msgspec.json.Decoder(TradeEnvelope, strict=False).decode
_agg_trade: Final = msgspec.json.Decoder(AggTradeEnvelope, strict=False).decode
_kline: Final = msgspec.json.Decoder(KlineEnvelope, strict=False).decode
_book_ticker: Final = msgspec.json.Decoder(BookTickerEnvelope, strict=False).decode
_ticker: Final = msgspec.json.Decoder(TickerEnvelope, strict=False).decode
_reply: Final = msgspec.json.Decoder(StreamReply, strict=False).decode

_STREAM: Final = Source.STREAM
_SHUTDOWN: Final = "serverShutdown"


QuoteSink = Callable[[int, tuple[float, float, float, float], int], None]
"""Takes update id, (bid, bid size, ask, ask size) and time of arrival of an accepted quote."""


class BinanceStreams:
    """Combined streams: every frame is ``{"stream":name,"data":payload}``. Lines go round ``base_urls``."""

    def __init__(self, base_urls: tuple[str, ...], outlets: Outlets, quote_sink: Callable[[str], QuoteSink]) -> None:
        self._base_urls = base_urls
        self._outlets = outlets
        self._quote_sink = quote_sink

    @property
    def envelope(self) -> bytes:
        """How the venue begins a data frame; other spellings of the same JSON are read too, slower."""
        return b'{"stream":"'

    def url(self, streams: Sequence[str], line: int) -> str:
        """The combined address. Names are lower case; what is not ASCII is percent-encoded (2025-12)."""
        base_url = self._base_urls[line % len(self._base_urls)]
        return f"{base_url}/stream?streams={'/'.join(quote(name, safe='@') for name in streams)}"

    def streams(self, key: LaneKey) -> tuple[str, ...]:
        """``btcusdt@trade`` and the like; a tick needs two."""
        interval = interval_of(key.channel)
        kinds = (_KLINE + interval,) if interval else _STREAMS[key.channel]
        return tuple(f"{key.symbol.lower()}@{kind}" for kind in kinds)

    def handler(self, key: LaneKey, stream: str, door: Door) -> StreamHandler:
        """The decoder of one stream, as a closure: it runs for every frame."""
        kind = stream.partition("@")[2]
        if kind == "trade":
            return _trades(key.symbol, door, self._outlets)
        if kind == "aggTrade":
            return _agg_trades(key.symbol, door, self._outlets)
        if kind.startswith("depth"):
            return _books(key.symbol, door, self._outlets)
        if kind.startswith(_KLINE):
            return _bars(key, door, self._outlets)
        if kind == "bookTicker":
            return _quotes(key.symbol, door, self._quote_sink(key.symbol))
        return _stats(key.symbol, door)

    def canary(self, symbol: str, sink: CanarySink) -> tuple[str, StreamHandler]:
        """``btcusdt@bookTicker``. A frame of another symbol says nothing."""

        def handle(frame: bytes, received_ns: int) -> None:
            found = _book_ticker(frame).data
            if found.symbol == symbol:
                sink((found.bid, found.bid_volume, found.ask, found.ask_volume), received_ns)

        return f"{symbol.lower()}@bookTicker", handle

    def stream_of(self, frame: bytes) -> str:
        """Reads any JSON object for its stream's name."""
        return _reply(frame).stream

    def request_id(self, frame: bytes) -> int | None:
        """Ours are numbers, echoed with the answer; some errors come without (then the answer is missed, and asked for again)."""
        request_id = _reply(frame).request_id
        return request_id if isinstance(request_id, int) else None

    def listing(self, frame: bytes) -> Sequence[str] | None:
        """``{"result":[...],"id":...}``."""
        result = _reply(frame).result
        return [str(name) for name in result] if isinstance(result, list) else None

    def is_shutdown(self, frame: bytes) -> bool:
        """``serverShutdown``, raw or in the envelope of a combined stream (since 2026-05-08)."""
        reply = _reply(frame)
        return _SHUTDOWN in {reply.event, reply.stream.removeprefix("!")}

    def complaint(self, frame: bytes) -> str:
        """Errors come flat, or nested under ``error``."""
        reply = _reply(frame)
        if reply.error is not None:
            return f"{reply.error.get('code')} {printable(str(reply.error.get('msg')))}"
        return f"{reply.code} {printable(reply.msg)}" if reply.code is not None else ""

    def subscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """SUBSCRIBE."""
        return _command("SUBSCRIBE", streams, request_id)

    def unsubscribe(self, streams: Sequence[str], request_id: int) -> bytes:
        """UNSUBSCRIBE."""
        return _command("UNSUBSCRIBE", streams, request_id)

    def list_subscriptions(self, request_id: int) -> bytes:
        """LIST_SUBSCRIPTIONS: what came with the address is listed too."""
        return msgspec.json.encode({"method": "LIST_SUBSCRIPTIONS", "id": request_id})


def _command(method: str, streams: Sequence[str], request_id: int) -> bytes:
    return msgspec.json.encode({"method": method, "params": list(streams), "id": request_id})


def _trades(symbol: str, door: Door, outlets: Outlets) -> StreamHandler:
    accept, deliver, name = door.accept, outlets.on_public_trade, outlets.adapter_name

    def handle(frame: bytes, received_ns: int) -> None:
        trade = _trade(frame).data
        if trade.symbol != symbol:
            door.wrong_symbol()
            return
        value = PublicTradeData(
            symbol, EXCHANGE, name, _STREAM, trade.time * NS_PER_MS, received_ns,
            trade.id, trade.price, trade.quantity, trade.is_buyer_maker,
        )  # fmt: skip
        if accept(trade.id, trade.id, received_ns, trade.event_time):
            deliver(value)
        else:
            door.offer(Item(trade.id, trade.id, value), received_ns, trade.event_time)

    return handle


def _agg_trades(symbol: str, door: Door, outlets: Outlets) -> StreamHandler:
    accept, deliver, name = door.accept, outlets.on_agg_trade, outlets.adapter_name

    def handle(frame: bytes, received_ns: int) -> None:
        trade = _agg_trade(frame).data
        if trade.symbol != symbol:
            door.wrong_symbol()
            return
        item = to_agg_trade(name, symbol, trade, _STREAM, received_ns)
        if accept(trade.id, trade.last_trade_id, received_ns, trade.event_time):
            deliver(item.value)  # type: ignore[arg-type]  # -- to_agg_trade made it
        else:
            door.offer(item, received_ns, trade.event_time)

    return handle


def _quotes(symbol: str, door: Door, deliver: QuoteSink) -> StreamHandler:
    accept = door.accept_quote

    def handle(frame: bytes, received_ns: int) -> None:
        found = _book_ticker(frame).data
        if found.symbol != symbol:
            door.wrong_symbol()
            return
        levels = (found.bid, found.bid_volume, found.ask, found.ask_volume)
        if accept(found.update_id, levels, received_ns):
            deliver(found.update_id, levels, received_ns)
        else:
            door.offer(Quote(found.update_id, *levels, received_ns), received_ns)

    return handle


def _books(symbol: str, door: Door, outlets: Outlets) -> StreamHandler:
    accept, deliver = door.accept_diff, outlets.on_book

    def handle(frame: bytes, received_ns: int) -> None:
        found = decode_depth(frame).data
        if found.symbol != symbol:
            door.wrong_symbol()
            return
        diff = to_diff(found, received_ns)
        book = accept(diff, received_ns, found.event_time)
        if book is not None:
            deliver(book)  # type: ignore[arg-type]  # -- the order book made it, for this symbol
        else:
            door.offer(diff, received_ns, found.event_time)

    return handle


def _bars(key: LaneKey, door: Door, outlets: Outlets) -> StreamHandler:
    symbol, interval = key.symbol, parse(interval_of(key.channel))
    accept, accept_draft, deliver, name = door.accept, door.accept_draft, outlets.on_bar, outlets.adapter_name

    def handle(frame: bytes, received_ns: int) -> None:
        found = _kline(frame).data
        if found.symbol != symbol or found.kline.interval != interval.text:
            door.wrong_symbol()
            return
        bar = to_streamed_bar(name, interval, found, received_ns)
        if isinstance(bar, Item):
            is_next = accept(bar.id, bar.last_trade_id, received_ns, found.event_time)
        else:
            is_next = accept_draft(bar, received_ns, found.event_time)
        if is_next:
            deliver(bar.value)  # type: ignore[arg-type]  # -- to_streamed_bar made it
        else:
            door.offer(bar, received_ns, found.event_time)

    return handle


def _stats(symbol: str, door: Door) -> StreamHandler:
    def handle(frame: bytes, received_ns: int) -> None:
        found = _ticker(frame).data
        if found.symbol != symbol:
            door.wrong_symbol()
        else:
            door.offer_stats(to_stats(found, received_ns))

    return handle
