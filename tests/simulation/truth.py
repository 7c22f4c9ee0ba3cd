"""Holds what a consumer believes of one symbol's quote against what is true (ST-2)."""

from collections.abc import Callable
from typing import Final

from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Health
from tests.simulation.market import Levels

BOUND_NS: Final = 3 * NS_PER_S
"""A value that has been wrong for longer is marked: health says so."""

MARGIN_NS: Final = NS_PER_S // 2
"""What a poll under way and the next look at health may add."""


class TruthCheck:
    """Told of every change of the truth, of the belief and of health, each at its instant.

    ``allowance_ns``: how old the venue's own answers have been of late; nobody can know better.
    """

    def __init__(self, complain: Callable[[str], None], now_ns: int, allowance_ns: Callable[[], int]) -> None:
        self._complain = complain
        self._allowance_ns = allowance_ns
        self._at_ns = now_ns
        self._truth: Levels | None = None
        self._belief: Levels | None = None
        self._health: Health | None = None
        self._wrong_since_ns = 0  # 0: it is right, or there is none
        self._is_told = False
        self.wrong_ns = self.unmarked_ns = self.past_bound_ns = self.worst_ns = 0
        self.oldest_ns = 0  # marked or not

    def is_true(self, levels: Levels, now_ns: int) -> None:
        """The venue's quote is this from now on."""
        self._look(now_ns)
        self._truth = levels
        self._compare(now_ns)

    def believes(self, levels: Levels, now_ns: int, true_until_ns: int) -> None:
        """The consumer was given this quote, which the venue showed last at ``true_until_ns`` (or still does)."""
        self._look(now_ns)
        self._belief = levels
        self._wrong_since_ns = 0 if levels == self._truth else min(now_ns, true_until_ns)
        self._is_told = False

    def is_marked(self, health: Health | None, now_ns: int) -> None:
        """Health says this from now on; None: the symbol is not subscribed."""
        self._look(now_ns)
        self._health = health
        if health is None:
            self._belief, self._wrong_since_ns = None, 0

    def look(self, now_ns: int) -> None:
        """Time has passed."""
        self._look(now_ns)

    def _compare(self, now_ns: int) -> None:
        if self._belief is None or self._belief == self._truth:
            self._wrong_since_ns, self._is_told = 0, False
        elif not self._wrong_since_ns:
            self._wrong_since_ns = now_ns

    def _look(self, now_ns: int) -> None:
        passed, self._at_ns = now_ns - self._at_ns, now_ns
        if not self._wrong_since_ns:
            return
        self.wrong_ns += passed
        self.oldest_ns = max(self.oldest_ns, now_ns - self._wrong_since_ns)
        if self._health is not Health.LIVE:
            return
        self.unmarked_ns += passed
        age = now_ns - self._wrong_since_ns
        self.worst_ns = max(self.worst_ns, age)
        self.past_bound_ns += max(0, min(passed, age - BOUND_NS - self._allowance_ns()))
        if age > BOUND_NS + MARGIN_NS + self._allowance_ns() and not self._is_told:
            self._is_told = True
            self._complain(f"ST-2: a quote that has been wrong for {age / NS_PER_S:.2f} s stands unmarked")
