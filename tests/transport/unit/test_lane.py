"""A lane's start, its polling, its decisions and its end: each test one fact of the table or of the rules on top of it."""

from collections.abc import Callable

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Quote, Stats
from foxtrot.transport.lane import LEAVE_NS
from foxtrot.transport.lane_table import LAWFUL, MOVES
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Source, Transport
from tests.support.lane_rig import (
    FIGURES,
    KILL,
    POLL,
    SHADOW,
    START,
    STREAM,
    Rig,
    fallen,
    items,
    kinds,
    moved,
    page,
    polled,
    proving,
    quote,
    started,
    streaming,
    tick_proving,
    tick_started,
    tick_streaming,
)

TWO_LINES = steps.Decide(Transport.STREAMING, Reason.PIN, lines=2)


# --- the start ---------------------------------------------------------------------------------------------------------------


def test_nothing_serves_before_the_start_answer() -> None:
    """Decisions wait for it."""
    rig = Rig()
    assert rig.tell(STREAM, steps.Pulse()) == []
    assert rig.bring(11) == []
    assert rig.lane.status.serving is Serving.NONE
    effects = rig.tell(steps.Start(Cursor(10, 10)))
    assert moved(effects) == [(LaneState.POLLING, Reason.SUBSCRIBED), (LaneState.PROVING, Reason.PIN)]
    assert effects[-1] == steps.OpenStream(1)


def test_a_lane_starts_once() -> None:
    """A second start answer moves no cursor."""
    rig = started(10)
    assert rig.tell(steps.Start(Cursor(20, 20))) == []
    assert rig.lane.ids is not None
    assert rig.lane.ids.next_id == 11


def test_a_tick_starts_with_its_first_quote() -> None:
    """Figures alone do not start it; both halves then come out."""
    rig = Rig(is_tick=True)
    assert kinds(rig.traded(5)) == [steps.Deliver]
    assert not rig.lane.is_started
    assert kinds(rig.poll(1.0, 6)) == [steps.Announce, steps.Deliver, steps.Deliver]
    assert rig.lane.serving is Serving.POLL


def test_what_comes_before_the_start_says_nothing() -> None:
    """There is no cursor to hold it against: polls, pages, holds, a hand's wish."""
    rig = Rig()
    assert rig.traded(5) == []
    assert rig.tell(page(11), steps.Hold(is_on=True), steps.Revive(), steps.StreamUp(), steps.Pulse()) == []
    assert not rig.lane.is_held


def test_a_status_before_the_start_is_empty() -> None:
    """Nothing delivered, nothing serving."""
    status = Rig().lane.status
    assert (status.delivered, status.duplicates_dropped, status.serving) == (0, 0, Serving.NONE)


# --- polling -----------------------------------------------------------------------------------------------------------------


def test_a_polled_lane_fetches_what_is_new() -> None:
    """By id, from the cursor, one question at a time."""
    rig = started()
    assert rig.traded(10) == []
    assert rig.traded(12) == [steps.FetchPage(11, Source.POLL)]
    assert rig.traded(13) == []
    assert rig.tell(page(11, 12)) == [steps.Deliver(items(11, 12), Source.POLL), steps.FetchPage(13, Source.POLL)]


def test_a_polled_lane_is_confirmed_by_what_shows_it_complete() -> None:
    """Not by a poll that shows more than it has; that confirms with its page."""
    rig = started()
    rig.now += NS_PER_S
    rig.traded(12)
    assert rig.lane.status.confirmed_ns == START
    rig.tell(page(11, 12))
    assert rig.lane.status.confirmed_ns == rig.now
    rig.now += NS_PER_S
    rig.traded(12)
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_page_that_failed_is_asked_again_soon() -> None:
    """After 250 ms, not at once."""
    rig = started()
    rig.traded(12)
    assert rig.tell(steps.PageFailed(), steps.Pulse()) == []
    assert rig.wait(0.25) == [steps.FetchPage(11, Source.POLL)]


