"""A long run over real sockets at 2,000 messages a second with a fault every 30 s: does anything grow?"""

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from foxtrot.adapter.binance import BinanceAdapter
from foxtrot.core.event_engine import EventEngine
from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.server.engine import MainEngine
from foxtrot.transport.kill_file import REVIVE
from foxtrot.util.constants import Exchange
from foxtrot.util.object import SubscribeRequest
from foxtrot.util.system_clock import SystemClock
from tests.chaos.soak_watch import Minute, Tally, descriptors, growth_per_hour, rss_mib, tasks, threads
from tests.chaos.truth import Asker

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
SYMBOLS: Final = 40
ACTIVITY: Final = 18.0
EVERY: Final = 30.0
KEEP: Final = 20_000
"""Trades that the exchange keeps of each symbol: more than are traded while a lane is polled."""

LAST_FAULT: Final = 60.0
"""Before the end nothing goes wrong for so long: what was lost is to be whole by then."""

_WARM_UP: Final = 0.2
_GROWTH: Final = 0.01
_LEAST_GROWTH_MIB: Final = 2.0
_MORE: Final = 3
_TARGET_RATE: Final = 2_000
_JUDGED_FROM: Final = 10

Strike = Callable[[Sandbox, str, random.Random], str]
"""Commits a fault that ends by itself; says which."""


def _of_symbol(fault: str, share: float | None = None, **params: float) -> Strike:
    def strike(box: Sandbox, symbol: str, rng: random.Random) -> str:
        seconds = rng.uniform(3, 12)
        box.chaos(fault, symbol, seconds, share, None, **params)
        return f"{fault} {symbol} {seconds:.0f} s"

    return strike


def _of_rest(fault: str, **params: float) -> Strike:
    def strike(box: Sandbox, _symbol: str, rng: random.Random) -> str:
        seconds = rng.uniform(2, 6)
        box.chaos(fault, None, seconds, None, None, **params)
        return f"{fault} {seconds:.0f} s"

    return strike


def _of_lines(fault: str, **params: float) -> Strike:
    """About half of the connections; each symbol has two."""

    def strike(box: Sandbox, _symbol: str, _rng: random.Random) -> str:
        box.chaos(fault, None, None, 0.5, None, **params)
        return f"{fault} on half of the connections"

    return strike


def _cut_off(box: Sandbox, _symbol: str, _rng: random.Random) -> str:
    box.chaos("upgrade-status", None, 6.0, None, None, status=503)
    box.chaos("reset")
    return "reset of all connections, 6 s of 503"


_FAULTS: Final[tuple[tuple[int, Strike], ...]] = (
    (4, _of_symbol("mute")),
    (3, _of_symbol("delay", ms=1_500)),
    (3, _of_symbol("drop", one_in=20)),
    (2, _of_symbol("duplicate")),
    (2, _of_symbol("reorder", share=0.3)),
    (2, _of_symbol("malformed", share=0.2)),
    (1, _of_symbol("wrong-symbol")),
    (1, _of_symbol("binary")),
    (2, _of_rest("rest-slow", ms=800)),
    (2, _of_rest("rest-5xx")),
    (1, _of_rest("rest-429", retry_after=3)),
    (1, _of_rest("rest-down")),
    (2, _of_lines("close")),
    (2, _of_lines("reset")),
    (1, _of_lines("server-shutdown", lead=5)),
    (1, _cut_off),
)


class Soak:
    """The run."""

    def __init__(self, minutes: float, seed: int, folder: Path, box: Sandbox) -> None:
        self._seconds, self._rng, self._folder, self._box = minutes * 60, random.Random(seed), folder, box
        clock = SystemClock()
        self.tally = Tally(clock)
        self.minutes: list[Minute] = []
        self.engine = MainEngine(EventEngine(clock))
        self.adapter = self.engine.add_adapter(BinanceAdapter, "BINANCE")
        self.engine.event_engine.register_general(self.tally.take)
        self._faults = 0
        self._pause = threading.Event()

    def run(self) -> None:
        """Connects, strikes and watches until the time is over."""
        self._connect()
        begun = minute_begun = time.monotonic()
        handled, next_fault = self.tally.handled, begun + EVERY
        for number in count(1):
            due = min(begun + number * 60, begun + self._seconds)
            while (now := time.monotonic()) < due:
                if now >= next_fault and now < begun + self._seconds - LAST_FAULT:
                    self._strike()
                    next_fault += EVERY
                self._pause.wait(min(0.2, max(0.0, due - now)))
            now = time.monotonic()
            self._look(number, (self.tally.handled - handled) / max(now - minute_begun, 1e-3))
            handled, minute_begun = self.tally.handled, now
            if due >= begun + self._seconds:
                return

    def _connect(self) -> None:
        flags = self._folder / "flags.toml"
        flags.write_text('schema = 1\n[defaults]\ntransport = "streaming"\nlines = 2\n# end of flags\n', encoding="utf-8")
        setting = {"environment": "sandbox", "flags": str(flags), "state_dir": str(self._folder / "state")}
        urls = {"rest_url": self._box.rest_url, "stream_url": self._box.stream_url}
        self.engine.connect({**setting, **urls}, "BINANCE")
        asker = Asker(self._box, "127.0.0.9")
        self._symbols = [str(row["symbol"]) for row in asker.get("ticker/price")]
        asker.close()
        for symbol in self._symbols:
            wanted = SubscribeRequest(symbol=symbol, exchange=Exchange.BINANCE, channels=("tick", "trades", "agg_trades"))
            self.engine.subscribe(wanted, "BINANCE")
        deadline = time.monotonic() + 60
        while self.tally.streaming < 3 * len(self._symbols) and time.monotonic() < deadline:
            self._pause.wait(0.1)
        _tell(f"{self.tally.streaming} of {3 * len(self._symbols)} lanes stream")

    def _strike(self) -> None:
        weights = [weight for weight, _ in _FAULTS]
        strike = self._rng.choices([fault for _, fault in _FAULTS], weights)[0]
        said = strike(self._box, self._rng.choice(self._symbols), self._rng)
        self._faults += 1
        _tell(f"fault {self._faults}: {said}")
        if self._faults % 10 == 0:  # by hand, as an operator would: lanes in quarantine try their streams again
            (self._folder / "state" / "sandbox" / REVIVE).write_text("*\n", encoding="utf-8")

    def _look(self, number: int, rate: float) -> None:
        tally = self.tally
        minute = Minute(
            minute=number,
            rss_mib=rss_mib(os.getpid()),
            child_mib=rss_mib(self._box.pid),
            tasks=tasks(self.adapter._loop_thread),
            threads=threads(),
            descriptors=descriptors(),
            rate=rate,
            age_ms=tally.fresh_ages().quantile_ms(0.99) or 0.0,
            gaps=tally.gaps,
            missing=tally.missing + tally.forgotten,
            duplicates=tally.duplicates,
            streaming=tally.streaming,
            falls=tally.falls,
        )
        self.minutes.append(minute)
        _tell(_line(minute))


