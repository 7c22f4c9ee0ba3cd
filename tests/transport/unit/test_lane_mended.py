"""Faults of the lane that its properties found, each once more as an example."""

from foxtrot.transport import steps
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Transport
from tests.support.fates import Sent
from tests.support.id_driver import IdDriver
from tests.support.model_venue import IdVenue
from tests.support.tick_driver import TickDriver


def streaming_tick() -> TickDriver:
    """A tick that its stream serves."""
    driver = TickDriver(0)
    driver.poll(driver.venue.now, driver.now)
    driver.decide(Transport.STREAMING)
    driver.settle(is_busy=False, is_patient=True)
    assert driver.serving is Serving.STREAM
    return driver


def test_a_stream_forced_open_while_it_leaves_settles_where_it_was_going() -> None:
    """Forced open between the decision and the polled value, a lane polls as decided; it does not wait in FALLBACK."""
    driver = streaming_tick()
    driver.decide(Transport.POLLING)
    driver.tell(steps.ForceOpen())
    assert driver.shown is LaneState.POLLING


def test_a_leaving_stream_is_not_taken_for_proven() -> None:
    """What serves only because polls are down, and is not wanted any more, does not come to serve for good by its proof."""
    driver = streaming_tick()
    driver.disconnect()
    driver.connect()
    driver.pass_time(3 * NS_PER_S)
    driver.something_new()
    driver.drain()
    assert driver.announced[-1].reason is Reason.POLL_DOWN
    driver.decide(Transport.POLLING)
    driver.poll(driver.venue.now, driver.now)
    assert driver.answered, "it would do for the proof"
    driver.pass_time(NS_PER_S)
    states = [change.new for change in driver.announced[-2:]]
    assert states == [LaneState.PROVING, LaneState.POLLING]


def test_the_last_frame_of_an_older_stream_is_none_of_the_new_ones_lag() -> None:
    """A frame that came late on the connection before does not delay the proof of this one."""
    driver = IdDriver("trades", IdVenue(next_id=5, trade_id=4), 0)
    driver.start()
    driver.decide(Transport.STREAMING)
    driver.connect()
    late = Sent(driver.venue.make(), driver.now)
    driver.now += 3 * NS_PER_S
    driver.receive(late)
    driver.disconnect()
    driver.connect()
    for _ in range(4):
        driver.second(is_busy=False, stream_first=True)
    assert driver.shown is LaneState.STREAMING


def test_a_quote_of_an_older_connection_is_no_news_on_the_next() -> None:
    """While polls are down, a frame that has come before opens no stream: polls may have gone past it."""
    driver = TickDriver(0)
    driver.poll(driver.venue.now, driver.now)
    driver.decide(Transport.STREAMING)
    driver.connect()
    driver.something_new()
    driver.drain()
    driver.poll(driver.venue.now, driver.now)
    driver.disconnect()
    driver.connect()
    driver.pass_time(3 * NS_PER_S)
    driver.replay(driver.past[-1])
    assert driver.serving is Serving.POLL


def test_a_forgiven_lane_says_so_before_it_asks_for_its_stream() -> None:
    """Another line may be open: then its connection is told in the midst of the effects, and must find all said."""
    driver = streaming_tick()
    driver.tell(steps.Stray())
    effects = driver.lane.step(steps.Forgiven(), driver.now)
    kinds = [type(effect) for effect in effects]
    assert kinds.index(steps.Announce) < kinds.index(steps.OpenStream)


def test_nothing_follows_the_closing_event_of_a_lane_under_probe() -> None:
    """What becomes of its breaker is told before the end."""
    driver = streaming_tick()
    driver.tell(steps.Stray())
    driver.now = driver.lane.retry_at_ns
    driver.pass_time(0)
    assert driver.lane.is_probing
    effects = driver.lane.step(steps.Close(Reason.UNSUBSCRIBED), driver.now)
    assert isinstance(effects[-1], steps.Announce)
    assert any(isinstance(effect, steps.BreakerMoved) for effect in effects)
