"""The three forms of a symbol, brought to the venue's own."""

import re

_FORM = re.compile(r"^[^\s./?&=#%,\"'\\\x00-\x1f]{1,40}$")


def to_venue_symbol(text: str) -> str:
    """``BTC/USDT``, ``BTCUSDT.BINANCE`` and ``btcusdt`` become ``BTCUSDT``.

    Raises ValueError for what cannot be a symbol in any form (empty, white space, URL syntax, control characters): no such
    text may ever enter a URL.
    """
    bare = text.partition(".")[0].replace("/", "", 1).upper()
    if not _FORM.match(bare):
        raise ValueError(f"{text!r} is not a symbol; write BTC/USDT, BTCUSDT or BTCUSDT.BINANCE")
    return bare
