"""Reads a text file again and again, cheaply while it stays the same."""

from pathlib import Path

from foxtrot.transport.flag_intake import MAX_BYTES, Reading
from foxtrot.util.clock import NS_PER_S

_Signature = tuple[int, int, int, int, int]

_TRUSTED_NS = 3 * NS_PER_S  # some file systems stamp times in steps of up to 2 s: before, the same signature proves nothing


class WatchedFile:
    """The text at ``path`` behind any symlinks. Blocks for the time of the read: call it in a worker thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature: _Signature | None = None
        self._signed_ns = 0
        self._reading = Reading()

    def read(self, now_ns: int) -> Reading:
        """The present text, or what stands in the way; ``now_ns`` is monotonic."""
        try:
            stat = self._path.stat()
            signature = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if signature != self._signature:
                self._signature, self._signed_ns = signature, now_ns
            elif now_ns - self._signed_ns > _TRUSTED_NS:
                return self._reading
            self._reading = self._read(stat.st_size)
        except FileNotFoundError:
            self._forget(Reading(problem="no such file", is_missing=True))
        except OSError as error:
            self._forget(Reading(problem=f"cannot be read: {error.strerror or error}"))
        return self._reading

    def _read(self, size: int) -> Reading:
        with self._path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1) if size <= MAX_BYTES else b""
        if size > MAX_BYTES or len(raw) > MAX_BYTES:
            return Reading(problem="longer than 1 MiB, refused")
        try:
            return Reading(text=raw.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            return Reading(problem=f"not UTF-8 text in line {raw.count(10, 0, error.start) + 1}; save it as UTF-8")

    def _forget(self, reading: Reading) -> None:
        self._signature = None
        self._reading = reading
