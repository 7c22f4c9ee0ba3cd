"""Alters, delays or loses single events on their way to one connection, as the faults in force say."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from foxtrot.sandbox.amounts import to_units
from foxtrot.sandbox.faults import Side
from foxtrot.sandbox.frames import BINARY, TEXT, frame, wrap
from foxtrot.sandbox.stream_names import Kind

if TYPE_CHECKING:
    from foxtrot.sandbox.fanout import Fanout, Subscriber, Topic
    from foxtrot.sandbox.fault_board import Fault, FaultBoard
    from foxtrot.sandbox.instrument import Instrument

Later = Callable[[float, Callable[[], None]], object]
"""Calls back after some seconds."""


@dataclass(slots=True)
class _Passage:
    """One event on its way to one connection; ``None`` as payload: it is lost or held."""

    subscriber: Subscriber
    topic: Topic
    payload: bytes | None
    opcode: int = TEXT
    copies: int = 1
    delay_s: float = 0.0
    is_cut: bool = False
    follower: bytes | None = None


class StreamChaos:
    """Stands between the fan-out and the connections; while nothing is in force (``is_active``) it is not asked at all."""

    def __init__(self, board: FaultBoard, later: Later) -> None:
        self._board = board
        self._later = later
        self.is_active = False
        self.fanout: Fanout | None = None
        self.instruments: Mapping[str, Instrument] = {}
        self._held: dict[tuple[int, Subscriber, str], bytes] = {}
        self._late: dict[tuple[Subscriber, str], deque[list[bytes]]] = {}
        self._past: dict[str, deque[bytes]] = {}
        self._silent: set[tuple[int, Subscriber, str]] = set()
        self._alter: Mapping[str, Callable[[_Passage, Fault], None]] = {
            "mute": self._mute,
            "first-data-never": self._never_first,
            "delay": self._delay,
            "duplicate": self._duplicate,
            "reorder": self._reorder,
            "drop": self._drop,
            "malformed": self._cut,
            "binary": self._binary,
            "oversize": self._oversize,
            "wrong-symbol": self._wrong_symbol,
            "stale-replay": self._remember,
            "book-top-only": self._top_only,
        }

    def refresh(self) -> None:
        """Looks again at what is in force, and forgets what ended faults remembered."""
        faults = self._board.active(Side.STREAM)
        self.is_active = bool(faults)
        alive = {each.fault_id for each in faults}
        self._silent = {each for each in self._silent if each[0] in alive}
        for key in [each for each in self._held if each[0] not in alive]:
            _, subscriber, _ = key
            self._send(subscriber, [self._held.pop(key)])
        if not any(each.spec.name == "stale-replay" for each in faults):
            self._past.clear()

    def joined(self, subscriber: Subscriber, name: str, symbol: str) -> None:
        """A subscription was made while faults were in force."""
        for fault in self._board.active(Side.STREAM):
            if not fault.meets(symbol, name):
                continue
            if fault.spec.name == "first-data-never" and fault.strikes():
                self._silent.add((fault.fault_id, subscriber, name))
            if fault.spec.name == "stale-replay" and (past := self._past.get(name)) and fault.strikes():
                old = list(past)[: int(fault.params["frames"])]
                self._send(subscriber, [frame(wrap(name, each) if subscriber.is_combined else each) for each in old])

    def left(self, subscriber: Subscriber) -> None:
        """A connection is gone."""
        self._held = {key: value for key, value in self._held.items() if key[1] is not subscriber}
        self._silent = {key for key in self._silent if key[1] is not subscriber}

    def shape(self, subscriber: Subscriber, topic: Topic, payload: bytes) -> None:
        """Delivers one event to one connection, as altered as the faults in force say."""
        passage = _Passage(subscriber, topic, payload)
        for fault in self._board.active(Side.STREAM):
            if fault.meets(topic.symbol, topic.name):
                self._alter[fault.spec.name](passage, fault)
                if passage.payload is None:
                    return
        frames = [_whole(passage, passage.payload or b"")] * passage.copies
        if passage.follower is not None:
            frames.append(passage.follower)
        self._deliver(passage, frames)

    def _deliver(self, passage: _Passage, frames: list[bytes]) -> None:
        """At once, or later: never before what of the same stream still waits."""
        key = (passage.subscriber, passage.topic.name)
        waiting = self._late.get(key)
        if not passage.delay_s and not waiting:
            self._send(passage.subscriber, frames)
            return
        self._late.setdefault(key, deque()).append(frames)
        self._later(passage.delay_s, lambda: self._release(key))

    def _release(self, key: tuple[Subscriber, str]) -> None:
        waiting = self._late.get(key)
        if not waiting:
            return
        self._send(key[0], waiting.popleft())
        if not waiting:
            del self._late[key]
        if self.fanout is not None:
            self.fanout.flush()

    def _send(self, subscriber: Subscriber, frames: list[bytes]) -> None:
        if self.fanout is not None:
            for each in frames:
                self.fanout.send(subscriber, each)

    def _mute(self, passage: _Passage, fault: Fault) -> None:
        if fault.strikes():
            passage.payload = None

    def _never_first(self, passage: _Passage, fault: Fault) -> None:
        if (fault.fault_id, passage.subscriber, passage.topic.name) in self._silent:
            passage.payload = None

    def _delay(self, passage: _Passage, fault: Fault) -> None:
        if fault.strikes():
            passage.delay_s += (fault.params["ms"] + fault.rng.uniform(0, fault.params["jitter_ms"])) / 1_000

    def _duplicate(self, passage: _Passage, fault: Fault) -> None:
        if fault.strikes():
            passage.copies += 1

    def _reorder(self, passage: _Passage, fault: Fault) -> None:
        """Holds one frame back until the next of its stream has passed."""
        key = (fault.fault_id, passage.subscriber, passage.topic.name)
        held = self._held.pop(key, None)
        if held is not None:
            passage.follower = held
        elif fault.strikes():
            self._held[key] = _whole(passage, passage.payload or b"")
            passage.payload = None

    def _drop(self, passage: _Passage, fault: Fault) -> None:
        if fault.rng.randrange(max(1, int(fault.params["one_in"]))) == 0 and fault.strikes():
            passage.payload = None

    def _cut(self, passage: _Passage, fault: Fault) -> None:
        passage.is_cut = passage.is_cut or fault.strikes()

    def _binary(self, passage: _Passage, fault: Fault) -> None:
        if fault.strikes():
            passage.opcode = BINARY

    def _oversize(self, passage: _Passage, fault: Fault) -> None:
        if passage.payload and fault.strikes():
            padding = b" " * max(0, int(fault.params["bytes"]) - len(passage.payload))
            passage.payload = passage.payload[:-1] + padding + passage.payload[-1:]

    def _wrong_symbol(self, passage: _Passage, fault: Fault) -> None:
        symbol = passage.topic.symbol
        if symbol and passage.payload and fault.strikes():
            other = next((each for each in self.instruments if each != symbol), "WRONG" + symbol)
            passage.payload = passage.payload.replace(f'"s":"{symbol}"'.encode(), f'"s":"{other}"'.encode())

    def _remember(self, passage: _Passage, _fault: Fault) -> None:
        past = self._past.setdefault(passage.topic.name, deque(maxlen=1_000))
        if passage.payload and (not past or past[-1] is not passage.payload):
            past.append(passage.payload)

    def _top_only(self, passage: _Passage, fault: Fault) -> None:
        stream, instrument = passage.topic.stream, self.instruments.get(passage.topic.symbol)
        if not stream or stream.kind is not Kind.DIFF_DEPTH or not instrument or not passage.payload or not fault.strikes():
            return
        bids, asks = instrument.levels(max(1, int(fault.params["levels"])))
        event: dict[str, Any] = msgspec.json.decode(passage.payload)
        event["b"] = [row for row in event["b"] if not bids or to_units(row[0]) >= bids[-1][0]]
        event["a"] = [row for row in event["a"] if not asks or to_units(row[0]) <= asks[-1][0]]
        passage.payload = msgspec.json.encode(event)


def _whole(passage: _Passage, payload: bytes) -> bytes:
    text = wrap(passage.topic.name, payload) if passage.subscriber.is_combined else payload
    return frame(text[: len(text) // 2] if passage.is_cut else text, passage.opcode)
