"""Which values a lane carries, by its channel."""

import pytest

from foxtrot.transport.base import LaneKey
from foxtrot.transport.lane_kinds import values_of
from foxtrot.transport.values import HOLD_NS, Values
from foxtrot.transport.values_bars import BarValues
from foxtrot.transport.values_book import BookValues
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from tests.support.fake_book import FakeKinds


@pytest.mark.parametrize(
    ("channel", "kind", "hold_ns"),
    [
        ("tick", TickValues, None),
        ("trades", IdValues, HOLD_NS),
        ("agg_trades", IdValues, HOLD_NS),
        ("book", BookValues, None),
        ("bars:1m", BarValues, None),
    ],
)
def test_a_channel_has_its_values(channel: str, kind: type[Values], hold_ns: int | None) -> None:
    """The hold is for trades; bars wait without bound, and of the others nothing waits."""
    values = values_of(LaneKey("BTCUSDT", channel), HOLD_NS, FakeKinds())
    assert type(values) is kind
    assert values.hold_ns == hold_ns
