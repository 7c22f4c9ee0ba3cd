"""An exchange and a plain client for each test that asks."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from foxtrot.sandbox.exchange import Exchange
from tests.sandbox.plain_client import Client, running


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """A lively exchange of two symbols, in this loop."""
    async with running() as started:
        yield started


@pytest.fixture
async def client(exchange: Exchange) -> AsyncIterator[Client]:
    """A plain client of that exchange."""
    async with aiohttp.ClientSession() as session:
        yield Client(exchange, session)
