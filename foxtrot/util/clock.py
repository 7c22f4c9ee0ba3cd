"""Time as an argument: what any clock must offer."""

from typing import Protocol


class Clock(Protocol):
    """Reads and waits. Nanoseconds throughout, but for waits, which are seconds."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some start; never steps back. For durations and deadlines."""
        ...

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC, as an anchor plus the monotonic clock: never steps back within a process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits on the running loop; 0 or less yields once."""
        ...


NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class ProcessorClock(Clock, Protocol):
    """A clock that also knows how much its caller has worked."""

    def processor_ns(self) -> int:
        """Nanoseconds of processor time that the calling thread has used."""
        ...
