"""The venue's limits: says whenever the client has overstepped one (rules 4 and 5; reliability RT-3, RT-5, BN-1, BN-2)."""

from collections import deque
from collections.abc import Callable
from typing import Final

from foxtrot.util.clock import NS_PER_S

WEIGHT_LIMIT: Final = 6_000
SHARE: Final = 0.5
WINDOW_NS: Final = 60 * NS_PER_S
DIALS: Final = 100
DIALS_NS: Final = 300 * NS_PER_S
COMMANDS: Final = 5
SLACK_NS: Final = NS_PER_S // 1000
"""Rounding: what is meant to be a second apart may be a millisecond less."""


class Judge:
    """Counts what the client asks for; ``complain`` hears of each excess."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._dials: deque[int] = deque(maxlen=DIALS + 1)
        self._commands: dict[int, deque[int]] = {}
        self._minute = -1
        self._weight = 0
        self._quiet_until_ns = 0
        self._dials_quiet_until_ns = 0
        self.most_weight = 0
        self.refusals = 0

    def dialled(self, now_ns: int) -> None:
        """An attempt to connect begins."""
        if self._dials and now_ns - self._dials[-1] < NS_PER_S - SLACK_NS:
            self._complain(f"two dials within {(now_ns - self._dials[-1]) / NS_PER_S:.3f} s")
        self._dials.append(now_ns)
        if len(self._dials) > DIALS and now_ns - self._dials[0] < DIALS_NS:
            self._complain(f"more than {DIALS} dials in 5 minutes")
        if now_ns < self._dials_quiet_until_ns:
            self._complain("a dial before Retry-After was over")

    def silenced_dials(self, now_ns: int, retry_after: float) -> None:
        """The client has been told not to connect for so many seconds."""
        self._dials_quiet_until_ns = max(self._dials_quiet_until_ns, now_ns + int(retry_after * NS_PER_S))

    def commanded(self, number: int, now_ns: int) -> None:
        """A message was sent on a connection."""
        sent = self._commands.setdefault(number, deque(maxlen=COMMANDS + 1))
        sent.append(now_ns)
        if len(sent) > COMMANDS and now_ns - sent[0] < NS_PER_S:
            self._complain(f"more than {COMMANDS} messages a second on connection {number}")

    def spent(self, call: str, weight: int, now_ns: int) -> bool:
        """A REST request was sent; false when the venue's own limit is passed."""
        if now_ns < self._quiet_until_ns:
            self._complain(
                f"REST {call} while the venue asks for silence for {(self._quiet_until_ns - now_ns) / NS_PER_S:.1f} s more"
            )
        minute = now_ns // WINDOW_NS
        if minute != self._minute:
            self._minute, self._weight = minute, 0
        self._weight += weight
        self.most_weight = max(self.most_weight, self._weight)
        if self._weight > WEIGHT_LIMIT * SHARE:
            self._complain(f"REST weight {self._weight} in a minute: more than the share (after {call})")
        return self._weight <= WEIGHT_LIMIT

    def silenced(self, now_ns: int, retry_after: float) -> None:
        """The client has read a 429 or 418."""
        self.refusals += 1
        self._quiet_until_ns = max(self._quiet_until_ns, now_ns + int(retry_after * NS_PER_S))
