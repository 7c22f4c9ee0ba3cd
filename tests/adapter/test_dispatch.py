"""Each value goes to its callback, and to what is made of it."""

from foxtrot.adapter.binance.bar_desk import BarDesk
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.dispatch import Dispatch, of_backfill
from foxtrot.transport.base import Draft, Item, LaneKey, Quote, Stats
from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import AggTradeData, BarData, OrderBookData, PublicTradeData, TickData
from tests.support.heard import Heard

WHO = ("BTCUSDT", Exchange.BINANCE, "BINANCE", Source.POLL, 0, 1)
TRADE = PublicTradeData(*WHO, 5, 1.0, 1.0, is_buyer_maker=False)
AGG = AggTradeData(*WHO, 5, 5, 5, 1.0, 1.0, is_buyer_maker=False)
BOOK = OrderBookData(*WHO, ((9.0, 1.0), (8.0, 2.0)), ((10.0, 1.0),), 7, is_valid=True)
BAR = BarData(*WHO, "1m", 1.0, 1.0, 1.0, 1.0, 1.0)
QUOTE = Quote(0, 9.0, 1.0, 10.0, 1.0, received_ns=50)
STATS = Stats(7, 1_700, (1.0,) * 8, received_ns=60)


class Scene:
    """A dispatch, and what it told."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.bars = BarDesk(self.heard)
        self.dispatch = Dispatch(self.heard, ContractManager("BINANCE", lambda _: None), self.bars)

    def take(self, *values: Item | Draft | Quote | Stats) -> list[object]:
        """Delivers; returns all that was told."""
        for value in values:
            self.dispatch.take("BTCUSDT", value, Source.POLL)
        return self.heard.events


def test_each_kind_has_its_callback() -> None:
    """Items and drafts by what is in them; what is none of ours goes nowhere."""
    values: list[Item | Draft] = [
        Item(5, 5, TRADE),
        Item(5, 5, AGG),
        Item(7, -1, BOOK),
        Item(3, 5, BAR),
        Draft(4, 1, 5, BAR),
        Item(1, 1, "strange"),
    ]
    assert Scene().take(*values) == [TRADE, AGG, BOOK, BAR, BAR]


def test_a_tick_is_made_of_its_halves_and_the_book() -> None:
    """In any order; the book that was there before the tick counts."""
    first, second = Scene(), Scene()
    events = first.take(Item(7, -1, BOOK), QUOTE, STATS)[1:] + second.take(QUOTE, Item(7, -1, BOOK), STATS)[1:]
    for tick in events:
        assert isinstance(tick, TickData)
        assert (tick.bid_price_1, tick.bid_price_2, tick.bid_volume_2, tick.ask_price_2) == (9.0, 8.0, 2.0, 0.0)


def test_streamed_quotes_take_the_short_way() -> None:
    """With the book behind them."""
    scene = Scene()
    scene.take(STATS, Item(7, -1, BOOK))
    scene.dispatch.quote_sink("BTCUSDT")(8, (9.0, 2.0, 10.0, 1.0), 70)
    tick = scene.heard.events[-1]
    assert isinstance(tick, TickData)
    assert (tick.source, tick.update_id, tick.bid_volume_1, tick.bid_price_2) == (Source.STREAM, 8, 2.0, 8.0)


def test_a_book_that_has_ended_fills_no_tick() -> None:
    """Whether or not there is a tick to tell."""
    scene = Scene()
    scene.dispatch.end_book("BTCUSDT")
    scene.take(Item(7, -1, BOOK), QUOTE)
    scene.dispatch.end_book("BTCUSDT")
    tick = scene.take(STATS)[-1]
    assert isinstance(tick, TickData)
    assert tick.bid_price_2 == 0.0


def test_hidden_trades_are_built_of_and_not_told() -> None:
    """Bars take them all the same."""
    scene = Scene()
    scene.bars.open(LaneKey("BTCUSDT", "bars:10s"))
    scene.dispatch.hidden.add("BTCUSDT")
    later = AggTradeData(
        "BTCUSDT", Exchange.BINANCE, "BINANCE", Source.POLL, 12_000_000_000, 1, 6, 6, 6, 1.0, 1.0, is_buyer_maker=False
    )
    events = scene.take(Item(5, 5, AGG), Item(6, 6, later))
    assert [type(event) for event in events] == [BarData]


def test_a_backfill_holds_values_of_ids() -> None:
    """Trades and bars; a book has none."""
    assert of_backfill([TRADE, AGG, BOOK, BAR, None]) == (TRADE, AGG, BAR)
