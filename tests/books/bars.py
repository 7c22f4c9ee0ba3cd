"""A day of bars of every length, with outages: what is delivered is compared with the exchange's own candles, one by one."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

import msgspec
from typing_extensions import override

from foxtrot.adapter.binance.bar_desk import BarDesk
from foxtrot.adapter.binance.intervals import BarInterval, parse
from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_MS
from foxtrot.util.constants import Channel
from foxtrot.util.object import AggTradeData, BackfillData, BarData, GapData
from tests.books.outages import Outages
from tests.books.venue import Venue, listing_of
from tests.books.world import World
from tests.simulation.sim_loop import EPOCH_NS

INTERVALS: Final = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
BUILT: Final = ("10s",)
"""A length that the venue does not have: it is built of trades."""

REBUILT: Final = "1m"
"""A length that the venue has, and that is built of trades here all the same, to be compared."""

LOOK: Final = 0.25
"""Seconds between looks at whether a rebuilt bar has ended, as market data does for its own."""

SETTLED_MS: Final = 10_000
"""A bar that closed so shortly before the end may still be on its way."""

PAGE: Final = 1_000


class Plan(msgspec.Struct, frozen=True):
    """What is played; ``every`` is the mean pause between two outages in seconds.

    In the last ``quiet`` seconds nothing fails: by then everything has to be whole.
    """

    hours: float = 24.0
    seed: int = 1
    symbols: tuple[str, ...] = ("SOLUSDT", "IOTAUSDT")
    intervals: tuple[str, ...] = INTERVALS
    built: tuple[str, ...] = BUILT
    activity: float = 1.0
    every: float = 1_800.0
    quiet: float = 900.0


class Figures(NamedTuple):
    """What a bar says, with its number."""

    number: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    turnover: float
    trades: int


class Verdict(msgspec.Struct):
    """What became of the bars of one length of one symbol. ``wrong`` says of each fault what it was."""

    symbol: str
    interval: str
    closed: int
    open: int
    wrong: list[str]
    latest: float  # seconds from the end of a bar to its delivery, at worst


class Record(msgspec.Struct):
    """What a run came to."""

    plan: Plan
    verdicts: list[Verdict]
    outages: dict[str, int]
    falls: int
    requests: dict[str, int]
    refusals: int
    problems: list[str]
    logged: list[str]
    gaps: int
    backfills: int


class _Watch:
    """Hears the bars of one length of one symbol, in the order in which they are told."""

    LATEST_START: ClassVar = 5
    """A lane begins with the bar that is open then; one that is built, with the first whole one after its first trade."""

    def __init__(self, symbol: str, interval: BarInterval) -> None:
        self.symbol = symbol
        self.interval = interval
        self.closed: list[Figures] = []
        self.open = 0
        self.wrong: list[str] = []
        self.latest_ns = 0
        self._draft = (-1, -1)

    def hear(self, bar: BarData, now_ns: int) -> None:
        """The next bar."""
        number = self.interval.number_of(bar.venue_time_ns // NS_PER_MS)
        if not bar.is_closed:
            self._hear_draft(number, bar)
            return
        if self.closed and number != self.closed[-1].number + 1:
            self.wrong.append(f"bar {number} follows {self.closed[-1].number}")
        self.closed.append(
            Figures(
                number, bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.volume, bar.turnover, bar.trade_count
            )
        )
        self.latest_ns = max(self.latest_ns, now_ns - (self.interval.close_ms(number) + 1) * NS_PER_MS)

    def _hear_draft(self, number: int, bar: BarData) -> None:
        self.open += 1
        if self.closed and number <= self.closed[-1].number:
            self.wrong.append(f"an open bar {number} follows the closed {self.closed[-1].number}")
        if (number, bar.trade_count) < self._draft:
            self.wrong.append(f"open bar {number} of {bar.trade_count} trades follows {self._draft}")
        self._draft = (number, bar.trade_count)

    def judge(self, truth: Sequence[Figures], end_ms: int) -> None:
        """Compares with what the exchange says, from the first bar that was told to the last that has settled."""
        begun = self.interval.number_of(EPOCH_NS // NS_PER_MS)
        last = self.interval.number_of(end_ms - SETTLED_MS) - 1
        first = self.closed[0].number if self.closed else begun
        if not begun <= first <= max(last, begun + self.LATEST_START):
            self.wrong.append(f"the first bar is {first}, the run began in {begun}")
        wanted = {bar.number: bar for bar in truth if first <= bar.number <= last}
        heard = {bar.number: bar for bar in self.closed}
        if len(heard) != len(self.closed):
            self.wrong.append("a bar was told twice")
        if missing := sorted(wanted.keys() - heard.keys()):
            self.wrong.append(f"{len(missing)} bars are missing, the first is {missing[0]}")
        if set(range(first, last + 1)) - wanted.keys():
            self.wrong.append("the exchange itself lacks bars: there is nothing to compare them with")
        for number in sorted(wanted.keys() & heard.keys()):
            if heard[number] != wanted[number]:
                self.wrong.append(f"{heard[number]} was told, the exchange says {wanted[number]}")

    def verdict(self, name: str) -> Verdict:
        """All of it."""
        return Verdict(self.symbol, name, len(self.closed), self.open, self.wrong, self.latest_ns / 1e9)


class BarWorld(World):
    """Hears bars. Beside those that market data delivers, bars of a minute are built of the aggregate trades that it delivers."""

    def __init__(self, plan: Plan) -> None:
        super().__init__([listing_of(symbol) for symbol in plan.symbols], plan.seed, activity=plan.activity)
        self.watches = {
            (symbol, interval): _Watch(symbol, parse(interval))
            for symbol in plan.symbols
            for interval in (*plan.intervals, *plan.built)
        }
        self.rebuilt = {symbol: _Watch(symbol, parse(REBUILT)) for symbol in plan.symbols}
        self._desk = BarDesk(_Rebuilt(self))
        for symbol in plan.symbols:
            self._desk.open(LaneKey(symbol, f"bars:{REBUILT}"))

    @override
    def on_bar(self, bar: BarData) -> None:
        """A bar of any length."""
        self.watches[bar.symbol, str(bar.interval)].hear(bar, self.clock.now_ns())

    @override
    def on_agg_trade(self, trade: AggTradeData) -> None:
        """What a minute is rebuilt of."""
        self._desk.take(trade)

    async def look(self) -> None:
        """Time passes, for the rebuilt bars too."""
        while True:
            await self.clock.sleep(LOOK)
            for status in self.market.statuses():
                if status.key.channel == Channel.AGG_TRADES:
                    self._desk.passed(status.key.symbol, status, self.clock.now_ns(), 0)


class _Rebuilt:
    """Where rebuilt bars go; fulfils the desk's ``Teller``."""

    adapter_name = "BINANCE"

    def __init__(self, world: BarWorld) -> None:
        self._world = world

    def on_bar(self, bar: BarData) -> None:
        """A rebuilt bar."""
        self._world.rebuilt[bar.symbol].hear(bar, self._world.clock.now_ns())

    def on_gap(self, gap: GapData) -> None:
        """The trades are whole, in the end: no bar may be given up."""
        self._world.problems.append(f"rebuilt bars are missing: {gap}")

    def on_backfill(self, backfill: BackfillData) -> None:
        """Nothing is given up, so nothing comes later."""
        self._world.problems.append(f"a rebuilt bar comes too late: {backfill}")


