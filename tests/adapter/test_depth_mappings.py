"""The venue's order book payloads become diffs and snapshots, or are refused."""

import msgspec
import pytest

from foxtrot.adapter.binance.binance_mappings import DepthBody
from foxtrot.adapter.binance.depth_mappings import decode_depth, to_depth, to_diff
from foxtrot.transport.base import Depth, Diff

FRAME = (
    b'{"stream":"ethusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255408,"s":"ETHUSDT","U":35346513506,"u":35346513512,'
    b'"b":[["2683.80000000","3.02920000"],["2683.48000000","0.00000000"]],"a":[["2687.31000000","81.35720000"]]}}'
)
"""As it was recorded, but for some of its bids."""


def test_a_frame_becomes_a_diff() -> None:
    """Ids, absolute sizes (0: gone), event time; unknown keys are passed over."""
    frame = decode_depth(FRAME).data
    assert (frame.symbol, frame.event_time) == ("ETHUSDT", 1723161255408)
    assert to_diff(frame, 7) == Diff(
        35346513506, 35346513512, [(2683.8, 3.0292), (2683.48, 0.0)], [(2687.31, 81.3572)], received_ns=7
    )


@pytest.mark.parametrize("text", ["NaN", "-1", "1e15", "Infinity", "x", ""])
@pytest.mark.parametrize("old", [b"2683.80000000", b"3.02920000", b"2687.31000000", b"81.35720000"])
def test_what_is_no_amount_is_refused(old: bytes, text: str) -> None:
    """Prices and sizes are finite, 0 or more, below 1e15."""
    with pytest.raises(msgspec.ValidationError):
        decode_depth(FRAME.replace(old, text.encode()))


@pytest.mark.parametrize(
    ("old", "new"), [(b'"U":35346513506', b'"U":-1'), (b'"u":35346513512', b'"u":null'), (b'"b":[[', b'"b":[["1"],[')]
)
def test_another_shape_is_refused(old: bytes, new: bytes) -> None:
    """Ids are numbers, levels are pairs."""
    with pytest.raises(msgspec.ValidationError):
        decode_depth(FRAME.replace(old, new))


def test_an_answer_becomes_a_snapshot() -> None:
    """With the limit that was asked for, and its times."""
    text = b'{"lastUpdateId":5,"bids":[["1.5","2"]],"asks":[]}'
    body = msgspec.json.decode(text, type=DepthBody, strict=False)
    assert to_depth(body, 100, 3, 4) == Depth(5, [(1.5, 2.0)], [], 100, 3, 4)
