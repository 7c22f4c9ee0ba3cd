"""Rows of the catalogue in which connections end, hang, or are never made."""

import os
import signal
import time

from foxtrot.util.constants import Health, LaneState, Reason
from tests.chaos.scenario import Scenario
from tests.chaos.stage import BUSY, Setup, Stage
from tests.chaos.tls import Certificate, wss_server
from tests.support.chaos_proxy import DOWN, UP, Toxics

_PROXIED = Setup(proxied=("stream",))


def _clean_close(stage: Stage) -> None:
    _ends(stage, "close")


def _reset(stage: Stage) -> None:
    _ends(stage, "reset")


def _one_of_two(stage: Stage) -> None:
    """Each lane has two lines: one after the other is reset, and nobody notices."""
    stage.may_fall([])
    proxy = stage.proxies["stream"]
    stage.wait(lambda: proxy.connections >= 2, "the second line", 20)
    stage.stay(3)
    stage.mark()
    for _ in range(3):
        proxy.reset(1)
        stage.wait(lambda: proxy.connections >= 2, "the line that replaces it", 30)
        stage.stay(3)


def _cut(stage: Stage) -> None:
    _ends(stage, "cut-24h")


def _ends(stage: Stage, fault: str) -> None:
    stage.may_fall(stage.lanes)
    stage.strike(fault)
    stage.expect_falls(stage.lanes, 10)
    stage.expect_polled(BUSY)
    stage.await_home(stage.lanes)


def _black_hole(stage: Stage) -> None:
    stage.may_fall(stage.lanes)
    stage.mark()
    for way in (UP, DOWN):
        stage.proxies["stream"].set(way, Toxics(is_black_hole=True))
    stage.expect_falls(stage.lanes, 30)
    stage.expect_polled(BUSY)


def _stopped_process(stage: Stage) -> None:
    """The exchange's process stands still: neither stream nor REST, so it is health that tells."""
    stage.may_fall(None)
    stage.mark()
    os.kill(stage.box.pid, signal.SIGSTOP)
    try:
        stage.expect_health(stage.setup.symbols, (Health.BLIND,), 15)
    finally:
        os.kill(stage.box.pid, signal.SIGCONT)
    for symbol in stage.setup.watched:
        stage.wait(lambda symbol=symbol: stage.health(symbol) is not Health.BLIND, f"{symbol} seen again", 40)  # type: ignore[misc]  # -- mypy infers no lambda with defaults


def _stall(stage: Stage) -> None:
    stage.may_fall(stage.lanes)
    stage.strike("stall")
    stage.expect_falls(stage.lanes, 30)
    stage.expect_polled(BUSY)
    stage.clear()
    stage.await_home(stage.lanes, 75)


def _flood(stage: Stage) -> None:
    """100 pings a second do not hide that no data comes."""
    stage.may_fall([])
    stage.strike("ping-flood", per_second=100)
    stage.stay(4)
    stage.struck = 0.0
    stage.may_fall(stage.lanes)
    stage.strike("mute")
    stage.expect_falls(stage.lanes_of(*BUSY, channels=["tick"]), 30, stage.wrong_since)
    stage.expect_polled(BUSY)


def _refused_name(stage: Stage) -> None:
    """No address for the stream's host: polling serves, and says why it is no better."""
    stage.may_fall(None)
    stage.mark()
    for symbol in BUSY:
        stage.wait(lambda symbol=symbol: stage.seen.ticks[symbol], f"a polled tick of {symbol}", 20)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
    stage.watch()
    stage.wait(lambda: any("WebSocket" in text for text in stage.seen.logs), "the log that names the dial's failure", 15)
    stage.stay(5)
    _polled_and_degraded(stage)


def _polled_and_degraded(stage: Stage) -> None:
    for symbol in BUSY:
        if stage.health(symbol) is not Health.DEGRADED:
            stage.problem(f"{symbol} is {stage.health(symbol)}, not degraded")
    if any(tick.source == "stream" for ticks in stage.seen.ticks.values() for _, tick in ticks):
        stage.problem("something streamed was delivered")


