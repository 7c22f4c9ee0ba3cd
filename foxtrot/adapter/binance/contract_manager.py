"""Knows what the venue lists, and publishes it."""

from collections.abc import Callable

from foxtrot.adapter.binance.binance_mappings import ExchangeInfoBody, to_contract
from foxtrot.util.errors import nearest
from foxtrot.util.object import ContractData


class ContractManager:
    """All instruments of the venue, by their venue symbol. Empty until loaded."""

    def __init__(self, adapter_name: str, on_contract: Callable[[ContractData], None]) -> None:
        self._adapter_name = adapter_name
        self._on_contract = on_contract
        self._contracts: dict[str, ContractData] = {}
        self.left_out: tuple[str, ...] = ()
        """Symbols whose rules could not be read."""

    @property
    def is_loaded(self) -> bool:
        """Whether the venue's list is known."""
        return bool(self._contracts)

    @property
    def symbols(self) -> list[str]:
        """Every venue symbol."""
        return list(self._contracts)

    def build(self, info: ExchangeInfoBody) -> dict[str, ContractData]:
        """The venue's list as contracts; some thousand of them take longer than the loop has: call it in a worker."""
        contracts, left_out = {}, []
        for body in info.symbols:
            try:
                contracts[body.symbol] = to_contract(self._adapter_name, body)
            except ValueError:  # it costs no other instrument
                left_out.append(body.symbol)
        self.left_out = tuple(left_out)
        return contracts

    def take(self, contracts: dict[str, ContractData]) -> None:
        """Knows these from here on, and publishes each."""
        self._contracts = contracts
        for contract in contracts.values():
            self._on_contract(contract)

    def unified(self, symbol: str) -> str | None:
        """``BTC/USDT`` for ``BTCUSDT``; None while it is not known."""
        contract = self._contracts.get(symbol)
        return contract.name if contract else None

    def lists(self, symbol: str) -> bool:
        """Whether the venue lists this symbol."""
        return symbol in self._contracts

    def nearest(self, symbol: str) -> str:
        """The listed symbol most like this one, "" where none is."""
        return nearest(symbol, self._contracts)
