"""Who is asked for in a beat."""

from foxtrot.transport.roll import AGAIN_NS, BELIEVED_NS, LONE, Kind, Roll
from foxtrot.util.clock import NS_PER_S


def roll_of(*symbols: str) -> Roll:
    made = Roll()
    made.symbols.update(dict.fromkeys(symbols))
    return made


def test_the_batches_carry_everybody() -> None:
    """In the order of subscription."""
    assert roll_of("B", "A").batched() == ["B", "A"]


def test_the_watched_symbol_is_asked_once() -> None:
    """Also if somebody has subscribed it."""
    roll = roll_of("A", "B")
    roll.watch("C")
    assert roll.batched() == ["A", "B", "C"]
    roll.watch("A")
    assert roll.batched() == ["A", "B"]


def test_no_longer_watched_is_no_longer_asked() -> None:
    """Nor kept in mind for what it was refused."""
    roll = roll_of("A")
    roll.watch("C")
    assert not roll.refused("C", 0)
    roll.watch("")
    assert roll.batched() == ["A"]
    assert roll.lone(AGAIN_NS) == []


def test_a_refused_symbol_leaves_the_batches() -> None:
    """It is asked alone 20 s later, and every 20 s from then on."""
    roll = roll_of("A", "B")
    assert not roll.refused("A", 0)
    assert roll.is_refused("A")
    assert roll.batched() == ["B"]
    assert roll.lone(AGAIN_NS - 1) == []
    assert roll.lone(AGAIN_NS) == ["A"]
    assert roll.lone(2 * AGAIN_NS - 1) == []
    assert roll.lone(2 * AGAIN_NS) == ["A"]


def test_a_refusal_that_stands_for_a_minute_is_believed() -> None:
    """Not before: one machine of the venue may be mistaken."""
    roll = roll_of("A")
    assert not roll.refused("A", 0)
    assert not roll.refused("A", BELIEVED_NS - 1)
    assert roll.refused("A", BELIEVED_NS)


def test_a_refused_symbol_that_is_answered_is_back() -> None:
    """And a later refusal is a first one again."""
    roll = roll_of("A")
    assert not roll.refused("A", 0)
    roll.answered("A", AGAIN_NS)
    assert not roll.is_refused("A")
    assert roll.batched() == ["A"]
    assert not roll.refused("A", BELIEVED_NS)


def test_a_symbol_given_up_is_gone() -> None:
    """For its subscribers, and as the watched one; another one that is watched stays."""
    roll = roll_of("A", "B")
    roll.watch("A")
    roll.give_up("A")
    assert roll.batched() == ["B"]
    roll.watch("C")
    roll.give_up("B")
    assert roll.batched() == ["C"]


def test_a_dropped_symbol_is_forgotten() -> None:
    """With what it was refused for."""
    roll = roll_of("A")
    assert not roll.refused("A", 0)
    roll.drop("A")
    assert roll.lone(AGAIN_NS) == []


def test_a_dropped_symbol_may_still_be_watched() -> None:
    """What is known of it stays."""
    roll = roll_of("A")
    roll.watch("A")
    assert not roll.refused("A", 0)
    roll.drop("A")
    assert roll.is_refused("A")


def test_the_symbol_watched_before_stays_in_mind_if_it_is_subscribed() -> None:
    """It is still refused."""
    roll = roll_of("A")
    roll.watch("A")
    assert not roll.refused("A", 0)
    roll.watch("B")
    assert roll.is_refused("A")


def test_a_missing_symbol_is_told_once_and_asked_alone() -> None:
    """It stays in the batches too: asking there costs nothing."""
    roll = roll_of("A", "B")
    assert roll.batch_answered(Kind.FIGURES, ["A", "B"], {"B"}, 5) == ["A"]
    assert roll.batch_answered(Kind.FIGURES, ["A", "B"], {"B"}, 6) == []
    assert roll.batched() == ["A", "B"]
    assert not roll.is_refused("A")
    assert roll.lone(6) == ["A"]


def test_a_missing_symbol_that_is_answered_alone_is_asked_alone_each_beat() -> None:
    """Else every 20 s."""
    roll = roll_of("A")
    assert roll.batch_answered(Kind.FIGURES, ["A"], set(), 0) == ["A"]
    assert roll.lone(0) == ["A"]
    assert roll.lone(NS_PER_S) == []
    roll.answered("A", NS_PER_S)
    assert roll.lone(NS_PER_S) == ["A"]


def test_a_missing_symbol_that_comes_again_is_forgotten() -> None:
    """In an answer of the kind that it was missing from; the next time is told again."""
    roll = roll_of("A")
    assert roll.batch_answered(Kind.QUOTES, ["A"], set(), 0) == ["A"]
    assert roll.batch_answered(Kind.FIGURES, ["A"], {"A"}, 1) == []
    assert roll.lone(1) == ["A"]
    assert roll.batch_answered(Kind.QUOTES, ["A"], {"A"}, 2) == []
    assert roll.lone(10**18) == []
    assert roll.batch_answered(Kind.QUOTES, ["A"], set(), 3) == ["A"]


def test_a_missing_symbol_may_be_refused_as_well() -> None:
    """The refusal is what counts then, from its first."""
    roll = roll_of("A")
    assert roll.batch_answered(Kind.FIGURES, ["A"], set(), 0) == ["A"]
    assert not roll.refused("A", BELIEVED_NS)
    assert roll.batched() == []


def test_who_was_dropped_meanwhile_is_not_missed() -> None:
    """But the watched one is."""
    roll = roll_of()
    roll.watch("W")
    assert roll.batch_answered(Kind.FIGURES, ["A", "W"], set(), 0) == ["W"]


def test_an_answer_to_nobody_changes_nothing() -> None:
    """As of a symbol that was neither missing nor refused."""
    roll = roll_of("A")
    roll.answered("A", 0)
    assert roll.batched() == ["A"]


def test_no_beat_asks_more_than_five_alone() -> None:
    """Those who have waited longest come first."""
    names = [f"S{k}" for k in range(LONE + 2)]
    roll = roll_of(*names)
    for at, name in enumerate(names):
        roll.batch_answered(Kind.FIGURES, [name], set(), at)
    assert roll.lone(10) == names[:LONE]
    assert roll.lone(10) == names[LONE:]
