"""Ten real minutes of Binance ETHUSDT, replayed over real sockets into the adapter, up to a handler."""

import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from foxtrot.sandbox.launcher import launch
from foxtrot.util.constants import LaneState, Source
from tests.support.engine_run import EngineRun, Seen, engine_run, eventually, flags_text, streamed

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = [DATA / "ethusdt_20240808.gz", DATA / "ethusdt_20240809.gz"]
SPEED = 15.0
SYMBOL = "ETHUSDT"

Frames = dict[str, list[dict[str, Any]]]

pytestmark = [
    pytest.mark.recording,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not FILES[0].exists(), reason="the recorded frames (../shared/data) are not beside this checkout"),
]


class Played(NamedTuple):
    """What came of one replay: all that the handlers saw, and how often the exchange's limits were broken."""

    seen: Seen
    violations: int


@pytest.fixture(scope="module")
def frames() -> Frames:
    """The recording's own payloads, by kind of stream."""
    found: Frames = {"trade": [], "bookTicker": []}
    for path in FILES:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                frame = json.loads(line.split(" ", 1)[1])
                kind = frame.get("stream", "").partition("@")[2]
                if kind in found:
                    found[kind].append(frame["data"])
    return found


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory, frames: Frames) -> Iterator[dict[str, Future[Played]]]:
    """Three replays at the same time, each with an exchange and an engine of its own."""
    with ThreadPoolExecutor(len(WAYS)) as pool:
        yield {name: pool.submit(replay, tmp_path_factory.mktemp(name), frames, name) for name in WAYS}


def replay(folder: Path, frames: Frames, way: str) -> Played:
    """The recording from its beginning to its end."""
    transport, act = WAYS[way]
    with launch(replay=FILES, speed=SPEED) as box, engine_run(folder, box, flags_text({SYMBOL: transport})) as run:
        run.subscribe(SYMBOL, "tick", "trades")
        act(run, frames)
        await_the_end(run, frames)
        return Played(run.seen, box.violations()["total"])


def leave_it(run: EngineRun, frames: Frames) -> None:
    """The first decision stands."""


def switch_it(run: EngineRun, frames: Frames) -> None:
    """The other transport is decided whenever the last switch has taken effect."""
    last_id = frames["trade"][-1]["t"]
    for transport, state in itertools.cycle((("streaming", LaneState.STREAMING), ("polling", LaneState.POLLING))):
        run.set_flags(flags_text({SYMBOL: transport}))
        eventually(lambda state=state: run.seen.is_at(state, SYMBOL, "tick", "trades"), f"both lanes {state}")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        count = len(run.seen.trades[SYMBOL])
        eventually(lambda count=count: len(run.seen.trades[SYMBOL]) > count + 500 or _is_at(run, last_id), "some trades")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        if _is_at(run, last_id):
            return


WAYS: dict[str, tuple[str, Callable[[EngineRun, Frames], None]]] = {
    "streamed": ("streaming", leave_it),
    "polled": ("polling", leave_it),
    "switched": ("streaming", switch_it),
}


def await_the_end(run: EngineRun, recorded: Frames) -> None:
    """Waits until the last trade and the last quote have arrived."""
    last_id, last = recorded["trade"][-1]["t"], recorded["bookTicker"][-1]
    top = (float(last["b"]), float(last["B"]), float(last["a"]), float(last["A"]))
    eventually(lambda: _is_at(run, last_id), "the last recorded trade", 90)
    eventually(lambda: _top(run.seen) == top, "the last recorded quote")


def _is_at(run: EngineRun, trade_id: int) -> bool:
    return bool(run.seen.trades[SYMBOL]) and run.seen.trades[SYMBOL][-1].trade_id == trade_id


def _top(seen: Seen) -> tuple[float, float, float, float]:
    tick = seen.ticks[SYMBOL][-1]
    return (tick.bid_price_1, tick.bid_volume_1, tick.ask_price_1, tick.ask_volume_1)


def assert_every_trade(seen: Seen, recorded: list[dict[str, Any]]) -> None:
    """Every recorded trade has been delivered, once, in order, as it was."""
    delivered = [(t.trade_id, t.price, t.volume, t.is_buyer_maker, t.venue_time_ns) for t in seen.trades[SYMBOL]]
    assert delivered == [(t["t"], float(t["p"]), float(t["q"]), t["m"], t["T"] * 1_000_000) for t in recorded]
    assert len(delivered) == 14_515
    assert seen.gaps == []


def test_streaming_delivers_every_trade_and_every_quote_as_recorded(replays: dict[str, Future[Played]], frames: Frames) -> None:
    """Streamed: 14,515 trades once each, in order; from the join on, every quote, exactly."""
    seen, violations = replays["streamed"].result()
    assert_every_trade(seen, frames["trade"])
    quotes = [(t.update_id, t.bid_price_1, t.bid_volume_1, t.ask_price_1, t.ask_volume_1) for t in streamed(seen.ticks[SYMBOL])]
    recorded = [(q["u"], float(q["b"]), float(q["B"]), float(q["a"]), float(q["A"])) for q in frames["bookTicker"]]
    first = next(index for index, quote in enumerate(recorded) if quote[0] == quotes[0][0])
    assert quotes == recorded[first:]
    assert first < len(recorded) / 10  # nearly all of it was streamed: the proof takes 2 s, 30 of the recording
    assert _top(seen)[0::2] == (2677.60, 2677.61)
    assert violations == 0


def test_polling_loses_no_trade_either(replays: dict[str, Future[Played]], frames: Frames) -> None:
    """Polled: the same trades, fetched by id in pages."""
    seen, violations = replays["polled"].result()
    assert_every_trade(seen, frames["trade"])
    assert {t.source for t in seen.trades[SYMBOL]} == {Source.POLL}
    assert _top(seen)[0::2] == (2677.60, 2677.61)
    assert violations == 0


def test_switching_back_and_forth_loses_nothing(replays: dict[str, Future[Played]], frames: Frames) -> None:
    """Switched whenever the last switch has taken effect: the same trades, from both sources, quotes never going back."""
    seen, _ = replays["switched"].result()
    assert_every_trade(seen, frames["trade"])
    assert {t.source for t in seen.trades[SYMBOL]} >= {Source.POLL, Source.STREAM}
    assert sum(t.new is LaneState.STREAMING for t in seen.transports) >= 6
    ids = [tick.update_id for tick in seen.ticks[SYMBOL] if tick.update_id]
    assert ids == sorted(ids)
