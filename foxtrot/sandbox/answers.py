"""The REST answers of the market side, made from instruments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from foxtrot.sandbox import payloads
from foxtrot.sandbox.amounts import notional, to_text
from foxtrot.sandbox.candle_history import CandleHistory
from foxtrot.sandbox.candles import Candle, next_open, open_of
from foxtrot.sandbox.exchange_info import exchange_info
from foxtrot.sandbox.figures import WINDOW_SPANS_MS, Figures, day_figures, five_minute_average, window_figures
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.query import Query, Refused
from foxtrot.sandbox.tape import Tape

MS_US = 1_000
SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """What a request is answered from: the instruments and their time, and the time that the venue claims (microseconds)."""

    instruments: Mapping[str, Instrument]
    now_us: int
    claimed_us: int


Answer = Callable[[Scene, Query], bytes]
Weigh = Callable[[Query], int]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A GET endpoint: its answer, its weight, the parameters it reads (and must have), and whether it shows a market."""

    answer: Answer
    weight: Weigh
    params: frozenset[str]
    mandatory: tuple[str, ...] = ()
    is_market: bool = True


def _ping(_scene: Scene, _query: Query) -> bytes:
    return b"{}"


def _time(scene: Scene, _query: Query) -> bytes:
    return msgspec.json.encode({"serverTime": scene.claimed_us // MS_US})


def _exchange_info(scene: Scene, query: Query) -> bytes:
    if query.has("symbolStatus") and (query.has("symbol") or query.has("symbols")):
        raise Refused(-1128, "Combination of optional parameters invalid.")
    names = query.symbols()
    found = [each for each in scene.instruments.values() if names is None or each.symbol in names]
    if query.has("symbolStatus"):
        found = [each for each in found if each.status == query.text("symbolStatus")]
    return msgspec.json.encode(exchange_info(found, scene.claimed_us // MS_US))


def _depth(scene: Scene, query: Query) -> bytes:
    instrument = scene.instruments[query.symbol()]
    _check_status(query, instrument)
    return payloads.partial_depth(instrument, query.limit(100, 5_000))


def _trades(scene: Scene, query: Query) -> bytes:
    tape = scene.instruments[query.symbol()].tape
    end = tape.next_id
    return _trade_rows(scene, query, max(tape.first_id, end - query.limit(500, 1_000)), end)


def _historical_trades(scene: Scene, query: Query) -> bytes:
    tape = scene.instruments[query.symbol()].tape
    limit = query.limit(500, 1_000)
    asked = query.number("fromId")
    start = max(tape.first_id, tape.next_id - limit if asked is None else asked)
    return _trade_rows(scene, query, start, min(start + limit, tape.next_id))


def _trade_rows(scene: Scene, query: Query, start: int, end: int) -> bytes:
    tape = scene.instruments[query.symbol()].tape
    rows = []
    for trade_id in range(start, end):
        item = tape.trade(trade_id)
        rows.append(
            f'{{"id":{item.trade_id},"price":"{to_text(item.price)}","qty":"{to_text(item.size)}",'
            f'"quoteQty":"{to_text(notional(item.price, item.size))}","time":{item.time_us // MS_US},'
            f'"isBuyerMaker":{"true" if item.is_buyer_maker else "false"},"isBestMatch":true}}'
        )
    return ("[" + ",".join(rows) + "]").encode()


def _agg_trades(scene: Scene, query: Query) -> bytes:
    tape = scene.instruments[query.symbol()].tape
    limit = query.limit(500, 1_000)
    asked, (start_ms, end_ms) = query.number("fromId"), query.span()
    if asked is not None and (start_ms is not None or end_ms is not None):
        raise Refused(-1128, "Combination of optional parameters invalid.")
    end = tape.next_agg_id if end_ms is None else tape.agg_id_at((end_ms + 1) * MS_US)
    if asked is not None:
        start = asked
    elif start_ms is not None:
        start = tape.agg_id_at(start_ms * MS_US)
    else:
        start = end - limit
    start = max(tape.first_agg_id, start)
    rows = []
    for agg_id in range(start, min(start + limit, end)):
        item = tape.agg(agg_id)
        rows.append(
            f'{{"a":{item.agg_id},"p":"{to_text(item.price)}","q":"{to_text(item.size)}","f":{item.first_id},"l":{item.last_id},'
            f'"T":{item.time_us // MS_US},"m":{"true" if item.is_buyer_maker else "false"},"M":true}}'
        )
    return ("[" + ",".join(rows) + "]").encode()


def _klines(scene: Scene, query: Query) -> bytes:
    tape, interval = scene.instruments[query.symbol()].tape, query.interval()
    limit, offset_ms, (start_ms, end_ms) = query.limit(500, 1_000), query.offset_ms(), query.span()
    if interval == "1s":
        candles = [
            each
            for each in _seconds(scene, tape, limit, start_ms, end_ms)
            if (start_ms is None or each.open_ms >= start_ms) and (end_ms is None or each.open_ms <= end_ms)
        ]
    else:
        newest_ms = scene.now_us // MS_US
        candles = _candles(tape.candles, interval, offset_ms, limit, start_ms, end_ms, newest_ms)
    return msgspec.json.encode([_kline_row(each) for each in candles])


def _candles(
    history: CandleHistory, interval: str, offset_ms: int, limit: int, start_ms: int | None, end_ms: int | None, now_ms: int
) -> list[Candle]:
    """The first ``limit`` candles from ``start_ms`` on, else the last; after the last trade they are flat, as in the streams."""
    if not history.minutes:
        return []
    last_ms = history.minutes[-1].open_ms
    oldest_ms = min(history.earliest(interval, offset_ms), open_of(last_ms, interval, offset_ms))  # the newest in any case
    newest_ms = max(now_ms, last_ms)
    if end_ms is not None:
        newest_ms = min(newest_ms, end_ms)
    opens: list[int] = []
    if start_ms is None:
        at = open_of(max(newest_ms, 0), interval, offset_ms)
        while at >= oldest_ms and len(opens) < limit:
            opens.append(at)
            at = open_of(at - 1, interval, offset_ms)
        opens.reverse()
    elif start_ms <= newest_ms:
        at = open_of(max(start_ms, oldest_ms), interval, offset_ms)
        if at < start_ms:
            at = next_open(at, interval, offset_ms)
        while at <= newest_ms and len(opens) < limit:
            opens.append(at)
            at = next_open(at, interval, offset_ms)
    return [history.total(at, next_open(at, interval, offset_ms) - 1) for at in opens]


def _seconds(scene: Scene, tape: Tape, limit: int, start_ms: int | None, end_ms: int | None) -> list[Candle]:
    """One-second candles, straight from the trades; a second without any is flat."""
    if tape.last() is None:
        return []
    newest = min(scene.now_us // MS_US, scene.now_us // MS_US if end_ms is None else end_ms) // SECOND_MS * SECOND_MS
    earliest = tape.trade(tape.first_id).time_us // MS_US
    oldest = max(earliest, newest - (limit - 1) * SECOND_MS if start_ms is None else start_ms) // SECOND_MS * SECOND_MS
    count = min(limit, (newest - oldest) // SECOND_MS + 1)
    made: list[Candle] = []
    trade_id = tape.id_at(oldest * MS_US)
    price = tape.trade(max(tape.first_id, trade_id - 1)).price
    for number in range(count):
        candle = Candle(oldest + number * SECOND_MS, oldest + (number + 1) * SECOND_MS - 1, price)
        while trade_id < tape.next_id and (item := tape.trade(trade_id)).time_us // MS_US <= candle.close_ms:
            candle.add_trade(item.trade_id, item.price, item.size, is_buyer_maker=item.is_buyer_maker)
            trade_id += 1
        price = candle.close
        made.append(candle)
    return made


def _kline_row(c: Candle) -> list[object]:
    prices = [to_text(c.open), to_text(c.high), to_text(c.low), to_text(c.close), to_text(c.volume)]
    return [c.open_ms, *prices, c.close_ms, to_text(c.quote), c.count, to_text(c.taker_volume), to_text(c.taker_quote), "0"]


def _average(scene: Scene, query: Query) -> bytes:
    price, last_us = five_minute_average(scene.instruments[query.symbol()].tape, scene.now_us)
    return msgspec.json.encode({"mins": 5, "price": to_text(price), "closeTime": last_us // MS_US})


def _check_status(query: Query, instrument: Instrument) -> None:
    if query.has("symbolStatus") and query.text("symbolStatus") != instrument.status:
        raise Refused(-1220, "The symbol's status does not match the requested symbolStatus.")


def _many(scene: Scene, query: Query, make: Callable[[Instrument], dict[str, object]]) -> bytes:
    """An object when one symbol was named by ``symbol``, else a list."""
    names = query.symbols()
    if names is None:
        wanted = query.text("symbolStatus") if query.has("symbolStatus") else ""
        return msgspec.json.encode([make(each) for each in scene.instruments.values() if wanted in {"", each.status}])
    for name in names:
        _check_status(query, scene.instruments[name])
    rows = [make(scene.instruments[name]) for name in names]
    return msgspec.json.encode(rows[0] if query.has("symbol") else rows)


def _ticker_24hr(scene: Scene, query: Query) -> bytes:
    is_mini = query.is_mini()

    def make(instrument: Instrument) -> dict[str, object]:
        figures = day_figures(instrument.tape, instrument.tape.day, scene.now_us)
        return _mini(instrument, figures) if is_mini else _full(instrument, figures)

    return _many(scene, query, make)


def _ticker_window(scene: Scene, query: Query) -> bytes:
    if not query.has("symbol") and not query.has("symbols"):
        raise Refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    is_mini, span_ms = query.is_mini(), WINDOW_SPANS_MS[query.window()]

    def make(instrument: Instrument) -> dict[str, object]:
        figures = window_figures(instrument.tape, span_ms, scene.now_us)
        if is_mini:
            return _mini(instrument, figures)
        full = _full(instrument, figures)
        for name in ("prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty"):
            del full[name]
        return full

    return _many(scene, query, make)


def _ticker_price(scene: Scene, query: Query) -> bytes:
    def make(instrument: Instrument) -> dict[str, object]:
        last = instrument.tape.last()
        return {"symbol": instrument.symbol, "price": to_text(last.price if last else 0)}

    return _many(scene, query, make)


def _ticker_book(scene: Scene, query: Query) -> bytes:
    def make(instrument: Instrument) -> dict[str, object]:
        bid, bid_size, ask, ask_size = (to_text(each) for each in instrument.top())
        return {"symbol": instrument.symbol, "bidPrice": bid, "bidQty": bid_size, "askPrice": ask, "askQty": ask_size}

    return _many(scene, query, make)


def _full(instrument: Instrument, f: Figures) -> dict[str, object]:
    bid, bid_size, ask, ask_size = (to_text(each) for each in instrument.top())
    return {
        "symbol": instrument.symbol,
        "priceChange": to_text(f.change),
        "priceChangePercent": f.change_percent,
        "weightedAvgPrice": to_text(f.weighted_average),
        "prevClosePrice": to_text(f.previous_close),
        "lastPrice": to_text(f.last),
        "lastQty": to_text(f.last_size),
        "bidPrice": bid,
        "bidQty": bid_size,
        "askPrice": ask,
        "askQty": ask_size,
        **_mini(instrument, f),
    }


def _mini(instrument: Instrument, f: Figures) -> dict[str, object]:
    return {
        "symbol": instrument.symbol,
        "openPrice": to_text(f.open),
        "highPrice": to_text(f.high),
        "lowPrice": to_text(f.low),
        "lastPrice": to_text(f.last),
        "volume": to_text(f.volume),
        "quoteVolume": to_text(f.quote),
        "openTime": f.open_us // MS_US,
        "closeTime": f.close_us // MS_US,
        "firstId": f.first_id,
        "lastId": f.last_id,
        "count": f.count,
    }


def _fixed(weight: int) -> Weigh:
    return lambda _query: weight


def _depth_weight(query: Query) -> int:
    limit = query.number("limit", 100) or 100
    return next(weight for most, weight in ((100, 5), (500, 25), (1_000, 50), (1 << 63, 250)) if limit <= most)


def _batch_weight(query: Query) -> int:
    names = query.symbols()
    count = 1_000 if names is None else len(names)
    return next(weight for most, weight in ((20, 2), (100, 40), (1 << 63, 80)) if count <= most)


def _window_weight(query: Query) -> int:
    return min(200, 4 * len(query.symbols() or [""]))


def _quote_weight(query: Query) -> int:
    return 2 if query.has("symbol") else 4


_BATCH = frozenset({"symbol", "symbols", "symbolStatus"})

_KLINE = frozenset({"symbol", "interval", "limit", "startTime", "endTime", "timeZone"})
_SYMBOL = ("symbol",)

ENDPOINTS: Mapping[str, Endpoint] = {
    "/api/v3/ping": Endpoint(_ping, _fixed(1), frozenset(), is_market=False),
    "/api/v3/time": Endpoint(_time, _fixed(1), frozenset(), is_market=False),
    "/api/v3/exchangeInfo": Endpoint(_exchange_info, _fixed(20), _BATCH | {"permissions", "showPermissionSets"}, is_market=False),
    "/api/v3/depth": Endpoint(_depth, _depth_weight, frozenset({"symbol", "limit", "symbolStatus"}), _SYMBOL),
    "/api/v3/trades": Endpoint(_trades, _fixed(25), frozenset({"symbol", "limit"}), _SYMBOL),
    "/api/v3/historicalTrades": Endpoint(_historical_trades, _fixed(25), frozenset({"symbol", "limit", "fromId"}), _SYMBOL),
    "/api/v3/aggTrades": Endpoint(
        _agg_trades, _fixed(4), frozenset({"symbol", "limit", "fromId", "startTime", "endTime"}), _SYMBOL
    ),
    "/api/v3/klines": Endpoint(_klines, _fixed(2), _KLINE, ("symbol", "interval")),
    "/api/v3/uiKlines": Endpoint(_klines, _fixed(2), _KLINE, ("symbol", "interval")),
    "/api/v3/avgPrice": Endpoint(_average, _fixed(2), frozenset({"symbol"}), _SYMBOL),
    "/api/v3/ticker/24hr": Endpoint(_ticker_24hr, _batch_weight, _BATCH | {"type"}),
    "/api/v3/ticker": Endpoint(_ticker_window, _window_weight, _BATCH | {"type", "windowSize"}),
    "/api/v3/ticker/price": Endpoint(_ticker_price, _quote_weight, _BATCH),
    "/api/v3/ticker/bookTicker": Endpoint(_ticker_book, _quote_weight, _BATCH),
}
"""Every market endpoint by its path."""
