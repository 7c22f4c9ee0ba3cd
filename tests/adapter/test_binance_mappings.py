"""From Binance's payloads to our objects."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance import binance_mappings as payloads
from foxtrot.adapter.binance.binance_mappings import to_agg_trade, to_anchor, to_contract, to_public_trade, to_quote, to_stats
from foxtrot.adapter.binance.stream_feed import BinanceStreams
from foxtrot.transport.base import Item, LaneKey, Quote, Stats
from foxtrot.util.constants import Exchange, Product, Source
from foxtrot.util.object import AggTradeData, PublicTradeData
from tests.support.recording_door import RecordingDoor, RecordingOutlets

REST = Path(__file__).resolve().parents[3] / "shared" / "data" / "rest"
needs_bodies = pytest.mark.skipif(
    not REST.exists(), reason="the recorded answers (../shared/data/rest) are not beside this checkout"
)

TICKER = {
    "symbol": "ETHBTC",
    "lastPrice": "0.04103400",
    "lastQty": "1.06900000",
    "volume": "410969.51200000",
    "quoteVolume": "16980.13811233",
    "openPrice": "0.04176800",
    "highPrice": "0.04223600",
    "lowPrice": "0.04007400",
    "prevClosePrice": "0.04176900",
    "bidPrice": "0.04103300",
    "bidQty": "43.77800000",
    "askPrice": "0.04103500",
    "askQty": "1.89600000",
    "closeTime": 1611715404283,
    "lastId": 221725714,
    "count": 460443,
}
FIGURES = (0.041034, 1.069, 410969.512, 16980.13811233, 0.041768, 0.042236, 0.040074, 0.041769)
TRADE = {"id": 409018748, "price": "0.06436200", "qty": "0.01580000", "time": 1679280337591, "isBuyerMaker": False}
AGG_TRADE = {
    "a": 284861205,
    "p": "9039.74000000",
    "q": "0.17700100",
    "f": 310207484,
    "l": 310207486,
    "T": 1588749117459,
    "m": True,
}


def decode(kind: Any, body: object) -> Any:
    return msgspec.json.decode(json.dumps(body), type=kind, strict=False)


def recorded(name: str, kind: Any) -> Any:
    return msgspec.json.decode((REST / f"{name}.json").read_bytes(), type=kind, strict=False)


# REST, answers made by hand


def test_a_rest_trade() -> None:
    """Every field; milliseconds become nanoseconds."""
    item = to_public_trade("B", "ETHBTC", decode(payloads.TradeBody, TRADE), Source.POLL, 5)
    value = PublicTradeData(
        symbol="ETHBTC",
        exchange=Exchange.BINANCE,
        adapter_name="B",
        source=Source.POLL,
        venue_time_ns=1679280337591_000_000,
        received_ns=5,
        trade_id=409018748,
        price=0.064362,
        volume=0.0158,
        is_buyer_maker=False,
    )
    assert item == Item(409018748, 409018748, value)


def test_a_rest_aggregate() -> None:
    """Its order is by ``a``; the newest trade in it is ``l``."""
    item = to_agg_trade("B", "BTCUSDT", decode(payloads.AggTradeBody, AGG_TRADE), Source.BACKFILL, 5)
    value = AggTradeData(
        symbol="BTCUSDT",
        exchange=Exchange.BINANCE,
        adapter_name="B",
        source=Source.BACKFILL,
        venue_time_ns=1588749117459_000_000,
        received_ns=5,
        agg_id=284861205,
        first_trade_id=310207484,
        last_trade_id=310207486,
        price=9039.74,
        volume=0.177001,
        is_buyer_maker=True,
    )
    assert item == Item(284861205, 310207486, value)


def test_a_polled_quote_has_no_update_id() -> None:
    """From the ticker and from bookTicker alike, with the instant it was asked."""
    expected = Quote(0, 0.041033, 43.778, 0.041035, 1.896, 9, 7)
    assert to_quote(decode(payloads.TickerBody, TICKER), 7, 9) == expected
    assert to_quote(decode(payloads.BookTickerBody, TICKER), 7, 9) == expected


def test_a_symbol_without_quotes_has_zeros() -> None:
    """As the venue sends them for a symbol that does not trade."""
    empty = {"symbol": "X", "bidPrice": "0.00000000", "bidQty": "0.00000000", "askPrice": "0.00000000", "askQty": "0.00000000"}
    assert to_quote(decode(payloads.BookTickerBody, empty), 7, 9).levels == (0.0, 0.0, 0.0, 0.0)


def test_polled_figures() -> None:
    """In the order of a tick's fields, under (lastId, closeTime)."""
    stats = to_stats(decode(payloads.TickerBody, TICKER), 9)
    assert stats == Stats(221725714, 1611715404283, FIGURES, 9)
    assert stats.key == (221725714, 1611715404283)


