"""The checksum of a book's best levels."""

import zlib

import pytest

from foxtrot.util.constants import Exchange, Source
from foxtrot.util.object import OrderBookData

Levels = tuple[tuple[float, float], ...]


def book(bids: Levels, asks: Levels) -> OrderBookData:
    """A valid book."""
    return OrderBookData("ETHUSDT", Exchange.BINANCE, "BINANCE", Source.STREAM, 0, 0, bids, asks, 1, True)


BIDS: Levels = ((2677.6, 1.5), (2677.0, 2.0), (2676.0, 3.0))
ASKS: Levels = ((2677.61, 0.25),)


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        (1, b"2677.6:1.5:2677.61:0.25"),
        (2, b"2677.6:1.5:2677.61:0.25:2677.0:2.0"),
        (25, b"2677.6:1.5:2677.61:0.25:2677.0:2.0:2676.0:3.0"),
    ],
)
def test_a_checksum_is_the_crc_of_price_and_volume_in_turn(levels: int, text: bytes) -> None:
    """Bid, ask, bid, ask ...; what a side does not have is passed over."""
    assert book(BIDS, ASKS).checksum(levels) == zlib.crc32(text)


def test_a_checksum_has_a_value_that_never_changes() -> None:
    """Pinned, so that two releases agree; an empty book has none of its own."""
    assert book(BIDS, ASKS).checksum() == 3_841_058_870
    assert book((), ()).checksum() == 0


def test_equal_best_levels_have_equal_checksums() -> None:
    """What lies behind does not count."""
    assert book(BIDS, ASKS).checksum(2) == book(BIDS[:2], ASKS).checksum(2)
    assert book(BIDS, ASKS).checksum() != book(BIDS[:2], ASKS).checksum()
