"""How many requests may be tried again."""

from foxtrot.transport.retry_budget import RetryBudget
from foxtrot.util.clock import NS_PER_S


def test_a_few_retries_are_always_allowed() -> None:
    """Ten in ten seconds, however few requests there were."""
    budget = RetryBudget()
    assert [budget.may_retry(0) for _ in range(11)] == [True] * 10 + [False]
    assert budget.refused == 1


def test_many_requests_allow_a_fifth_of_their_number_besides() -> None:
    """Fifty requests allow ten more."""
    budget = RetryBudget()
    for _ in range(50):
        budget.request(0)
    assert sum(budget.may_retry(0) for _ in range(100)) == 20


def test_what_is_ten_seconds_old_does_not_count() -> None:
    """Neither a request nor a retry."""
    budget = RetryBudget()
    for _ in range(50):
        budget.request(0)
    assert sum(budget.may_retry(0) for _ in range(100)) == 20
    assert not budget.may_retry(10 * NS_PER_S - 1)
    assert sum(budget.may_retry(10 * NS_PER_S) for _ in range(100)) == 10
