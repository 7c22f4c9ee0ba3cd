"""What one attempt at a stream has to show, and when it has failed."""

import pytest

from foxtrot.transport.audit import Lateness, Verdict
from foxtrot.transport.proof import ANSWER_NS, FIRST, LIMIT_NS, OWN, Need, Proof
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Reason

UP = 100 * NS_PER_S


def begun(need: Need = FIRST, hits: int = 0) -> Proof:
    proof = Proof()
    proof.begin(UP, need)
    for _ in range(hits):
        proof.judged(Verdict.HIT)
    return proof


def answered(proof: Proof, seconds: int) -> Proof:
    """Each second a poll, so many seconds from the beginning on."""
    for second in range(1, seconds + 1):
        proof.answered(UP + second * NS_PER_S)
    return proof


@pytest.mark.parametrize(("need", "seconds", "hits"), [(FIRST, 2, 1), (OWN, 30, 10)])
def test_time_and_hits_are_needed(need: Need, seconds: int, hits: int) -> None:
    """Both, to the nanosecond and to the hit."""
    at = UP + seconds * NS_PER_S
    assert begun(need, hits).is_met(at)
    assert not begun(need, hits).is_met(at - 1)
    assert not begun(need, hits - 1).is_met(at)


def test_hits_are_needed_running() -> None:
    """A miss ends them."""
    proof = begun(OWN, 9)
    proof.judged(Verdict.MISS)
    proof.judged(Verdict.HIT)
    assert not proof.is_met(UP + 60 * NS_PER_S)


def test_without_a_stream_nothing_is_proved() -> None:
    """Not before it is up, nor after it has ended."""
    proof = begun(FIRST, 5)
    proof.end()
    assert not proof.is_met(UP + 60 * NS_PER_S)
    assert not Proof().is_met(UP)


def test_a_new_attempt_starts_from_nothing() -> None:
    """The evidence of an older attempt is worth nothing."""
    proof = begun(FIRST, 5)
    proof.timed(Lateness.LATE)
    proof.begin(2 * UP, FIRST)
    assert not proof.is_met(3 * UP)
    proof.judged(Verdict.HIT)
    assert proof.is_met(3 * UP)


@pytest.mark.parametrize("lateness", Lateness)
def test_a_late_stream_is_refused_and_one_that_may_be_waited_for(lateness: Lateness) -> None:
    """One in time may serve, and a quiet one, of which nothing can be told."""
    proof = begun(FIRST, 1)
    proof.timed(lateness)
    assert proof.is_met(UP + 2 * NS_PER_S) is (lateness in {Lateness.TIMELY, Lateness.QUIET})


def test_what_could_not_be_told_in_sixty_seconds_is_not_held_against_a_stream() -> None:
    """It had its hits; before that it is waited for."""
    proof = begun(FIRST, 1)
    proof.timed(Lateness.OPEN)
    assert not answered(proof, 59).is_met(UP + 59 * NS_PER_S)
    proof.answered(UP + 60 * NS_PER_S)
    assert proof.is_met(UP + 60 * NS_PER_S)
    proof.answered(UP + 61 * NS_PER_S)
    assert proof.is_met(UP + 61 * NS_PER_S)
    assert proof.failure(UP + 61 * NS_PER_S) is None


def test_two_misses_running_fail() -> None:
    """One does not, nor two with a hit between."""
    proof = begun()
    for verdict in (Verdict.MISS, Verdict.HIT, Verdict.MISS):
        proof.judged(verdict)
    assert proof.failure(UP + 2 * LIMIT_NS) is None
    proof.judged(Verdict.MISS)
    assert proof.failure(UP + 2 * LIMIT_NS) is Reason.AUDIT


def test_sixty_seconds_without_a_proof_fail() -> None:
    """Counted while polls are answered."""
    seconds = LIMIT_NS // NS_PER_S
    assert answered(begun(), seconds - 1).failure(UP + LIMIT_NS) is None
    assert answered(begun(), seconds).failure(UP + LIMIT_NS) is Reason.AUDIT


def test_a_stream_that_was_late_all_the_time_fails_for_it() -> None:
    """Though it had hits."""
    proof = begun(FIRST, 70)
    proof.timed(Lateness.LATE)
    assert answered(proof, 60).failure(UP + 60 * NS_PER_S) is Reason.LAG


def test_time_without_answers_does_not_count() -> None:
    """An answer after a long silence counts for no more than a beat and a half."""
    proof = begun()
    for answer in range(1, LIMIT_NS // ANSWER_NS):
        proof.answered(UP + answer * 500 * NS_PER_S)
    assert proof.failure(UP + 2 * LIMIT_NS) is None
    proof.answered(UP + 10_000_000 * NS_PER_S)
    assert proof.failure(UP + 2 * LIMIT_NS) is Reason.AUDIT


def test_answers_without_a_stream_do_not_count() -> None:
    """It is not up yet."""
    proof = Proof()
    for second in range(100):
        proof.answered(UP + second * NS_PER_S)
    assert proof.failure(UP + 2 * LIMIT_NS) is None


def test_time_with_a_proof_does_not_count() -> None:
    """The join may take long; if the proof is lost again, the sixty seconds begin anew."""
    proof = answered(begun(FIRST, 1), 300)
    assert proof.failure(UP + 2 * LIMIT_NS) is None
    proof.judged(Verdict.MISS)
    proof.answered(UP + 301 * NS_PER_S)
    assert proof.failure(UP + 2 * LIMIT_NS) is None
