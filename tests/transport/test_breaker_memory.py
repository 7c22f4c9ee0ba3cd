"""Breakers over a restart (CB-11)."""

import asyncio
import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from foxtrot.transport.base import LaneKey
from foxtrot.transport.breaker import Breaker, BreakerMemory
from foxtrot.transport.breaker_memory import DAY_NS, HOUR_NS, LaneMemory, Memory
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState
from foxtrot.util.system_clock import SystemClock
from tests.support.virtual_clock import VirtualClock, settle

BTC, ETH = LaneKey("BTCUSDT", "trades"), LaneKey("币安人生USDT", "tick")


class Fleet(msgspec.Struct, frozen=True):
    """What a fleet may want to remember."""

    dials: tuple[int, ...] = ()


class Scene:
    """A memory, its file, and what it complained of."""

    def __init__(self, folder: Path, now_ns: int = 10**18) -> None:
        self.path = folder / "sandbox" / "breaker.json"
        self.clock = VirtualClock(now_ns)
        self.problems: list[str] = []
        self.memory = self.made()

    @property
    def now(self) -> int:
        return self.clock.now_ns()

    def made(self) -> Memory:
        """A memory of another process."""
        return Memory(self.path, self.clock, self.problems.append)

    async def again(self) -> Memory:
        """What the next process finds."""
        found = self.made()
        await found.open()
        return found

    def leave(self, text: bytes) -> None:
        """An earlier process, or somebody else, left this."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(text)


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    await made.memory.open()
    return made


def lane(scene: Scene, openings: int = 1, wait_s: int = 200) -> LaneMemory:
    return LaneMemory(BreakerMemory(openings, scene.now + wait_s * NS_PER_S, None, BreakerState.OPEN), (scene.now - 5, scene.now))


async def test_without_a_file_nothing_is_remembered(scene: Scene) -> None:
    """A first start is no trouble."""
    assert scene.memory.recall(BTC) is None
    assert scene.memory.recall_fleet(Fleet) is None
    assert scene.problems == []


async def test_a_restart_remembers_lanes_and_fleet(scene: Scene) -> None:
    """To the nanosecond."""
    scene.memory.note(BTC, lane(scene))
    scene.memory.note(ETH, LaneMemory(BreakerMemory(healthy_since_ns=scene.now)))
    scene.memory.note_fleet(Fleet((1, scene.now)))
    await scene.memory.close()
    again = await scene.again()
    assert again.recall(BTC) == lane(scene)
    assert again.recall(ETH) == LaneMemory(BreakerMemory(healthy_since_ns=scene.now))
    assert again.recall_fleet(Fleet) == Fleet((1, scene.now))
    assert scene.problems == []


async def test_a_restart_while_open_attempts_nothing_before_the_remainder(scene: Scene) -> None:
    """The wait goes on where it stood."""
    scene.memory.note(BTC, lane(scene))
    await scene.memory.close()
    known = (await scene.again()).recall(BTC)
    assert known is not None
    breaker = Breaker(memory=known.breaker)
    assert breaker.acquire(scene.now + 200 * NS_PER_S - 1) is None
    assert breaker.acquire(scene.now + 200 * NS_PER_S) is not None


async def test_the_first_change_is_written_at_once(scene: Scene) -> None:
    """A process that is killed right after a trip has kept it."""
    scene.memory.note(BTC, lane(scene))
    await scene.clock.advance(0.0)
    await written(scene, 1)
    await scene.memory.close()


async def written(scene: Scene, openings: int) -> None:
    """Waits for the worker that writes."""
    clock = SystemClock()
    for _ in range(2_000):
        if scene.path.exists() and f'"openings":{openings},' in scene.path.read_text():
            return
        await clock.sleep(0.005)
    pytest.fail(f"{openings} openings are not in the file")


async def test_later_changes_are_written_once_a_second(scene: Scene) -> None:
    """However many there are; the last one counts."""
    scene.memory.note(BTC, lane(scene, 1))
    await written(scene, 1)
    await worker_is_done(scene)
    before = scene.path.stat().st_ino
    for openings in range(2, 50):
        scene.memory.note(BTC, lane(scene, openings))
    await scene.clock.advance(0.9)
    assert scene.path.stat().st_ino == before
    await scene.clock.advance(0.2)
    await written(scene, 49)
    await scene.memory.close()


async def test_what_has_not_changed_is_not_written(scene: Scene) -> None:
    """The same again costs nothing."""
    scene.memory.note(BTC, lane(scene))
    scene.memory.note_fleet(Fleet((1,)))
    await scene.memory.close()
    before = scene.path.stat().st_ino
    again = await scene.again()
    again.note(BTC, lane(scene))
    again.note_fleet(Fleet((1,)))
    await again.close()
    assert scene.path.stat().st_ino == before


async def test_a_fleet_of_another_shape_is_none(scene: Scene) -> None:
    """The lanes are remembered all the same."""
    scene.memory.note(BTC, lane(scene))
    scene.memory.note_fleet(BreakerMemory(state=BreakerState.OPEN))
    await scene.memory.close()

    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        """Something else."""

    again = await scene.again()
    assert again.recall_fleet(Strict) is None
    assert again.recall(BTC) is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "truncated"),
        (b'{"version":1,"lanes":{"BTC', "truncated"),
        (b"\xff\xfe\x00", "malformed"),
        (b'{"version":1,"lanes":{},"fleet":' + b"[" * 100_000, "recursion"),
        (b'{"lanes":{}}', "missing required field `version`"),
        (b'{"version":2,"lines":[]}', "it is of version 2, this program reads version 1"),
        (b'{"version":1,"lanes":{"x":{"breaker":{"openings":-1}}}}', "openings and retry_at_ns are 0 or more"),
        (b'{"version":1,"lanes":{},"mood":3}', "unknown field `mood`"),
        (b'{"version":1,"lanes":{"x":{"breaker":{"retry_at_ns":%d}}}}' % (10**18 + DAY_NS + 1), "a clock was wrong"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told_once_and_ignored(tmp_path: Path, text: bytes, said: str) -> None:
    """Broken, of another version, or from the future; the next change replaces it."""
    scene = Scene(tmp_path)
    scene.leave(text)
    await scene.memory.open()
    assert scene.memory.recall(BTC) is None
    assert len(scene.problems) == 1
    assert said in scene.problems[0].lower() or said in scene.problems[0]
    assert "it will be written anew" in scene.problems[0]
    scene.memory.note(BTC, lane(scene))
    await scene.memory.close()
    assert (await scene.again()).recall(BTC) == lane(scene)


async def test_a_clock_that_was_set_back_costs_an_hour_at_most(tmp_path: Path) -> None:
    """Waits are cut, and what has not happened yet is no switch."""
    scene = Scene(tmp_path)
    scene.memory.note(BTC, LaneMemory(BreakerMemory(1, scene.now + 20 * HOUR_NS, scene.now + 5), (scene.now - 1, scene.now + 1)))
    await scene.memory.close()
    found = (await scene.again()).recall(BTC)
    assert found == LaneMemory(BreakerMemory(1, scene.now + HOUR_NS, scene.now), (scene.now - 1,))


async def test_what_is_a_day_old_is_forgotten(tmp_path: Path) -> None:
    """A lane that nobody has used for so long leaves the file."""
    scene = Scene(tmp_path)
    old, young = LaneMemory(BreakerMemory(3, scene.now - DAY_NS)), LaneMemory(BreakerMemory(3, scene.now - DAY_NS + 1))
    scene.memory.note(BTC, old)
    scene.memory.note(ETH, young)
    await scene.memory.close()
    again = await scene.again()
    assert again.recall(BTC) is None
    assert again.recall(ETH) == young


async def test_what_a_hand_has_switched_off_is_never_forgotten(tmp_path: Path) -> None:
    """Nobody but a hand switches it on again."""
    scene = Scene(tmp_path)
    forced = LaneMemory(BreakerMemory(state=BreakerState.FORCED_OPEN))
    scene.memory.note(BTC, forced)
    await scene.memory.close()
    assert (await scene.again()).recall(BTC) == forced


async def test_what_a_killed_writer_left_is_swept_up(tmp_path: Path) -> None:
    """Half a file under another name; the file itself is whole."""
    scene = Scene(tmp_path)
    scene.memory.note(BTC, lane(scene))
    await scene.memory.close()
    (scene.path.parent / ".breaker.json.abc123").write_text("{")
    assert (await scene.again()).recall(BTC) is not None
    assert list(scene.path.parent.iterdir()) == [scene.path]


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The program starts all the same."""
    scene = Scene(tmp_path)
    scene.path.mkdir(parents=True)
    await scene.memory.open()
    assert scene.memory.recall(BTC) is None
    assert len(scene.problems) == 1
    assert "cannot be read" in scene.problems[0]


