"""What becomes of polls' answers: each is told from the past, and from ids that have begun anew."""

from foxtrot.transport.answer_check import AnswerCheck, Checked
from foxtrot.transport.base import Answer, Stats
from foxtrot.transport.id_spaces import ANEW_NS
from foxtrot.transport.old_answers import BEHIND_NS
from foxtrot.util.clock import NS_PER_S

FIGURES = (0.0,) * 8
SECONDS = ANEW_NS // NS_PER_S


def stats(last_id: int, second: int) -> Stats:
    """Figures of that second."""
    return Stats(last_id, 1_000 * second, FIGURES, second * NS_PER_S)


def polled(check: AnswerCheck, last_id: int, second: int, took_ns: int = 0) -> Checked:
    """BTC's answer, asked in that second; ETH's without figures came with it."""
    answers = {"BTC": Answer("BTC", None, stats(last_id, second)), "ETH": Answer("ETH", None, None)}
    return check.polled(answers, second * NS_PER_S, second * NS_PER_S + took_ns)


def known() -> AnswerCheck:
    """The stream has shown trade 1,000 in second 1."""
    check = AnswerCheck()
    check.streamed("BTC", stats(1_000, 1))
    return check


def test_an_answer_behind_the_stream_is_let_go() -> None:
    """With all that came with it; its ids have not begun anew."""
    late, anew = polled(known(), 999, 60)
    assert (set(late), anew) == ({"BTC", "ETH"}, [])


def test_an_answer_is_held_against_what_was_known_when_it_was_asked() -> None:
    """However long it took."""
    late, _ = polled(known(), 999, 1, took_ns=2 * BEHIND_NS)
    assert not late


def test_ids_that_begin_anew_are_told_by_the_time_of_the_answer() -> None:
    """Smaller ones have gone on for so long."""
    check = known()
    assert not any(polled(check, second, second).anew for second in range(2, SECONDS + 1))
    assert polled(check, SECONDS + 1, SECONDS + 1, took_ns=NS_PER_S).anew == ["BTC"]


def test_what_is_forgotten_is_held_against_nothing() -> None:
    """New ids are neither late nor anew."""
    check = known()
    check.forget("BTC")
    answers = [polled(check, second, second) for second in range(2, 2 * SECONDS)]
    assert not any(late or anew for late, anew in answers)
