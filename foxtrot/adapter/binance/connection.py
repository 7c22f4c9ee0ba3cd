"""Brings one environment up: the embedded exchange where needed, REST, flags, the market list; and down again."""

import asyncio
import logging
import random
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Final, TypeVar

from foxtrot.adapter.binance.api_client import BinanceApiClient
from foxtrot.adapter.binance.clock_offset import ClockOffset
from foxtrot.adapter.binance.clock_watch import ClockWatch
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.adapter.binance.endpoints import BinanceSetting, Endpoints
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.rest_feed import BinanceRest
from foxtrot.adapter.binance.status_watch import StatusWatch
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.transport import flags
from foxtrot.transport.backoff import equal_jitter
from foxtrot.transport.breaker_memory import Memory
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.flag_store import FlagStore
from foxtrot.transport.wire import WireDialler
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.errors import Closed, RateLimited, RequestError, Unavailable, VenueError

DOCUMENTED_LIMIT: Final = 6000
"""Weight a minute, until the venue has told its own."""

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
STOP_SANDBOX: Final = 1.0

_T = TypeVar("_T")
Tell = Callable[[str, int], None]


class BinanceConnection:
    """Everything between ``connect`` and ``close`` that lives on the loop."""

    def __init__(
        self, setting: BinanceSetting, clock: Clock, adapter_name: str, market: MarketData, contracts: ContractManager, tell: Tell
    ) -> None:
        self._setting = setting
        self._clock = clock
        self._adapter_name = adapter_name
        self._market = market
        self._contracts = contracts
        self._tell = tell
        self._chance = random.Random().random  # noqa: S311 -- jitter is no secret
        self._budget = WeightBudget(DOCUMENTED_LIMIT, clock.now_ns(), chance=self._chance)
        self._client: BinanceApiClient | None = None
        self._flag_store: FlagStore | None = None
        self.sandbox: Sandbox | None = None
        self.endpoints: Endpoints | None = None
        self.clock_offset = ClockOffset()
        self._watching: list[asyncio.Task[None]] = []
        self._memory: Memory | None = None
        self._opening: asyncio.Task[None] | None = None
        self._guard = threading.Lock()  # around what the launching worker and the closing thread share
        self._is_over = False
        self._has_launched = threading.Event()
        self._has_launched.set()
        self._warned: frozenset[str] = frozenset()  # what KILL named when it was last looked up
        self._looked_up = ""  # hash of the flags whose symbols were last looked up

    async def open(self) -> None:
        """Connects, for as long as it takes; says what keeps it from it, once each."""
        self._opening = asyncio.current_task()
        setting = self._setting
        await self._start_flags()
        if setting.starts_sandbox:
            await self._until_it_works(lambda: asyncio.to_thread(self._launch))
        box = self.sandbox
        self.endpoints = setting.endpoints(Endpoints(box.rest_url, box.stream_url, box.ws_api_url) if box else None)
        self._tell(f"connecting to {setting.environment}: {self.endpoints.rest}, {self.endpoints.stream}", logging.INFO)
        client = self._client = BinanceApiClient(
            self.endpoints,
            self._clock,
            on_used_weight=self._learn,
            api_key=setting.api_key,
            secret=setting.secret,
            proxy=setting.proxy.reveal(),
            ca_file=setting.ca_file,
        )
        await client.open()
        rest = BinanceRest(client, self._clock, self._adapter_name, self._spend)
        await self._load_markets(rest)
        watch = ClockWatch(rest, self._clock, self._budget, self.clock_offset, self._market.problem)
        await watch.measure()
        self._memory = (
            None if setting.starts_sandbox else await self._remember()
        )  # an exchange of our own is another one each time
        self._market.start(
            rest=rest,
            dialler=WireDialler(self._clock, proxy=setting.proxy.reveal() or None, ssl_context=self._ssl_context()),
            stream_urls=self.endpoints.streams,
            budget=self._budget,
            offset=self.clock_offset.known_ns,
            memory=self._memory,
        )
        statuses = StatusWatch(rest, self._clock, self._budget, self._market.watched, self._market.halted)
        self._watch(watch.run(self._market.has_lanes), "clock watch")
        self._watch(statuses.run(self._market.has_lanes), "status watch")

    async def close(self) -> None:
        """Takes down what stands, in the order in which nothing follows a lane's closing event."""
        for task in (self._opening, *self._watching):
            if task is not None:
                task.cancel()  # has no effect on one that has ended
                await asyncio.gather(task, return_exceptions=True)
        await self._market.close()
        if self._memory is not None:
            await self._memory.close()
        if self._flag_store is not None:
            await self._flag_store.stop()
        if self._client is not None:
            await self._client.close()

    def stop_sandbox(self) -> None:
        """Ends the child, last: off the loop, for it may have to be waited for. One still starting ends once it is up."""
        with self._guard:
            self._is_over = True
            box, self.sandbox = self.sandbox, None
        if box is not None:
            box.stop(STOP_SANDBOX)
        self._has_launched.wait(STOP_SANDBOX)

    def _launch(self) -> None:
        """Starts the child, in a worker; cancellation does not reach it, so it looks for itself whether it is still wanted."""
        with self._guard:
            if self._is_over:
                raise Closed("closed before the embedded exchange was started")
            self._has_launched.clear()
        try:
            box = launch()
            with self._guard:
                is_over = self._is_over
                self.sandbox = None if is_over else box
            if is_over:
                box.stop(STOP_SANDBOX)
                raise Closed("closed while the embedded exchange started")
        finally:
            self._has_launched.set()

    async def _remember(self) -> Memory:
        """What breakers an earlier process left behind."""
        path = Path(self._setting.state_dir) / self._setting.environment / "breaker.json"
        memory = Memory(path, self._clock, lambda text: self._tell(text, logging.WARNING))
        await memory.open()
        return memory

    def _watch(self, work: Coroutine[None, None, None], name: str) -> None:
        self._watching.append(asyncio.get_running_loop().create_task(work, name=name))

    async def _start_flags(self) -> None:
        setting = self._setting
        self._flag_store = FlagStore(
            Path(setting.flags),
            Path(setting.state_dir),
            setting.environment,
            self._clock,
            self._flags_changed,
            lambda text: self._tell(text, logging.WARNING),
            self._market.revive,
        )
        await self._flag_store.start()

    def _flags_changed(self, changed: flags.Flags, kill: flags.KillList) -> None:
        self._market.flags_changed(changed, kill)
        self._look_up_flags()
        if self._contracts.is_loaded:
            self._look_up_kill(kill)

    def _look_up_kill(self, kill: flags.KillList) -> None:
        """A slip of the pen must not look like a brake."""
        strangers = sorted(symbol for symbol in kill.symbols - self._warned if not self._contracts.lists(symbol))
        self._warned = kill.symbols
        for symbol in strangers:
            self._tell(f"KILL: {symbol} is not listed by the venue: it stops nothing", logging.WARNING)

    def _look_up_flags(self) -> None:
        """Warns of symbols in flags.toml that the venue does not list, in a worker: that is a search among thousands."""
        store = self._flag_store
        if store is None or not self._contracts.is_loaded or store.flags.hash == self._looked_up:
            return
        self._looked_up = store.flags.hash
        search = asyncio.get_running_loop().run_in_executor(None, flags.unlisted, store.flags, self._contracts.symbols)
        search.add_done_callback(self._warn_of_unlisted)

    def _warn_of_unlisted(self, search: asyncio.Future[list[str]]) -> None:
        if not search.cancelled():
            for warning in search.result():
                self._tell(f"flags: {warning}", logging.WARNING)

    async def _load_markets(self, rest: BinanceRest) -> None:
        info = await self._until_it_works(rest.exchange_info, rest.weight("exchange_info"))
        self._budget.resize(info.weight_limit, self._clock.now_ns())
        contracts = await asyncio.to_thread(self._contracts.build, info)
        self._contracts.take(contracts)
        self._look_up_flags()
        self._tell(f"connected to {self._setting.environment}: {len(contracts)} instruments", logging.INFO)
        if left_out := self._contracts.left_out:
            some = ", ".join(left_out[:5])
            self._tell(f"{len(left_out)} instruments are left out, their rules cannot be read: {some}", logging.WARNING)

    async def _until_it_works(self, call: Callable[[], Awaitable[_T]], weight: int = 0) -> _T:
        said: set[str] = set()
        attempt = 0
        while True:
            try:
                self._spend(weight)
                return await call()
            except (VenueError, RequestError) as error:
                wait = error.retry_after if isinstance(error, RateLimited) else 0.0
                wait = max(wait, equal_jitter(attempt, FIRST_WAIT, LONGEST_WAIT, self._chance))
                attempt += 1
                if str(error) not in said:
                    said.add(str(error))
                    again = (
                        "it is tried again until it works" if isinstance(error, Unavailable) else f"tried again in {wait:.0f} s"
                    )
                    self._tell(f"not connected: {error}; {again}", logging.WARNING)
            await self._clock.sleep(wait)

    def _spend(self, weight: int) -> None:
        self._budget.spend(weight, self._clock.now_ns())

    def _learn(self, used: int) -> None:
        now = self._clock.now_ns()
        minute = 60 * NS_PER_S
        venue_now = now + self.clock_offset.offset_ns
        self._budget.learn(used, now + minute - venue_now % minute)

    def _ssl_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self._setting.ca_file) if self._setting.ca_file else None
