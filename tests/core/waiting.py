"""Waits for a condition that another thread brings about."""

import threading
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    """Returns as soon as ``condition()`` holds; fails when it never does."""
    pause = threading.Event()
    for _ in range(int(timeout / 0.002)):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError("the condition never came true")
