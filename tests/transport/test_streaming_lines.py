"""Lines, rotation, the canary and the checks of subscriptions, acted out on connections in memory."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Forgive, Lost
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import BreakerState
from foxtrot.util.errors import Unavailable
from tests.support.fake_transports import SHUTDOWN, FakeWire, frame
from tests.support.streaming_rig import StreamingRig
from tests.support.virtual_clock import settle

BTC, ETH, SOL = (LaneKey(f"{coin}USDT", "trades") for coin in ("BTC", "ETH", "SOL"))
TICK = LaneKey("BTCUSDT", "tick")


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[StreamingRig]:
    made = StreamingRig()
    yield made
    await made.streaming.close()


# lines


async def test_both_lines_feed_the_same_handler(rig: StreamingRig) -> None:
    """On two addresses; which of their frames are new is the lane's to say."""
    await rig.want(BTC, lines=2)
    await rig.wait(1.5)
    first, second = rig.dialler.wires
    assert (first.url, second.url) == ("BTCUSDT@trades", "1:BTCUSDT@trades")
    first.bring(frame(BTC, 1))
    second.bring(frame(BTC, 1))
    second.bring(frame(BTC, 2))
    assert rig.frames == [frame(BTC, 1), frame(BTC, 1), frame(BTC, 2)]


async def test_losses_of_one_line_are_not_told(rig: StreamingRig) -> None:
    """As long as the other stands; its own comes back each time. The breaker of the connection moves, and the cause is said."""
    await rig.want(BTC, lines=2)
    await rig.wait(1.5)
    for losses in range(1, 4):
        rig.dialler.wires[losses].end("reset by peer")
        await rig.wait(5)
    assert rig.told == [Carried((BTC,))]
    assert rig.moves[:3] == [
        (2, BreakerState.CLOSED, BreakerState.OPEN),
        (2, BreakerState.OPEN, BreakerState.HALF_OPEN),
        (2, BreakerState.HALF_OPEN, BreakerState.CLOSED),
    ]
    assert len(rig.problems) == 3


async def test_a_stream_that_one_line_lacks_is_not_unlisted(rig: StreamingRig) -> None:
    """The other brings it."""
    await rig.want(BTC, lines=2)
    await rig.wait(1.5)
    rig.dialler.wires[1].ignored = {"BTCUSDT@trades"}
    await rig.wait(20)
    assert rig.unlisted == []
    assert "BTCUSDT@trades" in rig.problems[-1]


# rotation


async def grow_old(rig: StreamingRig) -> tuple[FakeWire, FakeWire]:
    """23 hours later: the old connection and its successor."""
    old = rig.dialler.wire
    await days_end(rig)
    return old, rig.dialler.wire


async def days_end(rig: StreamingRig) -> None:
    """23 hours pass at once; what they make due is done."""
    rig.clock.stall(23 * 3_600)
    await rig.wait(0.1)


async def test_a_connection_is_replaced_before_its_day_is_over(rig: StreamingRig) -> None:
    """Both are up until the new one has brought what the old one does; then the old one is closed, and nobody hears of it."""
    await rig.want(BTC)
    rig.clock.stall(22 * 3_600 - 1)
    await rig.wait(0.1)
    assert len(rig.dialler.wires) == 1
    rig.clock.stall(3_600)
    old = rig.dialler.wire
    await rig.wait(0.1)
    new = rig.dialler.wire
    assert new.url == old.url
    old.bring(frame(BTC, 1))
    await rig.wait(5)
    assert old.is_open
    new.bring(frame(BTC, 1))
    new.bring(frame(BTC, 2))
    await rig.wait(0.2)
    assert (old.is_open, new.is_open) == (False, True)
    assert rig.frames == [frame(BTC, 1), frame(BTC, 1), frame(BTC, 2)]
    assert (rig.told, rig.problems, rig.moves) == ([Carried((BTC,))], [], [])


async def test_after_the_rotation_frames_go_straight_to_their_handlers(rig: StreamingRig) -> None:
    """The table of the new connection holds the handlers themselves again."""
    await rig.want(BTC)
    _, new = await grow_old(rig)
    await rig.wait(3)
    new.bring(frame(BTC, 7))
    rig.streaming.unroute("BTCUSDT@trades")
    new.bring(frame(BTC, 8))
    assert rig.frames == [frame(BTC, 7)]
    assert rig.streaming.counts.unrouted == 1


