"""Which ids were left out, and which of them came later."""

from foxtrot.app.missing_ids import HOLES, MissingIds


def left_out(*holes: tuple[int, int]) -> MissingIds:
    missing = MissingIds()
    for first, last in holes:
        missing.add(first, last)
    return missing


def test_each_id_is_found_once() -> None:
    """In any order; at the ends of a hole as in its middle."""
    missing = left_out((3, 7), (10, 10))
    assert [missing.find(number) for number in (5, 3, 7, 10, 4, 6)] == [True] * 6
    assert [missing.find(number) for number in (3, 5, 10, 11, 2)] == [False] * 5
    assert (missing.total, missing.found) == (6, 6)


def test_what_was_forgotten_is_believed() -> None:
    """Beyond its capacity the oldest hole is let go: an id from there counts as found."""
    missing = left_out(*((2 * number, 2 * number) for number in range(HOLES + 1)))
    assert missing.find(0)
    assert not missing.find(3)
