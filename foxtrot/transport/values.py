"""What a lane asks of the values of its channel, whichever they are; the answers of a channel that does not care."""

import abc
from typing import ClassVar, Final, NamedTuple, Protocol

from foxtrot.transport import steps
from foxtrot.transport.audit import LATE_NS, Lateness, Verdict
from foxtrot.transport.base import Answer, Cursor, Stats, Value
from foxtrot.transport.event_lag import EventLag
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Reason, Source

HOLD_NS: Final = 2 * NS_PER_S
"""How long frames wait behind a hole unless the subscription says otherwise (rule 2)."""

Answered = steps.Paged | steps.PageFailed | steps.Anchored | steps.Snapped
"""The answers to what ``asks`` asked for."""


class Order(Protocol):
    """What every channel's order counts."""

    delivered: int
    duplicates: int
    heard_ns: int
    is_live: bool


class Told(NamedTuple):
    """What follows from an answer.

    ``is_open``: the stream serves from here, and begins with these. ``is_confirmed``: it shows what was delivered last.
    """

    effects: list[steps.Effect]
    is_open: bool = False
    is_confirmed: bool = False


class Shown(NamedTuple):
    """What follows from a poll, and whether it confirms what polling serves."""

    effects: list[steps.Effect]
    is_confirmed: bool


class Values(abc.ABC):
    """The values of one lane: what is next, what is asked for, what polls show of the stream. All times are nanoseconds."""

    has_cursor: ClassVar = True
    """Whether the lane starts with a cursor; else with the first poll that holds a quote."""
    yields_to_poll: ClassVar = False
    """Whether a stream that leaves by decision waits for a polled value to go first."""
    trips_on_misses: ClassVar = False
    """Whether two audit misses running are a trip of a stream that serves."""

    def __init__(self, hold_ns: int | None = None) -> None:
        self.hold_ns: Final = hold_ns  # how long frames wait behind a hole; None: for ever
        self.lag: Final = EventLag()
        self.gaps = 0
        self.is_held = False

    # --- what the lane asks -------------------------------------------------------------------------------------------------

    @property
    @abc.abstractmethod
    def order(self) -> Order | None:
        """What is next; None before the start."""

    @property
    @abc.abstractmethod
    def is_suspect(self) -> bool:
        """Whether the newest poll disagrees with the stream."""

    @property
    @abc.abstractmethod
    def is_current(self) -> bool:
        """Whether nothing that is known to be there is missing from what was delivered."""

    @property
    def missing(self) -> int:
        """How many values are known of that have not been delivered."""
        return 0

    @property
    def poll_call(self) -> tuple[str, int] | None:
        """The request, beside the beat, that polling of this lane needs: its name and count, as ``Rest.weight`` takes them."""
        return None

    @property
    def fresh_ns(self) -> int:
        """When the stream brought what was delivered last, while that confirms the lane; else 0."""
        return self.order.heard_ns if self.order and self.order.is_live and self.is_current else 0

    def lateness(self, now_ns: int, timely: int) -> Lateness:  # noqa: ARG002 -- frames carry a time
        """How late the stream is, by the time in its frames; where they carry none, ``timely`` hits must show it in time."""
        lag = self.lag.p95(now_ns)
        if lag is None:
            return Lateness.QUIET
        return Lateness.LATE if lag >= LATE_NS else Lateness.TIMELY

    @abc.abstractmethod
    def verdicts(self, now_ns: int) -> list[Verdict]:
        """What polls have shown of the stream since this was asked last."""

    @abc.abstractmethod
    def is_calm(self, now_ns: int) -> bool:
        """Whether nothing has become due."""

    def is_closing(self, now_ns: int, offset_ns: int | None) -> bool:  # noqa: ARG002 -- bars alone go by the venue's clock
        """Whether something has become due by the venue's clock."""
        return False

    def has_gap(self, now_ns: int) -> bool:  # noqa: ARG002 -- ids alone have gaps that time decides
        """Whether a stream under proof has left something out."""
        return False

    def trip(self, now_ns: int) -> Reason | None:  # noqa: ARG002 -- a channel's own
        """Why a stream that serves has to be given up, by the channel's own rules; None while it has not."""
        return None

    # --- the stream's life --------------------------------------------------------------------------------------------------

    def start(self, cursor: Cursor) -> None:  # noqa: B027 -- nothing to do where there is no cursor
        """The start answer has come."""

    @abc.abstractmethod
    def up(self, now_ns: int) -> None:
        """A connection carries the stream."""

    @abc.abstractmethod
    def shut(self) -> None:
        """The stream serves no longer, or its attempt is over."""

    @abc.abstractmethod
    def stalled(self, span_ns: int, now_ns: int) -> None:
        """Our loop stood still: the stream has so much longer."""

    def is_joined(self) -> bool:
        """Whether nothing lies between the last delivered value and the stream: it may serve as it is."""
        return False

    def open(self) -> list[steps.Effect]:
        """The stream serves from here: what waited and is next goes first."""
        return []

    @abc.abstractmethod
    def open_alone(self, answered_ns: int) -> list[steps.Effect] | None:
        """Opens without REST, which answered last at that instant; None where it cannot."""

    def pause(self) -> None:  # noqa: B027 -- nothing to do where no polled value is waited for
        """Nothing streamed from here on: a polled value comes next."""

    def resume(self) -> list[steps.Effect]:
        """It serves on after all."""
        return []

    def hold(self, is_on: bool) -> None:  # noqa: B027 -- nothing to do where the newest value wins
        """The consumer is slow, or has caught up. Values of which the newest wins care nothing."""

    # --- what comes ---------------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def offered(self, given: steps.Offered, now_ns: int, *, is_kept: bool) -> list[steps.Effect]:
        """A streamed value that the door did not accept. ``is_kept``: it may wait for a switch."""

    def figured(self, stats: Stats, source: Source) -> list[steps.Effect]:  # noqa: ARG002 -- a tick's own
        """24 h figures of either source."""
        return []

    @abc.abstractmethod
    def polled(self, answer: Answer, asked_ns: int, now_ns: int, *, is_proving: bool) -> Shown:
        """A poll has come."""

    @abc.abstractmethod
    def answered(self, given: Answered, now_ns: int, *, is_wanted: bool) -> Told:
        """An answer to what was asked. ``is_wanted``: the stream has proved itself, and is to serve."""

    # --- what becomes due ---------------------------------------------------------------------------------------------------

    def passed(self, now_ns: int, offset_ns: int | None) -> list[steps.Effect]:  # noqa: ARG002 -- a tick's quotes carry no time
        """Time has passed. ``offset_ns`` is the venue's clock minus ours, None while it is not known."""
        return []

    @abc.abstractmethod
    def asks(self, now_ns: int, *, is_streaming: bool, is_joining: bool) -> list[steps.Effect]:
        """What may be asked for now. ``is_joining``: the stream has proved itself, and is to serve."""


def told(values: list[Value], source: Source) -> list[steps.Effect]:
    """One delivery; nothing for no values."""
    return [steps.Deliver(values, source)] if values else []
