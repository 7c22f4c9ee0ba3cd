"""One lane's way through its states: each test one fact of the table or of the rules on top of it."""

import pytest

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Item, LaneKey, Quote, Stats
from foxtrot.transport.health import of_lane
from foxtrot.transport.lane import LEAVE_NS, Lane
from foxtrot.transport.proof import FIRST_DATA_NS
from foxtrot.transport.question import FRESH_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, Health, LaneState, Reason, Serving, Source, Transport

START = 1_000 * NS_PER_S
FIGURES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
STREAM = steps.Decide(Transport.STREAMING, Reason.PIN)
POLL = steps.Decide(Transport.POLLING, Reason.PIN)
KILL = steps.Decide(Transport.POLLING, Reason.KILL)


class Rig:
    """A lane with a clock, and what it asked for last."""

    def __init__(self, *, is_tick: bool = False) -> None:
        self.now = START
        self.lane = Lane(LaneKey("BTCUSDT", "tick" if is_tick else "trades"), is_tick=is_tick, now_ns=START, chance=lambda: 1.0)

    def tell(self, *given: steps.Input) -> list[steps.Effect]:
        """The effects of all these inputs, in the same moment."""
        return [effect for one in given for effect in self.lane.step(one, self.now)]

    def wait(self, seconds: float) -> list[steps.Effect]:
        """Time passes, and a pulse comes."""
        self.now += int(seconds * NS_PER_S)
        return self.tell(steps.Pulse())

    def poll(self, bid: float, last_id: int | None = None) -> list[steps.Effect]:
        """A poll asked and answered now."""
        stats = None if last_id is None else Stats(last_id, self.now, FIGURES, self.now)
        return self.tell(steps.Polled(Answer("BTCUSDT", polled(bid, self.now), stats), self.now))

    def traded(self, last_id: int) -> list[steps.Effect]:
        """A poll asked and answered now, of the figures alone."""
        stats = Stats(last_id, self.now, FIGURES, self.now)
        return self.tell(steps.Polled(Answer("BTCUSDT", None, stats), self.now))


def polled(bid: float, asked_ns: int) -> Quote:
    return quote(0, bid, asked_ns)


def quote(update_id: int, bid: float, asked_ns: int = 0) -> Quote:
    return Quote(update_id, bid, 1.0, bid + 1, 1.0, asked_ns, asked_ns)


def frame(number: int) -> steps.Offered:
    return steps.Offered(Item(number, number, number), START)


def items(*ids: int) -> list[Item]:
    return [Item(number, number, number) for number in ids]


def page(*ids: int) -> steps.Paged:
    return steps.Paged(items(*ids), is_full=False)


def started(cursor: int = 10) -> Rig:
    rig = Rig()
    rig.tell(steps.Start(Cursor(cursor, cursor)))
    return rig


def proving(cursor: int = 10) -> Rig:
    rig = started(cursor)
    rig.tell(STREAM, steps.StreamUp())
    return rig


def streaming() -> Rig:
    """Serves, the last id delivered is 11."""
    rig = proving()
    rig.tell(frame(11))
    assert rig.lane.state is LaneState.STREAMING
    return rig


def tick_proving() -> Rig:
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    rig.now += 1
    rig.tell(STREAM, steps.StreamUp())
    return rig


def tick_streaming() -> Rig:
    """Serves from an anchor with the update id 100."""
    rig = tick_proving()
    rig.tell(steps.Offered(quote(100, 1.0), rig.now), steps.Anchored(quote(100, 1.0, rig.now)))
    assert rig.lane.state is LaneState.STREAMING
    rig.now += NS_PER_S
    return rig


def fallen() -> Rig:
    """Tripped; the breaker opens for 5 s."""
    rig = streaming()
    rig.tell(steps.Stray())
    return rig


def kinds(effects: list[steps.Effect]) -> list[type[steps.Effect]]:
    return [type(effect) for effect in effects]


def moved(effects: list[steps.Effect]) -> list[tuple[LaneState, Reason]]:
    return [(effect.new, effect.reason) for effect in effects if isinstance(effect, steps.Announce)]


