"""Rows of the catalogue in which connections stand and what they carry is wrong, late, or missing."""

from foxtrot.util.constants import Health, LaneState, Reason
from tests.chaos.rows_connection import hits
from tests.chaos.scenario import Scenario
from tests.chaos.stage import BUSY, QUIET, Setup, Stage

_VICTIM = "ETHUSDT"
_TICK = ("tick",)
_IDS = ("trades", "agg_trades")
_LAGS = 7.0
"""``lastId`` ahead for 5 s, with a beat of 1 s before it is seen and one after."""


def _partial_death(stage: Stage) -> None:
    _falls_silent(stage, "mute")


def _falls_silent(stage: Stage, fault: str, **params: float) -> None:
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike(fault, _VICTIM, **params)
    stage.expect_falls(stage.lanes_of(_VICTIM, channels=_TICK), 30, stage.wrong_since)
    stage.expect_polled([_VICTIM])


def _partial_death_of_trades(stage: Stage) -> None:
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike("mute", _VICTIM)
    stage.expect_falls(stage.lanes_of(_VICTIM, channels=_IDS), 30)
    stage.expect_polled([_VICTIM])
    stage.clear()
    stage.await_home(stage.lanes_of(_VICTIM), 75)


def _quiet(stage: Stage) -> None:
    """Nothing but quiet symbols, for 25 s: all stay, all LIVE."""
    stage.may_fall([])
    stage.mark()
    stage.stay(25)
    for symbol in stage.setup.symbols:
        if stage.health(symbol) is not Health.LIVE:
            stage.problem(f"{symbol} is {stage.health(symbol)}")


def _late(stage: Stage) -> None:
    _falls_silent(stage, "delay", ms=5_000)


def _late_trades(stage: Stage) -> None:
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike("delay", _VICTIM, ms=5_000)
    stage.expect_falls(stage.lanes_of(_VICTIM, channels=_IDS), 40)


def _replay(stage: Stage) -> None:
    """100 old frames first on the way back: none is delivered, nothing falls for them."""
    stage.may_fall(stage.lanes)
    stage.box.chaos("stale-replay", frames=100)
    stage.stay(6)
    stage.strike("close")
    stage.expect_falls(stage.lanes, 10)
    stage.await_home(stage.lanes, 60)
    stage.stay(3)
    odd = {change.reason for _, change in stage.seen.falls(stage.struck)} - {Reason.CONNECTION}
    if odd:
        stage.problem(f"lanes fell for {', '.join(sorted(odd))}")
    _ascending(stage)


def _ascending(stage: Stage) -> None:
    """Streamed quotes never go back."""
    for symbol, ticks in stage.seen.ticks.items():
        ids = [tick.update_id for _, tick in ticks if tick.update_id]
        if ids != sorted(ids):
            stage.problem(f"quotes of {symbol} went back")


def _twice(stage: Stage) -> None:
    _harmless(stage, "duplicate")


def _swapped(stage: Stage) -> None:
    """Of a busy symbol: on a quiet one the frame held back comes so late that the stream is rightly given up."""
    _harmless(stage, "reorder", share=0.2, symbol="BTCUSDT")


def _harmless(stage: Stage, fault: str, share: float | None = None, symbol: str | None = None, **params: float) -> None:
    stage.may_fall([])
    stage.strike(fault, symbol, share, **params)
    stage.stay(8)
    if not hits(stage, fault):
        stage.problem("the fault struck nothing")
    _ascending(stage)


def _few_lost(stage: Stage) -> None:
    """One frame in 300: holes are filled by id, nothing falls."""
    _harmless(stage, "drop", one_in=300)


def _many_lost(stage: Stage) -> None:
    """Every other frame: three holes within a minute are a trip."""
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike("drop", _VICTIM, one_in=2)
    stage.expect_falls(stage.lanes_of(_VICTIM, channels=["trades"]), 30)
    fall = stage.fallen(stage.lanes_of(_VICTIM, channels=["trades"])[0])
    if fall is not None and fall[1].reason is not Reason.GAP:
        stage.problem(f"fell for {fall[1].reason}, not for its gaps")


def _malformed(stage: Stage) -> None:
    """Every frame of every stream."""
    stage.may_fall(stage.lanes)
    stage.strike("malformed")
    stage.expect_falls(stage.lanes_of(*BUSY, channels=_TICK), 30, stage.wrong_since)
    stage.expect_polled(BUSY)


def _some_malformed(stage: Stage) -> None:
    """One frame in 20 cut short: the others go on, holes are filled; nobody else is touched."""
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike("malformed", _VICTIM, share=0.05)
    stage.stay(8)


def _oversize(stage: Stage) -> None:
    """A frame of 2 MB ends its connection, as little else could."""
    stage.may_fall(stage.lanes)
    stage.strike("oversize", "BTCUSDT", bytes=2_000_000)
    stage.expect_falls(stage.lanes, 10)
    stage.clear()
    stage.expect_polled(BUSY)
    stage.await_home(stage.lanes)


