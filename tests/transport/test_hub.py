"""Lanes fed and obeyed: the real hub, beat, starts, streams and fleet on a virtual clock."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foxtrot.transport.base import LaneKey
from foxtrot.transport.polling import INTERVAL_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState, Health, LaneState, Reason, Serving, Source, Transport
from foxtrot.util.errors import Banned, RateLimited, Unavailable
from tests.support.fake_transports import frame
from tests.support.hub_rig import BTC, TICK, HubRig
from tests.support.virtual_clock import settle

AGG = LaneKey("BTCUSDT", "agg_trades")
STRANGE = LaneKey("NOSUCH", "trades")


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[HubRig]:
    made = HubRig()
    yield made
    await made.close()


def health(rig: HubRig) -> Health:
    return rig.healths[-1][1].health


def states(rig: HubRig, key: LaneKey = BTC) -> list[tuple[LaneState, Reason]]:
    return [(state, reason) for found, state, reason in rig.moves if found == key]


# --- the start ---------------------------------------------------------------------------------------------------------------


async def test_nothing_is_asked_of_a_symbol_before_its_start_answer(rig: HubRig) -> None:
    """One request starts all of its lanes; then the beat takes it in."""
    await rig.open(BTC, TICK, AGG, streaming=True)
    asked = [(call, at) for call, _, at in rig.rest.asked]
    assert sorted(call for call, _ in asked[:2]) == ["newest", "ticker"]
    assert len({at for _, at in asked[:2]}) == 1
    assert len(rig.dialler.dials) == 1


async def test_a_start_without_an_answer_is_asked_again(rig: HubRig) -> None:
    """A second later; meanwhile the lane is blind, and the problem is said once."""
    rig.rest.failing["ticker"] = Unavailable("no route")
    await rig.open(BTC)
    await rig.clock.advance(3.0)
    assert rig.status(BTC).serving is Serving.NONE
    assert len(rig.problems) == 1
    assert "no route" in rig.problems[0]
    assert health(rig) is Health.BLIND
    rig.rest.failing.clear()
    await rig.until(BTC, LaneState.POLLING, 2.0)
    await rig.clock.advance(1.0)
    assert rig.status(BTC).serving is Serving.POLL
    assert health(rig) is Health.LIVE


async def test_a_start_that_breaks_the_program_is_asked_again(rig: HubRig) -> None:
    """A bug below it must not keep every later lane from starting."""
    rig.rest.failing["ticker"] = ZeroDivisionError("a bug")
    await rig.open(BTC)
    assert rig.problems == ["ZeroDivisionError: a bug"]
    rig.rest.failing.clear()
    await rig.clock.advance(1.1)
    assert rig.status(BTC).serving is Serving.POLL


async def test_a_day_without_trades_begins_at_the_last_one_before_it(rig: HubRig) -> None:
    """The figures of a quiet day name no trade; nothing older than the subscription is delivered all the same."""
    rig.rest.trades["BTCUSDT"] = -1
    rig.rest.older["BTCUSDT"] = 5_000
    await rig.open(BTC)
    await rig.clock.advance(1.0)
    rig.rest.trades["BTCUSDT"] = 5_002
    await rig.clock.advance(2.0)
    assert rig.arrived == [5_001, 5_002]


async def test_figures_in_rotation_keep_a_quiet_lane_confirmed(rig: HubRig) -> None:
    """Two hundred symbols are told of their trades every five seconds: that is as planned, not blind."""
    keys = [LaneKey(f"S{number}USDT", "trades") for number in range(200)]
    rig.rest.trades.update({key.symbol: 1 for key in keys})
    await rig.open(*keys)
    await rig.clock.advance(5.0)
    rig.healths.clear()
    await rig.clock.advance(30.0)
    assert [finding.health for _, finding in rig.healths if finding.health is Health.BLIND] == []


async def test_an_outlet_that_raises_stops_nothing(rig: HubRig) -> None:
    """What is a user's callback at the far end must not end the pulse, nor the lane."""
    await rig.open(TICK)
    rig.raises = ZeroDivisionError("a callback's own bug")
    rig.quote(2.0)
    await rig.clock.advance(1.5)
    rig.raises = None
    rig.quote(3.0)
    await rig.clock.advance(1.5)
    assert rig.quotes[-1][0].bid == 3.0


