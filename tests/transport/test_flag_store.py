"""The flags in force follow their files, and nothing half-written or wrong ever gets there."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from foxtrot.transport import directory_watch, flags
from foxtrot.transport.flag_store import PERIOD_S, FlagStore
from foxtrot.transport.flags import EMPTY, Flags, KillList
from foxtrot.transport.kill_file import kill_path, kill_symbol, revive_path, revive_symbol
from foxtrot.transport.state_file import write_atomically
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Reason
from foxtrot.util.system_clock import SystemClock

TEXT = """schema = 1
[symbols]
"BTC/USDT" = "streaming"
"ETH/USDT" = "polling"
[rollout]
percent = 25
salt = "2026-11"
exclude = ["USDC/USDT"]
# end of flags
"""
OTHER = TEXT.replace("25", "50")
UNMARKED = TEXT.replace("# end of flags\n", "")


class QuickClock:
    """Time that stands still until somebody waits."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic_ns(self) -> int:
        return self.now

    def now_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * NS_PER_S)


class Desk:
    """A store over a folder of its own, with what it told so far."""

    def __init__(self, folder: Path, clock: SystemClock | QuickClock | None = None) -> None:
        self.path = folder / "config" / "flags.toml"
        self.state_dir = folder / "state"
        self.path.parent.mkdir(exist_ok=True)
        self.changes: list[tuple[Flags, KillList]] = []
        self.problems: list[str] = []
        self.revived: list[frozenset[str] | None] = []
        self._told = asyncio.Event()
        self.store = FlagStore(
            self.path, self.state_dir, "sandbox", clock or SystemClock(), self._on_change, self._on_problem, self._on_revive
        )

    def _on_change(self, now: Flags, kill: KillList) -> None:
        self.changes.append((now, kill))
        self._told.set()

    def _on_problem(self, text: str) -> None:
        self.problems.append(text)
        self._told.set()

    def _on_revive(self, symbols: frozenset[str] | None) -> None:
        self.revived.append(symbols)
        self._told.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for something told that makes ``condition`` true."""
        async with asyncio.timeout(10):
            while not condition():
                self._told.clear()
                await self._told.wait()

    async def until_in_force(self, text: str) -> None:
        await self.until(lambda: self.store.flags.text == text)

    @property
    def applied(self) -> list[str]:
        return [now.text for now, _ in self.changes]


@asynccontextmanager
async def running(folder: Path, text: str | None = TEXT) -> AsyncIterator[Desk]:
    desk = Desk(folder)
    if text is not None:
        desk.path.write_text(text, encoding="utf-8")
    await desk.store.start()
    try:
        yield desk
    finally:
        await desk.store.stop()


def in_place(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def temp_and_rename(path: Path, text: str) -> None:
    new = path.with_suffix(".tmp")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def like_vim(path: Path, text: str) -> None:
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(text, encoding="utf-8")
    backup.unlink()


def symlink_swap(path: Path, text: str) -> None:
    """As a mounted configuration volume does: path -> ..data/name, and ..data is swapped to a new folder."""
    folder = path.parent / f"..{flags.parse(text).hash[:12]}"
    folder.mkdir()
    (folder / path.name).write_text(text, encoding="utf-8")
    link = path.parent / "..data_tmp"
    link.symlink_to(folder.name)
    link.replace(path.parent / "..data")
    if not path.is_symlink():
        path.unlink()
        path.symlink_to(f"..data/{path.name}")


@pytest.mark.parametrize("save", [in_place, temp_and_rename, like_vim, symlink_swap])
async def test_every_way_of_saving_is_noticed(tmp_path: Path, save: Callable[[Path, str], None]) -> None:
    """However an editor saves, each new text comes into force, and nothing else does."""
    texts = [TEXT.replace("25", str(percent)) for percent in (26, 27, 28)]
    async with running(tmp_path) as desk:
        for text in texts:
            save(desk.path, text)
            await desk.until_in_force(text)
        assert desk.applied == [TEXT, *texts]
        assert desk.problems == []


async def test_a_linked_file_in_another_folder_is_noticed(tmp_path: Path) -> None:
    """A symlink's target is followed to its own folder."""
    target = tmp_path / "elsewhere" / "real.toml"
    write_atomically(target, TEXT)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "flags.toml").symlink_to(target)
    async with running(tmp_path, None) as desk:
        write_atomically(target, OTHER)
        await desk.until_in_force(OTHER)


async def test_start_loads_and_tells(tmp_path: Path) -> None:
    """After start the flags of the file are in force and have been told once."""
    async with running(tmp_path) as desk:
        assert desk.changes == [(flags.parse(TEXT), KillList())]


