"""Who the hub asks how a lane is to be served, and who it tells what is no market data."""

from typing import Protocol

from foxtrot.transport import steps
from foxtrot.transport.base import LaneKey
from foxtrot.transport.health import Finding
from foxtrot.util.constants import BreakerState


class Decider(Protocol):
    """Says how a lane is to be served."""

    def __call__(self, key: LaneKey) -> steps.Decide:
        """The decision in force."""
        ...


class Watcher(Protocol):
    """Hears what is no market data."""

    def health(self, symbol: str, finding: Finding) -> None:
        """A symbol's health changed."""
        ...

    def breaker(self, key: LaneKey, old: BreakerState, new: BreakerState) -> None:
        """A lane's breaker moved."""
        ...

    def connection(self, number: int, old: BreakerState, new: BreakerState) -> None:
        """A connection's breaker moved."""
        ...

    def problem(self, text: str) -> None:
        """Something failed that the hub copes with; said once until it works again."""
        ...

    def refused(self, symbol: str, problem: str) -> None:
        """The venue does not know a symbol any more; its lanes have been closed."""
        ...
