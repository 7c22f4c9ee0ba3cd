"""Foxtrot's REST client with the exchange in the same process: latency, silence and refusals, but no socket."""

import random
from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from foxtrot.adapter.binance.api_client import BinanceApiClient
from foxtrot.adapter.binance.endpoints import Endpoints
from foxtrot.sandbox.query import Refused
from foxtrot.util.clock import Clock
from foxtrot.util.errors import RateLimited, RequestError, Unavailable
from tests.books.venue import Venue

NOWHERE: Final = Endpoints("http://venue", "ws://venue", "ws://venue")
LATENCY: Final = (0.005, 0.045)
"""Seconds there, and back."""


class VenueClient(BinanceApiClient):
    """Everything but the sending is the real client's. ``is_down``: no request is answered."""

    def __init__(self, venue: Venue, clock: Clock, seed: object) -> None:
        super().__init__(NOWHERE, clock, on_used_weight=_unread)
        self._chance = random.Random(f"retries {seed}")
        self._draw = random.Random(f"client {seed}")
        self._venue = venue
        self.is_down = False
        self.refusals: list[str] = []
        self.asked: dict[str, int] = {}

    @override
    async def open(self) -> None:
        """There is nothing to import."""

    @override
    async def get(self, path: str, params: Mapping[str, str | int] | None = None, *, timeout: float) -> str:
        """The body of one public GET."""
        await self._clock.sleep(self._draw.uniform(*LATENCY))
        self.asked[path] = self.asked.get(path, 0) + 1
        if self.is_down:
            await self._clock.sleep(self._draw.choice((0.02, timeout)))
            raise Unavailable(f"GET {path}: no answer")
        self._venue.play(self._clock.now_ns() // 1_000)
        try:
            body = self._venue.request(path, params or {})
        except Refused as error:
            raise RequestError(f"GET {path}: {error.message}", code=error.code) from error
        except RateLimited as error:
            self.refusals.append(str(error))
            raise
        await self._clock.sleep(self._draw.uniform(*LATENCY))
        return body.decode()


def _unread(_used: int) -> None:
    """No headers come along."""
