"""Limits: windows aligned to the clock, 429, growing bans, messages, pings."""

import gc

import pytest

from foxtrot.sandbox.limits import (
    _KEPT_ADDRESSES,
    CONNECTS_PER_5_MINUTES,
    LIFE_US,
    MINUTE_US,
    RAW_PER_5_MINUTES,
    SECOND_US,
    KeepAlive,
    Limits,
    MessageGate,
    Violations,
)

HOME = "127.0.0.1"
NOW = 29_000_000 * MINUTE_US


@pytest.fixture
def violations() -> Violations:
    return Violations()


@pytest.fixture
def limits(violations: Violations) -> Limits:
    return Limits(violations)


def test_counts_weight_in_the_minute_of_the_clock(limits: Limits) -> None:
    """Weight adds up within a calendar minute and starts anew with the next."""
    limits.charge(HOME, 100, NOW + 59 * SECOND_US)
    assert limits.charge(HOME, 20, NOW + 59 * SECOND_US).used == 120
    assert limits.charge(HOME, 5, NOW + 60 * SECOND_US).used == 5
    assert limits.used(HOME, NOW + 60 * SECOND_US) == 5


def test_refuses_above_the_limit_until_the_minute_is_over(limits: Limits, violations: Violations) -> None:
    """6,000 may be used, 6,001 not; Retry-After is what is left of the minute."""
    assert limits.charge(HOME, 6_000, NOW).status == 200
    verdict = limits.charge(HOME, 1, NOW + 20 * SECOND_US)
    assert (verdict.status, verdict.retry_after, verdict.limit) == (429, 40, "weight")
    assert violations.counts == {"weight": 1}
    assert limits.charge(HOME, 1, NOW + MINUTE_US).status == 200


def test_bans_who_goes_on_and_longer_each_time(limits: Limits) -> None:
    """Ten requests into a 429 are borne, the next bans for two minutes, the next time for four."""
    now, bans = NOW, []
    for _ in range(3):
        limits.charge(HOME, 6_000, now)
        statuses = [limits.charge(HOME, 1, now).status for _ in range(11)]
        assert statuses == [429] * 10 + [418]
        verdict = limits.charge(HOME, 1, now + SECOND_US)
        assert verdict.status == 418
        assert limits.connect(HOME, now + SECOND_US).status == 418
        bans.append(verdict.retry_after + 1)
        now = verdict.until_ms * 1_000 // MINUTE_US * MINUTE_US + MINUTE_US
    assert bans == [120, 240, 480]


def test_addresses_do_not_share_a_limit(limits: Limits) -> None:
    """What one address used leaves another free."""
    limits.charge(HOME, 6_001, NOW)
    assert limits.charge("127.0.0.2", 1, NOW).status == 200


def test_forgets_addresses_that_no_limit_concerns(limits: Limits) -> None:
    """Ten thousand addresses are kept, then the idle ones are let go; a banned one never is."""
    for number in range(9_999):
        limits.charge(f"10.0.{number // 250}.{number % 250}", 1, NOW)
    for _ in range(12):
        limits.charge(HOME, 6_001, NOW + 4 * MINUTE_US)
    limits.charge("10.1.0.0", 1, NOW + 5 * MINUTE_US)
    assert limits.charge(HOME, 1, NOW + 5 * MINUTE_US).status == 418
    assert limits.charge("10.0.0.0", 1, NOW + 5 * MINUTE_US).used == 1


def test_lets_addresses_go_a_few_at_a_time(limits: Limits) -> None:
    """However many addresses became idle, one that comes lets two of them go: no request pays for all."""
    for number in range(_KEPT_ADDRESSES + 100):
        limits.charge(f"10.0.{number // 250}.{number % 250}", 1, NOW)
    sizes = []
    for number in range(200):
        limits.charge(f"10.1.0.{number}", 1, NOW + 5 * MINUTE_US)
        sizes.append(len(limits._addresses))
    assert sizes[:2] == [_KEPT_ADDRESSES + 99, _KEPT_ADDRESSES + 98]
    assert sizes[-1] == _KEPT_ADDRESSES