async def test_an_unknown_symbol_blinds_no_other(rig: HubRig) -> None:
    """It is closed with its reason; the others start."""
    await rig.open(BTC, STRANGE, TICK)
    await rig.clock.advance(1.0)
    assert states(rig, STRANGE) == [(LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)]
    assert rig.status(BTC).serving is Serving.POLL
    assert "NOSUCH" in rig.problems[0]


async def test_a_symbol_that_goes_blinds_no_other(rig: HubRig) -> None:
    """Delisted while it is in the beat: the batch is halved until it stands alone; it is given up after a minute."""
    rig.rest.trades["OLDUSDT"] = 3
    old = LaneKey("OLDUSDT", "tick")
    await rig.open(old, TICK)
    del rig.rest.trades["OLDUSDT"]
    rig.quote(5.0)
    await rig.clock.advance(1.1)
    assert rig.quotes[-1][0].bid == 5.0
    assert states(rig, old)[-1] != (LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)
    await rig.clock.advance(62.0)
    assert states(rig, old)[-1] == (LaneState.CLOSED, Reason.UNKNOWN_SYMBOL)


async def test_a_lane_closed_while_it_starts_hears_nothing_more(rig: HubRig) -> None:
    """Its closing event is its only one."""
    rig.rest.delay = 0.5
    await rig.open(BTC)
    rig.hub.close_lane(BTC, Reason.UNSUBSCRIBED)
    await rig.clock.advance(2.0)
    assert states(rig) == [(LaneState.CLOSED, Reason.UNSUBSCRIBED)]


async def test_opening_twice_is_opening_once(rig: HubRig) -> None:
    """A lane that is open stays as it is."""
    await rig.open(BTC)
    rig.hub.open_lanes([BTC])
    await rig.clock.advance(0.5)
    assert len(rig.hub.statuses()) == 1


# --- polling -----------------------------------------------------------------------------------------------------------------


async def test_a_polled_lane_gets_every_id_in_order(rig: HubRig) -> None:
    """Page after page, as the beat shows that there is something."""
    await rig.open(BTC)
    rig.trade(count=23)
    await rig.clock.advance(3.0)
    assert rig.arrived == list(range(11, 34))
    assert {source for _, _, source in rig.feed.delivered} == {Source.POLL}


async def test_a_page_that_fails_is_asked_again(rig: HubRig) -> None:
    """The problem is said once, and the ids are not lost."""
    rig.rest.failing["page"] = Unavailable("reset")
    await rig.open(BTC)
    rig.trade(count=3)
    await rig.clock.advance(5.0)
    assert len([problem for problem in rig.problems if "reset" in problem]) == 1
    rig.rest.failing.clear()
    await rig.clock.advance(3.0)
    assert rig.arrived == [11, 12, 13]


async def test_an_answer_that_breaks_the_program_is_answered_too(rig: HubRig) -> None:
    """A bug below a page must not leave its lane waiting for ever."""
    rig.rest.failing["page"] = ZeroDivisionError("a bug")
    await rig.open(BTC)
    rig.trade()
    await rig.clock.advance(1.5)
    rig.rest.failing.clear()
    await rig.clock.advance(3.0)
    assert rig.arrived == [11]


async def test_the_beat_does_not_drift(rig: HubRig) -> None:
    """On multiples of its interval from the start, however slow the answers."""
    rig.rest.delay = 0.3
    start = rig.clock.now_ns()
    await rig.open(TICK)
    await rig.clock.advance(10.0)
    beats = [at - start for call, _, at in rig.rest.asked if call == "ticker"][1:]
    assert beats == [number * INTERVAL_NS for number in range(1, 11)]