_HEAD: Final = "   min   RSS MiB  child MiB  tasks  threads  fds  events/s  age p99 ms  gaps  missing  twice  streaming  falls"


def _line(m: Minute) -> str:
    return (
        f"{m.minute:>6} {m.rss_mib:>9.1f} {m.child_mib:>10.1f} {m.tasks:>6} {m.threads:>8} {m.descriptors:>4} {m.rate:>9,.0f} "
        f"{m.age_ms:>11.1f} {m.gaps:>5} {m.missing:>8} {m.duplicates:>6} {m.streaming:>10} {m.falls:>6}"
    )


def verdict(minutes: Sequence[Minute], violations: int) -> tuple[list[str], list[str]]:
    """What was found, and what of it is out of bounds; growth is judged over what follows the warm-up."""
    last = minutes[-1]
    settled = list(minutes[int(len(minutes) * _WARM_UP) :])
    numbers = [m.minute for m in settled]
    found, wrong = [], []
    rss, child = [m.rss_mib for m in settled], [m.child_mib for m in settled]
    growth = growth_per_hour(rss, numbers)
    found.append(f"RSS: {rss[0]:.1f} MiB to {rss[-1]:.1f} MiB, slope {growth:+.2f} MiB an hour")
    if len(settled) >= _JUDGED_FROM and growth > max(_GROWTH * rss[0], _LEAST_GROWTH_MIB):
        wrong.append(f"RSS grows by {growth:.2f} MiB an hour")
    found.append(
        f"RSS of the exchange: {child[0]:.1f} MiB to {child[-1]:.1f} MiB, until its tape holds {KEEP:,} trades of each symbol"
    )
    half = len(settled) // 2 or 1
    for name, counts in (
        ("tasks", [m.tasks for m in settled]),
        ("threads", [m.threads for m in settled]),
        ("descriptors", [m.descriptors for m in settled]),
    ):
        first, second = counts[:half], counts[half:] or counts
        usual, later = statistics.median(first), statistics.median(second)
        found.append(f"{name}: {usual:g}, later {later:g}; at most {max(first)}, later {max(second)}")
        if later > usual + _MORE:  # not by the most: what is under way after a cut of everything is no growth
            wrong.append(f"{name} grow")
    rate = sum(m.rate for m in minutes) / len(minutes)
    found.append(f"events: {rate:,.0f} a second on average (target {_TARGET_RATE:,})")
    found.append(f"ids: {last.gaps} gaps, {last.missing} never came, {last.duplicates} twice; {last.falls} falls")
    for count_, what in ((last.missing, "ids never came"), (last.duplicates, "ids came twice"), (violations, "limits broken")):
        if count_:
            wrong.append(f"{count_} {what}")
    if rate < _TARGET_RATE:
        wrong.append(f"only {rate:,.0f} events a second")
    if len(settled) < _JUDGED_FROM:
        found.append("too short for a word on the slope of the memory")
    return found, wrong


def main(argv: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="of the market and of the faults")
    parser.add_argument("--activity", type=float, default=ACTIVITY, help="how lively the market is")
    options = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        launch(seed=options.seed, symbols=SYMBOLS, activity=options.activity, keep=KEEP) as box,
    ):
        soak = Soak(options.minutes, options.seed, Path(folder), box)
        _tell(_HEAD)
        try:
            soak.run()
            violations = box.violations()
        finally:
            soak.engine.close()
    found, wrong = verdict(soak.minutes, violations["total"])
    head = (
        f"make soak: {options.minutes:g} minutes, seed {options.seed}, {SYMBOLS} symbols x 3 channels, lines = 2, "
        f"a fault every {EVERY:g} s; {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    )
    lines = [head, "", _HEAD, *(_line(m) for m in soak.minutes), "", *found, *(f"! {each}" for each in wrong)]
    lines.append("verdict: " + ("flat, whole" if not wrong else "OUT OF BOUNDS"))
    if violations["counts"]:
        lines.append(f"limits: {violations['counts']}")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.txt").write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
