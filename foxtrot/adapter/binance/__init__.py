"""The Binance spot adapter."""

from foxtrot.adapter.binance.binance import BinanceAdapter

__all__ = ["BinanceAdapter"]
