"""What an attempt has shown, and how REST is asked about it."""

from foxtrot.transport.proof import FIRST_DATA_NS, Proof
from foxtrot.transport.question import AGAIN_NS, FRESH_NS, Question
from foxtrot.util.clock import NS_PER_S

UP = 100 * NS_PER_S


def begun() -> Proof:
    proof = Proof()
    proof.begin(UP)
    return proof


def test_the_first_new_value_proves() -> None:
    """Data proves a stream, from its arrival on."""
    proof = begun()
    proof.heard(UP + 1)
    proof.heard(UP + 2)
    assert proof.proven_ns == UP + 1


def test_quiet_polls_prove_a_quiet_stream() -> None:
    """The first poll says where the venue stood; one asked after 2 s that shows nothing new is the proof."""
    proof = begun()
    assert not proof.polled(UP + NS_PER_S, UP + NS_PER_S, is_changed=True)
    assert not proof.polled(UP + 2 * NS_PER_S - 1, UP + 2 * NS_PER_S, is_changed=False)
    assert proof.polled(UP + 2 * NS_PER_S, UP + 3 * NS_PER_S, is_changed=False)
    assert proof.proven_ns == UP + 3 * NS_PER_S


def test_polls_without_a_connection_prove_nothing() -> None:
    """No stream, no proof."""
    proof = Proof()
    assert not any(proof.polled(at * NS_PER_S, at * NS_PER_S, is_changed=False) for at in range(1, 9))


def test_what_came_before_the_subscription_is_not_owed() -> None:
    """A change that happened before the stream began to carry must not fail it."""
    proof = begun()
    proof.polled(UP - 1, UP + 1, is_changed=True)
    proof.polled(UP + NS_PER_S, UP + NS_PER_S, is_changed=True)
    assert proof.polled(UP + 2 * NS_PER_S, UP + 2 * NS_PER_S, is_changed=False)


def test_owed_data_is_waited_for_ten_seconds() -> None:
    """Polls show what the stream does not bring: no proof, and after 10 s a failure."""
    proof = begun()
    proof.polled(UP + NS_PER_S, UP + NS_PER_S, is_changed=False)
    owed = UP + 2 * NS_PER_S
    proof.polled(owed, owed, is_changed=True)
    proof.polled(owed + NS_PER_S, owed + NS_PER_S, is_changed=True)
    assert not proof.polled(owed + 2 * NS_PER_S, owed + 2 * NS_PER_S, is_changed=False)
    assert not proof.is_overdue(owed + FIRST_DATA_NS - 1)
    assert proof.is_overdue(owed + FIRST_DATA_NS)


def test_data_settles_what_is_owed() -> None:
    """Late data is data."""
    proof = begun()
    proof.polled(UP + NS_PER_S, UP + NS_PER_S, is_changed=False)
    proof.polled(UP + 2 * NS_PER_S, UP + 2 * NS_PER_S, is_changed=True)
    proof.heard(UP + 3 * NS_PER_S)
    assert not proof.is_overdue(UP + 60 * NS_PER_S)
    assert proof.proven_ns == UP + 3 * NS_PER_S


def test_a_new_attempt_starts_from_nothing() -> None:
    """The evidence of an older attempt is worth nothing."""
    proof = begun()
    proof.heard(UP)
    proof.begin(2 * UP)
    assert (proof.up_ns, proof.proven_ns) == (2 * UP, 0)


def test_one_question_at_a_time() -> None:
    """The next one waits for the answer, and no longer when it was useful."""
    question = Question()
    assert question.ask(UP)
    assert not question.ask(UP + 1)
    question.answered(UP + 2, is_useful=True)
    assert question.ask(UP + 2)
    assert question.asked_ns == UP + 2


def test_a_question_is_fresh_for_two_seconds() -> None:
    """So long others make way for its answer; without one there is nothing to make way for."""
    question = Question()
    assert not question.is_fresh(UP)
    question.ask(UP)
    assert question.is_fresh(UP + FRESH_NS - 1)
    assert not question.is_fresh(UP + FRESH_NS)


def test_useless_answers_space_the_questions() -> None:
    """250 ms, doubled up to 2 s."""
    question, now, waits = Question(), UP, []
    for _ in range(6):
        assert question.ask(now)
        question.answered(now, is_useful=False)
        wait = next(k for k in range(1, 100) if question._not_before_ns == now + k * AGAIN_NS)
        assert not question.ask(now + wait * AGAIN_NS - 1)
        waits.append(wait)
        now += wait * AGAIN_NS
    assert waits == [1, 2, 4, 8, 8, 8]


def test_a_useful_answer_ends_the_spacing() -> None:
    """After it, a useless one waits the shortest time again."""
    question = Question()
    for is_useful in (False, False, True, False):
        question.reset()
        assert question.ask(UP)
        question.answered(UP, is_useful=is_useful)
    assert not question.ask(UP + AGAIN_NS - 1)
    assert question.ask(UP + AGAIN_NS)


def test_a_reset_leaves_the_question_under_way() -> None:
    """Its answer is still to come."""
    question = Question()
    question.ask(UP)
    question.reset()
    assert question.is_open
    assert not question.ask(UP)
