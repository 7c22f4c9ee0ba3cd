"""A venue that is started again on the same addresses, with its ids from the start."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from foxtrot.sandbox.launcher import launch
from foxtrot.util.constants import LaneState, Reason
from foxtrot.util.object import PublicTradeData, TransportData
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text

# An engine that is closed while it dials: the socket object of the cancelled connect stays unmarked.
pytestmark = [pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"), pytest.mark.slow]

WITHIN = 45.0
CHANNELS = ("tick", "trades")


def begun_anew(run: EngineRun) -> set[str]:
    """The channels that were closed for it."""
    return {change.channel for change in list(run.seen.transports) if change.reason is Reason.IDS_BEGAN_ANEW}


def await_each(runs: dict[str, EngineRun], condition: Callable[[str, EngineRun], object], what: str) -> None:
    """Waits until it holds for each engine; the name says which one failed."""
    for name, run in runs.items():
        eventually(lambda name=name, run=run: condition(name, run), f"{name}: {what}", WITHIN)  # type: ignore[misc]  # -- mypy infers no lambda with defaults


def is_served(name: str, run: EngineRun) -> bool:
    """By what is decided."""
    return run.seen.is_at(LaneState(name), "BTCUSDT", *CHANNELS)


@pytest.mark.timeout(150)
def test_data_flows_again_within_forty_five_seconds(tmp_path: Path) -> None:
    """Polled or streamed: no old id comes after the closing event, and none is missing from there."""
    with launch(seed=6, activity=4.0) as box, ExitStack() as stack:
        runs: dict[str, EngineRun] = {}
        for name in ("polling", "streaming"):
            (tmp_path / name).mkdir()
            runs[name] = stack.enter_context(engine_run(tmp_path / name, box, flags_text({}, default=name)))
            runs[name].subscribe("BTCUSDT", *CHANNELS)
        await_each(runs, is_served, "served")
        await_each(runs, lambda _, run: len(run.seen.trades["BTCUSDT"]) > 20, "trades")
        box.stop()
        with launch(port=box.port, seed=7, activity=4.0, has_past=False):
            begun = time.monotonic()
            known = {name: run.seen.trades["BTCUSDT"][-1].trade_id for name, run in runs.items()}
            await_each(runs, lambda _, run: begun_anew(run) == set(CHANNELS), "the lanes closed")
            ticks = {name: len(run.seen.ticks["BTCUSDT"]) for name, run in runs.items()}
            await_each(runs, lambda name, run: run.seen.trades["BTCUSDT"][-1].trade_id < known[name], "new trades")
            await_each(runs, lambda name, run: len(run.seen.ticks["BTCUSDT"]) > ticks[name] + 2, "new ticks")
            assert time.monotonic() - begun < WITHIN
            await_each(runs, is_served, "served as before")
            for run in runs.values():
                run.engine.close()
    for name, run in runs.items():
        assert_whole_since_the_closing_event(run, known[name])


def assert_whole_since_the_closing_event(run: EngineRun, known: int) -> None:
    """Only new ids, each of them, and it was told."""
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
