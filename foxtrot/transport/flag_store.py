"""Keeps the flags and the kill list in force: watches their files, applies what has settled, remembers the last good one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from foxtrot.transport import directory_watch
from foxtrot.transport.flag_intake import Reading, Settling, Verdict, judge, kill_settle_s
from foxtrot.transport.flags import EMPTY, Flags, KillList, parse_kill, read
from foxtrot.transport.kill_file import ALL, kill_path, kill_phrase, read_kill, read_kill_text, take_revive
from foxtrot.transport.state_file import write_atomically
from foxtrot.transport.watched_file import WatchedFile
from foxtrot.util.clock import Clock

_log = logging.getLogger(__name__)

PERIOD_S: Final = 0.4
"""How often the files are looked at when no change is told."""

_START_S: Final = 0.5  # how long a start waits for a file that is just being written

P = ParamSpec("P")
T = TypeVar("T")


class FlagStore:
    """The flags of ``path`` and the KILL file of ``state_dir``, kept up to date from ``start`` to ``stop``.

    All callbacks are called on the loop: ``on_change(flags, kill)`` follows the first load and every change, ``on_problem(text)``
    tells a person, once, what is wrong with a file, that it is accepted again, and what KILL stops; ``on_revive(symbols)`` what
    to try again now (venue symbols; None: all).
    """

    def __init__(
        self,
        path: Path,
        state_dir: Path,
        environment: str,
        clock: Clock,
        on_change: Callable[[Flags, KillList], None],
        on_problem: Callable[[str], None],
        on_revive: Callable[[frozenset[str] | None], None] | None = None,
    ) -> None:
        self._path = path
        self._state_dir = state_dir
        self._environment = environment
        self._clock = clock
        self._on_change = on_change
        self._on_problem = on_problem
        self._on_revive = on_revive
        self._flags = EMPTY
        self._kill = KillList()
        self._file = WatchedFile(path)
        self._settling: Settling[Reading] = Settling()
        self._verdict = Verdict(0.0)
        self._kill_settling: Settling[KillList] = Settling()
        self._said: set[str] = set()
        self._is_refused = False  # the file as it stands, and that has been told
        self._is_started = False
        self._flags_woken = asyncio.Event()
        self._kill_woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="foxtrot-flags")  # a slow read never holds up the kill

    @property
    def flags(self) -> Flags:
        """The flags in force."""
        return self._flags

    @property
    def kill(self) -> KillList:
        """What the KILL file stops; ``[kill]`` is part of the flags."""
        return self._kill

    async def start(self) -> None:
        """Loads, calls ``on_change`` once, and watches from then on. Returns within a second or so, whatever the files say.

        A file that is bad or just being written leaves the last good one of this path in force; without a file everything polls.
        """
        with suppress(OSError):  # a read-only state folder: told when something is to be written
            (self._state_dir / self._environment).mkdir(parents=True, exist_ok=True)
        self._kill = await self._in_worker(read_kill, self._state_dir)
        self._flags = await self._in_worker(_load_last_good, self._last_good_path)
        waited = 0.0
        while waited < _START_S and (wait := await self._look_at_flags()) is not None:
            await self._clock.sleep(wait)
            waited += wait
        self._is_started = True
        self._on_change(self._flags, self._kill)
        if self._kill != KillList():
            self._on_problem(kill_phrase(self._kill))
        watched = (self._path, kill_path(self._state_dir))
        self._tasks = [
            asyncio.create_task(self._keep_looking(self._look_at_kill, self._kill_woken), name="flag_store.kill"),
            asyncio.create_task(self._keep_looking(self._look_at_flags, self._flags_woken), name="flag_store.flags"),
            asyncio.create_task(directory_watch.watch(watched, self._wake, self._clock), name="flag_store.watch"),
        ]

    async def stop(self) -> None:
        """Ends the watch; no callback comes after it. A second call does nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._workers.shutdown(wait=False, cancel_futures=True)

    @property
    def _last_good_path(self) -> Path:
        """One for each flags file, since several may share a state folder."""
        which = sha256(str(self._path.absolute()).encode()).hexdigest()[:8]
        return self._state_dir / self._environment / f"{self._path.stem}.{which}.last_good.toml"

    async def _look_at_flags(self) -> float | None:
        """Reads once and does what is due; seconds until something may be due, None when nothing is pending."""
        now = self._clock.monotonic_ns()
        reading = await self._in_worker(self._file.read, now)
        if self._flags.is_known and reading.text == self._flags.text:
            self._settling.forget()
            self._accepted(f"{self._path}: accepted again")
            return None
        if reading.is_missing and not self._is_started:
            self._flags = EMPTY
        age = self._settling.age_s(reading, now)
        if age == 0:
            self._verdict = await self._in_worker(judge, reading, self._compared, str(self._path))
        if age < self._verdict.settle_s and not (reading.is_missing and not self._is_started):
            return min(self._verdict.settle_s - age, PERIOD_S)
        if self._verdict.flags is None:
            self._is_refused = True
            self._say(self._verdict.problem, reading.text)
        else:
            await self._apply(self._verdict.flags)
        return None

    @property
    def _compared(self) -> Flags:
        """What a new text is held against. At the start only the end mark counts: nothing is in force that could be lost."""
        return self._flags if self._is_started else Flags(text=self._flags.text)

    def _accepted(self, words: str) -> None:
        """The file as it stands is in force: what was told may be told again, and a refusal that was told is over."""
        self._said.clear()
        if self._is_refused:
            self._is_refused = False
            self._on_problem(words)

    async def _apply(self, flags: Flags) -> None:
        words = f"{self._path}: accepted" + (" again" if self._flags.is_known else "")
        self._flags = flags
        self._settling.forget()
        _log.info("flag_store.applied", extra={"file": str(self._path), "hash": flags.hash[:12]})
        if self._is_started:
            self._on_change(self._flags, self._kill)
        self._accepted(words)
        try:
            await self._in_worker(write_atomically, self._last_good_path, flags.text)
        except OSError as error:
            self._say(f"{self._last_good_path}: the last good flags cannot be kept for a restart: {error.strerror}")

    async def _look_at_kill(self) -> float | None:
        """As ``_look_at_flags``, for KILL and REVIVE: it depends on nothing that flags.toml says."""
        now = self._clock.monotonic_ns()
        text = await self._in_worker(read_kill_text, self._state_dir)
        kill = KillList() if text is None else parse_kill(text)
        if kill == self._kill:
            self._kill_settling.forget()
        else:
            left = kill_settle_s(self._kill, kill, text) - self._kill_settling.age_s(kill, now)
            if left > 0:
                return left
            self._kill = kill
            _log.info("flag_store.kill_changed", extra={"all": kill.all, "symbols": sorted(kill.symbols)})
            self._on_change(self._flags, self._kill)
            self._on_problem(kill_phrase(kill))
        if self._on_revive is not None:
            symbols = await self._in_worker(take_revive, self._state_dir, self._environment)
            if symbols is not None:
                self._on_revive(None if ALL in symbols else symbols)
        return None

    async def _keep_looking(self, look: Callable[[], Awaitable[float | None]], woken: asyncio.Event) -> None:
        while True:
            try:
                wait = await look()
            except Exception as error:  # noqa: BLE001 -- the kill must keep working whatever a callback or a disk does
                wait = None
                self._say(f"{self._path}: watching goes on after {type(error).__name__}: {error}")
            await self._pause(PERIOD_S if wait is None else wait, woken)

    async def _pause(self, seconds: float, woken: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(woken.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        woken.clear()

    async def _in_worker(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, lambda: call(*args, **kwargs))

    def _wake(self) -> None:
        self._flags_woken.set()
        self._kill_woken.set()

    def _say(self, problem: str, text: str | None = None) -> None:
        """Tells a problem once: a bad text until another one comes, anything else until a good file is in force."""
        key = problem if text is None else sha256(text.encode()).hexdigest()
        if key in self._said:
            return
        self._said.add(key)
        stays = "the last good flags stay in force" if self._flags.is_known else "everything polls until then"
        self._on_problem(f"{problem}; {stays}")


def _load_last_good(path: Path) -> Flags:
    try:
        flags, errors = read(path.read_bytes().decode())
    except (OSError, UnicodeDecodeError):
        return EMPTY
    return EMPTY if errors else flags