def _binary(stage: Stage) -> None:
    _falls_silent(stage, "binary")


def _relabelled(stage: Stage) -> None:
    stage.may_fall(stage.lanes_of(_VICTIM))
    stage.strike("wrong-symbol", _VICTIM)
    stage.expect_falls(stage.lanes_of(_VICTIM, channels=_TICK), 10)
    stage.expect_polled([_VICTIM])
    if any(tick.symbol != symbol for symbol, ticks in stage.seen.ticks.items() for _, tick in ticks):
        stage.problem("another symbol's tick was delivered")


def _subscription(fault: str) -> "Scenario":
    """A symbol subscribed on a connection that carries others: the command is acknowledged and forgotten, or refused."""

    def play(stage: Stage) -> None:
        late = stage.lanes_of("BNBUSDT")
        stage.may_fall(late)
        stage.strike(fault)
        stage.subscribe("BNBUSDT")
        stage.wait(lambda: stage.seen.ticks["BNBUSDT"], "a polled tick", 10)
        begun = stage.wait(lambda: stage.seen.state.get(late[0]) is LaneState.PROVING, "the proving", 10)
        for lane in late:
            at = stage.wait(lambda lane=lane: stage.falls_of(lane), f"{lane} given up", 40)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            stage.outcome.detected.append(max(0.0, at - begun))
            fall = stage.fallen(lane)
            if fall is not None:
                stage.note(fall[1].reason)
        stage.clear()
        stage.await_home(late, 120)

    key = {"ack-dropped": "17a", "error-ack": "17b"}[fault]
    return Scenario(key, f"SUBSCRIBE: {fault}", "given up, from SUBSCRIBE", 10.0, play)


def _no_ack(stage: Stage) -> None:
    """The answer is lost, the command carried out: data proves it, the lane comes to stream."""
    late = stage.lanes_of("BNBUSDT")
    stage.may_fall([])
    stage.strike("no-ack")
    stage.subscribe("BNBUSDT")
    stage.await_home(late, 60)


def _halt(stage: Stage) -> None:
    """The venue says HALT: no trip; HALTED is said, and LIVE again when it trades again."""
    stage.may_fall([])
    stage.strike("halt", _VICTIM)
    stage.expect_health([_VICTIM], (Health.HALTED,), 90)
    stage.clear()
    stage.wait(lambda: stage.health(_VICTIM) is Health.LIVE, f"{_VICTIM} live again", 90)
    stage.stay(3)


_QUIET_ONLY = Setup(symbols=("USDCUSDT", *QUIET, "WAVESUSDT"), watched=QUIET, activity=0.3)
_FIRST_WRONG = "fall of the tick, from its first wrong price"

ROWS = (
    Scenario("5a", "partial death: tick", _FIRST_WRONG, 2.7, _partial_death, stale=1.2),
    Scenario("5b", "partial death: trades", "fall of both id lanes", _LAGS, _partial_death_of_trades, stale=1.2),
    Scenario("6", "quiet market", "-", None, _quiet, _QUIET_ONLY, caveat="a day of it (the simulation does)"),
    Scenario("8a", "frames 5 s late: tick", _FIRST_WRONG, 2.7, _late, stale=1.2),
    Scenario("8b", "frames 5 s late: trades", "fall of both id lanes", _LAGS, _late_trades, stale=1.2),
    Scenario("9", "stale replay after a reconnect", "fall of every lane", 0.05, _replay),
    Scenario("10", "every frame twice", "-", None, _twice),
    Scenario("11", "frames swapped (busy symbol)", "-", None, _swapped),
    Scenario("12a", "one frame in 300 lost", "-", None, _few_lost),
    Scenario("12b", "every other frame lost", "fall of trades, reason gap", _LAGS, _many_lost, stale=1.2),
    Scenario("13a", "every frame cut short", _FIRST_WRONG, 2.7, _malformed, stale=1.2),
    Scenario(
        "13b",
        "one symbol: one frame in 20 cut short",
        "-",
        None,
        _some_malformed,
        stale=1.2,
        caveat="NaN, huge numbers, wrong types (the decoder's own tests do)",
    ),
    Scenario(
        "14",
        "a frame of 2 MB",
        "fall of every lane",
        0.5,
        _oversize,
        caveat="a compressed bomb (no compression is ever agreed on), deep nesting",
    ),
    Scenario("15", "binary frames", _FIRST_WRONG, 2.7, _binary, stale=1.2),
    Scenario("16", "another symbol's name in its frames", "fall of the tick", 0.5, _relabelled),
    _subscription("ack-dropped"),
    _subscription("error-ack"),
    Scenario("17c", "SUBSCRIBE: answer lost", "-", None, _no_ack),
    Scenario("29", "HALT", "health HALTED", 60.0, _halt),
)
