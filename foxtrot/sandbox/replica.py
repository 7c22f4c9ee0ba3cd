"""A copy of an instrument that follows it at a distance, as a read replica does."""

from collections import deque
from collections.abc import Callable

from foxtrot.sandbox.instrument import Instrument, Top
from foxtrot.sandbox.level_book import LevelBook
from foxtrot.sandbox.tape import Tape, Trade


class Replica:
    """Notes what happens to the original from its making on, and does the same to ``instrument`` some time later."""

    def __init__(self, original: Instrument, now_us: Callable[[], int]) -> None:
        original.catch_up()
        self._original = original
        self._now_us = now_us
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        book, tape = original.book.copy(), original.tape.copy()
        self.instrument = Instrument(original.listing, book, tape)
        self.instrument.quote = original.quote
        self._book, self._tape = book, tape
        original.book.observer = self._on_level
        original.tape.observer = self._on_trade

    def note_quote(self) -> None:
        """Looks whether the original has a new quote."""
        self._original.catch_up()
        quote = self._original.quote
        self._waiting.append((self._now_us(), lambda: self._set_quote(quote)))

    def follow(self, until_us: int) -> Instrument:
        """The instrument as the original was at ``until_us``."""
        while self._waiting and self._waiting[0][0] <= until_us:
            self._waiting.popleft()[1]()
        self.instrument.is_halted = self._original.is_halted
        return self.instrument

    def let_go(self) -> None:
        """Stops noting."""
        self._original.book.observer = None
        self._original.tape.observer = None

    def _set_quote(self, quote: tuple[int, Top] | None) -> None:
        self.instrument.quote = quote

    def _on_level(self, is_bid: bool, price: int, size: int, update_id: int) -> None:
        book: LevelBook = self._book
        self._waiting.append((self._now_us(), lambda: book.set_level(is_bid=is_bid, price=price, size=size, update_id=update_id)))

    def _on_trade(self, trade_id: int, price: int, size: int, time_us: int, is_buyer_maker: bool) -> None:
        """A trade; a size of 0 stands for the end of an aggregate."""
        tape: Tape = self._tape
        if size:
            self._waiting.append((self._now_us(), lambda: _add(tape, Trade(trade_id, price, size, time_us, is_buyer_maker))))
        else:
            self._waiting.append((self._now_us(), lambda: _close_agg(tape)))


def _add(tape: Tape, item: Trade) -> None:
    if tape.next_id != item.trade_id:
        tape.restart_ids(item.trade_id)
    tape.add(item.price, item.size, item.time_us, is_buyer_maker=item.is_buyer_maker)


def _close_agg(tape: Tape) -> None:
    tape.close_agg()
