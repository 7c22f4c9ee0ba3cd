"""Three screens show the same run: to programs, to logs, to a person."""

import io
import json
import logging
import threading
from typing import Any

import pytest
from rich.console import Console

from foxtrot.app.json_screen import JsonScreen
from foxtrot.app.line_writer import LineWriter
from foxtrot.app.live_screen import LiveScreen
from foxtrot.app.plain_screen import PlainScreen
from foxtrot.core.event import Event
from foxtrot.util.constants import Exchange, Health, LaneState, Reason
from foxtrot.util.event_type import (
    EVENT_BACKFILL,
    EVENT_GAP,
    EVENT_HEALTH,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import BackfillData, GapData, LogData
from tests.app.samples import PLAN, FakeClock, change, health, lane, outcome, tick, trade, view
from tests.core.waiting import wait_until

SECOND = 1_000_000_000
FALLBACK = Event(EVENT_TRANSPORT, change(LaneState.FALLBACK, Reason.CONNECTION))
CLOSING = Event(EVENT_TRANSPORT, change(LaneState.CLOSED, Reason.CLOSING))


class Lines:
    """Where a writer writes."""

    def __init__(self) -> None:
        self.text = ""
        self.writer = LineWriter(self._write, lambda: None, FakeClock())

    def _write(self, text: str) -> None:
        self.text += text

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def test_json() -> None:
    """Every line is an object with a type and a time, from the start to the end."""
    lines, clock = Lines(), FakeClock()
    screen = JsonScreen(lines.writer, clock)
    screen.open(PLAN)
    screen.show(view())
    screen.tell(FALLBACK, 5)
    clock.ns += SECOND // 2
    screen.show(view())
    screen.ending()
    screen.close(outcome(exit_code=1))
    kinds = [line["type"] for line in lines.objects]
    assert kinds == ["start", "endpoints", "contracts", "status", "status", "transport", "summary", "summary", "end"]
    assert all(line["time_ns"] > 0 for line in lines.objects)


def test_json_summary() -> None:
    """Has the documented names; the age is of the venue's time where there is one."""
    lines = Lines()
    JsonScreen(lines.writer, FakeClock()).close(outcome())
    quote, trades, end = lines.objects
    assert quote == {
        "type": "summary",
        "symbol": "BTCUSDT",
        "channel": "tick",
        "state": "streaming",
        "serving": "stream",
        "delivered": 9,
        "gaps": 0,
        "duplicates_dropped": 1,
        "duplicates_delivered": 0,
        "switches": 1,
        "local_age_ms": {"p50": 0.2, "p99": 1.5},
        "time_ns": SECOND,
    }
    assert trades["event_age_ms"] == {"p50": None, "p99": None}
    assert (end["ending"], end["delivered"], end["exit_code"], end["verdict"]) == ("duration", 16, 0, "the verdict")


def test_json_status_each_second() -> None:
    """Once a second and lane, however often it is shown."""
    lines, clock = Lines(), FakeClock()
    screen = JsonScreen(lines.writer, clock)
    for _ in range(8):
        screen.show(view(lane()))
        clock.ns += SECOND // 4
    lines.writer.close()
    assert [line["type"] for line in lines.objects].count("status") == 2


def test_json_values() -> None:
    """Ticks and trades under their own types; a tick without the fields that say nothing."""
    lines = Lines()
    screen = JsonScreen(lines.writer, FakeClock())
    screen.tell(Event(EVENT_TICK, tick(7)), 5)
    screen.tell(Event(EVENT_PUBLIC_TRADE, trade(9)), 6)
    lines.writer.close()
    first, second = lines.objects
    assert (first["type"], first["update_id"], "bid_price_5" in first) == ("tick", 7, False)
    assert (second["type"], second["trade_id"], second["time_ns"]) == ("trade", 9, 6)


def test_json_gaps() -> None:
    """A gap names its ids, a find has the values themselves."""
    lines = Lines()
    screen = JsonScreen(lines.writer, FakeClock())
    screen.tell(Event(EVENT_GAP, GapData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", 5, 9, Reason.HOLD)), 5)
    screen.tell(Event(EVENT_BACKFILL, BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", (trade(5),))), 6)
    lines.writer.close()
    first, second = lines.objects
    assert (first["type"], first["first_id"], first["last_id"], first["reason"]) == ("gap", 5, 9, "hold")
    assert (second["type"], [item["trade_id"] for item in second["items"]]) == ("backfill", [5])


class Stalled:
    """A writer with room for two lines, whose reader stalls until ``goes_on``; what is written at last."""

    def __init__(self) -> None:
        self.text = ""
        self.goes_on = threading.Event()
        is_writing = threading.Event()

        def write(text: str) -> None:
            is_writing.set()
            self.goes_on.wait(10)
            self.text += text

        self.writer = LineWriter(write, lambda: None, FakeClock(), capacity=2)
        self.writer.put("{}")
        assert is_writing.wait(10)
        for _ in range(2):
            self.writer.put("{}")


@pytest.mark.parametrize("kind", [JsonScreen, PlainScreen])
def test_a_stalled_reader_does_not_hold_the_main_thread(kind: type[JsonScreen | PlainScreen]) -> None:
    """What finds no room is let go; that is said, once there is room, and then the summary comes."""
    stalled, clock = Stalled(), FakeClock()
    screen = kind(stalled.writer, clock)
    screen.open(PLAN)
    clock.ns += 5 * SECOND
    screen.show(view())
    screen.tell(Event(EVENT_LOG, LogData("", "from the loop")), 5, may_block=False)
    screen.ending()
    threading.Timer(0.05, stalled.goes_on.set).start()
    screen.close(outcome())
    assert f"lines let go so far: {stalled.writer.let_go};" in stalled.text
    assert stalled.writer.let_go >= 5
    assert "the verdict" in stalled.text.splitlines()[-1]


@pytest.mark.parametrize("kind", [JsonScreen, PlainScreen])
def test_lines_let_go_are_told_as_soon_as_there_is_room(kind: type[JsonScreen | PlainScreen]) -> None:
    """Once for each time; not again at the end."""
    stalled, clock = Stalled(), FakeClock()
    screen = kind(stalled.writer, clock)
    screen.open(PLAN)
    stalled.goes_on.set()
    wait_until(lambda: stalled.text.count("{}") == 3)
    screen.show(view())
    screen.close(outcome())
    assert stalled.text.count("lines let go so far: 1;") == 1


def test_plain() -> None:
    """What is run, how to break it, the news, the lanes every five seconds, the summary."""
    lines, clock = Lines(), FakeClock()
    screen = PlainScreen(lines.writer, clock)
    screen.open(PLAN)
    screen.show(view())
    screen.show(view())
    screen.tell(FALLBACK, 5)
    screen.tell(CLOSING, 6)
    clock.ns += 5 * SECOND
    screen.show(view())
    screen.ending()
    screen.close(outcome())
    found = [line.partition(" ")[2] for line in lines.text.splitlines()[:5]]
    assert found[0] == "sandbox: tick, trades of BTCUSDT"
    assert found[1] == "break it: foxtrot chaos close --port 9000"
    assert found[2] == "BTCUSDT trades: streaming -> fallback, served by polling: its connection is lost"
    assert found[3].startswith("BTCUSDT   tick       LIVE")
    assert found[4].startswith("BTCUSDT   trades     LIVE")
    assert lines.text.splitlines()[5].startswith("symbol")
    assert lines.text.splitlines()[-1] == "the verdict"


def terminal(width: int, height: int) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False)


def frame(screen: LiveScreen, console: Console, *lanes: Any) -> list[str]:
    with console.capture() as captured:
        console.print(screen.frame(view(*lanes)))
    return captured.get().splitlines()


def test_frame_shows_lanes_and_news() -> None:
    """The title, the lanes, the last news beneath them."""
    console = terminal(120, 30)
    screen = LiveScreen(console)
    screen.tell(FALLBACK, 5)
    screen.tell(CLOSING, 6)
    lines = frame(screen, console)
    assert lines[0].startswith("Foxtrot on sandbox")
    assert any("64120.30" in line for line in lines)
    assert lines[-1].rstrip().endswith("its connection is lost")


def test_frame_fits_every_terminal() -> None:
    """Neither too wide nor too high, with many lanes and much news."""
    for width, height in ((24, 10), (40, 12), (80, 24), (120, 30), (200, 60)):
        console = terminal(width, height)
        screen = LiveScreen(console)
        for number in range(300):
            screen.tell(Event(EVENT_LOG, LogData("BINANCE", f"line {number} " * 30)), 5)
        lines = frame(screen, console, *(lane(f"S{number}USDT") for number in range(100)))
        assert len(lines) <= height
        assert max(map(len, lines)) <= width


def test_live_from_open_to_close() -> None:
    """The errors, the summary and the verdict stay when the frame has gone."""
    console = terminal(120, 30)
    screen = LiveScreen(console)
    screen.open(PLAN)
    screen.tell(Event(EVENT_HEALTH, health(Health.LIVE, Health.BLIND, Reason.STALE)), 5)
    screen.tell(Event(EVENT_LOG, LogData("BINANCE", "only news", logging.INFO)), 5)
    screen.show(view())
    screen.ending()
    screen.close(outcome(exit_code=1))
    assert isinstance(console.file, io.StringIO)
    left = console.file.getvalue().rpartition("\x1b[?1049l")[2]
    assert "BTCUSDT is BLIND" in left
    assert "only news" not in left
    assert "the verdict" in left