async def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors put one in front of UTF-8 text."""
    async with running(tmp_path, "\ufeff" + TEXT) as desk:
        assert desk.store.flags == flags.parse(TEXT)


async def test_without_a_file_everything_polls(tmp_path: Path) -> None:
    """A missing file is told once, and nothing is known until there is one."""
    async with running(tmp_path, None) as desk:
        assert desk.store.flags == EMPTY
        assert desk.problems == [f"{desk.path}: no such file; everything polls until then"]
        in_place(desk.path, TEXT)
        await desk.until_in_force(TEXT)


async def test_a_bad_file_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    """A mistake is told with its line, once, and changes nothing; the mended file is applied."""
    async with running(tmp_path) as desk:
        in_place(desk.path, TEXT.replace('"streaming"', '"streeming"'))
        await desk.until(lambda: bool(desk.problems))
        assert desk.store.flags.text == TEXT
        in_place(desk.path, OTHER)
        await desk.until_in_force(OTHER)
        assert desk.problems == [
            (
                f'{desk.path}:3: symbols."BTC/USDT": found "streeming"; a transport is polling, streaming or shadow; '
                'did you mean "streaming"?; the last good flags stay in force'
            ),
            f"{desk.path}: accepted again",
        ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"\xff\xfe# end of flags\n", "not UTF-8 text in line 1; save it as UTF-8"),
        (b"#" * (1 << 20) + b"\n# end of flags\n", "longer than 1 MiB, refused"),
        (None, "cannot be read: Is a directory"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, raw: bytes | None, problem: str) -> None:
    """What is no text, or senselessly long, or a folder, is told and left alone."""
    async with running(tmp_path) as desk:
        desk.path.unlink()
        if raw is None:
            desk.path.mkdir()
        else:
            desk.path.write_bytes(raw)
        await desk.until(lambda: bool(desk.problems))
        assert desk.problems == [f"{desk.path}: {problem}; the last good flags stay in force"]
        assert desk.store.flags.text == TEXT


async def test_the_last_good_flags_survive_a_restart(tmp_path: Path) -> None:
    """A start with a bad file goes on with the last good one of the same path."""
    async with running(tmp_path):
        pass
    async with running(tmp_path, "schema = 2\n# end of flags\n") as desk:
        assert desk.store.flags.text == TEXT
        assert desk.problems == [
            f"{desk.path}:1: schema: found 2; this version of Foxtrot reads schema = 1; the last good flags stay in force"
        ]


async def test_a_first_file_is_told_as_accepted(tmp_path: Path) -> None:
    """Where none was known before there is no again."""
    async with running(tmp_path, "schema = 2\n# end of flags\n") as desk:
        in_place(desk.path, TEXT)
        await desk.until(lambda: len(desk.problems) == 2)
        assert desk.problems[1] == f"{desk.path}: accepted"


async def test_kills_are_told_in_words(tmp_path: Path) -> None:
    """What KILL stops at the start, each change, and that it is lifted: once each."""
    kill_symbol(tmp_path / "state", "ETHUSDT")
    async with running(tmp_path) as desk:
        assert desk.problems == ["KILL: ETHUSDT polls"]
        kill_symbol(desk.state_dir, None)
        await desk.until(lambda: len(desk.problems) == 2)
        revive_symbol(desk.state_dir, "sandbox", None)
        await desk.until(lambda: len(desk.problems) == 3)
        assert desk.problems[1:] == ["KILL: every symbol polls", "KILL is lifted"]


async def test_the_end_mark_is_asked_for_after_a_restart(tmp_path: Path) -> None:
    """A file that was cut while the process was down is not applied at its start either."""
    async with running(tmp_path):
        pass
    async with running(tmp_path, TEXT[:40]) as desk:
        assert desk.store.flags.text == TEXT


async def test_a_bad_first_file_polls(tmp_path: Path) -> None:
    """Without a last good file a bad one means that nothing is known."""
    async with running(tmp_path, "schema = 2\n# end of flags\n") as desk:
        assert desk.store.flags == EMPTY
        assert len(desk.problems) == 1


async def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    """A last good file that cannot be read or is bad counts for nothing."""
    async with running(tmp_path) as desk:
        (kept,) = (desk.state_dir / "sandbox").glob("*.toml")
    for raw in (b"schema = 9", b"\xff"):
        kept.write_bytes(raw)
        async with running(tmp_path, "schema = 2\n# end of flags\n") as desk:
            assert desk.store.flags == EMPTY


async def test_an_unwritable_state_folder_is_told_and_nothing_else(tmp_path: Path) -> None:
    """Without a place for the last good file the flags work all the same."""
    (tmp_path / "state").write_text("a file in the way", encoding="utf-8")
    async with running(tmp_path) as desk:
        assert desk.store.flags.text == TEXT
        assert "cannot be kept for a restart" in desk.problems[0]
        assert desk.store.kill == KillList(all=True)  # a KILL that cannot be looked for may be there


async def test_a_kill_stops_a_symbol(tmp_path: Path) -> None:
    """A symbol in KILL is told, and a revive is too."""
    async with running(tmp_path) as desk:
        kill_symbol(desk.state_dir, "BTC/USDT")
        await desk.until(lambda: desk.store.kill == KillList(symbols=frozenset({"BTCUSDT"})))
        assert flags.decide(*desk.changes[-1], "BTCUSDT", "tick", None).reason is Reason.KILL
        revive_symbol(desk.state_dir, "sandbox", "BTCUSDT")
        await desk.until(lambda: desk.store.kill == KillList() and bool(desk.revived))
        assert desk.revived == [frozenset({"BTCUSDT"})]
        assert not revive_path(desk.state_dir, "sandbox").exists()


async def test_reviving_all_is_told_as_none(tmp_path: Path) -> None:
    """Everything is to be tried again."""
    async with running(tmp_path) as desk:
        revive_symbol(desk.state_dir, "sandbox", None)
        await desk.until(lambda: bool(desk.revived))
        assert desk.revived == [None]


async def test_a_kill_acts_with_the_flags_broken(tmp_path: Path) -> None:
    """KILL depends on nothing that flags.toml says."""
    async with running(tmp_path, "not toml at all") as desk:
        kill_symbol(desk.state_dir, None)
        await desk.until(lambda: desk.store.kill.all)


async def test_a_kill_survives_a_restart(tmp_path: Path) -> None:
    """What KILL stops is stopped from the first moment."""
    kill_symbol(tmp_path / "state", "BTCUSDT")
    async with running(tmp_path) as desk:
        assert desk.changes[0][1] == KillList(symbols=frozenset({"BTCUSDT"}))


async def test_an_empty_kill_file_stops_everything(tmp_path: Path) -> None:
    """``touch KILL`` is the shortest brake."""
    async with running(tmp_path) as desk:
        kill_path(desk.state_dir).touch()
        await desk.until(lambda: desk.store.kill.all)


async def test_a_callback_that_raises_does_not_end_the_watch(tmp_path: Path) -> None:
    """The kill must work whatever a listener does."""
    desk = Desk(tmp_path)
    desk.path.write_text(TEXT, encoding="utf-8")
    is_broken = False

    def on_change(now: Flags, kill: KillList) -> None:
        desk._on_change(now, kill)
        if is_broken:
            raise RuntimeError("listener")

    store = FlagStore(desk.path, desk.state_dir, "sandbox", SystemClock(), on_change, desk._on_problem)
    await store.start()
    is_broken = True
    try:
        in_place(desk.path, OTHER)
        await desk.until(lambda: bool(desk.problems))
        kill_symbol(desk.state_dir, "BTCUSDT")
        await desk.until(lambda: bool(store.kill.symbols))
        assert "RuntimeError: listener" in desk.problems[0]
    finally:
        await store.stop()


async def test_stop_ends_every_task(tmp_path: Path) -> None:
    """After stop nothing of the store runs, and a second stop does nothing."""
    before = asyncio.all_tasks()
    async with running(tmp_path) as desk:
        assert asyncio.all_tasks() - before
    assert asyncio.all_tasks() == before
    await desk.store.stop()


async def test_a_watch_that_cannot_be_set_leaves_the_backstop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder that comes later is seen by looking every 0.4 s, and watched from then on."""
    desk = Desk(tmp_path)
    desk.path.parent.rmdir()
    await desk.store.start()
    try:
        write_atomically(desk.path, TEXT)
        await desk.until_in_force(TEXT)
        write_atomically(desk.path, OTHER)
        await desk.until_in_force(OTHER)
    finally:
        await desk.store.stop()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_folders_that_are_not_there_are_not_watched(tmp_path: Path) -> None:
    """Without a folder there is nothing to wait for; the caller tries again."""
    await directory_watch._watch_once((tmp_path / "missing" / "flags.toml",), asyncio.Event().set)


