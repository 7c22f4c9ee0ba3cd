"""What the embedded exchange lists: symbols, their steps, and how lively each one is."""

from dataclasses import dataclass

from foxtrot.sandbox.amounts import UNIT, to_units


@dataclass(frozen=True, slots=True)
class Listing:
    """A spot pair. ``tick`` and ``step`` are units of 1e-8; ``orders_per_second`` and ``trade_share`` shape its market.

    ``levels``: resting orders a side that makers aim at; 0: by how lively it is.
    """

    symbol: str
    base: str
    quote: str
    price: int
    tick: int
    step: int
    orders_per_second: float
    trade_share: float
    yearly_volatility: float
    order_notional: float
    levels: int = 0


def _listing(
    base: str, quote: str, price: str, tick: str, step: str, rate: float, trades: float, vol: float, size: float
) -> Listing:
    return Listing(base + quote, base, quote, to_units(price), to_units(tick), to_units(step), rate, trades, vol, size)


_KNOWN = (
    _listing("BTC", "USDT", "64120.35", "0.01", "0.00001", 30.0, 0.16, 0.55, 900.0),
    _listing("ETH", "USDT", "2677.60", "0.01", "0.0001", 25.0, 0.16, 0.70, 600.0),
    _listing("BNB", "USDT", "571.20", "0.01", "0.001", 12.0, 0.14, 0.60, 400.0),
    _listing("SOL", "USDT", "148.35", "0.01", "0.001", 16.0, 0.15, 0.90, 400.0),
    _listing("XRP", "USDT", "0.5821", "0.0001", "0.1", 10.0, 0.13, 0.80, 250.0),
    _listing("DOGE", "USDT", "0.10512", "0.00001", "1", 10.0, 0.13, 0.95, 200.0),
    _listing("ADA", "USDT", "0.3514", "0.0001", "0.1", 7.0, 0.12, 0.80, 200.0),
    _listing("LINK", "USDT", "10.82", "0.01", "0.01", 5.0, 0.12, 0.85, 200.0),
    _listing("USDC", "USDT", "0.9998", "0.0001", "1", 1.5, 0.10, 0.01, 2_000.0),
    _listing("ETH", "BTC", "0.04176", "0.00001", "0.0001", 2.0, 0.10, 0.45, 300.0 / 64_000),
    _listing("IOTA", "USDT", "0.1327", "0.0001", "1", 0.25, 0.03, 0.90, 60.0),
    _listing("WAVES", "USDT", "0.9310", "0.0001", "0.01", 0.15, 0.04, 0.90, 40.0),
    _listing("NULS", "USDT", "0.4105", "0.0001", "0.1", 0.10, 0.05, 0.90, 30.0),
    _listing("LTC", "USDT", "63.41", "0.01", "0.001", 2.5, 0.12, 0.75, 200.0),
    _listing("AVAX", "USDT", "22.47", "0.01", "0.01", 2.5, 0.12, 0.95, 200.0),
    _listing("DOT", "USDT", "4.612", "0.001", "0.01", 2.0, 0.12, 0.85, 150.0),
)

DEFAULT_COUNT = 13
MAX_COUNT = 200


def listings(count: int = DEFAULT_COUNT) -> list[Listing]:
    """The first ``count`` symbols: known pairs, then ``T016USDT``, ``T017USDT`` ... of middling liveliness.

    Raises ValueError unless 1 <= count <= 200.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"the exchange lists 1 to {MAX_COUNT} symbols; found {count}")
    made = list(_KNOWN[:count])
    made.extend(
        _listing(f"T{number:03d}", "USDT", f"{1 + number % 37}.5", "0.0001", "0.01", 1.0, 0.12, 0.9, 100.0)
        for number in range(len(made), count)
    )
    return made


def foreign_listing(symbol: str) -> Listing:
    """A listing for a recorded symbol that is not known here: eight decimals, base and quote told apart by the usual quotes."""
    for known in _KNOWN:
        if known.symbol == symbol:
            return known
    quote = next((q for q in ("USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB") if symbol.endswith(q) and symbol != q), symbol[-3:])
    base = symbol.removesuffix(quote) or symbol
    return Listing(symbol, base, quote, UNIT, 1, 1, 0.0, 0.0, 0.0, 0.0)
