"""A whole lane that carries an order book."""

import msgspec
import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Depth, Diff, Item, Quote
from foxtrot.transport.book_audit import SETTLE_NS
from foxtrot.transport.lane import UNANSWERED_NS
from foxtrot.transport.values_book import AUDIT_AGAIN_NS, AUDIT_LIMIT, AUDIT_NS, MISFITS, PATIENCE_NS
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Source
from tests.support.book_rig import BookRig, asked, polling, proving, streaming
from tests.support.fake_book import FakeBook
from tests.support.lane_rig import KILL, POLL, SHADOW, STREAM, Rig, kinds, moved


def disagreed(effects: list[steps.Effect]) -> list[float]:
    return [effect.share for effect in effects if isinstance(effect, steps.Disagreed)]


def broken() -> BookRig:
    """Its stream serves, and has lost 102; the snapshot that it needs is under way."""
    rig = streaming()
    rig.move()
    rig.stream()
    return rig


def audited() -> tuple[BookRig, list[steps.Effect]]:
    """Ten minutes later, and what was asked for then; polls were as quiet as the book."""
    rig = streaming()
    rig.look()
    return rig, rig.wait(AUDIT_NS / NS_PER_S)


# --- polling ----------------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_the_first_poll() -> None:
    """Not even when it is switched off by hand before."""
    rig = BookRig()
    assert asked(rig.tell(STREAM, steps.Pulse(), steps.ForceOpen(), steps.Pulse())) == []
    assert asked(rig.look()) == [steps.FetchDepth(100)]


def test_a_poll_without_a_quote_begins_nothing() -> None:
    """The lane has not started: what it asked for would be told before its first state."""
    rig = BookRig()
    assert rig.tell(steps.Polled(Answer("BTCUSDT", None, None), rig.now)) == []


def test_each_beat_asks_for_one_snapshot() -> None:
    """One at a time; its answer is delivered."""
    rig = polling()
    assert asked(rig.look()) == []
    rig.snap()
    assert (rig.ids, rig.shown[0].source) == ([100], Source.POLL)
    assert rig.lane.confirmed_ns == rig.now


def test_an_answer_is_followed_by_the_question_of_the_beat_that_passed() -> None:
    """The one before took longer than a second."""
    rig = polling()
    rig.look()
    assert asked(rig.snap()) == [steps.FetchDepth(100)]
    assert asked(rig.snap()) == []


def test_an_equal_snapshot_confirms() -> None:
    """It is not told again."""
    rig = polling()
    rig.snap()
    rig.look()
    assert kinds(rig.snap()) == []
    assert rig.ids == [100]
    assert rig.lane.confirmed_ns == rig.now


def test_an_older_snapshot_says_nothing() -> None:
    """A replica behind the one that was asked before."""
    rig = polling()
    before = rig.depth()
    rig.move()
    rig.snap()
    confirmed_ns = rig.lane.confirmed_ns
    rig.look()
    rig.snap(before)
    assert rig.ids == [101]
    assert rig.lane.confirmed_ns == confirmed_ns


def test_a_snapshot_that_could_not_be_had_is_asked_for_at_the_next_beat() -> None:
    """The next beat is the retry."""
    rig = polling()
    assert asked(rig.tell(steps.Snapped(None))) == []
    assert asked(rig.wait(0.5)) == []
    assert asked(rig.look()) == [steps.FetchDepth(100)]


def test_other_answers_are_none_of_a_books() -> None:
    """Ids have pages, ticks their anchors."""
    rig = polling()
    told = (steps.Paged([], is_full=False), steps.Anchored(None), steps.Offered(Item(1, 1, 1), rig.now))
    assert rig.tell(STREAM, steps.StreamUp())
    assert rig.tell(*told) == []


# --- proof ------------------------------------------------------------------------------------------------------------------


def test_a_quiet_book_proves_itself_without_a_frame() -> None:
    """Polls show its best levels."""
    rig = proving()
    rig.look()
    rig.snap()
    effects = rig.look()
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert rig.ids == [100]


