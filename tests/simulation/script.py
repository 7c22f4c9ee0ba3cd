"""What goes wrong, when, for how long and for whom: drawn from the seed, printed when a run fails."""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple


class Fault(NamedTuple):
    """One line of the script. Seconds; ``target`` is a symbol, "" for whatever the kind means by itself."""

    at: float
    kind: str
    target: str
    lasts: float
    amount: float

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.at + self.lasts

    def told(self) -> str:
        """As a line for a person."""
        return f"{self.at:9.3f} s  {self.kind:<14} {self.target or '-':<8} for {self.lasts:7.2f} s  amount {self.amount:.3g}"


class Kind(NamedTuple):
    """How a kind of fault is drawn: how often, how long (seconds), how much, and whether it strikes one symbol."""

    weight: int
    lasts: tuple[float, float]
    amount: tuple[float, float] = (0.0, 0.0)
    of_symbol: bool = False


KINDS: Final[dict[str, Kind]] = {
    # one symbol's streams
    "loss": Kind(4, (5, 40), (0.02, 0.4), of_symbol=True),
    "duplicate": Kind(3, (5, 40), (0.1, 1.0), of_symbol=True),
    "reorder": Kind(3, (5, 40), (0.05, 0.6), of_symbol=True),
    "late": Kind(4, (10, 60), (0.3, 5.0), of_symbol=True),
    "mute_quote": Kind(3, (5, 60), of_symbol=True),
    "mute_trades": Kind(3, (5, 60), of_symbol=True),
    "mute": Kind(3, (5, 60), of_symbol=True),
    "wrong_symbol": Kind(1, (1, 1), (1, 1), of_symbol=True),
    "malformed": Kind(2, (1, 1), (1, 8), of_symbol=True),
    "unlisted": Kind(2, (10, 90), of_symbol=True),
    # connections
    "cut": Kind(3, (0, 0)),
    "cut_one": Kind(4, (0, 0)),
    "flap": Kind(1, (20, 90), (3, 30)),
    "half_open": Kind(4, (10, 60)),
    "stall": Kind(4, (2, 40)),
    "shutdown": Kind(3, (0, 0), (3, 20)),
    "lag_all": Kind(2, (5, 40), (0.3, 5.0)),
    "dial_refused": Kind(2, (5, 60)),
    "dial_hang": Kind(2, (5, 40)),
    "dial_429": Kind(1, (2, 10), (5, 40)),
    # REST
    "rest_slow": Kind(3, (5, 40), (0.3, 3.0)),
    "rest_errors": Kind(3, (5, 40), (0.1, 0.9)),
    "rest_down": Kind(2, (5, 60)),
    "rest_429": Kind(1, (1, 1), (3, 30)),
    "rest_418": Kind(1, (1, 1), (30, 90)),
    "trailing": Kind(3, (10, 60), (0.1, 0.7)),
    "cached": Kind(2, (10, 60), (0.05, 0.4)),
    "missing": Kind(2, (3, 30), of_symbol=True),
    # people, and the market
    "kill": Kind(2, (3, 30), of_symbol=True),
    "kill_all": Kind(1, (3, 20)),
    "to_polling": Kind(2, (5, 40), of_symbol=True),
    "to_shadow": Kind(2, (5, 40), of_symbol=True),
    "resubscribe": Kind(2, (1, 20), of_symbol=True),
    "revive": Kind(1, (0, 0)),
    "hold": Kind(2, (1, 15)),
    "burst": Kind(2, (5, 20), (5, 30), of_symbol=True),
}

STREAM_KINDS: Final = frozenset(list(KINDS)[: list(KINDS).index("rest_slow")])
REST_KINDS: Final = frozenset({"rest_slow", "rest_errors", "rest_down", "rest_429", "rest_418", "trailing", "cached", "missing"})


def draw_script(seed: object, symbols: Sequence[str], start: float, end: float, pause: float = 12.0) -> list[Fault]:
    """Faults between two instants, one in ``pause`` seconds on average; all are over at ``end``.

    No two of one kind overlap on one target, so that each ends what it began.
    """
    draw = random.Random(f"script {seed}")
    names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
    busy: dict[tuple[str, str], float] = {}
    script: list[Fault] = []
    at = start
    while (at := at + draw.expovariate(1 / pause)) < end:
        name = draw.choices(names, weights)[0]
        kind = KINDS[name]
        target = draw.choice(symbols) if kind.of_symbol else ""
        lasts = min(draw.uniform(*kind.lasts), end - at)
        fault = Fault(round(at, 3), name, target, round(lasts, 3), round(draw.uniform(*kind.amount), 3))
        if busy.get((name, target), 0.0) < fault.at:
            busy[name, target] = fault.ends
            script.append(fault)
    return script
