"""Sums up the best levels of an order book in one number."""

import zlib
from collections.abc import Sequence


def checksum_of(bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]], levels: int) -> int:
    """CRC-32 (0 to 2**32 - 1) of the best so many levels, each a price and a volume, best first.

    Of the text ``price:volume`` of the best bid, the best ask, the second bid, the second ask ..., joined by colons, with
    numbers as Python writes floats (``2677.6``); a side that has no such level is passed over.
    """
    sides = (bids[:levels], asks[:levels])
    rows = [side[at] for at in range(max(map(len, sides))) for side in sides if at < len(side)]
    return zlib.crc32(":".join(f"{price!r}:{volume!r}" for price, volume in rows).encode())
