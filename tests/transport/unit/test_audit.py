"""What polls say of a stream: hits, misses, lag."""

import pytest

from foxtrot.transport.audit import (
    AGAIN_NS,
    CAPACITY,
    FORWARD_NS,
    ID_FORWARD_NS,
    KEPT_NS,
    LATE_NS,
    QUIET_NS,
    SETTLE_NS,
    TIMELY_TO_ONE,
    TOGETHER_NS,
    WINDOW_NS,
    IdAudit,
    Lateness,
    Levels,
    QuoteAudit,
    Verdict,
)
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

UP = 100 * NS_PER_S
TRIP_NS = 50 * NS_PER_MS
HIT, MISS = Verdict.HIT, Verdict.MISS


def quote(number: int) -> Levels:
    return (float(number), 1.0, number + 1.0, 1.0)


class Polled:
    """An audit whose clock is seconds after the stream came up; stream and polls say numbers instead of quotes."""

    def __init__(self) -> None:
        self.audit = QuoteAudit()
        self.audit.begin(UP)

    def stream(self, at: float, *numbers: int) -> None:
        for number in numbers:
            self.audit.note((UP + int(at * NS_PER_S), quote(number)))

    def poll(self, at: float, number: int, took_ns: int = TRIP_NS) -> None:
        asked = UP + int(at * NS_PER_S)
        self.audit.polled(quote(number), asked, asked + took_ns)

    def look(self, at: float) -> list[Verdict]:
        return self.audit.verdicts(UP + int(at * NS_PER_S))

    def lateness(self, at: float) -> Lateness:
        return self.audit.lateness(UP + int(at * NS_PER_S))


@pytest.fixture
def known() -> Polled:
    """A stream that brought quote 1 at second 0, judged from second 2 on."""
    polled = Polled()
    polled.stream(0, 1)
    return polled


# --- hits and misses --------------------------------------------------------------------------------------------------------


def test_a_quote_that_stands_on_the_stream_is_a_hit(known: Polled) -> None:
    """At once, and told once."""
    known.poll(2, 1)
    assert known.look(2.05) == [HIT]
    assert known.look(2.15) == []
    assert (known.audit.hits, known.audit.misses) == (1, 0)


def test_a_replica_may_trail_by_the_window(known: Polled) -> None:
    """A quote that left the stream up to 1 s before the question is a hit; before that it is a miss."""
    known.stream(5, 2)
    known.poll(5 + WINDOW_NS / NS_PER_S, 1)
    assert known.look(7) == [HIT]
    known.poll(7.001, 1)
    assert known.look(9) == [MISS]


def test_a_stream_may_bring_the_quote_after_the_answer(known: Polled) -> None:
    """Until then the poll says nothing."""
    known.poll(2, 2, took_ns=0)
    assert known.look(2 + (FORWARD_NS - 1) / NS_PER_S) == []
    known.stream(2 + FORWARD_NS / NS_PER_S, 2)
    assert known.look(3) == [HIT]


def test_a_quote_that_comes_too_late_is_a_miss(known: Polled) -> None:
    """Known as soon as its time is over, whatever follows."""
    known.poll(2, 2, took_ns=0)
    assert known.look(2 + FORWARD_NS / NS_PER_S) == [MISS]
    known.stream(2.6, 2)
    assert known.look(3) == []
    assert (known.audit.hits, known.audit.misses) == (0, 1)


def test_after_a_miss_there_is_less_time(known: Polled) -> None:
    """The second miss running is known 250 ms after its answer."""
    known.poll(2, 2, took_ns=0)
    known.look(2.9)
    known.poll(3, 2, took_ns=0)
    assert known.look(3 + (AGAIN_NS - 1) / NS_PER_S) == []
    assert known.look(3 + AGAIN_NS / NS_PER_S) == [MISS]
    assert known.audit.misses == 2


def test_a_hit_ends_the_misses_and_a_miss_the_hits(known: Polled) -> None:
    """Both count what runs; the totals go on."""
    for at, number in ((2, 1), (3, 1), (4, 2), (5, 2), (6, 1)):
        known.poll(at, number)
        known.look(at + 0.9)
    assert (known.audit.hits, known.audit.misses) == (1, 0)
    assert (known.audit.total_hits, known.audit.total_misses) == (3, 2)


