"""Bringing an environment up, against a venue that answers as it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from foxtrot.util.constants import LaneState
from foxtrot.util.system_clock import SystemClock
from tests.support.engine_run import engine_run, eventually, flags_text
from tests.support.stub_venue import LISTING, StubVenue, answer, threaded_stub_venue

LIMITED = '{"code":-1003,"msg":"Too much request weight used."}'


@pytest.fixture
def venue() -> Iterator[StubVenue]:
    """A venue in a thread of its own."""
    with threaded_stub_venue() as started:
        yield started


def test_the_offset_is_that_of_the_quickest_of_five(tmp_path: Path, venue: StubVenue) -> None:
    """The sample with the shortest round trip errs least; slow ones do not count."""
    clock, ahead_ms = SystemClock(), 5_000

    async def slow(_request: web.Request) -> web.StreamResponse:
        said = clock.now_ns() // 1_000_000 + ahead_ms  # what a slow way does: the answer is old when it arrives
        await clock.sleep(0.4)
        return web.json_response({"serverTime": said})

    async def quick(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"serverTime": clock.now_ns() // 1_000_000 + ahead_ms})

    venue.replies["time"] = [slow, quick, slow, answer("", 503), slow]
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
        assert venue.paths.count("time") == 5
        offset_ns = run.adapter.clock_offset_ns
        assert offset_ns is not None
        assert abs(offset_ns / 1_000_000 - ahead_ms) < 190


def test_without_a_time_the_offset_is_none_and_data_flows(tmp_path: Path, venue: StubVenue) -> None:
    """A venue whose clock cannot be asked still serves."""
    venue.replies["time"] = [answer("", 404)]
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
        assert run.adapter.clock_offset_ns is None


def test_a_refusal_of_the_time_is_obeyed_at_once(tmp_path: Path, venue: StubVenue) -> None:
    """Silence is silence: not four more samples, and no market data before it is over."""
    clock = SystemClock()
    told: list[int] = []

    async def ticker(_request: web.Request) -> web.StreamResponse:
        told.append(clock.now_ns())
        return web.json_response([])

    async def time(request: web.Request) -> web.StreamResponse:
        told.append(clock.now_ns())
        return await answer(LIMITED, 429, {"Retry-After": "1"})(request)

    venue.replies["time"], venue.replies["ticker/24hr"] = [time], [ticker]
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: len(told) > 1, "the first question after the silence")
        assert venue.paths[:2] == ["exchangeInfo", "time"]
        assert venue.paths.count("time") <= 2  # the second belongs to the next estimate, after the silence
        assert told[1] - told[0] >= 999_000_000


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (answer("", 503), "HTTP 503; it is tried again until it works"),
        (answer(LIMITED, 429, {"Retry-After": "1"}), "silence is asked for; tried again in"),
        (answer("<html>403</html>", 403), "HTTP 403; tried again in"),
        (answer("<html>a captive portal</html>"), "does not fit its documented shape"),
    ],
)
def test_what_keeps_it_from_connecting_is_said_once(tmp_path: Path, venue: StubVenue, first: object, said: str) -> None:
    """Then it goes on trying, and connects."""
    assert callable(first)
    venue.replies["exchangeInfo"] = [first, answer({"symbols": [LISTING]})]
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", "tick"), "connected")
        complaints = [log.msg for log in run.seen.logs if "not connected" in log.msg]
        assert len(complaints) == 1
        assert said in complaints[0]


def test_an_instrument_with_unreadable_rules_is_left_out_by_name(tmp_path: Path, venue: StubVenue) -> None:
    """The others are served."""
    bad = {**LISTING, "symbol": "BADUSDT", "filters": [{"filterType": "LOT_SIZE", "stepSize": "x"}]}
    venue.replies["exchangeInfo"] = [answer({"symbols": [bad, LISTING]})]
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        run.subscribe("BTCUSDT", "tick")
        eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
        assert any("1 instruments are left out" in log.msg and "BADUSDT" in log.msg for log in run.seen.logs)


def test_the_addresses_in_force_are_told(tmp_path: Path, venue: StubVenue) -> None:
    """In a log, and by the adapter."""
    with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
        eventually(lambda: any("connected to sandbox: 1 instruments" in log.msg for log in list(run.seen.logs)), "connected")
        assert run.adapter.endpoints is not None
        assert (run.adapter.endpoints.rest, run.adapter.endpoints.stream) == (venue.rest_url, venue.stream_url)
        told = [log.msg for log in run.seen.logs if log.msg.startswith("connecting to")]
        assert told == [f"connecting to sandbox: {venue.rest_url}, {venue.stream_url}"]
