"""A whole lane that carries bars of a minute."""

from itertools import pairwise

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Draft, Item
from foxtrot.transport.lane import UNANSWERED_NS
from foxtrot.transport.ordering import IdOrder
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Source
from tests.support.bar_rig import LEFT, BarRig, paged, proving, started, streaming
from tests.support.lane_rig import KILL, POLL, SHADOW, STREAM, kinds, moved

POLLED, STREAMED, FILLED = Source.POLL, Source.STREAM, Source.BACKFILL


def questions(rig: BarRig, effects: list[steps.Effect]) -> list[int]:
    """When pages were asked for within ten seconds, of a replica that shows the bar as open."""
    asked = []
    for _ in range(100):
        if paged(effects):
            asked.append(rig.now)
            rig.page(draft=rig.draft(0, 3))
        effects = rig.wait(0.1)
    return asked


def calm(rig: BarRig) -> bool:
    return rig.lane.is_calm(rig.now, 0)


# --- polling ----------------------------------------------------------------------------------------------------------------


def test_a_new_trade_asks_for_a_page() -> None:
    """It brings the open bar; only a greater rank is news."""
    rig = started()
    assert paged(rig.beat(10)) == [0]
    rig.page(draft=rig.draft(0, 3))
    rig.beat(10)
    rig.page(draft=rig.draft(0, 3))
    rig.beat(11)
    rig.page(draft=rig.draft(0, 4))
    assert rig.given == [(0, 3, POLLED), (0, 4, POLLED)]


def test_a_page_is_credited_with_trades_that_were_known_a_second_before() -> None:
    """Its bars name none: a replica may trail so far. Then a quiet symbol costs nothing, and polls confirm it."""
    rig = started()
    assert paged(rig.beat(10)) == [0]
    rig.page(draft=rig.draft(0, 3))
    assert paged(rig.beat(10)) == [0]
    rig.page(draft=rig.draft(0, 3), asked_s=0.1)
    assert paged(rig.beat(10)) == [0]
    rig.page(draft=rig.draft(0, 3))
    assert kinds(rig.beat(10, 3)) == []
    assert rig.lane.confirmed_ns == rig.now


def test_each_beat_asks_for_one_page() -> None:
    """However many trades there are, and however slow the pages."""
    rig = started()
    assert paged(rig.beat(10)) == [0]
    assert paged(rig.beat(11, 3)) == []
    assert paged(rig.page(draft=rig.draft(0, 1), asked_s=3.0)) == [0]
    assert paged(rig.page(draft=rig.draft(0, 2))) == []


def test_a_page_that_brings_the_open_bar_was_of_use() -> None:
    """A busy symbol is asked for each beat, though no bar closes for long."""
    rig = started()
    for trade_id in range(10, 20):
        assert paged(rig.beat(trade_id)) == ([0] if trade_id == 10 else [])
        assert paged(rig.wait(0.4)) == []
        rig.now += NS_PER_S // 2
        rig.tell(steps.Polled(Answer("BTCUSDT", None, None), rig.now))
        assert paged(rig.page(draft=rig.draft(0, trade_id))) == [0]


def test_a_quiet_bar_closes_by_time() -> None:
    """No trade asks for it: the venue's clock does."""
    rig = proving()
    rig.tell(POLL)
    assert paged(rig.until(0, 0.2)) == []
    assert not rig.lane.is_calm(rig.now, NS_PER_S)
    assert calm(rig)
    rig.now += 100 * NS_PER_MS
    assert not calm(rig)
    assert paged(rig.tell(steps.Pulse())) == [0]
    assert calm(rig)
    rig.page(0, draft=rig.draft(1, 0))
    assert rig.given[-2:] == [(0, -1, POLLED), (1, 0, POLLED)]
    assert paged(rig.wait(1)) == []


def test_the_venues_clock_counts() -> None:
    """Ours is two seconds ahead of it; while it is not known, what was known last holds."""
    rig = started()
    rig.tell(steps.Pulse(-2 * NS_PER_S))
    assert paged([*rig.until(0, -5), *rig.tell(steps.Pulse(None))]) == []
    rig.now += 7 * NS_PER_S
    assert paged(rig.tell(steps.Pulse(-2 * NS_PER_S))) == []
    assert rig.lane.is_calm(rig.now)
    rig.now += NS_PER_S // 2
    assert not rig.lane.is_calm(rig.now)
    assert paged(rig.tell(steps.Pulse(None))) == [0]


