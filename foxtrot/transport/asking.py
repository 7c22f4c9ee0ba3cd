"""Asks REST what lanes want to know: pages, anchors, the busiest symbol. Every question is answered, if only by a failure."""

from collections.abc import Callable, Collection

from foxtrot.transport import steps
from foxtrot.transport.admission import Admission, Urgency
from foxtrot.transport.base import Draft, Item, LaneKey, Rest
from foxtrot.transport.budget import WeightBudget
from foxtrot.util.clock import Clock
from foxtrot.util.constants import Source
from foxtrot.util.errors import FoxtrotError


class Asking:
    """Questions beside the beat, each admitted by its urgency. ``say_once(what, problem)`` tells a person; "": it works again."""

    def __init__(
        self, rest: Rest, budget: WeightBudget, admission: Admission, clock: Clock, say_once: Callable[[str, str], None]
    ) -> None:
        self._rest = rest
        self._budget = budget
        self._admission = admission
        self._clock = clock
        self._say_once = say_once

    async def page(self, key: LaneKey, wanted: steps.FetchPage, missing: int) -> steps.Input:
        """A hole of a serving stream presses more than what polled lanes have to fetch; nobody waits for what is late."""
        is_late = wanted.last >= 0
        urgency = Urgency.LATE if is_late else Urgency.HOLE if wanted.source is Source.BACKFILL else Urgency.PAGE
        await self._admission.admit(self._rest.weight("page", key), urgency, missing)
        what, asked_ns = f"page {key.symbol} {key.channel}", self._clock.now_ns()
        try:
            found = await self._rest.page(key, wanted.first, wanted.source)
        except Exception as error:  # noqa: BLE001 -- every question is answered, or the lane would wait for ever
            self._failed(what, error)
            return steps.PageFailed(is_late)
        self._say_once(what, "")
        items = [each for each in found if isinstance(each, Item)]
        draft = found[-1] if found and isinstance(found[-1], Draft) else None
        return steps.Paged(items, len(found) >= self._rest.page_size, is_late, draft, asked_ns)

    async def depth(self, key: LaneKey, wanted: steps.FetchDepth) -> steps.Input:
        """A snapshot of the order book; None in it where there was no answer. A serving stream that has no book presses most."""
        urgency = Urgency.LATE if wanted.is_audit else Urgency.HOLE if wanted.is_resync else Urgency.PAGE
        await self._admission.admit(self._rest.weight("depth", count=wanted.limit), urgency)
        what = f"depth {key.symbol}"
        try:
            depth = await self._rest.depth(key.symbol, wanted.limit)
        except Exception as error:  # noqa: BLE001 -- every question is answered, or the lane would wait for ever
            self._failed(what, error)
            return steps.Snapped(None, wanted.is_audit)
        self._say_once(what, "")
        return steps.Snapped(depth, wanted.is_audit)

    async def anchor(self, key: LaneKey) -> steps.Input:
        """The quote with its order-book id; None in it where there was no answer."""
        await self._admission.admit(self._rest.weight("anchor"), Urgency.JOIN)
        what = f"anchor {key.symbol}"
        try:
            quote = await self._rest.anchor(key.symbol)
        except Exception as error:  # noqa: BLE001 -- every question is answered, or the lane would wait for ever
            self._failed(what, error)
            return steps.Anchored(None)
        self._say_once(what, "")
        return steps.Anchored(quote)

    async def busiest(self, without: Collection[str]) -> str:
        """The symbol with most trades, of all but these; "" where it could not be had."""
        await self._admission.admit(self._rest.weight("busiest"), Urgency.PAGE)
        try:
            symbol = await self._rest.busiest(without)
        except Exception as error:  # noqa: BLE001 -- streams go on without a canary; it is asked again
            self._failed("the busiest symbol", error)
            return ""
        self._say_once("the busiest symbol", "")
        return symbol

    def _failed(self, what: str, error: Exception) -> None:
        if isinstance(error, FoxtrotError):
            self._budget.refused(error, self._clock.now_ns())
        self._say_once(what, f"{what}: {type(error).__name__}: {error}")
