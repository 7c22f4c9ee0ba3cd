"""What an order book costs on top of decoding: the recorded ETHUSDT depth frames, one after another, and 200 books in memory.

Bare: the product's decoder, and a dict a side that each frame updates. Book: the same, but into a book whose best 20 levels are
made ready with each frame. Lane: the same through the stream's handler and the lane's order, up to the callback that delivers.
CPU of this thread alone, a frame; all three in turn, in so many rounds; the median of each and of the ratios.

Exit status 1 where the lane costs more than the target allows, did not deliver every frame, or the books take too much memory.
Without the recording beside the checkout only memory is measured. Run it as ``python -m benchmarks.bench_book``.
"""

import argparse
import gc
import os
import platform
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Final

import msgspec
from typing_extensions import override

from foxtrot.adapter.binance.binance_mappings import DepthBody
from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.depth_mappings import decode_depth, to_depth, to_diff
from foxtrot.adapter.binance.order_book import OrderBook
from foxtrot.adapter.binance.stream_feed import BinanceStreams
from foxtrot.transport.base import LaneKey, Level
from foxtrot.transport.book_order import BookOrder
from foxtrot.util.constants import Source
from foxtrot.util.object import OrderBookData
from tests.support.recorded_book import RecordedBook, recorded_book
from tests.support.recorded_quotes import FILES
from tests.support.recording_door import RecordingDoor, RecordingOutlets

MIB: Final = 1 << 20
BOOKS: Final = 200
LEVELS: Final = 1_000
MOST_MIB: Final = 200.0
KEY: Final = LaneKey("ETHUSDT", "book")


class Count(RecordingOutlets):
    """Counts the books that are delivered, and keeps none."""

    def __init__(self) -> None:
        super().__init__("BINANCE")
        self.books = 0

    @override
    def on_book(self, book: OrderBookData) -> None:
        """One more."""
        self.books += 1


def book() -> OrderBook:
    """An empty one, as the adapter makes it: 20 levels are delivered."""
    return OrderBook("ETHUSDT", "BINANCE", BookReach())


def update(side: dict[float, float], changes: list[Level]) -> None:
    """The least that a client can do with a frame's levels."""
    for price, size in changes:
        if size:
            side[price] = size
        else:
            side.pop(price, None)


def bare(recorded: RecordedBook) -> int:
    """Decoder and dicts."""
    bids, asks = dict(recorded.snapshot.bids), dict(recorded.snapshot.asks)
    for frame in recorded.frames:
        data = decode_depth(frame).data
        update(bids, data.bids)
        update(asks, data.asks)
    return len(recorded.frames)


def alone(recorded: RecordedBook) -> int:
    """Decoder and book; what is delivered is made, and dropped."""
    kept = book()
    kept.load(recorded.snapshot)
    for frame in recorded.frames:
        data = decode_depth(frame).data
        kept.apply(to_diff(data, 1))
        kept.item(Source.STREAM, data.event_time, 1)
    return len(recorded.frames) * kept.is_valid


def lane(recorded: RecordedBook) -> int:
    """As the adapter does it, from the frame to the callback."""
    count, door, order = Count(), RecordingDoor(), BookOrder(book)
    order.load(recorded.snapshot)
    order.is_live = True
    door.accept_diff = order.accept  # type: ignore[method-assign]  # -- as LaneDoor binds it: no call between
    handle = BinanceStreams((), count, lambda _symbol: lambda *_: None).handler(KEY, "ethusdt@depth@100ms", door)
    for frame in recorded.frames:
        handle(frame, 1)
    return count.books + len(door.given)  # the two frames that the snapshot holds already are handed over


def cost(run: Callable[[RecordedBook], int], recorded: RecordedBook) -> float:
    """Microseconds a frame."""
    gc.collect()
    begun = time.thread_time_ns()
    delivered = run(recorded)
    spent = time.thread_time_ns() - begun
    if delivered != len(recorded.frames):
        raise RuntimeError(f"{run.__name__}: {delivered} of {len(recorded.frames)} frames delivered")
    return spent / len(recorded.frames) / 1_000


def print_costs(rounds: int, target: float) -> bool:
    """A line each; whether the lane keeps to the target."""
    recorded = recorded_book()
    changes = sum(len(diff.bids) + len(diff.asks) for diff in recorded.diffs) / len(recorded.diffs)
    print(f"{len(recorded.frames):,} recorded frames of {changes:.0f} changed levels on average, {rounds} rounds")
    rows = [(cost(bare, recorded), cost(alone, recorded), cost(lane, recorded)) for _ in range(rounds)]
    for name, column in (("bare", 0), ("book", 1), ("lane", 2)):
        costs = [row[column] for row in rows]
        ratios = [row[column] / row[0] for row in rows]
        print(
            f"{name:<5} {statistics.median(costs):6.2f} us a frame   ratio {statistics.median(ratios):.2f} "
            f"(from {min(ratios):.2f} to {max(ratios):.2f})" + (f", target {target:g}" if name == "lane" else "")
        )
    return statistics.median(row[2] / row[0] for row in rows) <= target


def filled(rng: random.Random) -> OrderBook:
    """A book of 1,000 levels a side, from a REST answer's text."""
    middle = rng.uniform(1, 100_000)
    sides = [
        [[f"{middle * (1 + sign * number / 100_000):.8f}", f"{rng.uniform(0, 100):.8f}"] for number in range(1, LEVELS + 1)]
        for sign in (-1, 1)
    ]
    text = msgspec.json.encode({"lastUpdateId": 1, "bids": sides[0], "asks": sides[1]})
    made = book()
    made.load(to_depth(msgspec.json.decode(text, type=DepthBody, strict=False), LEVELS, 0, 0))
    return made


def print_memory() -> bool:
    """What 200 books hold; whether it is little enough."""
    rng = random.Random(1)
    tracemalloc.start()
    books = [filled(rng) for _ in range(BOOKS)]
    held = tracemalloc.get_traced_memory()[0] / MIB
    tracemalloc.stop()
    levels = sum(len(each.bids) + len(each.asks) for each in books)
    print(f"{BOOKS} books with {levels:,} levels in all: {held:.1f} MiB, at most {MOST_MIB:g}")
    return held <= MOST_MIB and levels == 2 * LEVELS * BOOKS


def main() -> int:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of all three (default 9)")
    parser.add_argument("--target", type=float, default=2.5, help="highest ratio of lane to bare that passes (default 2.5)")
    given = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    passes = print_memory()
    if not FILES[0].exists():
        print("the recorded frames (../shared/data) are not beside this checkout: the cost of a frame was not measured")
        return int(not passes)
    return int(not (print_costs(given.rounds, given.target) and passes))


if __name__ == "__main__":
    sys.exit(main())