async def test_many_symbols_share_their_requests(rig: HubRig) -> None:
    """Quotes of all at once, figures in turns: eight of weight a second for a hundred symbols."""
    keys = [LaneKey(f"S{number}USDT", "tick") for number in range(100)]
    rig.rest.trades.update({key.symbol: 1 for key in keys})
    await rig.open(*keys)
    await rig.clock.advance(1.0)
    rig.rest.asked.clear()
    await rig.clock.advance(5.0)
    assert rig.rest.times("book_ticker") == 5
    assert rig.rest.times("ticker") == 10


@pytest.mark.parametrize("error", [RateLimited("429", retry_after=20.0), Banned("418", retry_after=20.0)])
async def test_a_venue_that_asks_for_silence_gets_it(rig: HubRig, error: RateLimited) -> None:
    """Nothing at all is asked before its time; the symbol is blind meanwhile."""
    await rig.open(BTC, TICK)
    rig.rest.failing["ticker"] = error
    await rig.clock.advance(1.0)
    rig.rest.asked.clear()
    rig.rest.failing.clear()
    await rig.clock.advance(19.0)
    assert rig.rest.asked == []
    assert health(rig) is Health.BLIND
    await rig.clock.advance(3.0)
    assert rig.rest.asked
    assert health(rig) is Health.LIVE


async def test_a_page_refused_with_429_silences_all(rig: HubRig) -> None:
    """The venue counts addresses, not lanes."""
    await rig.open(BTC, TICK)
    rig.rest.failing["page"] = RateLimited("429", retry_after=10.0)
    rig.trade()
    await rig.clock.advance(1.0)
    rig.rest.failing.clear()
    rig.rest.asked.clear()
    await rig.clock.advance(9.0)
    assert rig.rest.asked == []
    await rig.clock.advance(3.0)
    assert rig.arrived == [11]


@pytest.mark.parametrize("error", [RateLimited("429", retry_after=10.0), Banned("418", retry_after=10.0)])
async def test_a_start_refused_with_429_waits(rig: HubRig, error: RateLimited) -> None:
    """It is asked again when the venue's time is over, not every second."""
    rig.rest.failing["ticker"] = error
    await rig.open(BTC)
    rig.rest.failing.clear()
    await rig.clock.advance(9.0)
    assert len(rig.rest.asked) == 1
    await rig.clock.advance(2.0)
    assert rig.status(BTC).serving is Serving.POLL


async def test_quotes_of_all_that_fail_are_said_once(rig: HubRig) -> None:
    """The beat goes on."""
    keys = [LaneKey(f"S{number}USDT", "tick") for number in range(50)]
    rig.rest.trades.update({key.symbol: 1 for key in keys})
    await rig.open(*keys)
    rig.rest.failing["book_ticker"] = Unavailable("reset")
    rig.rest.failing["ticker"] = Unavailable("reset")
    await rig.clock.advance(5.0)
    assert rig.problems == ["reset"]
    assert rig.rest.times("book_ticker") > 3


async def test_a_beat_over_its_share_is_left_out(rig: HubRig) -> None:
    """And counted; nothing is asked beyond the weight."""
    await rig.open(TICK)
    rig.budget.spend(2_000, rig.clock.now_ns())
    before = rig.rest.times("ticker")
    await rig.clock.advance(5.0)
    assert rig.rest.times("ticker") == before
    assert rig.hub.polling.left_out == 5


async def test_ids_that_the_venue_does_not_have_are_told(rig: HubRig) -> None:
    """As a gap, among the lane's data."""
    await rig.open(BTC)
    rig.rest.trades["BTCUSDT"] = 17
    rig.rest.first["BTCUSDT"] = 15
    await rig.clock.advance(2.0)
    assert rig.gaps == [(11, 14)]
    assert rig.arrived == [15, 16, 17]


