"""Reads the text of a channel: its kind, and the depth or interval behind the colon."""

import re
from typing import Final

from foxtrot.util.constants import Channel
from foxtrot.util.errors import unknown

DEPTH: Final = 20
"""Levels a side of ``book`` where it names none."""

GREATEST_DEPTH: Final = 1000
"""The most levels a side that a subscription may ask for."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")
_INTERVAL: Final = re.compile(r"[1-9][0-9]{0,7}[smhdwM]")


def lane_of(channel: str) -> str:
    """The lane's name: ``book`` for every ``book:20``, for a symbol has one book; else the channel itself."""
    kind = channel.partition(":")[0]
    return kind if kind == Channel.BOOK else channel


def normal(channel: str) -> str:
    """The channel with its depth: ``book:20`` for ``book``."""
    return f"{channel}:{DEPTH}" if channel == Channel.BOOK else channel


def depth_of(channel: str) -> int:
    """Levels a side that ``book`` or ``book:50`` asks for. The channel has been checked."""
    return int(channel.partition(":")[2] or DEPTH)


def interval_of(channel: str) -> str:
    """``1m`` of ``bars:1m``; "" for any channel but bars."""
    kind, _, interval = channel.partition(":")
    return interval if kind == Channel.BARS else ""


def check_channels(channels: tuple[str, ...]) -> None:
    """Raises ValueError, saying what is right, unless every channel can be meant and there is at least one."""
    if not channels:
        raise ValueError(f"a subscription names at least one channel of: {', '.join(Channel)}")
    if isinstance(channels, str):
        raise ValueError(f'channels is a tuple: ("{channels}",)')  # noqa: TRY004 -- as for every bad request
    for channel in channels:
        _check(channel)


def _check(channel: str) -> None:
    kind, colon, parameter = channel.partition(":")
    if kind not in set(Channel):
        raise ValueError(unknown("channel", channel, Channel))
    if kind == Channel.BOOK:
        if colon and not (_NUMBER.fullmatch(parameter) and int(parameter) <= GREATEST_DEPTH):
            raise ValueError(
                f"channel {channel!r}: a book has 1 to {GREATEST_DEPTH} levels a side: book:50; book alone is {DEPTH}"
            )
    elif kind == Channel.BARS:
        if not _INTERVAL.fullmatch(parameter):
            raise ValueError(f"channel {channel!r}: bars take an interval: bars:1s, bars:1m, bars:4h, bars:1d, bars:1M (a month)")
    elif colon:
        raise ValueError(f"channel {channel!r}: only book and bars take a parameter: book:20, bars:1m")
