"""How often a lane may switch."""

from itertools import pairwise

from foxtrot.transport.switch_log import MOST, SPAN_NS, SwitchLog
from foxtrot.util.clock import NS_PER_S


def test_a_lane_is_free_up_to_four_switches() -> None:
    """Within an hour."""
    log = SwitchLog()
    for second in range(MOST):
        assert log.free_at() == 0
        log.add(second * NS_PER_S)
    assert log.free_at() == 0


def test_the_fifth_holds_it_until_the_first_is_an_hour_old() -> None:
    """The sixth until the second is: only the last four may be younger."""
    log = SwitchLog(range(1, 6))
    assert log.free_at() == 1 + SPAN_NS
    log.add(6)
    assert log.free_at() == 2 + SPAN_NS


def test_it_outlives_the_process() -> None:
    """As many as matter."""
    log = SwitchLog(range(1, 12))
    assert log.times == (6, 7, 8, 9, 10, 11)
    assert SwitchLog(log.times).free_at() == log.free_at()


def test_a_hand_forgets_it() -> None:
    """The past does not count."""
    log = SwitchLog(range(1, 12))
    log.forget()
    assert (log.times, log.free_at()) == ((), 0)


def test_a_lane_that_falls_and_returns_for_ever_makes_six_switches_an_hour() -> None:
    """Wherever the hour begins."""
    log, now, times = SwitchLog(), 0, []
    for _ in range(50):
        now = max(now + NS_PER_S, log.free_at())
        times.append(now)
        log.add(now)  # the return
        now += NS_PER_S
        times.append(now)
        log.add(now)  # the trip after it
    windows = zip(times, times[6:], strict=False)
    assert all(later - earlier >= SPAN_NS for earlier, later in windows)
    assert all(earlier < later for earlier, later in pairwise(times))
