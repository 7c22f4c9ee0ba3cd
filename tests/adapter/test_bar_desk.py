"""Bars of our own: who is told what of them, and when time closes them."""

from foxtrot.adapter.binance.bar_desk import SETTLED_NS, BarDesk
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Exchange, LaneState, Reason, Serving, Source
from foxtrot.util.object import AggTradeData, BarData
from tests.support.heard import Heard

BARS = LaneKey("BTCUSDT", "bars:10s")
SETTLED_S = SETTLED_NS / NS_PER_S


def trade(
    agg_id: int, at_s: float, symbol: str = "BTCUSDT", *, late_s: float = 0.0, source: Source = Source.STREAM
) -> AggTradeData:
    who = (symbol, Exchange.BINANCE, "BINANCE", source)
    times = (int(at_s * NS_PER_S), int((at_s + late_s) * NS_PER_S))
    return AggTradeData(*who, *times, agg_id, agg_id, agg_id, 1.0, 1.0, is_buyer_maker=False)


def status(confirmed_s: float, *, is_whole: bool = True) -> LaneStatus:
    key, confirmed_ns = LaneKey("BTCUSDT", "agg_trades"), int(confirmed_s * NS_PER_S)
    return LaneStatus(
        key, LaneState.STREAMING, Serving.STREAM, Reason.PROOF, 0, 0, 0, 0, 0, confirmed_ns=confirmed_ns, is_whole=is_whole
    )


class Desk:
    """A desk that builds bars of ten seconds, and what it told."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.desk = BarDesk(self.heard)
        self.desk.open(BARS)

    def passed(self, confirmed_s: float, *, is_whole: bool = True, offset_s: float = 0.0) -> list[int]:
        """The lane has been confirmed then, and it is a second later: open times of the bars that have closed, in seconds."""
        now_ns, offset_ns = int((confirmed_s + 1) * NS_PER_S), int(offset_s * NS_PER_S)
        self.desk.passed("BTCUSDT", status(confirmed_s, is_whole=is_whole), now_ns, offset_ns)
        bars = [event for event in self.heard.events if isinstance(event, BarData)]
        return [bar.venue_time_ns // NS_PER_S for bar in bars if bar.is_closed]


def test_a_bar_closes_when_its_lane_was_confirmed_some_seconds_after_its_end() -> None:
    """Younger trades may still be on their way."""
    made = Desk()
    made.desk.take(trade(1, 103))
    made.desk.take(trade(2, 112))
    assert made.passed(119.9 + SETTLED_S) == []
    assert made.passed(120.0 + SETTLED_S) == [110]


def test_the_venues_clock_counts() -> None:
    """Ours is three seconds behind."""
    made = Desk()
    made.desk.take(trade(1, 103, late_s=-3.0))
    made.desk.take(trade(2, 112, late_s=-3.0))
    assert made.passed(116.9 + SETTLED_S, offset_s=3.0) == []
    assert made.passed(117.0 + SETTLED_S, offset_s=3.0) == [110]


def test_a_bar_waits_as_long_as_the_stream_is_late() -> None:
    """The frame that confirmed the lane was three seconds under way: so may be a trade of before the end."""
    made = Desk()
    made.desk.take(trade(1, 103))
    made.desk.take(trade(2, 119.7, late_s=3.0))
    assert made.passed(120.0 + SETTLED_S) == []
    made.desk.take(trade(3, 119.9, late_s=3.0))
    assert made.passed(122.9 + SETTLED_S) == []
    assert made.passed(123.0 + SETTLED_S) == [110]
    assert [bar.trade_count for bar in made.heard.events if isinstance(bar, BarData) and bar.is_closed] == [2]


def test_a_trade_of_an_outage_says_nothing_of_how_late_the_next_will_be() -> None:
    """Polling has fetched it long after it was made."""
    made = Desk()
    made.desk.take(trade(1, 103, late_s=5.0))
    made.desk.take(trade(2, 112, late_s=30.0, source=Source.BACKFILL))
    assert made.passed(124.9 + SETTLED_S) == []
    made.desk.take(trade(3, 113, late_s=30.0, source=Source.POLL))
    assert made.passed(120.0 + SETTLED_S) == [110]


def test_a_lane_that_has_something_to_fetch_closes_nothing() -> None:
    """What it was confirmed by is that it is alive, not that it is whole."""
    made = Desk()
    made.desk.take(trade(1, 103))
    made.desk.take(trade(2, 112))
    assert made.passed(150.0, is_whole=False) == []


def test_trades_of_other_symbols_are_none_of_its_business() -> None:
    """Nor are those of a symbol whose bars nobody wants any more."""
    made = Desk()
    made.desk.take(trade(1, 103, "ETHUSDT"))
    made.desk.lost("ETHUSDT", 1, 2)
    made.desk.begin_anew("ETHUSDT")
    made.desk.close(LaneKey("ETHUSDT", "bars:10s"))
    assert made.desk.symbols == ["BTCUSDT"]
    made.desk.close(BARS)
    made.desk.take(trade(2, 104))
    assert (made.desk.symbols, made.heard.events) == ([], [])


def test_what_was_told_is_counted() -> None:
    """Open bars and closed ones; nothing of one that is not open."""
    made = Desk()
    for agg_id, at_s in ((1, 103), (2, 112), (3, 113), (4, 121)):
        made.desk.take(trade(agg_id, at_s))
    assert made.desk.delivered(BARS) == len(made.heard.events) == 4
    assert made.desk.delivered(LaneKey("BTCUSDT", "bars:20s")) == 0
