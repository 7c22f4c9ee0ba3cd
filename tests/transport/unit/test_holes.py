"""What a stream under proof left out."""

from foxtrot.transport.holes import CAPACITY, PATIENCE_NS, Holes

NOW = 1_000 * PATIENCE_NS


def heard(*ids: int) -> Holes:
    holes = Holes()
    for number in ids:
        holes.heard(number, NOW)
    return holes


def test_what_is_whole_has_no_gap() -> None:
    """Whatever it begins with."""
    assert not heard(50, 51, 52).is_gap(2 * NOW)
    assert not heard().is_gap(NOW)


def test_a_hole_that_lasts_is_a_gap() -> None:
    """Before a second is over it may still be filled."""
    holes = heard(50, 53)
    assert not holes.is_gap(NOW + PATIENCE_NS - 1)
    assert holes.is_gap(NOW + PATIENCE_NS)


def test_frames_out_of_order_fill_their_hole() -> None:
    """From either end, or from its middle; twice is no more than once."""
    for filling in ((51, 52, 53), (53, 52, 51), (52, 51, 53), (52, 52, 51, 51, 53)):
        assert not heard(50, 54, *filling).is_gap(2 * NOW)
    for partial in ((51, 52), (51, 53), (53,), ()):
        assert heard(50, 54, *partial).is_gap(2 * NOW)


def test_a_frame_fills_its_own_hole_only() -> None:
    """The other stays."""
    assert heard(50, 52, 54, 51).is_gap(2 * NOW)
    assert not heard(50, 52, 54, 51, 53).is_gap(2 * NOW)


def test_a_replay_leaves_no_hole() -> None:
    """It repeats what was there."""
    assert not heard(50, 51, 50, 49, 52).is_gap(2 * NOW)


def test_many_holes_are_a_gap_at_once() -> None:
    """However young."""
    every_other = range(0, 2 * (CAPACITY + 2), 2)
    assert heard(*every_other).is_gap(NOW)
    assert not heard(*every_other[:-1]).is_gap(NOW)


def test_another_stream_begins_from_nothing() -> None:
    """Its first frame has no hole before it."""
    holes = heard(50, 60)
    holes.begin()
    holes.heard(70, NOW)
    assert not holes.is_gap(2 * NOW)
