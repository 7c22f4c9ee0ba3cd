"""Connections acted out for the fleet: dials, subscriptions, frames to their handlers."""

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foxtrot.transport.base import LaneKey
from foxtrot.transport.bundle import Carried, Lost
from foxtrot.transport.fleet import LINGER_NS
from foxtrot.transport.subscriptions import PAUSE_NS
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import RateLimited, Unavailable
from tests.support.fake_transports import frame
from tests.support.streaming_rig import StreamingRig

BTC, ETH = LaneKey("BTCUSDT", "trades"), LaneKey("ETHUSDT", "trades")


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[StreamingRig]:
    made = StreamingRig()
    yield made
    await made.streaming.close()


async def test_the_first_streams_stand_in_the_address(rig: StreamingRig) -> None:
    """No command is needed for them."""
    await rig.want(BTC)
    assert rig.dialler.wire.url == "BTCUSDT@trades"
    assert rig.told == [Carried((BTC,))]
    assert rig.dialler.wire.sent == []


async def test_streams_wanted_together_go_in_one_command(rig: StreamingRig) -> None:
    """On the open connection."""
    await rig.want(BTC)
    await rig.want(ETH, LaneKey("SOLUSDT", "trades"))
    assert [message for message, _ in rig.dialler.wire.sent] == [b"+ETHUSDT@trades,SOLUSDT@trades"]
    assert len(rig.dialler.wires) == 1


async def test_what_was_wanted_during_the_dial_is_brought_in_step(rig: StreamingRig) -> None:
    """Subscribed and unsubscribed once the connection stands."""
    rig.dialler.delay = 1.0
    await rig.want(BTC)
    await rig.want(ETH)
    await rig.unwant(BTC)
    await rig.wait(3.0)
    assert [message for message, _ in rig.dialler.wire.sent] == [b"+ETHUSDT@trades", b"-BTCUSDT@trades"]
    assert rig.told == [Carried((ETH,))]


async def test_commands_keep_their_distance(rig: StreamingRig) -> None:
    """With pings and pongs never more than five messages a second."""
    await rig.want(BTC)
    for _ in range(3):
        await rig.want(ETH)
        await rig.wait(0.1)
        await rig.unwant(ETH)
        await rig.wait(0.1)
    await rig.wait(3.0)
    times = [at for _, at in rig.dialler.wire.sent]
    assert len(times) > 1
    assert all(later - earlier >= PAUSE_NS for earlier, later in itertools.pairwise(times))


async def test_coming_and_going_at_once_asks_nothing(rig: StreamingRig) -> None:
    """What stands at the moment of the command counts."""
    await rig.want(BTC)
    rig.streaming.act(rig.fleet.want(ETH, rig.feed.streams(ETH), rig.clock.now_ns()))
    rig.streaming.act(rig.fleet.unwant(ETH, rig.clock.now_ns()))
    await rig.wait(1.0)
    assert rig.dialler.wire.sent == []


async def test_a_lost_connection_is_told_and_dialled_again(rig: StreamingRig) -> None:
    """Within a second or the pace of dials, with the cause said."""
    await rig.want(BTC)
    rig.dialler.wire.end("reset by peer")
    await rig.wait(1.2)
    assert "reset by peer" in rig.problems[0]
    assert rig.told == [Carried((BTC,)), Lost((BTC,)), Carried((BTC,))]
    assert len(rig.dialler.wires) == 2


async def test_a_failed_dial_is_told_and_tried_again(rig: StreamingRig) -> None:
    """Until it succeeds."""
    rig.dialler.failing = Unavailable("no route")
    await rig.want(BTC)
    await rig.wait(20)
    assert rig.told[0] == Lost((BTC,))
    assert 2 <= len(rig.dialler.dials) < 12
    rig.dialler.failing = None
    await rig.wait(61)
    assert rig.told[-1] == Carried((BTC,))


async def test_a_refused_address_waits_as_long_as_told(rig: StreamingRig) -> None:
    """429 with Retry-After: no dial of any connection before, nor in the second after it; within ten."""
    rig.dialler.failing = RateLimited("429", retry_after=30.0)
    await rig.want(BTC)
    rig.dialler.failing = None
    await rig.wait(30.9)
    assert len(rig.dialler.dials) == 1
    await rig.wait(9.2)
    assert len(rig.dialler.dials) == 2


