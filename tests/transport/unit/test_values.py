"""What a channel answers where it does not care."""

from foxtrot.transport.base import Cursor
from foxtrot.transport.values_book import BookValues
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from tests.support.fake_book import FakeBook


def test_nothing_is_known_to_be_missing_where_the_newest_value_wins() -> None:
    """So their requests press no more than others."""
    assert TickValues().missing == 0
    assert BookValues(FakeBook).missing == 0


def test_a_tick_begins_with_its_anchor_alone() -> None:
    """Nothing waits for the switch."""
    values = TickValues()
    assert not values.is_joined()
    assert values.open() == []


def test_a_book_that_stays_has_nothing_to_tell() -> None:
    """It had not been paused."""
    assert BookValues(FakeBook).resume() == []


def test_pages_of_ids_press_by_the_trades_that_are_missing() -> None:
    """As many as polls have shown."""
    values = IdValues(None)
    assert values.missing == 0
    values.start(Cursor(10, 10))
    assert values.order is not None
    values.order.polled(17, 1)
    assert values.missing == 7
