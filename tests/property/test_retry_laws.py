"""RT-4: a server that fails everything is asked at most a fifth more, and once a second."""

import hypothesis.strategies as st
from hypothesis import given

from foxtrot.transport.retry_budget import RetryBudget
from foxtrot.util.clock import NS_PER_MS, NS_PER_S


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 30)), max_size=100))
def test_retries_of_any_ten_seconds_keep_their_share(bursts: list[tuple[int, int]]) -> None:
    """Each request fails, and would be tried twice more."""
    budget, now, requests, retries = RetryBudget(), 0, [], []
    for pause_ms, count in bursts:
        now += pause_ms * NS_PER_MS
        for _ in range(count):
            budget.request(now)
            requests.append(now)
            for _ in range(2):
                if budget.may_retry(now):
                    retries.append(now)
                    recent = [sum(at > now - 10 * NS_PER_S for at in times) for times in (requests, retries)]
                    assert recent[1] <= 0.2 * recent[0] + 10
