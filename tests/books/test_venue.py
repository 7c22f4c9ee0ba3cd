"""What the long proofs stand on: the exchange in this process says by REST what it says by streams."""

from typing import Any

import msgspec

from tests.books.venue import START_US, Stream, Venue, listing_of

MINUTE_US = 60_000_000


def test_candles_of_a_quiet_symbol_go_on_flat() -> None:
    """Minutes after the last trade are there by REST, flat at its price."""
    venue = Venue([listing_of("NULSUSDT")], 3, START_US)
    before = _candles(venue, "1m")
    venue.market.instruments["NULSUSDT"].is_halted = True
    venue.play(START_US + 20 * MINUTE_US)
    after = _candles(venue, "1m", before[-1][0])
    assert [row[0] for row in after] == [before[-1][0] + 60_000 * number for number in range(len(after))]
    assert after[-1][0] == venue.now_us // MINUTE_US * 60_000
    assert all(row[1:6] == [before[-1][4]] * 4 + ["0.00000000"] for row in after[1:])
    assert _candles(venue, "1h")[-1][4] == before[-1][4]


def test_candles_from_a_time_on_are_those_of_all() -> None:
    """Where a page begins changes nothing in it."""
    venue = Venue([listing_of("IOTAUSDT")], 3, START_US)
    for interval in ("1m", "15m", "1h", "1d"):
        rows = _candles(venue, interval)
        assert _candles(venue, interval, rows[len(rows) // 2][0]) == rows[len(rows) // 2 :]


def test_a_stream_of_candles_begins_with_its_first_reader() -> None:
    """Who comes back after minutes is not told of a second that closed long ago."""
    venue, reader = Venue([listing_of("SOLUSDT")], 3, START_US, has_past=False), Stream()
    venue.play(START_US + MINUTE_US)
    for minute in (2, 4):
        venue.fanout.join(reader, "solusdt@kline_1s")
        venue.play(START_US + minute * MINUTE_US)
        venue.fanout.leave(reader, "solusdt@kline_1s")
        venue.play(START_US + (minute + 1) * MINUTE_US)
    opened = [msgspec.json.decode(payload)["data"]["k"]["t"] // 1_000 - START_US // 1_000_000 for payload in reader.take()]
    assert opened == [*range(61, 120), *range(181, 240)]


def _candles(venue: Venue, interval: str, start_ms: int = 0) -> list[list[Any]]:
    symbol = next(iter(venue.market.instruments))
    params: dict[str, str | int] = {"symbol": symbol, "interval": interval, "limit": 1_000}
    if start_ms:
        params["startTime"] = start_ms
    rows: list[list[Any]] = msgspec.json.decode(venue.answer("klines", params))
    return rows
