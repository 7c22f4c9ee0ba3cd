"""An event loop on virtual time: one seed, one schedule, no thread, no socket."""

import asyncio
import heapq
import random
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final, TypeVar, TypeVarTuple

from typing_extensions import override

from foxtrot.util.clock import NS_PER_S

EPOCH_NS: Final = 1_790_000_000 * NS_PER_S
"""What the wall clock says when the virtual clock says 0."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Deadlock(RuntimeError):
    """Everybody waits, and nothing will ever happen."""


class SimLoop(asyncio.BaseEventLoop):
    """Runs what is ready in an order drawn from the seed; when nothing is, time jumps to the next timer.

    The order of what is ready at one instant is free on a real machine too, as far as it hangs on sockets and timers: what a
    program may rely on is order in time, and the order of what awaits each other.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.now_ns = 0
        self.turns = 0
        self._draw: Final = random.Random(f"loop {seed}")
        self._soon: list[asyncio.Handle] = []
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._count = 0

    @override
    def time(self) -> float:
        return self.now_ns / NS_PER_S

    def at(self, when_ns: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> asyncio.TimerHandle:
        """Has something called at an instant of the virtual clock (nanoseconds), at once if that is past."""
        return self._timer(when_ns, callback, args, None)

    @override
    def call_soon(self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    @override
    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    @override
    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._timer(self.now_ns + max(1, round(delay * NS_PER_S)), callback, args, context)

    @override
    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._timer(round(when * NS_PER_S), callback, args, context)

    @override
    def run_in_executor(self, executor: Any, func: Callable[[*_Ts], _T], *args: *_Ts) -> "asyncio.Future[_T]":
        """Inline: a worker that takes no time."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 -- as an executor hands errors on
            future.set_exception(error)
        return future

    def _timer(
        self, when_ns: int, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when_ns / NS_PER_S, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when_ns, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer stays in the heap until its time has come."""

    def _run_once(self) -> None:
        """One turn: all that is ready, in the seed's order."""
        timers, soon = self._timers, self._soon
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not soon:
            if not timers:
                raise Deadlock(f"nothing is left to happen at {self.time():.3f} s")
            self.now_ns = max(self.now_ns, timers[0][0])
        while timers and timers[0][0] <= self.now_ns:
            soon.append(heapq.heappop(timers)[2])
        self._soon = []
        self.turns += 1
        if len(soon) > 1:
            self._draw.shuffle(soon)
        for handle in soon:
            if not handle._cancelled:
                handle._run()


class SimClock:
    """Fulfils ``Clock`` on a ``SimLoop``."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def monotonic_ns(self) -> int:
        """Virtual time."""
        return self._loop.now_ns

    def now_ns(self) -> int:
        """Virtual time on top of a fixed date."""
        return EPOCH_NS + self._loop.now_ns

    async def sleep(self, seconds: float) -> None:
        """Waits for virtual time to pass; 0 or less yields once."""
        await asyncio.sleep(max(0.0, seconds))  # noqa: TID251 -- on a loop whose time is virtual
