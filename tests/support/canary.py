"""A program for a child process: runs an engine with a canary key, and writes down every address that Python asked.

Arguments: folder, REST address, stream address, ``setting`` or ``environment`` (where the key is). Prints JSON.
"""

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

asked: list[str] = []


def record(event: str, given: tuple[Any, ...]) -> None:
    """Audits what leaves the process."""
    if event == "socket.connect":
        asked.append(str(given[1]))
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        asked.append(str(given[0] if event != "socket.sendto" else given[1]))


def main() -> None:
    """Connects, streams, fails once, closes."""
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # -- libuv raises no audit events; asyncio's own loop does
    sys.addaudithook(record)
    folder, rest_url, stream_url, where = sys.argv[1:]
    logging.basicConfig(filename=Path(folder) / "all.log", level=logging.DEBUG, force=True)
    for name in ("ccxt", "ccxt.base.exchange", "aiohttp", "asyncio", "picows", "foxtrot"):
        logging.getLogger(name).setLevel(logging.DEBUG)

    from foxtrot.util.constants import LaneState  # noqa: PLC0415 -- after uvloop has been blocked
    from tests.support.engine_run import EngineRun, eventually, flags_text  # noqa: PLC0415 -- the same

    given: dict[str, object] = {"environment": "testnet", "rest_url": rest_url, "stream_url": stream_url}
    if where == "setting":
        given |= {"api_key": "canary-key-51c0", "secret": "canary-secret-51c0"}
    run = EngineRun(Path(folder), None, flags_text({"BTCUSDT": "streaming"}), **given)
    shown = []
    try:
        run.engine.connect({**run.setting, "ca_file": "no such file"}, "BINANCE")
    except Exception as error:  # noqa: BLE001 -- its text is what is looked at
        shown += [repr(error), "".join(traceback.format_exception(error))]
    run.subscribe("BTCUSDT", "tick", "trades", "agg_trades")
    run.subscribe("NOSUCH", "tick")
    run.connect()
    eventually(lambda: run.seen.is_at(LaneState.STREAMING, "BTCUSDT", "tick", "trades"), "streaming")
    connection = run.adapter._connection
    assert connection is not None
    shown += [repr(vars(run.adapter)), repr(vars(connection)), repr(vars(connection._client)), repr(connection._setting)]
    run.engine.close()
    shown += [repr(run.seen.events), repr(run.adapter.lanes())]
    sys.stdout.write(json.dumps({"asked": asked, "shown": shown, "loop": type(run.adapter._loop_thread.loop).__module__}))


if __name__ == "__main__":
    main()
