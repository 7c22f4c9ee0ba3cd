"""A lane of one-minute bars with a clock, for example tests. Bars are counted from the one that is open at the start."""

from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.bar_order import BarOrder
from foxtrot.transport.base import Answer, Cursor, Draft, Item, LaneKey, Quote, Stats
from foxtrot.transport.lane import Lane
from foxtrot.transport.lane_kinds import values_of
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Source
from tests.support.fake_book import FakeKinds
from tests.support.lane_rig import FIGURES, START, STREAM, Rig

BARS: Final = LaneKey("BTCUSDT", "bars:1m")
MINUTE_NS: Final = 60 * NS_PER_S
FIRST: Final = START // MINUTE_NS
"""The bar that is open at the start; it has so many seconds left."""
LEFT: Final = ((FIRST + 1) * MINUTE_NS - START) / NS_PER_S


class BarRig(Rig):
    """``given`` is all that was delivered: (bar counted from the first one, rank; -1: closed, source)."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane(BARS, values_of(BARS, None, FakeKinds()), now_ns=START, chance=lambda: 1.0)
        self.given: list[tuple[int, int, Source]] = []

    @property
    def order(self) -> BarOrder:
        """The lane's."""
        assert isinstance(self.lane.values.order, BarOrder)
        return self.lane.values.order

    @property
    def closed(self) -> list[int]:
        """The closed bars that were delivered, counted from the first one."""
        return [number for number, rank, _ in self.given if rank < 0]

    @override
    def tell(self, *given: steps.Input) -> list[steps.Effect]:
        """The effects; values are kept in ``given``."""
        effects = super().tell(*given)
        for effect in effects:
            if isinstance(effect, steps.Deliver):
                for value in effect.values:
                    assert isinstance(value, Item | Draft)
                    self._keep(value.id, value.rank if isinstance(value, Draft) else -1, effect.source)
        return effects

    def draft(self, number: int, rank: int, trade_id: int = -1) -> Draft:
        """An open bar."""
        return Draft(FIRST + number, rank, trade_id, "open")

    def close(self, number: int, trade_id: int = -1) -> Item:
        """A closed one."""
        return Item(FIRST + number, trade_id, "closed")

    def bring_bar(self, value: Item | Draft, *, late_ms: int = 0) -> list[steps.Effect]:
        """The stream brings a bar: through the door, or else offered."""
        event_ms = self.now // NS_PER_MS - late_ms
        if isinstance(value, Draft):
            is_in = self.order.accept_draft(value, self.now, event_ms)
        else:
            is_in = self.order.accept(value.id, value.last_trade_id, self.now, event_ms)
        if not is_in:
            return self.tell(steps.Offered(value, self.now, event_ms))
        self._keep(value.id, value.rank if isinstance(value, Draft) else -1, Source.STREAM)
        return []

    def page(self, *closed: int, draft: Draft | None = None, is_full: bool = False, asked_s: float = 0.0) -> list[steps.Effect]:
        """A page, asked so many seconds ago."""
        items = [self.close(number) for number in closed]
        return self.tell(steps.Paged(items, is_full, draft=draft, asked_ns=self.now - round(asked_s * NS_PER_S)))

    @override
    def beat(self, last_id: int, count: int = 1) -> list[steps.Effect]:
        """So many seconds of polls that show this trade; the effects of all."""
        effects = []
        for _ in range(count):
            self.now += NS_PER_S
            quote = Quote(0, 1.0, 1.0, 2.0, 1.0, self.now, self.now)
            stats = Stats(last_id, self.now // NS_PER_MS, FIGURES, self.now)
            effects += self.tell(steps.Polled(Answer("BTCUSDT", quote, stats), self.now), steps.Pulse())
        return effects

    def until(self, number: int, seconds: float) -> list[steps.Effect]:
        """Time passes to so many seconds after the end of a bar."""
        self.now = (FIRST + number + 1) * MINUTE_NS + round(seconds * NS_PER_S)
        return self.tell(steps.Pulse())

    def _keep(self, number: int, rank: int, source: Source) -> None:
        self.given.append((number - FIRST, rank, source))


def started() -> BarRig:
    """It polls; the bar before the first one was the last to close."""
    rig = BarRig()
    rig.tell(steps.Start(Cursor(FIRST - 1, -1)))
    return rig


def proving() -> BarRig:
    """Trade 10 is known for long; its stream has just come up."""
    rig = started()
    rig.beat(10)
    rig.page(draft=rig.draft(0, 3))
    rig.beat(10, 2)
    rig.page(draft=rig.draft(0, 3))
    rig.tell(STREAM, steps.StreamUp())
    return rig


def streaming() -> BarRig:
    """Serves its stream; no question is under way. The bar that is open has 3 trades, the last of them 10."""
    rig = proving()
    rig.bring_bar(rig.draft(0, 3, 10))
    rig.beat(10, 3)
    assert rig.lane.state is LaneState.STREAMING
    return rig


def paged(effects: list[steps.Effect]) -> list[int]:
    """The bars from which on pages were asked for, counted from the first one."""
    return [effect.first - FIRST for effect in effects if isinstance(effect, steps.FetchPage)]
