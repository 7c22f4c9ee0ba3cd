"""The canary: a dead socket is noticed within 3 s, and nothing else is taken for one."""

import pytest

from foxtrot.transport.canary import FIRST_DATA_NS, MEMORY_NS, Canary
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

A, B, C, D = ((float(bid), 1.0, bid + 1.0, 1.0) for bid in range(4))


def ns(seconds: float) -> int:
    """Seconds after the subscription, a thousand seconds into the run."""
    return 1_000 * NS_PER_S + int(seconds * NS_PER_S)


class Watch:
    """A canary since 0 s; what it hears and what polls show, in seconds."""

    def __init__(self) -> None:
        self.canary = Canary(ns(0))

    def hear(self, levels: tuple[float, float, float, float], at: float) -> None:
        self.canary.heard(levels, ns(at))

    def poll(self, levels: tuple[float, float, float, float], asked: float, took: float = 0.05) -> None:
        self.canary.polled(levels, ns(asked), ns(asked + took))

    def dead_at(self, start: float, end: float) -> float | None:
        """The first tenth of a second at which it is dead; None: not before ``end``."""
        for tenth in range(round(start * 10), round(end * 10)):
            if self.canary.is_dead(ns(tenth / 10)):
                return tenth / 10
        return None


@pytest.fixture
def watch() -> Watch:
    """A socket that brought A at 5 s and B at 10 s."""
    made = Watch()
    made.hear(A, 5)
    made.hear(B, 10)
    return made


def test_a_silent_socket_is_dead_when_a_poll_shows_another_quote(watch: Watch) -> None:
    """Two seconds after its last frame, at the latest three whatever the phase of the beat."""
    watch.poll(C, 10.9)
    assert watch.canary.is_suspect
    assert watch.dead_at(10.9, 20) == 12


@pytest.mark.parametrize("asked", [10.05, 10.5, 11.0, 11.6])
def test_whatever_the_phase_of_the_beat_it_shows_in_three_seconds(watch: Watch, asked: float) -> None:
    """The quote changes right after the last frame; a poll is asked every second."""
    for beat in range(3):
        watch.poll(C, asked + beat)
    found = watch.dead_at(10, 20)
    assert found is not None
    assert found - 10 <= 3


def test_a_quiet_market_is_no_death(watch: Watch) -> None:
    """Polls show what the stream said last."""
    for second in range(11, 600):
        watch.poll(B, second)
    assert watch.dead_at(10, 700) is None


def test_a_frame_on_its_way_is_no_death(watch: Watch) -> None:
    """A poll is ahead of the stream by some milliseconds, after a quiet minute."""
    watch.poll(C, 70)
    assert watch.dead_at(70, 70.29) is None
    watch.hear(C, 70.2)
    assert watch.dead_at(70.2, 100) is None


def test_a_quiet_minute_does_not_shorten_the_grace(watch: Watch) -> None:
    """The silence is long; a quarter of a second after the poll that shows a change it counts."""
    watch.poll(C, 70)
    assert not watch.canary.is_dead(ns(70.05) + 249 * NS_PER_MS)
    assert watch.canary.is_dead(ns(70.05) + 250 * NS_PER_MS)


@pytest.mark.parametrize("behind", [0.1, 0.5, 0.9])
def test_a_replica_that_trails_is_no_death(watch: Watch, behind: float) -> None:
    """It shows what stood before the last frame; the next poll shows the last frame."""
    watch.hear(C, 20)
    watch.poll(B, 20 + behind)
    watch.poll(C, 21 + behind)
    assert not watch.canary.is_suspect
    assert watch.dead_at(20, 40) is None


def test_a_cached_answer_is_no_death(watch: Watch) -> None:
    """It shows what stood on the stream some seconds ago; the one after it is fresh."""
    watch.hear(C, 20)
    watch.poll(B, 25)
    watch.poll(C, 26)
    watch.poll(B, 27)
    watch.poll(C, 28)
    assert watch.dead_at(20, 40) is None


def test_what_a_cache_shows_twice_has_come_back(watch: Watch) -> None:
    """The quote returned to an earlier one and the socket did not say so; another poll in the same instant does not count."""
    watch.hear(C, 20)
    watch.poll(B, 22)
    watch.poll(B, 22.1)
    assert not watch.canary.is_suspect
    watch.poll(B, 23)
    assert watch.dead_at(20, 40) == 23.3


