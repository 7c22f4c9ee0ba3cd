"""Keeps a second process out of one environment's state folder."""

import os
from pathlib import Path
from typing import IO

from foxtrot.util.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind: there the folder is not guarded
    fcntl = None  # type: ignore[assignment]  # -- looked at before it is used


class StateLock:
    """``state_dir/environment/lock``, held from construction to ``release``; the system frees it when the process dies."""

    def __init__(self, state_dir: Path, environment: str) -> None:
        """Raises ConfigError when another process holds it, or the folder cannot be written."""
        path = state_dir / environment / "lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] | None = path.open("a+")
        except OSError as error:
            raise ConfigError(
                f"the state folder {path.parent} cannot be used: {error.strerror}; name another state_dir"
            ) from error
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise ConfigError(f"{path.parent} is in use by {holder}; end it, or name another state_dir") from error
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Lets others in; again: nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