# --- the start ---------------------------------------------------------------------------------------------------------------


def test_nothing_serves_before_the_start_answer() -> None:
    """Decisions wait for it."""
    rig = Rig()
    assert rig.tell(STREAM, frame(11), steps.Pulse()) == []
    assert rig.lane.status.serving is Serving.NONE
    effects = rig.tell(steps.Start(Cursor(10, 10)))
    assert moved(effects) == [(LaneState.POLLING, Reason.SUBSCRIBED), (LaneState.PROVING, Reason.PIN)]
    assert kinds(effects)[-1] is steps.OpenStream


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


def test_polls_before_the_start_say_nothing() -> None:
    """There is no cursor to hold them against."""
    assert Rig().traded(5) == []


# --- polling -----------------------------------------------------------------------------------------------------------------


def test_a_polled_lane_fetches_what_is_new() -> None:
    """By id, from the cursor, one question at a time."""
    rig = started()
    assert rig.traded(10) == []
    assert rig.traded(12) == [steps.FetchPage(11, Source.POLL)]
    assert rig.traded(13) == []
    assert rig.tell(page(11, 12)) == [steps.Deliver(items(11, 12), Source.POLL), steps.FetchPage(13, Source.POLL)]


def test_a_page_that_failed_is_asked_again_soon() -> None:
    """After 250 ms, not at once."""
    rig = started()
    rig.traded(12)
    assert rig.tell(steps.PageFailed(), steps.Pulse()) == []
    assert rig.wait(0.25) == [steps.FetchPage(11, Source.POLL)]


def test_an_equal_quote_confirms() -> None:
    """It is not delivered again."""
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    rig.now += NS_PER_S
    assert rig.poll(1.0) == []
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (START, rig.now)


def test_a_cached_answer_is_dropped() -> None:
    """Its newest trade went back, so its quote is old too."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 5)
    rig.now += NS_PER_S
    assert rig.poll(2.0, 4) == []


def test_a_symbol_without_trades_for_a_day_is_served_on() -> None:
    """The last trade leaves the window: quotes and figures come as before."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 500)
    rig.now += NS_PER_S
    quote, figures = rig.poll(2.0, -1)
    assert quote == steps.Deliver([polled(2.0, rig.now)], Source.POLL)
    assert figures == steps.Deliver([Stats(-1, rig.now, FIGURES, rig.now)], Source.POLL)
    assert rig.lane.status.confirmed_ns == rig.now


def test_a_quote_goes_before_the_figures_that_came_with_it() -> None:
    """They would else be told with the quote before it."""
    rig = Rig(is_tick=True)
    rig.poll(1.0, 5)
    rig.now += NS_PER_S
    values = [effect.values[0] for effect in rig.poll(2.0, 6) if isinstance(effect, steps.Deliver)]
    assert [type(value) for value in values] == [Quote, Stats]


def test_figures_alone_confirm_no_tick() -> None:
    """They change it; that the quote still holds they do not say."""
    rig = tick_streaming()
    confirmed_ns = rig.lane.status.confirmed_ns
    rig.tell(steps.OfferedStats(Stats(5, 1, FIGURES, rig.now)))
    assert (rig.lane.status.changed_ns, rig.lane.status.confirmed_ns) == (rig.now, confirmed_ns)


def test_a_quote_asked_too_early_is_dropped() -> None:
    """Two polls that came back in the wrong order."""
    rig = Rig(is_tick=True)
    rig.poll(1.0)
    assert rig.tell(steps.Polled(Answer("BTCUSDT", polled(2.0, START - 1), None), START - 1)) == []


def test_an_answer_that_says_nothing_of_trades_confirms_nothing() -> None:
    """Quotes alone leave a trade lane unconfirmed, and prove no quiet stream."""
    rig = proving()
    rig.wait(5)
    assert rig.poll(1.0) == []
    assert rig.lane.status.confirmed_ns == START
    assert rig.lane.state is LaneState.PROVING


# --- proving -----------------------------------------------------------------------------------------------------------------