def test_cached_answers_with_a_fresh_one_between_are_no_death(watch: Watch) -> None:
    """A poll that agrees, or a frame: the next cached answer is the first one again."""
    watch.hear(C, 20)
    watch.poll(B, 22)
    watch.poll(C, 23)
    watch.poll(B, 24)
    assert not watch.canary.is_suspect
    watch.hear(D, 24.5)
    watch.poll(B, 26)
    assert not watch.canary.is_suspect


def test_a_quote_that_stood_twice_counts_from_its_last_time(watch: Watch) -> None:
    """A replica that trails shows what has just left, however long ago it came first."""
    watch.hear(A, 12)
    watch.hear(C, 18)
    watch.poll(A, 18.1)
    watch.poll(A, 18.95)
    assert not watch.canary.is_suspect
    watch.poll(A, 19.1)
    watch.poll(A, 19.95)
    assert watch.canary.is_suspect


def test_two_older_quotes_are_two_cached_answers(watch: Watch) -> None:
    """Each of them stood, neither twice."""
    watch.hear(C, 11)
    watch.poll(A, 13)
    watch.poll(B, 14)
    assert not watch.canary.is_suspect


def test_what_stood_long_ago_is_a_change(watch: Watch) -> None:
    """No cache is so old."""
    watch.poll(A, 10 + MEMORY_NS / NS_PER_S + 0.1)
    assert watch.canary.is_suspect


def test_quotes_of_long_ago_are_forgotten(watch: Watch) -> None:
    """Each frame lets go of what stood before."""
    for second in range(11, 200):
        watch.hear((float(second), 1.0, second + 1.0, 1.0), second)
    watch.poll(A, 200.5)
    assert watch.canary.is_suspect


def test_a_poll_of_before_the_last_frame_says_nothing(watch: Watch) -> None:
    """It was asked earlier and is answered later."""
    watch.poll(C, 9.9, took=0.3)
    assert not watch.canary.is_suspect


def test_a_poll_that_agrees_clears_the_doubt(watch: Watch) -> None:
    """The one before it was of another replica."""
    watch.poll(C, 11)
    watch.poll(B, 11.5)
    assert watch.dead_at(11, 30) is None


def test_the_same_quote_again_is_a_sign_of_life(watch: Watch) -> None:
    """The venue may repeat itself."""
    watch.poll(C, 11)
    watch.hear(B, 11.5)
    assert watch.dead_at(11, 30) is None


def test_frames_of_other_streams_show_that_the_socket_lives(watch: Watch) -> None:
    """Only the canary's own stream is mute: that is for the audit. Once they end too, it is dead."""
    for tenth in range(110, 300):
        watch.poll(C, tenth / 10)
        watch.canary.noted("other", ns(tenth / 10))
        assert not watch.canary.is_dead(ns(tenth / 10 + 0.05))
    assert watch.dead_at(29.9, 40) == 31.9


def test_a_stall_of_our_own_is_no_death(watch: Watch) -> None:
    """What waits in the socket is read first; then it counts again."""
    watch.canary.excuse(ns(11))
    assert not watch.canary.is_suspect
    watch.poll(C, 11)
    watch.canary.excuse(ns(20))
    assert watch.dead_at(20, 30) == 20.3


# before the first frame


def test_a_new_socket_gets_ten_seconds_for_its_first_frame() -> None:
    """Polls show that the quote has changed since a first one, asked a second after the subscription."""
    watch = Watch()
    watch.poll(A, 0.5)
    watch.poll(B, 1.0)
    watch.poll(C, 2.0)
    assert watch.dead_at(0, 30) == FIRST_DATA_NS / NS_PER_S


def test_what_changed_before_the_subscription_is_no_death() -> None:
    """Only from a second after it on does a poll count."""
    watch = Watch()
    watch.poll(A, 0.9)
    for second in range(2, 60):
        watch.poll(B, second)
    assert watch.dead_at(0, 60) is None


def test_a_socket_without_any_poll_is_not_judged() -> None:
    """REST may be down: the canary says nothing then."""
    assert Watch().dead_at(0, 60) is None


def test_what_stood_before_the_first_frame_is_not_known() -> None:
    """A replica that trails shows it for a moment."""
    watch = Watch()
    watch.hear(B, 3)
    watch.poll(A, 3.9)
    assert not watch.canary.is_suspect
    watch.poll(A, 4.1)
    assert watch.canary.is_suspect


def test_the_first_frame_ends_the_wait() -> None:
    """It came late, but it came."""
    watch = Watch()
    watch.poll(B, 1.0)
    watch.poll(C, 2.0)
    watch.hear(D, 9.0)
    assert watch.dead_at(9, 60) is None
