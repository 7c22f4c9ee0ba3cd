"""The state of a recorded symbol, as far as it has been played."""

import msgspec

from foxtrot.sandbox.amounts import to_units
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.listings import Listing
from foxtrot.sandbox.tape import AggTrade, Tape

_EAGER = 50
"""Depth frames that may wait unread: nobody pays for a book that nobody asks for, and nobody waits long for one."""

_AGG_PAUSE_US = 20_000


class _Quote(msgspec.Struct):
    u: int
    b: str
    B: str
    a: str
    A: str


class _Diff(msgspec.Struct):
    U: int
    u: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Snapshot(msgspec.Struct):
    lastUpdateId: int  # noqa: N815 -- the venue's word
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Trade(msgspec.Struct):
    t: int
    p: str
    q: str
    T: int
    m: bool
    a: int = 0
    b: int = 0


class _Agg(msgspec.Struct):
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 -- the venue's word
    T: int
    m: bool


_AGG = msgspec.json.Decoder(_Agg)
_QUOTE = msgspec.json.Decoder(_Quote)
_DIFF = msgspec.json.Decoder(_Diff)
_SNAPSHOT = msgspec.json.Decoder(_Snapshot)
_TRADE = msgspec.json.Decoder(_Trade)


class RecordedSymbol:
    """Plays recorded frames into ``instrument``. Quotes and depth are read when somebody asks, trades at once.

    ``has_aggs``: the recording brings the venue's own aggregates; else they are made of its trades.
    """

    def __init__(self, listing: Listing, *, has_aggs: bool = False) -> None:
        self._has_aggs = has_aggs
        self.instrument = Instrument(listing, LevelBook(), Tape())
        self.instrument.catch_up = self._catch_up
        self._book = self.instrument.book
        self._quote_frame: bytes | None = None
        self._depth_frames: list[bytes] = []
        self._taker: tuple[int, str, bool] | None = None
        self._taker_us = 0

    def play_quote(self, frame: bytes) -> None:
        """A recorded bookTicker."""
        self._quote_frame = frame

    def play_depth(self, frame: bytes) -> None:
        """A recorded depth frame, diff or snapshot."""
        self._depth_frames.append(frame)
        if len(self._depth_frames) > _EAGER:
            self._catch_up()

    def play_trade(self, frame: bytes) -> int | None:
        """A recorded trade; returns the aggregate that it completed before itself. One that was played already is passed over."""
        found = _TRADE.decode(frame)
        tape = self._tape_for(found.t)
        if found.t < tape.next_id:
            return None
        completed = None
        if not self._has_aggs:
            taker = ((found.a if found.m else found.b) or found.T, found.p, found.m)
            completed = tape.close_agg() if self._taker not in {None, taker} else None
            self._taker, self._taker_us = taker, found.T * 1_000
        tape.add(to_units(found.p), to_units(found.q), found.T * 1_000, is_buyer_maker=found.m)
        return completed

    def play_agg(self, frame: bytes) -> None:
        """A recorded aggregate."""
        f = _AGG.decode(frame)
        self.instrument.tape.add_recorded_agg(AggTrade(f.a, to_units(f.p), to_units(f.q), f.f, f.l, f.T * 1_000, f.m))

    def _tape_for(self, trade_id: int) -> Tape:
        """The tape, begun anew where the recording has a hole: what came before can no longer be asked by id."""
        tape = self.instrument.tape
        if not tape.next_id - tape.first_id:
            tape.restart_ids(trade_id)
        elif trade_id > tape.next_id:
            if self._taker is not None:
                tape.close_agg()
                self._taker = None
            candles, tape = tape.candles, Tape(trade_id, tape.next_agg_id)
            tape.candles = candles
            self.instrument.tape = tape
        return tape

    def settle(self, now_us: int) -> int | None:
        """Completes the aggregate that nothing has extended for a while."""
        if self._taker is None or now_us - self._taker_us < _AGG_PAUSE_US:
            return None
        self._taker = None
        return self.instrument.tape.close_agg()

    def _catch_up(self) -> None:
        if self._quote_frame is not None:
            quote, self._quote_frame = _QUOTE.decode(self._quote_frame), None
            top = (to_units(quote.b), to_units(quote.B), to_units(quote.a), to_units(quote.A))
            self.instrument.quote = (quote.u, top)
        frames, self._depth_frames = self._depth_frames, []
        for each in frames:
            self._apply(each)

    def _apply(self, frame: bytes) -> None:
        if b'"lastUpdateId"' in frame[:40]:
            self._restart(_SNAPSHOT.decode(frame))
            return
        diff = _DIFF.decode(frame)
        if diff.u <= self._book.update_id:
            return
        for is_bid, rows in ((True, diff.b), (False, diff.a)):
            for price, size in rows:
                self._book.set_level(is_bid=is_bid, price=to_units(price), size=to_units(size), update_id=diff.u)
        self._book.update_id = diff.u

    def _restart(self, snapshot: _Snapshot) -> None:
        """The recorder's snapshot is laid under the book, where it is newer than what was played."""
        if snapshot.lastUpdateId < self._book.update_id:
            return
        for is_bid, side, rows in ((True, self._book.bids, snapshot.bids), (False, self._book.asks, snapshot.asks)):
            wanted = {to_units(price): to_units(size) for price, size in rows}
            for price in [each for each in side.prices if each not in wanted]:
                self._book.set_level(is_bid=is_bid, price=price, size=0, update_id=snapshot.lastUpdateId)
            for price, size in wanted.items():
                self._book.set_level(is_bid=is_bid, price=price, size=size, update_id=snapshot.lastUpdateId)
        self._book.update_id = snapshot.lastUpdateId
