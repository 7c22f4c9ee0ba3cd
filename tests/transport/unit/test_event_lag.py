"""How late frames came, by the venue's time."""

from foxtrot.transport.event_lag import CAPACITY, WINDOW_NS, EventLag
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

START = 1_000 * NS_PER_S


def sampled(*lags_ms: int) -> EventLag:
    """One sample a millisecond."""
    lag = EventLag()
    for at, lag_ms in enumerate(lags_ms):
        received = START + at * NS_PER_MS
        lag.sample(received, received - lag_ms * NS_PER_MS, 0)
    return lag


def test_nothing_is_said_without_samples() -> None:
    """Not even that there is no lag."""
    assert EventLag().p95(START) is None
    assert EventLag().quantile(0.99, START) is None


def test_percentiles_take_the_nearest_rank() -> None:
    """Of a hundred samples the 95th and the 99th; of one, that one."""
    lag = sampled(*range(100, 0, -1))
    assert (lag.p95(START), lag.quantile(0.99, START), len(lag)) == (95 * NS_PER_MS, 99 * NS_PER_MS, 100)
    assert lag.quantile(0.5, START) == 50 * NS_PER_MS
    assert sampled(7).p95(START) == 7 * NS_PER_MS


def test_the_venues_clock_is_brought_to_ours() -> None:
    """The offset is the venue's clock minus ours: received at 10, by a clock that shows 12 there, made at 11."""
    lag = EventLag()
    lag.sample(START + 10, START + 11, 2)
    assert lag.quantile(0.99, START + 10) == 1


def test_unsynced_clocks_say_nothing() -> None:
    """Such a sample is ignored."""
    lag = EventLag()
    lag.sample(START, START, None)
    assert len(lag) == 0


def test_samples_leave_the_window() -> None:
    """After 30 s, to the nanosecond."""
    lag = sampled(500)
    assert lag.quantile(0.99, START + WINDOW_NS - 1) == 500 * NS_PER_MS
    assert lag.quantile(0.99, START + WINDOW_NS) is None


def test_the_oldest_of_too_many_samples_goes() -> None:
    """Nothing grows without bound."""
    lag = sampled(9, *[1] * CAPACITY)
    assert len(lag) == CAPACITY
    assert lag.quantile(1.0, START) == NS_PER_MS


def test_another_stream_starts_from_nothing() -> None:
    """What is forgotten counts no longer."""
    lag = sampled(1, 2, 3)
    lag.forget()
    assert lag.quantile(0.99, START) is None
    assert len(lag) == 0


def test_one_late_in_a_hundred_is_not_late() -> None:
    """Two of them are, and so is one of a few; what has left the window counts no longer."""
    lag = EventLag()
    for lag_ms in (9, *[1] * 98):
        lag.sample(START, START - lag_ms * NS_PER_MS, 0)
    assert lag.late(8 * NS_PER_MS, START) == 1
    lag.sample(START, START - NS_PER_MS, 0)
    assert lag.late(8 * NS_PER_MS, START) == 0
    lag.sample(START, START - 9 * NS_PER_MS, 0)
    assert lag.late(8 * NS_PER_MS, START) == 2
    assert lag.late(0, START + 2 * WINDOW_NS) == 0