def test_a_replica_that_has_not_closed_the_bar_is_asked_again_with_growing_waits() -> None:
    """It shows the bar as open: two seconds in the end, not four times a second."""
    rig = started()
    asked = questions(rig, rig.until(0, 0.3))
    waits = [round((later - earlier) / NS_PER_S, 1) for earlier, later in pairwise(asked)]
    assert waits[:4] == [0.3, 0.5, 1.0, 2.0]
    assert set(waits[4:]) == {2.0}
    rig.page(0, draft=rig.draft(1, 0))
    assert rig.closed == [0]


def test_a_full_page_is_followed_by_the_next() -> None:
    """Its last bar is not the open one, whatever it looks like."""
    rig = started()
    rig.until(4, 1)
    assert paged(rig.page(0, 1, draft=rig.draft(2, 9), is_full=True)) == [2]
    rig.page(2, 3, 4, draft=rig.draft(5, 0))
    assert rig.given == [*((number, -1, POLLED) for number in range(5)), (5, 0, POLLED)]


def test_bars_that_the_venue_lacks_are_told() -> None:
    """One gap names them."""
    rig = started()
    rig.until(3, 1)
    effects = rig.page(3, draft=rig.draft(4, 0))
    assert [kind for kind in kinds(effects) if kind is not steps.Deliver] == [steps.Missing]
    assert rig.closed == [3]


def test_the_open_bar_behind_bars_that_the_venue_lacks_is_told_at_once() -> None:
    """As after a halt: it need not close first, which may take a month."""
    rig = started()
    rig.until(9, 5)
    effects = rig.page(draft=rig.draft(10, 1))
    assert steps.Missing(rig.order.next_id - 10, rig.order.next_id - 1, Reason.GAP) in effects
    assert rig.given == [(10, 1, POLLED)]
    assert rig.lane.status.gaps == 1


def test_a_symbol_without_bars_begins_with_its_first_open_one() -> None:
    """A new listing: there is nothing before it to miss."""
    rig = BarRig()
    rig.tell(steps.Start(Cursor(-1, -1)))
    rig.beat(1)
    effects = rig.page(draft=rig.draft(0, 1))
    assert rig.given == [(0, 1, POLLED)]
    assert kinds(effects) == [steps.Deliver]


def test_nothing_is_asked_before_the_start() -> None:
    """Nor after a page that comes too early, nor of another channel's answers."""
    rig = BarRig()
    rig.beat(10, 2)
    assert rig.tell(steps.Paged([], is_full=False), steps.PageFailed(), steps.Pulse()) == []
    assert rig.lane.is_calm(rig.now)
    assert rig.lane.values.missing == 0
    rig.tell(steps.Offered(rig.draft(0, 1), rig.now))
    assert rig.lane.values.offered(steps.Offered(rig.draft(0, 1), rig.now), rig.now, is_kept=True) == []
    assert rig.lane.values.open_alone(0) is None


# --- proof and join ---------------------------------------------------------------------------------------------------------


def test_a_quiet_stream_proves_itself() -> None:
    """Polls show no trade that it owes: a baseline, then a hit."""
    rig = proving()
    assert moved(rig.beat(10, 3)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_busy_symbol_joins_although_trades_never_stop() -> None:
    """Closed bars have to meet, not trades: the open one is the next frame's."""
    rig = proving()
    trade_id, state = 10, LaneState.PROVING
    for _ in range(6):
        trade_id += 5
        rig.bring_bar(rig.draft(0, trade_id, trade_id))
        rig.beat(trade_id + 1)
        rig.page(draft=rig.draft(0, trade_id + 1))
        state = rig.lane.state
    assert state is LaneState.STREAMING


def test_a_stream_under_proof_is_asked_of_once_in_two_seconds() -> None:
    """Its frames may come so seldom: a trade that they have not brought yet is no miss at once."""
    rig = proving()
    rig.bring_bar(rig.draft(0, 3, 10))
    rig.beat(11)
    rig.page(draft=rig.draft(0, 4))
    rig.beat(11)
    rig.bring_bar(rig.draft(0, 4, 11))
    rig.beat(11)
    assert rig.lane.state is LaneState.STREAMING


def test_a_dead_stream_does_not_prove_itself() -> None:
    """Trades go on and it brings nothing."""
    rig = proving()
    effects = []
    for trade_id in range(11, 18):
        effects += rig.beat(trade_id)
        rig.page(draft=rig.draft(0, trade_id))
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FIRST_DATA)]


