"""The adapter on a live sandbox: flags edited while it runs, streams that fail, and the way home."""

import time
from pathlib import Path

from foxtrot.sandbox.launcher import Sandbox
from foxtrot.util.constants import Health, LaneState, Reason, Serving, Source
from foxtrot.util.object import TickData, TransportData
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text, request

CHANNELS = ("tick", "trades", "agg_trades")

SEED = 7


def assert_whole(run: EngineRun) -> None:
    """Ids are contiguous, each once; nothing is missing."""
    for trades in run.seen.trades.values():
        ids = [trade.trade_id for trade in trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    for aggregates in run.seen.agg_trades.values():
        ids = [trade.agg_id for trade in aggregates]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    for ticks in run.seen.ticks.values():
        update_ids = [tick.update_id for tick in ticks if tick.update_id]
        assert update_ids == sorted(update_ids)
    assert run.seen.gaps == []


def assert_nothing_streamed_while_polled(run: EngineRun, symbol: str) -> None:
    """Between a lane's fall to polling and its next proof no tick calls its quote streamed (rule 6)."""
    serving = Serving.NONE
    for _, data in run.seen.events:
        if isinstance(data, TransportData) and (data.symbol, data.channel) == (symbol, "tick"):
            serving = data.serving
        if isinstance(data, TickData) and data.symbol == symbol:
            assert not (data.source is Source.STREAM and serving is Serving.POLL)


def test_a_saved_flag_moves_a_symbol_within_a_second_and_back(tmp_path: Path, box: Sandbox) -> None:
    """Polling to streaming and back by editing the file: nothing lost, nothing twice, nothing streamed after the move."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "polling"})) as run:
        run.subscribe("BTCUSDT", *CHANNELS)
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", *CHANNELS), "polling")
        for _ in range(3):
            for transport, states in (
                ("streaming", (LaneState.PROVING, LaneState.STREAMING)),
                ("polling", (LaneState.POLLING,)),
            ):
                saved = time.monotonic()
                run.set_flags(flags_text({"BTCUSDT": transport}))
                eventually(lambda s=states[0], t=saved: _moved(run, s, t), f"a move towards {transport}")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
                eventually(lambda s=states[-1]: run.seen.is_at(s, "BTCUSDT", *CHANNELS), transport)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
                count = len(run.seen.trades["BTCUSDT"])
                eventually(lambda c=count: len(run.seen.trades["BTCUSDT"]) > c + 5, "trades")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        run.engine.close()
        assert_whole(run)
        assert_nothing_streamed_while_polled(run, "BTCUSDT")


def _moved(run: EngineRun, state: LaneState, since: float) -> bool:
    return any(at >= since and isinstance(data, TransportData) and data.new is state for at, data in list(run.seen.events))


def test_a_closed_connection_falls_to_polling_and_comes_home(tmp_path: Path, box: Sandbox) -> None:
    """Reason CONNECTION; polled values follow; then the stream is proved and serves again."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming", "ETHUSDT": "streaming"})) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, *CHANNELS)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            eventually(lambda s=symbol: run.seen.is_at(LaneState.STREAMING, s, *CHANNELS), "streaming")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        box.chaos("close")
        for symbol in ("BTCUSDT", "ETHUSDT"):
            eventually(
                lambda s=symbol: all(  # type: ignore[misc]  # -- mypy infers no lambda with defaults
                    (LaneState.STREAMING, LaneState.FALLBACK, Reason.CONNECTION) in run.seen.changes(s, c) for c in CHANNELS
                ),
                "the fall",
            )
            eventually(lambda s=symbol: run.seen.is_at(LaneState.STREAMING, s, *CHANNELS), "home again")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        run.engine.close()
        assert_whole(run)
        assert_nothing_streamed_while_polled(run, "BTCUSDT")


