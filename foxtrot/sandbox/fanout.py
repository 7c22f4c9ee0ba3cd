"""Hands each event to every connection that asked for it, encoded once per form."""

from collections.abc import Callable, Iterable
from typing import Protocol

from foxtrot.sandbox.frames import frame, wrap
from foxtrot.sandbox.stream_names import Kind, StreamName, parse

Build = Callable[[int], bytes]
"""Makes a payload, given the microseconds in the client's time unit."""

MS_US = 1_000


class Subscriber(Protocol):
    """What a connection offers to the fan-out. ``out`` is what it has not written yet."""

    out: list[bytes]
    is_combined: bool
    is_microsecond: bool

    def flush(self) -> None:
        """Writes ``out`` in one piece."""
        ...


class Shaper(Protocol):
    """What faults offer to the fan-out."""

    is_active: bool

    def shape(self, subscriber: Subscriber, topic: "Topic", payload: bytes) -> None:
        """Delivers, alters, delays or loses one event of one connection."""
        ...


class Topic:
    """One stream and who reads it, by form: plain, combined, plain in microseconds, combined in microseconds."""

    __slots__ = ("members", "name", "stream", "symbol")

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream: StreamName | None = parse(name)
        self.symbol = self.stream.symbol if self.stream else ""
        self.members: tuple[dict[Subscriber, None], ...] = ({}, {}, {}, {})


class Fanout:
    """Topics that somebody reads. A slow reader keeps its own buffer, nobody waits for it."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._topics: dict[str, Topic] = {}
        self._by_kind: dict[Kind, dict[str, Topic]] = {kind: {} for kind in Kind}
        self._dirty: list[Subscriber] = []
        self.sent = 0

    def join(self, subscriber: Subscriber, name: str) -> None:
        """Adds a reader; an unknown name is taken and stays silent."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = Topic(name)
            if topic.stream:
                self._by_kind[topic.stream.kind][name] = topic
        topic.members[_form(subscriber)][subscriber] = None

    def leave(self, subscriber: Subscriber, name: str) -> None:
        """Takes a reader out; a topic without readers is forgotten."""
        topic = self._topics.get(name)
        if topic is None:
            return
        for members in topic.members:
            members.pop(subscriber, None)
        if not any(topic.members):
            del self._topics[name]
            if topic.stream:
                self._by_kind[topic.stream.kind].pop(name, None)

    def topics(self, kind: Kind) -> Iterable[Topic]:
        """The topics of a kind that somebody reads."""
        return tuple(self._by_kind[kind].values())

    def has(self, name: str) -> bool:
        """Whether somebody reads this stream."""
        return name in self._topics

    def publish(self, name: str, build: Build) -> None:
        """Sends one event to whoever reads the stream."""
        topic = self._topics.get(name)
        if topic is None:
            return
        for form, members in enumerate(topic.members):
            if not members:
                continue
            payload = build(1 if form & 2 else MS_US)
            if self._shaper.is_active:
                for member in tuple(members):
                    self._shaper.shape(member, topic, payload)
                continue
            whole = frame(wrap(name, payload) if form & 1 else payload)
            for member in members:
                if not member.out:
                    self._dirty.append(member)
                member.out.append(whole)
            self.sent += len(members)

    def send(self, subscriber: Subscriber, whole_frame: bytes) -> None:
        """Queues one frame for one connection."""
        if not subscriber.out:
            self._dirty.append(subscriber)
        subscriber.out.append(whole_frame)
        self.sent += 1

    def flush(self) -> None:
        """Writes what was queued, one write for each connection."""
        dirty, self._dirty = self._dirty, []
        for subscriber in dirty:
            subscriber.flush()


def _form(subscriber: Subscriber) -> int:
    return int(subscriber.is_combined) + 2 * int(subscriber.is_microsecond)