def test_a_symbol_never_traded_has_last_id_minus_one() -> None:
    """The venue's own word for none."""
    assert to_stats(decode(payloads.TickerBody, {**TICKER, "lastId": -1}), 9).last_id == -1


@pytest.mark.parametrize(
    ("bids", "asks", "levels"),
    [
        ([["10", "1"], ["9", "2"]], [["11", "3"]], (10.0, 1.0, 11.0, 3.0)),
        ([], [["11", "3"]], (0.0, 0.0, 11.0, 3.0)),
        ([["10", "1"]], [], (10.0, 1.0, 0.0, 0.0)),
        ([], [], (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_an_anchor_is_the_best_of_a_depth_answer(
    bids: list[list[str]], asks: list[list[str]], levels: tuple[float, float, float, float]
) -> None:
    """An empty side is 0.0."""
    anchor = to_anchor(decode(payloads.DepthBody, {"lastUpdateId": 42, "bids": bids, "asks": asks}), 7, 9)
    assert (anchor.update_id, anchor.levels, anchor.asked_ns, anchor.received_ns) == (42, levels, 7, 9)


def test_a_contract_carries_the_venues_rules() -> None:
    """Steps as numbers and in the venue's own text."""
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001000"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "1", "stepSize": "1"},
        {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True},
    ]
    body = {"symbol": "BTCUSDT", "status": "BREAK", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters}
    contract = to_contract("B", decode(payloads.SymbolBody, body))
    assert (contract.vt_symbol, contract.name, contract.product) == ("BTCUSDT.BINANCE", "BTC/USDT", Product.SPOT)
    assert (contract.price_tick, contract.price_tick_text) == (0.01, "0.01000000")
    assert (contract.volume_step, contract.volume_step_text) == (0.00001, "0.00001000")
    assert (contract.min_volume, contract.max_volume, contract.min_notional) == (0.00001, 9000.0, 5.0)
    assert not contract.is_trading


def test_the_older_filter_of_notional_is_read_too() -> None:
    """MIN_NOTIONAL, where NOTIONAL is missing."""
    body = {
        "symbol": "X",
        "status": "TRADING",
        "baseAsset": "X",
        "quoteAsset": "Y",
        "filters": [{"filterType": "MIN_NOTIONAL", "minNotional": "10"}],
    }
    assert to_contract("B", decode(payloads.SymbolBody, body)).min_notional == 10.0


@pytest.mark.parametrize("step", ["abc", "", "NaN", "Infinity", "-1"])
def test_a_rule_that_is_no_amount_is_refused(step: str) -> None:
    """Better no contract than one with a wrong step."""
    body = {
        "symbol": "X",
        "status": "TRADING",
        "baseAsset": "X",
        "quoteAsset": "Y",
        "filters": [{"filterType": "LOT_SIZE", "stepSize": step}],
    }
    with pytest.raises(ValueError, match=r"finite amount|could not convert"):
        to_contract("B", decode(payloads.SymbolBody, body))


@pytest.mark.parametrize(
    ("limits", "weight"),
    [
        ([], 6000),
        ([("ORDERS", "SECOND", 10, 100)], 6000),
        ([("REQUEST_WEIGHT", "HOUR", 1, 100)], 6000),
        ([("REQUEST_WEIGHT", "MINUTE", 5, 100)], 6000),
        ([("ORDERS", "MINUTE", 1, 5), ("REQUEST_WEIGHT", "MINUTE", 1, 1200)], 1200),
    ],
)
def test_the_weight_limit_is_the_venues(limits: list[tuple[str, str, int, int]], weight: int) -> None:
    """Per minute; the documented one where it is not said."""
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    rows = [dict(zip(names, row, strict=True)) for row in limits]
    assert decode(payloads.ExchangeInfoBody, {"symbols": [], "rateLimits": rows}).weight_limit == weight


# REST, answers recorded


@needs_bodies
def test_recorded_trades() -> None:
    """Ids ascend by one."""
    trades = recorded("trades", list[payloads.TradeBody])
    items = [to_public_trade("B", "ETHBTC", trade, Source.POLL, 1) for trade in trades]
    assert [item.id for item in items] == list(range(409018748, 409018748 + len(items)))
    assert isinstance(items[0].value, PublicTradeData)
    assert (items[0].value.price, items[0].value.volume, items[0].value.is_buyer_maker) == (0.064362, 0.0158, False)


@needs_bodies
def test_recorded_aggregates() -> None:
    """As they stand in the file."""
    rows = recorded("aggTrades", list[payloads.AggTradeBody])
    assert to_agg_trade("B", "BTCUSDT", rows[0], Source.POLL, 1).last_trade_id == 310207484


@needs_bodies
def test_recorded_ticker() -> None:
    """Quote and figures of one answer."""
    body = recorded("ticker_24hr", payloads.TickerBody)
    assert to_quote(body, 1, 2).levels == (0.041033, 43.778, 0.041034, 1.896)
    assert to_stats(body, 2).key == (221725714, 1611715404283)


@needs_bodies
def test_recorded_book_ticker() -> None:
    """The quote."""
    assert to_quote(recorded("ticker_bookTicker", payloads.BookTickerBody), 1, 2).levels == (6621.55, 0.163567, 6622.1, 0.18635)


@needs_bodies
def test_recorded_depth() -> None:
    """The best level of each side."""
    body = recorded("depth", payloads.DepthBody)
    anchor = to_anchor(body, 1, 2)
    assert (anchor.bid, anchor.ask) == (max(price for price, _ in body.bids), min(price for price, _ in body.asks))
    assert anchor.ask == 32085.66


@needs_bodies
def test_recorded_exchange_info() -> None:
    """Every symbol becomes a contract with steps and a smallest order."""
    info = recorded("exchangeInfo", payloads.ExchangeInfoBody)
    contracts = [to_contract("B", body) for body in info.symbols]
    assert len(contracts) == 25
    assert info.weight_limit == 6000
    assert all(contract.price_tick > 0 and contract.volume_step > 0 and contract.min_notional > 0 for contract in contracts)


# the same fact by REST and by stream


def streamed(channel: str, kind: str, data: dict[str, object]) -> Any:
    """What a frame becomes on its way through the stream's decoder."""
    door = RecordingDoor()
    feed = BinanceStreams(("ws://127.0.0.1",), RecordingOutlets("B"), lambda symbol: lambda *given: None)
    handle = feed.handler(LaneKey("ETHBTC", channel), f"ethbtc@{kind}", door)
    handle(json.dumps({"stream": f"ethbtc@{kind}", "data": data}).encode(), 9)
    assert len(door.given) == 1
    return door.given[0]


def but_for_its_way(item: Item) -> object:
    """Without source and time of arrival."""
    assert isinstance(item.value, PublicTradeData | AggTradeData)
    return item._replace(value=msgspec.structs.replace(item.value, source=Source.POLL, received_ns=0))


PRICES = st.integers(1, 10**12).map(lambda number: f"{number // 10**4}.{number % 10**4:04}")


@given(st.integers(0, 2**62), PRICES, PRICES, st.integers(0, 2**50), st.booleans())
def test_a_trade_is_the_same_by_stream(trade_id: int, price: str, quantity: str, time: int, is_maker: bool) -> None:
    """Equal but for source and time of arrival."""
    by_stream = streamed(
        "trades", "trade", {"e": "trade", "s": "ETHBTC", "t": trade_id, "p": price, "q": quantity, "T": time, "m": is_maker}
    )
    body = {"id": trade_id, "price": price, "qty": quantity, "time": time, "isBuyerMaker": is_maker}
    by_rest = to_public_trade("B", "ETHBTC", decode(payloads.TradeBody, body), Source.POLL, 1)
    assert but_for_its_way(by_stream) == but_for_its_way(by_rest)


@given(st.integers(0, 2**62), PRICES, PRICES, st.integers(0, 2**50), st.booleans(), st.integers(0, 2**60))
def test_an_aggregate_is_the_same_by_stream(
    agg_id: int, price: str, quantity: str, time: int, is_maker: bool, first: int
) -> None:
    """Equal but for source and time of arrival."""
    row = {"a": agg_id, "p": price, "q": quantity, "f": first, "l": first + 3, "T": time, "m": is_maker}
    by_stream = streamed("agg_trades", "aggTrade", {"e": "aggTrade", "s": "ETHBTC", **row})
    by_rest = to_agg_trade("B", "ETHBTC", decode(payloads.AggTradeBody, row), Source.POLL, 1)
    assert but_for_its_way(by_stream) == but_for_its_way(by_rest)


def test_figures_are_the_same_by_stream() -> None:
    """The 24hrTicker frame's letters and the answer's names mean the same."""
    frame = {
        "e": "24hrTicker",
        "s": "ETHBTC",
        "c": TICKER["lastPrice"],
        "Q": TICKER["lastQty"],
        "v": TICKER["volume"],
        "q": TICKER["quoteVolume"],
        "o": TICKER["openPrice"],
        "h": TICKER["highPrice"],
        "l": TICKER["lowPrice"],
        "x": TICKER["prevClosePrice"],
        "C": TICKER["closeTime"],
        "L": TICKER["lastId"],
        "b": "1",
        "B": "2",
        "a": "3",
        "A": "4",
    }
    assert streamed("tick", "ticker", frame) == to_stats(decode(payloads.TickerBody, TICKER), 9)


def test_a_quote_is_the_same_by_stream() -> None:
    """Its levels; the stream alone knows the update id."""
    frame = {
        "u": 42,
        "s": "ETHBTC",
        "b": TICKER["bidPrice"],
        "B": TICKER["bidQty"],
        "a": TICKER["askPrice"],
        "A": TICKER["askQty"],
    }
    quote = streamed("tick", "bookTicker", frame)
    assert quote == Quote(42, *to_quote(decode(payloads.TickerBody, TICKER), 1, 2).levels, 9)


# what does not fit

AMOUNTS: list[object] = [
    "NaN",
    "nan",
    "Infinity",
    "inf",
    "-inf",
    "-0.01",
    "1e15",
    "1e400",
    "abc",
    "",
    " 1",
    "0x10",
    None,
    True,
    [],
    {},
    -1,
    1e15,
]


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (payloads.TradeBody, TRADE, "price"),
        (payloads.TradeBody, TRADE, "qty"),
        (payloads.AggTradeBody, AGG_TRADE, "p"),
        (payloads.TickerBody, TICKER, "bidPrice"),
        (payloads.TickerBody, TICKER, "quoteVolume"),
        (payloads.BookTickerBody, TICKER, "askQty"),
    ],
)
def test_what_is_no_amount_is_refused(kind: Any, body: dict[str, object], field: str, amount: object) -> None:
    """NaN, infinite, negative, 1e15 and more, no number at all."""
    with pytest.raises(msgspec.ValidationError):
        decode(kind, {**body, field: amount})


@pytest.mark.parametrize("amount", ["NaN", "-1", "1e15", None])
def test_a_level_that_is_no_amount_is_refused(amount: object) -> None:
    """In a depth answer too, on either place."""
    for level in ([amount, "1"], ["1", amount]):
        with pytest.raises(msgspec.ValidationError):
            decode(payloads.DepthBody, {"lastUpdateId": 1, "bids": [level], "asks": []})


@pytest.mark.parametrize("number", [-1, 1.5, 2**63, None, "x", True])
@pytest.mark.parametrize("field", ["id", "time"])
def test_what_is_no_id_or_time_is_refused(field: str, number: object) -> None:
    """Ids are whole and 0 at least; so are milliseconds."""
    with pytest.raises(msgspec.ValidationError):
        decode(payloads.TradeBody, {**TRADE, field: number})


@pytest.mark.parametrize("field", TRADE)
def test_a_missing_field_is_refused(field: str) -> None:
    """Nothing is made up."""
    with pytest.raises(msgspec.ValidationError, match=field):
        decode(payloads.TradeBody, {name: value for name, value in TRADE.items() if name != field})


@pytest.mark.parametrize("body", [[], None, "x", 1, [[]]])
def test_another_shape_is_refused(body: object) -> None:
    """An object is an object."""
    for kind in (payloads.TradeBody, payloads.DepthBody, payloads.ExchangeInfoBody):
        with pytest.raises(msgspec.ValidationError):
            decode(kind, body)


@pytest.mark.parametrize(
    ("kind", "body"), [(payloads.TradeBody, TRADE), (payloads.AggTradeBody, AGG_TRADE), (payloads.TickerBody, TICKER)]
)
def test_what_the_venue_adds_is_ignored(kind: Any, body: dict[str, object]) -> None:
    """A new key must not stop anything."""
    assert decode(kind, {"isBestMatch": True, "new": {"deep": [1, {"x": None}]}, **body}) == decode(kind, body)
