"""Which subscriptions stand on which lane."""

import pytest

from foxtrot.adapter.binance.claims import Claims, carrier, is_built
from foxtrot.transport.base import LaneKey


def btc(channel: str) -> LaneKey:
    return LaneKey("BTCUSDT", channel)


@pytest.mark.parametrize(
    ("channel", "lane"),
    [
        ("tick", "tick"),
        ("agg_trades", "agg_trades"),
        ("book:20", "book"),
        ("book:1000", "book"),
        ("bars:1m", "bars:1m"),
        ("bars:1M", "bars:1M"),
        ("bars:10s", "agg_trades"),
        ("bars:7m", "agg_trades"),
    ],
)
def test_each_subscription_stands_on_a_lane(channel: str, lane: str) -> None:
    """Books of any depth on one; bars that the venue does not have on the aggregate trades they are built of."""
    assert carrier(btc(channel)) == btc(lane)
    assert is_built(channel) is (lane == "agg_trades" and channel != "agg_trades")


def test_a_subscription_counts_once() -> None:
    """Again: nothing; dropped twice: nothing."""
    claims = Claims()
    assert claims.add(btc("tick"))
    assert not claims.add(btc("tick"))
    claims.drop(btc("tick"))
    claims.drop(btc("tick"))
    assert btc("tick") not in claims
    assert claims.all() == []


def test_those_of_a_lane_and_of_a_symbol() -> None:
    """Other symbols have lanes of their own."""
    claims = Claims()
    for claim in (btc("book:20"), btc("tick"), btc("book:50"), LaneKey("ETHUSDT", "book:100")):
        claims.add(claim)
    assert claims.on(btc("book")) == (btc("book:20"), btc("book:50"))
    assert claims.of("BTCUSDT") == (btc("book:20"), btc("tick"), btc("book:50"))
    assert len(claims.all()) == 4
    assert claims.of("SOLUSDT") == ()


def test_the_depth_is_the_greatest_that_is_asked_for() -> None:
    """It falls with the subscription that asked for it; without one there is none."""
    claims = Claims()
    assert claims.depth("BTCUSDT") == 0
    for depth in (20, 500, 50):
        claims.add(btc(f"book:{depth}"))
    assert claims.depth("BTCUSDT") == 500
    claims.drop(btc("book:500"))
    assert claims.depth("BTCUSDT") == 50


def test_a_lane_is_told_of_under_every_name_that_was_subscribed() -> None:
    """A book under ``book`` alone; aggregate trades also as the bars that are built of them."""
    claims = Claims()
    for channel in ("book:20", "book:50", "bars:10s", "bars:7m", "agg_trades"):
        claims.add(btc(channel))
    assert claims.names(btc("book")) == ("book",)
    assert claims.names(btc("agg_trades")) == ("bars:10s", "bars:7m", "agg_trades")
    assert claims.names(btc("tick")) == ()


def test_a_lane_is_hidden_while_it_is_wanted_for_bars_alone() -> None:
    """One that nobody wants is not hidden: it is not there."""
    claims = Claims()
    assert not claims.is_hidden(btc("agg_trades"))
    claims.add(btc("bars:10s"))
    assert claims.is_hidden(btc("agg_trades"))
    claims.add(btc("agg_trades"))
    assert not claims.is_hidden(btc("agg_trades"))
    claims.add(btc("book:20"))
    assert not claims.is_hidden(btc("book"))