def test_a_dead_stream_fails_with_two_misses() -> None:
    """It never brought anything."""
    rig = proving()
    effects = []
    for bid in (1.0, 1.1, 1.2):
        effects += rig.look(bid)
        rig.snap()
    effects += rig.wait(0.5)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FIRST_DATA)]


def test_a_stream_that_dies_under_proof_fails_the_audit() -> None:
    """It had brought something."""
    rig = proving()
    rig.stream()
    for bid in (1.0, 1.0):
        rig.look(bid)
        rig.snap(rig.depth())
    assert rig.lane.state is LaneState.STREAMING
    rig.tell(steps.Stray())
    rig.wait(5)
    rig.tell(steps.StreamUp())
    rig.stream()
    effects = []
    for bid in (1.0, 1.1, 1.2, 1.3):
        effects += rig.look(bid)
        rig.snap()
    assert moved([*effects, *rig.wait(0.5)]) == [(LaneState.FALLBACK, Reason.AUDIT)]


def test_a_stream_gets_a_snapshot_when_its_subscription_is_in_force() -> None:
    """A second after it came up; before that the beat alone asks."""
    rig = proving()
    rig.stream(2)
    assert asked(rig.wait(SETTLE_NS / NS_PER_S - 0.1)) == []
    assert asked(rig.wait(0.1)) == [steps.FetchDepth(100)]


def test_a_hole_under_proof_is_a_gap() -> None:
    """As with ids: a stream that loses frames does not serve."""
    rig = proving()
    rig.stream()
    rig.move()
    rig.stream()
    assert not rig.lane.is_calm(rig.now)
    assert moved(rig.wait(0.1)) == [(LaneState.FALLBACK, Reason.GAP)]


def test_a_late_stream_is_refused() -> None:
    """Its frames say when they were sent."""
    rig = proving()
    for _ in range(3):
        rig.frame(rig.move(), late_ms=400)
        rig.look()
        rig.snap()
    assert rig.lane.state is LaneState.PROVING


# --- joins ------------------------------------------------------------------------------------------------------------------


def test_a_stream_does_not_serve_behind_what_was_polled() -> None:
    """It has proved itself, and joins once it stands there."""
    rig = proving()
    rig.look()
    rig.snap()
    late = [rig.move(), rig.move()]
    rig.wait(0.1)
    rig.tell(steps.Polled(Answer("BTCUSDT", None, None), rig.now))
    rig.snap()
    assert rig.ids == [100, 102]
    rig.look()
    assert rig.lane.state is LaneState.PROVING
    rig.frame(late[0])
    assert rig.lane.state is LaneState.PROVING
    assert moved(rig.frame(late[1])) == [(LaneState.STREAMING, Reason.PROOF)]
    rig.stream()
    assert rig.ids == [100, 102, 103]


def test_a_stream_ahead_of_what_was_polled_begins_with_its_own_book() -> None:
    """The newest value goes first."""
    rig = proving()
    rig.look()
    rig.snap()
    rig.stream(2)
    rig.look()
    assert rig.ids == [100, 102]
    assert rig.shown[-1].source is Source.STREAM


def test_a_quiet_book_of_a_snapshot_of_before_the_subscription_does_not_serve() -> None:
    """What changed in between, no frame would bring; one that was asked later does."""
    rig = polling()
    before = rig.depth()
    rig.tell(STREAM, steps.StreamUp())
    rig.move()
    rig.snap(before)
    rig.look()
    rig.snap()
    rig.look()
    assert rig.lane.state is LaneState.STREAMING
    assert rig.ids == [100, 101]


def test_a_snapshot_of_before_the_subscription_begins_a_book_that_frames_continue() -> None:
    """They show that the subscription was in force."""
    rig = polling()
    before = rig.depth()
    rig.tell(STREAM, steps.StreamUp())
    rig.stream()
    rig.snap(before)
    assert rig.order.book.update_id == 101