class Slow:
    """Looks by hand, so that a test decides between which writes the store looks."""

    def __init__(self, folder: Path, text: str) -> None:
        self.clock = QuickClock()
        self.desk = Desk(folder, self.clock)
        self.text = text

    async def look(self, seconds: float) -> None:
        """Looks at the file as often as the store would in that time."""
        until = self.clock.now + int(seconds * NS_PER_S)
        while self.clock.now < until:
            wait = await self.desk.store._look_at_flags()
            await self.clock.sleep(PERIOD_S if wait is None else wait)

    async def __aenter__(self) -> Self:
        in_place(self.desk.path, self.text)
        self.desk.store._is_started = True
        await self.look(1)
        assert self.desk.store.flags.text == self.text
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.desk.store.stop()


async def test_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    """A file rewritten line by line, 0.3 s a line, is applied when it is whole and never before."""
    async with Slow(tmp_path, TEXT) as slow:
        for end in [index + 1 for index, sign in enumerate(OTHER) if sign == "\n"]:
            in_place(slow.desk.path, OTHER[:end])
            await slow.look(0.3)
        await slow.look(0.3)
        assert slow.desk.applied == [TEXT, OTHER]
        assert slow.desk.problems == []


async def test_an_overwriting_writer_is_waited_for(tmp_path: Path) -> None:
    """New lines over old ones, with the old end mark still standing, are not applied while they change."""
    longer = OTHER.replace('salt = "2026-11"', 'salt = "2026-11"\ntransport = "shadow"')
    async with Slow(tmp_path, TEXT) as slow:
        for text in dict.fromkeys(longer[:end] + TEXT[end:] for end in range(0, len(longer) + 1, 7)):
            in_place(slow.desk.path, text)
            await slow.look(0.001)
        in_place(slow.desk.path, longer)
        await slow.look(0.3)
        assert slow.desk.applied == [TEXT, longer]


