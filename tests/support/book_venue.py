"""A venue with one order book: it remembers every state, and sends what changed, of all levels or of its best N only."""

from foxtrot.transport.base import Depth, Diff, Level

Side = dict[float, float]


def best_first(side: Side, *, is_bid: bool) -> list[Level]:
    """The levels of a side as a venue shows them."""
    return sorted(side.items(), reverse=is_bid)


class BookVenue:
    """Bids stand below ``middle``, asks from there on, in whole ticks. Each changed level takes the next update id.

    ``best``: of so many levels a side it sends changes; None: of all.
    """

    def __init__(self, levels: int, best: int | None = None) -> None:
        self.middle = 10_000
        self.update_id = 100
        self.bids: Side = {float(self.middle - 1 - 2 * number): 1.0 for number in range(levels)}
        self.asks: Side = {float(self.middle + 2 * number): 1.0 for number in range(levels)}
        self._best = best
        self._sent_id = self.update_id
        self._changed: tuple[set[float], set[float]] = (set(), set())
        self._past: dict[int, tuple[Side, Side]] = {}
        self._remember()

    def set_level(self, *, is_bid: bool, distance: int, size: float) -> None:
        """A level so far from the middle changes to a size; 0 removes it."""
        self._put(is_bid, float(self.middle - 1 - distance if is_bid else self.middle + distance), size)
        self._remember()

    def move(self, ticks: int) -> None:
        """The middle moves: whatever it passes is gone. What it leaves behind stays."""
        self.middle += ticks
        for is_bid, side in ((True, self.bids), (False, self.asks)):
            for price in [price for price in side if (price >= self.middle) == is_bid]:
                self._put(is_bid, price, 0.0)
        self._remember()

    def frame(self, received_ns: int = 0) -> Diff | None:
        """What changed since the last frame; None for nothing."""
        if self.update_id == self._sent_id:
            return None
        first_id, self._sent_id = self._sent_id + 1, self.update_id
        bids, asks = self._changes(is_bid=True), self._changes(is_bid=False)
        self._changed = (set(), set())
        return Diff(first_id, self.update_id, bids, asks, received_ns)

    def snapshot(self, limit: int, ago: int = 0, received_ns: int = 0) -> Depth:
        """The best levels as they are, or as they were so many changes ago."""
        update_id = list(self._past)[-1 - min(ago, len(self._past) - 1)]
        bids, asks = self._past[update_id]
        return Depth(
            update_id,
            best_first(bids, is_bid=True)[:limit],
            best_first(asks, is_bid=False)[:limit],
            limit,
            received_ns,
            received_ns,
        )

    def at(self, update_id: int) -> tuple[Side, Side]:
        """Bids and asks as they were."""
        return self._past[update_id]

    def _put(self, is_bid: bool, price: float, size: float) -> None:
        side = self.bids if is_bid else self.asks
        self.update_id += 1
        self._changed[0 if is_bid else 1].add(price)
        if size:
            side[price] = size
        else:
            side.pop(price, None)

    def _changes(self, *, is_bid: bool) -> list[Level]:
        side = self.bids if is_bid else self.asks
        changes = [(price, side.get(price, 0.0)) for price in sorted(self._changed[0 if is_bid else 1], reverse=is_bid)]
        if self._best is None or len(side) < self._best:
            return changes
        worst = best_first(side, is_bid=is_bid)[self._best - 1][0]
        return [change for change in changes if (change[0] >= worst if is_bid else change[0] <= worst)]

    def _remember(self) -> None:
        self._past[self.update_id] = (dict(self.bids), dict(self.asks))
