"""How REST is asked, one question at a time."""

from foxtrot.transport.question import AGAIN_NS, FRESH_NS, Question
from foxtrot.util.clock import NS_PER_S

UP = 100 * NS_PER_S


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
