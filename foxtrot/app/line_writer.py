"""Writes lines in a thread of its own, so that a reader that stalls never stops the event thread for good."""

import os
import sys
import threading
from collections.abc import Callable
from queue import Full, Queue
from typing import Final

CAPACITY: Final = 10_000
_BATCH: Final = 500
_WAIT: Final = 0.1


class LineWriter:
    """Lines from any thread, in order, to ``write``.

    At most ``capacity`` lines wait. Then :meth:`put` blocks: the event queue behind it fills and its own rules hold. When nobody
    reads any more ``on_broken`` is called once, and what follows is let go.
    """

    def __init__(self, write: Callable[[str], object], on_broken: Callable[[], None], capacity: int = CAPACITY) -> None:
        self._write: Final = write
        self._on_broken: Final = on_broken
        self._lines: Final[Queue[str | None]] = Queue(capacity)
        self._is_ending = False
        self._is_broken = False
        self._thread: Final = threading.Thread(target=self._run, name="foxtrot-lines", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queues a line, without its end; blocks while the queue is full, unless the end has come."""
        while not self._is_broken:
            is_last_try = self._is_ending
            try:
                return self._lines.put(line, block=not is_last_try, timeout=_WAIT)
            except Full:
                if is_last_try:
                    return None
        return None

    def end_soon(self) -> None:
        """From here on a full queue lets lines go instead of blocking."""
        self._is_ending = True

    def close(self, timeout: float = 1.0) -> None:
        """Writes what waits, for ``timeout`` seconds at most."""
        self._is_ending = True
        try:
            self._lines.put(None, timeout=timeout)
        except Full:
            return
        self._thread.join(timeout)

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
        while line is not None:
            batch.append(line)
            if len(batch) == _BATCH or self._lines.empty():
                return batch, False
            line = self._lines.get_nowait()  # nobody else takes: what was there is there
        return batch, True

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
