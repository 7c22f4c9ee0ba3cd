"""The machine's own time: the only module that reads it."""

import asyncio
import time
from typing import Final


class SystemClock:
    """Wall time anchored once, then carried by the monotonic clock, so that no step of the wall clock is ever seen."""

    def __init__(self) -> None:
        self._anchor_ns: Final = time.time_ns() - time.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of the monotonic clock."""
        return time.monotonic_ns()

    def processor_ns(self) -> int:
        """Nanoseconds of processor time that the calling thread has used."""
        return time.thread_time_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC; never steps back."""
        return self._anchor_ns + time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Waits on the running loop."""
        await asyncio.sleep(seconds)  # noqa: TID251 -- the one place where waiting is real