async def test_an_unmarked_file_that_drops_a_pin_waits(tmp_path: Path) -> None:
    """Cut or meant: after two seconds it counts as meant."""
    cut = UNMARKED[: UNMARKED.index('"ETH')]
    async with Slow(tmp_path, UNMARKED) as slow:
        in_place(slow.desk.path, cut)
        await slow.look(1.5)
        assert slow.desk.applied == [UNMARKED]
        await slow.look(1.0)
        assert slow.desk.applied == [UNMARKED, cut]


async def test_a_missing_mark_is_told_once(tmp_path: Path) -> None:
    """A file without the mark waits for ever, and says so after two seconds."""
    async with Slow(tmp_path, TEXT) as slow:
        in_place(slow.desk.path, UNMARKED)
        await slow.look(1.9)
        assert slow.desk.problems == []
        await slow.look(10)
        assert slow.desk.applied == [TEXT]
        assert [problem.count("end of flags") for problem in slow.desk.problems] == [1]


async def test_a_vanished_file_is_told_once(tmp_path: Path) -> None:
    """A file that goes missing leaves its flags in force."""
    async with Slow(tmp_path, TEXT) as slow:
        slow.desk.path.unlink()
        await slow.look(10)
        assert slow.desk.problems == [f"{slow.desk.path}: no such file; the last good flags stay in force"]
        assert slow.desk.store.flags.text == TEXT


async def test_each_bad_text_is_told_once(tmp_path: Path) -> None:
    """The same mistake again is not told again; after a good file it is."""
    bad = TEXT.replace("polling", "poling")
    async with Slow(tmp_path, TEXT) as slow:
        for text in (bad, TEXT.replace("schema = 1", "schema = 2"), bad, TEXT, bad):
            in_place(slow.desk.path, text)
            await slow.look(5)
        assert [problem.split(":")[1] for problem in slow.desk.problems] == ["4", "1", " accepted again", "4"]


async def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    """Some file systems stamp times in steps of two seconds: a young file is read again all the same."""
    async with Slow(tmp_path, TEXT) as slow:
        stat = slow.desk.path.stat()
        in_place(slow.desk.path, OTHER)
        os.utime(slow.desk.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        await slow.look(1)
        assert slow.desk.store.flags.text == OTHER


async def test_a_kill_file_on_its_way_back_releases_nothing(tmp_path: Path) -> None:
    """An editor that moves KILL away for a moment does not lift the kill."""
    clock = QuickClock()
    desk = Desk(tmp_path, clock)
    kill_symbol(desk.state_dir, "BTCUSDT")
    await desk.store._look_at_kill()
    text = kill_path(desk.state_dir).read_text(encoding="utf-8")
    kill_path(desk.state_dir).unlink()
    assert await desk.store._look_at_kill() == pytest.approx(0.3)
    kill_path(desk.state_dir).write_text(text, encoding="utf-8")
    clock.now += NS_PER_S
    assert await desk.store._look_at_kill() is None
    assert [kill for _, kill in desk.changes] == [KillList(symbols=frozenset({"BTCUSDT"}))]
    await desk.store.stop()
