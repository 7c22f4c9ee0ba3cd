"""What polls of the best levels say of an order book that a stream keeps."""

import pytest

from foxtrot.transport.audit import FORWARD_NS, TOGETHER_NS, WINDOW_NS, Levels, Verdict
from foxtrot.transport.book_audit import SETTLE_NS, BookAudit
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

UP = 1_000 * NS_PER_S
ASKED = UP + 2 * NS_PER_S
ANSWERED = ASKED + 20 * NS_PER_MS
LATE = ANSWERED + FORWARD_NS
TOP: Levels = (1.0, 1.0, 2.0, 1.0)
OTHER: Levels = (1.5, 1.0, 2.0, 1.0)


def polled(asked_ns: int = ASKED, levels: Levels = OTHER) -> BookAudit:
    """One poll, of another quote than the book's."""
    audit = BookAudit()
    audit.begin(UP)
    audit.polled(levels, asked_ns, asked_ns + 20 * NS_PER_MS)
    return audit


def test_equal_levels_are_a_hit_without_a_frame() -> None:
    """A quiet book proves itself by them."""
    assert polled(levels=TOP).judge(0, TOP, ANSWERED) == [Verdict.HIT]


def test_a_frame_at_about_that_time_is_a_hit() -> None:
    """Quotes come and go between two frames: they need not have stood on it."""
    assert polled().judge(ASKED - WINDOW_NS, TOP, ANSWERED) == [Verdict.HIT]
    assert polled().judge(ASKED - WINDOW_NS - 1, TOP, ANSWERED) == []


def test_neither_is_a_miss_in_time() -> None:
    """A frame may be under way for so long."""
    audit = polled()
    assert audit.judge(0, TOP, LATE - 1) == []
    assert not audit.is_calm
    assert audit.judge(0, TOP, LATE) == [Verdict.MISS]
    assert audit.is_calm
    assert audit.misses == 1


def test_without_a_book_there_is_no_verdict() -> None:
    """It waits for its snapshot."""
    audit = polled()
    assert audit.judge(0, None, LATE) == []
    assert audit.is_calm


@pytest.mark.parametrize(("levels", "verdict"), [(TOP, Verdict.HIT), (OTHER, Verdict.MISS)])
def test_a_poll_of_before_the_snapshot_has_no_verdict(levels: Levels, verdict: Verdict) -> None:
    """The book has its levels from REST, as the poll has."""
    for based_ns, expected in ((ASKED - TOGETHER_NS + 1, []), (ASKED - TOGETHER_NS, [verdict])):
        audit = polled(levels=levels)
        audit.based(based_ns)
        assert audit.judge(0, TOP, LATE) == expected
        assert audit.is_calm


def test_polls_together_are_one_miss() -> None:
    """They look at one moment of the venue."""
    audit = polled()
    audit.polled(OTHER, ASKED + 100 * NS_PER_MS, ANSWERED + 100 * NS_PER_MS)
    audit.polled(OTHER, ASKED + 300 * NS_PER_MS, ANSWERED + 300 * NS_PER_MS)
    assert audit.judge(0, TOP, LATE + NS_PER_S) == [Verdict.MISS, Verdict.MISS]


@pytest.mark.parametrize(("since_ns", "count"), [(SETTLE_NS - 1, 0), (SETTLE_NS, 1)])
def test_polls_of_before_the_subscription_say_nothing(since_ns: int, count: int) -> None:
    """It may take a second to come into force."""
    assert len(polled(UP + since_ns).judge(0, TOP, LATE)) == count


def test_a_stall_gives_the_stream_more_time() -> None:
    """What it brought meanwhile has not been read."""
    audit = polled()
    audit.stalled(NS_PER_S)
    assert audit.judge(0, TOP, LATE + NS_PER_S - 1) == []
    assert audit.judge(0, TOP, LATE + NS_PER_S) == [Verdict.MISS]


def test_another_stream_begins_anew() -> None:
    """Nothing of the older one is held against it; without one polls are ignored."""
    audit = polled()
    audit.judge(0, TOP, LATE)
    audit.polled(OTHER, LATE, LATE)
    audit.begin(LATE)
    assert (audit.misses, audit.is_calm) == (0, True)
    audit.end()
    audit.polled(OTHER, LATE + 9 * NS_PER_S, LATE + 9 * NS_PER_S)
    assert audit.is_calm
