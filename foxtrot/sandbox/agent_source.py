"""The agents' market on the exchange's clock."""

from collections.abc import Iterable, Mapping

from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.market import Market
from foxtrot.sandbox.venue_clock import VenueClock


class AgentSource:
    """Keeps a market in step with the venue's clock."""

    def __init__(self, market: Market, clock: VenueClock, seed: int) -> None:
        self._market = market
        self._clock = clock
        self._seed = seed
        self.instruments: Mapping[str, Instrument] = market.instruments

    def now_us(self) -> int:
        """The venue's time."""
        return self._clock.now_us()

    def advance(self) -> float:
        """Plays the market up to now."""
        if not self._market.play(self._clock.now_us()):
            return 0.0
        return max(0.0, self._clock.real_seconds_until(self._market.due_us()))

    def touch(self, symbols: Iterable[str]) -> None:
        """The agents trade whether anybody looks or not."""

    def describe(self) -> dict[str, object]:
        """Seed and symbols."""
        return {"source": "agents", "seed": self._seed, "symbols": list(self.instruments), "start_us": self._clock.start_us}
