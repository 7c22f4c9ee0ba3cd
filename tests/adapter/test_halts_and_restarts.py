"""A venue that does not trade a symbol for a while, and a program that comes back while breakers are open."""

import json
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.binance.api_client import BinanceApiClient
from foxtrot.adapter.binance.endpoints import Endpoints
from foxtrot.adapter.binance.rest_feed import BinanceRest
from foxtrot.sandbox.launcher import Sandbox
from foxtrot.transport.breaker import BreakerMemory
from foxtrot.transport.breaker_memory import VERSION, LaneMemory
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, Health, LaneState, Reason
from foxtrot.util.errors import UnknownSymbol
from foxtrot.util.system_clock import SystemClock
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text

# An engine that is closed while it dials: the socket object of the cancelled connect stays unmarked.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

BTC, ETH = "BTCUSDT.BINANCE", "ETHUSDT.BINANCE"

SEED = 6


def health(run: EngineRun, vt_symbol: str) -> tuple[Health, Reason] | None:
    found = run.adapter.health(vt_symbol)
    return (found.new, found.reason) if found is not None else None


# halts


async def test_the_venue_says_who_is_halted_and_who_is_no_longer(box: Sandbox) -> None:
    """And refuses the question for a name that it does not list."""
    clock = SystemClock()
    client = BinanceApiClient(Endpoints(box.rest_url, box.stream_url, ""), clock, on_used_weight=lambda _: None)
    rest = BinanceRest(client, clock, "BINANCE", lambda _: None)
    await client.open()
    both = ["BTCUSDT", "ETHUSDT"]
    assert await rest.halted(both) == set()
    box.chaos("halt", symbol="BTCUSDT")
    assert await rest.halted(both) == {"BTCUSDT"}
    box.clear_faults()
    assert await rest.halted(both) == set()
    with pytest.raises(UnknownSymbol):
        await rest.halted([*both, "NOSUCH"])
    assert await rest.busiest() in {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    await client.close()


def test_a_halted_symbol_is_halted_and_not_dead(tmp_path: Path, box: Sandbox) -> None:
    """Its health says so as soon as it is subscribed; nothing trips, and the others are live."""
    box.chaos("halt", symbol="BTCUSDT")
    with engine_run(tmp_path, box, flags_text({}, default="polling")) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, "tick")
        eventually(lambda: health(run, BTC) == (Health.HALTED, Reason.HALTED), "the halt")
        eventually(lambda: health(run, ETH) == (Health.LIVE, Reason.CONFIRMED), "the other one, live")
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", "tick"), "polled all the same")


@pytest.mark.slow
def test_a_halted_canary_is_followed_by_another(tmp_path: Path, box: Sandbox) -> None:
    """Though nobody subscribed it: the venue is asked for its status too."""
    with engine_run(tmp_path, box, flags_text({}, default="streaming")) as run:
        run.subscribe("NULSUSDT", "tick")  # too quiet to be the busiest itself
        eventually(lambda: run.adapter._market.watched() > {"NULSUSDT"}, "a canary")
        (canary,) = run.adapter._market.watched() - {"NULSUSDT"}
        box.chaos("halt", symbol=canary)
        eventually(lambda: canary not in run.adapter._market.watched(), "its end", 40.0)
        words = f"{canary} watches over the stream connections no longer"
        eventually(lambda: any(words in log.msg for log in list(run.seen.logs)), "the log")
        assert len([log for log in run.seen.logs if words in log.msg]) == 1


# restarts


def leave(folder: Path, **lanes: BreakerMemory) -> None:
    """What an earlier process wrote: the breakers of these symbols' ticks."""
    path = folder / "state" / "sandbox" / "breaker.json"
    path.parent.mkdir(parents=True)
    kept = {f"{symbol} tick": LaneMemory(breaker) for symbol, breaker in lanes.items()}
    path.write_bytes(msgspec.json.encode({"version": VERSION, "lanes": kept}))


def test_a_restart_while_open_opens_no_stream_before_the_remainder(tmp_path: Path, box: Sandbox) -> None:
    """CB-11: the lane is polled, says why, and its neighbour streams."""
    retry_at_ns = SystemClock().now_ns() + 200 * NS_PER_S
    leave(tmp_path, BTCUSDT=BreakerMemory(3, retry_at_ns, None, BreakerState.OPEN))
    with engine_run(tmp_path, box, flags_text({}, default="streaming")) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, "tick")
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "ETHUSDT", "tick"), "the neighbour, streaming")
        assert run.seen.changes("BTCUSDT", "tick")[-1][1:] == (LaneState.FALLBACK, Reason.BREAKER_OPEN)
        assert LaneState.PROVING not in {new for _, new, _ in run.seen.changes("BTCUSDT", "tick")}
        assert health(run, BTC) == (Health.DEGRADED, Reason.BREAKER_OPEN)


def test_a_restart_after_the_remainder_tries_at_once(tmp_path: Path, box: Sandbox) -> None:
    """The wait was over while nobody ran."""
    leave(tmp_path, BTCUSDT=BreakerMemory(3, SystemClock().now_ns() - NS_PER_S, None, BreakerState.OPEN))
    with engine_run(tmp_path, box, flags_text({}, default="streaming")) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: LaneState.PROVING in {new for _, new, _ in run.seen.changes("BTCUSDT", "tick")}, "an attempt")


def test_what_a_hand_switched_off_stays_off_over_a_restart(tmp_path: Path, box: Sandbox) -> None:
    """Until a hand switches it on."""
    flags = flags_text({}, default="streaming")
    with engine_run(tmp_path, box, flags) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", "tick") or run.seen.ticks["BTCUSDT"], "a start")
        run.adapter.force_open(BTC)
        eventually(lambda: run.seen.is_at(LaneState.FALLBACK, "BTCUSDT", "tick"), "the end of the stream")
    kept = json.loads((tmp_path / "state" / "sandbox" / "breaker.json").read_bytes())
    assert kept["lanes"]["BTCUSDT tick"]["breaker"]["state"] == BreakerState.FORCED_OPEN
    with engine_run(tmp_path, box, flags) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: len(run.seen.ticks["BTCUSDT"]) > 2, "polled ticks")
        assert run.seen.changes("BTCUSDT", "tick")[-1][1] is LaneState.FALLBACK
        run.adapter.revive(BTC)
        eventually(lambda: LaneState.PROVING in {new for _, new, _ in run.seen.changes("BTCUSDT", "tick")}, "an attempt")


def test_a_broken_memory_is_told_and_ignored(tmp_path: Path, box: Sandbox) -> None:
    """The program starts all the same, and writes it anew."""
    leave(tmp_path)
    (tmp_path / "state" / "sandbox" / "breaker.json").write_text('{"version":1,"lanes":{"BTCUSDT ti')
    with engine_run(tmp_path, box, flags_text({}, default="streaming")) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
        assert len([log for log in run.seen.logs if "no breaker is remembered" in log.msg]) == 1
