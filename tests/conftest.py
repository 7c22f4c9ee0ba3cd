"""What all tests share: how hard hypothesis tries, and which files begin first."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

LONG_FILES = (
    *("test_simulation.py", "test_run.py", "test_chaos.py", "test_venue_faults.py", "test_handlers_and_close.py"),
    *("test_switching.py", "test_lane_search.py", "test_recording.py", "test_venue_anew.py", "test_halts_and_restarts.py"),
    *("test_sandbox_market.py", "test_interop_ccxt.py", "test_books_and_bars.py", "test_lane_laws.py", "test_hybrid_machine.py"),
)
"""Those that take ten seconds and more, the longest first: one that begins last would keep every other worker waiting."""


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the long files first where each worker takes whole files (``--dist loadfile``)."""
    worker = getattr(config, "workerinput", {})
    if "loadfile" in worker.get("mainargv", ()):
        rank = {name: place for place, name in enumerate(LONG_FILES)}
        items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


_COMMON = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    phases=set(Phase) - {Phase.explain},  # it traces every line of the shrunk run: minutes, for a state machine
)

settings.register_profile("dev", _COMMON, max_examples=80, stateful_step_count=40)
settings.register_profile("gate", _COMMON, max_examples=150, stateful_step_count=40, derandomize=True)
settings.register_profile("nightly", _COMMON, max_examples=5_000, stateful_step_count=80)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("gate" if os.environ.get("CI") == "true" else "dev"))
