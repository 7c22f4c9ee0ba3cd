"""The replica: the original as it was, some time ago, exactly."""

from foxtrot.sandbox.amounts import UNIT
from foxtrot.sandbox.figures import day_figures
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.listings import foreign_listing
from foxtrot.sandbox.replica import Replica
from foxtrot.sandbox.tape import Tape

START_US = 1_723_161_600_000_000


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = START_US

    def __call__(self) -> int:
        return self.us


def original() -> Instrument:
    instrument = Instrument(foreign_listing("BTCUSDT"), LevelBook(), Tape())
    instrument.book.set_level(is_bid=True, price=100 * UNIT, size=UNIT)
    instrument.book.set_level(is_bid=False, price=101 * UNIT, size=UNIT)
    return instrument


def test_follows_at_a_distance() -> None:
    """Levels, trades and aggregates come when the distance has passed, and the figures are those of then."""
    source, now = original(), Now()
    replica = Replica(source, now)
    now.us += 1_000
    source.book.set_level(is_bid=True, price=100 * UNIT, size=5 * UNIT)
    source.tape.add(100 * UNIT, UNIT, now.us, is_buyer_maker=True)
    source.tape.close_agg()
    before = replica.follow(now.us - 1)
    assert (before.update_id, before.tape.next_id) == (2, 1)
    after = replica.follow(now.us)
    assert after.top() == source.top()
    assert (after.update_id, after.tape.next_id, after.tape.next_agg_id) == (3, 2, 2)
    assert day_figures(after.tape, after.tape.day, now.us).volume == UNIT


def test_follows_quotes_and_recorded_ids() -> None:
    """A recording's newer quotes are followed, too, and the ids it brings."""
    source, now = original(), Now()
    replica = Replica(source, now)
    now.us += 10
    source.quote = (9, (99 * UNIT, UNIT, 102 * UNIT, UNIT))
    replica.note_quote()
    source.tape.restart_ids(500)
    source.tape.add(UNIT, UNIT, now.us, is_buyer_maker=False)
    assert replica.follow(now.us - 1).update_id == 2
    found = replica.follow(now.us)
    assert (found.update_id, found.top()[0], found.tape.first_id) == (9, 99 * UNIT, 500)


def test_lets_go() -> None:
    """A replica that let go notes nothing more."""
    source, now = original(), Now()
    replica = Replica(source, now)
    replica.let_go()
    source.book.set_level(is_bid=True, price=100 * UNIT, size=9 * UNIT)
    assert replica.follow(now.us).top()[1] == UNIT
