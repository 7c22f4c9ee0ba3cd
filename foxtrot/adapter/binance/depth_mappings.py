"""Binance's order book payloads, typed, and what the transports make of them (binance.md, sections 2 and 3)."""

from typing import Final

import msgspec
from msgspec import field

from foxtrot.adapter.binance.binance_mappings import Amount, DepthBody, Id, Milliseconds
from foxtrot.transport.base import Depth, Diff


class DepthFrame(msgspec.Struct, gc=False):
    """``<symbol>@depth@100ms``: (price, size) of the levels that changed; update ids ``first_id`` (U) to ``last_id`` (u)."""

    symbol: str = field(name="s")
    first_id: Id = field(name="U")
    last_id: Id = field(name="u")
    bids: list[tuple[Amount, Amount]] = field(name="b")
    asks: list[tuple[Amount, Amount]] = field(name="a")
    event_time: Milliseconds = field(name="E", default=0)


class DepthEnvelope(msgspec.Struct, gc=False):
    """A depth event with its stream's name."""

    data: DepthFrame


decode_depth: Final = msgspec.json.Decoder(DepthEnvelope, strict=False).decode
"""Reads a frame of a combined stream. Raises msgspec.MsgspecError."""


def to_diff(frame: DepthFrame, received_ns: int) -> Diff:
    """A depth event."""
    return Diff(frame.first_id, frame.last_id, frame.bids, frame.asks, received_ns)


def to_depth(body: DepthBody, limit: int, asked_ns: int, received_ns: int) -> Depth:
    """The answer to a ``depth`` that asked for ``limit`` levels a side."""
    return Depth(body.last_update_id, body.bids, body.asks, limit, asked_ns, received_ns)