def test_the_first_data_proves_and_joins() -> None:
    """With nothing missing before it, the stream serves from that very value."""
    rig = proving()
    effects = rig.tell(frame(11))
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[-1] == steps.Deliver(items(11), Source.STREAM)


def test_what_lies_between_cursor_and_stream_is_fetched_first() -> None:
    """Then the buffer follows; nothing of it is repeated."""
    rig = proving()
    assert rig.tell(frame(13)) == [steps.FetchPage(11, Source.POLL)]
    effects = rig.tell(page(11, 12, 13))
    assert effects[0] == steps.Deliver(items(11, 12, 13), Source.POLL)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert rig.tell(frame(14))[0] == steps.Deliver(items(14), Source.STREAM)


def test_a_replay_proves_nothing() -> None:
    """Frames at or before the cursor are counted, that is all."""
    rig = proving()
    assert rig.tell(frame(9), frame(10)) == []
    assert rig.lane.status.duplicates_dropped == 2


def test_a_replayed_quote_proves_nothing() -> None:
    """An update id that was served before."""
    rig = tick_streaming()
    rig.tell(steps.StreamDown(), steps.StreamUp())
    assert rig.tell(steps.Offered(quote(100, 1.0), rig.now)) == []
    assert rig.tell(steps.Offered(quote(101, 1.0), rig.now)) == [steps.FetchAnchor()]


def test_quiet_polls_prove_a_quiet_stream() -> None:
    """The stream serves without a single frame."""
    rig = proving()
    rig.wait(1)
    rig.traded(10)
    rig.wait(1)
    effects = rig.traded(10)
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_quiet_tick_is_proved_by_equal_quotes() -> None:
    """It asks its anchor then."""
    rig = tick_proving()
    rig.wait(1)
    rig.poll(1.0)
    rig.wait(1)
    assert rig.poll(1.0) == [steps.FetchAnchor()]


def test_a_stream_that_owes_data_fails() -> None:
    """Polls show trades, the stream brings none for 10 s: the breaker opens."""
    rig = proving()
    for last_id in (10, 12):
        rig.wait(1)
        rig.traded(last_id)
    rig.wait(FIRST_DATA_NS / NS_PER_S - 0.1)
    assert rig.lane.state is LaneState.PROVING
    effects = rig.wait(0.1)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.FIRST_DATA)]
    assert effects[-1] == steps.BreakerMoved(BreakerState.CLOSED, BreakerState.OPEN)


def test_a_lost_connection_ends_the_attempt_without_blame() -> None:
    """The lane waits for its connection, and tries again as soon as it is back."""
    rig = proving()
    assert moved(rig.tell(steps.StreamDown())) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert rig.lane.breaker.openings == 0
    assert rig.wait(60) == []
    assert moved(rig.tell(steps.StreamUp())) == [(LaneState.PROVING, Reason.RETRY)]


def test_a_redial_that_fails_changes_nothing() -> None:
    """The lane has fallen already, and goes on waiting."""
    rig = proving()
    rig.tell(steps.StreamDown())
    assert rig.tell(steps.StreamDown(), steps.Pulse()) == []


def test_a_connection_for_a_lane_that_polls_changes_nothing() -> None:
    """It was decided otherwise meanwhile."""
    rig = started()
    assert rig.tell(steps.StreamUp(), frame(11)) == []


def test_a_decision_for_polling_ends_the_attempt() -> None:
    """The stream is shut, and nothing counted."""
    rig = proving()
    effects = rig.tell(POLL)
    assert kinds(effects) == [steps.ShutStream, steps.Announce]
    assert (rig.lane.state, rig.lane.breaker.openings) == (LaneState.POLLING, 0)


def test_frames_without_a_connection_are_ignored() -> None:
    """Late ones of a connection that is gone."""
    rig = started()
    rig.tell(STREAM)
    assert rig.tell(frame(11)) == []
    assert rig.lane.state is LaneState.PROVING


