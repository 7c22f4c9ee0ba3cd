"""Tables fit the width there is."""

import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from foxtrot.app.tables import (
    COLUMNS,
    age,
    columns_for,
    gap_style,
    lane_line,
    live_table,
    plain_text,
    price,
    rate,
    summary_table,
    title_lines,
    why,
)
from foxtrot.util.constants import Health, Serving
from tests.app.samples import lane, outcome, view


def titles(width: int) -> list[str]:
    return [column.title for column in columns_for(width)]


def test_wide() -> None:
    """All columns where there is room."""
    assert titles(120) == [column.title for column in COLUMNS]


def test_eighty_columns() -> None:
    """The usual terminal shows what serves, why, how fresh, how much and what is missing."""
    assert titles(80) == ["symbol", "health", "channel", "serves", "why", "last", "age", "delivered", "gaps"]


def test_bid_and_ask_go_together() -> None:
    """Half a quote is none."""
    assert {"bid", "ask"} <= set(titles(117))
    assert not {"bid", "ask"} & set(titles(116))


def test_narrow() -> None:
    """What matters most stays, however narrow."""
    assert titles(10) == ["symbol", "health", "serves"]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100, 108, 120, 200])
def test_table_fits(width: int) -> None:
    """No line is longer than the width that the table was made for."""
    text = plain_text(live_table([lane(), lane(channel="trades"), lane("XRPUSDT")], width, 10))
    assert max(map(len, text.splitlines())) <= max(width, 26)


@pytest.mark.parametrize("width", [80, 100, 117, 120])
def test_a_long_reason_yields(width: int) -> None:
    """The columns behind it stay whole."""
    waits = replace(lane(), why="consumer slow", retry_in=75.0, switches=7, gaps=3)
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(live_table([waits, lane(channel="agg_trades")], width, 10))
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert len(lines) == 4
    assert max(map(len, lines)) <= width
    assert lines[0].endswith("gaps" if width == 80 else "switches")
    assert lines[2].endswith("3" if width == 80 else "7")


def test_symbol_stands_once() -> None:
    """The second lane of a symbol does not repeat it."""
    text = plain_text(live_table([lane(), lane(channel="trades")], 120, 10))
    assert text.count("BTCUSDT") == 1
    assert text.count("64120.30") == 2


def test_rows_that_do_not_fit() -> None:
    """The rest is counted."""
    text = plain_text(live_table([lane(f"S{number}USDT") for number in range(9)], 120, 4))
    assert "S2USDT" in text
    assert "S3USDT" not in text
    assert "+6 more" in text


def test_numbers() -> None:
    """On their decimals, or a dash."""
    assert (price(0.5, 4), price(None, 2)) == ("0.5000", "-")
    assert [age(each) for each in (None, -1.0, 0.44, 75.2, 720.0)] == ["-", "0.0s", "0.4s", "75s", "12m"]
    assert (rate(12.54), rate(1250.4)) == ("12.5", "1250")


def test_titles() -> None:
    """The addresses, the time to go, and how to break a sandbox."""
    text = "\n".join(line.plain for line in title_lines(view(left=12.0)))
    assert "http://127.0.0.1:9000" in text
    assert "12 s to go" in text
    assert title_lines(view(left=-0.2))[0].plain.endswith(", 0 s to go")
    assert "foxtrot chaos close --port 9000" in text
    assert [line.plain for line in title_lines(view(endpoints=None))] == ["Foxtrot on sandbox, 8 s", "connecting ..."]


def test_lane_in_a_line() -> None:
    """For logs."""
    assert lane_line(lane()) == (
        "BTCUSDT   tick       LIVE     stream pin: last 64120.30 64120.00/64120.50, age 0.2s, 12.5/s, "
        "delivered 1234, gaps 0, switches 1"
    )
    assert "64120.00/" not in lane_line(lane(channel="trades"))


def test_a_stream_that_waits() -> None:
    """The table says for how long it may not be tried."""
    assert why(replace(lane(), why="audit", retry_in=3.2)) == "audit, 4s"
    assert why(replace(lane(), why="quarantine", retry_in=3_540.0)) == "quarantine, 59m"
    assert why(lane()) == "pin"


def test_what_is_missing() -> None:
    """A gap is red while ids are missing, yellow once all of them were found."""
    lost = replace(lane(), gaps=1, missing=5, backfilled=4)
    assert "gaps 1 (4 of 5 ids found)" in lane_line(lost)
    assert [gap_style(each) for each in (lane(), lost, replace(lost, backfilled=5))] == ["", "bold red", "yellow"]


def test_summary() -> None:
    """Every lane with its state; without it where it is narrow."""
    wide, narrow = plain_text(summary_table(outcome(), 118)), plain_text(summary_table(outcome(), 80))
    assert "polling" in wide
    assert "polling" not in narrow
    assert max(map(len, wide.splitlines())) <= 118
    assert "4 of 5" in wide
    assert "poll" in narrow


def test_every_health_and_serving_has_its_colour() -> None:
    """A new one cannot be forgotten."""
    for state in Health:
        for serving in Serving:
            given = replace(lane(), health=state, serving=serving)
            assert state.upper() in plain_text(live_table([given], 120, 5))
