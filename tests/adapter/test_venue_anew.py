"""A venue that is started again on the same addresses, with its ids from the start."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from foxtrot.sandbox.launcher import launch
from foxtrot.util.constants import LaneState, Reason
from foxtrot.util.object import PublicTradeData, TransportData
from tests.support.engine_run import EngineRun, eventually, flags_text

# An engine that is closed while it dials: the socket object of the cancelled connect stays unmarked.
pytestmark = [pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"), pytest.mark.slow]

WITHIN = 45.0
CHANNELS = ("tick", "trades")


def begun_anew(run: EngineRun) -> set[str]:
    """The channels that were closed for it."""
    return {change.channel for change in list(run.seen.transports) if change.reason is Reason.IDS_BEGAN_ANEW}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("transport", ["polling", "streaming"])
def test_data_flows_again_within_forty_five_seconds(tmp_path: Path, transport: str) -> None:
    """No old id comes after the closing event, and none is missing from there."""
    serving = LaneState(transport)
    with launch(seed=6, activity=4.0) as box:
        port = box.port
        run = EngineRun(tmp_path, box, flags_text({}, default=transport))
        run.connect()
        run.subscribe("BTCUSDT", *CHANNELS)
        try:
            eventually(lambda: run.seen.is_at(serving, "BTCUSDT", *CHANNELS), "served")
            eventually(lambda: len(run.seen.trades["BTCUSDT"]) > 20, "trades")
            box.stop()
            with launch(port=port, seed=7, activity=4.0, has_past=False):
                begun = time.monotonic()
                known = run.seen.trades["BTCUSDT"][-1].trade_id
                eventually(lambda: begun_anew(run) == set(CHANNELS), "the lanes closed", WITHIN)
                ticks = len(run.seen.ticks["BTCUSDT"])
                eventually(lambda: run.seen.trades["BTCUSDT"][-1].trade_id < known, "new trades", WITHIN)
                eventually(lambda: len(run.seen.ticks["BTCUSDT"]) > ticks + 2, "new ticks", WITHIN)
                assert time.monotonic() - begun < WITHIN
                eventually(lambda: run.seen.is_at(serving, "BTCUSDT", *CHANNELS), "served as before")
        finally:
            run.engine.close()
    events = [event for _, event in run.seen.events]
    closed = next(
        place
        for place, event in enumerate(events)
        if isinstance(event, TransportData) and (event.channel, event.reason) == ("trades", Reason.IDS_BEGAN_ANEW)
    )
    ids = [event.trade_id for event in events[closed:] if isinstance(event, PublicTradeData)]
    assert max(ids) < known
    assert all(later == earlier + 1 for earlier, later in pairwise(ids))
    assert len([log for log in run.seen.logs if "begun its ids anew" in log.msg]) in {1, 2}  # the canary is the same symbol