async def test_a_successor_that_lacks_a_stream_does_not_take_over(rig: StreamingRig) -> None:
    """It is closed after half a minute; the next one does."""
    await rig.want(BTC)
    old, new = await grow_old(rig)
    old.bring(frame(BTC, 1))
    await rig.wait(31)
    assert (old.is_open, new.is_open) == (True, False)
    await rig.wait(61)
    third = rig.dialler.wire
    assert third is not new
    await rig.wait(3)
    assert (old.is_open, third.is_open) == (False, True)
    assert rig.told == [Carried((BTC,))]


async def test_an_announced_shutdown_is_answered_within_two_seconds(rig: StreamingRig) -> None:
    """By a successor; what the old one brings meanwhile is still heard."""
    await rig.want(BTC)
    await rig.wait(5)
    old = rig.dialler.wire
    old.bring(SHUTDOWN)
    await rig.wait(0.2)
    assert len(rig.dialler.wires) == 2
    await rig.wait(2.0)
    assert (old.is_open, rig.dialler.wire.is_open) == (False, True)
    assert rig.told == [Carried((BTC,))]
    assert "soon" in rig.problems[0]


async def test_the_old_connection_may_end_first(rig: StreamingRig) -> None:
    """Its successor carries on; no lane falls."""
    await rig.want(BTC)
    old, new = await grow_old(rig)
    old.end("24 hours are over")
    await rig.wait(1)
    new.bring(frame(BTC, 1))
    assert rig.frames == [frame(BTC, 1)]
    assert rig.told == [Carried((BTC,))]
    assert len(rig.dialler.wires) == 2


async def test_a_failed_dial_of_a_successor_costs_nothing(rig: StreamingRig) -> None:
    """The old one stands; a minute later another is dialled."""
    await rig.want(BTC)
    rig.dialler.failing = Unavailable("no route")
    await days_end(rig)
    assert len(rig.dialler.dials) == 2
    rig.dialler.failing = None
    await rig.wait(63)
    assert [wire.is_open for wire in rig.dialler.wires] == [False, True]
    assert rig.told == [Carried((BTC,))]
    assert rig.moves == []


# mass failure


async def test_lanes_that_fall_together_are_forgiven(rig: StreamingRig) -> None:
    """Their connection is closed and dialled again."""
    await rig.want(BTC, ETH, SOL)
    wire = rig.dialler.wire
    for key in (BTC, ETH, SOL):
        rig.streaming.act(rig.fleet.tripped(key, rig.clock.now_ns()))
    assert not wire.is_open
    assert rig.told[-2:] == [Lost((BTC, ETH, SOL)), Forgive((BTC, ETH, SOL))]
    await rig.wait(2)
    assert rig.told[-1] == Carried((BTC, ETH, SOL))


# the canary


async def test_every_connection_carries_the_canary(rig: StreamingRig) -> None:
    """In the address of a new one, by a command on one that stands; the old canary goes."""
    await rig.want(ETH)
    rig.streaming.watch("BTCUSDT")
    rig.streaming.watch("BTCUSDT")
    await rig.wait(1)
    assert rig.dialler.wire.streams == {"ETHUSDT@trades", "BTCUSDT@tick"}
    rig.dialler.wire.end("reset")
    await rig.wait(2)
    assert rig.dialler.wire.url == "ETHUSDT@trades/BTCUSDT@tick"
    rig.streaming.watch("SOLUSDT")
    await rig.wait(1)
    assert rig.dialler.wire.streams == {"ETHUSDT@trades", "SOLUSDT@tick"}
    rig.streaming.watch("")
    await rig.wait(1)
    assert rig.dialler.wire.streams == {"ETHUSDT@trades"}