def test_a_quiet_book_of_a_replica_behind_what_was_polled_does_not_serve() -> None:
    """The stream may have begun behind that, too."""
    rig = polling()
    before = rig.depth()
    rig.move()
    rig.snap()
    rig.tell(STREAM, steps.StreamUp())
    rig.look()
    rig.snap(msgspec.structs.replace(before, asked_ns=rig.now))
    assert moved(rig.look()) == []
    assert moved(rig.snap()) == [(LaneState.STREAMING, Reason.PROOF)]
    assert rig.ids == [101]


def test_a_stream_without_a_book_waits_for_it() -> None:
    """However well it has proved itself; polling serves on."""
    rig = proving()
    rig.look()
    rig.tell(steps.Snapped(None))
    rig.stream()
    rig.look()
    rig.look()
    assert (rig.lane.state, rig.lane.serving) == (LaneState.PROVING, Serving.POLL)
    rig.snap()
    assert rig.lane.state is LaneState.STREAMING


# --- live -------------------------------------------------------------------------------------------------------------------


def test_a_serving_stream_asks_for_nothing() -> None:
    """Beats audit it."""
    rig = streaming()
    assert kinds(rig.look()) == []
    rig.stream(3)
    assert rig.ids == [100, 101, 102, 103, 104]


def test_a_frame_confirms_a_valid_book() -> None:
    """And a quiet one is confirmed by hits."""
    rig = streaming()
    rig.wait(0.5)
    rig.stream()
    assert rig.lane.status.confirmed_ns == rig.now
    rig.look()
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_hole_is_told_once_and_resynced() -> None:
    """What came behind it is replayed on the snapshot."""
    rig = streaming()
    rig.move()
    effects = rig.stream()
    assert asked(effects) == [steps.FetchDepth(100, is_resync=True)]
    assert rig.ids == [100, 101, -101]
    assert rig.lane.status.gaps == 1
    given = rig.depth()
    rig.stream(2)
    assert rig.ids[3:] == []
    rig.snap(given)
    assert rig.ids[3:] == [105]
    assert rig.shown[-1].bids == rig.truth.bids


def test_a_broken_book_confirms_nothing() -> None:
    """Not by its frames, not by hits."""
    rig = broken()
    confirmed_ns = rig.lane.status.confirmed_ns
    rig.wait(0.5)
    rig.stream()
    rig.look()
    rig.wait(1)
    assert rig.lane.status.confirmed_ns == confirmed_ns


def test_a_snapshot_that_is_too_old_is_asked_for_again_but_not_at_once() -> None:
    """A replica that has not seen yet what was lost."""
    rig = streaming()
    before = rig.depth()
    rig.move()
    rig.stream()
    assert asked(rig.snap(before)) == []
    assert rig.ids == [100, 101, -101]
    rig.wait(0)
    assert rig.lane.is_calm(rig.now)
    assert asked(rig.wait(0.2)) == []
    assert asked(rig.wait(0.1)) == [steps.FetchDepth(100, is_resync=True)]
    rig.snap()
    assert rig.ids == [100, 101, -101, 103]


def test_a_stream_that_no_snapshot_fits_is_given_up() -> None:
    """It has jumped to what never comes: polling serves, and tells the book at once."""
    rig = streaming()
    rig.frame(Diff(9_000, 9_001, [], [], rig.now))
    effects: list[steps.Effect] = []
    for _ in range(MISFITS):
        rig.now += 2 * NS_PER_S
        rig.tell(steps.Pulse())
        effects += rig.snap()
    assert not rig.lane.is_calm(rig.now)
    assert moved([*effects, *rig.wait(0.1)]) == [(LaneState.FALLBACK, Reason.GAP)]
    rig.snap()
    assert rig.ids[-2:] == [-101, 101]


