"""When a connection is replaced, and by what its successor is proven."""

import pytest

from foxtrot.transport import rotation
from foxtrot.transport.rotation import HOUR_NS, Overlap
from foxtrot.util.clock import NS_PER_S


@pytest.mark.parametrize(("chance", "hours"), [(0.0, 22.0), (0.5, 22.5), (0.999, 22.999)])
def test_a_successor_is_due_between_22_and_23_hours(chance: float, hours: float) -> None:
    """Drawn: not all connections in the same minute."""
    assert rotation.due_ns(5, lambda: chance) == 5 + int(hours * HOUR_NS)


def test_waits_for_another_successor_double() -> None:
    """From a minute on."""
    waits, wait = [], 0
    for _ in range(4):
        wait = rotation.next_wait_ns(wait, 0, 22 * HOUR_NS, is_rushed=False)
        waits.append(wait // NS_PER_S)
    assert waits == [60, 120, 240, 480]


def test_the_last_attempts_fall_before_the_day_is_over() -> None:
    """However long the waits have grown: every minute of the last five."""
    now, wait, attempts = 22 * HOUR_NS, 0, []
    while now < 24 * HOUR_NS:
        wait = rotation.next_wait_ns(wait, 0, now, is_rushed=False)
        now += wait
        attempts.append(24 * HOUR_NS - now)
    assert sum(0 <= left <= rotation.LAST_CHANCE_NS for left in attempts) >= 3


def test_before_a_shutdown_it_is_tried_again_soon() -> None:
    """Nobody knows how long the venue waits; a minute at most."""
    waits, wait = [], 0
    for _ in range(7):
        wait = rotation.next_wait_ns(wait, 0, HOUR_NS, is_rushed=True)
        waits.append(wait // NS_PER_S)
    assert waits == [2, 4, 8, 16, 32, 60, 60]


def test_a_successor_is_proven_after_two_seconds() -> None:
    """Not before, even where nothing comes on either: the canary sees to it that this is true."""
    overlap = Overlap(0)
    assert not overlap.is_proven(2 * NS_PER_S - 1)
    assert overlap.is_proven(2 * NS_PER_S)


def test_what_the_old_one_brings_the_new_one_has_to() -> None:
    """Every stream; a single frame shows it."""
    overlap = Overlap(0)
    for stream in ("a", "b"):
        overlap.old_brought(stream, NS_PER_S)
    overlap.new_brought("a", NS_PER_S)
    assert not overlap.is_proven(20 * NS_PER_S)
    overlap.new_brought("b", 20 * NS_PER_S)
    assert overlap.is_proven(20 * NS_PER_S)


def test_what_has_just_come_may_still_be_on_its_way() -> None:
    """Half a second; more frames do not renew it."""
    overlap = Overlap(0)
    overlap.old_brought("a", 3 * NS_PER_S)
    assert overlap.is_proven(int(3.4 * NS_PER_S))
    overlap.old_brought("a", int(3.4 * NS_PER_S))
    assert not overlap.is_proven(int(3.5 * NS_PER_S))


def test_what_only_the_new_one_brings_hinders_nothing() -> None:
    """The old one may be the one that fails."""
    overlap = Overlap(0)
    overlap.new_brought("a", NS_PER_S)
    assert overlap.is_proven(2 * NS_PER_S)