def test_a_muted_stream_is_noticed_and_tried_again(tmp_path: Path, box: Sandbox) -> None:
    """A stream that stays open and silent: its lanes trip, those of the other symbol do not; then it has to prove itself."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming", "ETHUSDT": "streaming"})) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, "tick", "trades")
        for symbol in ("BTCUSDT", "ETHUSDT"):
            eventually(lambda s=symbol: run.seen.is_at(LaneState.STREAMING, s, "tick", "trades"), "streaming")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        box.chaos("mute", symbol="BTCUSDT")
        for channel in ("tick", "trades"):
            eventually(lambda c=channel: run.seen.serving("BTCUSDT", c) is Serving.POLL, f"{channel} polled", 20)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        health = run.engine.health("BTCUSDT.BINANCE")
        assert health is not None
        assert health.state in {Health.DEGRADED, Health.BLIND}
        assert run.seen.serving("ETHUSDT", "tick") is Serving.STREAM
        box.clear_faults()
        for channel, reason in (("tick", Reason.AUDIT), ("trades", Reason.SILENCE)):
            assert (LaneState.STREAMING, LaneState.FALLBACK, reason) in run.seen.changes("BTCUSDT", channel)
        eventually(  # one at a time: a tenth of the lanes that tripped may try at once
            lambda: any(run.seen.is_at(LaneState.PROVING, "BTCUSDT", channel) for channel in ("tick", "trades")),
            "another try",
            20,
        )
        run.engine.close()
        assert_whole(run)


def test_kill_acts_with_a_broken_flags_file(tmp_path: Path, box: Sandbox) -> None:
    """The KILL file moves every symbol to polling although flags.toml is broken; its removal brings them home."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming"})) as run:
        run.subscribe("BTCUSDT", *CHANNELS)
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", *CHANNELS), "streaming")
        run.set_flags("schema = ")
        eventually(lambda: any("flags.toml" in log.msg for log in list(run.seen.logs)), "the complaint about flags.toml")
        assert run.seen.is_at(LaneState.STREAMING, "BTCUSDT", *CHANNELS)
        kill = tmp_path / "state" / "KILL"
        kill.write_text("*\n")
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", *CHANNELS), "killed")
        assert run.seen.changes("BTCUSDT", "tick")[-1] == (LaneState.STREAMING, LaneState.POLLING, Reason.KILL)
        kill.write_text("BTCUSD\n")
        eventually(lambda: any("KILL: BTCUSD is not listed" in log.msg for log in list(run.seen.logs)), "the slip of the pen")
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", *CHANNELS), "home again")
        complaints = [log.msg for log in run.seen.logs if "flags.toml" in log.msg]
        assert len(complaints) == len(set(complaints))
        run.engine.close()
        assert_whole(run)


def test_a_slow_consumer_is_completed_and_hears_of_it(tmp_path: Path, box: Sandbox) -> None:
    """With the queue held, trades are let go and then completed by id; nothing is missing."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming", "ETHUSDT": "polling"})) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, "trades", "agg_trades")
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "trades", "agg_trades"), "streaming")
        eventually(lambda: len(run.seen.trades["ETHUSDT"]) > 3, "polled trades")
        run.adapter._pressure(True)
        eventually(lambda: _health(run, "BTCUSDT") == (Health.DEGRADED, Reason.CONSUMER_SLOW), "the health says so")
        count, beats = len(run.seen.trades["BTCUSDT"]), _beats(run)
        eventually(lambda: _beats(run) > beats + 3, "some seconds of trades let go")
        assert len(run.seen.trades["BTCUSDT"]) == count
        run.adapter._pressure(False)
        eventually(lambda: len(run.seen.trades["BTCUSDT"]) > count + 10, "completed")
        eventually(lambda: _health(run, "BTCUSDT") == (Health.LIVE, Reason.CONFIRMED), "healthy again")
        run.engine.close()
        assert_whole(run)
        assert Source.BACKFILL in {trade.source for trade in run.seen.trades["BTCUSDT"]}


def _health(run: EngineRun, symbol: str) -> tuple[Health, Reason] | None:
    health = run.engine.health(f"{symbol}.BINANCE")
    return (health.state, health.reason) if health else None


def _beats(run: EngineRun) -> int:
    hub = run.adapter._market._hub
    return hub.polling.beats if hub else 0


def test_after_unsubscribe_nothing_follows_the_closing_event(tmp_path: Path, box: Sandbox) -> None:
    """Rule 11, for a streaming and a polled symbol; subscribed again, they serve again."""
    with engine_run(tmp_path, box, flags_text({"BTCUSDT": "streaming", "ETHUSDT": "polling"})) as run:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.subscribe(symbol, "tick", "trades")
            eventually(lambda s=symbol: len(run.seen.ticks[s]) > 3 and len(run.seen.trades[s]) > 3, "data")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        for symbol in ("BTCUSDT", "ETHUSDT"):
            run.engine.unsubscribe(request(symbol, "tick", "trades"), "BINANCE")
        for symbol in ("BTCUSDT", "ETHUSDT"):
            eventually(lambda s=symbol: run.seen.is_at(LaneState.CLOSED, s, "tick", "trades"), "closed")  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        beats = _beats(run)
        eventually(lambda: _beats(run) > beats + 2, "two more beats")
        closed: set[tuple[str, str]] = set()
        for _, data in run.seen.events:
            if isinstance(data, TransportData) and data.new is LaneState.CLOSED:
                closed.add((data.symbol, data.channel))
            elif isinstance(data, TickData):
                assert (data.symbol, "tick") not in closed
        run.subscribe("BTCUSDT", "tick")
        count = len(run.seen.ticks["BTCUSDT"])
        eventually(lambda: len(run.seen.ticks["BTCUSDT"]) > count + 3, "served again")
