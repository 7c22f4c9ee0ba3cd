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
    assert EventLag().p99(START) is None


def test_percentiles_take_the_nearest_rank() -> None:
    """Of a hundred samples the 95th and the 99th; of one, that one."""
    lag = sampled(*range(100, 0, -1))
    assert (lag.p95(START), lag.p99(START), len(lag)) == (95 * NS_PER_MS, 99 * NS_PER_MS, 100)
    assert lag.quantile(0.5, START) == 50 * NS_PER_MS
    assert sampled(7).p95(START) == 7 * NS_PER_MS


def test_the_venues_clock_is_brought_to_ours() -> None:
    """The offset is the venue's clock minus ours: received at 10, by a clock that shows 12 there, made at 11."""
    lag = EventLag()
    lag.sample(START + 10, START + 11, 2)
    assert lag.p99(START + 10) == 1


def test_unsynced_clocks_say_nothing() -> None:
    """Such a sample is ignored."""
    lag = EventLag()
    lag.sample(START, START, None)
    assert len(lag) == 0


def test_samples_leave_the_window() -> None:
    """After 30 s, to the nanosecond."""
    lag = sampled(500)
    assert lag.p99(START + WINDOW_NS - 1) == 500 * NS_PER_MS
    assert lag.p99(START + WINDOW_NS) is None


def test_the_oldest_of_too_many_samples_goes() -> None:
    """Nothing grows without bound."""
    lag = sampled(9, *[1] * CAPACITY)
    assert len(lag) == CAPACITY
    assert lag.quantile(1.0, START) == NS_PER_MS


def test_another_stream_starts_from_nothing() -> None:
    """What is forgotten counts no longer."""
    lag = sampled(1, 2, 3)
    lag.forget()
    assert lag.p99(START) is None
    assert len(lag) == 0