def test_ids_that_jump_at_the_venue_are_a_gap_of_a_polled_lane() -> None:
    """What follows them is delivered."""
    rig = started()
    rig.traded(21)
    effects = rig.tell(page(20, 21))
    assert effects == [steps.Missing(11, 19, Reason.GAP), steps.Deliver(items(20, 21), Source.POLL)]


def test_an_equal_quote_confirms() -> None:
    """It is not delivered again."""
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    rig.now += NS_PER_S
    assert rig.poll(1.0) == []
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (START, rig.now)


def test_a_cached_answer_is_dropped() -> None:
    """Its newest trade went back, so its quote is old too; it confirms nothing."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 5)
    rig.now += NS_PER_S
    assert rig.poll(2.0, 4) == []
    assert rig.lane.status.confirmed_ns == START


def test_a_symbol_without_trades_for_a_day_is_served_on() -> None:
    """The last trade leaves the window: quotes and figures come as before."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 500)
    rig.now += NS_PER_S
    told, figures = rig.poll(2.0, -1)
    assert told == steps.Deliver([polled(2.0, rig.now)], Source.POLL)
    assert figures == steps.Deliver([Stats(-1, rig.now, FIGURES, rig.now)], Source.POLL)
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_quote_goes_before_the_figures_that_came_with_it() -> None:
    """They would else be told with the quote before it."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 5)
    rig.now += NS_PER_S
    values = [effect.values[0] for effect in rig.poll(2.0, 6) if isinstance(effect, steps.Deliver)]
    assert [type(value) for value in values] == [Quote, Stats]


def test_a_quote_asked_too_early_is_dropped() -> None:
    """Two polls that came back in the wrong order."""
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    assert rig.tell(steps.Polled(Answer("BTCUSDT", polled(2.0, START - 1), None), START - 1)) == []


def test_an_answer_that_says_nothing_of_trades_confirms_nothing() -> None:
    """Quotes alone leave a trade lane unconfirmed."""
    rig = started()
    rig.wait(2)
    assert rig.poll(1.0) == []
    assert rig.lane.status.confirmed_ns == START


# --- decisions ---------------------------------------------------------------------------------------------------------------


def test_a_decision_for_polling_ends_the_attempt() -> None:
    """The stream is shut, and nothing counted."""
    rig = proving()
    effects = rig.tell(POLL)
    assert kinds(effects) == [steps.ShutStream, steps.Announce]
    assert (rig.lane.state, rig.lane.breaker.openings) == (LaneState.POLLING, 0)


def test_a_connection_for_a_lane_that_polls_changes_nothing() -> None:
    """It was decided otherwise meanwhile."""
    rig = started()
    assert rig.tell(steps.StreamUp(), steps.StreamDown()) == []
    assert rig.bring(11) == []


def test_another_reason_for_the_same_transport_changes_nothing() -> None:
    """A pin where a rollout had decided; a default where a pin had."""
    assert streaming().tell(steps.Decide(Transport.STREAMING, Reason.ROLLOUT)) == []
    assert started().tell(steps.Decide(Transport.POLLING, Reason.DEFAULTS)) == []


def test_a_decision_for_polling_ends_trades_at_once() -> None:
    """What waited behind a hole comes by id."""
    rig = streaming()
    rig.bring(13)
    rig.tell(steps.PageFailed())
    effects = rig.tell(POLL)
    assert kinds(effects) == [steps.ShutStream, steps.Announce, steps.PollNow, steps.FetchPage]
    assert rig.bring(12) == []


def test_a_tick_leaves_with_the_polled_value_first() -> None:
    """Until it comes nothing streamed is delivered."""
    rig = tick_streaming()
    assert rig.tell(POLL) == [steps.PollNow()]
    assert rig.tell(POLL) == []
    assert rig.show(101, 3.0) == []
    effects = rig.poll(2.0)
    assert moved(effects) == [(LaneState.POLLING, Reason.PIN)]
    assert effects[-1] == steps.Deliver([polled(2.0, rig.now)], Source.POLL)


def test_a_tick_leaves_anyway_after_nine_tenths_of_a_second() -> None:
    """A poll that does not come is not waited for."""
    rig = tick_streaming()
    rig.tell(POLL)
    assert rig.wait(LEAVE_NS / NS_PER_S - 0.1) == []
    assert moved(rig.wait(0.1)) == [(LaneState.POLLING, Reason.PIN)]


def test_a_kill_waits_for_nothing() -> None:
    """Also while a tick is leaving already."""
    rig = tick_streaming()
    rig.tell(POLL)
    assert moved(rig.tell(KILL)) == [(LaneState.POLLING, Reason.KILL)]


def test_a_tick_that_was_leaving_can_stay() -> None:
    """It goes on with the quotes that came meanwhile, as nothing polled was delivered."""
    rig = tick_streaming()
    rig.tell(POLL)
    rig.show(101, 3.0)
    assert rig.tell(STREAM) == [steps.Deliver([quote(101, 3.0, received_ns=rig.now)], Source.STREAM)]
    assert rig.wait(1) == []
    assert rig.lane.state is LaneState.STREAMING


@pytest.mark.parametrize("end", [steps.Stray(), steps.StreamDown(), steps.ForceOpen(), steps.Unlisted()])
def test_a_stream_that_ends_while_leaving_has_left(end: steps.Input) -> None:
    """Polling was decided: there is nothing to fall back from."""
    rig = tick_streaming()
    rig.tell(POLL)
    assert moved(rig.tell(end)) == [(LaneState.POLLING, Reason.PIN)]
    assert rig.wait(60) == []


def test_a_tick_that_has_left_is_no_suspect() -> None:
    """A polled value that its stream did not show ends the stream's serving, not the trust in the lane."""
    rig = tick_streaming()
    rig.tell(POLL)
    rig.show(101, 5.0)
    assert moved(rig.poll(7.0)) == [(LaneState.POLLING, Reason.PIN)]
    assert not rig.lane.status.is_suspect


