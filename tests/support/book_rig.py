"""A lane of an order book with a clock, for example tests; and the venue's book, which moves by one update a diff."""

from typing import Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Depth, Diff, Item, LaneKey, Level, Quote
from foxtrot.transport.book_order import BookOrder
from foxtrot.transport.lane import Lane
from foxtrot.transport.lane_kinds import values_of
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Source
from tests.support.fake_book import FakeBook, FakeKinds, ShownBook
from tests.support.lane_rig import START, STREAM, Rig

BOOK: Final = LaneKey("BTCUSDT", "book")


class BookRig(Rig):
    """``truth`` is the venue's book: a bid and an ask, and one more bid whose size is the update id."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane(BOOK, values_of(BOOK, None, FakeKinds()), now_ns=START, chance=lambda: 1.0)
        self.truth = FakeBook()
        self.truth.load(Depth(100, [(1.0, 1.0), (0.5, 100.0)], [(2.0, 1.0)], 100, 0, 0))
        self.shown: list[ShownBook] = []

    @property
    def order(self) -> BookOrder:
        """The lane's."""
        assert isinstance(self.lane.values.order, BookOrder)
        return self.lane.values.order

    @property
    def ids(self) -> list[int]:
        """The update ids of all that was delivered; those of invalid books are below 0."""
        return [book.update_id if book.is_valid else -book.update_id for book in self.shown]

    @override
    def tell(self, *given: steps.Input) -> list[steps.Effect]:
        """The effects; values are kept in ``shown``."""
        effects = super().tell(*given)
        for effect in effects:
            if isinstance(effect, steps.Deliver):
                self._keep([value.value for value in effect.values if isinstance(value, Item)], effect.source)
        return effects

    def move(self, bids: list[Level] | None = None, count: int = 1) -> Diff:
        """The venue's book changes by so many updates; the diff that says so."""
        first, last = self.truth.update_id + 1, self.truth.update_id + count
        diff = Diff(first, last, [(0.5, float(last)), *(bids or [])], [], self.now)
        self.truth.apply(diff)
        return diff

    def frame(self, diff: Diff, *, late_ms: int = 0) -> list[steps.Effect]:
        """The stream brings it: through the door, or else offered."""
        event_ms = self.now // NS_PER_MS - late_ms
        value = self.order.accept(diff, self.now, event_ms)
        if value is None:
            return self.tell(steps.Offered(diff, self.now, event_ms))
        self._keep([value], Source.STREAM)
        return []

    def stream(self, count: int = 1) -> list[steps.Effect]:
        """The venue's book moves, and the stream says so."""
        return [effect for _ in range(count) for effect in self.frame(self.move())]

    def depth(self, *, asked_ns: int | None = None) -> Depth:
        """A snapshot of the venue's book."""
        bids, asks = sorted(self.truth.bids.items(), reverse=True), sorted(self.truth.asks.items())
        return Depth(self.truth.update_id, bids, asks, 100, self.now if asked_ns is None else asked_ns, self.now)

    def snap(self, depth: Depth | None = None, *, is_audit: bool = False) -> list[steps.Effect]:
        """A snapshot has come: of now, unless another one is given."""
        return self.tell(steps.Snapped(depth or self.depth(), is_audit))

    def look(self, bid: float = 1.0) -> list[steps.Effect]:
        """A second passes, and a poll shows this best bid."""
        quote = Quote(0, bid, 1.0, 2.0, 1.0, self.now + NS_PER_S, self.now + NS_PER_S)
        self.now += NS_PER_S
        return [*self.tell(steps.Polled(Answer("BTCUSDT", quote, None), self.now)), *self.tell(steps.Pulse())]

    def _keep(self, values: list[object], source: Source) -> None:
        for value in values:
            assert isinstance(value, ShownBook)
            assert value.source is source
            self.shown.append(value)


def polling() -> BookRig:
    """It polls, and waits for its first snapshot."""
    rig = BookRig()
    rig.look()
    return rig


def proving() -> BookRig:
    """Its stream has just come up; polling has delivered the book of 100."""
    rig = polling()
    rig.snap()
    rig.tell(STREAM, steps.StreamUp())
    return rig


def streaming() -> BookRig:
    """Serves its stream, from 101 on; no question is under way."""
    rig = proving()
    rig.look()
    rig.stream()
    rig.snap()
    rig.look()
    rig.snap()
    rig.wait(0.1)
    assert rig.lane.state is LaneState.STREAMING
    return rig


def asked(effects: list[steps.Effect]) -> list[steps.FetchDepth]:
    """The snapshots that were asked for."""
    return [effect for effect in effects if isinstance(effect, steps.FetchDepth)]