def test_a_hold_while_proving_delays_the_join() -> None:
    """What was let go meanwhile is fetched by id before the stream serves."""
    rig = proving()
    assert rig.tell(steps.Hold(is_on=True), frame(12), steps.Pulse()) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(11, Source.POLL)]
    assert moved(rig.tell(page(11, 12))) == [(LaneState.STREAMING, Reason.PROOF)]


# --- the anchor --------------------------------------------------------------------------------------------------------------


def test_a_tick_joins_by_its_anchor() -> None:
    """The anchor is delivered, and the newer of the quotes that waited."""
    rig = tick_proving()
    assert rig.tell(steps.Offered(quote(99, 1.0), rig.now)) == [steps.FetchAnchor()]
    rig.tell(steps.Offered(quote(101, 2.0), rig.now))
    anchor = quote(100, 1.5, rig.now)
    effects = rig.tell(steps.Anchored(anchor))
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[1:] == [steps.Deliver([anchor], Source.POLL), steps.Deliver([quote(101, 2.0)], Source.STREAM)]


@pytest.mark.parametrize("anchor", [None, quote(100, 1.0, START + 1)])
def test_an_anchor_that_is_none_is_asked_again(anchor: Quote | None) -> None:
    """It failed, or was asked before the stream's first frame."""
    rig = tick_proving()
    rig.now += 1
    rig.tell(steps.Offered(quote(99, 1.0), rig.now))
    assert rig.tell(steps.Anchored(anchor), steps.Pulse()) == []
    assert rig.wait(0.25) == [steps.FetchAnchor()]


def test_polls_make_way_for_an_anchor_under_way() -> None:
    """One asked later would make it worthless; but not for longer than 2 s."""
    rig = tick_proving()
    rig.tell(steps.Offered(quote(99, 1.0), rig.now))
    rig.now += FRESH_NS - 1
    assert rig.poll(2.0) == []
    rig.now += 1
    assert kinds(rig.poll(2.0)) == [steps.Deliver]
    asked_earlier = quote(100, 1.0, rig.now - 1)
    assert rig.tell(steps.Anchored(asked_earlier)) == []


def test_an_anchor_of_an_older_attempt_opens_nothing() -> None:
    """The new attempt has not shown anything yet."""
    rig = tick_proving()
    rig.tell(steps.Offered(quote(99, 1.0), rig.now))
    asked_ns = rig.now
    rig.wait(1)
    rig.tell(steps.StreamDown(), steps.StreamUp())
    assert rig.tell(steps.Anchored(quote(100, 1.0, asked_ns))) == []
    assert rig.lane.state is LaneState.PROVING
    assert rig.tell(steps.Offered(quote(101, 1.0), rig.now)) == [steps.FetchAnchor()]


# --- streaming ---------------------------------------------------------------------------------------------------------------


def test_a_hole_is_filled_in_order() -> None:
    """What waited behind it follows at once."""
    rig = streaming()
    assert rig.tell(frame(14)) == [steps.FetchPage(12, Source.BACKFILL)]
    assert rig.tell(page(12, 13, 14)) == [steps.Deliver(items(12, 13), Source.BACKFILL), steps.Deliver(items(14), Source.STREAM)]


def test_a_page_that_trails_the_stream_is_asked_again() -> None:
    """Not at once."""
    rig = streaming()
    rig.tell(frame(14))
    assert rig.tell(page()) == []
    assert rig.wait(0.25) == [steps.FetchPage(12, Source.BACKFILL)]


def test_ids_that_the_venue_does_not_have_are_told() -> None:
    """Once, and the stream goes on."""
    rig = streaming()
    rig.tell(frame(14))
    assert rig.tell(page(14)) == [steps.Missing(12, 13, Reason.GAP), steps.Deliver(items(14), Source.STREAM)]
    assert rig.lane.status.gaps == 1


def test_a_page_tells_where_it_was_asked() -> None:
    """Asked while the stream served, answered while polling does: still backfill."""
    rig = streaming()
    rig.tell(frame(14), POLL)
    assert rig.tell(page(12, 13, 14))[0] == steps.Deliver(items(12, 13, 14), Source.BACKFILL)


