"""The exchange's own time."""

from foxtrot.util.clock import Clock


class VenueClock:
    """Runs ``scale`` times as fast as the real clock, from ``start_us`` on."""

    def __init__(self, clock: Clock, start_us: int | None = None, scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._started_ns = clock.monotonic_ns()
        self.start_us = clock.now_ns() // 1_000 if start_us is None else start_us

    def now_us(self) -> int:
        """Microseconds since 1970 UTC as this exchange counts them; never steps back."""
        return self.start_us + int((self._clock.monotonic_ns() - self._started_ns) * self._scale) // 1_000

    def real_seconds_until(self, time_us: int) -> float:
        """How long one has to wait, really, until this clock shows ``time_us``; negative when it has passed."""
        return (time_us - self.now_us()) / 1e6 / self._scale