async def test_a_disk_that_refuses_is_told_once_until_it_works(scene: Scene) -> None:
    """What it refused is written with the next try."""
    scene.path.mkdir(parents=True)  # a folder where the file belongs
    noted = lane(scene, 1)
    scene.memory.note(BTC, noted)
    for _ in range(4):
        await scene.clock.advance(1.1)
        await worker_is_done(scene)
    assert len(scene.problems) == 1
    assert "cannot be written" in scene.problems[0]
    assert "will not remember" in scene.problems[0]
    scene.path.rmdir()
    await scene.memory.close()
    assert (await scene.again()).recall(BTC) == noted


async def worker_is_done(scene: Scene) -> None:
    """Waits for a write under way."""
    clock = SystemClock()
    while scene.memory._writing is not None and not scene.memory._writing.done():
        await clock.sleep(0.001)
    await scene.clock.advance(0.0)


async def test_closing_without_a_change_writes_nothing(scene: Scene) -> None:
    """There is nothing to keep."""
    await scene.memory.close()
    assert not scene.path.exists()


class _Reluctant(Memory):
    """A disk that answers when it is told to."""

    gate = threading.Event()

    @override
    def _put(self, text: str) -> str:
        self.gate.wait(30)
        return super()._put(text)


async def test_closing_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A disk that does not answer within a second is told of, and left."""
    problems: list[str] = []
    memory = _Reluctant(tmp_path / "breaker.json", SystemClock(), problems.append)
    memory.note(BTC, LaneMemory())
    await settle()
    await memory.close()
    memory.gate.set()
    assert len(problems) == 1
    assert "could not be written within 1 s" in problems[0]


WRITER = """
    import asyncio, sys
    from pathlib import Path
    from foxtrot.transport.base import LaneKey
    from foxtrot.transport.breaker import BreakerMemory
    from foxtrot.transport.breaker_memory import LaneMemory, Memory
    from foxtrot.util.system_clock import SystemClock

    async def main():
        clock = SystemClock()
        for openings in range(1, 100_000):
            memory = Memory(Path(sys.argv[1]), clock, print)
            await memory.open()
            breaker = BreakerMemory(openings, clock.now_ns() + 200 * 10**9)
            for number in range(50):
                memory.note(LaneKey(f"S{number}", "tick"), LaneMemory(breaker))
            await memory.close()
            print(openings, flush=True)

    asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_between_any_two_steps_of_a_write_loses_nothing(tmp_path: Path, seed: int) -> None:
    """kill -9 at a random moment: the file is whole, and holds at least what was known to be written."""
    path, chance = tmp_path / "breaker.json", random.Random(seed)
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert writer.stdout is not None
    until = chance.randint(3, 60)
    known = 0
    with writer:
        while known < until:
            known = int(writer.stdout.readline())
        for _ in range(chance.randint(0, 20_000)):
            pass  # somewhere within the next write
        writer.kill()
        known = max([known, *(int(line) for line in writer.stdout if line.strip())])
    problems: list[str] = []
    memory = Memory(path, SystemClock(), problems.append)
    asyncio.run(memory.open())
    assert problems == []
    found = [memory.recall(LaneKey(f"S{number}", "tick")) for number in range(50)]
    openings = {lane.breaker.openings for lane in found if lane is not None}
    assert len(openings) == 1
    assert openings <= {known, known + 1}
