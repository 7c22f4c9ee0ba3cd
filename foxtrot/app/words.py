"""Says what happened in one line each."""

import datetime as dt
import logging
from typing import Final

from foxtrot.app.reasons import DECIDED, because
from foxtrot.core.event import Event
from foxtrot.util.channel import interval_of
from foxtrot.util.constants import Health, LaneState, Reason, Serving
from foxtrot.util.object import BackfillData, GapData, HealthData, LogData, TransportData

SERVED_BY: Final = {Serving.POLL: "polling", Serving.STREAM: "its stream", Serving.NONE: "nothing"}


def phrase(event: Event) -> str:
    """One line about a log, transport, health, gap or backfill event."""
    match event.data:
        case LogData() as log:
            return log.msg if log.level < logging.WARNING else f"{logging.getLevelName(log.level).lower()}: {log.msg}"
        case TransportData() as change:
            return _transport(change)
        case HealthData() as health:
            return _health(health)
        case GapData() as gap:
            return _gap(gap)
        case BackfillData() as found:
            return f"{found.symbol} {found.channel}: backfill: {_count(len(found.items), 'missing value')} found"
        case other:
            return f"{event.type} {other}"


def level_of(event: Event) -> int:
    """How serious it is, as in the logging module."""
    match event.data:
        case LogData() as log:
            return log.level
        case GapData() as gap:
            return logging.WARNING if gap.reason is Reason.HOLD else logging.ERROR
        case TransportData() as change if change.new is LaneState.FALLBACK or change.reason is Reason.POLL_DOWN:
            return logging.WARNING
        case HealthData() as health if health.reason is not Reason.STARTING and health.new is Health.BLIND:
            return logging.ERROR
        case HealthData() as health if health.new in {Health.SUSPECT, Health.HALTED}:
            return logging.WARNING
        case _:
            return logging.INFO


def is_news(event: Event) -> bool:
    """Whether a person wants to read it: the start and the end of each lane go without saying."""
    match event.data:
        case TransportData() as change:
            return change.reason not in {Reason.SUBSCRIBED, Reason.CLOSING}
        case HealthData() as health:
            return health.reason is not Reason.STARTING and health.old is not health.new
        case _:
            return True


def let_go_phrase(count: int) -> str:
    """What is said where the reader of the output did not keep up."""
    return f"lines let go so far: {count:,}; the output is read too slowly"


def clock_time(time_ns: int) -> str:
    """``17:42:01.250``, in the machine's zone."""
    return dt.datetime.fromtimestamp(time_ns / 1e9, tz=dt.UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _transport(change: TransportData) -> str:
    old = "" if change.old is change.new else f"{change.old} -> "
    served = f"served by {SERVED_BY[change.serving]}"
    return f"{change.symbol} {change.channel}: {old}{change.new}, {served}: {because(change.reason)}"


def _health(health: HealthData) -> str:
    is_proving = health.new is Health.DEGRADED and health.reason in DECIDED
    why = "its stream has yet to prove itself" if is_proving else because(health.reason)
    return f"{health.symbol} is {health.new.upper()}, served by {SERVED_BY[health.serving]}: {why}"


def _gap(gap: GapData) -> str:
    count = gap.last_id - gap.first_id + 1
    what = "bar" if interval_of(gap.channel) else "id"
    ids = f"{what} {gap.first_id}" if count == 1 else f"{count:,} {what}s, {gap.first_id} to {gap.last_id},"
    if gap.reason is Reason.HOLD:
        return f"{gap.symbol} {gap.channel}: gap: {ids} not found within the hold; live data goes on, the search too"
    if gap.reason is Reason.GAP:
        return f"{gap.symbol} {gap.channel}: gap: {ids} not at the venue any more"
    return f"{gap.symbol} {gap.channel}: gap: {ids} {because(gap.reason)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