@pytest.mark.parametrize("rig", [proving(), streaming()])
def test_another_number_of_lines_is_asked_for_while_the_stream_is_on(rig: Rig) -> None:
    """Nothing else changes."""
    state = rig.lane.state
    assert rig.tell(TWO_LINES) == [steps.OpenStream(2)]
    assert rig.tell(TWO_LINES) == []
    assert rig.lane.state is state


def test_lines_are_known_at_the_next_opening() -> None:
    """A polled lane has none to change."""
    rig = started()
    assert rig.tell(steps.Decide(Transport.POLLING, Reason.PIN, lines=2)) == []
    assert rig.tell(TWO_LINES)[-1] == steps.OpenStream(2)


def test_a_tick_that_stays_after_all_stays_on_the_lines_decided_last() -> None:
    """The decision in between was for polling, and said nothing of the lines that carry it."""
    rig = tick_streaming()
    rig.tell(TWO_LINES, POLL)
    assert rig.tell(STREAM) == [steps.OpenStream(1)]


def test_streamed_figures_come_while_the_stream_is_on() -> None:
    """After a switch to polling nothing streamed follows, not even figures."""
    rig = tick_streaming()
    given = steps.OfferedStats(Stats(5, 1, FIGURES, 0))
    assert rig.tell(given) == [steps.Deliver([given.stats], Source.STREAM)]
    assert rig.tell(given) == []
    rig.tell(KILL)
    assert rig.tell(steps.OfferedStats(Stats(6, 1, FIGURES, 0))) == []


def test_figures_alone_confirm_no_tick() -> None:
    """They change it; that the quote still holds they do not say."""
    rig = tick_streaming()
    confirmed_ns = rig.lane.status.confirmed_ns
    rig.tell(steps.OfferedStats(Stats(5, 1, FIGURES, rig.now)))
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (rig.now, confirmed_ns)


