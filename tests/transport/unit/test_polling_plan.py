"""Which requests a beat makes."""

import pytest

from foxtrot.transport.roll import CHUNK, plan


def names(count: int) -> list[str]:
    return [f"S{k}" for k in range(count)]


def test_nothing_asks_for_nothing() -> None:
    """Without symbols a beat is silent."""
    assert plan([], 3) == []


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (20, [20]), (21, [20, 1]), (40, [20, 20])])
def test_few_symbols_are_all_asked_each_beat(count: int, sizes: list[int]) -> None:
    """In chunks of twenty, the most that cost the least."""
    chunks = plan(names(count), 7)
    assert [len(chunk) for chunk in chunks] == sizes
    assert [name for chunk in chunks for name in chunk] == names(count)


@pytest.mark.parametrize("count", [41, 60, 61, 200, 401])
def test_many_symbols_take_turns(count: int) -> None:
    """Two chunks a beat, and each symbol within a fortieth of as many beats as there are symbols."""
    rounds = -(-count // 40)
    for first in range(rounds * 3):
        beats = [plan(names(count), beat) for beat in range(first, first + rounds)]
        assert all(len(chunks) == 2 and all(len(chunk) <= CHUNK for chunk in chunks) for chunks in beats)
        assert {name for chunks in beats for chunk in chunks for name in chunk} == set(names(count))
