"""The order book of the recorded ETHUSDT, where the recording lies beside this checkout."""

import gzip
from typing import NamedTuple

import msgspec

from foxtrot.adapter.binance.binance_mappings import BookTickerEnvelope, DepthBody
from foxtrot.adapter.binance.depth_mappings import decode_depth, to_depth, to_diff
from foxtrot.transport.audit import Levels
from foxtrot.transport.base import Depth, Diff
from tests.support.recorded_quotes import FILES

_quote = msgspec.json.Decoder(BookTickerEnvelope, strict=False).decode
_body = msgspec.json.Decoder(DepthBody, strict=False).decode

LIMIT = 1_000


class RecordedBook(NamedTuple):
    """The REST snapshot, every depth frame as it came, and the best levels by update id as the quotes' stream said them."""

    snapshot: Depth
    frames: list[bytes]
    diffs: list[Diff]
    tops: dict[int, Levels]


def recorded_book() -> RecordedBook:
    """All of it, in order of arrival; times are those of the recorder's clock."""
    snapshot: Depth | None = None
    frames: list[bytes] = []
    diffs: list[Diff] = []
    tops: dict[int, Levels] = {}
    for path in FILES:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                at, frame = line.split(b" ", 1)
                if b"@depth" in frame:
                    frames.append(frame)
                    diffs.append(to_diff(decode_depth(frame).data, int(at)))
                elif b"@bookTicker" in frame:
                    quote = _quote(frame).data
                    tops[quote.update_id] = (quote.bid, quote.bid_volume, quote.ask, quote.ask_volume)
                elif b'"lastUpdateId"' in frame:
                    snapshot = to_depth(_body(frame), LIMIT, int(at), int(at))
    assert snapshot is not None
    return RecordedBook(snapshot, frames, diffs, tops)
