"""What the tests of threads share."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads take turns some hundred times as often as usual, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