def test_a_crossed_book_is_told_as_invalid_and_resynced() -> None:
    """By the door; the pulse asks for the snapshot."""
    rig = streaming()
    rig.frame(Diff(102, 102, [(2.0, 1.0)], [], rig.now))
    rig.truth.update_id = 102
    assert rig.ids == [100, 101, -102]
    assert not rig.lane.is_calm(rig.now)
    assert asked(rig.wait(0.1)) == [steps.FetchDepth(100, is_resync=True)]
    assert rig.lane.status.gaps == 1
    rig.snap()
    assert rig.ids == [100, 101, -102, 102]


@pytest.mark.parametrize("is_crossed", [True, False])
def test_a_storm_of_holes_gives_the_stream_up(is_crossed: bool) -> None:
    """Three within a minute, whichever way its book ends."""
    rig = streaming()
    moves = []
    for _ in range(3):
        if is_crossed:
            rig.frame(Diff(rig.truth.update_id + 1, rig.truth.update_id + 1, [(2.0, 1.0)], [], rig.now))
            rig.truth.update_id += 1
        else:
            rig.move()
            rig.stream()
        moves += moved(rig.wait(1))
        rig.snap()
    assert moves == [(LaneState.FALLBACK, Reason.GAP)]
    assert rig.lane.status.gaps == 3


def test_two_holes_are_no_storm() -> None:
    """Each costs a snapshot."""
    rig = streaming()
    for _ in range(2):
        rig.move()
        rig.stream()
        rig.snap()
        rig.wait(1)
    assert rig.lane.state is LaneState.STREAMING


def test_a_narrow_book_goes_on_while_a_new_one_is_fetched() -> None:
    """It is right as far as it goes; one that is narrow still is not asked for at once."""
    rig = streaming()
    assert isinstance(rig.order.book, FakeBook)
    rig.order.book.is_narrow = True
    assert asked(rig.wait(0.1)) == [steps.FetchDepth(100)]
    given = rig.depth()
    rig.stream()
    assert rig.ids[-1] == 102
    old = rig.order.book
    assert kinds(rig.snap(given)) == []
    assert rig.order.book is not old
    rig.stream()
    assert rig.ids == [100, 101, 102, 103]


def test_a_book_that_stays_narrow_is_asked_for_with_growing_waits() -> None:
    """The venue shows no more."""
    rig = streaming()

    class Narrow(FakeBook):
        is_narrow = True

    assert isinstance(rig.order.book, FakeBook)
    rig.order.book.is_narrow = True
    rig.wait(0.1)
    before = rig.depth()
    rig.stream(12)
    for _ in range(12):
        rig.order.accept(rig.move(), rig.now)
    rig.order.keeps_all = False
    assert asked(rig.snap(Depth(before.update_id - 50, before.bids, before.asks, 100, rig.now, rig.now))) == []
    assert rig.lane.state is LaneState.STREAMING
    assert asked(rig.wait(0.3)) == [steps.FetchDepth(100)]


def test_a_frozen_stream_trips_with_two_misses() -> None:
    """Its best levels are not the venue's any more."""
    rig = streaming()
    rig.look()
    effects = [*rig.look(1.2)]
    effects += rig.wait(0.5)
    assert rig.lane.status.is_suspect
    effects += rig.look(1.3)
    effects += rig.wait(0.5)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.AUDIT)]
    assert kinds(effects)[-3:] == [steps.PollNow, steps.FetchDepth, steps.BreakerMoved]


def test_a_late_stream_trips() -> None:
    """One frame in a hundred more than two seconds late."""
    rig = streaming()
    effects = []
    for _ in range(3):
        rig.frame(rig.move(), late_ms=2_500)
        effects += rig.wait(0.1)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.LAG)]


def test_frames_of_before_a_stall_do_not_tell_how_late_the_stream_is() -> None:
    """Our own loop read them late."""
    rig = streaming()
    rig.now += 5 * NS_PER_S
    rig.tell(steps.Stalled(5 * NS_PER_S))
    for late_ms in (4_000, 3_000, 2_500):
        rig.frame(rig.move(), late_ms=late_ms)
        assert rig.wait(0.0001) == []


