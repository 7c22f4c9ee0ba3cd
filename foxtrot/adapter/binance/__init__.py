"""The Binance spot adapter."""