def test_bars_that_closed_before_the_join_come_by_page() -> None:
    """The stream is in the next one already; a replica that has not closed it is asked again, not at once."""
    rig = proving()
    rig.until(0, -0.8)
    rig.beat(10)
    rig.bring_bar(rig.draft(1, 1, 11))
    effects = rig.beat(11)
    assert paged(effects) == [0]
    assert paged(rig.page(draft=rig.draft(0, 3))) == []
    assert rig.lane.state is LaneState.PROVING
    assert paged(rig.wait(0.1)) == []
    assert paged(rig.wait(0.2)) == [0]
    effects = rig.page(0, draft=rig.draft(1, 1))
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    rig.bring_bar(rig.draft(1, 2, 12))
    assert rig.given[-3:] == [(0, -1, POLLED), (1, 1, POLLED), (1, 2, STREAMED)]


def test_a_bar_that_waited_for_the_join_goes_first() -> None:
    """The stream has closed it before polling has."""
    rig = proving()
    rig.until(0, -0.8)
    rig.beat(10)
    rig.bring_bar(rig.close(0, 10))
    effects = rig.beat(10)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert rig.given[-1] == (0, -1, STREAMED)
    rig.bring_bar(rig.draft(1, 1, 11))
    assert rig.given[-1] == (1, 1, STREAMED)


# --- live -------------------------------------------------------------------------------------------------------------------


def test_the_open_bar_grows_and_closes() -> None:
    """By the door alone."""
    rig = streaming()
    rig.given.clear()
    for value in (rig.draft(0, 4, 11), rig.draft(0, 6, 13), rig.close(0, 14), rig.draft(1, 1, 15)):
        rig.bring_bar(value)
    assert rig.given == [(0, 4, STREAMED), (0, 6, STREAMED), (0, -1, STREAMED), (1, 1, STREAMED)]
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_bar_that_the_stream_does_not_close_comes_by_page() -> None:
    """Of a quiet symbol, after three seconds; each one, and the stream is not to blame."""
    rig = streaming()
    for number in range(4):
        assert paged(rig.until(number, 2.9)) == []
        assert paged(rig.wait(0.1)) == [number]
        rig.page(number, draft=rig.draft(number + 1, 0))
        rig.beat(10)
    assert rig.closed == [0, 1, 2, 3]
    assert {source for number, _, source in rig.given if number > 0} == {FILLED}
    assert rig.lane.state is LaneState.STREAMING


def test_a_replica_that_has_not_closed_it_is_asked_again_with_growing_waits() -> None:
    """While the stream serves as while polling does."""
    rig = streaming()
    assert 5 <= len(questions(rig, rig.until(0, 3))) <= 8


def test_a_stream_that_skips_the_closing_frame_shows_it_with_the_next() -> None:
    """The bar is asked for at once; a replica that has not closed it yet, not at once again."""
    rig = streaming()
    rig.until(0, 0.1)
    effects = rig.bring_bar(rig.draft(1, 1, 11))
    assert paged(effects) == [0]
    assert paged(rig.page(draft=rig.draft(0, 3))) == []
    assert paged(rig.wait(0.2)) == []
    assert paged(rig.wait(0.1)) == [0]
    rig.page(0, draft=rig.draft(1, 1))
    rig.bring_bar(rig.draft(1, 2, 12))
    assert rig.given[-3:] == [(0, -1, FILLED), (1, 1, FILLED), (1, 2, STREAMED)]
    assert rig.lane.values.missing == 0


def test_a_stream_goes_on_behind_bars_that_the_venue_lacks() -> None:
    """The page shows the open bar, and none before it: the next frame is delivered."""
    rig = streaming()
    rig.until(9, 1)
    rig.bring_bar(rig.draft(10, 1, 11))
    effects = rig.page(draft=rig.draft(10, 1))
    assert [effect.first - rig.order.next_id for effect in effects if isinstance(effect, steps.Missing)] == [-10]
    assert rig.lane.status.is_whole
    rig.bring_bar(rig.draft(10, 2, 12))
    assert rig.given[-2:] == [(10, 1, FILLED), (10, 2, STREAMED)]


