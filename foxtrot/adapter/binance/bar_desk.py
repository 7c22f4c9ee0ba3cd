"""Bars that the venue does not make: built of a symbol's aggregate trades, told through the callbacks."""

from collections.abc import Sequence
from typing import Final, Protocol

from foxtrot.adapter.binance.bar_builder import BarBuilder, Built, Late, Unbuilt
from foxtrot.adapter.binance.binance_mappings import EXCHANGE
from foxtrot.adapter.binance.intervals import parse
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.util.channel import interval_of
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import Reason, Source
from foxtrot.util.object import AggTradeData, BackfillData, BarData, GapData

SETTLED_NS: Final = 4_500 * NS_PER_MS
"""A younger trade may still be on its way, though a poll showed no newer one: the answer may have been asked 2.5 s before, of a
replica that trails by 1 s, and be judged 1 s after.
"""


MOST_LATE_NS: Final = 60 * NS_PER_S
"""A stream is given up long before it is so late."""


class Teller(Protocol):
    """What of the callbacks bars are told by."""

    @property
    def adapter_name(self) -> str:
        """Who delivers."""
        ...

    def on_bar(self, bar: BarData) -> None:
        """A bar."""
        ...

    def on_gap(self, gap: GapData) -> None:
        """Bars that could not be made whole in time."""
        ...

    def on_backfill(self, backfill: BackfillData) -> None:
        """Bars of an earlier gap."""
        ...


class BarDesk:
    """Every builder, by symbol and channel (``bars:10s``). All of it runs on the loop."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._at: dict[str, dict[str, BarBuilder]] = {}
        self._delivered: dict[LaneKey, int] = {}
        self._late_ns: dict[str, int] = {}  # by symbol: from trade to arrival of the newest, by two clocks; only while it streams

    @property
    def symbols(self) -> list[str]:
        """Those for which bars are built."""
        return list(self._at)

    def open(self, claim: LaneKey) -> None:
        """Builds bars from here on; the first one is the first whole interval."""
        self._at.setdefault(claim.symbol, {})[claim.channel] = self._builder(claim)
        self._delivered[claim] = 0

    def close(self, claim: LaneKey) -> None:
        """Builds them no longer; what is not open is no error."""
        builders = self._at.get(claim.symbol, {})
        builders.pop(claim.channel, None)
        if not builders:
            self._at.pop(claim.symbol, None)
            self._late_ns.pop(claim.symbol, None)
        self._delivered.pop(claim, None)

    def begin_anew(self, symbol: str) -> None:
        """The trades that come from here on do not continue those before: the first whole interval after this is the next bar."""
        for channel in self._at.get(symbol, {}):
            self._at[symbol][channel] = self._builder(LaneKey(symbol, channel))

    def delivered(self, claim: LaneKey) -> int:
        """How many bars have been told, open ones among them; from any thread."""
        return self._delivered.get(claim, 0)

    # --- what comes of the trades -------------------------------------------------------------------------------------------

    def take(self, trade: AggTradeData) -> None:
        """An aggregate trade, live or found later."""
        if trade.symbol not in self._at:
            return
        if trade.source is Source.STREAM:
            self._late_ns[trade.symbol] = trade.received_ns - trade.venue_time_ns
        elif trade.source is Source.POLL:
            self._late_ns.pop(trade.symbol, None)
        for channel, builder in self._at[trade.symbol].items():
            if built := builder.add(trade):
                self._tell(LaneKey(trade.symbol, channel), built)

    def lost(self, symbol: str, first: int, last: int) -> None:
        """The venue has these aggregate trades no longer."""
        for channel, builder in self._at.get(symbol, {}).items():
            self._tell(LaneKey(symbol, channel), builder.lost(first, last), Reason.GAP)

    def passed(self, symbol: str, status: LaneStatus, now_ns: int, offset_ns: int) -> None:
        """Time has passed: ``status`` is that of the lane of aggregate trades, ``offset_ns`` the venue's clock minus ours.

        A frame confirms its lane when it arrives. What was traded since the trade in it may be as late as that one was, also
        where our loop stood still and reads now what has waited.
        """
        late_ns = self._late_ns.get(symbol, -offset_ns) + offset_ns
        settled_ns = status.confirmed_ns - SETTLED_NS - min(max(late_ns, 0), MOST_LATE_NS) if status.is_whole else 0
        for channel, builder in self._at.get(symbol, {}).items():
            built = builder.passed((now_ns + offset_ns) // NS_PER_MS, confirmed=False)
            if settled_ns > 0:
                built += builder.passed((settled_ns + offset_ns) // NS_PER_MS, confirmed=True)
            if built:
                self._tell(LaneKey(symbol, channel), built)

    # --- within -------------------------------------------------------------------------------------------------------------

    def _builder(self, claim: LaneKey) -> BarBuilder:
        return BarBuilder(self._teller.adapter_name, claim.symbol, parse(interval_of(claim.channel)))

    def _tell(self, claim: LaneKey, built: Sequence[Built], why: Reason = Reason.HOLD) -> None:
        who = (claim.symbol, EXCHANGE, self._teller.adapter_name, claim.channel)
        for one in built:
            if isinstance(one, Unbuilt):
                self._teller.on_gap(GapData(*who, one.first, one.last, why))
            elif not isinstance(one, Late):
                self._delivered[claim] += 1
                self._teller.on_bar(_bar(one.value))
        if late := tuple(_bar(one.item.value) for one in built if isinstance(one, Late)):
            self._teller.on_backfill(BackfillData(*who, late))


def _bar(value: object) -> BarData:
    assert isinstance(value, BarData)  # a builder makes nothing else
    return value