async def test_a_lane_with_the_canarys_stream_gets_its_frames(rig: StreamingRig) -> None:
    """One subscription serves both, and stays for the canary when the lane goes."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(TICK, ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1))
    assert rig.frames == [frame(TICK, 1)]
    await rig.unwant(TICK)
    rig.streaming.unroute("BTCUSDT@tick")
    await rig.wait(1)
    wire.bring(frame(TICK, 2))
    assert rig.frames == [frame(TICK, 1)]
    assert "BTCUSDT@tick" in wire.streams
    assert rig.streaming.counts.unrouted == 0


async def dead_after(rig: StreamingRig, wire: FakeWire, most: float = 20.0, *, noise: LaneKey | None = None) -> float:
    """Seconds until the connection is closed, while a poll a second shows that the canary's quote changes."""
    for tenth in range(round(most * 10)):
        if tenth % 10 == 5:
            rig.poll(100.0 + tenth)
        if noise is not None:
            wire.bring(frame(noise, tenth))
        await rig.wait(0.1)
        if not wire.is_open:
            return (tenth + 1) / 10
    return most


async def test_a_dead_socket_shows_in_three_seconds(rig: StreamingRig) -> None:
    """Its lane is quiet; it is closed, told and dialled again like a lost one."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1))
    assert await dead_after(rig, wire) <= 3
    assert rig.told[1] == Lost((ETH,))
    assert "BTCUSDT" in rig.problems[0]
    await rig.wait(2)
    assert rig.told[-1] == Carried((ETH,))


async def test_a_socket_that_never_brought_anything_shows_in_ten_seconds(rig: StreamingRig) -> None:
    """It was acknowledged, and that is all."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    assert 9.9 <= await dead_after(rig, rig.dialler.wire) <= 10.3


async def test_a_mute_canary_is_no_dead_socket(rig: StreamingRig) -> None:
    """Other streams bring frames; once they have ended too, it is."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1))
    assert await dead_after(rig, wire, 30.0, noise=ETH) == 30
    assert await dead_after(rig, wire) <= 3


async def test_a_quiet_market_closes_nothing(rig: StreamingRig) -> None:
    """Polls show what the stream said last."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1, bid=5.0))
    for _ in range(60):
        rig.poll(5.0)
        await rig.wait(1)
    assert wire.is_open
    assert rig.problems == []


async def test_what_is_no_poll_of_the_canary_says_nothing(rig: StreamingRig) -> None:
    """Another symbol; an answer without a quote; a cached answer, whose figures are older than those of the one before."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1, bid=5.0))
    await rig.wait(1)
    rig.poll(5.0, last_id=50)
    for _ in range(10):
        await rig.wait(1)
        rig.poll(9.0, symbol="ETHUSDT")
        rig.poll(4.0, last_id=49)
    assert wire.is_open


async def test_our_own_stall_is_no_dead_socket(rig: StreamingRig) -> None:
    """The loop was held up for seconds: what waits in the socket is read first."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.bring(frame(TICK, 1, bid=5.0))
    await rig.wait(0.5)
    rig.poll(6.0)
    rig.clock.stall(5.0)
    await settle()
    wire.bring(frame(TICK, 2, bid=6.0))
    await rig.wait(3)
    assert wire.is_open


# subscriptions


