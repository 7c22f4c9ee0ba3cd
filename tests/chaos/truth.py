"""What the exchange itself says, asked from addresses of our own, so that neither its limits nor the engine are touched."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, Final, NamedTuple

from foxtrot.core.loop_thread import LoopThread
from foxtrot.sandbox.launcher import Sandbox
from foxtrot.transport.base import LaneKey
from foxtrot.transport.wire import WireDialler
from foxtrot.util.constants import Health, Source
from foxtrot.util.object import TickData
from foxtrot.util.system_clock import SystemClock
from tests.chaos.recorder import IdItem, id_of

PERIOD: Final = 0.05
"""Seconds between two looks at a symbol."""

_ASKING: Final = 2.0
_HOST: Final = "127.0.0.1"
_PAGE: Final = 1_000

Levels = tuple[float, float, float, float]


class Top(NamedTuple):
    """The exchange's best bid, its size, best ask, its size, at an update id."""

    update_id: int
    levels: Levels


class Sample(NamedTuple):
    """One look: what the exchange has and what the engine last delivered, with what its health said."""

    at: float
    symbol: str
    truth: Top
    delivered: Levels
    delivered_id: int
    is_polled: bool
    delivered_at: float
    health: Health | None


class Asker:
    """Asks the exchange's REST interface from one loopback address: it has a weight limit of its own."""

    def __init__(self, box: Sandbox, address: str) -> None:
        self._connection = http.client.HTTPConnection(_HOST, box.port, timeout=_ASKING, source_address=(address, 0))

    def get(self, path: str) -> Any:
        """The answer, decoded. Raises OSError when there is none."""
        try:
            self._connection.request("GET", f"/api/v3/{path}")
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise OSError(f"GET {path}: {error}") from error
        if response.status != http.HTTPStatus.OK:
            raise OSError(f"GET {path}: HTTP {response.status} {text[:200]!r}")
        return json.loads(text)

    def top(self, symbol: str) -> Top:
        """The best level of each side."""
        book = self.get(f"depth?symbol={symbol}&limit=5")
        bid, ask = (book[side][0] if book[side] else ("0", "0") for side in ("bids", "asks"))
        return Top(book["lastUpdateId"], (float(bid[0]), float(bid[1]), float(ask[0]), float(ask[1])))

    def newest(self, key: LaneKey) -> int:
        """The newest id of a lane; -1: none yet."""
        rows = self.get(f"{_call(key)}?symbol={key.symbol}&limit=1")
        return int(rows[-1][_ID[key.channel]]) if rows else -1

    def tape(self, key: LaneKey, first: int, last: int) -> dict[int, tuple[float, float]]:
        """Price and volume by id, both ends included."""
        found: dict[int, tuple[float, float]] = {}
        while first <= last:
            rows = self.get(f"{_call(key)}?symbol={key.symbol}&fromId={first}&limit={_PAGE}")
            for row in rows:
                price, volume = (row["price"], row["qty"]) if key.channel == "trades" else (row["p"], row["q"])
                found[int(row[_ID[key.channel]])] = (float(price), float(volume))
            if not rows:
                break
            first = int(rows[-1][_ID[key.channel]]) + 1
        return {each: value for each, value in found.items() if each <= last}

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


_ID: Final[Mapping[str, str]] = {"trades": "id", "agg_trades": "a"}


def _call(key: LaneKey) -> str:
    return "historicalTrades" if key.channel == "trades" else "aggTrades"


class RestTops:
    """Tops of book over REST: for faults of the streams."""

    def __init__(self, box: Sandbox, symbols: Sequence[str]) -> None:
        self._askers = {symbol: Asker(box, f"127.0.0.{number}") for number, symbol in enumerate(symbols, 11)}

    def top(self, symbol: str) -> Top | None:
        """Now; None where the exchange does not answer."""
        with suppress(OSError):
            return self._askers[symbol].top(symbol)
        return None

    def close(self) -> None:
        """Ends the connections."""
        for asker in self._askers.values():
            asker.close()


class StreamTops:
    """Tops of book over a stream of our own: for faults of REST."""

    def __init__(self, box: Sandbox, symbols: Sequence[str]) -> None:
        self._tops: dict[str, Top] = {}
        clock = SystemClock()
        self._thread = LoopThread("truth", clock)
        self._thread.start()
        url = f"{box.stream_url}/stream?streams={'/'.join(f'{symbol.lower()}@bookTicker' for symbol in symbols)}"
        self._wire = self._thread.submit(WireDialler(clock).dial(url, self._take, lambda _cause: None)).result(5)

    def _take(self, frame: bytes, _received_ns: int) -> None:
        data = json.loads(frame).get("data", {})
        if "u" in data:
            self._tops[data["s"]] = Top(data["u"], (float(data["b"]), float(data["B"]), float(data["a"]), float(data["A"])))

    def top(self, symbol: str) -> Top | None:
        """As last streamed."""
        return self._tops.get(symbol)

    def close(self) -> None:
        """Ends the connection."""
        self._thread.call(self._wire.close)
        self._thread.stop()


class Sampler:
    """Looks at each symbol 20 times a second, in a thread of its own, until it is stopped."""

    def __init__(
        self,
        tops: RestTops | StreamTops,
        symbols: Sequence[str],
        last_tick: Callable[[str], tuple[float, TickData] | None],
        health: Callable[[str], Health | None],
    ) -> None:
        self.samples: list[Sample] = []
        self._tops = tops
        self._symbols = symbols
        self._last_tick = last_tick
        self._health = health
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="truth sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it; again: nothing."""
        if not self._over.is_set():
            self._over.set()
            self._thread.join(2 * _ASKING)
            self._tops.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = max(due + PERIOD, time.monotonic())
            for symbol in self._symbols:
                self._look(symbol)

    def _look(self, symbol: str) -> None:
        last = self._last_tick(symbol)  # before the exchange is asked: it can only be older than the answer
        health = self._health(symbol)
        truth = self._tops.top(symbol)
        if last is None or truth is None:
            return
        at, tick = last
        levels = (tick.bid_price_1, tick.bid_volume_1, tick.ask_price_1, tick.ask_volume_1)
        is_polled = tick.source is Source.POLL
        self.samples.append(Sample(time.monotonic(), symbol, truth, levels, tick.update_id, is_polled, at, health))


class Wholeness(NamedTuple):
    """What became of the ids of some lanes."""

    lost: int
    twice: int
    out_of_order: int
    altered: int


def compare(asker: Asker, key: LaneKey, live: Sequence[IdItem], backfilled: Sequence[IdItem], last: int) -> Wholeness:
    """What handlers got against the exchange's tape, from the first id delivered to ``last``."""
    ids = [id_of(item) for item in live]
    everything = {id_of(item): (item.price, item.volume) for item in (*live, *backfilled)}
    if not everything:
        return Wholeness(0, 0, 0, 0)
    tape = asker.tape(key, min(everything), last)
    return Wholeness(
        lost=len(tape.keys() - everything.keys()),
        twice=len(live) + len(backfilled) - len(everything),
        out_of_order=sum(later <= earlier for earlier, later in pairwise(ids)),
        altered=sum(everything[each] != value for each, value in tape.items() if each in everything),
    )