def test_a_poll_of_before_a_stall_waits_for_the_frames() -> None:
    """They have not been read yet."""
    rig = streaming()
    for _ in range(2):
        rig.look(1.5)
        rig.now += 5 * NS_PER_S
        rig.tell(steps.Stalled(5 * NS_PER_S))
    assert moved(rig.tell(steps.Pulse())) == []
    rig.frame(rig.move([(1.5, 1.0)]))
    assert moved(rig.wait(0.1)) == []
    assert not rig.lane.status.is_suspect


def test_two_lines_bring_each_diff_twice() -> None:
    """The first one is delivered, the second dropped: it refreshes nothing."""
    rig = streaming()
    given = [rig.move(), rig.move()]
    for diff in given:
        rig.frame(diff)
    heard_ns = rig.order.heard_ns
    rig.now += 30 * NS_PER_MS
    for diff in given:
        rig.frame(diff)
    assert rig.ids == [100, 101, 102, 103]
    assert (rig.lane.status.duplicates_dropped, rig.order.heard_ns) == (2, heard_ns)


# --- comparisons ------------------------------------------------------------------------------------------------------------


def test_a_book_is_compared_every_ten_minutes() -> None:
    """With one deep snapshot; equal, nothing is told, and ten minutes pass again."""
    rig, effects = audited()
    assert asked(effects) == [steps.FetchDepth(AUDIT_LIMIT, is_audit=True)]
    assert kinds(rig.snap(is_audit=True)) == []
    assert not rig.lane.is_calm(rig.now)
    assert kinds(rig.wait(0.1)) == []
    rig.look()
    assert asked(rig.wait(AUDIT_NS / NS_PER_S - 2)) == []
    assert asked(rig.wait(2)) == [steps.FetchDepth(AUDIT_LIMIT, is_audit=True)]


def test_an_unequal_book_is_told_and_begun_anew() -> None:
    """With the same update id: what was told is not what the venue has."""
    rig, _ = audited()
    rig.truth.bids[0.5] = 7.0
    rig.snap(is_audit=True)
    effects = rig.wait(0.1)
    assert disagreed(effects) == [pytest.approx(2 / 3)]
    assert rig.ids == [100, 101, 101]
    assert rig.shown[-1].bids == rig.truth.bids
    rig.stream()
    assert rig.ids[-1] == 102


def test_a_shadows_book_is_compared_too() -> None:
    """It is told, and nothing is delivered of it."""
    rig = polling()
    rig.snap()
    rig.tell(SHADOW, steps.StreamUp())
    rig.look()
    rig.snap()
    rig.look()
    rig.snap()
    rig.wait(AUDIT_NS / NS_PER_S)
    rig.truth.bids[0.5] = 7.0
    rig.snap(is_audit=True)
    assert kinds(rig.wait(0.1)) == [steps.Disagreed]
    assert rig.ids == [100]


def test_a_snapshot_of_a_replica_behind_is_compared_all_the_same() -> None:
    """Diffs at hand bring it to the book's update."""
    rig, _ = audited()
    before = rig.depth()
    rig.stream(30)
    rig.snap(before, is_audit=True)
    assert kinds(rig.wait(0.1)) == []
    assert asked(rig.wait(AUDIT_AGAIN_NS / NS_PER_S + 1)) == []


def test_a_snapshot_ahead_of_the_stream_waits_for_it() -> None:
    """Asked for once."""
    rig, _ = audited()
    late = rig.move()
    assert asked(rig.snap(is_audit=True)) == []
    assert asked(rig.wait(1)) == []
    rig.frame(late)
    assert kinds(rig.wait(0.1)) == []
    assert not rig.order.is_comparable
    assert not rig.order.is_behind


def test_a_stream_that_stays_behind_a_snapshot_is_dead() -> None:
    """Its best levels are still the venue's: no poll could tell."""
    rig, _ = audited()
    rig.move()
    rig.snap(is_audit=True)
    rig.wait(0.1)
    assert rig.lane.is_calm(rig.now)
    rig.now += PATIENCE_NS - NS_PER_S
    rig.tell(steps.Stalled(NS_PER_S))
    assert moved(rig.wait(0.8)) == []
    assert not rig.lane.is_calm(rig.now + 2 * NS_PER_S)
    assert moved(rig.wait(1.2)) == [(LaneState.FALLBACK, Reason.SILENCE)]


