"""Writes lines in a thread of its own, so that a reader that stalls never stops the event thread for good."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from queue import Full, Queue
from typing import Final

from foxtrot.util.clock import NS_PER_S, Clock

CAPACITY: Final = 10_000
END_S: Final = 1.2
"""Seconds from the word of the end to the end of the close, at most."""

_LEAST_S: Final = 0.1  # what the close has when the time is up
_BATCH: Final = 500
_WAIT: Final = 0.1


class LineWriter:
    """Lines from any thread, in order, to ``write``.

    At most ``capacity`` lines wait. Then :meth:`put` blocks: the event queue behind it fills and its own rules hold. Who must not
    block uses :meth:`offer`. When nobody reads any more ``on_broken`` is called once, and what follows is let go.
    """

    def __init__(
        self, write: Callable[[str], object], on_broken: Callable[[], None], clock: Clock, capacity: int = CAPACITY
    ) -> None:
        self._write: Final = write
        self._on_broken: Final = on_broken
        self._clock: Final = clock
        self._lines: Final[Queue[str | Sequence[str]]] = Queue(capacity)  # a sequence: the last lines
        self._end_ns = 0  # when the close has to be over; 0: no end is near
        self._let_go = 0
        self._guard: Final = threading.Lock()  # around the count
        self._is_broken = False
        self._thread: Final = threading.Thread(target=self._run, name="foxtrot-lines", daemon=True)
        self._thread.start()

    @property
    def let_go(self) -> int:
        """Lines that found the queue full, and were let go."""
        return self._let_go

    def put(self, line: str) -> None:
        """Queues a line, without its end; blocks while the queue is full, unless the end has come. For the event thread alone."""
        while not self._is_broken and not self._end_ns:
            with contextlib.suppress(Full):
                self._lines.put(line, timeout=_WAIT)
                return
        self.offer(line)

    def offer(self, line: str) -> bool:
        """Queues a line at once, or lets it go: whether there was room. For threads that must go on."""
        try:
            self._lines.put_nowait(line)
        except Full:
            with self._guard:
                self._let_go += 1
            return False
        return True

    def end_soon(self) -> None:
        """From here on a full queue lets lines go instead of blocking, and the close has ``END_S`` seconds. Again: nothing."""
        self._end_ns = self._end_ns or self._clock.monotonic_ns() + int(END_S * NS_PER_S)

    def close(self, last: Sequence[str] = ()) -> None:
        """Writes what waits and the ``last`` lines, as far as somebody reads them in time."""
        self.end_soon()
        try:
            self._lines.put(tuple(last), timeout=self._left())
        except Full:
            return
        self._thread.join(self._left())

    def _left(self) -> float:
        return max((self._end_ns - self._clock.monotonic_ns()) / NS_PER_S, _LEAST_S)

    def _run(self) -> None:
        has_ended = False
        while not has_ended:
            batch, has_ended = self._take()
            if batch and not self._is_broken:
                self._write_out(batch)

    def _take(self) -> tuple[list[str], bool]:
        """The lines that wait, and whether the end is among them; waits for the first."""
        line = self._lines.get()
        batch: list[str] = []
        while isinstance(line, str):
            batch.append(line)
            if len(batch) == _BATCH or self._lines.empty():
                return batch, False
            line = self._lines.get_nowait()  # nobody else takes: what was there is there
        return [*batch, *line], True

    def _write_out(self, batch: list[str]) -> None:
        try:
            self._write("".join(line + "\n" for line in batch))
        except OSError:  # a closed pipe, a terminal that went away
            self._is_broken = True
            self._on_broken()


def stdout_writer() -> Callable[[str], None]:
    """Writes text to stdout, past Python's buffers: their lock would outlive a thread that hangs in a write."""
    sys.stdout.flush()
    try:
        number, encoding = sys.stdout.fileno(), sys.stdout.encoding
    except OSError:  # stdout is no file: somebody embeds us, and takes the text
        return lambda text: print(text, end="", flush=True)  # noqa: T201 -- the command's own output

    def write(text: str) -> None:
        left = text.encode(encoding, errors="replace")
        while left:
            left = left[os.write(number, left) :]

    return write
