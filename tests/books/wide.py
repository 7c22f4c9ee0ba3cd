"""A day of books whose venue tells only of its best levels: kept, cut, and compared with the truth every minute."""

import random
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from foxtrot.adapter.binance.binance_mappings import DepthBody
from foxtrot.adapter.binance.book_reach import GREATEST_KEPT, BookReach
from foxtrot.adapter.binance.depth_mappings import decode_depth, to_depth, to_diff
from foxtrot.adapter.binance.order_book import OrderBook
from foxtrot.sandbox.tape import MIN_KEEP
from foxtrot.transport.base import Depth
from tests.books.keeper import Keeper, NaiveBook, equal_share
from tests.books.venue import START_US, Stream, Venue, listing_of

BEAT_US: Final = 100_000
BEATS_A_MINUTE: Final = 600
BEATS_A_SECOND: Final = 10
AUDIT_MINUTES: Final = 10
ENOUGH: Final = 0.99
TRUTH: Final = 5_000
"""Levels a side that are compared with: more than the market has."""

LONGEST_CUT_S: Final = 300


class Plan(msgspec.Struct, frozen=True):
    """What is played: a book of about ``market_levels`` a side, of whose best ``levels`` alone the venue's stream speaks.

    On average the stream is cut every ``cut_minutes`` (for 1 to 300 s), and a single frame is lost every ``loss_minutes``.
    """

    levels: int
    market_levels: int = 300
    depth: int = 20
    hours: float = 24.0
    seed: int = 1
    symbol: str = "BTCUSDT"
    activity: float = 1.0
    cut_minutes: float = 45.0
    loss_minutes: float = 20.0


class Top(StrEnum):
    """What the best bid and ask were, in comparison with the venue's."""

    TRUE = "true"
    UNKNOWN = "unknown"  # one side has run out of known levels; the other one is right
    WRONG = "wrong"


class Sample(msgspec.Struct, frozen=True):
    """One minute of one book: the share of equal levels, and what its best bid and ask were."""

    minute: int
    share: float
    top: Top


class Course(msgspec.Struct):
    """What became of one book. ``served`` of ``beats`` (of those in which its stream stood) it was valid."""

    name: str
    samples: list[Sample] = []
    snapshots: list[int] = []
    gaps: int = 0
    alarms: int = 0
    served: int = 0
    beats: int = 0


class Record(msgspec.Struct):
    """What a run came to; ``prices`` by the minute, ``cuts`` and ``losses`` how often the stream failed."""

    plan: Plan
    courses: list[Course]
    prices: list[float]
    frames: int
    cuts: int
    losses: int
    levels: tuple[int, int]


class Contender:
    """One way of keeping a book. ``share(truth)`` of its levels are equal to the truth's.

    ``heals``: every ten minutes an audit under 99 % throws it away.
    """

    def __init__(self, name: str, keeper: Keeper, share: Callable[[Depth], float], *, heals: bool) -> None:
        self.keeper = keeper
        self.share = share
        self.heals = heals
        self.course = Course(name)
        self.asked_at = 0
        self.coming: tuple[int, Depth] | None = None


class Weather:
    """Says at each beat whether the stream stands, and whether what it brings is lost."""

    def __init__(self, plan: Plan) -> None:
        self._draw = random.Random(f"weather {plan.seed}")
        self._plan = plan
        self._next_cut = self._wait(plan.cut_minutes)
        self._next_loss = self._wait(plan.loss_minutes)
        self._stands_again = 0
        self.cuts = self.losses = 0

    def is_down(self, beat: int) -> bool:
        """Whether the stream is cut."""
        if beat >= self._next_cut:
            self.cuts += 1
            self._stands_again = beat + self._draw.randint(1, LONGEST_CUT_S) * BEATS_A_SECOND
            self._next_cut = self._stands_again + self._wait(self._plan.cut_minutes)
        return beat < self._stands_again

    def is_lost(self, beat: int) -> bool:
        """Whether this beat's frame does not arrive."""
        if beat < self._next_loss:
            return False
        self.losses += 1
        self._next_loss = beat + self._wait(self._plan.loss_minutes)
        return True

    def _wait(self, minutes: float) -> int:
        return 1 + int(self._draw.expovariate(1 / (minutes * BEATS_A_MINUTE)))