async def test_an_unneeded_connection_is_closed_after_a_while(rig: StreamingRig) -> None:
    """Its end is nobody's problem."""
    await rig.want(BTC)
    await rig.unwant(BTC)
    await rig.wait(LINGER_NS / NS_PER_S - 1)
    assert rig.dialler.wire.is_open
    await rig.wait(1.1)
    assert not rig.dialler.wire.is_open
    assert rig.problems == []


async def test_an_unneeded_dial_is_given_up(rig: StreamingRig) -> None:
    """It would open a connection for nobody."""
    rig.dialler.delay = 100.0
    await rig.want(BTC)
    await rig.unwant(BTC)
    await rig.wait(31.0)
    await rig.wait(100.0)
    assert rig.dialler.wires == []


async def test_frames_go_to_their_handlers(rig: StreamingRig) -> None:
    """By the name of their stream; those of nobody are counted."""
    await rig.want(BTC)
    rig.dialler.wire.bring(frame(BTC, 1))
    rig.dialler.wire.bring(frame(ETH, 1))
    assert rig.frames == [frame(BTC, 1)]
    assert rig.streaming.counts.unrouted == 1


async def test_another_spelling_of_the_same_frame_is_read(rig: StreamingRig) -> None:
    """JSON with blanks, or its keys in another order."""
    await rig.want(BTC)
    other = b'{ "id": 3, "symbol": "BTCUSDT", "stream": "BTCUSDT@trades" }'
    rig.dialler.wire.bring(other)
    assert rig.frames == [other]


async def test_an_unrouted_stream_is_let_go(rig: StreamingRig) -> None:
    """Its lane has been closed; late frames are counted."""
    await rig.want(BTC)
    rig.streaming.unroute("BTCUSDT@trades")
    rig.streaming.unroute("BTCUSDT@trades")
    rig.dialler.wire.bring(frame(BTC, 1))
    assert rig.frames == []
    assert rig.streaming.counts.unrouted == 1


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b"null", b'{"stream":5}', b"\xff\xfe", b'{"stream":"\xff', b"x" * 1000])
async def test_what_does_not_fit_is_counted_and_dropped(rig: StreamingRig, bad: bytes) -> None:
    """The reader goes on."""
    await rig.want(BTC)
    rig.dialler.wire.bring(bad)
    rig.dialler.wire.bring(frame(BTC, 1))
    assert rig.frames == [frame(BTC, 1)]
    assert rig.streaming.counts.malformed == 1


async def test_a_handler_that_raises_ends_nothing(rig: StreamingRig) -> None:
    """It is logged and counted."""
    await rig.want(BTC)
    rig.streaming.route("BTCUSDT@trades", rig.feed.handler(BTC, "", _NoDoor()))
    rig.feed.raises = ZeroDivisionError("a bug")
    rig.dialler.wire.bring(frame(BTC, 1))
    assert rig.streaming.counts.raised == 1
    assert rig.dialler.wire.is_open


async def test_the_venues_complaint_is_said(rig: StreamingRig) -> None:
    """An acknowledgement is not."""
    await rig.want(BTC)
    rig.dialler.wire.bring(b'{"error":"too many requests"}')
    rig.dialler.wire.bring(b'{"result":null,"id":1}')
    assert rig.problems == ["the venue refused a command: too many requests"]
    assert rig.streaming.counts.complaints == 1


async def test_closing_ends_every_connection(rig: StreamingRig) -> None:
    """Those that stand and those under way."""
    await rig.want(BTC)
    await rig.streaming.close()
    assert not rig.dialler.wire.is_open
    assert rig.problems == []


class _NoDoor:
    """Never reached."""

    def accept(self, first: int, last: int, received_ns: int, event_ms: int = 0) -> bool:
        raise AssertionError

    def accept_quote(self, update_id: int, levels: tuple[float, float, float, float], received_ns: int) -> bool:
        raise AssertionError

    def accept_draft(self, draft: object, received_ns: int, event_ms: int = 0) -> bool:
        raise AssertionError

    def accept_diff(self, diff: object, received_ns: int, event_ms: int = 0) -> object:
        raise AssertionError

    def offer(self, value: object, received_ns: int, event_ms: int = 0) -> None:
        raise AssertionError

    def offer_stats(self, stats: object) -> None:
        raise AssertionError

    def wrong_symbol(self) -> None:
        raise AssertionError