def test_a_shadow_that_stays_behind_a_snapshot_has_a_gap() -> None:
    """It fails there as under proof."""
    rig = polling()
    rig.snap()
    rig.tell(SHADOW, steps.StreamUp())
    rig.look()
    rig.snap()
    rig.look()
    rig.snap()
    rig.wait(AUDIT_NS / NS_PER_S)
    rig.move()
    rig.snap(is_audit=True)
    effects = rig.wait(PATIENCE_NS / NS_PER_S)
    assert steps.ShutStream in kinds(effects)


@pytest.mark.parametrize("is_had", [True, False])
def test_a_comparison_that_could_not_be_made_is_made_a_minute_later(is_had: bool) -> None:
    """No answer, or one too old for the diffs at hand."""
    rig, _ = audited()
    old = Depth(50, [(1.0, 1.0)], [(2.0, 1.0)], 100, rig.now, rig.now)
    rig.tell(steps.Snapped(old if is_had else None, is_audit=True))
    rig.look()
    assert asked(rig.wait(AUDIT_AGAIN_NS / NS_PER_S - 2)) == []
    assert asked(rig.look()) == [steps.FetchDepth(AUDIT_LIMIT, is_audit=True)]


def test_a_comparison_of_an_older_stream_is_let_go() -> None:
    """The lane polls by the time it comes."""
    rig, _ = audited()
    rig.tell(POLL)
    rig.snap(is_audit=True)
    assert not rig.order.is_comparable
    assert not rig.order.is_behind
    assert rig.ids == [100, 101]


# --- switches ---------------------------------------------------------------------------------------------------------------


def test_a_lost_connection_falls_to_a_snapshot_at_once() -> None:
    """It is not made to wait for the next beat; an answer that says the same confirms."""
    rig = streaming()
    effects = rig.tell(steps.StreamDown())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert steps.PollNow in kinds(effects)
    assert asked(effects) == [steps.FetchDepth(100)]
    rig.snap()
    assert rig.ids == [100, 101]
    rig.move()
    rig.look()
    rig.snap()
    assert rig.ids == [100, 101, 102]


def test_a_stream_that_comes_back_begins_anew() -> None:
    """Nothing of its older book is left, nothing that was told comes again."""
    rig = streaming()
    rig.tell(steps.StreamDown())
    rig.snap()
    rig.move(count=3)
    rig.now += NS_PER_S
    rig.tell(steps.StreamUp())
    rig.look()
    rig.snap()
    rig.stream()
    rig.look()
    assert rig.lane.state is LaneState.STREAMING
    assert rig.ids == [100, 101, 104, 105]


@pytest.mark.parametrize(
    ("decision", "state"), [(POLL, LaneState.POLLING), (KILL, LaneState.POLLING), (SHADOW, LaneState.SHADOW)]
)
def test_a_decision_ends_the_stream_at_once(decision: steps.Decide, state: LaneState) -> None:
    """Polled books never go back: none has to go first."""
    rig = streaming()
    effects = rig.tell(decision)
    assert (rig.lane.state, rig.lane.serving) == (state, Serving.POLL)
    assert asked(effects) == [steps.FetchDepth(100)]
    rig.stream()
    assert rig.ids == [100, 101]
    rig.snap()
    assert rig.ids == [100, 101, 102]


def test_a_resync_that_comes_after_the_fall_is_polled() -> None:
    """The stream it was asked for is over."""
    rig = broken()
    rig.tell(steps.StreamDown())
    rig.snap()
    assert rig.ids == [100, 101, -101, 103]
    assert rig.shown[-1].source is Source.POLL


