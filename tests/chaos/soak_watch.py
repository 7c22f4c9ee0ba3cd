"""What a long run keeps of its events and of its processes: in bounded memory, whatever comes."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from foxtrot.app.histogram import AgeHistogram
from foxtrot.core.event import Event
from foxtrot.core.loop_thread import LoopThread
from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import Clock
from foxtrot.util.constants import LaneState
from foxtrot.util.event_type import EVENT_AGG_TRADE, EVENT_BACKFILL, EVENT_PUBLIC_TRADE, EVENT_TICK, EVENT_TRANSPORT
from foxtrot.util.object import AggTradeData, PublicTradeData
from tests.chaos.recorder import id_of

_MOST_MISSING: Final = 200_000
"""Ids remembered as skipped; more of them are only counted."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MIB: Final = 1024 * 1024


class Tally:
    """Counts events, and follows each id lane: which ids were skipped, filled later, or came twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.handled = 0
        self.gaps = 0
        self.duplicates = 0
        self.forgotten = 0
        self.falls = 0
        self.state: dict[LaneKey, LaneState] = {}
        self.ages = AgeHistogram()
        self._last: dict[LaneKey, int] = {}
        self._missing: dict[LaneKey, set[int]] = {}

    @property
    def missing(self) -> int:
        """Ids that were skipped and have not come since."""
        return sum(len(ids) for ids in list(self._missing.values()))

    @property
    def streaming(self) -> int:
        """Lanes served by their stream."""
        return sum(state is LaneState.STREAMING for state in list(self.state.values()))

    def take(self, event: Event) -> None:
        """One event."""
        kind, data = event.type, event.data
        if kind == EVENT_TICK:
            self.handled += 1
        elif kind in {EVENT_PUBLIC_TRADE, EVENT_AGG_TRADE}:
            self.handled += 1
            self.ages.record(self._clock.now_ns() - data.venue_time_ns)
            self._live(LaneKey(data.symbol, "trades" if kind == EVENT_PUBLIC_TRADE else "agg_trades"), data)
        elif kind == EVENT_BACKFILL:
            for item in data.items:
                self._late(LaneKey(data.symbol, data.channel), id_of(item))
        elif kind == EVENT_TRANSPORT:
            self.state[LaneKey(data.symbol, data.channel)] = data.new
            self.falls += data.old is LaneState.STREAMING and data.new is LaneState.FALLBACK

    def fresh_ages(self) -> AgeHistogram:
        """The ages since the last call; from here on they are counted anew."""
        taken, self.ages = self.ages, AgeHistogram()
        return taken

    def _live(self, lane: LaneKey, item: PublicTradeData | AggTradeData) -> None:
        number = id_of(item)
        last = self._last.get(lane, number - 1)
        if number <= last:
            self.duplicates += 1
            return
        self._last[lane] = number
        if number > last + 1:
            self.gaps += 1
            known = self._missing.setdefault(lane, set())
            kept = range(last + 1, min(number, last + 1 + max(0, _MOST_MISSING - len(known))))
            known.update(kept)
            self.forgotten += number - last - 1 - len(kept)

    def _late(self, lane: LaneKey, number: int) -> None:
        known = self._missing.get(lane, set())
        if number in known:
            known.remove(number)
        elif self.forgotten:
            self.forgotten -= 1
        else:
            self.duplicates += 1


class Minute(msgspec.Struct, frozen=True):
    """How things stood at the end of a minute. ``rate`` is events a second at the handler, ``age_ms`` p99 of trades."""

    minute: int
    rss_mib: float
    child_mib: float
    tasks: int
    threads: int
    descriptors: int
    rate: float
    age_ms: float
    gaps: int
    missing: int
    duplicates: int
    streaming: int
    falls: int


def rss_mib(pid: int) -> float:
    """Resident memory of a process; 0 where it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / _MIB
    except OSError:
        return 0.0


def descriptors() -> int:
    """Open file descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- the folder is read, not walked


def tasks(loop_thread: LoopThread) -> int:
    """Tasks on the loop, the asking one left out."""

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    return loop_thread.submit(count()).result(5)


def threads() -> int:
    """Threads of this process."""
    return threading.active_count()


def growth_per_hour(values: list[float], minutes: list[int]) -> float:
    """Theil and Sen's slope: the median over all pairs, so that a single outlier decides nothing."""
    slopes = sorted(
        (values[b] - values[a]) / (minutes[b] - minutes[a]) * 60 for a in range(len(values)) for b in range(a + 1, len(values))
    )
    return slopes[len(slopes) // 2] if slopes else 0.0
