"""What a caller does wrong: told at the call where it can be, by an event where not; nothing else stops."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from foxtrot.sandbox.launcher import Sandbox, launch
from foxtrot.util.constants import Exchange, LaneState, Reason, Serving
from foxtrot.util.errors import Closed, ConfigError, FoxtrotError, NotSupported
from foxtrot.util.object import SubscribeRequest
from tests.support.engine_run import EngineRun, engine_run, eventually, flags_text, request
from tests.support.stub_venue import LISTING, TICKER, answer, threaded_stub_venue

CHANNELS = ("tick", "trades", "agg_trades")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A lively market."""
    with launch(seed=3, activity=2.0) as sandbox:
        yield sandbox


@pytest.fixture
def run(tmp_path: Path, box: Sandbox) -> Iterator[EngineRun]:
    """An engine that is connecting."""
    with engine_run(tmp_path, box, flags_text({})) as started:
        yield started


@pytest.fixture
def idle(tmp_path: Path, box: Sandbox) -> Iterator[EngineRun]:
    """An engine that has not been told to connect."""
    made = EngineRun(tmp_path, box, flags_text({}))
    yield made
    made.engine.close()


def refusals(run: EngineRun, symbol: str) -> list[str]:
    return [log.msg for log in list(run.seen.logs) if log.msg.startswith(symbol)]


# told at the call


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"enviroment": "sandbox"}, "did you mean 'environment'"),
        ({"environment": "lvie"}, "did you mean 'live'"),
        ({"environment": "sandbox", "rest_url": "127.0.0.1:9000"}, "is an address like"),
        ({}, "must be said"),
    ],
)
def test_a_wrong_setting_raises_and_can_be_mended(idle: EngineRun, setting: dict[str, object], said: str) -> None:
    """Nothing has been started: the next connect counts."""
    with pytest.raises(ConfigError, match=said):
        idle.engine.connect(setting, "BINANCE")
    idle.subscribe("BTCUSDT", "tick")
    idle.connect()
    eventually(lambda: idle.seen.ticks["BTCUSDT"], "a tick")


def test_an_unknown_adapter_is_named(idle: EngineRun) -> None:
    """With the nearest that was added."""
    with pytest.raises(ConfigError, match="did you mean 'BINANCE'"):
        idle.engine.connect(idle.setting, "BINANC")


def test_an_unknown_channel_raises_where_it_is_written() -> None:
    """No request can be made of it."""
    with pytest.raises(ValueError, match="unknown channel 'trade'; did you mean 'trades'"):
        request("BTCUSDT", "trade")


@pytest.mark.parametrize(("channel", "says"), [("bars:2d", "longer than a day"), ("bars:60s", "is called '1m': say bars:1m")])
@pytest.mark.parametrize("is_connected", [False, True])
def test_an_interval_that_cannot_be_says_what_can(idle: EngineRun, channel: str, says: str, is_connected: bool) -> None:
    """Connected or not; nothing of the request is taken."""
    if is_connected:
        idle.connect()
    with pytest.raises(ValueError, match=says):
        idle.subscribe("BTCUSDT", "tick", channel)
    assert idle.adapter.lanes() == []


def test_another_exchange_is_refused(idle: EngineRun) -> None:
    """An adapter serves its own venue."""
    with pytest.raises(NotSupported, match="adapter 'BINANCE' serves BINANCE, not LOCAL"):
        idle.engine.subscribe(SubscribeRequest("BTCUSDT", Exchange.LOCAL), "BINANCE")


@pytest.mark.parametrize("symbol", ["", "BTC USDT", "BTC/USDT/X", "a?b=c", "BTC&X", "BTC\nUSDT", '"', "x" * 41])
def test_what_is_no_symbol_raises(idle: EngineRun, symbol: str) -> None:
    """It must never enter an address."""
    with pytest.raises(ValueError, match="is not a symbol; write BTC/USDT"):
        idle.subscribe(symbol, "tick")
    with pytest.raises(ValueError, match="is not a symbol"):
        idle.adapter.health(symbol)


def test_the_three_forms_of_a_symbol_are_one(run: EngineRun) -> None:
    """One lane."""
    for form in ("BTC/USDT", "BTCUSDT", "BTCUSDT.BINANCE", "btcusdt"):
        run.subscribe(form, "tick")
    eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
    assert [status.key for status in run.adapter.lanes()] == [("BTCUSDT", "tick")]


