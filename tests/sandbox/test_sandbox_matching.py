"""Matching: price first, then time; the book stays in step and is never crossed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.matching import MatchingEngine


@pytest.fixture
def engine() -> MatchingEngine:
    return MatchingEngine(LevelBook())


def test_rests_what_nobody_takes(engine: MatchingEngine) -> None:
    """An order that meets nothing rests in the book."""
    engine.submit("a", is_buy=True, price=100, size=5)
    assert engine.book.best() == (100, 5, 0, 0)


def test_trades_at_the_price_of_the_order_that_rests(engine: MatchingEngine) -> None:
    """The maker's price is the price of the trade."""
    engine.submit("maker", is_buy=False, price=100, size=5)
    _, fills = engine.submit("taker", is_buy=True, price=120, size=3)
    assert [(fill.price, fill.size, fill.buyer, fill.seller, fill.is_buyer_maker) for fill in fills] == [
        (100, 3, "taker", "maker", False)
    ]
    assert engine.book.best() == (0, 0, 100, 2)


def test_serves_the_first_come_first(engine: MatchingEngine) -> None:
    """Among orders at one price the older trades first."""
    first, _ = engine.submit("first", is_buy=True, price=100, size=1)
    engine.submit("second", is_buy=True, price=100, size=1)
    _, fills = engine.submit("taker", is_buy=False, price=100, size=1)
    assert [fill.buy_order_id for fill in fills] == [first]


def test_takes_the_best_price_first(engine: MatchingEngine) -> None:
    """An order walks through the levels from the best on, and what is left of it rests."""
    engine.submit("far", is_buy=False, price=102, size=1)
    engine.submit("near", is_buy=False, price=101, size=1)
    _, fills = engine.submit("taker", is_buy=True, price=103, size=5)
    assert [fill.price for fill in fills] == [101, 102]
    assert engine.book.best() == (103, 3, 0, 0)


def test_forgets_what_may_not_rest(engine: MatchingEngine) -> None:
    """An order that may not rest leaves nothing behind."""
    engine.submit("taker", is_buy=True, price=100, size=5, rests=False)
    assert engine.book.best() == (0, 0, 0, 0)


def test_cancels_once(engine: MatchingEngine) -> None:
    """A cancelled order is gone, and cannot be cancelled again."""
    order_id, _ = engine.submit("a", is_buy=True, price=100, size=5)
    assert engine.cancel(order_id)
    assert not engine.cancel(order_id)
    assert engine.book.best() == (0, 0, 0, 0)


def test_lists_a_queue_in_order_of_arrival(engine: MatchingEngine) -> None:
    """The queue at a price names its orders, first come first; an empty one names none."""
    first, _ = engine.submit("a", is_buy=True, price=100, size=5)
    second, _ = engine.submit("b", is_buy=True, price=100, size=5)
    assert engine.queue(is_buy=True, price=100) == [first, second]
    assert engine.queue(is_buy=False, price=100) == []


@pytest.mark.parametrize(("price", "size"), [(0, 1), (1, 0), (-1, 1)])
def test_refuses_what_is_no_order(engine: MatchingEngine, price: int, size: int) -> None:
    """Price and size are positive."""
    with pytest.raises(ValueError, match="positive"):
        engine.submit("a", is_buy=True, price=price, size=size)


orders = st.lists(
    st.tuples(st.booleans(), st.integers(90, 110), st.integers(1, 9), st.booleans(), st.integers(0, 60)), min_size=1, max_size=80
)


@given(orders)
def test_book_is_the_sum_of_its_orders_and_never_crossed(flow: list[tuple[bool, int, int, bool, int]]) -> None:
    """Under any flow the levels equal the resting orders, bids stay below asks, nothing is lost or made, ids count changes."""
    engine = MatchingEngine(LevelBook(update_id=7))
    changes: list[int] = []
    engine.book.observer = lambda _is_bid, _price, _size, update_id: changes.append(update_id)
    for is_buy, price, size, rests, victim in flow:
        if victim in engine.orders:
            engine.cancel(victim)
        order_id, fills = engine.submit("x", is_buy=is_buy, price=price, size=size, rests=rests)
        traded = sum(fill.size for fill in fills)
        left = engine.orders[order_id].remaining if order_id in engine.orders else 0
        assert traded + left <= size
        assert traded + left == size or not rests
        bid, _, ask, _ = engine.book.best()
        assert not bid or not ask or bid < ask
    for is_buy, side in ((True, engine.book.bids), (False, engine.book.asks)):
        sums: dict[int, int] = {}
        for order in engine.orders.values():
            if order.is_buy == is_buy:
                sums[order.price] = sums.get(order.price, 0) + order.remaining
        assert side.sizes == sums
        assert side.prices == sorted(sums)
    assert changes == list(range(8, 8 + len(changes)))


@given(orders, st.integers(1, 79))
def test_diffs_on_a_snapshot_give_the_book(flow: list[tuple[bool, int, int, bool, int]], pause: int) -> None:
    """Whatever was gathered since a snapshot, laid over it, is the book; the frames' ids are without a gap."""
    book = LevelBook()
    engine = MatchingEngine(book)
    collector = book.collector()
    copy = book.copy()
    last_update_id = book.update_id
    for number, (is_buy, price, size, rests, _) in enumerate(flow):
        engine.submit("x", is_buy=is_buy, price=price, size=size, rests=rests)
        if number % pause and number + 1 < len(flow):
            continue
        diff = book.take(collector)
        if diff is None:
            assert book.update_id == last_update_id
            continue
        first, last, bids, asks = diff
        assert (first, last) == (last_update_id + 1, book.update_id)
        last_update_id = last
        for level in bids:
            copy.bids.put(*level)
        for level in asks:
            copy.asks.put(*level)
    assert (copy.bids.sizes, copy.asks.sizes) == (book.bids.sizes, book.asks.sizes)
