"""Keeps breakers over a restart, so that a program that comes back does not hammer what had just been given up (CB-11)."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from foxtrot.transport.base import LaneKey
from foxtrot.transport.breaker import BreakerMemory
from foxtrot.transport.state_file import write_atomically
from foxtrot.util.clock import NS_PER_S, Clock
from foxtrot.util.constants import BreakerState

VERSION: Final = 1
PAUSE: Final = 1.0
"""Seconds between two writes; the first change after a rest is written at once."""

FLUSH: Final = 1.0
"""Seconds that closing waits for the disk."""

HOUR_NS: Final = 3_600 * NS_PER_S
"""No wait is longer (design, section 5, rule 8): what a wall clock that was set back makes longer is cut to it."""

DAY_NS: Final = 24 * HOUR_NS
"""A file that forbids attempts for longer than this from now was not written by a sane clock."""

_T = TypeVar("_T")


class LaneMemory(msgspec.Struct, frozen=True):
    """What a lane must not forget: its breaker, and when it switched (nanoseconds since 1970 UTC, ascending)."""

    breaker: BreakerMemory = BreakerMemory()
    switches: tuple[int, ...] = ()

    def is_worth_keeping(self, now_ns: int) -> bool:
        """Whether it can still matter to anybody; what a hand has switched off always does."""
        newest = max(self.breaker.retry_at_ns, self.breaker.healthy_since_ns or 0, *self.switches, 0)
        return self.breaker.state is BreakerState.FORCED_OPEN or newest > now_ns - DAY_NS

    def at(self, now_ns: int) -> "LaneMemory":
        """As it holds now: no wait longer than an hour, no health or switch that is still to come."""
        retry_at_ns = min(self.breaker.retry_at_ns, now_ns + HOUR_NS)
        healthy_since_ns = self.breaker.healthy_since_ns
        if healthy_since_ns is not None:
            healthy_since_ns = min(healthy_since_ns, now_ns)
        breaker = msgspec.structs.replace(self.breaker, retry_at_ns=retry_at_ns, healthy_since_ns=healthy_since_ns)
        return LaneMemory(breaker, tuple(at for at in self.switches if at <= now_ns))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file."""

    version: int
    lanes: Mapping[str, LaneMemory]
    fleet: msgspec.Raw = msgspec.Raw(b"null")


class _Version(msgspec.Struct, frozen=True):
    """What any version of the file begins with."""

    version: int


class Memory:
    """What is kept in one file. Made by ``open``; noted on the loop, written in a worker, at most once a second."""

    def __init__(self, path: Path, clock: Clock, on_problem: Callable[[str], None]) -> None:
        self._path: Final = path
        self._clock: Final = clock
        self._on_problem: Final = on_problem
        self._lanes: dict[str, LaneMemory] = {}
        self._fleet = msgspec.Raw(b"null")
        self._is_dirty = False
        self._keeping: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[str] | None = None
        self._trouble = ""

    async def open(self) -> None:
        """Reads what an earlier process left. What cannot be used is told and ignored: nothing is remembered then."""
        now = self._clock.now_ns()
        try:
            text = await asyncio.to_thread(_read, self._path)
            found = _decoded(text, now) if text is not None else _File(VERSION, {})
        except OSError as error:
            self._on_problem(f"{self._path} cannot be read: {error.strerror}; no breaker is remembered")
            return
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            self._on_problem(f"{self._path} is ignored, no breaker is remembered: {error}; it will be written anew")
            return
        self._lanes = {name: lane.at(now) for name, lane in found.lanes.items() if lane.is_worth_keeping(now)}
        self._fleet = found.fleet

    def recall(self, key: LaneKey) -> LaneMemory | None:
        """What is remembered of a lane; None: nothing."""
        return self._lanes.get(_name(key))

    def note(self, key: LaneKey, lane: LaneMemory) -> None:
        """Remembers a lane as it is from here on."""
        if self._lanes.get(_name(key)) != lane:
            self._lanes[_name(key)] = lane
            self._touch()

    def recall_fleet(self, kind: type[_T]) -> _T | None:
        """What is remembered of the connections, as the struct that noted it; None: nothing, or nothing of this shape."""
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(self._fleet, type=kind)
        return None

    def note_fleet(self, fleet: msgspec.Struct) -> None:
        """Remembers the connections as they are from here on."""
        text = msgspec.Raw(msgspec.json.encode(fleet))
        if bytes(text) != bytes(self._fleet):
            self._fleet = text
            self._touch()

    async def close(self) -> None:
        """Writes what is not written yet; waits a second for a disk that does not answer, no longer."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        try:
            async with asyncio.timeout(FLUSH):
                if self._writing is not None:
                    self._judge(await asyncio.shield(self._writing))
                if self._is_dirty:
                    await self._write()
        except TimeoutError:
            self._on_problem(f"{self._path} could not be written within {FLUSH:g} s: a restart may try streams too early")

    def _touch(self) -> None:
        self._is_dirty = True
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.get_running_loop().create_task(self._keep(), name="breaker memory")

    async def _keep(self) -> None:
        while self._is_dirty:
            await self._write()
            await self._clock.sleep(PAUSE)

    async def _write(self) -> None:
        self._is_dirty = False
        text = msgspec.json.encode(_File(VERSION, self._lanes, self._fleet)).decode()
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._put, text)
        self._judge(await asyncio.shield(self._writing))  # cancelled, the worker goes on: close() waits before it writes again

    def _put(self, text: str) -> str:
        """In a worker; returns what kept it from writing, "" for nothing."""
        try:
            write_atomically(self._path, text)
        except OSError as error:
            return f"{self._path} cannot be written: {error.strerror}; a restart will not remember its breakers"
        return ""

    def _judge(self, trouble: str) -> None:
        """A disk that refuses is told once, until it works again; what it refused is written with the next try."""
        self._is_dirty = self._is_dirty or bool(trouble)
        if trouble and trouble != self._trouble:
            self._on_problem(trouble)
        self._trouble = trouble


def _read(path: Path) -> bytes | None:
    """In a worker. Also removes what a process that was killed while it wrote has left behind."""
    for stray in path.parent.glob(f".{path.name}.*"):
        stray.unlink(missing_ok=True)
    return path.read_bytes() if path.exists() else None


def _name(key: LaneKey) -> str:
    return f"{key.symbol} {key.channel}"


def _decoded(text: bytes, now_ns: int) -> _File:
    """Raises ValueError or MsgspecError for what this version cannot have written in the last hours."""
    version = msgspec.json.decode(text, type=_Version).version
    if version != VERSION:
        raise ValueError(f"it is of version {version}, this program reads version {VERSION}")
    found = msgspec.json.decode(text, type=_File)
    latest = max((lane.breaker.retry_at_ns for lane in found.lanes.values()), default=0)
    if latest > now_ns + DAY_NS:
        raise ValueError("it forbids attempts for more than 24 h from now: a clock was wrong")
    return found