async def test_a_symbol_missing_from_the_start_answer_is_asked_again(rig: HubRig) -> None:
    """The others of its batch start."""
    rig.rest.trades["NEWUSDT"] = 4
    rig.rest.absent.add("NEWUSDT")
    new = LaneKey("NEWUSDT", "trades")
    await rig.open(new, BTC)
    assert rig.status(BTC).serving is Serving.POLL
    assert rig.status(new).serving is Serving.NONE
    rig.rest.absent.clear()
    await rig.clock.advance(1.1)
    assert rig.status(new).serving is Serving.POLL


async def test_lanes_that_fall_together_share_their_extra_polls(rig: HubRig) -> None:
    """Twenty symbols cut at once: one request, not twenty."""
    keys = [LaneKey(f"S{number}USDT", "tick") for number in range(20)]
    rig.rest.trades.update({key.symbol: 99 for key in keys})
    await rig.streaming(*keys)
    await rig.clock.advance(0.5)
    rig.rest.asked.clear()
    rig.dialler.wire.end("cut")
    await rig.clock.advance(0.3)
    assert rig.rest.times("ticker") <= 2


async def test_the_share_is_never_passed(rig: HubRig) -> None:
    """Pages of weight 25 as fast as they may: no minute holds more than half the limit."""
    await rig.open(BTC, TICK)
    rig.trade(count=2_000, is_streamed=False)
    await rig.clock.advance(150.0)
    weights = [(at, rig.rest.weight(call)) for call, _, at in rig.rest.asked]
    assert max(sum(weight for at, weight in weights if start <= at < start + 60 * NS_PER_S) for start, _ in weights) <= 3_000
    assert rig.arrived == list(range(11, 11 + len(rig.arrived)))
    assert len(rig.arrived) > 1_000


# --- streams -----------------------------------------------------------------------------------------------------------------


async def test_a_lane_goes_to_its_stream_and_is_whole(rig: HubRig) -> None:
    """Trades before, while and after the join: each once, in order."""
    await rig.open(BTC, streaming=True)
    rig.trade(count=2, is_streamed=False)
    rig.trade(count=2)
    await rig.until(BTC, LaneState.STREAMING, 2.0)
    rig.trade(count=3)
    assert rig.arrived == list(range(11, 18))
    assert rig.feed.delivered[-1][2] is Source.STREAM


async def test_a_tick_goes_to_its_stream_by_an_anchor(rig: HubRig) -> None:
    """Then quotes pass the door without a poll."""
    rig.rest.delay = 0.02
    await rig.open(TICK, streaming=True)
    rig.quote(2.0)
    await rig.until(TICK, LaneState.STREAMING, 12.0)
    rig.quote(3.0)
    assert rig.rest.times("anchor") == 1
    assert rig.feed.delivered[-1] == (TICK, rig.rest.book_ids["BTCUSDT"], Source.STREAM)


async def test_an_anchor_that_fails_is_asked_again(rig: HubRig) -> None:
    """Polling serves meanwhile."""
    rig.rest.failing["anchor"] = Unavailable("reset")
    await rig.open(TICK, streaming=True)
    rig.quote(2.0)
    await rig.clock.advance(15.0)
    assert rig.rest.times("anchor") > 1
    assert rig.status(TICK).state is LaneState.PROVING
    assert rig.quotes[-1][0].bid == 2.0
    rig.rest.failing.clear()
    await rig.until(TICK, LaneState.STREAMING, 5.0)


async def test_a_lost_connection_is_polled_within_a_second_and_comes_home(rig: HubRig) -> None:
    """Rule 4: the extra poll is asked at once."""
    await rig.streaming(TICK, BTC)
    await rig.clock.advance(0.3)
    rig.quote(9.0, is_streamed=False)
    rig.trade(count=2, is_streamed=False)
    lost = rig.clock.now_ns()
    rig.dialler.wire.end("cut")
    assert states(rig)[-1] == (LaneState.FALLBACK, Reason.CONNECTION)
    await rig.clock.advance_until(lambda: rig.quotes[-1][0].bid == 9.0, 1.0)
    await rig.clock.advance_until(lambda: rig.arrived == [11, 12], 2.0)
    assert rig.quotes[-1][2] - lost < NS_PER_S
    await rig.until(TICK, LaneState.STREAMING, 10.0)
    await rig.until(BTC, LaneState.STREAMING, 10.0)
    assert rig.breakers == []


