"""When a venue's ids are taken to have begun anew."""

from foxtrot.transport.base import Stats
from foxtrot.transport.id_spaces import ANEW_NS, IdSpaces
from foxtrot.util.clock import NS_PER_S

SECONDS = ANEW_NS // NS_PER_S
_NOTHING = (0.0,) * 8


def _polled(spaces: IdSpaces, last_id: int, second: int, close_ms: int | None = None) -> bool:
    key = (last_id, 1_000 * second if close_ms is None else close_ms)
    return spaces.polled("BTC", Stats(*key, _NOTHING, 0), second * NS_PER_S)


def _known(last_id: int = 1_000) -> IdSpaces:
    spaces = IdSpaces()
    assert not _polled(spaces, last_id, 1)
    return spaces


def test_smaller_ids_that_go_on_for_so_long_are_new_ones() -> None:
    """Known by a poll alone."""
    spaces = _known()
    found = [_polled(spaces, second, second) for second in range(2, SECONDS + 3)]
    assert found == [False] * SECONDS + [True]


def test_the_known_ids_on_a_stream_end_the_doubt() -> None:
    """REST trails: it may do so for as long as it likes."""
    spaces = _known()
    for second in range(2, 3 * SECONDS):
        spaces.streamed("BTC", Stats(1_000 + second, 1_000 * second, _NOTHING, 0))
        assert not _polled(spaces, second, second)


def test_new_ids_on_the_stream_too_leave_it_to_the_polls() -> None:
    """What they begin with raises nothing."""
    spaces = IdSpaces()
    spaces.streamed("BTC", Stats(1_000, 1_000, _NOTHING, 0))
    for second in range(2, SECONDS + 2):
        spaces.streamed("BTC", Stats(second, 1_000 * second, _NOTHING, 0))
        assert not _polled(spaces, second, second)
    assert _polled(spaces, SECONDS + 2, SECONDS + 2)


def test_an_answer_of_an_old_window_is_an_old_answer() -> None:
    """Its ids are smaller because it is of the past."""
    spaces = _known()
    assert not any(_polled(spaces, second, second, close_ms=1_000) for second in range(2, 3 * SECONDS))


def test_ids_that_stand_still_are_not_believed_before_they_grow() -> None:
    """A quiet symbol waits for its next trade."""
    spaces = _known()
    assert not any(_polled(spaces, 5, second) for second in range(2, 3 * SECONDS))
    assert _polled(spaces, 6, 3 * SECONDS)


def test_ids_that_go_back_begin_the_wait_again() -> None:
    """As do the known ones, if they come again; a day without trades says nothing."""
    for other in (3, 1_000):
        spaces = _known()
        assert not any(_polled(spaces, 4 + second, second) for second in range(2, SECONDS))
        assert not _polled(spaces, -1, SECONDS)
        assert not _polled(spaces, other, SECONDS)
        assert not _polled(spaces, 50, SECONDS + 2)


def test_what_is_forgotten_begins_with_the_next_answer() -> None:
    """Smaller ones are the known ones then."""
    spaces = _known()
    spaces.forget("BTC")
    spaces.forget("ETH")
    assert not any(_polled(spaces, second, second) for second in range(2, 3 * SECONDS))


def test_days_without_trades_are_no_part_of_the_wait() -> None:
    """However many: it begins with the first id."""
    spaces = _known()
    assert not any(_polled(spaces, -1, second) for second in range(2, 2 * SECONDS))
    assert not _polled(spaces, 5, 2 * SECONDS)


def test_an_answer_of_an_old_window_begins_the_wait_again() -> None:
    """The known ids are still somewhere."""
    spaces = _known()
    assert not any(_polled(spaces, second, second) for second in range(2, SECONDS))
    assert not _polled(spaces, 999, SECONDS, close_ms=900)
    assert not any(_polled(spaces, second, second) for second in range(SECONDS + 1, 2 * SECONDS))


def test_the_known_ids_in_an_old_window_make_nothing_newer() -> None:
    """The newest window stays the newest: what is older than that is an old answer."""
    spaces = _known()
    assert not _polled(spaces, 1_000, 9)
    assert not _polled(spaces, 1_000, 10, close_ms=1_000)
    assert not any(_polled(spaces, second, second, close_ms=5_000) for second in range(11, 3 * SECONDS))
