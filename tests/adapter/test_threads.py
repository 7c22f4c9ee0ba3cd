"""One engine, asked by eight threads at once."""

import threading
from pathlib import Path

from foxtrot.sandbox.launcher import launch
from foxtrot.util.constants import LaneState
from foxtrot.util.object import SubscribeRequest
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text, request

THREADS, ROUNDS = 8, 60
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
FLAGS = flags_text({"BTCUSDT": "streaming", "ETHUSDT": "streaming"})


def ask(run: EngineRun, number: int, errors: list[BaseException], together: threading.Barrier) -> None:
    """Subscribes, looks and unsubscribes, and at last leaves its symbol subscribed."""
    try:
        together.wait(20)
        for round_ in range(ROUNDS):
            symbol = SYMBOLS[(number + round_) % len(SYMBOLS)]
            run.subscribe(symbol, "tick", "trades")
            run.engine.health(symbol)
            for status in run.adapter.lanes():
                run.adapter.decision(status.key)
            run.engine.unsubscribe(request(symbol, "tick", "trades"), "BINANCE")
            run.engine.get_tick(symbol)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the test wants to see it
        errors.append(error)


def test_eight_threads_at_once(tmp_path: Path) -> None:
    """No exception; the last word of each lane counts, and what is subscribed then is served whole."""
    with launch(seed=11, activity=2.0) as box, engine_run(tmp_path, box, FLAGS) as run:
        errors: list[BaseException] = []
        together = threading.Barrier(THREADS)
        threads = [threading.Thread(target=ask, args=(run, number, errors, together)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        assert errors == []
        assert not any(thread.is_alive() for thread in threads)
        run.subscribe("BTCUSDT", "tick", "trades")
        run.subscribe("BNBUSDT", "tick", "trades")
        eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "streaming")
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BNBUSDT", "tick", "trades"), "polling")
        assert {status.key.symbol for status in run.adapter.lanes()} == {"BTCUSDT", "BNBUSDT"}
        assert run.engine.health("ETHUSDT") is None or run.adapter.health("ETHUSDT") is None
        count = len(run.seen.trades["BTCUSDT"])
        eventually(lambda: len(run.seen.trades["BTCUSDT"]) > count + 5, "trades")
        run.engine.close()
        last = [trade.trade_id for trade in run.seen.trades["BTCUSDT"][count:]]
        assert last == list(range(last[0], last[0] + len(last)))
        assert box.violations()["total"] == 0
        assert not [log.msg for log in run.seen.logs if log.level >= 40]


def test_adapters_are_asked_while_they_connect(tmp_path: Path) -> None:
    """Subscriptions from many threads around connect all arrive, each once."""
    with launch(seed=11, activity=2.0) as box:
        run = EngineRun(tmp_path, box, FLAGS)
        threads = [
            threading.Thread(target=run.engine.subscribe, args=(_tick(SYMBOLS[number % 4]), "BINANCE"))
            for number in range(THREADS)
        ]
        for thread in threads[:4]:
            thread.start()
        run.connect()
        for thread in threads[4:]:
            thread.start()
        for thread in threads:
            thread.join(20)
        eventually(lambda: all(run.seen.ticks[symbol] for symbol in SYMBOLS), "a tick of each")
        assert sorted(status.key.symbol for status in run.adapter.lanes()) == sorted(SYMBOLS)
        eventually(lambda: all(run.seen.is_at(LaneState.STREAMING, symbol, "tick") for symbol in SYMBOLS[:2]), "streaming")
        run.engine.close()


def _tick(symbol: str) -> SubscribeRequest:
    return request(symbol, "tick")
