"""Ten real minutes of Binance ETHUSDT, replayed over real sockets into the adapter, up to a handler."""

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from foxtrot.sandbox.launcher import launch
from foxtrot.util.constants import LaneState, Source
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text, streamed

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = [DATA / "ethusdt_20240808.gz", DATA / "ethusdt_20240809.gz"]
SPEED = 20.0
SYMBOL = "ETHUSDT"

pytestmark = [
    pytest.mark.recording,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not FILES[0].exists(), reason="the recorded frames (../shared/data) are not beside this checkout"),
]


@pytest.fixture(scope="module")
def frames() -> dict[str, list[dict[str, Any]]]:
    """The recording's own payloads, by kind of stream."""
    found: dict[str, list[dict[str, Any]]] = {"trade": [], "bookTicker": []}
    for path in FILES:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                frame = json.loads(line.split(" ", 1)[1])
                kind = frame.get("stream", "").partition("@")[2]
                if kind in found:
                    found[kind].append(frame["data"])
    return found


def assert_every_trade(run: EngineRun, recorded: list[dict[str, Any]]) -> None:
    """Every recorded trade has been delivered, once, in order, as it was."""
    delivered = [(t.trade_id, t.price, t.volume, t.is_buyer_maker, t.venue_time_ns) for t in run.seen.trades[SYMBOL]]
    assert delivered == [(t["t"], float(t["p"]), float(t["q"]), t["m"], t["T"] * 1_000_000) for t in recorded]
    assert len(delivered) == 14_515
    assert run.seen.gaps == []


def await_the_end(run: EngineRun, recorded: dict[str, list[dict[str, Any]]]) -> None:
    """Waits until the last trade and the last quote have arrived."""
    last_id, last = recorded["trade"][-1]["t"], recorded["bookTicker"][-1]
    top = (float(last["b"]), float(last["B"]), float(last["a"]), float(last["A"]))
    eventually(
        lambda: bool(run.seen.trades[SYMBOL]) and run.seen.trades[SYMBOL][-1].trade_id == last_id, "the last recorded trade", 90
    )
    eventually(lambda: _top(run) == top, "the last recorded quote")


def _top(run: EngineRun) -> tuple[float, float, float, float]:
    tick = run.seen.ticks[SYMBOL][-1]
    return (tick.bid_price_1, tick.bid_volume_1, tick.ask_price_1, tick.ask_volume_1)


def test_streaming_delivers_every_trade_and_every_quote_as_recorded(
    tmp_path: Path, frames: dict[str, list[dict[str, Any]]]
) -> None:
    """Streamed: 14,515 trades once each, in order; from the join on, every quote, exactly."""
    with launch(replay=FILES, speed=SPEED) as box, engine_run(tmp_path, box, flags_text({SYMBOL: "streaming"})) as run:
        run.subscribe(SYMBOL, "tick", "trades")
        await_the_end(run, frames)
        assert_every_trade(run, frames["trade"])
        quotes = [
            (t.update_id, t.bid_price_1, t.bid_volume_1, t.ask_price_1, t.ask_volume_1) for t in streamed(run.seen.ticks[SYMBOL])
        ]
        recorded = [(q["u"], float(q["b"]), float(q["B"]), float(q["a"]), float(q["A"])) for q in frames["bookTicker"]]
        first = next(index for index, quote in enumerate(recorded) if quote[0] == quotes[0][0])
        assert quotes == recorded[first:]
        assert first < len(recorded) / 10  # nearly all of it was streamed: the proof takes 2 s, 40 of the recording
        assert _top(run)[0::2] == (2677.60, 2677.61)
        assert box.violations()["total"] == 0


def test_polling_loses_no_trade_either(tmp_path: Path, frames: dict[str, list[dict[str, Any]]]) -> None:
    """Polled: the same trades, fetched by id in pages."""
    with launch(replay=FILES, speed=SPEED) as box, engine_run(tmp_path, box, flags_text({SYMBOL: "polling"})) as run:
        run.subscribe(SYMBOL, "tick", "trades")
        await_the_end(run, frames)
        assert_every_trade(run, frames["trade"])
        assert {t.source for t in run.seen.trades[SYMBOL]} == {Source.POLL}
        assert _top(run)[0::2] == (2677.60, 2677.61)
        assert box.violations()["total"] == 0


def test_switching_back_and_forth_loses_nothing(tmp_path: Path, frames: dict[str, list[dict[str, Any]]]) -> None:
    """Switched whenever the last switch has taken effect: the same trades, from both sources, quotes never going back."""
    with launch(replay=FILES, speed=SPEED) as box, engine_run(tmp_path, box, flags_text({SYMBOL: "streaming"})) as run:
        run.subscribe(SYMBOL, "tick", "trades")
        last_id = frames["trade"][-1]["t"]
        for transport, state in itertools.cycle((("streaming", LaneState.STREAMING), ("polling", LaneState.POLLING))):
            run.set_flags(flags_text({SYMBOL: transport}))
            eventually(lambda state=state: run.seen.is_at(state, SYMBOL, "tick", "trades"), f"both lanes {state}")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            count = len(run.seen.trades[SYMBOL])
            eventually(lambda count=count: len(run.seen.trades[SYMBOL]) > count + 500 or _is_at(run, last_id), "some trades")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            if _is_at(run, last_id):
                break
        await_the_end(run, frames)
        assert_every_trade(run, frames["trade"])
        assert {t.source for t in run.seen.trades[SYMBOL]} >= {Source.POLL, Source.STREAM}
        assert sum(t.new is LaneState.STREAMING for t in run.seen.transports) >= 6
        ids = [tick.update_id for tick in run.seen.ticks[SYMBOL] if tick.update_id]
        assert ids == sorted(ids)


def _is_at(run: EngineRun, trade_id: int) -> bool:
    return bool(run.seen.trades[SYMBOL]) and run.seen.trades[SYMBOL][-1].trade_id == trade_id
