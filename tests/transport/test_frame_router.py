"""The reader's callback: whose trouble an unreadable frame is."""

import msgspec

from foxtrot.transport.frame_router import FrameCounts, router
from tests.support.fake_transports import FakeFeed


def test_an_unreadable_frame_of_a_known_stream_is_that_streams_own_trouble() -> None:
    """It is counted, and the connection, which carries others, is not blamed; one that names no stream blames it."""
    feed, counts, blamed = FakeFeed(), FrameCounts(), list[int]()

    def refuse(_frame: bytes, _received_ns: int) -> None:
        raise msgspec.DecodeError("cut short")

    route = router({feed.envelope + b"BTCUSDT@trades": refuse}, feed, counts, lambda _frame: None, blamed.append)
    route(feed.envelope + b'BTCUSDT@trades","data":{', 1)
    assert (counts.malformed, blamed) == (1, [])
    route(b"{", 2)
    assert (counts.malformed, blamed) == (2, [2])