def test_after_a_broken_book_polling_tells_it_again() -> None:
    """The venue's book is what it was: the consumer must not stay with an invalid one."""
    rig = streaming()
    rig.frame(Diff(500, 501, [], [], rig.now))
    rig.tell(KILL)
    rig.snap()
    assert rig.ids == [100, 101, -101, 101]


def test_a_shadow_delivers_what_was_polled() -> None:
    """Its stream has a book of its own, of which nothing is told."""
    rig = polling()
    rig.snap()
    rig.tell(SHADOW, steps.StreamUp())
    for _ in range(4):
        rig.stream()
        rig.look()
        rig.snap()
    assert rig.lane.state is LaneState.SHADOW
    assert {book.source for book in rig.shown} == {Source.POLL}
    assert rig.ids == [100, 101, 102, 103, 104]
    assert rig.order.book.is_valid


def test_without_rest_a_stream_with_a_book_serves() -> None:
    """It had its snapshot before."""
    rig = proving()
    rig.wait(0.5)
    rig.tell(steps.Polled(Answer("BTCUSDT", Quote(0, 1.0, 1.0, 2.0, 1.0, rig.now, rig.now), None), rig.now))
    rig.snap()
    rig.tell(steps.Snapped(None))
    rig.stream()
    effects = rig.wait(UNANSWERED_NS / NS_PER_S)
    assert moved(effects) == [(LaneState.PROVING, Reason.POLL_DOWN)]
    rig.stream()
    assert rig.ids == [100, 101, 102]


def test_without_rest_a_stream_without_a_book_does_not_serve() -> None:
    """There is nothing to keep up to date."""
    rig = proving()
    rig.stream()
    rig.wait(UNANSWERED_NS / NS_PER_S)
    rig.tell(steps.Snapped(None))
    assert moved(rig.wait(1)) == []
    assert rig.lane.serving is Serving.POLL


def test_nothing_follows_the_end() -> None:
    """Neither a snapshot under way nor a frame."""
    rig = broken()
    rig.tell(steps.Close(Reason.UNSUBSCRIBED))
    assert rig.snap() == []
    assert rig.order.accept(Diff(102, 102, [], []), rig.now) is None
    assert rig.tell(steps.Offered(rig.move(), rig.now)) == []


def test_the_door_of_a_book_says_what_polling_costs() -> None:
    """A snapshot of as many levels as the book is to have."""
    assert polling().lane.values.poll_call == ("depth", 100)
    assert Rig(is_tick=True).lane.values.poll_call is None


# --- calm -------------------------------------------------------------------------------------------------------------------


def test_a_quiet_book_is_calm() -> None:
    """Before its start, while it is polled, while its stream serves."""
    for rig in (BookRig(), polling(), streaming()):
        assert rig.lane.is_calm(rig.now)
        assert rig.wait(0.1) == []


def test_what_is_due_is_looked_at() -> None:
    """A frame whose lag has not been taken, a poll without verdict, a snapshot that waits to be asked for, a comparison."""
    rig = streaming()
    rig.now += 1
    rig.stream()
    assert not rig.lane.is_calm(rig.now)
    rig.wait(0)
    assert rig.lane.is_calm(rig.now)
    rig.now += 2 * NS_PER_S
    rig.tell(steps.Polled(Answer("BTCUSDT", Quote(0, 1.2, 1.0, 2.0, 1.0, rig.now, rig.now), None), rig.now))
    assert not rig.lane.is_calm(rig.now)
    rig.stream()
    rig.wait(0)
    rig.now += AUDIT_NS
    assert not rig.lane.is_calm(rig.now)


def test_a_book_that_ended_while_nobody_looked_is_looked_at() -> None:
    """Though the snapshot that it needs is under way already."""
    rig = broken()
    rig.snap()
    rig.wait(0)
    assert isinstance(rig.order.book, FakeBook)
    rig.order.book.is_narrow = True
    rig.wait(0)
    rig.frame(Diff(104, 104, [(2.0, 1.0)], [], rig.now))
    rig.lane.values.passed(rig.now, None)
    assert rig.lane.status.gaps == 2
