"""The text of every event a stream carries. ``per_unit`` is microseconds in the client's time unit: 1,000, or 1 on request."""

from foxtrot.sandbox.amounts import to_text
from foxtrot.sandbox.candles import Candle
from foxtrot.sandbox.figures import Figures
from foxtrot.sandbox.instrument import Instrument, Top
from foxtrot.sandbox.tape import AggTrade, Trade

MS_US = 1_000

_BOOLEANS = ("false", "true")


def trade(symbol: str, item: Trade, per_unit: int) -> bytes:
    """``<symbol>@trade``."""
    time = item.time_us // per_unit
    return (
        f'{{"e":"trade","E":{time},"s":"{symbol}","t":{item.trade_id},"p":"{to_text(item.price)}","q":"{to_text(item.size)}",'
        f'"T":{time},"m":{_BOOLEANS[item.is_buyer_maker]},"M":true}}'
    ).encode()


def agg_trade(symbol: str, item: AggTrade, per_unit: int) -> bytes:
    """``<symbol>@aggTrade``."""
    time = item.time_us // per_unit
    return (
        f'{{"e":"aggTrade","E":{time},"s":"{symbol}","a":{item.agg_id},"p":"{to_text(item.price)}","q":"{to_text(item.size)}",'
        f'"f":{item.first_id},"l":{item.last_id},"T":{time},"m":{_BOOLEANS[item.is_buyer_maker]},"M":true}}'
    ).encode()


def book_ticker(symbol: str, update_id: int, top: Top) -> bytes:
    """``<symbol>@bookTicker``: no event type, no time."""
    bid, bid_size, ask, ask_size = top
    return (
        f'{{"u":{update_id},"s":"{symbol}","b":"{to_text(bid)}","B":"{to_text(bid_size)}",'
        f'"a":"{to_text(ask)}","A":"{to_text(ask_size)}"}}'
    ).encode()


def level_rows(levels: list[tuple[int, int]]) -> str:
    """``["price","quantity"]`` pairs of a book side."""
    return "[" + ",".join(f'["{to_text(price)}","{to_text(size)}"]' for price, size in levels) + "]"


Diff = tuple[int, int, list[tuple[int, int]], list[tuple[int, int]]]


def diff_depth(symbol: str, diff: Diff, time_us: int, per_unit: int) -> bytes:
    """``<symbol>@depth``: what changed since the frame before."""
    first, last, bids, asks = diff
    return (
        f'{{"e":"depthUpdate","E":{time_us // per_unit},"s":"{symbol}","U":{first},"u":{last},'
        f'"b":{level_rows(bids)},"a":{level_rows(asks)}}}'
    ).encode()


def partial_depth(instrument: Instrument, limit: int) -> bytes:
    """``<symbol>@depth<levels>``, also the body of the REST answer: no symbol, no event type."""
    bids, asks = instrument.levels(limit)
    return f'{{"lastUpdateId":{instrument.update_id},"bids":{level_rows(bids)},"asks":{level_rows(asks)}}}'.encode()


def ticker(symbol: str, figures: Figures, top: Top, time_us: int, per_unit: int) -> bytes:
    """``<symbol>@ticker``: rolling 24 h figures."""
    bid, bid_size, ask, ask_size = top
    f = figures
    return (
        f'{{"e":"24hrTicker","E":{time_us // per_unit},"s":"{symbol}","p":"{to_text(f.change)}","P":"{f.change_percent}",'
        f'"w":"{to_text(f.weighted_average)}","x":"{to_text(f.previous_close)}","c":"{to_text(f.last)}","Q":"{to_text(f.last_size)}",'
        f'"b":"{to_text(bid)}","B":"{to_text(bid_size)}","a":"{to_text(ask)}","A":"{to_text(ask_size)}",'
        f'"o":"{to_text(f.open)}","h":"{to_text(f.high)}","l":"{to_text(f.low)}","v":"{to_text(f.volume)}","q":"{to_text(f.quote)}",'
        f'"O":{f.open_us // per_unit},"C":{f.close_us // per_unit},"F":{f.first_id},"L":{f.last_id},"n":{f.count}}}'
    ).encode()


def mini_ticker(symbol: str, figures: Figures, time_us: int, per_unit: int) -> bytes:
    """``<symbol>@miniTicker``."""
    f = figures
    return (
        f'{{"e":"24hrMiniTicker","E":{time_us // per_unit},"s":"{symbol}","c":"{to_text(f.last)}","o":"{to_text(f.open)}",'
        f'"h":"{to_text(f.high)}","l":"{to_text(f.low)}","v":"{to_text(f.volume)}","q":"{to_text(f.quote)}"}}'
    ).encode()


def window_ticker(symbol: str, window: str, figures: Figures, time_us: int, per_unit: int) -> bytes:
    """``<symbol>@ticker_<window>``."""
    f = figures
    return (
        f'{{"e":"{window}Ticker","E":{time_us // per_unit},"s":"{symbol}","p":"{to_text(f.change)}","P":"{f.change_percent}",'
        f'"o":"{to_text(f.open)}","h":"{to_text(f.high)}","l":"{to_text(f.low)}","c":"{to_text(f.last)}",'
        f'"w":"{to_text(f.weighted_average)}","v":"{to_text(f.volume)}","q":"{to_text(f.quote)}",'
        f'"O":{f.open_us // per_unit},"C":{f.close_us // per_unit},"F":{f.first_id},"L":{f.last_id},"n":{f.count}}}'
    ).encode()


def average_price(symbol: str, price: int, last_us: int, time_us: int, per_unit: int) -> bytes:
    """``<symbol>@avgPrice``: the average of the last five minutes."""
    return (
        f'{{"e":"avgPrice","E":{time_us // per_unit},"s":"{symbol}","i":"5m","w":"{to_text(price)}","T":{last_us // per_unit}}}'
    ).encode()


def kline(symbol: str, interval: str, candle: Candle, time_us: int, per_unit: int, *, is_closed: bool) -> bytes:
    """``<symbol>@kline_<interval>``."""
    c = candle
    scale = MS_US // per_unit
    end = c.close_ms * scale + scale - 1
    return (
        f'{{"e":"kline","E":{time_us // per_unit},"s":"{symbol}","k":{{"t":{c.open_ms * scale},"T":{end},'
        f'"s":"{symbol}","i":"{interval}","f":{c.first_id},"L":{c.last_id},"o":"{to_text(c.open)}","c":"{to_text(c.close)}",'
        f'"h":"{to_text(c.high)}","l":"{to_text(c.low)}","v":"{to_text(c.volume)}","n":{c.count},"x":{_BOOLEANS[is_closed]},'
        f'"q":"{to_text(c.quote)}","V":"{to_text(c.taker_volume)}","Q":"{to_text(c.taker_quote)}","B":"0"}}}}'
    ).encode()
