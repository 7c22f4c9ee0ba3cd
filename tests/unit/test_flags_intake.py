"""What becomes of a text read from flags.toml, and when."""

from pathlib import Path

import pytest

from foxtrot.transport import flags
from foxtrot.transport.flag_intake import (
    CONFIRM_S,
    DOUBTFUL_S,
    MARKED_S,
    RELEASE_S,
    UNMARKED_S,
    Reading,
    Settling,
    judge,
    kill_settle_s,
)
from foxtrot.transport.flags import EMPTY, KillList

SHIPPED = (Path(__file__).parents[2] / "flags.toml").read_text(encoding="utf-8")
MARKED = flags.parse("schema = 1\n# end of flags\n")
UNMARKED = flags.parse("schema = 1\n[symbols]\nA = 'polling'")


def test_no_cut_of_the_shipped_file_is_applied() -> None:
    """Cut at any byte before its end mark is whole, the shipped file changes nothing."""
    in_force = flags.parse(SHIPPED)
    end = len(SHIPPED.rstrip())
    assert [cut for cut in range(end) if judge(Reading(text=SHIPPED[:cut]), in_force, "f").flags is not None] == []


def test_a_marked_file_is_applied_almost_at_once() -> None:
    """The end mark stands for a whole file."""
    verdict = judge(Reading(text=MARKED.text), EMPTY, "f")
    assert (verdict.flags, verdict.settle_s) == (MARKED, MARKED_S)


def test_an_unmarked_file_settles_first() -> None:
    """Without the mark anywhere, two equal readings 200 ms apart are asked for."""
    verdict = judge(Reading(text=UNMARKED.text), EMPTY, "f")
    assert (verdict.flags, verdict.settle_s) == (UNMARKED, UNMARKED_S)


def test_an_unmarked_file_that_drops_an_entry_waits_longer() -> None:
    """A file that lacks a pin may be cut."""
    verdict = judge(Reading(text="schema = 1"), UNMARKED, "f")
    assert (verdict.flags is not None, verdict.settle_s) == (True, DOUBTFUL_S)


def test_a_file_that_lost_its_mark_is_refused() -> None:
    """If the file in force had the mark, a text without it is not applied, and a person is told why."""
    verdict = judge(Reading(text="schema = 1"), MARKED, "f")
    assert (verdict.flags, verdict.settle_s) == (None, DOUBTFUL_S)
    assert verdict.problem == "f: the last line '# end of flags' is missing, so the file may not be whole; add it"


@pytest.mark.parametrize(("text", "settle_s"), [("schema = 2\n# end of flags", MARKED_S), ("schema = 2", DOUBTFUL_S)])
def test_a_bad_file_is_told_when_it_is_surely_whole(text: str, settle_s: float) -> None:
    """What may still be being written is not complained about."""
    verdict = judge(Reading(text=text), EMPTY, "f")
    assert (verdict.flags, verdict.settle_s) == (None, settle_s)
    assert verdict.problem == "f:1: schema: found 2; this version of Foxtrot reads schema = 1"


@pytest.mark.parametrize(("is_missing", "settle_s"), [(True, DOUBTFUL_S), (False, UNMARKED_S)])
def test_a_file_that_cannot_be_read_is_told(is_missing: bool, settle_s: float) -> None:
    """A missing file gets the time that an editor needs to put the new one in place."""
    verdict = judge(Reading(problem="no such file", is_missing=is_missing), EMPTY, "f")
    assert (verdict.problem, verdict.settle_s) == ("f: no such file", settle_s)


def test_age_counts_from_the_first_sight() -> None:
    """The same value keeps its age, another one begins anew."""
    settling: Settling[str] = Settling()
    ages = [settling.age_s(value, now) for value, now in [("a", 0), ("a", 10**9), ("b", 2 * 10**9), ("b", 5 * 10**9)]]
    assert ages == [0.0, 1.0, 0.0, 3.0]


def test_a_forgotten_value_is_new() -> None:
    """After a reset the same value has no age."""
    settling: Settling[str] = Settling()
    settling.age_s("a", 0)
    settling.forget()
    assert settling.age_s("a", 10**9) == 0.0


NONE, ONE, TWO, ALL = KillList(), KillList(symbols=frozenset("A")), KillList(symbols=frozenset("AB")), KillList(all=True)


@pytest.mark.parametrize(
    ("old", "new", "text", "expected"),
    [
        (NONE, ONE, "A\n", 0.0),
        (NONE, ALL, "*\n", 0.0),
        (ONE, TWO, "A\nB\n", 0.0),
        (TWO, ALL, "*\n", 0.0),
        (NONE, ONE, "A", CONFIRM_S),
        (NONE, ALL, "", CONFIRM_S),
        (NONE, ALL, "*", CONFIRM_S),
        (TWO, ONE, "A\n", RELEASE_S),
        (ALL, TWO, "A\nB\n", RELEASE_S),
        (ONE, NONE, None, RELEASE_S),
    ],
)
def test_a_kill_acts_at_once_and_a_release_waits(old: KillList, new: KillList, text: str | None, expected: float) -> None:
    """More killed: now, unless the file looks half-written; less killed: after a moment."""
    assert kill_settle_s(old, new, text) == expected
