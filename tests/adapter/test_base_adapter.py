"""What every adapter offers, whatever its venue."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest
from typing_extensions import override

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.util import event_type as types
from foxtrot.util.constants import Direction, Exchange, OrderType
from foxtrot.util.errors import NotSupported
from foxtrot.util.object import CancelRequest, HistoryRequest, LogData, OrderRequest, QuoteRequest, SubscribeRequest


class LocalAdapter(BaseAdapter):
    """The least that an adapter must bring."""

    default_setting: ClassVar[Mapping[str, object]] = {"host": "", "symbols": []}
    exchanges = (Exchange.LOCAL,)

    @override
    def connect(self, setting: Mapping[str, object]) -> None: ...
    @override
    def close(self) -> None: ...
    @override
    def subscribe(self, req: SubscribeRequest) -> None: ...
    @override
    def unsubscribe(self, req: SubscribeRequest) -> None: ...


@pytest.fixture
def engine() -> EventEngine:
    """An engine that has not been started."""
    return EventEngine(timer_seconds=3_600)


CALLBACKS = {
    "on_tick": types.EVENT_TICK,
    "on_public_trade": types.EVENT_PUBLIC_TRADE,
    "on_agg_trade": types.EVENT_AGG_TRADE,
    "on_book": types.EVENT_BOOK,
    "on_bar": types.EVENT_BAR,
    "on_transport": types.EVENT_TRANSPORT,
    "on_gap": types.EVENT_GAP,
    "on_backfill": types.EVENT_BACKFILL,
    "on_health": types.EVENT_HEALTH,
    "on_contract": types.EVENT_CONTRACT,
    "on_order": types.EVENT_ORDER,
    "on_trade": types.EVENT_TRADE,
    "on_quote": types.EVENT_QUOTE,
    "on_position": types.EVENT_POSITION,
    "on_account": types.EVENT_ACCOUNT,
    "on_log": types.EVENT_LOG,
}


@pytest.mark.parametrize(("callback", "event_type"), CALLBACKS.items())
def test_each_callback_makes_one_event_of_its_type(engine: EventEngine, callback: str, event_type: str) -> None:
    """What an adapter tells arrives as it was told, once."""
    got: list[Event] = []
    engine.register(event_type, got.append)
    data = object()
    getattr(LocalAdapter(engine, "LOCAL"), callback)(data)
    engine.start()
    engine.stop()
    assert got == [Event(event_type, data)]


def test_every_callback_is_tested() -> None:
    """The table above names all of them."""
    assert set(CALLBACKS) == {name for name in dir(BaseAdapter) if name.startswith("on_")}


def test_a_written_log_carries_name_level_and_time(engine: EventEngine) -> None:
    """A person sees who said it, and when."""
    got: list[LogData] = []
    engine.register(types.EVENT_LOG, lambda event: got.append(event.data))
    before_ns = engine.clock.now_ns()
    LocalAdapter(engine, "LOCAL").write_log("connected", 30)
    engine.start()
    engine.stop()
    assert (got[0].adapter_name, got[0].msg, got[0].level) == ("LOCAL", "connected", 30)
    assert before_ns <= got[0].time_ns <= engine.clock.now_ns()


ORDER = OrderRequest("X", Exchange.LOCAL, Direction.LONG, OrderType.LIMIT, volume=1.0)
CANCEL = CancelRequest("7", "X", Exchange.LOCAL)
QUOTE = QuoteRequest("X", Exchange.LOCAL, 1.0, 1.0, 2.0, 1.0)
HISTORY = HistoryRequest("X", Exchange.LOCAL, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

UNSUPPORTED: list[Callable[[BaseAdapter], object]] = [
    lambda adapter: adapter.send_order(ORDER),
    lambda adapter: adapter.cancel_order(CANCEL),
    lambda adapter: adapter.send_quote(QUOTE),
    lambda adapter: adapter.cancel_quote(CANCEL),
    lambda adapter: adapter.query_history(HISTORY),
    lambda adapter: adapter.query_account(),
    lambda adapter: adapter.query_position(),
]


@pytest.mark.parametrize("ask", UNSUPPORTED)
def test_what_an_adapter_does_not_bring_is_refused_by_name(engine: EventEngine, ask: Callable[[BaseAdapter], object]) -> None:
    """A market-data adapter says that it cannot trade."""
    with pytest.raises(NotSupported, match="adapter 'LOCAL' cannot"):
        ask(LocalAdapter(engine, "LOCAL"))


def test_an_adapter_without_lanes_knows_no_health(engine: EventEngine) -> None:
    """Nothing is subscribed, so nothing is said."""
    assert LocalAdapter(engine, "LOCAL").health("X.LOCAL") is None


def test_the_default_setting_is_a_copy(engine: EventEngine) -> None:
    """Filling it in changes no other adapter's defaults."""
    adapter = LocalAdapter(engine, "LOCAL")
    setting = adapter.get_default_setting()
    setting["symbols"] = ["X"]
    assert adapter.get_default_setting() == {"host": "", "symbols": []}


def test_an_adapter_that_lacks_a_method_cannot_be_made(engine: EventEngine) -> None:
    """connect, close, subscribe and unsubscribe are every adapter's own."""

    class Half(BaseAdapter):
        @override
        def connect(self, setting: Mapping[str, object]) -> None: ...

    make: Callable[[EventEngine, str], BaseAdapter] = Half
    with pytest.raises(TypeError, match="abstract"):
        make(engine, "HALF")


def test_callbacks_may_come_from_any_thread(engine: EventEngine) -> None:
    """A venue's own threads may tell."""
    got: list[Event] = []
    engine.register(types.EVENT_TICK, got.append)
    adapter = LocalAdapter(engine, "LOCAL")
    tellers = [threading.Thread(target=adapter.on_tick, args=(None,)) for _ in range(8)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join(10)
    engine.start()
    engine.stop()
    assert len(got) == 8
