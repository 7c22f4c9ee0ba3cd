"""An exchange on loopback that speaks Binance spot."""