async def test_a_silent_stream_is_given_up_and_retried(rig: HubRig) -> None:
    """The lane's own breaker opens, and closes with the next proof."""
    await rig.streaming(BTC)
    rig.trade(is_streamed=False)
    took = await rig.until(BTC, LaneState.FALLBACK, 8.0)
    assert took < 7.0
    assert states(rig)[-1] == (LaneState.FALLBACK, Reason.SILENCE)
    await rig.until(BTC, LaneState.STREAMING, 40.0)
    assert rig.arrived == [11]
    assert rig.breakers == [
        (BreakerState.CLOSED, BreakerState.OPEN),
        (BreakerState.OPEN, BreakerState.HALF_OPEN),
        (BreakerState.HALF_OPEN, BreakerState.CLOSED),
    ]


async def test_a_frame_of_another_symbol_is_a_trip(rig: HubRig) -> None:
    """At one."""
    await rig.streaming(BTC)
    rig.dialler.wire.bring(b'{"stream":"BTCUSDT@trades","symbol":"ETHUSDT","id":99}')
    await settle()
    assert states(rig)[-1] == (LaneState.FALLBACK, Reason.WRONG_SYMBOL)
    assert 99 not in rig.arrived


async def test_revive_ends_the_wait(rig: HubRig) -> None:
    """By hand, for one symbol or for all."""
    await rig.streaming(BTC)
    rig.dialler.wire.bring(b'{"stream":"BTCUSDT@trades","symbol":"ETHUSDT","id":99}')
    rig.hub.revive(["ETHUSDT"])
    assert rig.status(BTC).state is LaneState.FALLBACK
    rig.hub.revive()
    assert rig.status(BTC).state is LaneState.PROVING


async def test_decisions_move_lanes_there_and_back_without_a_loss(rig: HubRig) -> None:
    """Every five seconds, with trades all the time."""
    await rig.open(BTC)
    for turn in range(8):
        rig.stream(BTC, transport=Transport.STREAMING if turn % 2 else Transport.POLLING)
        for _ in range(25):
            rig.trade()
            await rig.clock.advance(0.2)
    await rig.clock.advance(2.0)
    assert rig.arrived == list(range(11, 211))
    assert rig.status(BTC).switches >= 6


async def test_a_kill_ends_the_stream_at_once(rig: HubRig) -> None:
    """Nothing streamed follows its event, though frames still come."""
    await rig.streaming(BTC, TICK)
    rig.stream(BTC, TICK, transport=Transport.POLLING, reason=Reason.KILL)
    assert states(rig)[-1] == (LaneState.POLLING, Reason.KILL)
    assert states(rig, TICK)[-1] == (LaneState.POLLING, Reason.KILL)
    before = len(rig.feed.delivered)
    rig.dialler.wire.bring(frame(BTC, 11))
    rig.dialler.wire.bring(frame(TICK, 900, 7.0))
    assert len(rig.feed.delivered) == before


async def test_a_hole_is_filled_at_once_though_polled_lanes_queue(rig: HubRig) -> None:
    """Backfill does not wait behind their pages."""
    rig.rest.trades["ETHUSDT"] = 1
    eth = LaneKey("ETHUSDT", "trades")
    await rig.streaming(BTC)
    rig.hub.open_lanes([eth])
    await rig.clock.advance(1.0)
    rig.trade(eth, count=400, is_streamed=False)
    await rig.clock.advance(1.1)
    rig.trade(count=3, is_streamed=False)
    rig.trade()
    await rig.clock.advance(2.0)
    assert [number for key, number, _ in rig.feed.delivered if key == BTC] == [11, 12, 13, 14]


# --- holds, health, the end --------------------------------------------------------------------------------------------------


