"""A price-time matching engine for one symbol."""

from dataclasses import dataclass

from foxtrot.sandbox.level_book import LevelBook, Side


@dataclass(slots=True)
class Order:
    """A limit order; ``owner`` names who sent it, ``remaining`` what is not traded yet."""

    order_id: int
    owner: str
    is_buy: bool
    price: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade between a resting order (maker) and an incoming one (taker), at the maker's price."""

    price: int
    size: int
    buy_order_id: int
    sell_order_id: int
    buyer: str
    seller: str
    is_buyer_maker: bool


class MatchingEngine:
    """Matches orders first by price, then by arrival, and keeps ``book`` in step. Never leaves the book crossed."""

    def __init__(self, book: LevelBook) -> None:
        self.book = book
        self.orders: dict[int, Order] = {}
        self._queues: dict[tuple[bool, int], dict[int, Order]] = {}
        self._last_order_id = 0

    def submit(self, owner: str, *, is_buy: bool, price: int, size: int, rests: bool = True) -> tuple[int, list[Fill]]:
        """Matches an order and, if ``rests``, books what is left of it. Returns its id and its fills, in order."""
        if price <= 0 or size <= 0:
            raise ValueError(f"price and size are positive; found {price} and {size}")
        self._last_order_id += 1
        order = Order(self._last_order_id, owner, is_buy, price, size)
        fills = self._match(order)
        if order.remaining and rests:
            self.orders[order.order_id] = order
            self._queues.setdefault((is_buy, price), {})[order.order_id] = order
            side = self.book.bids if is_buy else self.book.asks
            self.book.set_level(is_bid=is_buy, price=price, size=side.sizes.get(price, 0) + order.remaining)
        return order.order_id, fills

    def cancel(self, order_id: int) -> bool:
        """Takes a resting order out; False when it does not rest (any more)."""
        order = self.orders.pop(order_id, None)
        if order is None:
            return False
        self._remove_from_queue(order)
        side = self.book.bids if order.is_buy else self.book.asks
        self.book.set_level(is_bid=order.is_buy, price=order.price, size=side.sizes[order.price] - order.remaining)
        return True

    def queue(self, *, is_buy: bool, price: int) -> list[int]:
        """The ids that rest at a price, first come first."""
        return list(self._queues.get((is_buy, price), ()))

    def _match(self, taker: Order) -> list[Fill]:
        fills: list[Fill] = []
        opposite = self.book.asks if taker.is_buy else self.book.bids
        while taker.remaining and _is_marketable(taker, opposite):
            self._match_level(taker, opposite, fills)
        return fills

    def _match_level(self, taker: Order, opposite: Side, fills: list[Fill]) -> None:
        price, level_size = opposite.best()
        before = taker.remaining
        for maker in list(self._queues[not taker.is_buy, price].values()):
            size = min(maker.remaining, taker.remaining)
            maker.remaining -= size
            taker.remaining -= size
            buy, sell = (taker, maker) if taker.is_buy else (maker, taker)
            fills.append(Fill(price, size, buy.order_id, sell.order_id, buy.owner, sell.owner, maker.is_buy))
            if not maker.remaining:
                del self.orders[maker.order_id]
                self._remove_from_queue(maker)
            if not taker.remaining:
                break
        self.book.set_level(is_bid=not taker.is_buy, price=price, size=level_size - (before - taker.remaining))

    def _remove_from_queue(self, order: Order) -> None:
        queue = self._queues[order.is_buy, order.price]
        del queue[order.order_id]
        if not queue:
            del self._queues[order.is_buy, order.price]


def _is_marketable(taker: Order, opposite: Side) -> bool:
    price, size = opposite.best()
    return bool(size) and (taker.price >= price if taker.is_buy else taker.price <= price)
