"""Writes small state files so that a crash at any instant leaves the old text or the new one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if os.name == "posix":
    import fcntl


def write_atomically(path: Path, text: str) -> None:
    """Puts ``text`` (UTF-8) in place of ``path`` in one step, durable before it returns. Makes the folder. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        new = Path(file.name)
        try:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            new.chmod(0o644)
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
    sync_directory(path.parent)


def remove_durably(path: Path) -> None:
    """Removes ``path``, if it is there, durable before it returns. Raises OSError."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes renames and removals in ``directory`` survive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path, name: str) -> Iterator[None]:
    """Keeps other processes out of the same block (on POSIX; elsewhere the last writer wins).

    Makes the folder. Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / name).open("a", encoding="utf-8") as file:
        if os.name == "posix":
            fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file closes, also by a crash
        yield