def test_a_closed_bar_that_waits_behind_bars_that_the_venue_lacks_is_next() -> None:
    """It is the one that the stream has brought."""
    rig = streaming()
    rig.until(9, 1)
    rig.bring_bar(rig.draft(10, 1, 11))
    rig.until(10, 1)
    rig.bring_bar(rig.close(10, 12))
    effects = rig.page(draft=rig.draft(11, 1))
    assert [effect.last - effect.first for effect in effects if isinstance(effect, steps.Missing)] == [9]
    assert rig.given[-2:] == [(10, -1, STREAMED), (11, 1, FILLED)]


def test_bars_behind_a_hole_wait_without_bound() -> None:
    """They are told in order, whenever the hole is filled."""
    rig = streaming()
    assert paged(rig.bring_bar(rig.close(1, 12))) == [0]
    rig.bring_bar(rig.draft(2, 1, 13))
    rig.tell(steps.PageFailed())
    assert not any(kind is steps.Missing for kind in kinds(rig.beat(13, 30)))
    assert rig.closed == []
    rig.page(0)
    assert rig.given[-2:] == [(0, -1, FILLED), (1, -1, STREAMED)]


def test_three_holes_within_a_minute_are_a_storm() -> None:
    """Bars that the stream lost and went on."""
    rig = streaming()
    effects = []
    for number in (0, 2, 4):
        rig.bring_bar(rig.close(number + 1, 12 + number))
        effects += rig.page(number)
    assert moved([*effects, *rig.wait(0.1)]) == [(LaneState.FALLBACK, Reason.GAP)]


def test_a_silent_stream_is_given_up() -> None:
    """The venue trades on for five seconds; pages in between do not speak for it."""
    rig = streaming()
    rig.until(0, -3)
    effects = [*rig.beat(11), *rig.beat(12)]
    for seconds in range(6):
        effects += rig.beat(13 + seconds)
        effects += rig.page(0, draft=rig.draft(1, seconds))
    assert moved(effects) == [(LaneState.FALLBACK, Reason.SILENCE)]


def test_a_late_stream_trips() -> None:
    """Its frames say when they were sent."""
    rig = streaming()
    effects = []
    for rank in range(4, 8):
        rig.bring_bar(rig.draft(0, rank, 10 + rank), late_ms=2_500)
        effects += rig.wait(0.1)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.LAG)]


