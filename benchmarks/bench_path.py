"""What Foxtrot costs on top of a bare client: the same frames through both, in one run, at full speed.

Bare: picows, msgspec's typed decoding, number strings as floats, a counter. Foxtrot: the adapter as users run it, up to a handler
registered under the symbol's key, on the event thread. CPU is the whole process's, per delivered message. The venue is a
process of its own; each client runs in a fresh process, bare and Foxtrot in turn.

Two ways of sending. One by one: each frame in a write of its own, as a venue sends them; a client that is faster than the
sender then pays for many small reads. In bursts: 50 frames a write, so that reading costs next to nothing and what remains is
the path alone: the hardest comparison. The target is held against the first; the second is printed beside it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import path_server  # beside this file
from typing_extensions import override

ROOT = Path(__file__).resolve().parent.parent
SYMBOLS = [f"S{number:02d}USDT" for number in range(20)]
WAIT = 120.0
SENDING = {1: "one by one", 50: "in bursts"}


@contextlib.contextmanager
def venue(kind: str, count: int, burst: int) -> Iterator[dict[str, int]]:
    """The venue's process, and its ports."""
    command = [sys.executable, str(ROOT / "benchmarks" / "path_server.py"), kind, str(count), str(burst)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate(b"")


def tell_to_go(ports: dict[str, int]) -> None:
    """The blast begins."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['rest']}/go", timeout=10) as response:
        response.read()


def bare(kind: str, count: int, ports: dict[str, int]) -> dict[str, float]:
    """The least that a Python client can do with these frames."""
    import uvloop
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    from foxtrot.adapter.binance import stream_feed

    decode: Callable[[bytes], Any] = stream_feed._trade if kind == "trades" else stream_feed._book_ticker
    warm = len(SYMBOLS)

    class Counter(WSListener):
        seen = 0
        done: asyncio.Event

        @override
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type is WSMsgType.TEXT:
                decode(frame.get_payload_as_bytes())
                self.seen += 1
                if self.seen == warm + count:
                    self.done.set()

    async def run() -> dict[str, float]:
        counter = Counter()
        counter.done = asyncio.Event()
        transport, _ = await ws_connect(lambda: counter, f"ws://127.0.0.1:{ports['stream']}/stream?streams=x@trade")
        await asyncio.sleep(0.5)
        await asyncio.to_thread(tell_to_go, ports)
        cpu, wall = time.process_time(), time.perf_counter()
        async with asyncio.timeout(WAIT):
            await counter.done.wait()
        figures = {"delivered": counter.seen - warm, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        transport.disconnect()
        return figures

    return uvloop.run(run())


def foxtrot(kind: str, count: int, ports: dict[str, int]) -> dict[str, float]:
    """The product, as users run it."""
    from foxtrot.adapter.binance import BinanceAdapter
    from foxtrot.core.event import Event
    from foxtrot.core.event_engine import EventEngine
    from foxtrot.server.engine import MainEngine
    from foxtrot.util.constants import Exchange, LaneState
    from foxtrot.util.event_type import EVENT_PUBLIC_TRADE, EVENT_TICK
    from foxtrot.util.object import SubscribeRequest

    channel, event_type = ("trades", EVENT_PUBLIC_TRADE) if kind == "trades" else ("tick", EVENT_TICK)
    seen = 0

    def handler(_: Event) -> None:
        nonlocal seen
        seen += 1

    with tempfile.TemporaryDirectory() as folder:
        flags = Path(folder) / "flags.toml"
        flags.write_text('schema = 1\n[defaults]\ntransport = "streaming"\n# end of flags\n')
        engine = MainEngine(EventEngine())
        adapter = engine.add_adapter(BinanceAdapter, "BINANCE")
        for symbol in SYMBOLS:
            engine.event_engine.register(f"{event_type}{symbol}.BINANCE", handler)
        setting = {
            "environment": "sandbox",
            "rest_url": f"http://127.0.0.1:{ports['rest']}",
            "stream_url": f"ws://127.0.0.1:{ports['stream']}",
            "flags": str(flags),
            "state_dir": str(Path(folder) / "state"),
        }
        engine.connect(setting, "BINANCE")
        for symbol in SYMBOLS:
            engine.subscribe(SubscribeRequest(symbol=symbol, exchange=Exchange.BINANCE, channels=(channel,)), "BINANCE")
        settle(lambda: bool(adapter.lanes()) and all(lane.state is LaneState.STREAMING for lane in adapter.lanes()), 30.0)
        if not all(lane.state is LaneState.STREAMING for lane in adapter.lanes()):
            engine.close()
            raise RuntimeError(f"not every lane streams: {[(lane.key, lane.state, lane.reason) for lane in adapter.lanes()]}")
        settle(lambda: engine.event_engine.stats().waiting_market == 0)
        before, lanes_before = seen, sum(lane.delivered for lane in adapter.lanes())
        tell_to_go(ports)
        cpu, wall = time.process_time(), time.perf_counter()
        settle(lambda: seen - before + engine.event_engine.stats().conflated >= count)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        stats = engine.event_engine.stats()
        delivered = seen - before
        accepted = sum(lane.delivered for lane in adapter.lanes()) - lanes_before
        engine.close()
    return {
        "delivered": delivered,
        "accepted": accepted,
        "cpu": cpu,
        "wall": wall,
        "holds": stats.holds,
        "conflated": stats.conflated,
        "high_water": stats.high_water_market,
    }


def settle(condition: Callable[[], bool], seconds: float = WAIT) -> None:
    """Waits in the main thread, which costs next to nothing, until a condition holds, or so long at most."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def stages(kind: str, rounds: int = 100_000) -> dict[str, float]:
    """Microseconds of each stage alone, on the product's own functions."""
    from foxtrot.adapter.binance import stream_feed
    from foxtrot.util.event_type import EVENT_PUBLIC_TRADE, EVENT_TICK

    make = path_server.trade if kind == "trades" else path_server.book_ticker
    frames = [make("S00USDT", number, path_server.now_ms()) for number in range(1000)]
    decode: Callable[[bytes], Any] = stream_feed._trade if kind == "trades" else stream_feed._book_ticker
    map_one, lane_one, value = _trade_stages(decode(frames[0]).data) if kind == "trades" else _quote_stages()
    queue, dispatch = _event_stages(EVENT_PUBLIC_TRADE if kind == "trades" else EVENT_TICK, value)
    return {
        "decode": _per_call(lambda number: decode(frames[number % 1000]), rounds),
        "map": _per_call(map_one, rounds),
        "lane": _per_call(lane_one, rounds),
        "queue (event, put)": queue,
        "dispatch (take, two keys, call)": dispatch,
    }


Stage = Callable[[int], object]


def _trade_stages(row: Any) -> tuple[Stage, Stage, object]:
    from foxtrot.adapter.binance.binance_mappings import EXCHANGE
    from foxtrot.transport.base import Cursor
    from foxtrot.transport.ordering import IdOrder
    from foxtrot.util.constants import Source
    from foxtrot.util.object import PublicTradeData

    order = IdOrder(Cursor(-1, -1))
    order.open()

    def map_one(_: int) -> PublicTradeData:
        return PublicTradeData(
            "S00USDT", EXCHANGE, "BINANCE", Source.STREAM, row.time * 1_000_000, 1, row.id, row.price, row.quantity, True
        )

    return map_one, lambda number: order.accept(number, number, 1), map_one(0)


def _quote_stages() -> tuple[Stage, Stage, object]:
    from foxtrot.adapter.binance.tick_composer import TickComposer
    from foxtrot.transport.audit import QuoteAudit
    from foxtrot.transport.base import Quote, Stats
    from foxtrot.transport.quote_order import QuoteOrder

    order = QuoteOrder(QuoteAudit().note)
    order.open(Quote(0, 1, 1, 2, 1, 1))
    made: deque[object] = deque(maxlen=1)
    composer = TickComposer("BINANCE", "S00USDT", "S00/USDT", made.append)
    composer.stats(Stats(1, 1, (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), 1))
    levels = (1.0, 1.0, 2.0, 1.0)
    composer.stream_quote(1, levels, 1)
    return lambda number: composer.stream_quote(number, levels, 1), lambda number: order.accept(number + 1, levels, 1), made[0]


def _event_stages(event_type: str, data: object, rounds: int = 9_000) -> tuple[float, float]:
    """One filling and one draining of the queue, short of where it conflates."""
    from foxtrot.core.event import Event
    from foxtrot.core.event_engine import EventEngine

    engine = EventEngine()
    handled = threading.Event()
    count = 0

    def handler(_: Event) -> None:
        nonlocal count
        count += 1
        if count == rounds:
            handled.set()

    engine.register(event_type + "S00USDT.BINANCE", handler)
    begun = time.process_time()
    for _ in range(rounds):
        engine.put(Event(event_type, data))
    queue = (time.process_time() - begun) / rounds * 1e6
    begun = time.process_time()
    engine.start()
    handled.wait(WAIT)
    dispatch = (time.process_time() - begun) / rounds * 1e6
    engine.stop()
    return queue, dispatch


def _per_call(call: Callable[[int], object], rounds: int) -> float:
    begun = time.process_time()
    for number in range(rounds):
        call(number)
    spent = time.process_time() - begun
    begun = time.process_time()
    for _ in range(rounds):
        pass
    return (spent - (time.process_time() - begun)) / rounds * 1e6


def in_fresh_process(client: str, kind: str, count: int, burst: int) -> dict[str, float]:
    """One client against one venue, each in a process of its own."""
    with venue(kind, count, burst) as ports:
        command = [
            sys.executable,
            __file__,
            "--client",
            client,
            "--kind",
            kind,
            "--count",
            str(count),
            "--ports",
            json.dumps(ports),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(kind: str, count: int, burst: int, runs: int) -> dict[str, Any]:
    """Both clients in turn; the ratio of each pair."""
    pairs = []
    for number in range(runs):
        pair = {client: in_fresh_process(client, kind, count, burst) for client in ("bare", "foxtrot")}
        pairs.append(pair)
        costs = {client: figures["cpu"] / count * 1e6 for client, figures in pair.items()}
        print(
            f"  {kind} {SENDING[burst]}, run {number + 1}/{runs}: "
            f"bare {costs['bare']:.2f} us, foxtrot {costs['foxtrot']:.2f} us a message, "
            f"ratio {costs['foxtrot'] / costs['bare']:.2f}; delivered {pair['foxtrot']['delivered']:.0f} of {count}, "
            f"most waiting {pair['foxtrot']['high_water']:.0f}, "
            f"holds {pair['foxtrot']['holds']:.0f}, conflated {pair['foxtrot']['conflated']:.0f}",
            flush=True,
        )
    ratios = [pair["foxtrot"]["cpu"] / pair["bare"]["cpu"] for pair in pairs]
    return {
        "bare_us": statistics.median(pair["bare"]["cpu"] / count * 1e6 for pair in pairs),
        "foxtrot_us": statistics.median(pair["foxtrot"]["cpu"] / count * 1e6 for pair in pairs),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "delivered": [pair["foxtrot"]["delivered"] for pair in pairs],
    }


def main() -> int:
    """Prints the comparison; exit status 1 when anything was lost or the ratio is above the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000, help="messages (default 200000)")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs; the median counts (default 3)")
    parser.add_argument("--target", type=float, default=2.0, help="highest ratio that passes (default 2.0)")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--kind", choices=("trades", "quotes"), help="only this kind")
    parser.add_argument("--client", choices=("bare", "foxtrot"), help=argparse.SUPPRESS)
    parser.add_argument("--ports", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        client = bare if given.client == "bare" else foxtrot
        print(json.dumps(client(given.kind, given.count, given.ports)))
        return 0
    print(
        f"{given.count} messages of 20 symbols at full speed; "
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores"
    )
    results: dict[str, dict[str, Any]] = {}
    passes = True
    for kind in [given.kind] if given.kind else ["trades", "quotes"]:
        for burst, sending in SENDING.items():
            found = compare(kind, given.count, burst, given.runs)
            results.setdefault(kind, {})[sending] = found
            cost = f"bare {found['bare_us']:.2f} us, foxtrot {found['foxtrot_us']:.2f} us, ratio {found['ratio']:.2f}"
            print(
                f"{kind} {sending}: {cost}" + (f" (target {given.target})" if (kind, burst) == ("trades", 1) else ""), flush=True
            )
            if kind == "trades":
                passes &= set(found["delivered"]) == {given.count} and (burst > 1 or found["ratio"] <= given.target)
        results[kind]["stages_us"] = cost_of = stages(kind)
        print("  stages alone: " + ", ".join(f"{name} {cost:.2f} us" for name, cost in cost_of.items()), flush=True)
    if given.out:
        given.out.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