class Run:
    """Plays a plan with several contenders side by side, beat by beat."""

    def __init__(self, plan: Plan, contenders: Sequence[Contender]) -> None:
        self._plan = plan
        self._contenders = contenders
        listed = listing_of(plan.symbol, plan.market_levels)
        self._venue = Venue([listed], plan.seed, START_US, activity=plan.activity, has_past=False, keep=MIN_KEEP)
        self._venue.top_only(plan.levels)
        self._stream = Stream()
        self._venue.fanout.join(self._stream, f"{plan.symbol.lower()}@depth@100ms")
        self._draw = random.Random(f"wide {plan.seed}")
        self._weather = Weather(plan)
        self._prices: list[float] = []
        self._frames = 0

    def play(self) -> Record:
        """From the first beat to the last."""
        for beat in range(1, round(self._plan.hours * 60 * BEATS_A_MINUTE) + 1):
            self._ask(beat)
            self._venue.play(START_US + beat * BEAT_US)
            self._bring(beat)
            if beat % BEATS_A_MINUTE == 0:
                self._audit(beat // BEATS_A_MINUTE)
        book = self._venue.market.instruments[self._plan.symbol].book
        for each in self._contenders:
            each.course.snapshots, each.course.gaps = each.keeper.snapshots, each.keeper.gaps
        return Record(
            plan=self._plan,
            courses=[each.course for each in self._contenders],
            prices=self._prices,
            frames=self._frames,
            cuts=self._weather.cuts,
            losses=self._weather.losses,
            levels=(len(book.bids.prices), len(book.asks.prices)),
        )

    def _ask(self, beat: int) -> None:
        """Snapshots that were asked for are taken somewhere between two beats, and arrive 1 to 4 beats later."""
        asking = [each for each in self._contenders if each.keeper.wanted and each.coming is None]
        if not asking:
            return
        now_us = START_US + (beat - 1) * BEAT_US + self._draw.randrange(1, BEAT_US)
        self._venue.play(now_us)
        for each in asking:
            each.coming = (beat + self._draw.randrange(1, 4), self._depth(each.keeper.wanted))

    def _bring(self, beat: int) -> None:
        payloads, is_down, is_lost = self._stream.take(), self._weather.is_down(beat), self._weather.is_lost(beat)
        self._frames += len(payloads)
        now_ns = self._venue.now_us * 1_000
        diffs = [] if is_down or is_lost else [to_diff(decode_depth(payload).data, now_ns) for payload in payloads]
        for each in self._contenders:
            if is_down:
                each.keeper.cut()
                each.coming = None
                continue
            if each.coming is not None and beat >= each.coming[0]:
                depth, each.coming = each.coming[1], None
                each.keeper.snapshot(depth)
            for diff in diffs:
                each.keeper.frame(diff)
            each.course.beats += 1
            each.course.served += each.keeper.book.is_valid

    def _audit(self, minute: int) -> None:
        """Every contender that stands at the venue's own update id is compared with the whole of the venue's book."""
        truth = self._depth(TRUTH)
        self._prices.append(truth.bids[0][0])
        for each in self._contenders:
            book = each.keeper.book
            if not book.is_valid or book.update_id != truth.update_id:
                continue
            share = each.share(truth)
            each.course.samples.append(Sample(minute, share, _top(book.top, truth)))
            if each.heals and minute % AUDIT_MINUTES == 0 and share < ENOUGH:
                each.course.alarms += 1
                each.keeper.resync()

    def _depth(self, limit: int) -> Depth:
        now_ns = self._venue.now_us * 1_000
        body = self._venue.answer("depth", {"symbol": self._plan.symbol, "limit": limit})
        return to_depth(msgspec.json.decode(body, type=DepthBody, strict=False), limit, now_ns, now_ns)


def _top(shown: tuple[float, float, float, float], truth: Depth) -> Top:
    found = (*truth.bids[0], *truth.asks[0])
    if shown == found:
        return Top.TRUE
    is_right = all(ours in {(0.0, 0.0), theirs} for ours, theirs in ((shown[:2], found[:2]), (shown[2:], found[2:])))
    return Top.UNKNOWN if is_right else Top.WRONG


def pruning(levels: int, depth: int) -> Contender:
    """Foxtrot's own book, told that the venue speaks of its best ``levels`` alone."""
    return _foxtrot(f"Foxtrot, keeps {levels} levels", depth, levels)


def not_pruning(depth: int) -> Contender:
    """The same book with the pruning out of the way: it keeps more levels than the market has."""
    return _foxtrot("the same without pruning", depth, GREATEST_KEPT)


def by_the_procedure() -> Contender:
    """The venue's published procedure, which knows no audit."""
    book = NaiveBook()
    return Contender("the published procedure", Keeper(book), book.equal_share, heals=False)


def _foxtrot(name: str, depth: int, kept: int) -> Contender:
    book = OrderBook("", "", BookReach(depth, kept))

    def share(truth: Depth) -> float:
        low, high = book.known
        known = [level for level in truth.bids if level[0] >= low] + [level for level in truth.asks if level[0] <= high]
        return equal_share([*book.bids, *book.asks], known)

    return Contender(name, Keeper(book), share, heals=True)