def _tls(certificate: Certificate, word: str) -> "Scenario":
    def play(stage: Stage) -> None:
        with wss_server(certificate) as (url, ca_file, came):
            stage.may_fall(None)
            stage.connect(stream_url=url, ca_file=ca_file)
            stage.mark()
            for symbol in BUSY:
                stage.wait(lambda symbol=symbol: stage.seen.ticks[symbol], f"a polled tick of {symbol}", 20)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
            stage.watch()
            told = stage.wait(lambda: any(word in text for text in stage.seen.logs), f"a log that says {word!r}", 20)
            stage.outcome.detected.append(told - came[0])
            stage.stay(3)
            _polled_and_degraded(stage)

    key = {"self-signed": "22a", "expired": "22b", "wrong-host": "22c", "hang": "22d"}[certificate]
    allowed = 10.0 if certificate == "hang" else 3.0
    return Scenario(
        key, f"TLS: {certificate}", "the log that says so, from the dial", allowed, play, Setup(settles=False, connects=False)
    )


def _upgrade_refused(stage: Stage) -> None:
    """503 to every redial: the lanes are polled, and come home once it is over."""
    stage.may_fall(stage.lanes)
    stage.box.chaos("upgrade-status", status=503)
    stage.strike("close")
    stage.expect_falls(stage.lanes, 10)
    stage.expect_polled(BUSY)
    stage.stay(5)
    stage.clear()
    stage.await_home(stage.lanes, 75)
    _nothing_counted(stage)


def _upgrade_limited(stage: Stage) -> None:
    """429 with Retry-After 5: one attempt, and none before."""
    stage.may_fall(stage.lanes)
    stage.box.chaos("upgrade-status", status=429, retry_after=5)
    stage.strike("close")
    stage.expect_falls(stage.lanes, 10)
    stage.expect_polled(BUSY)
    stage.wait(lambda: hits(stage, "upgrade-status") >= 1, "the refused upgrade", 5)
    stage.stay(3)
    if hits(stage, "upgrade-status") > 1:
        stage.problem(f"{hits(stage, 'upgrade-status')} upgrades asked within Retry-After")
    stage.clear()
    stage.await_home(stage.lanes, 75)
    _nothing_counted(stage)


def _nothing_counted(stage: Stage) -> None:
    """A connection's failure is no lane's."""
    wrong = {change.reason for _, change in stage.seen.falls(stage.struck) if change.reason is not Reason.CONNECTION}
    if wrong:
        stage.problem(f"lanes fell for {', '.join(sorted(wrong))}, not for the connection")


def hits(stage: Stage, fault: str) -> int:
    """How often a fault in force has struck."""
    return sum(each["hits"] for each in stage.faults() if each["fault"] == fault)


def _upgrade_hangs(stage: Stage) -> None:
    """The dial is given up after 10 s and tried again."""
    stage.may_fall(stage.lanes)
    stage.box.chaos("upgrade-hang")
    stage.strike("close")
    stage.wait(lambda: hits(stage, "upgrade-hang") >= 1, "the upgrade that hangs", 5)
    begun = time.monotonic()
    told = stage.wait(lambda: any("no WebSocket within" in text for text in stage.seen.logs), "the log that it hangs", 20)
    stage.outcome.detected.append(told - begun)
    stage.expect_polled(BUSY)
    stage.clear()
    stage.await_home(stage.lanes, 75)


def _sliced(stage: Stage) -> None:
    """Frames in pieces of 1 to 40 bytes, 20 to 60 ms late: nothing falls."""
    stage.may_fall([])
    stage.mark()
    stage.proxies["stream"].set(DOWN, Toxics(latency=0.02, jitter=0.04, slice=40))
    stage.stay(12)


def _throttled(stage: Stage) -> None:
    """A tenth of the bandwidth that is needed: the stream falls ever further behind."""
    stage.may_fall(stage.lanes)
    stage.mark()
    stage.proxies["stream"].set(DOWN, Toxics(bandwidth=2_000))
    stage.expect_falls(stage.lanes_of(*BUSY, channels=["tick"]), 30, stage.wrong_since)
    stage.expect_polled(BUSY)


def _half_closed(stage: Stage) -> None:
    stage.may_fall(stage.lanes)
    stage.mark()
    stage.proxies["stream"].half_close(DOWN)
    stage.expect_falls(stage.lanes, 30)
    stage.expect_polled(BUSY)
    stage.await_home(stage.lanes)


def _storm(stage: Stage) -> None:
    """200 symbols lose their connections at once: all polled within a second, then home, within the venue's limits."""
    stage.may_fall(stage.lanes)
    stage.strike("close")
    stage.expect_falls(stage.lanes, 10)
    stage.expect_polled(BUSY)
    stage.await_home(stage.lanes, 75)


