"""The faults in force: armed, counted, ended."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from foxtrot.sandbox.faults import SECONDS, SHARE, FaultSpec, Side, check_params, check_stream, find
from foxtrot.util.errors import ConfigError, unknown

_COMMON = frozenset({"fault", "symbol", "stream", "seconds", "share"})


@dataclass(slots=True)
class Fault:
    """A fault in force. ``symbol`` and ``stream`` "" mean all; ``share`` of what it meets is struck; ``hits`` counts.

    ``memory`` is what the fault remembers while it lasts (cached answers, frames held back, subscriptions met).
    """

    fault_id: int
    spec: FaultSpec
    symbol: str
    stream: str
    share: float
    started_ns: int
    until_ns: int | None
    params: dict[str, float]
    rng: random.Random
    hits: int = 0
    memory: dict[object, bytes] = field(default_factory=dict)

    def meets(self, symbol: str, stream: str = "") -> bool:
        """Whether it concerns this symbol and stream."""
        return (not self.symbol or symbol == self.symbol) and (not self.stream or stream == self.stream)

    def strikes(self) -> bool:
        """Draws whether it strikes now, and counts it if so."""
        if self.share < 1.0 and self.rng.random() >= self.share:
            return False
        self.hits += 1
        return True

    def to_dict(self, now_ns: int) -> dict[str, object]:
        """For the HTTP interface."""
        left = None if self.until_ns is None else max(0.0, (self.until_ns - now_ns) / 1e9)
        return {
            "id": self.fault_id,
            "fault": self.spec.name,
            "symbol": self.symbol or None,
            "stream": self.stream or None,
            "share": self.share,
            "seconds_left": left,
            "params": dict(self.params),
            "hits": self.hits,
        }


class FaultBoard:
    """The faults in force, on the real monotonic clock; each with its own seeded chance."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last_id = 0
        self._active: list[Fault] = []
        self.hits: Counter[str] = Counter()

    def arm(self, asked: Mapping[str, object], now_ns: int) -> Fault:
        """Puts a fault in force. Raises ConfigError naming what is wrong with ``asked`` and what is allowed."""
        spec = find(str(asked.get("fault", "")))
        for key in asked:
            if key not in _COMMON and key not in spec.params:
                raise ConfigError(unknown(f"parameter of {spec.name}", key, {*_COMMON, *spec.params}))
        params = check_params(spec, {name: value for name, value in asked.items() if name not in _COMMON})
        stream, seconds, share = (asked.get(name) for name in ("stream", "seconds", "share"))
        checked_s = None if seconds is None else SECONDS.check("seconds", seconds)
        self._last_id += 1
        fault = Fault(
            self._last_id,
            spec,
            str(asked.get("symbol") or "").upper(),
            "" if stream is None else check_stream(spec, stream),
            SHARE.default if share is None else SHARE.check("share", share),
            now_ns,
            None if checked_s is None else now_ns + int(checked_s * 1e9),
            params,
            random.Random(f"{self._seed}:{self._last_id}:{spec.name}"),
        )
        if not spec.is_instant or seconds:
            self._active.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> int:
        """Ends one fault, or all; returns how many."""
        ended = [each for each in self._active if fault_id in {None, each.fault_id}]
        for each in ended:
            self._end(each)
        return len(ended)

    def expire(self, now_ns: int) -> list[Fault]:
        """Ends what has lasted long enough, and returns it."""
        ended = [each for each in self._active if each.until_ns is not None and each.until_ns <= now_ns]
        for each in ended:
            self._end(each)
        return ended

    def active(self, *sides: Side) -> list[Fault]:
        """What is in force on these sides (none named: everywhere)."""
        return [each for each in self._active if not sides or each.spec.side in sides]

    def named(self, name: str, symbol: str = "", stream: str = "") -> Fault | None:
        """The first fault of this name in force that meets the symbol and stream."""
        return next((each for each in self._active if each.spec.name == name and each.meets(symbol, stream)), None)

    def _end(self, fault: Fault) -> None:
        self._active.remove(fault)
        self.hits[fault.spec.name] += fault.hits