# --- the end -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [proving, streaming, tick_streaming])
def test_a_closed_lane_shuts_its_stream(make: Callable[[], Rig]) -> None:
    """Its closing event is its last."""
    rig = make()
    effects = rig.tell(steps.Close(Reason.UNSUBSCRIBED))
    assert kinds(effects)[:2] == [steps.ShutStream, steps.Announce]
    assert moved(effects) == [(LaneState.CLOSED, Reason.UNSUBSCRIBED)]
    assert rig.bring(12) == []
    assert rig.tell(STREAM, steps.StreamUp(), page(12), steps.Pulse(), steps.Close(Reason.CLOSING)) == []


@pytest.mark.parametrize("make", [Rig, started, fallen])
def test_a_polled_lane_closes_without_a_stream(make: Callable[[], Rig]) -> None:
    """Also before it has started, and while its stream is shut."""
    assert kinds(make().tell(steps.Close(Reason.CLOSING))) == [steps.Announce]


def test_no_door_admits_after_the_end() -> None:
    """The hot doors are the order's own."""
    trades, tick = streaming(), tick_streaming()
    for rig in (trades, tick):
        rig.tell(steps.Close(Reason.CLOSING))
    assert trades.lane.ids is not None
    assert tick.lane.quotes is not None
    assert not trades.lane.ids.accept(12, 12, 0)
    assert not tick.lane.quotes.accept(101, (1.0, 1.0, 2.0, 1.0), 0)


# --- what it shows -----------------------------------------------------------------------------------------------------------


def test_what_passes_the_door_is_fresh() -> None:
    """While the stream serves, the last frame confirms."""
    rig = streaming()
    assert rig.lane.ids is not None
    assert rig.lane.ids.accept(12, 12, rig.now + 7)
    status = rig.lane.status
    assert (status.delivered, status.changed_ns, status.confirmed_ns) == (2, rig.now + 7, rig.now + 7)


@pytest.mark.parametrize("end", [steps.StreamDown(), steps.Stray(), POLL, steps.Offered(items(20)[0], START)])
def test_what_passed_the_door_stays_told(end: steps.Input) -> None:
    """When the stream ends, or a frame waits behind a hole, the times do not step back."""
    rig = streaming()
    assert rig.lane.ids is not None
    rig.lane.ids.accept(12, 12, rig.now + 7)
    rig.now += 9
    rig.tell(end)
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (rig.now - 2, rig.now - 2)


def test_inputs_of_the_other_kind_change_nothing() -> None:
    """A quote on a trade lane, a trade on a tick: never an error."""
    trades, tick = proving(), tick_proving()
    figures = steps.OfferedStats(Stats(5, 1, FIGURES, 0))
    assert trades.tell(steps.Offered(quote(1, 1.0), START), steps.Anchored(None), figures) == []
    assert tick.bring(1) == []
    assert tick.tell(page(1), steps.Hold(is_on=True), steps.PageFailed()) == []


def test_every_move_is_in_the_table_once() -> None:
    """And nothing leaves the end."""
    assert len(LAWFUL) == len(MOVES)
    assert not [move for move in MOVES if move.old is LaneState.CLOSED]


def test_a_shadow_decided_at_the_start_is_a_shadow_at_once() -> None:
    """The stream is asked for, polling serves."""
    rig = Rig()
    effects = rig.tell(SHADOW, steps.Start(Cursor(10, 10)))
    assert moved(effects)[-1] == (LaneState.SHADOW, Reason.PIN)
    assert effects[-1] == steps.OpenStream(1)


def test_a_tick_that_is_not_up_takes_no_streamed_figures() -> None:
    """No connection carries the stream: they are of an older one."""
    rig = tick_started()
    rig.tell(STREAM)
    assert rig.tell(steps.OfferedStats(Stats(6, 1, FIGURES, 0))) == []
