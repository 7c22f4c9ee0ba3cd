"""What happens to frames and values between a model venue and whoever reads them."""

import enum
from typing import Generic, NamedTuple, TypeVar

from foxtrot.util.constants import Source

FrameT = TypeVar("FrameT")


class Fate(enum.Enum):
    """What can happen to frames on their way."""

    ARRIVE = enum.auto()
    WAIT = enum.auto()
    LOSE = enum.auto()
    SWAP = enum.auto()


class Fault(enum.Enum):
    """What can be wrong for some seconds."""

    NONE = enum.auto()
    MUTE = enum.auto()  # the stream brings nothing
    LOSSY = enum.auto()  # it loses every other frame
    LATE = enum.auto()  # frames are three seconds under way
    REST_DOWN = enum.auto()  # no poll and no question is answered


class Sent(NamedTuple, Generic[FrameT]):
    """A frame, and when the venue sent it (ours, nanoseconds)."""

    frame: FrameT
    at_ns: int


class Value(NamedTuple):
    """A value that was delivered: its trade id, or the version of a quote."""

    id: int
    source: Source
