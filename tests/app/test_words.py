"""Each event is said in one line, as serious as it is."""

import logging

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
    assert phrase(LOST) == "BTCUSDT trades: streaming -> fallback (connection); served by polling"
    same = Event(EVENT_TRANSPORT, change(LaneState.POLLING, Reason.POLL_DOWN, old=LaneState.POLLING))
    assert phrase(same) == "BTCUSDT trades: polling (poll down); served by polling"


def test_health() -> None:
    """The state in capitals, and why."""
    assert phrase(BLIND) == "BTCUSDT is BLIND (stale); served by polling"


def test_logs() -> None:
    """As they are; what is serious says so."""
    assert [phrase(log(level)) for level in (logging.INFO, logging.WARNING)] == ["text", "warning: text"]


def test_gaps_and_what_is_found_of_them() -> None:
    """The ids, and how many values."""
    assert phrase(GAP) == "BTCUSDT trades: ids 5 to 9 are missing (gap)"
    found = BackfillData("BTCUSDT", Exchange.BINANCE, "BINANCE", "trades", (trade(5), trade(6)))
    assert phrase(Event(EVENT_BACKFILL, found)) == "BTCUSDT trades: 2 missing values found"


def test_anything_else() -> None:
    """Is named at least."""
    assert phrase(Event(EVENT_TIMER)) == "eTimer None"


def test_levels() -> None:
    """Gaps and blindness are errors, a fallback is a warning, the rest is news."""
    assert [level_of(event) for event in (GAP, BLIND, LOST, log(logging.ERROR))] == [40, 40, 30, 40]
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
