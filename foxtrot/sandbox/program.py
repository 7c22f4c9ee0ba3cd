"""The exchange as a program: options from the command line, one JSON line on stdout, a clean end."""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

from foxtrot.sandbox.exchange import HOST, Exchange, Options
from foxtrot.sandbox.listings import DEFAULT_COUNT, MAX_COUNT
from foxtrot.sandbox.tape import CAPACITY, MIN_KEEP
from foxtrot.util.errors import ConfigError
from foxtrot.util.system_clock import SystemClock

FAILED = 1
WRONG_USE = 2
MAX_PORT = 65_535


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message}; see: {self.prog} --help\n")


def main(argv: Sequence[str], prog: str = "python -m foxtrot.sandbox") -> int:
    """Runs the exchange until it is told to end; returns the exit code."""
    options, is_child = parse(argv, prog)
    try:
        _run(options, is_child=is_child)
    except ConfigError as error:
        _tell(str(error))
        return WRONG_USE
    except OSError as error:
        _tell(f"cannot listen on {HOST}:{options.port}: {error.strerror or error}; choose another --port")
        return FAILED
    except KeyboardInterrupt:
        return 0
    return 0


def parse(argv: Sequence[str], prog: str) -> tuple[Options, bool]:
    """The options, and whether the program ends with its stdin. Exits with 2 on wrong use."""
    parser = _Parser(prog=prog, description="An exchange on loopback that speaks Binance spot.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same market")
    parser.add_argument("--symbols", type=int, default=DEFAULT_COUNT, help=f"how many symbols to list, at most {MAX_COUNT}")
    parser.add_argument("--activity", type=_positive, default=1.0, help="how often agents act, as a multiple")
    parser.add_argument(
        "--replay", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help="play recorded frames instead"
    )
    parser.add_argument("--speed", type=_positive, default=1.0, help="how fast a recording is played")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="how fast the exchange's own clock runs (for tests)")
    parser.add_argument(
        "--start-ms", type=int, default=None, help="where the market's clock starts (milliseconds since 1970); now if absent"
    )
    parser.add_argument("--no-past", action="store_true", help="open with nothing ever traded, instead of a day's past")
    parser.add_argument("--keep", type=int, default=CAPACITY, help="trades kept per symbol of the agents' market")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when stdin closes (for a parent process)")
    found = parser.parse_args(argv)
    if not 0 <= found.port <= MAX_PORT:
        parser.error(f"--port is between 0 and {MAX_PORT}; found {found.port}")
    if not 1 <= found.symbols <= MAX_COUNT:
        parser.error(f"--symbols is between 1 and {MAX_COUNT}; found {found.symbols}")
    if not MIN_KEEP <= found.keep <= CAPACITY:
        parser.error(f"--keep is between {MIN_KEEP} and {CAPACITY}; found {found.keep}")
    options = Options(
        port=found.port,
        seed=found.seed,
        symbols=found.symbols,
        activity=found.activity,
        time_scale=found.time_scale,
        speed=found.speed,
        replay=tuple(found.replay),
        has_past=not found.no_past,
        keep=found.keep,
        start_us=None if found.start_ms is None else found.start_ms * 1_000,
    )
    return options, found.until_stdin_closes


def _run(options: Options, *, is_child: bool) -> None:
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 -- not on every platform

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(options, is_child=is_child))


async def _serve(options: Options, *, is_child: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, ended.set)
    exchange = Exchange(options, SystemClock())
    await exchange.start()
    gc.collect()
    gc.freeze()  # what stands now stays: each later search for garbage looks at what has come since, and is short
    sys.stdout.write(json.dumps(addresses(exchange)) + "\n")
    sys.stdout.flush()
    if options.replay and not is_child:
        _tell(_what_is_played(exchange))
    watch = asyncio.create_task(_watch_stdin(ended), name="sandbox.stdin") if is_child else None
    try:
        await ended.wait()
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await exchange.stop()
        _report(exchange)


def addresses(exchange: Exchange) -> dict[str, object]:
    """What the line on stdout says."""
    port = exchange.port
    return {
        "port": port,
        "rest": f"http://{HOST}:{port}",
        "stream": f"ws://{HOST}:{port}",
        "ws_api": f"ws://{HOST}:{port}/ws-api/v3",
        "seed": exchange.options.seed,
        "pid": os.getpid(),
    }


async def _watch_stdin(ended: asyncio.Event) -> None:
    """Ends the program once the parent has gone."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while await reader.read(1_024):
            pass
    finally:
        transport.close()
        ended.set()


def _what_is_played(exchange: Exchange) -> str:
    said = exchange.source.describe()
    streams = said["recorded_streams"]
    names = ", ".join(map(str, streams)) if isinstance(streams, list) else ""
    return f"recorded: {names}; {said['derived']}"


def _report(exchange: Exchange) -> None:
    counts = exchange.violations.counts
    if counts:
        _tell("violations of the limits by clients: " + ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())))


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number above 0; found {text}")
    return value


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