def test_keeps_an_address_while_a_limit_concerns_it(limits: Limits) -> None:
    """Beyond ten thousand, too, an address that connected keeps its count for five minutes after its last use."""
    for _ in range(CONNECTS_PER_5_MINUTES):
        limits.connect(HOME, NOW + 4 * MINUTE_US)
    for number in range(_KEPT_ADDRESSES + 100):
        limits.charge(f"10.0.{number // 250}.{number % 250}", 1, NOW + 6 * MINUTE_US)
    assert limits.connect(HOME, NOW + 6 * MINUTE_US).status == 429


def test_no_search_for_garbage_looks_at_addresses(limits: Limits) -> None:
    """What is kept of an address is nothing that the garbage collector follows, however many there are."""
    limits.connect(HOME, NOW)
    limits.offend(HOME, NOW)
    gc.collect()
    state = limits._addresses[HOME]
    assert not any(map(gc.is_tracked, (state, state.connects, state.offences)))


def test_counts_raw_requests_in_five_minutes(limits: Limits) -> None:
    """Requests without weight count, too."""
    for _ in range(RAW_PER_5_MINUTES):
        limits.charge(HOME, 0, NOW)
    assert limits.charge(HOME, 0, NOW).limit == "raw_requests"
    assert limits.charge(HOME, 0, NOW + 5 * MINUTE_US).status == 200


def test_counts_connects_in_a_sliding_window(limits: Limits) -> None:
    """300 connects in 5 minutes; one becomes free when the oldest is 5 minutes old."""
    for _ in range(CONNECTS_PER_5_MINUTES):
        assert limits.connect(HOME, NOW).status == 200
    assert limits.connect(HOME, NOW + SECOND_US).status == 429
    assert limits.connect(HOME, NOW + 5 * MINUTE_US).status == 200


def test_bans_who_talks_too_much_again_and_again(limits: Limits) -> None:
    """The eleventh connection within 5 minutes that was ended for its messages bans the address; one a minute does not."""
    for number in range(20):
        limits.offend("127.0.0.2", NOW + number * MINUTE_US)
    assert limits.connect("127.0.0.2", NOW + 20 * MINUTE_US).status == 200
    for _ in range(11):
        limits.offend(HOME, NOW)
    assert limits.connect(HOME, NOW).status == 418


def test_admits_five_messages_in_any_second() -> None:
    """The sixth within a second is one too many; a second after the first there is room again."""
    gate = MessageGate()
    assert [gate.admit(NOW) for _ in range(6)] == [True] * 5 + [False]
    gate = MessageGate()
    assert all(gate.admit(NOW + number * SECOND_US // 5) for number in range(50))


def test_pings_every_twenty_seconds() -> None:
    """A ping is due 20 s after the opening, and 20 s after each."""
    keep = KeepAlive(NOW)
    assert keep.ping_due(NOW + 19 * SECOND_US) is None
    assert keep.ping_due(NOW + 20 * SECOND_US) is not None
    assert keep.ping_due(NOW + 21 * SECOND_US) is None


def test_a_ping_unanswered_for_a_minute_is_the_end() -> None:
    """Only a pong with the ping's payload answers it, and those before it."""
    keep = KeepAlive(NOW)
    first = keep.ping_due(NOW + 20 * SECOND_US)
    second = keep.ping_due(NOW + 40 * SECOND_US)
    assert first
    assert second
    keep.pong(b"unsolicited")
    assert not keep.is_lost(NOW + 80 * SECOND_US)
    assert keep.is_lost(NOW + 81 * SECOND_US)
    keep.pong(second)
    assert not keep.is_lost(NOW + 999 * SECOND_US)


def test_a_connection_lives_a_day() -> None:
    """After 24 hours it is old."""
    keep = KeepAlive(NOW)
    assert not keep.is_old(NOW + LIFE_US - 1)
    assert keep.is_old(NOW + LIFE_US)