def test_polls_of_one_moment_miss_together(known: Polled) -> None:
    """Two asked within 250 ms are one miss, a third asked later is another."""
    for at in (2.0, 2.1, 2.0 + TOGETHER_NS / NS_PER_S):
        known.poll(at, 2)
    assert known.look(4) == [MISS, MISS]
    assert known.audit.misses == 2


def test_verdicts_come_in_the_order_of_asking(known: Polled) -> None:
    """A later poll waits for the one before it, even if that was answered last."""
    known.poll(2.3, 1)
    known.poll(2.0, 2, took_ns=NS_PER_S // 2)
    assert known.look(2.6) == []
    assert known.look(3) == [MISS, HIT]


def test_a_quote_of_no_duration_counts(known: Polled) -> None:
    """Frames read together share one instant; each of them has stood."""
    known.stream(2, 2, 3, 4)
    known.poll(2, 3)
    assert known.look(2.1) == [HIT]


# --- what is not known ------------------------------------------------------------------------------------------------------


def test_no_stream_no_verdict() -> None:
    """Polls are ignored before the stream is up, and again after its end."""
    polled = Polled()
    idle = QuoteAudit()
    idle.polled(quote(1), UP, UP)
    polled.audit.end()
    polled.poll(2, 1)
    polled.poll(3, 2)
    assert idle.verdicts(2 * UP) == polled.look(9) == []


def test_a_poll_asked_before_the_stream_was_up_says_nothing() -> None:
    """Even if it is answered later."""
    polled = Polled()
    polled.stream(0.1, 2)
    polled.poll(-0.1, 1, took_ns=2 * NS_PER_S)
    assert polled.look(9) == []


def test_what_stood_before_the_first_frame_is_not_known() -> None:
    """A poll that may have seen it is no miss, but may be a hit."""
    polled = Polled()
    polled.stream(0.5, 2)
    polled.poll(0.6, 1)
    polled.poll(1.0, 2)
    polled.poll(1.4, 1)
    polled.poll(1.6, 1)
    assert polled.look(4) == [HIT, MISS]


def test_a_quiet_stream_earns_hits_without_a_frame() -> None:
    """The first poll after a second says where it stands; the next ones that say the same are hits."""
    polled = Polled()
    for at in (0.2, 1.2, 2.2, 3.2):
        polled.poll(at, 1)
    assert polled.look(3.3) == [HIT, HIT]


def test_a_silent_stream_whose_quote_changes_misses() -> None:
    """It never brought a frame, and is found out."""
    polled = Polled()
    for at, number in ((1.2, 1), (2.2, 2), (3.2, 2)):
        polled.poll(at, number)
        polled.look(at + 0.8)
    assert polled.audit.misses == 2


def test_polls_before_the_baseline_are_not_judged_by_it() -> None:
    """One quote that was polled says nothing of another."""
    polled = Polled()
    polled.poll(SETTLE_NS / NS_PER_S - 0.1, 1)
    polled.poll(SETTLE_NS / NS_PER_S, 1)
    assert polled.look(1.9) == []


def test_polls_of_the_baselines_moment_are_not_judged_by_it() -> None:
    """Agreeing with oneself is no proof."""
    polled = Polled()
    polled.poll(1, 1)
    polled.poll(1.2, 1)
    assert polled.look(1.9) == []


def test_nothing_ever_heard_is_no_verdict() -> None:
    """A poll asked at once, of a stream that brings nothing."""
    polled = Polled()
    polled.poll(0.1, 1)
    assert polled.look(1.5) == []


def test_a_new_stream_starts_from_nothing(known: Polled) -> None:
    """Neither the verdicts nor the quotes of an older one count."""
    known.poll(2, 1)
    known.poll(3, 2)
    known.look(5)
    known.audit.begin(UP + 6 * NS_PER_S)
    known.poll(6.5, 1)
    assert known.look(8) == []
    audit = known.audit
    assert (audit.hits, audit.misses, audit.total_hits, audit.total_misses) == (0, 0, 0, 0)
    assert audit.lag_bounds == (None, None)


def test_a_new_stream_has_nothing_of_an_older_one_to_settle(known: Polled) -> None:
    """Polls that were not judged yet are dropped, late hits forgiven, hits not settled any more."""
    hit_with_lag(known, 5, 0.3)
    known.stream(6.38, 20)
    known.poll(6.40, 20, took_ns=0)
    assert known.look(6.41) == [HIT]
    known.poll(6.42, 30)
    known.audit.begin(UP + 6_500 * NS_PER_MS)
    known.stream(6.55, 20, 30, 40)
    assert known.look(9) == []
    assert known.audit.lag_bounds == (None, None)
    assert known.lateness(9) is Lateness.OPEN


def test_what_was_polled_stands_from_its_own_moment() -> None:
    """The baseline judges what was asked three quarters of a second later or more: that cannot have seen what stood before."""
    for asked, verdicts in ((1.74, []), (1.75, [MISS])):
        polled = Polled()
        polled.poll(1, 1)
        polled.poll(asked, 2)
        assert polled.look(4) == verdicts


def test_a_window_that_begins_with_the_first_frame_is_known(known: Polled) -> None:
    """To the nanosecond."""
    known.poll(WINDOW_NS / NS_PER_S, 2)
    assert known.look(3) == [MISS]


def test_a_stream_too_fast_to_be_kept_whole_does_not_miss(known: Polled) -> None:
    """Its quotes are bounded: what was dropped may have been the polled one. What is left still hits."""
    for number in range(2 * CAPACITY):
        known.stream(1.5 + number / 2 / CAPACITY, 10 + number)
    known.poll(2, 5)
    known.poll(2.4, 9 + 2 * CAPACITY)
    assert known.look(4) == [HIT]
    assert known.audit.lag_ns is None  # what was dropped may have shown it before


def test_quotes_are_bounded_without_polls(known: Polled) -> None:
    """Nobody needs to look."""
    known.stream(1, *range(3 * CAPACITY))
    assert len(known.audit._history) == CAPACITY


def test_old_quotes_are_let_go(known: Polled) -> None:
    """Kept is what stood at the start of the next poll's window, and what came since."""
    for number in range(10):
        known.stream(number, number)
    known.look(9.5)
    kept = [at for at, _ in known.audit._history]
    assert kept[0] <= UP + 9.5 * NS_PER_S - KEPT_NS < kept[1]


def test_a_poll_that_took_long_is_judged_by_its_own_window(known: Polled) -> None:
    """Asked at 2, answered at 3.9: what stood from 1 to 4.35 counts."""
    for number in range(2, 6):
        known.stream(number - 0.5, number)
    known.look(3.8)
    known.poll(2, 1, took_ns=1_900 * NS_PER_MS)
    known.poll(2.6, 9, took_ns=1_300 * NS_PER_MS)
    assert known.look(6) == [HIT, MISS]


def test_what_a_waiting_poll_needs_is_kept(known: Polled) -> None:
    """Longer than for the next one."""
    for number in range(2, 6):
        known.stream(number - 0.5, number)
    known.poll(2, 9, took_ns=2_400 * NS_PER_MS)
    assert known.look(4.5) == []
    assert known.look(5) == [MISS]


# --- lag --------------------------------------------------------------------------------------------------------------------


def test_a_hit_bounds_the_lag(known: Polled) -> None:
    """From when the quote came minus the answer, to when it went minus the question."""
    known.stream(5.2, 2)
    known.stream(5.3, 3)
    known.poll(5.0, 2)
    assert known.look(5.3) == [HIT]
    assert known.audit.lag_ns == 150 * NS_PER_MS
    known.look(5.06 + WINDOW_NS / NS_PER_S)
    assert known.audit.lag_bounds == (150 * NS_PER_MS, 300 * NS_PER_MS)


def test_a_quote_that_stands_on_bounds_nothing_from_above(known: Polled) -> None:
    """It may go at any time."""
    known.stream(5.0, 2)
    known.poll(5.5, 2)
    known.look(9)
    assert known.audit.lag_bounds == (-550 * NS_PER_MS, None)


def test_a_quote_that_came_twice_bounds_by_its_hull(known: Polled) -> None:
    """It is not known which of the two the poll saw: from the first coming to the last going."""
    for at, number in ((4.8, 2), (4.9, 3), (5.2, 2), (5.3, 4)):
        known.stream(at, number)
    known.poll(5.0, 2)
    known.look(9)
    assert known.audit.lag_bounds == (-250 * NS_PER_MS, 300 * NS_PER_MS)


def test_the_lag_is_the_overlaps_lower_end(known: Polled) -> None:
    """The largest of the lower ends of the last 30 hits."""
    for second in range(40):
        at = 5.0 + second
        known.stream(at + (0.2 if second == 5 else 0.0), 100 + second)
        known.poll(at, 100 + second)
        known.look(at + 0.9)
        expected = 150 if 5 <= second < 35 else -50
        assert known.audit.lag_ns == expected * NS_PER_MS


def test_a_quote_from_before_the_stream_allows_no_statement() -> None:
    """When it came is not known, neither of a baseline nor of what stood before the first frame."""
    polled = Polled()
    for at in (1, 2, 3):
        polled.poll(at, 1)
    assert polled.look(3.1) == [HIT, HIT]
    assert polled.audit.lag_ns is None


def test_a_first_frame_that_may_be_a_return_allows_no_statement() -> None:
    """Within a window of it the same quote may have stood before."""
    polled = Polled()
    polled.stream(1.4, 1)
    polled.poll(1.2, 1)
    polled.look(1.5)
    assert polled.audit.lag_ns is None


# --- lateness ---------------------------------------------------------------------------------------------------------------


def hit_with_lag(polled: Polled, at: int, late: float) -> None:
    """A quote that stood for 10 ms, polled in the middle of them and brought so much later."""
    polled.stream(at + late, 2 * at)
    polled.stream(at + late + 0.01, 2 * at + 1)
    polled.poll(at + 0.005, 2 * at, took_ns=0)
    polled.look(at + 0.99)


def test_a_moving_stream_is_open_until_its_hits_tell(known: Polled) -> None:
    """A hit on a quote that stood for long tells neither way."""
    known.stream(1, 2)
    known.stream(2, 3)
    known.poll(1.5, 2)
    known.look(3)
    assert known.lateness(3) is Lateness.OPEN


def test_one_narrow_hit_shows_a_stream_in_time(known: Polled) -> None:
    """The quote went less than 250 ms after the question; that it does not come again is known a second later."""
    hit_with_lag(known, 5, 0.1)
    known.stream(5.9, 50)
    assert known.lateness(5.99) is Lateness.OPEN
    known.look(6.1)
    assert known.lateness(6.1) is Lateness.TIMELY
    assert known.audit.lateness(UP + 6 * NS_PER_S, timely=2) is Lateness.OPEN


def test_one_narrow_hit_shows_a_stream_late(known: Polled) -> None:
    """The quote came 250 ms or more after the answer."""
    hit_with_lag(known, 5, 0.005 + LATE_NS / NS_PER_S)
    assert known.lateness(6) is Lateness.LATE


def test_a_quote_that_returns_to_a_late_stream_shows_nothing_in_time(known: Polled) -> None:
    """The poll at 5.0 saw the second coming, which the stream brings 0.5 s late: the first one's going proves nothing."""
    for at, number in ((4.7, 2), (5.1, 3), (5.47, 2), (5.6, 3)):
        known.stream(at, number)
    known.poll(5.0, 2)
    known.look(7)
    assert known.lateness(7) is Lateness.OPEN


def test_a_hiccup_is_outweighed(known: Polled) -> None:
    """Ten hits in time, and thirty since it."""
    hit_with_lag(known, 5, 0.3)
    for at in range(6, 36):
        assert known.lateness(at) is Lateness.LATE
        hit_with_lag(known, at, 0.05)
    known.look(37)
    assert known.audit._timely >= TIMELY_TO_ONE
    assert known.lateness(37) is Lateness.TIMELY


def test_late_hits_weigh_on_when_they_are_no_longer_among_the_last(known: Polled) -> None:
    """A replica that never trails may be met seldom: one late hit in eight stays late."""
    for at in range(5, 85):
        hit_with_lag(known, at, 0.005 + LATE_NS / NS_PER_S if at < 15 else 0.05)
    known.look(86)
    assert known.audit.lag_ns is not None
    assert known.audit.lag_ns < LATE_NS
    assert known.lateness(86) is Lateness.LATE


def test_a_stream_that_seldom_moves_is_quiet(known: Polled) -> None:
    """With one frame since it came up: after three times 3 s."""
    quiet = 3 * QUIET_NS / NS_PER_S
    assert known.lateness(quiet - 0.1) is Lateness.OPEN
    assert known.lateness(quiet) is Lateness.QUIET


def test_a_baseline_is_no_frame_and_trimmed_frames_are() -> None:
    """A stream that brought nothing is quiet after 6 s; one that brought 40 is not after 40."""
    silent, moving = Polled(), Polled()
    for at in range(1, 7):
        silent.poll(at, 1)
        silent.look(at + 0.5)
    for at in range(40):
        moving.stream(at, at)
        moving.look(at)
    assert (silent.lateness(5.9), silent.lateness(6.0)) == (Lateness.OPEN, Lateness.QUIET)
    assert moving.lateness(41) is Lateness.OPEN


# --- trade ids --------------------------------------------------------------------------------------------------------------


class PolledIds:
    """The same for trade ids; the cursor stood at 100."""

    def __init__(self) -> None:
        self.audit = IdAudit()
        self.audit.begin(UP, 100)

    def heard(self, at: float, trade_id: int) -> None:
        self.audit.heard(trade_id, UP + int(at * NS_PER_S))

    def poll(self, at: float, last_id: int, took_ns: int = TRIP_NS) -> None:
        asked = UP + int(at * NS_PER_S)
        self.audit.polled(last_id, asked, asked + took_ns)

    def look(self, at: float) -> list[Verdict]:
        return self.audit.verdicts(UP + int(at * NS_PER_S))


def test_a_trade_that_the_stream_has_brought_is_a_hit() -> None:
    """At or below its newest."""
    ids = PolledIds()
    ids.heard(0.1, 105)
    ids.poll(0.2, 105)
    ids.poll(1.2, 104)
    assert ids.look(1.3) == [HIT, HIT]
    assert ids.audit.hits == 2


def test_a_trade_may_come_a_second_after_the_answer() -> None:
    """Then it is a hit."""
    ids = PolledIds()
    ids.heard(0.1, 105)
    ids.poll(1, 106, took_ns=0)
    assert ids.look(1 + ID_FORWARD_NS / NS_PER_S) == []
    ids.heard(1 + ID_FORWARD_NS / NS_PER_S, 106)
    assert ids.look(3) == [HIT]


def test_a_trade_that_comes_later_does_not_count() -> None:
    """Even if nobody looked in between."""
    ids = PolledIds()
    ids.heard(0.1, 105)
    ids.poll(1, 106, took_ns=0)
    ids.heard(1.001 + ID_FORWARD_NS / NS_PER_S, 106)
    assert ids.look(3) == [MISS]


def test_a_dead_trade_stream_misses_twice() -> None:
    """Polls of one moment once, and in order."""
    ids = PolledIds()
    ids.heard(0.1, 105)
    for at in (1, 1.1, 2):
        ids.poll(at, 106)
    assert ids.look(4) == [MISS, MISS]
    assert ids.audit.misses == 2


def test_a_quiet_trade_stream_earns_hits_without_a_frame() -> None:
    """The first poll after a second tells its baseline; what was traded while the subscription came into force is not owed."""
    ids = PolledIds()
    for at, last_id in ((0.5, 101), (1.5, 103), (1.6, 104), (2.5, 103)):
        ids.poll(at, last_id)
    assert ids.look(4) == [HIT]


def test_the_cursor_is_a_baseline_too() -> None:
    """A replica behind it takes nothing back."""
    ids = PolledIds()
    ids.poll(1.5, 90)
    ids.poll(2.5, 100)
    assert ids.look(4) == [HIT]


def test_a_silent_trade_stream_is_found_out() -> None:
    """What is traded after the baseline is owed."""
    ids = PolledIds()
    for at, last_id in ((1.5, 100), (2.5, 101), (3.5, 101)):
        ids.poll(at, last_id)
    assert ids.look(6) == [MISS, MISS]


def test_a_frame_that_is_not_new_leaves_the_stream_unknown() -> None:
    """A repeat of what the cursor holds does not show that the subscription is in force."""
    ids = PolledIds()
    ids.heard(0.1, 100)
    ids.poll(1.5, 103)
    ids.poll(2.5, 103)
    assert ids.look(4) == [HIT]


def test_ids_without_a_stream_are_ignored() -> None:
    """Before it is up, asked before it was, after its end; a new one starts from nothing."""
    ids = PolledIds()
    idle = IdAudit()
    idle.polled(1, UP, UP)
    ids.heard(0.1, 105)
    ids.poll(-0.1, 999)
    assert idle.verdicts(2 * UP) == ids.look(5) == []
    ids.poll(6, 999)
    ids.audit.end()
    ids.poll(7, 999)
    assert ids.look(9) == []
    assert (ids.audit.hits, ids.audit.misses) == (0, 0)
