"""A lively market for the tests of one module, left as it was found by each of them."""

from collections.abc import Iterator

import pytest

from foxtrot.sandbox.launcher import Sandbox, launch


@pytest.fixture(scope="module")
def market(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A few symbols; the module's ``SEED`` draws them."""
    with launch(seed=request.module.SEED, activity=4.0) as sandbox:
        yield sandbox


@pytest.fixture
def box(market: Sandbox) -> Iterator[Sandbox]:
    """The market: no test leaves a fault behind, and whatever happens, the venue's limits are kept."""
    yield market
    market.clear_faults()
    assert market.violations()["total"] == 0
