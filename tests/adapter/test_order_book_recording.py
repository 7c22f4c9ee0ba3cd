"""Ten real minutes of ETHUSDT: the book agrees with the quotes' own stream, whole and cut twenty times."""

import random

import pytest

from foxtrot.adapter.binance.book_reach import BookReach
from foxtrot.adapter.binance.order_book import OrderBook
from foxtrot.transport.base import Depth
from foxtrot.transport.book import Fit
from tests.support.recorded_book import RecordedBook, recorded_book
from tests.support.recorded_quotes import FILES

pytestmark = [
    pytest.mark.recording,
    pytest.mark.skipif(not FILES[0].exists(), reason="the recorded frames (../shared/data) are not beside this checkout"),
]

LAST_ID = 35346924199


@pytest.fixture(scope="module")
def recorded() -> RecordedBook:
    """Read once."""
    return recorded_book()


def empty(reach: BookReach | None = None) -> OrderBook:
    """A book of the recorded symbol."""
    return OrderBook("ETHUSDT", "BINANCE", reach or BookReach())


def test_the_best_levels_are_the_quotes_wherever_both_speak_of_one_update(recorded: RecordedBook) -> None:
    """Price and size of both sides: 1,056 of 1,056; the last top is the recorded one."""
    book, equal, compared = empty(), 0, 0
    book.load(recorded.snapshot)
    for diff in recorded.diffs:
        assert book.apply(diff) is (Fit.OLD if diff.last_id <= recorded.snapshot.update_id else Fit.NEXT)
        if diff.last_id > recorded.snapshot.update_id and diff.last_id in recorded.tops:
            compared += 1
            equal += book.top == recorded.tops[diff.last_id]
    assert (equal, compared) == (1_056, 1_056)
    assert (book.update_id, book.top[0], book.top[2]) == (LAST_ID, 2677.60, 2677.61)
    assert not book.is_narrow


class Truth:
    """The venue's book in its simplest form, from the whole recording: plain dicts, nothing cut, nothing pruned."""

    def __init__(self, recorded: RecordedBook) -> None:
        self._bids, self._asks = dict(recorded.snapshot.bids), dict(recorded.snapshot.asks)
        self._recorded = recorded
        self._next = 0

    def snapshot(self, number: int, limit: int) -> Depth:
        """What REST would have answered after the diff of this number; numbers never go back by more than they must."""
        for diff in self._recorded.diffs[self._next : number + 1]:
            for side, changes in ((self._bids, diff.bids), (self._asks, diff.asks)):
                side.update(changes)
        self._next = max(self._next, number + 1)
        last = self._recorded.diffs[number]
        bids, asks = ([level for level in side.items() if level[1]] for side in (self._bids, self._asks))
        return Depth(
            last.last_id, sorted(bids, reverse=True)[:limit], sorted(asks)[:limit], limit, last.received_ns, last.received_ns
        )


def test_a_stream_that_is_cut_twenty_times_leaves_the_same_book(recorded: RecordedBook) -> None:
    """Frames lost, a snapshot that is too old, one amid the frames since: equal again, and never wrong between."""
    rng = random.Random(5)
    first = next(number for number, diff in enumerate(recorded.diffs) if diff.last_id > recorded.snapshot.update_id)
    truth, book, asked = Truth(recorded), empty(), list[int]()
    cuts = set(rng.sample(range(first + 100, len(recorded.diffs) - 200, 200), 20))
    equal = down = number = 0
    book.load(recorded.snapshot)
    while number < len(recorded.diffs):
        if number in cuts:
            book.clear()
            back = number + rng.randrange(1, 40)
            too_old = truth.snapshot(back - 2, book.limit)
            book.load(too_old)
            assert book.apply(recorded.diffs[back]) is Fit.GAP
            amid, last = back + rng.randrange(5), back + 8
            asked.append(book.limit)
            book.load(truth.snapshot(amid, book.limit))
            down += sum(diff.last_id in recorded.tops for diff in recorded.diffs[number:last])
            for diff in recorded.diffs[back:last]:
                assert book.apply(diff) is (Fit.NEXT if diff.last_id > recorded.diffs[amid].last_id else Fit.OLD)
            number = last
        diff = recorded.diffs[number]
        if book.apply(diff) is Fit.NEXT and diff.last_id in recorded.tops:
            assert book.top == recorded.tops[diff.last_id]
            equal += 1
        if book.is_narrow:
            asked.append(book.limit)
            book.load(truth.snapshot(number, book.limit))
        number += 1
    assert (equal, down) == (984, 72)  # 1,056 in all; 72 fell into the cuts, when there was no book
    assert (book.update_id, book.top[0], book.top[2]) == (LAST_ID, 2677.60, 2677.61)
    assert set(asked) == {100, 500}


@pytest.mark.parametrize("kept", [1_200, 1_000])
def test_kept_for_ten_minutes_it_equals_the_unpruned_book_where_it_is_known(recorded: RecordedBook, kept: int) -> None:
    """Every level within the range, at the end; the price has fallen, so of the asks the worst were let go."""
    truth, book = Truth(recorded).snapshot(len(recorded.diffs) - 1, 100_000), empty(BookReach(20, kept))
    book.load(recorded.snapshot)
    for diff in recorded.diffs:
        book.apply(diff)
    low, high = book.known
    assert list(book.bids) == [level for level in truth.bids if level[0] >= low]
    assert list(book.asks) == [level for level in truth.asks if level[0] <= high]
    assert len(book.bids) > 400
    assert kept * 3 / 4 < len(book.asks) < kept