def test_a_silent_stream_is_given_up() -> None:
    """The venue is ahead for 5 s: polling serves, asks at once, and the breaker opens."""
    rig = streaming()
    rig.traded(12)
    rig.now += 5 * NS_PER_S
    effects = rig.traded(12)
    assert moved(effects) == [(LaneState.FALLBACK, Reason.SILENCE)]
    assert kinds(effects) == [steps.ShutStream, steps.Announce, steps.PollNow, steps.FetchPage, steps.BreakerMoved]


def test_a_silent_tick_is_given_up_after_two_misses() -> None:
    """And the poll after it is delivered."""
    rig = tick_streaming()
    rig.now += 10 * NS_PER_S
    assert rig.poll(2.0) == []
    rig.now += NS_PER_S
    assert moved(rig.poll(2.0)) == [(LaneState.FALLBACK, Reason.SILENCE)]
    rig.now += 1
    assert kinds(rig.poll(2.0)) == [steps.Deliver]


def test_figures_that_cross_every_poll_blind_no_audit() -> None:
    """Both come once a second: a newer trade in the figures between request and answer makes no answer a cached one."""
    rig = tick_streaming()
    for second in range(3):
        asked_ns = rig.now + NS_PER_S
        rig.now = asked_ns + NS_PER_S // 50
        rig.tell(steps.OfferedStats(Stats(10 + second, 1, FIGURES, rig.now)))
        stats = Stats(9 + second, 1, FIGURES, rig.now)
        rig.tell(steps.Polled(Answer("BTCUSDT", polled(9.0, asked_ns), stats), asked_ns))
    assert (rig.lane.state, rig.lane.reason) == (LaneState.FALLBACK, Reason.SILENCE)


def test_an_old_answer_neither_confirms_nor_forgives() -> None:
    """A replica that lags answers between two others: the silent stream is given up in time."""
    rig = streaming()
    rig.now += NS_PER_S
    rig.traded(12)
    rig.now += 2 * NS_PER_S
    rig.traded(11)
    assert rig.lane.status.confirmed_ns == START
    rig.now += 3 * NS_PER_S
    assert moved(rig.traded(12)) == [(LaneState.FALLBACK, Reason.SILENCE)]


def test_old_answers_prove_no_quiet_stream() -> None:
    """They do not say that nothing happened since."""
    rig = proving()
    rig.wait(1)
    rig.traded(10)
    rig.wait(1)
    assert rig.traded(9) == []
    assert moved(rig.traded(10)) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_reordered_frame_takes_along_what_waited() -> None:
    """At once, without a page."""
    rig = streaming()
    rig.tell(frame(13))
    ids = rig.lane.ids
    assert ids is not None
    assert not ids.accept(12, 12, rig.now)
    assert rig.tell(frame(12)) == [steps.Deliver(items(12, 13), Source.STREAM)]
    assert ids.accept(14, 14, rig.now)


def test_replayed_quotes_keep_no_stream_alive() -> None:
    """A venue that repeats its past for ever is found as dead as a silent one."""
    rig = tick_streaming()
    for second in range(1, 4):
        rig.now += NS_PER_S
        rig.tell(steps.Offered(quote(100, 1.0), rig.now))
        rig.poll(1.0 + second)
    assert rig.lane.state is LaneState.FALLBACK


def test_a_wrong_symbol_is_a_trip() -> None:
    """At one."""
    assert moved(streaming().tell(steps.Stray())) == [(LaneState.FALLBACK, Reason.WRONG_SYMBOL)]


def test_a_wrong_symbol_on_no_stream_is_nothing() -> None:
    """A polled lane has nothing to give up."""
    assert started().tell(steps.Stray()) == []


def test_a_lost_connection_falls_back_and_comes_home() -> None:
    """It is not the lane's fault: nothing is counted, and the stream is not shut."""
    rig = streaming()
    effects = rig.tell(steps.StreamDown())
    assert moved(effects) == [(LaneState.FALLBACK, Reason.CONNECTION)]
    assert kinds(effects) == [steps.Announce, steps.PollNow]
    rig.tell(steps.StreamUp())
    assert moved(rig.tell(frame(12))) == [(LaneState.STREAMING, Reason.PROOF)]


