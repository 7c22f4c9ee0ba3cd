"""Tells at once when something changes in the folders around a file."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

from foxtrot.util.clock import Clock

_log = logging.getLogger(__name__)

_PAUSE_S = 0.4
_STEP_MS = 20
_DEBOUNCE_MS = 100
_RECHECK_MS = 1000


async def watch(paths: Iterable[Path], wake: Callable[[], None], clock: Clock) -> None:
    """Calls ``wake`` on the loop after changes in the folder of each path and of what it links to, for ever.

    It is only the fast way: folders may be missing or the system out of watches, so the caller looks by itself now and then.
    The folders are watched, not the files: most editors put a new file in place of the old one.
    """
    files = tuple(paths)
    has_failed = False
    while True:
        try:
            await _watch_once(files, wake)
        except (OSError, RuntimeError) as error:  # the watcher's own kinds: a folder gone, no watches left
            if not has_failed:
                _log.warning("directory_watch.failed", extra={"error": str(error)})
            has_failed = True
        await clock.sleep(_PAUSE_S)


async def _watch_once(files: tuple[Path, ...], wake: Callable[[], None]) -> None:
    watched = await asyncio.to_thread(_folders, files)
    if not watched:
        return
    changes = awatch(
        *watched,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        rust_timeout=_RECHECK_MS,
        yield_on_timeout=True,
        recursive=False,
    )
    async with aclosing(changes):
        async for change in changes:
            if change:
                wake()
            if await asyncio.to_thread(_folders, files) != watched:
                return


def _folders(files: tuple[Path, ...]) -> frozenset[Path]:
    folders = {folder for file in files for folder in (file.parent.absolute(), file.resolve().parent)}
    return frozenset(folder for folder in folders if folder.is_dir())