def play(plan: Plan) -> Record:
    """One run, and what came of it."""
    world = BarWorld(plan)
    outages = Outages(world, plan.seed, plan.every)

    async def script() -> None:
        world.market.subscribe([LaneKey(symbol, f"bars:{interval}") for symbol, interval in world.watches])
        world.market.subscribe([LaneKey(symbol, Channel.AGG_TRADES) for symbol in plan.symbols], None)
        looking = world.loop.create_task(world.look())
        seconds = plan.hours * 3_600
        await outages.run(seconds - plan.quiet)
        await world.clock.sleep(seconds - world.now)
        looking.cancel()

    world.run(script())
    end_ms = world.venue.now_us // 1_000
    for watch in (*world.watches.values(), *world.rebuilt.values()):
        watch.judge(truth_of(world.venue, watch.symbol, watch.interval), end_ms)
    return Record(
        plan=plan,
        verdicts=[
            *(watch.verdict(watch.interval.text) for watch in world.watches.values()),
            *(watch.verdict(f"{watch.interval.text} rebuilt") for watch in world.rebuilt.values()),
        ],
        outages=dict(outages.counts),
        falls=len(world.falls()),
        requests=world.client.asked,
        refusals=len(world.client.refusals),
        problems=world.problems,
        logged=world.logged,
        gaps=len(world.gaps),
        backfills=len(world.backfills),
    )


def truth_of(venue: Venue, symbol: str, interval: BarInterval) -> list[Figures]:
    """The exchange's candles since the beginning of the run; of lengths that it does not have, folded from those of 1 s."""
    if interval.is_venue:
        return [Figures(interval.number_of(row[0]), *_floats(row)) for row in _rows(venue, symbol, interval.text)]
    return list(_folded(_rows(venue, symbol, "1s"), interval))


_Row = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


def _rows(venue: Venue, symbol: str, interval: str) -> list[_Row]:
    found: list[_Row] = []
    start_ms = parse(interval).open_ms(parse(interval).number_of(EPOCH_NS // NS_PER_MS))
    while True:
        params: dict[str, str | int] = {"symbol": symbol, "interval": interval, "startTime": start_ms, "limit": PAGE}
        page = msgspec.json.decode(venue.answer("klines", params), type=list[_Row])
        found += page
        if len(page) < PAGE:
            return found
        start_ms = page[-1][6] + 1


def _floats(row: _Row) -> tuple[float, float, float, float, float, float, int]:
    return float(row[1]), float(row[2]), float(row[3]), float(row[4]), float(row[5]), float(row[7]), row[8]


def _folded(rows: Sequence[_Row], interval: BarInterval) -> Iterator[Figures]:
    """Whole intervals only; sums are decimal, as the exchange's own are."""
    of: dict[int, list[_Row]] = {}
    for row in rows:
        of.setdefault(interval.number_of(row[0]), []).append(row)
    for number, inner in of.items():
        if len(inner) * 1_000 != interval.length_ms:
            continue
        traded = [row for row in inner if row[8]] or inner[:1]
        yield Figures(
            number,
            float(traded[0][1]),
            max(float(row[2]) for row in traded),
            min(float(row[3]) for row in traded),
            float(traded[-1][4]),
            float(sum((Decimal(row[5]) for row in inner), Decimal(0))),
            float(sum((Decimal(row[7]) for row in inner), Decimal(0))),
            sum(row[8] for row in inner),
        )