def test_a_slow_second_line_does_not_make_the_stream_late() -> None:
    """What it brings is known already."""
    rig = streaming()
    for rank in range(4, 9):
        rig.bring_bar(rig.draft(0, rank, 10 + rank))
        rig.wait(0.1)
        sent_ns, rig.now = rig.now, rig.now + 3 * NS_PER_S
        rig.bring_bar(rig.draft(0, rank, 10 + rank), late_ms=(rig.now - sent_ns) // NS_PER_MS + 100)
        assert moved(rig.wait(0.1)) == []


def test_a_slow_consumer_gets_what_it_missed_by_page() -> None:
    """Closed bars in order, then the open one; while it is slow nothing is asked or told."""
    rig = streaming()
    rig.tell(steps.Hold(is_on=True))
    given = len(rig.given)
    rig.until(0, 1)
    rig.bring_bar(rig.close(0, 11))
    rig.bring_bar(rig.draft(1, 2, 13))
    assert paged([*rig.beat(13), *rig.until(1, 4)]) == []
    assert calm(rig)
    assert rig.page(0, 1, draft=rig.draft(2, 0)) == []
    assert len(rig.given) == given
    assert paged(rig.tell(steps.Hold(is_on=False))) == [0]
    rig.page(0, 1, draft=rig.draft(2, 0))
    assert rig.given[given:] == [(0, -1, FILLED), (1, -1, FILLED), (2, 0, FILLED)]


def test_a_page_of_before_the_switch_brings_nothing() -> None:
    """The stream serves: its open bar is the newer one."""
    rig = proving()
    rig.beat(10)
    rig.beat(11)
    rig.bring_bar(rig.draft(0, 4, 11))
    rig.beat(11)
    assert rig.lane.state is LaneState.STREAMING
    given = len(rig.given)
    rig.page(draft=rig.draft(0, 5))
    assert len(rig.given) == given


# --- switches ---------------------------------------------------------------------------------------------------------------


def test_a_lost_connection_loses_no_bar() -> None:
    """Polling brings what closed meanwhile, and the stream goes on from there."""
    rig = streaming()
    rig.bring_bar(rig.draft(0, 4, 11))
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    rig.until(1, 0.4)
    rig.page(0, 1, draft=rig.draft(2, 2))
    rig.tell(steps.StreamUp())
    rig.bring_bar(rig.draft(2, 3, 14))
    rig.beat(14, 4)
    assert rig.lane.state is LaneState.STREAMING
    rig.bring_bar(rig.draft(2, 4, 15))
    assert rig.closed == [0, 1]
    assert rig.given[-1] == (2, 4, STREAMED)


@pytest.mark.parametrize("decision", [POLL, KILL, SHADOW])
def test_a_decision_ends_the_stream_at_once(decision: steps.Decide) -> None:
    """What it brings is told no longer."""
    rig = streaming()
    rig.tell(decision)
    given = len(rig.given)
    rig.bring_bar(rig.draft(0, 9, 20))
    rig.bring_bar(rig.close(0, 20))
    assert (len(rig.given), rig.lane.serving) == (given, Serving.POLL)


def test_a_shadow_is_judged_and_never_told() -> None:
    """Nothing that it brings waits."""
    rig = started()
    rig.tell(SHADOW, steps.StreamUp())
    rig.bring_bar(rig.draft(0, 3, 10))
    rig.bring_bar(rig.close(0, 11))
    rig.beat(11, 3)
    assert rig.given == []
    assert rig.order.waiting == 0


def test_without_rest_a_stream_that_shows_the_next_bar_serves() -> None:
    """The open one needs nothing of before."""
    rig = proving()
    rig.beat(10)
    rig.bring_bar(rig.draft(0, 3, 10))
    assert moved(rig.wait(UNANSWERED_NS / NS_PER_S)) == [(LaneState.PROVING, Reason.POLL_DOWN)]
    rig.bring_bar(rig.draft(0, 4, 11))
    assert rig.given[-1] == (0, 4, STREAMED)


def test_without_rest_a_bar_that_waits_lets_the_stream_serve() -> None:
    """As with any id."""
    rig = proving()
    rig.beat(10)
    rig.bring_bar(rig.close(0, 11))
    rig.wait(UNANSWERED_NS / NS_PER_S)
    assert rig.lane.serving is Serving.STREAM
    assert rig.closed == [0]


@pytest.mark.parametrize("is_held", [True, False])
def test_without_rest_a_stream_behind_a_hole_does_not_serve(is_held: bool) -> None:
    """A bar has closed that nobody can bring; nor does one whose consumer is slow."""
    rig = proving()
    rig.beat(10)
    if is_held:
        rig.tell(steps.Hold(is_on=True))
    rig.bring_bar(rig.draft(0 if is_held else 1, 1, 11))
    rig.wait(UNANSWERED_NS / NS_PER_S)
    assert rig.lane.serving is Serving.POLL


def test_a_loop_that_stood_still_blames_nobody() -> None:
    """What the stream brought meanwhile has not been read."""
    rig = streaming()
    rig.beat(11)
    rig.now += IdOrder.PATIENCE_NS
    rig.tell(steps.Stalled(IdOrder.PATIENCE_NS))
    assert moved(rig.beat(11)) == []
    rig.bring_bar(rig.draft(0, 4, 11))
    assert moved(rig.beat(11, 5)) == []


def test_a_quiet_lane_is_calm() -> None:
    """Before its start, while it is polled, while its stream serves."""
    for rig in (BarRig(), started(), streaming()):
        assert calm(rig)
        assert rig.wait(0.1) == []
    assert LEFT > 10


def test_nothing_follows_the_end() -> None:
    """Neither a page under way nor a frame."""
    rig = streaming()
    rig.until(0, 3)
    rig.tell(steps.Close(Reason.UNSUBSCRIBED))
    given = len(rig.given)
    rig.page(0, draft=rig.draft(1, 0))
    rig.bring_bar(rig.close(0))
    rig.bring_bar(rig.draft(0, 9))
    assert len(rig.given) == given


def test_values_of_a_bar_are_items_and_drafts() -> None:
    """One id space: the draft has the id that the closed bar will have."""
    rig = started()
    assert isinstance(rig.draft(0, 1), Draft)
    assert isinstance(rig.close(0), Item)
    assert rig.draft(0, 1).id == rig.close(0).id
    rig.tell(STREAM)
    assert rig.lane.values.poll_call == ("page", 1)
