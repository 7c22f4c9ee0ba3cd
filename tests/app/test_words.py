"""Each event is said in one line, as serious as it is."""

import logging

import pytest

from foxtrot.app.reasons import because
from foxtrot.app.words import clock_time, is_news, level_of, phrase
from foxtrot.core.event import Event
from foxtrot.util.constants import Exchange, Health, LaneState, Reason
from foxtrot.util.event_type import EVENT_BACKFILL, EVENT_GAP, EVENT_HEALTH, EVENT_LOG, EVENT_TIMER, EVENT_TRANSPORT
from foxtrot.util.object import BackfillData, GapData, LogData
from tests.app.samples import change, health, trade

LOST = Event(EVENT_TRANSPORT, change(LaneState.FALLBACK, Reason.CONNECTION))
GAP = Event(EVENT_GAP, GapData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", 5, 9, Reason.GAP))
BLIND = Event(EVENT_HEALTH, health(Health.LIVE, Health.BLIND, Reason.STALE))


def log(level: int) -> Event:
    return Event(EVENT_LOG, LogData("BINANCE", "text", level))


def test_transport() -> None:
    """From where to where, why, and what serves."""
    assert phrase(LOST) == "BTCUSDT trades: streaming -> fallback, served by polling: its connection is lost"
    same = Event(EVENT_TRANSPORT, change(LaneState.POLLING, Reason.POLL_DOWN, old=LaneState.POLLING))
    assert phrase(same) == "BTCUSDT trades: polling, served by polling: polls are not answered"


def test_health() -> None:
    """The state in capitals, and why."""
    assert phrase(BLIND) == "BTCUSDT is BLIND, served by polling: nothing confirms it"


@pytest.mark.parametrize("why", [Reason.PIN, Reason.ROLLOUT, Reason.DEFAULTS, Reason.RETRY])
def test_a_stream_that_has_yet_to_prove_itself(why: Reason) -> None:
    """Is degraded for that, not for the rule that set it out."""
    found = phrase(Event(EVENT_HEALTH, health(Health.BLIND, Health.DEGRADED, why)))
    assert found == "BTCUSDT is DEGRADED, served by polling: its stream has yet to prove itself"


@pytest.mark.parametrize("why", Reason)
def test_every_reason_has_words(why: Reason) -> None:
    """A new one cannot be forgotten; none is the bare name of the platform's word."""
    assert because(why)
    assert "_" not in because(why)


def test_logs() -> None:
    """As they are; what is serious says so."""
    assert [phrase(log(level)) for level in (logging.INFO, logging.WARNING)] == ["text", "warning: text"]


def gap(first: int, last: int, why: Reason) -> Event:
    return Event(EVENT_GAP, GapData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", first, last, why))


def test_gaps() -> None:
    """The ids, and whether they may still be found."""
    assert phrase(GAP) == "BTCUSDT trades: gap: 5 ids, 5 to 9, not at the venue any more"
    assert phrase(gap(7, 7, Reason.HOLD)) == (
        "BTCUSDT trades: gap: id 7 not found within the hold; live data goes on, the search too"
    )
    bars = GapData("BTCUSDT", Exchange.BINANCE, "BINANCE", "bars:10s", 3, 4, Reason.HOLD)
    assert phrase(Event(EVENT_GAP, bars)).startswith("BTCUSDT bars:10s: gap: 2 bars, 3 to 4, not found within the hold")
    assert phrase(gap(1, 2_000, Reason.LAG)) == "BTCUSDT trades: gap: 2,000 ids, 1 to 2000, its stream is late"


def test_what_is_found_of_gaps() -> None:
    """How many values."""
    found = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", (trade(5), trade(6)))
    assert phrase(Event(EVENT_BACKFILL, found)) == "BTCUSDT trades: backfill: 2 missing values found"
    one = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", (trade(5),))
    assert phrase(Event(EVENT_BACKFILL, one)) == "BTCUSDT trades: backfill: 1 missing value found"


def test_anything_else() -> None:
    """Is named at least."""
    assert phrase(Event(EVENT_TIMER)) == "eTimer None"


def test_levels() -> None:
    """What is lost and blindness are errors; a fallback, a doubt and what may be found again warn; the rest is news."""
    assert [level_of(event) for event in (GAP, BLIND, LOST, log(logging.ERROR))] == [40, 40, 30, 40]
    assert level_of(gap(5, 9, Reason.HOLD)) == logging.WARNING
    assert level_of(Event(EVENT_HEALTH, health(Health.LIVE, Health.SUSPECT, Reason.AUDIT))) == logging.WARNING
    assert level_of(Event(EVENT_TRANSPORT, change(LaneState.PROVING, Reason.POLL_DOWN, LaneState.PROVING))) == logging.WARNING
    assert level_of(Event(EVENT_HEALTH, health(Health.BLIND, Health.LIVE, Reason.CONFIRMED))) == logging.INFO


def test_news() -> None:
    """The start and the end of a lane, and a health that stays, go without saying."""
    assert is_news(LOST)
    assert is_news(log(logging.INFO))
    assert not is_news(Event(EVENT_TRANSPORT, change(LaneState.CLOSED, Reason.CLOSING)))
    assert not is_news(Event(EVENT_HEALTH, health(Health.BLIND, Health.BLIND, Reason.STARTING)))
    assert not is_news(Event(EVENT_HEALTH, health(Health.LIVE, Health.LIVE, Reason.CONFIRMED)))


def test_times() -> None:
    """To the millisecond."""
    assert clock_time(1_700_000_000_123_000_000).endswith(":20.123")