# an unknown symbol


@pytest.mark.parametrize("is_connected", [False, True])
def test_an_unknown_symbol_ends_each_lane_and_is_told_once(idle: EngineRun, is_connected: bool) -> None:
    """CLOSED for every channel, one log that names the nearest; the right one is served."""
    if is_connected:
        idle.connect()
        eventually(lambda: idle.engine.get_contract("BTCUSDT"), "the market list")
    idle.subscribe("BTCUSD", *CHANNELS)
    idle.subscribe("BTCUSDT", "tick")
    if not is_connected:
        idle.connect()
    eventually(lambda: idle.seen.is_at(LaneState.CLOSED, "BTCUSD", *CHANNELS), "all lanes closed")
    eventually(lambda: idle.seen.ticks["BTCUSDT"], "a tick of the right one")
    ends = [(end.channel, end.serving, end.reason) for end in idle.seen.transports if end.symbol == "BTCUSD"]
    assert ends == [(channel, Serving.NONE, Reason.UNKNOWN_SYMBOL) for channel in CHANNELS]
    assert refusals(idle, "BTCUSD ") == ["BTCUSD is not listed by the venue; did you mean BTCUSDT?"]
    assert idle.adapter.health("BTCUSD") is None


def test_an_unknown_symbol_that_is_like_none_has_no_hint(run: EngineRun) -> None:
    """Nothing is made up."""
    run.subscribe("币安人生", "tick")
    eventually(lambda: refusals(run, "币安人生"), "the log")
    assert refusals(run, "币安人生") == ["币安人生 is not listed by the venue"]


def test_a_channel_named_twice_is_one_lane(run: EngineRun) -> None:
    """Also when the symbol is unknown: one end, one log."""
    run.subscribe("BTCUSD", "tick", "tick")
    eventually(lambda: refusals(run, "BTCUSD"), "the log")
    run.subscribe("BTCUSDT", "trades", "trades")
    eventually(lambda: run.seen.is_at(LaneState.POLLING, "BTCUSDT", "trades"), "polling")
    assert len(run.seen.changes("BTCUSD", "tick")) == 1
    assert len(run.seen.changes("BTCUSDT", "trades")) == 1


def test_a_listed_symbol_that_the_venue_refuses_ends_alone(tmp_path: Path) -> None:
    """The others of its batch are served; asked for again, it is tried again."""

    async def ticker(asked: web.Request) -> web.StreamResponse:
        if "GONEUSDT" in asked.query["symbols"]:
            return await answer('{"code":-1121,"msg":"Invalid symbol."}', 400)(asked)
        return web.json_response([TICKER])

    with threaded_stub_venue() as venue:
        venue.replies["exchangeInfo"] = [answer({"symbols": [LISTING, {**LISTING, "symbol": "GONEUSDT"}]})]
        venue.replies["ticker/24hr"] = [ticker]
        with engine_run(tmp_path, None, flags_text({}), rest_url=venue.rest_url, stream_url=venue.stream_url) as run:
            run.subscribe("BTCUSDT", "tick")
            run.subscribe("GONEUSDT", "tick", "trades")
            eventually(lambda: run.seen.is_at(LaneState.CLOSED, "GONEUSDT", "tick", "trades"), "the end of the refused one")
            eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick of the other")
            assert {reason for _, _, reason in run.seen.changes("GONEUSDT", "tick")} == {Reason.UNKNOWN_SYMBOL}
            assert len(refusals(run, "GONEUSDT: ")) == 1
            assert "-1121 Invalid symbol." in refusals(run, "GONEUSDT: ")[0]
            run.subscribe("GONEUSDT", "tick")
            eventually(lambda: len(run.seen.changes("GONEUSDT", "tick")) == 2, "the second answer")


# twice, and not at all


