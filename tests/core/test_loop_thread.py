"""The door into the asyncio loop."""

import asyncio
import concurrent.futures
import gc
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from foxtrot.core.loop_thread import LoopThread
from foxtrot.util.errors import Closed
from foxtrot.util.system_clock import SystemClock
from tests.core.waiting import wait_until


@pytest.fixture
def door() -> Iterator[LoopThread]:
    """A running loop thread."""
    door = LoopThread("test-loop")
    door.start()
    yield door
    assert door.stop()


async def answer() -> int:
    return 42


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_call_runs_on_the_loop(door: LoopThread) -> None:
    """What is called runs in the loop's thread, in the order of the calls."""
    got: list[tuple[int, bool]] = []
    done = threading.Event()
    for number in range(100):
        door.call(lambda number: got.append((number, door.is_loop_thread())), number)
    door.call(done.set)
    assert done.wait(10)
    assert got == [(number, True) for number in range(100)]
    assert not door.is_loop_thread()


def test_a_submitted_coroutine_gives_its_result(door: LoopThread) -> None:
    """The future holds what the coroutine returned."""
    assert door.submit(answer()).result(10) == 42


def test_a_call_that_raises_is_logged(door: LoopThread, caplog: pytest.LogCaptureFixture) -> None:
    """An error on the loop is never silent, and the loop goes on."""

    def fail() -> None:
        raise ValueError("bad call")

    door.call(fail)
    assert door.submit(answer()).result(10) == 42
    assert "bad call" in caplog.text


def test_a_task_whose_error_nobody_awaits_is_logged_by_name(door: LoopThread, caplog: pytest.LogCaptureFixture) -> None:
    """A forgotten task tells its name when it is collected."""

    async def fail() -> None:
        raise ValueError("bad task")

    async def forget() -> None:
        task = asyncio.get_running_loop().create_task(fail(), name="forgotten")
        await asyncio.wait([task])

    door.submit(forget()).result(10)
    gc.collect()
    wait_until(lambda: "forgotten" in caplog.text)
    assert "bad task" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_task_cannot_end_the_loop(door: LoopThread, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """SystemExit and KeyboardInterrupt out of a task are logged; the loop goes on."""

    async def leave() -> None:
        raise error

    future = door.submit(leave())
    wait_until(lambda: "loop_thread.interrupted" in caplog.text)
    assert door.submit(answer()).result(10) == 42
    with pytest.raises(type(error)):
        future.result(10)


def test_stop_cancels_and_awaits_every_task() -> None:
    """A task cleans up before the loop ends, also one that was started by such a cleaning."""
    cleaned: list[str] = []
    second: list[asyncio.Task[None]] = []
    door = LoopThread("test-loop")
    door.start()

    async def clean(name: str) -> None:
        try:
            await wait_for_ever()
        finally:
            if name == "first":
                second.append(door.loop.create_task(clean("second")))
            await asyncio.wait([asyncio.ensure_future(answer())])
            cleaned.append(name)

    future = door.submit(clean("first"))
    assert door.submit(answer()).result(10) == 42
    assert door.stop()
    assert cleaned[0] == "first"
    assert all(task.done() for task in second)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(0)
    assert door.loop.is_closed()


def test_stop_logs_a_task_that_fails_while_it_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """An error in a clean-up is told with the task's name."""
    door = LoopThread("test-loop")
    door.start()

    async def fail_in_cleaning() -> None:
        try:
            await wait_for_ever()
        finally:
            raise ValueError("bad clean-up")

    door.call(lambda: setattr(door, "kept", door.loop.create_task(fail_in_cleaning(), name="untidy")))
    assert door.submit(answer()).result(10) == 42
    assert door.stop()
    assert "task_failed: untidy" in caplog.text


def test_stop_closes_async_generators() -> None:
    """A generator that was left half way runs its clean-up."""
    closed = threading.Event()
    kept: list[AsyncIterator[int]] = []
    door = LoopThread("test-loop")
    door.start()

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    async def leave_half_way() -> int:
        kept.append(numbers())
        return await anext(kept[0])

    assert door.submit(leave_half_way()).result(10) == 1
    assert door.stop()
    assert closed.is_set()


def test_after_the_stop_nothing_enters() -> None:
    """Calls and coroutines are refused; no coroutine is left unawaited."""
    door = LoopThread("test-loop")
    door.start()
    assert door.stop()
    with pytest.raises(Closed):
        door.call(gc.collect)
    with pytest.raises(Closed):
        door.submit(answer())
    with pytest.raises(Closed):
        door.start()
    assert door.stop()


def test_before_the_start_nothing_enters() -> None:
    """A door that was never opened says so, and stops at once."""
    door = LoopThread("test-loop")
    with pytest.raises(Closed, match="has not been started"):
        door.submit(answer())
    assert door.stop()


def test_a_second_start_changes_nothing(door: LoopThread) -> None:
    """Starting is idempotent."""
    loop = door.loop
    door.start()
    assert door.loop is loop


def test_a_coroutine_that_was_submitted_just_before_the_stop_is_cancelled() -> None:
    """Nothing that was accepted is left without an outcome."""
    door = LoopThread("test-loop")
    door.start()
    futures = [door.submit(wait_for_ever()) for _ in range(50)]
    assert door.stop()
    assert all(future.cancelled() for future in futures)


def test_stop_on_the_loop_itself_returns_at_once() -> None:
    """A task may ask for the end of its own loop."""
    door = LoopThread("test-loop")
    door.start()

    async def stop() -> bool:
        return door.stop()

    assert door.submit(stop()).result(10) is False
    assert door.stop(10)


def test_a_task_that_does_not_end_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Stop keeps to its time and says who stays."""
    door = LoopThread("test-loop")
    door.start()
    is_stubborn = threading.Event()
    go_on = asyncio.Event()

    async def stay() -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                is_stubborn.set()

    door.call(lambda: setattr(door, "kept", door.loop.create_task(stay(), name="stubborn")))
    assert door.submit(answer()).result(10) == 42
    assert not door.stop(0.1)
    assert is_stubborn.is_set()
    assert "stubborn" in caplog.text
    door.loop.call_soon_threadsafe(go_on.set)
    assert door.stop(10)


def test_a_stall_of_the_loop_is_measured() -> None:
    """Who blocks the loop is seen in its longest stall."""

    class LeapClock:
        def __init__(self) -> None:
            self.leap_ns = 0
            self.monotonic_ns = lambda: system.monotonic_ns() + self.leap_ns
            self.now_ns = system.now_ns
            self.sleep = system.sleep

    system = SystemClock()
    clock = LeapClock()
    door = LoopThread("test-loop", clock)
    door.start()
    clock.leap_ns = 5_000_000_000
    wait_until(lambda: door.max_stall_ms >= 4_000)
    assert door.stop()