def _flapping(stage: Stage) -> None:
    """10 s up, 5 s down, for 90 s: no lane switches more than six times."""
    stage.may_fall(stage.lanes)
    stage.mark()
    for _ in range(6):
        stage.box.chaos("upgrade-status", seconds=5.0, status=503)
        stage.box.chaos("close")
        stage.stay(15)
    for lane in stage.lanes:
        moves = [c for _, c in stage.seen.changes if (c.symbol, c.channel) == lane]
        switches = sum({c.old, c.new} >= {LaneState.STREAMING, LaneState.FALLBACK} or _is_return(c.old, c.new) for c in moves[2:])
        if switches > 6:
            stage.problem(f"{lane.symbol} {lane.channel} switched {switches} times")
        stage.note(f"{switches} switches")


def _is_return(old: LaneState, new: LaneState) -> bool:
    return old is LaneState.PROVING and new is LaneState.STREAMING


def _shutdown_notice(stage: Stage) -> None:
    """serverShutdown, closed 10 s later: the new line is there before the old one goes."""
    stage.may_fall([])
    stage.strike("server-shutdown", lead=10)
    stage.stay(14)


def _first_data_never(stage: Stage) -> None:
    """The way back is acknowledged and silent: polling serves, and the lane does not trust it."""
    stage.may_fall(None)
    stage.box.chaos("first-data-never")
    stage.strike("close")
    stage.expect_polled_after(BUSY)
    begun = stage.wait(
        lambda: all(stage.seen.state.get(lane) is LaneState.PROVING for lane in stage.lanes_of(*BUSY)), "the way back", 20
    )
    for lane in stage.lanes_of(*BUSY):
        at = stage.wait(lambda lane=lane: stage.falls_of(lane) >= 2, f"{lane} given up again", 40)  # type: ignore[misc]  # -- mypy infers no lambda with defaults
        stage.outcome.detected.append(max(0.0, at - begun))
    if any(stage.seen.state.get(lane) is LaneState.STREAMING for lane in stage.lanes):
        stage.problem("a lane streams without data")


ROWS = (
    Scenario("1", "clean close (1001)", "fall of every lane", 0.05, _clean_close),
    Scenario("2a", "abrupt reset", "fall of every lane", 0.05, _reset),
    Scenario("2b", "reset of one of two lines, three times", "-", None, _one_of_two, Setup(proxied=("stream",), lines=2)),
    Scenario("3a", "half-open: black hole both ways", "fall of every lane", 3.0, _black_hole, _PROXIED, stale=1.5),
    Scenario("3b", "the exchange's process stopped", "health BLIND", 3.5, _stopped_process, stale=2.0),
    Scenario("4", "silent stall, pongs go on", "fall of every lane", 3.0, _stall, stale=1.5),
    Scenario("18", "100 pings a second, then mute", "fall of busy ticks, from the first wrong price", 2.7, _flood, stale=1.2),
    Scenario(
        "21",
        "no address for the stream's host",
        "-",
        None,
        _refused_name,
        Setup(setting={"stream_url": "wss://stream.invalid:9443"}, settles=False),
        caveat="a resolver that is slow, or answers with a wrong address",
    ),
    _tls(Certificate.SELF_SIGNED, "certificate"),
    _tls(Certificate.EXPIRED, "certificate"),
    _tls(Certificate.WRONG_HOST, "hostname mismatch"),
    _tls(Certificate.HANG, "no WebSocket within"),
    Scenario("23a", "503 on the upgrade", "fall of every lane", 0.05, _upgrade_refused),
    Scenario("23b", "429 on the upgrade, Retry-After 5", "fall of every lane", 0.05, _upgrade_limited),
    Scenario("24", "the upgrade never completes", "the dial given up", 10.0, _upgrade_hangs),
    Scenario("25a", "proxy slices and jitters", "-", None, _sliced, _PROXIED),
    Scenario(
        "25b", "proxy throttles to 2 kB/s", "fall of busy ticks, from the first wrong price", 2.7, _throttled, _PROXIED, stale=1.2
    ),
    Scenario("25c", "proxy half-closes", "fall of every lane", 0.05, _half_closed, _PROXIED),
    Scenario(
        "26",
        "200 symbols cut at once",
        "fall of every lane",
        0.25,
        _storm,
        Setup(symbols=BUSY, listed=200, channels=("tick",), extra=197, activity=0.5),
    ),
    Scenario("27", "flapping: 10 s up, 5 s down", "-", None, _flapping, most=2, caveat="hours of it (the simulation does)"),
    Scenario("30a", "24 h cut", "fall of every lane", 0.05, _cut),
    Scenario("30b", "serverShutdown, 10 s ahead", "-", None, _shutdown_notice),
    Scenario("31", "first data never", "given up again, from the way back", 10.0, _first_data_never),
)
