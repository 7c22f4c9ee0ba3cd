"""The exchange's beat: what is late, and what of it is its own work."""

import asyncio
import gc
from pathlib import Path

from foxtrot.sandbox.loop_beat import LoopBeat
from foxtrot.sandbox.stolen_time import most_stolen, stolen_ms
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.system_clock import SystemClock


class Machine:
    """A clock whose waits take longer than asked, by work of the thread or by that of others."""

    def __init__(self) -> None:
        self.wall_ns = self.worked_ns = 0
        self.work_ms = self.others_ms = 0
        self.stolen_ms = [0, 0]
        self.frozen_ms = 0

    def monotonic_ns(self) -> int:
        return self.wall_ns

    def now_ns(self) -> int:
        return self.wall_ns

    def processor_ns(self) -> int:
        return self.worked_ns

    async def sleep(self, seconds: float) -> None:
        self.wall_ns += int(seconds * 1e9) + (self.work_ms + self.others_ms) * NS_PER_MS
        self.worked_ns += (self.work_ms + self.frozen_ms) * NS_PER_MS
        self.stolen_ms[1] += self.frozen_ms

    def stolen(self) -> list[int]:
        return [*self.stolen_ms]


async def test_work_of_its_own_is_a_stall_of_both_kinds() -> None:
    """What the loop's thread works while a beat is due delays the beat, and is its own."""
    machine = Machine()
    beat = LoopBeat(machine, machine.stolen)
    machine.work_ms = 120
    await beat.beat()
    assert (beat.longest_stall_ms, beat.longest_own_stall_ms) == (120, 120)


async def test_what_others_run_is_no_stall_of_its_own() -> None:
    """A machine that runs others for a second delays the beat and adds nothing to the thread's own work."""
    machine = Machine()
    beat = LoopBeat(machine, machine.stolen)
    machine.work_ms, machine.others_ms = 3, 1_000
    await beat.beat()
    assert (beat.longest_stall_ms, beat.longest_own_stall_ms) == (1_003, 3)


async def test_what_the_host_stole_is_no_stall_of_its_own() -> None:
    """Of a beat at which the machine was frozen, and the kernel counted that to the thread, the rest is its own."""
    machine = Machine()
    beat = LoopBeat(machine, machine.stolen)
    machine.work_ms, machine.frozen_ms = 3, 100
    await beat.beat()
    assert (beat.longest_own_stall_ms, beat.stolen_ms) == (3, 100)


async def test_the_longest_of_each_is_kept() -> None:
    """Later, shorter stalls change nothing."""
    machine = Machine()
    beat = LoopBeat(machine, machine.stolen)
    for machine.work_ms, machine.others_ms in ((5, 90), (40, 0), (1, 1)):
        await beat.beat()
    assert (beat.longest_stall_ms, beat.longest_own_stall_ms) == (95, 40)


async def test_a_pass_of_the_garbage_collector_is_its_own() -> None:
    """What a callback works on the real clock is seen by the next beat, a search for garbage in it too."""
    clock = SystemClock()
    beat = LoopBeat(clock, list)
    waiting = asyncio.create_task(beat.beat())
    await clock.sleep(0)
    before_ns = clock.processor_ns()
    while clock.processor_ns() - before_ns < 20 * NS_PER_MS:
        gc.collect()
    spent_ms = (clock.processor_ns() - before_ns) / NS_PER_MS
    await waiting
    assert beat.longest_own_stall_ms >= spent_ms


def test_reads_what_was_stolen_from_each_processor(tmp_path: Path) -> None:
    """The steal column of each processor's line, in hundredths of a second; the line of the sum is left out."""
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 9 9 9 9 12 0 0\ncpu0 1 2 3 4 5 6 7 8 9 0\ncpu1 1 2 3 4 5 6 7 4 0 0\nintr 7 0\nctxt 5\n")
    assert stolen_ms(stat) == [80, 40]


def test_nothing_is_stolen_where_nobody_tells(tmp_path: Path) -> None:
    """A system without the file, or with fewer columns, tells of no processor."""
    short = tmp_path / "stat"
    short.write_text("cpu0 1 2 3\n")
    assert stolen_ms(tmp_path / "none") == stolen_ms(short) == []
    assert most_stolen([], []) == 0


def test_one_thread_loses_at_most_what_one_processor_lost() -> None:
    """Between two readings the most of any processor counts, not their sum."""
    assert most_stolen([80, 40], [90, 140]) == 100
