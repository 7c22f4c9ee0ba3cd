"""The statistics of a span of trades, as tickers show them."""

from dataclasses import dataclass

from foxtrot.sandbox.amounts import UNIT
from foxtrot.sandbox.candles import MINUTE_MS, Candle
from foxtrot.sandbox.tape import DAY_US, RollingWindow, Tape

MS_US = 1_000
WINDOW_SPANS_MS = {
    **{f"{n}m": n * MINUTE_MS for n in range(1, 60)},
    **{f"{n}h": n * 60 * MINUTE_MS for n in range(1, 24)},
    **{f"{n}d": n * 1_440 * MINUTE_MS for n in range(1, 8)},
}
"""The window sizes of ``ticker?windowSize=``."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Prices and volumes in units of 1e-8, times in microseconds; ids are -1 and prices 0 where nothing was traded."""

    open: int
    high: int
    low: int
    last: int
    last_size: int
    previous_close: int
    volume: int
    quote: int
    open_us: int
    close_us: int
    first_id: int
    last_id: int
    count: int

    @property
    def change(self) -> int:
        """Last minus open."""
        return self.last - self.open if self.count else 0

    @property
    def change_percent(self) -> str:
        """Change in percent of the open, three decimals."""
        if not self.count or not self.open:
            return "0.000"
        return f"{self.change / self.open * 100:.3f}"

    @property
    def weighted_average(self) -> int:
        """Quote volume over volume."""
        return self.quote * UNIT // self.volume if self.volume else 0


def day_figures(tape: Tape, window: RollingWindow, now_us: int) -> Figures:
    """Rolling 24 h figures at ``now_us``, from the trades that ``window`` has seen."""
    window.expire(now_us)
    last = tape.trade(window.end_id - 1) if window.end_id > tape.first_id else None
    count = window.count
    first_price = tape.trade(window.first_id).price if count else 0
    last_price = last.price if last else 0
    return Figures(
        open=first_price if count else last_price,
        high=window.high if count else last_price,
        low=window.low if count else last_price,
        last=last_price,
        last_size=last.size if last else 0,
        previous_close=window.previous_close or first_price or last_price,
        volume=window.volume,
        quote=window.quote,
        open_us=now_us - DAY_US,
        close_us=now_us,
        first_id=window.first_id if count else -1,
        last_id=window.end_id - 1 if count else -1,
        count=count,
    )


def window_figures(tape: Tape, span_ms: int, now_us: int) -> Figures:
    """Figures of the last ``span_ms``, opened on a whole minute as the venue does."""
    now_ms = now_us // MS_US
    open_ms = (now_ms - span_ms) // MINUTE_MS * MINUTE_MS + MINUTE_MS
    total = Candle(open_ms, now_ms, 0)
    for each in tape.candles.parts(open_ms, now_ms):
        total.add_candle(each)
    last = tape.trade(total.last_id) if total.count and total.last_id >= tape.first_id else None
    return Figures(
        open=total.open,
        high=total.high,
        low=total.low,
        last=total.close,
        last_size=last.size if last else 0,
        previous_close=total.open,
        volume=total.volume,
        quote=total.quote,
        open_us=open_ms * MS_US,
        close_us=now_ms * MS_US,
        first_id=total.first_id,
        last_id=total.last_id,
        count=total.count,
    )


def five_minute_average(tape: Tape, now_us: int) -> tuple[int, int]:
    """The volume-weighted price of the last five minutes (else the last price) and the time of the last trade."""
    figures = window_figures(tape, 5 * MINUTE_MS, now_us)
    last = tape.last()
    if last is None:
        return 0, 0
    return figures.weighted_average or last.price, last.time_us