def test_subscribing_twice_delivers_once(run: EngineRun) -> None:
    """No second lane, no duplicate."""
    for _ in range(2):
        run.subscribe("BTCUSDT", "tick", "trades")
    eventually(lambda: len(run.seen.trades["BTCUSDT"]) > 5, "trades")
    run.subscribe("BTCUSDT", "trades")
    count = len(run.seen.trades["BTCUSDT"])
    eventually(lambda: len(run.seen.trades["BTCUSDT"]) > count + 5, "more trades")
    ids = [trade.trade_id for trade in run.seen.trades["BTCUSDT"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(run.adapter.lanes()) == 2


def test_unsubscribing_what_is_not_subscribed_changes_nothing(run: EngineRun) -> None:
    """Neither an error nor an event."""
    run.subscribe("BTCUSDT", "tick")
    run.engine.unsubscribe(request("BTCUSDT", "trades"), "BINANCE")
    run.engine.unsubscribe(request("NOSUCH", "tick"), "BINANCE")
    eventually(lambda: len(run.seen.ticks["BTCUSDT"]) > 2, "ticks")
    assert run.seen.changes("BTCUSDT", "trades") == []
    assert run.seen.changes("NOSUCH", "tick") == []


def test_unsubscribed_before_connect_is_never_opened(idle: EngineRun) -> None:
    """The last word counts."""
    idle.subscribe("ETHUSDT", "tick")
    idle.engine.unsubscribe(request("ETHUSDT", "tick"), "BINANCE")
    idle.subscribe("BTCUSDT", "tick")
    idle.connect()
    eventually(lambda: idle.seen.ticks["BTCUSDT"], "a tick")
    assert [status.key.symbol for status in idle.adapter.lanes()] == ["BTCUSDT"]
    assert idle.seen.changes("ETHUSDT", "tick") == [(LaneState.POLLING, LaneState.CLOSED, Reason.UNSUBSCRIBED)]


def test_unsubscribed_before_connect_is_told_at_once(idle: EngineRun) -> None:
    """The closing event does not wait for a connection that may never come; what was not subscribed gives none."""
    idle.subscribe("ETHUSDT", "tick")
    idle.engine.unsubscribe(request("ETHUSDT", "tick", "trades"), "BINANCE")
    eventually(lambda: idle.seen.is_at(LaneState.CLOSED, "ETHUSDT", "tick"), "its closing event")
    assert (idle.seen.serving("ETHUSDT", "tick"), idle.seen.changes("ETHUSDT", "trades")) == (Serving.NONE, [])


def test_connecting_twice_is_refused_and_harms_nothing(run: EngineRun) -> None:
    """The message says what to do instead."""
    with pytest.raises(ConfigError, match="is connected already; add a second adapter under another name"):
        run.connect()
    run.subscribe("BTCUSDT", "tick")
    eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")


def test_a_state_folder_in_use_is_refused_until_it_is_free(tmp_path: Path, box: Sandbox) -> None:
    """A second engine says so at the call, and can be connected once the first has closed."""
    with engine_run(tmp_path, box, flags_text({})) as first:
        second = EngineRun(tmp_path, box, flags_text({}))
        with pytest.raises(ConfigError, match="is in use by process"):
            second.connect()
        first.engine.close()
        second.subscribe("BTCUSDT", "tick")
        second.connect()
        eventually(lambda: second.seen.ticks["BTCUSDT"], "a tick")
        second.engine.close()


# after the close

AFTER: list[Callable[[EngineRun], object]] = [
    lambda run: run.connect(),
    lambda run: run.subscribe("BTCUSDT", "tick"),
    lambda run: run.engine.unsubscribe(request("BTCUSDT", "tick"), "BINANCE"),
    lambda run: run.adapter.connect(run.setting),
    lambda run: run.adapter.subscribe(request("BTCUSDT", "tick")),
    lambda run: run.adapter.unsubscribe(request("BTCUSDT", "tick")),
]


@pytest.mark.parametrize("call", AFTER)
@pytest.mark.parametrize("was_connected", [False, True])
def test_after_close_every_call_is_refused(idle: EngineRun, call: Callable[[EngineRun], object], was_connected: bool) -> None:
    """Closed, for the engine and the adapter."""
    if was_connected:
        idle.connect()
    idle.engine.close()
    with pytest.raises(Closed) as error:
        call(idle)
    assert isinstance(error.value, FoxtrotError)
    assert "closed" in str(error.value)


def test_after_close_what_was_known_can_still_be_read(run: EngineRun) -> None:
    """Tables show the end; nothing is subscribed any more, so only what was last told knows a health."""
    run.subscribe("BTCUSDT", "tick")
    eventually(lambda: run.seen.ticks["BTCUSDT"], "a tick")
    run.engine.close()
    assert run.engine.get_tick("BTCUSDT") == run.seen.ticks["BTCUSDT"][-1]
    assert run.adapter.lanes() == []
    assert run.engine.health("BTCUSDT") is None
    assert run.engine.oms.get_health("BTCUSDT.BINANCE") is not None
