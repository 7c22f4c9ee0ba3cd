"""Joins adapters, events and the last known state of everything behind one face."""

import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, TypeVar

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.server.oms import OmsEngine
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Exchange
from foxtrot.util.errors import Closed, ConfigError, unknown
from foxtrot.util.event_type import EVENT_LOG
from foxtrot.util.object import (
    BarData,
    CancelRequest,
    ContractData,
    HealthData,
    HistoryRequest,
    LogData,
    OrderBookData,
    OrderRequest,
    SubscribeRequest,
    TickData,
)
from foxtrot.util.symbol import to_venue_symbol

_log = logging.getLogger(__name__)

_A = TypeVar("_A", bound=BaseAdapter)

_ADAPTERS_SHARE: Final = 0.7  # of the time to close; what is left beside the events is reserve
_EVENTS_SHARE: Final = 0.2


class MainEngine:
    """The platform's one face: add adapters, connect, subscribe, trade, close. Safe from any thread.

    Methods that name an adapter raise ConfigError, with the nearest right name, for one that was not added; after :meth:`close`
    they raise Closed. ``oms`` answers what was last known, also after the close. ``close_seconds`` is the most that a close
    takes, whatever hangs.
    """

    def __init__(self, event_engine: EventEngine | None = None, *, close_seconds: float = 5.0) -> None:
        self.event_engine: Final = event_engine or EventEngine()
        self.oms: Final = OmsEngine(self.event_engine)
        self._close_seconds: Final = close_seconds
        self._adapters: Final[dict[str, BaseAdapter]] = {}
        self._guard: Final = threading.Lock()
        self._is_closing = False
        self._is_closed: Final = threading.Event()
        self.event_engine.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- adapters

    def add_adapter(self, adapter_class: type[_A], name: str | None = None) -> _A:
        """Makes an adapter. Without a name it has that of its class: BinanceAdapter is ``BINANCE``.

        Raises ConfigError for a name that is taken.
        """
        name = name or adapter_class.__name__.removesuffix("Adapter").upper()
        self._check_new(name)
        adapter = adapter_class(self.event_engine, name)
        with self._guard:
            self._check_new(name)
            self._adapters[name] = adapter
        return adapter

    def _check_new(self, name: str) -> None:
        self._refuse_closed()
        if name in self._adapters:
            raise ConfigError(f"an adapter {name!r} has been added before; give this one another name")

    def get_adapter(self, name: str) -> BaseAdapter:
        """The adapter of that name."""
        adapter = self._adapters.get(name)
        if adapter is None:
            if not self._adapters:
                raise ConfigError(f"unknown adapter {name!r}; none has been added yet: call add_adapter first")
            raise ConfigError(unknown("adapter", name, self.get_all_adapter_names()))
        return adapter

    def get_all_adapter_names(self) -> list[str]:
        """The names, in the order in which they were added."""
        return list(self._adapters.copy())

    def get_all_exchanges(self) -> list[Exchange]:
        """The venues that the adapters serve, each once."""
        return list(dict.fromkeys(exchange for adapter in self._all_adapters() for exchange in adapter.exchanges))

    def get_default_setting(self, adapter_name: str) -> dict[str, object]:
        """Every key that the adapter's connect knows, with its default."""
        return self.get_adapter(adapter_name).get_default_setting()

    def connect(self, setting: Mapping[str, object], adapter_name: str) -> None:
        """Connects an adapter; returns at once, progress arrives as events. Raises ConfigError for a wrong setting."""
        self._open_adapter(adapter_name).connect(setting)

    def _all_adapters(self) -> list[BaseAdapter]:
        return list(self._adapters.copy().values())

    def _open_adapter(self, name: str) -> BaseAdapter:
        self._refuse_closed()
        return self.get_adapter(name)

    def _refuse_closed(self) -> None:
        if self._is_closing:
            raise Closed("this engine has been closed; make a new one")

    # --- requests

    def subscribe(self, req: SubscribeRequest, adapter_name: str) -> None:
        """Asks for channels of a symbol; before the connection stands, it waits for it."""
        self._open_adapter(adapter_name).subscribe(req)

    def unsubscribe(self, req: SubscribeRequest, adapter_name: str) -> None:
        """Ends channels of a symbol."""
        self._open_adapter(adapter_name).unsubscribe(req)

    def send_order(self, req: OrderRequest, adapter_name: str) -> str:
        """Sends an order; its ``vt_orderid``, at once."""
        return self._open_adapter(adapter_name).send_order(req)

    def cancel_order(self, req: CancelRequest, adapter_name: str) -> None:
        """Asks for an order's end."""
        self._open_adapter(adapter_name).cancel_order(req)

    def query_history(self, req: HistoryRequest, adapter_name: str) -> list[BarData]:
        """Waits for the bars of a time, oldest first."""
        return self._open_adapter(adapter_name).query_history(req)

    # --- what is known

    def health(self, symbol: str) -> HealthData | None:
        """How far a symbol's data can be trusted, now; None where nothing is subscribed. Any of the symbol's three forms.

        What was last told counts only where no adapter serves the symbol's venue.
        """
        vt_symbol = self.to_vt_symbol(symbol)
        exchange = vt_symbol.rpartition(".")[2]
        serving = [adapter for adapter in self._all_adapters() if exchange in adapter.exchanges]
        if not serving:
            return self.oms.get_health(vt_symbol)
        known = (adapter.health(vt_symbol) for adapter in serving)
        return next((health for health in known if health is not None), None)

    def get_tick(self, symbol: str) -> TickData | None:
        """The last tick. Any of the symbol's three forms."""
        return self.oms.get_tick(self.to_vt_symbol(symbol))

    def get_book(self, symbol: str) -> OrderBookData | None:
        """The last order book; look at ``is_valid`` before its levels. Any of the symbol's three forms."""
        return self.oms.get_book(self.to_vt_symbol(symbol))

    def get_bar(self, symbol: str, interval: str) -> BarData | None:
        """The last bar of ``1m`` and the like, closed or still open. Any of the symbol's three forms."""
        return self.oms.get_bar(self.to_vt_symbol(symbol), interval)

    def get_contract(self, symbol: str) -> ContractData | None:
        """The instrument's rules. Any of the symbol's three forms."""
        return self.oms.get_contract(self.to_vt_symbol(symbol))

    def to_vt_symbol(self, symbol: str) -> str:
        """``BTC/USDT``, ``BTCUSDT`` and ``BTCUSDT.BINANCE`` become ``BTCUSDT.BINANCE``.

        Raises ValueError for what cannot be a symbol, and where the venue is missing while the adapters serve several or none.
        """
        venue_symbol = to_venue_symbol(symbol)
        exchange = symbol.partition(".")[2]
        if not exchange:
            served = self.get_all_exchanges()
            if len(served) != 1:
                raise ValueError(f"which venue's {venue_symbol}? write {venue_symbol}.{(served or list(Exchange))[0]}")
            exchange = served[0]
        return f"{venue_symbol}.{exchange}"

    def write_log(self, msg: str, level: int = logging.INFO) -> None:
        """Tells a person ``msg``."""
        self.event_engine.put(
            Event(EVENT_LOG, LogData(adapter_name="", msg=msg, level=level, time_ns=self.event_engine.clock.now_ns())),
        )

    # --- the end

    def close(self) -> None:
        """Refuses calls, closes every adapter, handles the events that wait, ends the event thread: 5 s at most.

        Callable from any thread, also from a handler; an adapter or handler that hangs is named in an error log. Again: waits for
        the first close.
        """
        with self._guard:
            is_first, self._is_closing = not self._is_closing, True
        if is_first:
            try:
                self._close_adapters()
            finally:  # a second Ctrl-C may come while adapters close
                self.event_engine.stop(_EVENTS_SHARE * self._close_seconds)
                self._is_closed.set()
        elif not self.event_engine.is_event_thread():  # a handler must return for the first close to end
            self._is_closed.wait(self._close_seconds)

    def _close_adapters(self) -> None:
        clock = self.event_engine.clock
        deadline_ns = clock.monotonic_ns() + int(_ADAPTERS_SHARE * self._close_seconds * NS_PER_S)
        closers = {
            name: threading.Thread(target=_close, args=(adapter,), name=f"foxtrot-close-{name}", daemon=True)
            for name, adapter in self._adapters.copy().items()
        }
        for closer in closers.values():
            closer.start()
        for name, closer in closers.items():
            closer.join(max(deadline_ns - clock.monotonic_ns(), 0) / NS_PER_S)
            if closer.is_alive():
                _log.error("main_engine.adapter_hangs_in_close: %s", name)


def _close(adapter: BaseAdapter) -> None:
    try:
        adapter.close()
    except Exception:  # noqa: BLE001 -- an adapter that fails must not keep the others from closing
        _log.exception("main_engine.adapter_failed_in_close: %s", adapter.adapter_name)
