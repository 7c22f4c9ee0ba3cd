"""Three screens show the same run: to programs, to logs, to a person."""

import io
import json
import logging
from typing import Any

from rich.console import Console

from foxtrot.app.json_screen import JsonScreen
from foxtrot.app.line_writer import LineWriter
from foxtrot.app.live_screen import LiveScreen
from foxtrot.app.plain_screen import PlainScreen
from foxtrot.core.event import Event
from foxtrot.util.constants import Health, LaneState, Reason
from foxtrot.util.event_type import EVENT_HEALTH, EVENT_LOG, EVENT_PUBLIC_TRADE, EVENT_TICK, EVENT_TRANSPORT
from foxtrot.util.object import LogData
from tests.app.samples import PLAN, FakeClock, change, health, lane, outcome, tick, trade, view

SECOND = 1_000_000_000
FALLBACK = Event(EVENT_TRANSPORT, change(LaneState.FALLBACK, Reason.CONNECTION))
CLOSING = Event(EVENT_TRANSPORT, change(LaneState.CLOSED, Reason.CLOSING))


class Lines:
    """Where a writer writes."""

    def __init__(self) -> None:
        self.text = ""
        self.writer = LineWriter(self._write, lambda: None)

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
    assert found[2] == "BTCUSDT trades: streaming -> fallback (connection); served by polling"
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
    assert lines[-1].rstrip().endswith("served by polling")


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