def test_a_decision_for_polling_ends_trades_at_once() -> None:
    """What waited behind a hole comes by id."""
    rig = streaming()
    rig.tell(frame(13))
    rig.tell(steps.PageFailed())
    effects = rig.tell(POLL)
    assert kinds(effects) == [steps.ShutStream, steps.Announce, steps.PollNow, steps.FetchPage]
    assert rig.tell(frame(12)) == []


def test_a_tick_leaves_with_the_polled_value_first() -> None:
    """Until it comes nothing streamed is delivered."""
    rig = tick_streaming()
    assert rig.tell(POLL) == [steps.PollNow()]
    assert rig.tell(POLL, steps.Offered(quote(101, 3.0), rig.now)) == []
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
    rig.tell(POLL, steps.Offered(quote(101, 3.0), rig.now))
    assert rig.tell(STREAM) == [steps.Deliver([quote(101, 3.0)], Source.STREAM)]
    assert rig.wait(10) == []
    assert rig.lane.state is LaneState.STREAMING


@pytest.mark.parametrize("end", [steps.Stray(), steps.StreamDown()])
def test_a_stream_that_ends_while_leaving_has_left(end: steps.Input) -> None:
    """Polling was decided: there is nothing to fall back from."""
    rig = tick_streaming()
    rig.tell(POLL)
    assert moved(rig.tell(end)) == [(LaneState.POLLING, Reason.PIN)]
    assert rig.wait(60) == []


def test_streamed_figures_come_while_the_stream_is_on() -> None:
    """After a switch to polling nothing streamed follows, not even figures."""
    rig = tick_streaming()
    given = steps.OfferedStats(Stats(5, 1, FIGURES, 0))
    assert rig.tell(given) == [steps.Deliver([given.stats], Source.STREAM)]
    assert rig.tell(given) == []
    rig.tell(KILL)
    assert rig.tell(steps.OfferedStats(Stats(6, 1, FIGURES, 0))) == []


def test_another_reason_for_the_same_stream_changes_nothing() -> None:
    """A pin where a rollout had decided."""
    rig = streaming()
    assert rig.tell(steps.Decide(Transport.STREAMING, Reason.ROLLOUT)) == []


# --- fallback ----------------------------------------------------------------------------------------------------------------


def test_nothing_is_tried_before_the_break_is_over() -> None:
    """Then the stream is asked for again."""
    rig = fallen()
    assert rig.wait(4.9) == []
    effects = rig.wait(0.1)
    assert moved(effects) == [(LaneState.PROVING, Reason.RETRY)]
    assert kinds(effects) == [steps.Announce, steps.OpenStream, steps.BreakerMoved]


def test_a_decision_does_not_shorten_the_break() -> None:
    """Polling and back: the lane falls back again until ``retry_at``."""
    rig = fallen()
    assert moved(rig.tell(POLL, STREAM)) == [(LaneState.POLLING, Reason.PIN), (LaneState.FALLBACK, Reason.BREAKER_OPEN)]
    assert kinds(rig.wait(5)) == [steps.Announce, steps.OpenStream, steps.BreakerMoved]


def test_revive_does() -> None:
    """By hand, at once."""
    rig = fallen()
    assert moved(rig.tell(steps.Revive())) == [(LaneState.PROVING, Reason.RETRY)]


def test_proof_closes_the_breaker() -> None:
    """Home again, two switches more."""
    rig = fallen()
    rig.wait(5)
    effects = rig.tell(steps.StreamUp(), frame(12))
    assert moved(effects) == [(LaneState.STREAMING, Reason.PROOF)]
    assert effects[-1] == steps.BreakerMoved(BreakerState.HALF_OPEN, BreakerState.CLOSED)
    assert rig.lane.status.switches == 3


def test_a_lane_that_polls_by_decision_needs_no_stream() -> None:
    """Nothing is tried, however long."""
    rig = fallen()
    rig.tell(POLL)
    assert rig.wait(1_000) == []


# --- holds and the end -------------------------------------------------------------------------------------------------------


