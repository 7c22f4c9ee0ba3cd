"""When a poll's answer is taken for one from the past."""

from foxtrot.transport.base import Answer, Stats
from foxtrot.transport.old_answers import BEHIND_NS, MEMORY, OldAnswers
from foxtrot.util.clock import NS_PER_S

_NOTHING = (0.0,) * 8


def _stats(last_id: int, received_ns: int = 0) -> Stats:
    return Stats(last_id, 0, _NOTHING, received_ns)


def _answers(**last_ids: int) -> dict[str, Answer]:
    return {symbol: Answer(symbol, None, _stats(last_id)) for symbol, last_id in last_ids.items()}


def _streamed(symbol: str, *last_ids: int) -> OldAnswers:
    """One a second."""
    old = OldAnswers()
    for second, last_id in enumerate(last_ids):
        old.streamed(symbol, _stats(last_id, second * NS_PER_S))
    return old


def test_an_answer_behind_what_a_stream_had_shown_is_old_with_all_that_is_in_it() -> None:
    """One busy symbol among quiet ones tells of all of them."""
    old = _streamed("BTC", 10, 11, 12)
    assert old.is_old(_answers(BTC=9, ETH=5), BEHIND_NS)
    assert not old.is_old(_answers(BTC=10, ETH=5), BEHIND_NS)


def test_what_was_shown_just_before_proves_nothing() -> None:
    """A replica may trail by less than the bound."""
    old = _streamed("BTC", 10, 11, 12)
    assert not old.is_old(_answers(BTC=9), BEHIND_NS - 1)
    assert not old.is_old(_answers(BTC=11), 1 * NS_PER_S + BEHIND_NS)
    assert old.is_old(_answers(BTC=10), 1 * NS_PER_S + BEHIND_NS)


def test_where_nothing_is_known_nothing_is_old() -> None:
    """Another symbol, a window without trades, an answer without figures."""
    old = _streamed("BTC", 10)
    late = 100 * NS_PER_S
    assert not old.is_old(_answers(ETH=1), late)
    assert not old.is_old(_answers(BTC=-1), late)
    assert not old.is_old({"BTC": Answer("BTC", None, None)}, late)
    assert not old.is_old({}, late)


def test_it_remembers_so_many_and_what_repeats_counts_from_its_first() -> None:
    """A quiet symbol's last trade was known for as long as it has been shown."""
    old = _streamed("BTC", *(7 for _ in range(3 * MEMORY)), 8)
    assert old.is_old(_answers(BTC=6), BEHIND_NS)
    busy = _streamed("BTC", *range(3 * MEMORY))
    assert not busy.is_old(_answers(BTC=0), BEHIND_NS)  # so long ago is forgotten