async def test_a_hold_completes_what_it_let_go(rig: HubRig) -> None:
    """Also for a lane that starts during it."""
    rig.rest.trades["ETHUSDT"] = 1
    eth = LaneKey("ETHUSDT", "trades")
    await rig.streaming(BTC)
    rig.hub.hold(is_on=True)
    rig.hub.open_lanes([eth])
    await rig.clock.advance(0.1)
    rig.trade(count=4)
    rig.trade(eth, count=2, is_streamed=False)
    await rig.clock.advance(1.5)
    assert rig.arrived == []
    assert rig.healths[-1][1].reason is Reason.CONSUMER_SLOW
    rig.hub.hold(is_on=False)
    await rig.clock.advance(3.0)
    assert sorted(rig.feed.delivered, key=lambda one: one[:2])[:4] == [(BTC, number, Source.BACKFILL) for number in range(11, 15)]
    assert [number for key, number, _ in rig.feed.delivered if key == eth] == [2, 3]


async def test_health_is_told_when_it_changes(rig: HubRig) -> None:
    """Degraded while a lane that should stream is polled, live when it streams; and no more than that."""
    await rig.streaming(BTC)
    await rig.clock.advance(5.0)
    told = [(finding.health, finding.serving) for _, finding in rig.healths]
    assert told[-1] == (Health.LIVE, Serving.STREAM)
    assert (Health.DEGRADED, Serving.POLL) in told
    assert len(told) < 6
    found = rig.hub.finding("BTCUSDT")
    assert found is not None
    assert found.health is Health.LIVE


async def test_without_rest_a_quiet_lane_is_blind_after_three_seconds(rig: HubRig) -> None:
    """The stream may be alive, but nothing confirms it."""
    await rig.streaming(BTC)
    rig.rest.failing["ticker"] = Unavailable("no route")
    await rig.clock.advance(2.5)
    assert health(rig) is Health.LIVE
    await rig.clock.advance(1.6)
    assert rig.healths[-1][1][:3] == (Health.BLIND, Serving.NONE, Reason.STALE)
    rig.trade()
    await rig.clock.advance(0.2)
    assert health(rig) is Health.LIVE


async def test_nothing_follows_a_closed_lane(rig: HubRig) -> None:
    """Frames, polls and pages under way bring nothing more; its symbol leaves the beat."""
    rig.rest.trades["ETHUSDT"] = 99  # the busiest symbol stays in the beat: it watches over the connections
    await rig.streaming(BTC)
    rig.rest.delay = 0.2
    rig.trade(count=2, is_streamed=False)
    rig.trade()
    rig.hub.close_lane(BTC, Reason.UNSUBSCRIBED)
    rig.hub.close_lane(BTC, Reason.UNSUBSCRIBED)
    rig.dialler.wire.bring(frame(BTC, 11))
    await rig.clock.advance(0.5)
    rig.rest.asked.clear()
    await rig.clock.advance(5.0)
    assert states(rig)[-1] == (LaneState.CLOSED, Reason.UNSUBSCRIBED)
    assert rig.arrived == []
    assert {symbols for _, symbols, _ in rig.rest.asked} == {("ETHUSDT",)}
    assert rig.hub.finding("BTCUSDT") is None


async def test_closing_ends_all_lanes_and_tasks() -> None:
    """In the middle of everything."""
    rig = HubRig()
    await rig.open(BTC, TICK, streaming=True)
    rig.rest.delay = 5.0
    rig.trade(count=3)
    await rig.clock.advance(0.5)
    await rig.close()
    before = len(rig.rest.asked)
    await rig.clock.advance(10.0)
    assert [reason for _, reason in states(rig)][-1] is Reason.CLOSING
    assert len(rig.rest.asked) == before
    assert not rig.dialler.wire.is_open


async def test_a_lane_that_comes_while_others_start_is_asked_for_next(rig: HubRig) -> None:
    """An aggregate lane never begins at a trade's id, whoever was on the way before it."""
    rig.rest.delay = 1.0
    await rig.open(BTC)
    rig.hub.open_lanes([AGG])
    await rig.clock.advance(5.0)
    assert rig.rest.times("newest") == 1
    assert rig.status(AGG).serving is Serving.POLL