def test_a_hold_lets_frames_go_and_completes_them_by_id() -> None:
    """The stream still serves; the page is backfill."""
    rig = streaming()
    assert rig.tell(steps.Hold(is_on=True), frame(12), frame(13)) == []
    assert rig.traded(13) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(12, Source.BACKFILL)]
    assert rig.tell(page(12, 13)) == [steps.Deliver(items(12, 13), Source.BACKFILL)]


@pytest.mark.parametrize("rig", [started(), streaming()])
def test_a_poll_answered_during_a_hold_confirms(rig: Rig) -> None:
    """The venue is reached, however far ahead: the lane is degraded by its consumer, not blind."""
    rig.tell(steps.Hold(is_on=True))
    rig.now += 4 * NS_PER_S
    assert rig.traded(50) == []
    assert of_lane(rig.lane.status, is_held=True, wants_stream=False, now_ns=rig.now)[::2][:2] == (
        Health.DEGRADED,
        Reason.CONSUMER_SLOW,
    )


def test_a_page_that_comes_during_a_hold_is_let_go() -> None:
    """It is asked again afterwards."""
    rig = started()
    rig.traded(12)
    assert rig.tell(steps.Hold(is_on=True), page(11, 12)) == []
    assert rig.tell(steps.Hold(is_on=False)) == [steps.FetchPage(11, Source.POLL)]


def test_ticks_know_no_hold() -> None:
    """They are conflated instead; nor does a hold begin twice."""
    rig = tick_streaming()
    assert rig.tell(steps.Hold(is_on=True)) == []
    assert not rig.lane.is_held
    other = streaming()
    assert other.tell(steps.Hold(is_on=True), steps.Hold(is_on=True)) == []


@pytest.mark.parametrize("rig", [proving(), streaming(), tick_streaming(), fallen()])
def test_a_closed_lane_shuts_its_stream(rig: Rig) -> None:
    """Its closing event is its last."""
    effects = rig.tell(steps.Close(Reason.UNSUBSCRIBED))
    assert kinds(effects)[:2] == [steps.ShutStream, steps.Announce]
    assert moved(effects) == [(LaneState.CLOSED, Reason.UNSUBSCRIBED)]
    assert rig.tell(frame(12), STREAM, steps.StreamUp(), page(12), steps.Pulse()) == []


@pytest.mark.parametrize("rig", [Rig(), started()])
def test_a_polled_lane_closes_without_a_stream(rig: Rig) -> None:
    """Also before it has started."""
    assert kinds(rig.tell(steps.Close(Reason.CLOSING))) == [steps.Announce]


def test_no_door_admits_after_the_end() -> None:
    """The hot doors are the order's own."""
    trades, tick = streaming(), tick_streaming()
    for rig in (trades, tick):
        rig.tell(steps.Close(Reason.CLOSING))
    assert trades.lane.ids is not None
    assert tick.lane.quotes is not None
    assert not trades.lane.ids.accept(12, 12, 0)
    assert not tick.lane.quotes.accept(101, (1.0, 1.0, 2.0, 1.0), 0)


def test_what_passes_the_door_is_fresh() -> None:
    """While the stream serves, the last frame confirms; afterwards it does not."""
    rig = streaming()
    assert rig.lane.ids is not None
    assert rig.lane.ids.accept(12, 12, START + 7)
    status = rig.lane.status
    assert (status.delivered, status.changed_ns, status.confirmed_ns) == (2, START + 7, START + 7)


def test_a_status_before_the_start_is_empty() -> None:
    """Nothing delivered, nothing serving."""
    status = Rig().lane.status
    assert (status.delivered, status.duplicates_dropped, status.serving) == (0, 0, Serving.NONE)


def test_inputs_of_the_other_kind_change_nothing() -> None:
    """A quote on a trade lane, a trade on a tick: never an error."""
    trades, tick = proving(), tick_proving()
    assert trades.tell(steps.Offered(quote(1, 1.0), START), steps.Anchored(None)) == []
    assert tick.tell(frame(1), page(1), steps.Hold(is_on=True), steps.PageFailed()) == []
