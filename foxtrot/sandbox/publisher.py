"""Turns what happened in an instrument into the events of its streams."""

from collections.abc import Mapping
from functools import partial

from foxtrot.sandbox import payloads
from foxtrot.sandbox.candles import Candle, next_open, open_of
from foxtrot.sandbox.fanout import Fanout, Topic
from foxtrot.sandbox.figures import WINDOW_SPANS_MS, Figures, day_figures, five_minute_average, window_figures
from foxtrot.sandbox.instrument import Instrument, Top
from foxtrot.sandbox.stream_names import Kind, StreamName

MS_US = 1_000
SECOND_US = 1_000_000


class Publisher:
    """Speaks for every instrument. ``recorded`` names streams that a recording plays itself: they are not made anew."""

    def __init__(self, fanout: Fanout, instruments: Mapping[str, Instrument], recorded: frozenset[str] = frozenset()) -> None:
        self._fanout = fanout
        self._instruments = instruments
        self._recorded = recorded
        self._tops: dict[str, Top] = {}
        self._sent: dict[str, object] = {}
        self._candles: dict[str, tuple[int, int]] = {}

    def trade(self, instrument: Instrument, trade_id: int) -> None:
        """A trade happened."""
        name = instrument.stream_prefix + "@trade"
        if self._wanted(name):
            self._fanout.publish(name, partial(payloads.trade, instrument.symbol, instrument.tape.trade(trade_id)))

    def agg_trade(self, instrument: Instrument, agg_id: int) -> None:
        """An aggregate is complete."""
        name = instrument.stream_prefix + "@aggTrade"
        if self._wanted(name):
            self._fanout.publish(name, partial(payloads.agg_trade, instrument.symbol, instrument.tape.agg(agg_id)))

    def top(self, instrument: Instrument) -> None:
        """The book may have a new top: said if so."""
        top = instrument.top()
        if self._tops.get(instrument.symbol) == top:
            return
        self._tops[instrument.symbol] = top
        name = instrument.stream_prefix + "@bookTicker"
        if self._wanted(name):
            payload = payloads.book_ticker(instrument.symbol, instrument.update_id, top)
            self._fanout.publish(name, partial(_ready, payload))

    def beat(self, now_us: int) -> None:
        """Every 100 ms: depth; every second: what is sent once a second."""
        is_second = now_us % SECOND_US == 0
        self._diffs(now_us, is_fast=True)
        self._partials(is_fast=True)
        if not is_second:
            return
        self._diffs(now_us, is_fast=False)
        self._partials(is_fast=False)
        self._tickers(now_us)
        self._windows(now_us)
        for topic in self._fanout.topics(Kind.AVG_PRICE):
            self._average(topic, now_us)
        for topic in self._fanout.topics(Kind.KLINE):
            self._kline(topic, now_us)

    def _wanted(self, name: str) -> bool:
        return name not in self._recorded and self._fanout.has(name)

    def _instrument_of(self, topic: Topic) -> Instrument | None:
        return None if topic.name in self._recorded else self._instruments.get(topic.symbol)

    def _is_news(self, name: str, state: object) -> bool:
        if self._sent.get(name) == state:
            return False
        self._sent[name] = state
        return True

    def _diffs(self, now_us: int, *, is_fast: bool) -> None:
        suffixes = ("@depth@100ms",) if is_fast else ("@depth", "@depth@1000ms")
        for instrument in self._instruments.values():
            collector = instrument.fast_diff if is_fast else instrument.slow_diff
            wanted = [name for suffix in suffixes if self._wanted(name := instrument.stream_prefix + suffix)]
            if not wanted:
                collector.restart(instrument.book.update_id)
                continue
            instrument.catch_up()
            diff = instrument.book.take(collector)
            if diff:
                for name in wanted:
                    self._fanout.publish(name, partial(payloads.diff_depth, instrument.symbol, diff, now_us))

    def _partials(self, *, is_fast: bool) -> None:
        for topic in self._fanout.topics(Kind.PARTIAL_DEPTH):
            instrument = self._instrument_of(topic)
            if not instrument or not topic.stream or topic.stream.is_fast != is_fast:
                continue
            if self._is_news(topic.name, instrument.update_id):
                payload = payloads.partial_depth(instrument, topic.stream.levels)
                self._fanout.publish(topic.name, partial(_ready, payload))

    def _tickers(self, now_us: int) -> None:
        for topic in self._fanout.topics(Kind.TICKER):
            if instrument := self._instrument_of(topic):
                figures, top = self._day(instrument, now_us), instrument.top()
                if self._is_news(topic.name, (figures.first_id, figures.last_id, top)):
                    self._fanout.publish(topic.name, partial(payloads.ticker, instrument.symbol, figures, top, now_us))
        for topic in self._fanout.topics(Kind.MINI_TICKER):
            if instrument := self._instrument_of(topic):
                figures = self._day(instrument, now_us)
                if self._is_news(topic.name, (figures.first_id, figures.last_id)):
                    self._fanout.publish(topic.name, partial(payloads.mini_ticker, instrument.symbol, figures, now_us))
        for topic in self._fanout.topics(Kind.ALL_MINI_TICKERS):
            changed = [
                (each, figures)
                for each in self._instruments.values()
                for figures in (self._day(each, now_us),)
                if self._is_news("!" + each.symbol, (figures.first_id, figures.last_id))
            ]
            self._array(topic, [partial(payloads.mini_ticker, each.symbol, figures, now_us) for each, figures in changed])

    def _windows(self, now_us: int) -> None:
        for topic in self._fanout.topics(Kind.WINDOW_TICKER):
            instrument = self._instrument_of(topic)
            if instrument and topic.stream:
                window = topic.stream.interval
                figures = window_figures(instrument.tape, WINDOW_SPANS_MS[window], now_us)
                if self._is_news(topic.name, (figures.first_id, figures.last_id)):
                    self._fanout.publish(topic.name, partial(payloads.window_ticker, instrument.symbol, window, figures, now_us))
        for topic in self._fanout.topics(Kind.ALL_WINDOW_TICKERS):
            window = topic.stream.interval if topic.stream else ""
            changed = [
                (each, figures)
                for each in self._instruments.values()
                for figures in (window_figures(each.tape, WINDOW_SPANS_MS[window], now_us),)
                if self._is_news(topic.name + each.symbol, (figures.first_id, figures.last_id))
            ]
            self._array(
                topic, [partial(payloads.window_ticker, each.symbol, window, figures, now_us) for each, figures in changed]
            )

    def _array(self, topic: Topic, parts: list[partial[bytes]]) -> None:
        if parts:
            self._fanout.publish(topic.name, lambda per_unit: b"[" + b",".join(part(per_unit) for part in parts) + b"]")

    def _day(self, instrument: Instrument, now_us: int) -> Figures:
        return day_figures(instrument.tape, instrument.tape.day, now_us)

    def _average(self, topic: Topic, now_us: int) -> None:
        if instrument := self._instrument_of(topic):
            price, last_us = five_minute_average(instrument.tape, now_us)
            self._fanout.publish(topic.name, partial(payloads.average_price, instrument.symbol, price, last_us, now_us))

    def _kline(self, topic: Topic, now_us: int) -> None:
        """Every second for ``1s``, every other for the rest; a candle that ended is sent once more, closed."""
        instrument, stream = self._instrument_of(topic), topic.stream
        if not instrument or not stream or not instrument.tape.candles.minutes:
            return
        current = open_of(now_us // MS_US, stream.interval, stream.offset_ms)
        shown, told_us = self._candles.get(topic.name, (current, now_us))
        self._candles[topic.name] = current, now_us
        if shown != current and now_us - told_us == SECOND_US:  # else nobody read it in between, and nobody missed its end
            candle = candle_at(instrument, stream, shown)
            self._send_kline(topic, instrument, candle, now_us, is_closed=True)
        if stream.interval != "1s" and now_us % (2 * SECOND_US):
            return
        if stream.interval != "1s":
            self._send_kline(topic, instrument, candle_at(instrument, stream, current), now_us, is_closed=False)

    def _send_kline(self, topic: Topic, instrument: Instrument, candle: Candle, now_us: int, *, is_closed: bool) -> None:
        interval = topic.stream.interval if topic.stream else ""
        build = partial(payloads.kline, instrument.symbol, interval, candle, now_us, is_closed=is_closed)
        self._fanout.publish(topic.name, build)


def _ready(payload: bytes, _per_unit: int) -> bytes:
    """A payload that carries no time."""
    return payload


def candle_at(instrument: Instrument, stream: StreamName, open_ms: int) -> Candle:
    """The candle that opens at ``open_ms``; flat at the last price when nothing was traded in it. Something was traded before."""
    close_ms = next_open(open_ms, stream.interval, stream.offset_ms) - 1
    tape = instrument.tape
    if stream.interval != "1s":
        return tape.candles.total(open_ms, close_ms)
    made = Candle(open_ms, close_ms, _price_before(instrument, open_ms))
    for trade_id in range(tape.id_at(open_ms * MS_US), tape.id_at((close_ms + 1) * MS_US)):
        item = tape.trade(trade_id)
        made.add_trade(item.trade_id, item.price, item.size, is_buyer_maker=item.is_buyer_maker)
    return made


def _price_before(instrument: Instrument, time_ms: int) -> int:
    tape = instrument.tape
    before = tape.id_at(time_ms * MS_US) - 1
    if before >= tape.first_id:
        return tape.trade(before).price
    last = tape.last()
    return last.price if last else 0
