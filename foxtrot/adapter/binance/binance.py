"""The Binance spot adapter: a thin face over the loop on which everything happens."""

import concurrent.futures
import contextlib
import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from typing_extensions import override

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.adapter.binance.connection import STOP_SANDBOX, BinanceConnection
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.endpoints import DEFAULT_SETTING, Endpoints, parse_setting
from foxtrot.adapter.binance.intervals import parse
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.state_lock import StateLock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.loop_thread import LoopThread
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.transport.breaker_board import BreakerBoard
from foxtrot.transport.flags import Decision
from foxtrot.util.channel import interval_of
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Exchange
from foxtrot.util.errors import Closed, ConfigError, NotSupported
from foxtrot.util.object import HealthData, SubscribeRequest
from foxtrot.util.symbol import to_venue_symbol

CLOSE_SECONDS: Final = 3.0
"""The most that a close takes, whatever hangs; the last ``STOP_SANDBOX`` seconds of it are the embedded exchange's."""

LANES_SHARE: Final = 0.75
"""Of what is left for the loop: lanes and sockets end in it; the tasks that hang have the rest."""

HOLD_LOOK: Final = 0.1
"""Seconds between looks at a hold that was in force at the start."""


class BinanceAdapter(BaseAdapter):
    """Market data of Binance spot: one feed per symbol and channel, streamed where flags.toml says so and the stream is sound.

    Channels: ``tick``, ``trades``, ``agg_trades``, ``book[:depth]``, ``bars:<interval>``. ``breakers`` holds a pybreaker for each
    lane, kept in step, for listeners.
    """

    default_setting: ClassVar[Mapping[str, object]] = DEFAULT_SETTING
    exchanges: ClassVar[tuple[Exchange, ...]] = (EXCHANGE,)

    def __init__(self, event_engine: EventEngine, adapter_name: str) -> None:
        super().__init__(event_engine, adapter_name)
        self._clock = event_engine.clock
        self._contracts = ContractManager(adapter_name, self.on_contract)
        self.breakers: Final = BreakerBoard()
        self._market = MarketData(self, self._contracts, self.breakers, self._clock)
        self._loop_thread = LoopThread(f"{adapter_name} loop", self._clock)
        self._connection: BinanceConnection | None = None
        self._lock: StateLock | None = None
        self._guard = threading.Lock()
        self._is_closed = False

    # --- what it is asked ---------------------------------------------------------------------------------------------------

    @override
    def connect(self, setting: Mapping[str, object]) -> None:
        """Starts to connect and returns; progress arrives as log and contract events.

        Raises ConfigError for a key or a value that cannot be, for a second call, and where another process uses the state.
        """
        parsed = parse_setting(setting)
        with self._guard:
            if self._is_closed:
                raise Closed(f"adapter {self.adapter_name!r} has been closed")
            if self._connection is not None:
                raise ConfigError(f"adapter {self.adapter_name!r} is connected already; add a second adapter under another name")
            self._lock = StateLock(Path(parsed.state_dir), parsed.environment)
            self._connection = BinanceConnection(
                parsed, self._clock, self.adapter_name, self._market, self._contracts, self.write_log
            )
            self._loop_thread.start()
            self.event_engine.add_pressure_listener(self._pressure)
            if self.event_engine.is_holding:
                self._loop_thread.submit(self._join_hold())
            self._loop_thread.submit(self._open(self._connection))

    @override
    def subscribe(self, req: SubscribeRequest) -> None:
        """Wants channels of a symbol. Raises ValueError for what is no symbol or no interval, NotSupported for another venue."""
        hold_ns = None if math.isinf(req.hold) else int(req.hold * NS_PER_S)
        self._act(lambda keys: self._market.subscribe(keys, hold_ns), req)

    @override
    def unsubscribe(self, req: SubscribeRequest) -> None:
        """Wants them no longer; a closing event per lane is the last that comes of it."""
        self._act(self._market.unsubscribe, req)

    def force_open(self, *vt_symbols: str) -> None:
        """By hand: no streams for these symbols until ``revive``, whatever flags.toml says; remembered over a restart."""
        self._by_hand(self._market.force_open, vt_symbols)

    def revive(self, *vt_symbols: str) -> None:
        """By hand: these symbols' streams are tried at once; breakers' waits and the bound on switches are forgotten."""
        self._by_hand(self._market.revive, vt_symbols)

    @override
    def health(self, vt_symbol: str) -> HealthData | None:
        """How far a symbol's data can be trusted, now; None where nothing of it is subscribed."""
        return self._market.health_of(to_venue_symbol(vt_symbol))

    @override
    def close(self) -> None:
        """Closes every lane and connection, then the embedded exchange; 3 s at most, whatever hangs. Again: nothing."""
        with self._guard:
            if self._is_closed:
                return
            self._is_closed = True
            connection = self._connection
        self.event_engine.remove_pressure_listener(self._pressure)
        if connection is not None:
            self._end(connection)
        else:
            self._market.end_all()
        self.breakers.close()
        if self._lock is not None:
            self._lock.release()

    # --- what tables and tests look at ----------------------------------------------------------------------------------------

    def lanes(self) -> list[LaneStatus]:
        """How every lane stands."""
        return self._market.statuses()

    @property
    def endpoints(self) -> Endpoints | None:
        """The addresses in force; None until they are known."""
        return self._connection.endpoints if self._connection is not None else None

    @property
    def clock_offset_ns(self) -> int | None:
        """The venue's clock minus ours, in nanoseconds; None before it was measured, and while its estimates disagree."""
        known = self._connection.clock_offset if self._connection is not None else None
        return known.offset_ns if known is not None and known.is_synced else None

    def decision(self, key: LaneKey) -> Decision:
        """What the flags in force say of a lane, and by which rule."""
        return self._market.decision_of(key)

    def _end(self, connection: BinanceConnection) -> None:
        """Whatever fails or hangs on the way down, the rest comes down too: all of it shares one deadline."""
        on_loop = CLOSE_SECONDS - STOP_SANDBOX
        deadline_ns = self._clock.monotonic_ns() + int(on_loop * NS_PER_S)
        try:
            self._loop_thread.submit(connection.close()).result(LANES_SHARE * on_loop)
        except (Closed, TimeoutError, concurrent.futures.CancelledError):
            pass  # it was stopped before, or something hangs: the loop's end takes it along
        except Exception:
            logging.getLogger(__name__).exception("binance.close_failed")
        self._loop_thread.stop(max(deadline_ns - self._clock.monotonic_ns(), 0) / NS_PER_S)
        connection.stop_sandbox()

    # --- within -------------------------------------------------------------------------------------------------------------

    def _act(self, act: Callable[[list[LaneKey]], None], req: SubscribeRequest) -> None:
        keys = self._keys(req)
        with self._guard:
            if self._is_closed:
                raise Closed(f"adapter {self.adapter_name!r} has been closed")
            if self._connection is None:
                act(keys)  # nothing runs yet: it is only remembered, or told to be over
            else:
                self._loop_thread.call(act, keys)

    def _by_hand(self, act: Callable[[frozenset[str]], None], vt_symbols: Sequence[str]) -> None:
        symbols = frozenset(to_venue_symbol(symbol) for symbol in vt_symbols)
        with self._guard:
            if self._is_closed or self._connection is None:
                raise Closed(f"adapter {self.adapter_name!r} is not connected")
            self._loop_thread.call(act, symbols)

    def _keys(self, req: SubscribeRequest) -> list[LaneKey]:
        if req.exchange is not EXCHANGE:
            raise NotSupported(f"adapter {self.adapter_name!r} serves {EXCHANGE}, not {req.exchange}")
        for interval in filter(None, map(interval_of, req.channels)):
            parse(interval)
        symbol = to_venue_symbol(req.symbol)
        return [LaneKey(symbol, str(channel)) for channel in dict.fromkeys(req.channels)]

    async def _open(self, connection: BinanceConnection) -> None:
        try:
            await connection.open()
        except Closed:
            pass  # it was closed while it connected
        except Exception as error:
            self.write_log(f"not connected: {type(error).__name__}: {error}", logging.ERROR)
            logging.getLogger(__name__).exception("binance.not_connected")

    async def _join_hold(self) -> None:
        """A hold was in force when we began to listen: its end may have been told to the others before."""
        while self.event_engine.is_holding:
            self._market.hold(is_on=True)
            await self._clock.sleep(HOLD_LOOK)
        self._market.hold(is_on=False)

    def _pressure(self, is_on: bool) -> None:
        with contextlib.suppress(Closed):
            self._loop_thread.call(self._market.hold, is_on)
