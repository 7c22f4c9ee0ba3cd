"""Seeded agents that trade one symbol: makers, takers and an arbitrageur around a wandering fair price."""

import math
import random
from collections.abc import Callable

from foxtrot.sandbox.amounts import UNIT
from foxtrot.sandbox.listings import Listing
from foxtrot.sandbox.matching import Fill, MatchingEngine

YEAR_S = 31_536_000.0
LIVELY_LEVELS, QUIET_LEVELS = 300, 100
"""Resting orders a side that makers aim at, in symbols with more and with fewer than ``_LIVELY`` orders a second."""

_LIVELY = 3.0

_BURST_RATE = 6.0
_BURST_SHARE = 0.06
_FOLLOWED = 12
"""Levels that makers move in one action."""

OnFills = Callable[[list[Fill]], None]


class Agents:
    """Decides what happens next in a symbol and when. All chance comes from ``rng``: same seed, same market."""

    def __init__(self, listing: Listing, engine: MatchingEngine, rng: random.Random, on_fills: OnFills) -> None:
        self._listing = listing
        self._engine = engine
        self._rng = rng
        self._on_fills = on_fills
        self.fair = float(listing.price)
        self._levels = listing.levels or (LIVELY_LEVELS if listing.orders_per_second >= _LIVELY else QUIET_LEVELS)
        self._drift = 0.0
        self._activity = 1.0
        self._regime_left_s = 0.0
        self._resting: list[int] = []

    def pause(self) -> float:
        """Seconds until the next action: short in bursts, long when calm."""
        rate = self._listing.orders_per_second * self._activity
        return self._rng.expovariate(rate)

    def act(self, elapsed_s: float) -> None:
        """One action, ``elapsed_s`` after the one before."""
        self._wander(elapsed_s)
        share, draw = self._listing.trade_share, self._rng.random()
        if self._is_left_behind():
            self._arbitrage() if draw < share else self._follow()
        elif draw < share:
            self._take()
        elif draw < share + (1 - share) * self._cancel_share():
            self._cancel()
        else:
            self._make()

    def live_through(self, elapsed_s: float, trades: int) -> None:
        """A coarse stretch of the past: a thin book is quoted anew around the fair price and traded with."""
        self._wander(elapsed_s)
        self.clear()
        for step in range(1, 4):
            for is_buy in (True, False):
                self._place(is_buy=is_buy, distance=step * 12 * self._near())
        for _ in range(trades):
            self._take()

    def furnish(self) -> None:
        """Puts a wide book around the fair price."""
        self.clear()
        for _ in range(self._levels):
            for is_buy in (True, False):
                self._place(is_buy=is_buy, distance=self._distance())

    def clear(self) -> None:
        """Cancels whatever rests."""
        for order_id in list(self._engine.orders):
            self._engine.cancel(order_id)
        self._resting.clear()

    def _wander(self, elapsed_s: float) -> None:
        self._regime_left_s -= elapsed_s
        if self._regime_left_s <= 0:
            is_burst = self._rng.random() < _BURST_SHARE
            self._activity = _BURST_RATE if is_burst else self._rng.uniform(0.4, 1.4)
            self._drift = self._rng.gauss(0, 1.5) if is_burst else self._rng.gauss(0, 0.4)
            self._regime_left_s = self._rng.uniform(2, 6) if is_burst else self._rng.uniform(10, 90)
        scale = self._listing.yearly_volatility / math.sqrt(YEAR_S)
        step = min(elapsed_s, 600.0)
        pull = 0.00002 * math.log(self._listing.price / self.fair) * step
        move = self._drift * scale * 0.1 * step + scale * math.sqrt(step) * self._rng.gauss(0, 1)
        self.fair *= math.exp(max(-0.01, min(0.01, move + pull)))

    def _is_left_behind(self) -> bool:
        """Whether the fair price has passed the best quotes."""
        bid, _, ask, _ = self._engine.book.best()
        return bool((ask and self.fair > ask) or (bid and self.fair < bid))

    def _arbitrage(self) -> None:
        """Hits quotes that the fair price has left behind."""
        is_buy = self.fair > self._engine.book.best()[0]
        self._send("arbitrageur", is_buy=is_buy, price=self._round(self.fair), size=self._size(2.0), rests=False)
        self._follow()

    def _follow(self) -> None:
        """Makers withdraw what stands on the wrong side of the fair price, and quote anew around it."""
        book = self._engine.book
        for is_buy, side in ((True, book.bids), (False, book.asks)):
            for _ in range(_FOLLOWED):
                price, size = side.best()
                if not size or (price <= self.fair if is_buy else price >= self.fair):
                    break
                for order_id in self._engine.queue(is_buy=is_buy, price=price):
                    self._engine.cancel(order_id)
                    self._place(is_buy=is_buy, distance=self._distance())
        for is_buy, side in ((True, book.bids), (False, book.asks)):
            if abs(side.best()[0] - self.fair) > 4 * self._near():
                self._place(is_buy=is_buy, distance=self._near())
                if len(self._engine.orders) > 2 * self._levels:
                    self._cancel()

    def _take(self) -> None:
        bid, _, ask, _ = self._engine.book.best()
        if not bid or not ask:
            self._make()
            return
        middle = (bid + ask) / 2
        lean = max(-0.35, min(0.35, (self.fair - middle) / (4 * self._listing.tick + ask - bid) * 0.2))
        is_buy = self._rng.random() < 0.5 + lean
        slack = 5 * (ask - bid) + 20 * self._listing.tick
        price = ask + slack if is_buy else max(bid - slack, self._listing.tick)
        self._send("taker", is_buy=is_buy, price=price, size=self._size(1.0), rests=False)

    def _make(self) -> None:
        """Half of the quotes go to the thinner side, the others anywhere."""
        is_thinner = len(self._engine.book.bids.prices) <= len(self._engine.book.asks.prices)
        is_buy = self._rng.choice((is_thinner, is_thinner, True, False))
        self._place(is_buy=is_buy, distance=self._distance())

    def _cancel_share(self) -> float:
        return max(0.05, min(0.85, 0.45 + (len(self._engine.orders) - 2 * self._levels) / (2 * self._levels)))

    def _cancel(self) -> None:
        resting = self._resting
        while resting:
            at = self._rng.randrange(len(resting))
            resting[at], resting[-1] = resting[-1], resting[at]
            if self._engine.cancel(resting.pop()):
                return

    def _place(self, *, is_buy: bool, distance: float) -> None:
        """Posts an order that never takes: it is moved behind the opposite best."""
        bid, _, ask, _ = self._engine.book.best()
        tick = self._listing.tick
        price = self._round(self.fair - distance if is_buy else self.fair + distance)
        if is_buy and ask:
            price = min(price, ask - tick)
        if not is_buy:
            price = max(price, bid + tick)
        if price >= tick:
            self._send("maker", is_buy=is_buy, price=price, size=self._size(1.5), rests=True)

    def _near(self) -> float:
        return max(self._listing.tick, self.fair * 0.00001)

    def _distance(self) -> float:
        """Half of the orders stand near the touch, the others far out, ever thinner."""
        if self._rng.choice((True, False)):
            return self._near() * (0.3 + self._rng.expovariate(0.12))
        return max(self.fair * 0.0004, 40 * self._listing.tick) * (self._rng.paretovariate(1.6) - 1.0 + self._rng.uniform(0, 0.5))

    def _size(self, scale: float) -> int:
        value = self._listing.order_notional * scale * self._rng.lognormvariate(-0.6, 1.1)
        return max(1, round(value * UNIT * UNIT / self.fair / self._listing.step)) * self._listing.step

    def _round(self, price: float) -> int:
        return round(price / self._listing.tick) * self._listing.tick

    def _send(self, owner: str, *, is_buy: bool, price: int, size: int, rests: bool) -> None:
        order_id, fills = self._engine.submit(owner, is_buy=is_buy, price=price, size=size, rests=rests)
        if rests and order_id in self._engine.orders:
            self._resting.append(order_id)
            if len(self._resting) > 2 * len(self._engine.orders) + 100:
                self._resting = list(self._engine.orders)
        if fills:
            self._on_fills(fills)
