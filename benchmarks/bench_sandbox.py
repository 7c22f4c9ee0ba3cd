"""Loads the embedded exchange: 50 connections that each read the trades of 20 busy symbols, 20,000 messages a second in all.

Prints what was delivered, whether any sequence of ids broke, how late messages were, and what it cost the exchange in CPU
and memory.
"""

import argparse
import asyncio
import dataclasses
import os
import sys
from pathlib import Path

import picows
from typing_extensions import override

from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.system_clock import SystemClock

SYMBOLS = 20
TARGET_PER_S = 20_000
BUSY = 20.0
"""How much livelier than by default the market must be for 20,000 messages a second."""

KEEP = 1_000
"""Trades kept per symbol: reached within the first minute, so that memory which grows after it would be a leak, not history."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1_024


@dataclasses.dataclass
class Tally:
    """What all connections received."""

    messages: int = 0
    octets: int = 0
    breaks: int = 0
    lags_ms: list[float] = dataclasses.field(default_factory=list)


class Reader(picows.WSListener):
    """One connection: checks that the trade ids of each symbol follow each other."""

    def __init__(self, tally: Tally, clock: SystemClock) -> None:
        super().__init__()
        self._tally = tally
        self._clock = clock
        self._last: dict[bytes, int] = {}

    @override
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Counts a trade."""
        del transport
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        text = frame.get_payload_as_bytes()
        tally = self._tally
        tally.messages += 1
        tally.octets += len(text)
        at = text.index(b'"s":"') + 5
        symbol = text[at : text.index(b'"', at)]
        at = text.index(b'"t":', at) + 4
        trade_id = int(text[at : text.index(b",", at)])
        if self._last.get(symbol, trade_id - 1) != trade_id - 1:
            tally.breaks += 1
        self._last[symbol] = trade_id
        if not tally.messages % 500:
            at = text.index(b'"E":') + 4
            tally.lags_ms.append(self._clock.now_ns() / 1e6 - int(text[at : at + 13]))


@dataclasses.dataclass(frozen=True)
class Cost:
    """CPU seconds and resident memory (KiB) of a process."""

    cpu_s: float
    rss_kib: int


def cost_of(pid: int) -> Cost:
    """Reads /proc; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return Cost((int(fields[11]) + int(fields[12])) / _TICKS_PER_S, int(fields[21]) * _PAGE_KIB)


async def load(sandbox: Sandbox, connections: int, seconds: float) -> Tally:
    """Opens the connections, reads for a while, prints a line every tenth part of it."""
    clock, tally = SystemClock(), Tally()
    symbols = [str(name).lower() for name in sandbox.status()["symbols"]]
    url = f"{sandbox.stream_url}/stream?streams=" + "/".join(f"{name}@trade" for name in symbols)
    transports = []
    for _ in range(connections):
        transport, _ = await picows.ws_connect(lambda: Reader(tally, clock), url)
        transports.append(transport)
    await clock.sleep(1.0)
    tally.messages = tally.octets = 0
    tally.lags_ms.clear()
    before = cost_of(sandbox.pid)
    print(f"{'s':>6} {'messages/s':>11} {'CPU %':>6} {'RSS MiB':>8}")
    for part in range(10):
        messages, start = tally.messages, cost_of(sandbox.pid)
        await clock.sleep(seconds / 10)
        now = cost_of(sandbox.pid)
        span = seconds / 10
        rate = (tally.messages - messages) / span
        print(f"{(part + 1) * span:6.0f} {rate:11,.0f} {(now.cpu_s - start.cpu_s) / span * 100:6.1f} {now.rss_kib / 1_024:8.1f}")
    after = cost_of(sandbox.pid)
    report(tally, before, after, seconds)
    for transport in transports:
        transport.disconnect()
    return tally


def report(tally: Tally, before: Cost, after: Cost, seconds: float) -> None:
    """The summary."""
    lags = sorted(tally.lags_ms)
    cpu_s = after.cpu_s - before.cpu_s
    print(f"delivered   {tally.messages:,} messages, {tally.messages / seconds:,.0f} a second (target {TARGET_PER_S:,})")
    print(f"sequences   {tally.breaks} broken")
    if lags:
        print(f"lateness    p50 {lags[len(lags) // 2]:.1f} ms, p99 {lags[int(len(lags) * 0.99)]:.1f} ms (sampled)")
    print(f"CPU         {cpu_s / seconds * 100:.0f} % of one core, {cpu_s / max(1, tally.messages) * 1e6:.1f} us a message")
    print(f"memory      {before.rss_kib / 1_024:.1f} MiB at the start, {after.rss_kib / 1_024:.1f} MiB at the end")


def main() -> int:
    """0 when the target was reached and nothing broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0, help="600 shows whether memory stays flat")
    parser.add_argument("--activity", type=float, default=BUSY, help="how much livelier than by default the agents are")
    found = parser.parse_args()
    with launch(symbols=SYMBOLS, activity=found.activity, keep=KEEP) as sandbox:
        tally = asyncio.run(load(sandbox, found.connections, found.seconds))
        total = sandbox.violations()["total"]
        print(f"violations  {total}")
    return int(tally.breaks > 0 or total > 0 or tally.messages / found.seconds < TARGET_PER_S)


if __name__ == "__main__":
    sys.exit(main())
