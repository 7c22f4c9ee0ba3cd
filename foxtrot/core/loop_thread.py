"""Owns the asyncio loop and the thread it runs in."""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar, TypeVarTuple

from foxtrot.util.clock import NS_PER_MS, NS_PER_S, Clock
from foxtrot.util.errors import Closed
from foxtrot.util.system_clock import SystemClock

try:
    import uvloop
except ImportError:  # Windows
    _new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _new_loop = uvloop.new_event_loop

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_BEAT_SECONDS: Final = 0.1


class LoopThread:
    """The door from any thread into one asyncio loop. Use it once: start, stop.

    What runs on the loop never blocks it: :attr:`max_stall_ms` tells the longest time it could not answer.
    """

    def __init__(self, name: str, clock: Clock | None = None) -> None:
        self.max_stall_ms = 0.0
        """The longest time the loop was late for its own beat, in ms, looked at ten times a second; set it to 0 to begin anew."""
        self._clock: Final[Clock] = clock or SystemClock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_running: Final = threading.Event()
        self._guard: Final = threading.Lock()  # nothing enters the loop after the stop has
        self._is_closed = False
        self._has_ended = False
        self._stopper: asyncio.Task[None] | None = None
        self._thread: Final = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, for what runs on it. Raises Closed before the start."""
        if self._loop is None:
            raise Closed(f"the loop thread {self._thread.name!r} has not been started")
        return self._loop

    def is_loop_thread(self) -> bool:
        """Whether the caller runs on the loop."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Starts the thread and returns once its loop runs. Again: nothing. After :meth:`stop` raises Closed."""
        with self._guard:
            if self._is_closed:
                raise Closed(f"the loop thread {self._thread.name!r} has been stopped")
            if self._loop is not None:
                return
            self._loop = _new_loop()
            self._loop.set_exception_handler(_on_loop_error)
            self._loop.call_soon(self._is_running.set)
            self._thread.start()
        self._is_running.wait()

    def call(self, function: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """Has ``function(*args)`` run on the loop, soon; calls keep their order, and what one raises is logged.

        Raises Closed before the start and after the stop.
        """
        with self._guard:
            self._open_loop().call_soon_threadsafe(function, *args)

    def submit(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        """Runs a coroutine as a task on the loop. Raises Closed before the start and after the stop.

        The future holds its outcome and cancels the task when cancelled; at the stop it is cancelled. Never wait for it on the
        loop or in a handler.
        """
        try:
            with self._guard:
                return asyncio.run_coroutine_threadsafe(coroutine, self._open_loop())
        except Closed:
            coroutine.close()  # else Python would warn that it was never awaited
            raise

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        if self._is_closed:
            raise Closed(f"the loop thread {self._thread.name!r} has been stopped")
        return self.loop

    def stop(self, timeout: float = 2.0) -> bool:
        """Cancels and awaits every task, closes async generators, ends the loop, joins the thread; whether it all ended in time.

        Again: waits for the first one. On the loop itself: returns False at once, the rest follows. A task that does not end is
        named in an error log and left behind in its daemon thread.
        """
        with self._guard:
            if not self._is_closed and self._loop is not None:
                self._loop.call_soon_threadsafe(self._begin_stop)
            self._is_closed = True
        if self._loop is None:
            return True
        if self.is_loop_thread():
            return False
        self._thread.join(timeout)
        if self._thread.is_alive():
            _log.error("loop_thread.not_ended: %s, tasks %s", self._thread.name, self._task_names())
        return not self._thread.is_alive()

    def _task_names(self) -> list[str]:
        return sorted(task.get_name() for task in asyncio.all_tasks(self.loop) if task is not self._stopper)

    # --- on the loop

    def _run(self) -> None:
        loop = self.loop
        asyncio.set_event_loop(loop)
        self._beat(self._clock.monotonic_ns())
        while not self._has_ended:
            try:
                loop.run_forever()
            except BaseException:  # noqa: BLE001 -- a KeyboardInterrupt or SystemExit out of a task ends the loop, not us
                _log.exception("loop_thread.interrupted")
        asyncio.set_event_loop(None)
        loop.close()

    def _beat(self, due_ns: int) -> None:
        now_ns = self._clock.monotonic_ns()
        self.max_stall_ms = max(self.max_stall_ms, (now_ns - due_ns) / NS_PER_MS)
        self.loop.call_later(_BEAT_SECONDS, self._beat, now_ns + int(_BEAT_SECONDS * NS_PER_S))

    def _begin_stop(self) -> None:
        self._stopper = self.loop.create_task(self._end_all(), name="loop-thread-stop")

    async def _end_all(self) -> None:
        try:
            while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                for task in tasks:
                    if not task.cancelled() and (error := task.exception()) is not None:
                        _log.error("loop_thread.task_failed: %s", task.get_name(), exc_info=error)
            await self.loop.shutdown_asyncgens()
        finally:
            self._has_ended = True
            self.loop.stop()


def _on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs what nobody awaited, with the name of its task."""
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else repr(context.get("handle", ""))
    _log.error("loop_thread.unhandled: %s %s", context["message"], name, exc_info=context.get("exception"))
