"""Lets requests beside the beat through as the weight allows, the most pressing first."""

import asyncio
from bisect import insort
from enum import Enum
from typing import Final

from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import NS_PER_S, Clock

FULL_PAGE: Final = 1_000
"""Missing ids from which on a page cannot be more pressing."""


class Urgency(Enum):
    """What a request is for, in the order of how long it may wait while others are let through: its patience, in seconds.

    Who asks is due when its patience is over, and whoever is due first goes first. So a newcomer overtakes only who asked
    less than its patience later: nobody is passed by a request that came ``LATE``'s patience after it, and nobody starves.
    """

    START = 0.0
    """A lane that cannot begin without it."""
    JOIN = 0.5
    """An anchor: the stream has proved itself and only waits for this."""
    HOLE = 1.0
    """Ids that hold a serving stream back."""
    PAGE = 10.0
    """Ids of a polled lane; the more are missing, the less patience: 1 s from a thousand on."""
    LATE = 30.0
    """Ids of a gap that was given up: nobody waits for them."""

    def patience_ns(self, missing: int = 0) -> int:
        """How long such a request may be passed by, when so many ids are known to be missing."""
        least = min(self.value, Urgency.HOLE.value)
        part = min(max(missing, 0), FULL_PAGE) / FULL_PAGE if self is Urgency.PAGE else 0.0
        return int((self.value - (self.value - least) * part) * NS_PER_S)


class _Claim:
    """Somebody who waits. ``called`` wakes it when it has become the first."""

    __slots__ = ("called", "due_ns")

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns
        self.called = asyncio.Event()


class Admission:
    """The one gate of start answers, anchors and pages: whoever waits has its turn, however greedy the others are."""

    def __init__(self, budget: WeightBudget, clock: Clock) -> None:
        self._budget: Final = budget
        self._clock: Final = clock
        self._claims: Final[list[_Claim]] = []  # the first one alone looks at the budget: the others wait for it to go

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._claims)

    async def admit(self, weight: int, urgency: Urgency = Urgency.START, missing: int = 0) -> None:
        """Returns once a request of this weight may be sent; it is booked then. ``missing`` ids make a page press more.

        While the venue asks for silence nothing returns. Cancelled, the claim is gone, and nothing is booked.
        """
        claim = _Claim(self._clock.now_ns() + urgency.patience_ns(missing))
        insort(self._claims, claim, key=lambda each: each.due_ns)  # behind those that are due at the same instant
        try:
            await self._have_turn(claim, weight)
            self._budget.spend(weight, self._clock.now_ns())
        finally:
            self._claims.remove(claim)
            if self._claims:
                self._claims[0].called.set()

    async def _have_turn(self, claim: _Claim, weight: int) -> None:
        while True:
            if self._claims[0] is not claim:
                claim.called.clear()
                await claim.called.wait()
            elif (wait := self._budget.wait(weight, self._clock.now_ns())) > 0:
                await self._clock.sleep(wait)
            else:
                return
