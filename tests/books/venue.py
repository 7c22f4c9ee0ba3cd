"""The embedded exchange's market, limits and faults in this process, on a time that is told from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from foxtrot.sandbox.answers import ENDPOINTS, Scene
from foxtrot.sandbox.fanout import Fanout
from foxtrot.sandbox.fault_board import FaultBoard
from foxtrot.sandbox.limits import Limits, Violations
from foxtrot.sandbox.listings import MAX_COUNT, Listing, listings
from foxtrot.sandbox.market import Market
from foxtrot.sandbox.query import Query
from foxtrot.sandbox.stream_chaos import StreamChaos
from foxtrot.util.errors import RateLimited

START_US: Final = 1_790_000_000_000_000
ADDRESS: Final = "127.0.0.1"
KEEP: Final = 500_000


class Venue:
    """``now_us`` is the venue's time, microseconds since 1970 UTC; nothing happens but in ``play``."""

    def __init__(
        self,
        listed: Sequence[Listing],
        seed: int,
        start_us: int,
        *,
        activity: float = 1.0,
        has_past: bool = True,
        keep: int = KEEP,
    ) -> None:
        self.board = FaultBoard(seed)
        self.chaos = StreamChaos(self.board, _never)
        self.fanout = Fanout(self.chaos)
        self.chaos.fanout = self.fanout
        self.violations = Violations()
        self.limits = Limits(self.violations)
        self.market = Market(list(listed), seed, start_us, self.fanout, activity, has_past=has_past, keep=keep)
        self.chaos.instruments = self.market.instruments
        self.requests = 0

    @property
    def now_us(self) -> int:
        """Up to where everything has happened."""
        return self.market.now_us

    def play(self, until_us: int) -> None:
        """Lets everything happen up to an instant, and writes what the streams have to say."""
        while not self.market.play(until_us):
            pass
        self.fanout.flush()

    def top_only(self, levels: int) -> None:
        """From here on the streams say nothing of what changes beyond the best ``levels`` of a side."""
        self.board.arm({"fault": "book-top-only", "levels": levels}, 0)
        self.chaos.refresh()

    def answer(self, path: str, params: Mapping[str, str | int]) -> bytes:
        """A GET below ``/api/v3``, beyond any limit: the truth. Raises ``Refused`` as the exchange does."""
        endpoint = ENDPOINTS[f"/api/v3/{path}"]
        return endpoint.answer(self._scene(), self._query(path, params))

    def request(self, path: str, params: Mapping[str, str | int]) -> bytes:
        """The same as a client's request, weighed and counted. Raises RateLimited where the exchange would answer 429 or 418."""
        endpoint, query = ENDPOINTS[f"/api/v3/{path}"], self._query(path, params)
        self.requests += 1
        verdict = self.limits.charge(ADDRESS, endpoint.weight(query), self.now_us)
        if verdict.status != 200:
            raise RateLimited(f"GET {path}: HTTP {verdict.status}", retry_after=verdict.retry_after)
        return endpoint.answer(self._scene(), query)

    def _query(self, path: str, params: Mapping[str, str | int]) -> Query:
        endpoint = ENDPOINTS[f"/api/v3/{path}"]
        pairs = [(name, str(value)) for name, value in params.items()]
        return Query(pairs, endpoint.params, endpoint.mandatory, self.market.instruments)

    def _scene(self) -> Scene:
        return Scene(self.market.instruments, self.now_us, self.now_us)


class Stream:
    """Reads streams without a connection; fulfils the fan-out's ``Subscriber``."""

    is_combined = True
    is_microsecond = False

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self._written: list[bytes] = []

    def flush(self) -> None:
        """Takes what was sent."""
        self._written += self.out
        self.out.clear()

    def take(self) -> list[bytes]:
        """The payloads since the last time."""
        found, self._written = [payload_of(each) for each in self._written], []
        return found


def listing_of(symbol: str, levels: int = 0) -> Listing:
    """One of the exchange's own symbols; ``levels`` a side for its book to have, 0: as many as usual."""
    found = next(each for each in listings(MAX_COUNT) if each.symbol == symbol)
    return replace(found, levels=levels)


def payload_of(whole: bytes) -> bytes:
    """What a server's unmasked frame carries (RFC 6455, 5.2)."""
    return whole[{126: 4, 127: 10}.get(whole[1], 2) :]


def _never(_seconds: float, _call: object) -> None:
    """No fault used here delays a frame."""
    raise AssertionError("a frame was to be sent later")
