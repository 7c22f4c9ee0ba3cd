"""What the venue lists."""

import msgspec
import pytest

from foxtrot.adapter.binance.binance_mappings import ExchangeInfoBody
from foxtrot.adapter.binance.contract_manager import ContractManager
from foxtrot.util.object import ContractData


def listing(symbol: str, base: str, quote: str, step: str = "0.1") -> dict[str, object]:
    filters = [{"filterType": "LOT_SIZE", "stepSize": step}]
    return {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "filters": filters}


def info(*listings: dict[str, object]) -> ExchangeInfoBody:
    return msgspec.convert({"symbols": list(listings)}, ExchangeInfoBody)


@pytest.fixture
def published() -> list[ContractData]:
    """What was told."""
    return []


@pytest.fixture
def contracts(published: list[ContractData]) -> ContractManager:
    """A manager before the venue's list has come."""
    return ContractManager("BINANCE", published.append)


def test_nothing_is_known_before_the_list_has_come(contracts: ContractManager) -> None:
    """And nothing is guessed."""
    assert not contracts.is_loaded
    assert contracts.symbols == []
    assert contracts.unified("BTCUSDT") is None
    assert not contracts.lists("BTCUSDT")
    assert not contracts.nearest("BTCUSDT")


def test_each_contract_is_published_once_known(contracts: ContractManager, published: list[ContractData]) -> None:
    """In the venue's order, when the list is taken, not while it is built."""
    built = contracts.build(info(listing("BTCUSDT", "BTC", "USDT"), listing("ETHBTC", "ETH", "BTC")))
    assert (published, contracts.is_loaded) == ([], False)
    contracts.take(built)
    assert [each.name for each in published] == ["BTC/USDT", "ETH/BTC"]
    assert contracts.is_loaded
    assert contracts.symbols == ["BTCUSDT", "ETHBTC"]
    assert contracts.unified("ETHBTC") == "ETH/BTC"
    assert contracts.lists("BTCUSDT")


@pytest.mark.parametrize(("wrong", "right"), [("BTCUSD", "BTCUSDT"), ("btcusdt", "BTCUSDT"), ("ETHBTX", "ETHBTC"), ("?", "")])
def test_the_nearest_listed_symbol_is_named(contracts: ContractManager, wrong: str, right: str) -> None:
    """Empty where none is alike."""
    contracts.take(contracts.build(info(listing("BTCUSDT", "BTC", "USDT"), listing("ETHBTC", "ETH", "BTC"))))
    assert contracts.nearest(wrong) == right


def test_one_that_is_unreadable_costs_no_other(contracts: ContractManager) -> None:
    """It is named, and left out."""
    contracts.take(contracts.build(info(listing("BADUSDT", "BAD", "USDT", step="x"), listing("BTCUSDT", "BTC", "USDT"))))
    assert contracts.symbols == ["BTCUSDT"]
    assert contracts.left_out == ("BADUSDT",)
