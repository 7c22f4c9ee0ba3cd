"""A venue that misbehaves, over real sockets: each fault is told, and nothing else stops."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.transport.hub import Hub
from foxtrot.util.constants import LaneState, Reason, Serving, Source
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text

BOTH = {"BTCUSDT": "streaming", "ETHUSDT": "polling"}

# A connection that the venue resets while it is being made: uvloop closes the descriptor and leaves the socket object unmarked.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

SEED = 5


@pytest.fixture
def run(tmp_path: Path, box: Sandbox) -> Iterator[EngineRun]:
    """BTCUSDT streams, ETHUSDT is polled; both have delivered."""
    with engine_run(tmp_path, box, flags_text(BOTH)) as started:
        for symbol in BOTH:
            started.subscribe(symbol, "tick", "trades")
        eventually(lambda: started.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "streaming")
        eventually(lambda: started.seen.ticks["ETHUSDT"] and started.seen.trades["ETHUSDT"], "polled data")
        yield started


def hub_of(run: EngineRun) -> Hub:
    hub = run.adapter._market._hub
    assert hub is not None
    return hub


def hits(box: Sandbox, fault: str) -> int:
    """How often a fault in force has struck."""
    with urllib.request.urlopen(f"{box.rest_url}/sandbox/faults", timeout=10) as response:
        active: list[dict[str, Any]] = json.load(response)["active"]
    return sum(each["hits"] for each in active if each["fault"] == fault)


def assert_whole(run: EngineRun) -> None:
    """Every trade once, in order."""
    for trades in run.seen.trades.values():
        ids = [trade.trade_id for trade in trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert run.seen.gaps == []


def logs(run: EngineRun, words: str) -> list[str]:
    return [log.msg for log in list(run.seen.logs) if words in log.msg]


def more(run: EngineRun, symbol: str, count: int = 3) -> None:
    """Waits for more ticks and trades of a symbol."""
    ticks, trades = len(run.seen.ticks[symbol]), len(run.seen.trades[symbol])
    eventually(
        lambda: len(run.seen.ticks[symbol]) >= ticks + count and len(run.seen.trades[symbol]) >= trades + count,
        f"more of {symbol}",
    )


# the way to the venue


def test_a_venue_that_is_not_there_is_told_once_and_found_when_it_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A refused port: one log, then tries until it works; subscriptions have waited."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        addresses = {"rest_url": f"http://127.0.0.1:{port}", "stream_url": f"ws://127.0.0.1:{port}"}
        run = EngineRun(tmp_path, None, flags_text({}), **addresses)
        run.subscribe("BTCUSDT", "tick")
        run.connect()
        eventually(lambda: logs(run, "not connected"), "the complaint")
    try:
        with launch(port=port):
            eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick once the venue is there")
            run.engine.close()
    finally:
        run.engine.close()
    assert len(logs(run, "not connected")) == 1
    said = logs(run, "not connected")[0]
    assert said.startswith(f"not connected: GET exchangeInfo: http://127.0.0.1:{port} cannot be reached")
    assert said.endswith("it is tried again until it works")
    assert "Traceback" not in caplog.text


# REST


def test_a_refusal_is_obeyed_while_streams_go_on(run: EngineRun, box: Sandbox) -> None:
    """429 and 418: no request before Retry-After is over, one log each; then polling is back, and nothing is lost."""
    for fault, status in (("rest-429", 429), ("rest-418", 418)):
        box.chaos(fault, retry_after=2)
        eventually(lambda fault=fault: hits(box, fault), "a refused request")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        told = hub_of(run).polling.beats
        # What was on its way is refused within the same moment; then silence, over a beat that would have asked.
        eventually(lambda told=told: hub_of(run).polling.beats > told, "the next beat")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        refused = hits(box, fault)
        more(run, "BTCUSDT")
        assert run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "trades")
        assert hits(box, fault) == refused
        assert refused <= 3
        box.clear_faults()
        more(run, "ETHUSDT", 1)
        assert len(logs(run, f"GET ticker/24hr: HTTP {status}")) <= 1
        assert logs(run, f"HTTP {status}")
    run.engine.close()
    assert_whole(run)


def test_rest_that_fails_is_told_and_streams_go_on(run: EngineRun, box: Sandbox) -> None:
    """Refused by a firewall, failing, or cut: polled symbols are completed afterwards, streaming ones do not notice."""
    for fault, words in (("rest-403", "HTTP 403"), ("rest-5xx", "HTTP 503"), ("rest-down", "cannot be reached")):
        box.chaos(fault)
        eventually(lambda words=words: logs(run, words), "the log")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        more(run, "BTCUSDT")
        assert run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades")
        box.clear_faults()
        more(run, "ETHUSDT", 1)
    run.engine.close()
    assert_whole(run)


# frames


@pytest.mark.parametrize("fault", ["malformed", "binary"])
def test_frames_that_do_not_fit_are_counted_and_let_go(run: EngineRun, box: Sandbox, fault: str) -> None:
    """The others go on, and what was lost is fetched by id; many of them end the connection, which comes back."""
    box.chaos(fault, symbol="BTCUSDT", share=0.3)
    counts = hub_of(run).streaming.counts
    stats = hub_of(run).streaming._dialler.stats  # type: ignore[attr-defined]  # -- the real one counts
    eventually(lambda: (counts.malformed if fault == "malformed" else stats.binary) >= 5, "such frames")
    more(run, "ETHUSDT")
    box.clear_faults()
    more(run, "BTCUSDT", 10)
    run.engine.close()
    assert_whole(run)
    assert counts.raised == 0
    fallen = {reason for _, new, reason in run.seen.changes("ETHUSDT", "trades") if new is LaneState.FALLBACK}
    assert fallen <= {Reason.CONNECTION}


def test_an_oversized_frame_ends_its_connection_alone(run: EngineRun, box: Sandbox) -> None:
    """More than a MiB is not read: polling serves meanwhile, then the stream comes home whole."""
    box.chaos("oversize", symbol="BTCUSDT", bytes=2_000_000, share=0.05)
    eventually(lambda: run.seen.serving("BTCUSDT", "trades") is Serving.POLL, "the fall")
    assert (LaneState.STREAMING, LaneState.FALLBACK, Reason.CONNECTION) in run.seen.changes("BTCUSDT", "trades")
    box.clear_faults()
    more(run, "ETHUSDT")
    eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "home again")
    more(run, "BTCUSDT")
    run.engine.close()
    assert_whole(run)
    assert hub_of(run).streaming.counts.raised == 0


def test_a_stream_with_another_symbols_events_is_given_up(run: EngineRun, box: Sandbox) -> None:
    """One stray is enough; nothing of it is delivered."""
    box.chaos("wrong-symbol", symbol="BTCUSDT")
    eventually(lambda: any(reason is Reason.WRONG_SYMBOL for _, _, reason in run.seen.changes("BTCUSDT", "trades")), "the trip")
    eventually(lambda: run.seen.serving("BTCUSDT", "trades") is Serving.POLL, "polling serves")
    more(run, "BTCUSDT")
    run.engine.close()
    assert_whole(run)
    assert all(trade.symbol == "BTCUSDT" for trade in run.seen.trades["BTCUSDT"])


def test_an_upgrade_refused_with_retry_after_is_not_asked_again_before(tmp_path: Path, box: Sandbox) -> None:
    """429 on the WebSocket: told, polling serves, one more attempt only after the wait."""
    box.chaos("upgrade-status", status=429, retry_after=2)
    with engine_run(tmp_path, box, flags_text(BOTH)) as run:
        run.subscribe("BTCUSDT", "tick", "trades")
        eventually(lambda: hits(box, "upgrade-status"), "a refused upgrade")
        eventually(lambda: len(run.seen.trades["BTCUSDT"]) > 1 and run.seen.ticks["BTCUSDT"], "polled data")
        assert hits(box, "upgrade-status") == 1
        assert {trade.source for trade in run.seen.trades["BTCUSDT"]} == {Source.POLL}
        assert logs(run, "the WebSocket upgrade was refused: HTTP 429")
        box.clear_faults()
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "streaming")
        run.engine.close()
        assert_whole(run)