async def test_lists_are_asked_for_every_minute(rig: StreamingRig) -> None:
    """On every connection; a list that agrees is silent."""
    await rig.want(BTC)
    await rig.wait(190)
    lists = [(at - rig.dialler.dials[0]) // NS_PER_S for at in rig.dialler.wire.lists]
    assert lists == [8, 68, 128, 188]
    assert rig.problems == []


async def test_a_stream_that_the_venue_forgets_is_unlisted(rig: StreamingRig) -> None:
    """It acknowledges twice and sends nothing: its lane is told within ten seconds."""
    await rig.want(BTC)
    rig.dialler.wire.ignored = {"ETHUSDT@trades"}
    await rig.want(ETH)
    await rig.wait(10)
    assert rig.unlisted == [ETH]
    assert [message for message, _ in rig.dialler.wire.sent][:2] == [b"+ETHUSDT@trades"] * 2


async def test_a_refused_stream_is_unlisted(rig: StreamingRig) -> None:
    """Refused twice."""
    await rig.want(BTC)
    rig.dialler.wire.refused = b"+"
    await rig.want(ETH)
    await rig.wait(1)
    assert rig.unlisted == [ETH]
    assert rig.problems[0] == "the venue refused a command: no"


@pytest.mark.parametrize(("brings", "unlisted"), [(True, []), (False, [ETH])])
async def test_where_no_answer_comes_the_data_decide(rig: StreamingRig, *, brings: bool, unlisted: list[LaneKey]) -> None:
    """A venue that answers no command: a stream that brings frames is subscribed, one that brings none is not."""
    await rig.want(BTC)
    rig.dialler.wire.mute = b""
    await rig.want(ETH)
    for number in range(30):
        if brings:
            rig.dialler.wire.bring(frame(ETH, number))
        await rig.wait(1)
    assert rig.unlisted == unlisted
    assert len(rig.frames) == 30 * brings


async def test_a_canary_that_is_not_sent_is_said(rig: StreamingRig) -> None:
    """No lane falls for it."""
    await rig.want(BTC)
    rig.dialler.wire.ignored = {"ETHUSDT@tick"}
    rig.streaming.watch("ETHUSDT")
    await rig.wait(10)
    assert rig.unlisted == []
    assert "ETHUSDT@tick" in rig.problems[0]


async def test_answers_that_are_not_ours_change_nothing(rig: StreamingRig) -> None:
    """To a number that was never sent, or before the connection stood."""
    await rig.want(BTC)
    rig.dialler.wire.bring(b'{"result":null,"id":4711}')
    rig.dialler.wire.bring(b'{"result":["X@trades"],"id":4711}')
    rig.dialler.wire.bring(b'{"result":["X@trades"]}')
    await rig.wait(1)
    assert rig.dialler.wire.sent == []
    assert rig.problems == []


# what cannot be read


async def test_five_unreadable_frames_end_a_connection(rig: StreamingRig) -> None:
    """Within ten seconds; fewer are counted and dropped."""
    await rig.want(BTC)
    first = rig.dialler.wire
    for _ in range(8):
        first.bring(b"{")
        await rig.wait(2.6)
    assert first.is_open
    for _ in range(5):
        first.bring(b"{")
    await rig.wait(2)
    assert not first.is_open
    assert rig.told == [Carried((BTC,)), Lost((BTC,)), Carried((BTC,))]
    assert rig.streaming.counts.malformed == 13
    assert "cannot be read" in rig.problems[0]


async def test_the_end_of_an_unreadable_connection_is_told_once(rig: StreamingRig) -> None:
    """It ended by itself in the same moment."""
    await rig.want(BTC)
    wire = rig.dialler.wire
    for _ in range(6):
        wire.bring(b"{")
    wire.end("reset")
    await rig.wait(0.1)
    assert len(rig.problems) == 1


async def test_one_streams_unreadable_frames_end_no_connection(rig: StreamingRig) -> None:
    """They are counted; its lane's audit finds it, and the others are spared."""
    await rig.want(ETH)
    rig.streaming.route("BTCUSDT@tick", rig.feed.canary("BTCUSDT", lambda _levels, _at: None)[1])
    for _ in range(10):
        rig.dialler.wire.bring(b'{"stream":"BTCUSDT@tick","bid":"x"}')
    await rig.wait(1)
    assert rig.dialler.wire.is_open
    assert rig.streaming.counts.malformed == 10


# faults of ours


async def test_a_dial_that_raises_anything_is_tried_again(rig: StreamingRig) -> None:
    """It is told with its type, as a bug of ours may be."""
    rig.dialler.failing = ZeroDivisionError("a bug")
    await rig.want(BTC)
    rig.dialler.failing = None
    await rig.wait(2)
    assert "ZeroDivisionError" in rig.problems[0]
    assert rig.told[-1] == Carried((BTC,))


async def test_a_callback_that_raises_does_not_end_the_watch(rig: StreamingRig) -> None:
    """The canary still dies in time."""
    rig.streaming.watch("BTCUSDT")
    await rig.want(ETH)
    wire = rig.dialler.wire
    wire.refused = b"+"
    wire.bring(frame(TICK, 1))
    rig.unlisted_raises = ZeroDivisionError("a bug")
    await rig.want(SOL)
    await rig.wait(1)
    wire.bring(frame(TICK, 2))
    assert await dead_after(rig, wire) <= 3


async def test_nothing_is_sent_after_the_end(rig: StreamingRig) -> None:
    """What was due in the same moment is let go."""
    await rig.want(BTC)
    rig.streaming.watch("ETHUSDT")
    await rig.streaming.close()
    await settle()
    assert rig.dialler.wire.sent == []
