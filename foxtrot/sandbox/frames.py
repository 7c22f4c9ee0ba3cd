"""WebSocket frames as a server writes them: unmasked, so that one encoding serves every client."""

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9

_SHORT = 126
_MEDIUM = 65_536


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole, final frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < _SHORT:
        return bytes((0x80 | opcode, size)) + payload
    if size < _MEDIUM:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame with its code."""
    return frame(code.to_bytes(2, "big") + reason.encode()[:120], CLOSE)


def wrap(stream: str, payload: bytes) -> bytes:
    """The envelope of a combined stream."""
    return b'{"stream":"' + stream.encode() + b'","data":' + payload + b"}"
