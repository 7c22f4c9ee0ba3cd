"""When a poll's answer is taken for one from the past."""

from foxtrot.transport.base import Answer, Stats
from foxtrot.transport.old_answers import BEHIND_NS, MEMORY, OldAnswers
from foxtrot.util.clock import NS_PER_S

_NOTHING = (0.0,) * 8
LATE_NS = 100 * NS_PER_S


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


def _late(old: OldAnswers, asked_ns: int = LATE_NS, **last_ids: int) -> set[str]:
    return set(old.late(_answers(**last_ids), asked_ns))


def test_an_answer_behind_what_a_stream_had_shown_is_old_with_all_that_is_in_it() -> None:
    """One busy symbol among quiet ones tells of all of them."""
    old = _streamed("BTC", 10, 11, 12)
    assert _late(old, BEHIND_NS, BTC=9, ETH=5) == {"BTC", "ETH"}
    assert not _late(old, BEHIND_NS, BTC=10, ETH=5)


def test_what_was_shown_just_before_proves_nothing() -> None:
    """A replica may trail by less than the bound."""
    old = _streamed("BTC", 10, 11, 12)
    assert not _late(old, BEHIND_NS - 1, BTC=9)
    assert not _late(old, 1 * NS_PER_S + BEHIND_NS, BTC=11)
    assert _late(old, 1 * NS_PER_S + BEHIND_NS, BTC=10)


def test_where_nothing_is_known_nothing_is_old() -> None:
    """Another symbol, a window without trades, an answer without figures."""
    old = _streamed("BTC", 10)
    assert not _late(old, ETH=1)
    assert not _late(old, BTC=-1)
    assert not old.late({"BTC": Answer("BTC", None, None)}, LATE_NS)
    assert not old.late({}, LATE_NS)


def test_it_remembers_so_many_and_what_repeats_counts_from_its_first() -> None:
    """A quiet symbol's last trade was known for as long as it has been shown."""
    old = _streamed("BTC", *(7 for _ in range(3 * MEMORY)), 8)
    assert _late(old, BEHIND_NS, BTC=6)
    busy = _streamed("BTC", *range(3 * MEMORY))
    assert not _late(busy, BEHIND_NS, BTC=0)  # so long ago is forgotten


def test_one_that_stands_still_while_another_goes_on_tells_of_itself_alone() -> None:
    """Also while the other one does not trade for a while."""
    old = _streamed("ETH", 10)
    assert _late(old, ETH=9, BTC=5) == {"ETH", "BTC"}
    assert _late(old, ETH=9, BTC=6) == {"ETH"}
    assert _late(old, ETH=9, BTC=6) == {"ETH"}


def test_one_that_moves_on_late_tells_of_all_again() -> None:
    """A replica that trails moves on too: who goes along with it proves nothing."""
    old = _streamed("ETH", 10)
    _late(old, ETH=7, BTC=5)
    assert _late(old, ETH=7, BTC=6) == {"ETH"}
    assert _late(old, ETH=8, BTC=7) == {"ETH", "BTC"}


def test_one_above_what_its_stream_had_shown_is_of_the_present() -> None:
    """Whatever the late ones do."""
    old = _streamed("ETH", 10)
    old.streamed("BTC", _stats(5))
    _late(old, ETH=7, BTC=5)
    assert _late(old, ETH=8, BTC=5) == {"ETH", "BTC"}
    assert _late(old, ETH=9, BTC=6) == {"ETH"}


def test_an_answer_that_goes_back_and_forth_does_not_move_on() -> None:
    """What counts is the newest trade that any poll has shown."""
    old = _streamed("ETH", 10)
    for last_id in (6, 5, 6):
        assert _late(old, ETH=9, BTC=last_id) == {"ETH", "BTC"}


def test_what_is_forgotten_is_not_held_against_anybody() -> None:
    """It may begin anew."""
    old = _streamed("BTC", 10)
    old.forget("BTC")
    old.forget("ETH")
    assert not _late(old, BTC=1)


def test_who_is_forgotten_may_go_on_with_smaller_ids() -> None:
    """Begun anew, it tells of the one that stands still as before."""
    old = _streamed("ETH", 10)
    _late(old, ETH=9, BTC=500)
    old.forget("BTC")
    assert _late(old, ETH=9, BTC=5) == {"ETH", "BTC"}
    assert _late(old, ETH=9, BTC=6) == {"ETH"}


def test_who_stood_still_and_is_forgotten_stands_for_all_again() -> None:
    """Until another one goes on."""
    old = _streamed("ETH", 10)
    _late(old, ETH=9, BTC=5)
    assert _late(old, ETH=9, BTC=6) == {"ETH"}
    old.forget("ETH")
    old.streamed("ETH", _stats(10))
    assert _late(old, ETH=9, BTC=6) == {"ETH", "BTC"}
