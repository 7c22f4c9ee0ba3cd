"""What all tests share: how hard hypothesis tries."""

import os

from hypothesis import HealthCheck, Phase, settings

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
