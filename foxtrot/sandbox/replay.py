"""Plays a recording: its frames as they were, at their own pace times ``speed``."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from foxtrot.sandbox.fanout import Fanout
from foxtrot.sandbox.instrument import Instrument
from foxtrot.sandbox.listings import foreign_listing
from foxtrot.sandbox.market import BEAT_US
from foxtrot.sandbox.publisher import Publisher
from foxtrot.sandbox.recorded_symbol import RecordedSymbol
from foxtrot.sandbox.recording import Recording
from foxtrot.util.clock import Clock

_MILLISECONDS = re.compile(rb'"([ETOC])":(\d{13})([,}])')
_DIFF_DEPTH = ("depth", "depth@100ms", "depth@1000ms")
_MAX_FRAMES = 500
_HEAD = 40
_IDLE_S = 0.05


class Replay:
    """Starts to roll once a symbol's market data has been asked for, and stays at its final state when it is over.

    What the recording does not hold is derived from what it does (aggregates from trades, figures, candles, partial depth);
    ``describe`` says which streams were recorded.
    """

    def __init__(self, recording: Recording, fanout: Fanout, clock: Clock, speed: float = 1.0) -> None:
        self._recording = recording
        self._fanout = fanout
        self._clock = clock
        self._speed = speed
        self._played = {
            symbol: RecordedSymbol(foreign_listing(symbol), has_aggs=f"{symbol.lower()}@aggTrade" in recording.names)
            for symbol in recording.symbols
        }
        self.instruments: Mapping[str, Instrument] = {symbol: each.instrument for symbol, each in self._played.items()}
        self._publisher = Publisher(fanout, self.instruments, recording.names)
        self._by_stream = {
            name: self._played[name.partition("@")[0].upper()] for name in recording.names if not name.startswith("!")
        }
        self._next = 0
        self._rolling_since_ns: int | None = None
        self._next_beat_us = recording.first_venue_us // BEAT_US * BEAT_US + BEAT_US

    def now_us(self) -> int:
        """The first frame's venue time, plus what has passed since rolling began times the speed."""
        if self._rolling_since_ns is None:
            return self._recording.first_venue_us
        return self._recording.first_venue_us + int((self._clock.monotonic_ns() - self._rolling_since_ns) * self._speed) // 1_000

    def touch(self, symbols: Iterable[str]) -> None:
        """Starts to roll if one of the recorded symbols is among these."""
        if self._rolling_since_ns is None and any(symbol in self._played for symbol in symbols):
            self._rolling_since_ns = self._clock.monotonic_ns()

    def advance(self) -> float:
        """Plays every frame that is due, at most 500 at once."""
        if self._rolling_since_ns is None:
            return _IDLE_S / 10
        now_us = self.now_us()
        times = self._recording.times_ns
        due_ns = times[0] + (now_us - self._recording.first_venue_us) * 1_000
        due = bisect_right(times, due_ns, lo=self._next)
        end = min(due, self._next + _MAX_FRAMES)
        for at in range(self._next, end):
            self._play(at)
        self._next = end
        if end < due:
            return 0.0
        self._beats(now_us)
        return self._until_next(due_ns)

    def describe(self) -> dict[str, object]:
        """What was recorded, what is derived, how far it has been played."""
        return {
            "source": "replay",
            "speed": self._speed,
            "symbols": list(self.instruments),
            "recorded_streams": sorted(self._recording.names),
            "derived": "every other stream and REST answer follows from the recorded frames; aggregate ids are counted from 1",
            "frames": len(self._recording.times_ns),
            "played": self._next,
            "is_rolling": self._rolling_since_ns is not None,
            "is_over": self._next >= len(self._recording.times_ns),
        }

    def _until_next(self, due_ns: int) -> float:
        if self._next >= len(self._recording.times_ns):
            return _IDLE_S
        return min(_IDLE_S, (self._recording.times_ns[self._next] - due_ns) / 1e9 / self._speed)

    def _play(self, at: int) -> None:
        name, payload = self._recording.streams[at], self._recording.payloads[at]
        played = self._by_stream.get(name)
        if played is None:
            self._play_other(name, payload)
            return
        kind = name.partition("@")[2]
        if kind == "bookTicker":
            played.play_quote(payload)
        elif kind == "trade":
            completed = played.play_trade(payload)
            if completed is not None:
                self._publisher.agg_trade(played.instrument, completed)
        elif kind == "aggTrade":
            played.play_agg(payload)
        elif kind in _DIFF_DEPTH:
            played.play_depth(payload)
        if self._fanout.has(name):
            self._fanout.publish(name, lambda per_unit: payload if per_unit > 1 else _to_microseconds(payload))

    def _play_other(self, name: str, payload: bytes) -> None:
        """A stream of all symbols; or a REST depth answer, which names no symbol: it is taken where there is only one."""
        if name:
            self._fanout.publish(name, lambda per_unit: payload if per_unit > 1 else _to_microseconds(payload))
        elif len(self._played) == 1 and b'"lastUpdateId"' in payload[:_HEAD]:
            for each in self._played.values():
                each.play_depth(payload)

    def _beats(self, now_us: int) -> None:
        for played in self._played.values():
            if (completed := played.settle(now_us)) is not None:
                self._publisher.agg_trade(played.instrument, completed)
        if now_us - self._next_beat_us > 10 * BEAT_US:
            self._next_beat_us = now_us // BEAT_US * BEAT_US
        while self._next_beat_us <= now_us:
            self._publisher.beat(self._next_beat_us)
            self._next_beat_us += BEAT_US


def _to_microseconds(payload: bytes) -> bytes:
    """Recorded milliseconds for a client that asked for microseconds."""
    return _MILLISECONDS.sub(rb'"\1":\g<2>000\3', payload)
