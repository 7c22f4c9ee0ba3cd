"""Reads how much of each processor's time the machine's host gave to others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

Stolen = Callable[[], Sequence[int]]
"""Milliseconds stolen since the start, by processor; empty where nobody tells."""

_STAT: Final = Path("/proc/stat")
_STEAL: Final = 8
_MS_PER_TICK: Final = 10
"""``/proc/stat`` counts hundredths of a second (USER_HZ) on every common machine."""


def stolen_ms(stat: Path = _STAT) -> list[int]:
    """Column ``steal`` of Linux's ``/proc/stat`` (see proc_stat(5)); empty on other systems.

    A virtual machine above its share is frozen for some tens of milliseconds. Its kernel means to take these off the processor
    time of the thread that ran just then, and does so most times, not always.
    """
    try:
        lines = stat.read_bytes().splitlines()
    except OSError:
        return []
    rows = (line.split() for line in lines if line.startswith(b"cpu") and line[3:4].isdigit())
    return [int(row[_STEAL]) * _MS_PER_TICK for row in rows if len(row) > _STEAL]


def most_stolen(before: Sequence[int], after: Sequence[int]) -> int:
    """The most that was stolen from any one processor between two readings: a thread runs on one at a time."""
    return max((late - early for early, late in zip(before, after, strict=False)), default=0)
