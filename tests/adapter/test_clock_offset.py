"""The venue's clock against ours."""

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.clock_offset import TOLERANCE_NS, ClockOffset, Sample
from foxtrot.util.clock import NS_PER_MS


def sample(offset_ms: int, round_trip_ms: int = 10, at_ms: int = 0) -> Sample:
    """An answer of a venue whose clock is ahead by ``offset_ms``, taking as long there as back."""
    sent = at_ms * NS_PER_MS
    received = sent + round_trip_ms * NS_PER_MS
    return Sample(sent, received, (sent + received) // 2 + offset_ms * NS_PER_MS)


def test_nothing_is_known_before_the_first_answer() -> None:
    """Unsynced, and no offset."""
    clock = ClockOffset()
    clock.learn([])
    assert (clock.is_synced, clock.offset_ns) == (False, 0)


def test_the_shortest_round_trip_counts() -> None:
    """It errs least."""
    clock = ClockOffset()
    clock.learn([sample(900, round_trip_ms=500), sample(30, round_trip_ms=4), sample(200, round_trip_ms=80)])
    assert (clock.is_synced, clock.offset_ns) == (True, 30 * NS_PER_MS)


def test_estimates_that_disagree_are_not_believed_until_they_agree_again() -> None:
    """A venue's clock that jumped, or a replay that began to roll."""
    clock = ClockOffset()
    clock.learn([sample(0)])
    clock.learn([sample(400)])
    assert not clock.is_synced
    clock.learn([sample(420)])
    assert (clock.is_synced, clock.offset_ns) == (True, 420 * NS_PER_MS)


@given(st.integers(-10_000, 10_000), st.integers(0, 2_000), st.floats(0, 1))
def test_the_offset_errs_by_half_a_round_trip_at_most(offset_ms: int, round_trip_ms: int, share: float) -> None:
    """However the round trip splits into there and back."""
    received = round_trip_ms * NS_PER_MS
    there = int(received * share)
    clock = ClockOffset()
    clock.learn([Sample(0, received, there + offset_ms * NS_PER_MS)])
    assert abs(clock.offset_ns - offset_ms * NS_PER_MS) <= received // 2 + 1


@given(st.integers(0, 2_000), st.integers(0, 600))
def test_the_bound_is_the_tolerance_and_half_a_round_trip(round_trip_ms: int, jump_ms: int) -> None:
    """What a long round trip may explain is no disagreement."""
    clock = ClockOffset()
    clock.learn([sample(0)])
    clock.learn([sample(jump_ms, round_trip_ms)])
    assert clock.is_synced == (jump_ms * NS_PER_MS <= TOLERANCE_NS + round_trip_ms * NS_PER_MS // 2)
