"""What one connection has asked the venue to send, and what the venue says of it (reliability BN-5).

Rules:

1. A command that is refused, or not answered within ``ANSWER_NS``, is sent once more. Streams refused twice are given up; about
   those that found no answer twice, the list decides, or a frame that they bring; where neither comes, they are given up too.
2. The venue is asked for its list ``FIRST_LIST_NS`` after the connection opened, ``CHECK_NS`` after a subscription was answered,
   and every ``LIST_NS``. What the list lacks is subscribed once more; what it lacks ``RECHECK_NS`` later again is given up,
   unless it has brought a frame meanwhile: data proves more than a list. What it has too much is unsubscribed. A list that
   does not come changes nothing else: silence is the canary's matter.
3. What is given up is told once (``take_given_up``), and tried again with each list for as long as it is wanted.
4. At most one command in ``PAUSE_NS``: with pings and pongs never more than 5 messages a second.
"""

import enum
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from foxtrot.util.clock import NS_PER_MS, NS_PER_S

PAUSE_NS: Final = 400 * NS_PER_MS
ANSWER_NS: Final = 5 * NS_PER_S
FIRST_LIST_NS: Final = 5 * NS_PER_S
CHECK_NS: Final = 2 * NS_PER_S
RECHECK_NS: Final = 5 * NS_PER_S
LIST_NS: Final = 60 * NS_PER_S


class Verb(enum.Enum):
    """What a command asks for."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    LIST = "list"


class Command(msgspec.Struct, frozen=True):
    """One command that is due: ``streams`` in order, none for a list."""

    verb: Verb
    streams: tuple[str, ...] = ()


class _Sent(msgspec.Struct, frozen=True):
    """A command under way; for a list, ``streams`` is what it has to show."""

    command: Command
    at_ns: int
    is_second: bool
    expected: frozenset[str] = frozenset()


class Subscriptions:
    """Of one open connection, whose address named ``streams``."""

    def __init__(self, streams: Iterable[str], now_ns: int, spread: float = 0.0) -> None:
        """``spread`` (0 to 1) moves the lists, so that not all connections ask at the same time."""
        self._asked = set(streams)
        self._sent: dict[int, _Sent] = {}
        self._again: list[Command] = []  # commands to be sent once more
        self._missing: set[str] = set()  # what a list lacked: asked for once more since
        self._unsure: set[str] = set()  # asked for twice without an answer
        self._proven: set[str] = set()  # in doubt, they have brought a frame since the last list
        self._given_up: set[str] = set()
        self._untold: set[str] = set()
        self._next_ns = now_ns
        self._list_ns = now_ns + FIRST_LIST_NS + int(spread * FIRST_LIST_NS)

    def next(self, wanted: Collection[str], request_id: int, now_ns: int) -> Command | None:
        """The command to send now under this number, if any is due."""
        self._look_at_unanswered(now_ns)
        if now_ns < self._next_ns:
            return None
        command, is_second = self._due(set(wanted), now_ns)
        if command is None:
            return None
        expected = frozenset(self._asked - self._under_way()) if command.verb is Verb.LIST else frozenset[str]()
        self._sent[request_id] = _Sent(command, now_ns, is_second, expected)
        self._next_ns = now_ns + PAUSE_NS
        return command

    def answered(self, request_id: int, now_ns: int, *, is_refused: bool) -> bool:
        """The venue carried out a command, or refused it. False: no such command is under way."""
        sent = self._sent.pop(request_id, None)
        if sent is None:
            return False
        if is_refused:
            self._failed(sent, now_ns, is_refused=True)
        elif sent.command.verb is Verb.SUBSCRIBE:
            self._list_ns = min(self._list_ns, now_ns + CHECK_NS)
        return True

    def listed(self, request_id: int, streams: Iterable[str], now_ns: int) -> bool:
        """The venue listed its subscriptions. False: it was not asked to."""
        sent = self._sent.pop(request_id, None)
        if sent is None or sent.command.verb is not Verb.LIST:
            return False
        found = set(streams)
        missing = (self._asked & sent.expected) - found - self._proven
        self._proven.clear()
        self._given_up -= found
        self._give_up(missing & (self._missing | self._unsure))
        self._missing = missing - self._given_up
        self._unsure.clear()
        if missing:
            self._again.append(Command(Verb.SUBSCRIBE, tuple(sorted(missing))))
        if extra := found - sent.expected - self._asked:
            self._again.append(Command(Verb.UNSUBSCRIBE, tuple(sorted(extra))))
        self._list_ns = now_ns + (RECHECK_NS if self._missing else LIST_NS)
        return True

    @property
    def unsure(self) -> frozenset[str]:
        """Streams that found no answer twice, or that the list lacked: a frame of theirs is to be told by ``brought``."""
        return frozenset(self._unsure | self._missing)

    def brought(self, stream: str, _received_ns: int) -> None:
        """A stream brought a frame: whatever became of the answer, whatever the list says, it is subscribed."""
        self._unsure.discard(stream)
        self._missing.discard(stream)
        self._proven.add(stream)

    def take_given_up(self) -> set[str]:
        """Streams that the venue does not send, whatever was tried; each is told once."""
        untold, self._untold = self._untold, set()
        return untold

    def _due(self, wanted: set[str], now_ns: int) -> tuple[Command | None, bool]:
        """The next command, and whether it is sent for the second time."""
        self._let_go(wanted)
        if self._again:
            return self._again.pop(0), True
        if more := sorted(wanted - self._asked):
            self._asked.update(more)
            return Command(Verb.SUBSCRIBE, tuple(more)), False
        if less := sorted(self._asked - wanted):
            self._asked.difference_update(less)
            return Command(Verb.UNSUBSCRIBE, tuple(less)), False
        if now_ns >= self._list_ns and not any(sent.command.verb is Verb.LIST for sent in self._sent.values()):
            self._list_ns = now_ns + LIST_NS
            return Command(Verb.LIST), False
        return None, False

    def _let_go(self, wanted: set[str]) -> None:
        """Nothing is asked for again that nobody wants any more, nor dropped again that somebody does."""
        self._missing &= wanted
        self._unsure &= wanted
        self._given_up &= wanted
        kept = []
        for command in self._again:
            fits = [name for name in command.streams if (name in wanted) is (command.verb is Verb.SUBSCRIBE)]
            if fits or command.verb is Verb.LIST:
                kept.append(Command(command.verb, tuple(fits)))
        self._again = kept

    def _under_way(self) -> set[str]:
        return {name for sent in self._sent.values() for name in sent.command.streams}

    def _look_at_unanswered(self, now_ns: int) -> None:
        for request_id, sent in list(self._sent.items()):
            if now_ns - sent.at_ns >= ANSWER_NS:
                del self._sent[request_id]
                self._failed(sent, now_ns, is_refused=False)

    def _failed(self, sent: _Sent, now_ns: int, *, is_refused: bool) -> None:
        streams = self._asked.intersection(sent.command.streams)
        if not sent.is_second:
            self._again.append(sent.command)
        elif sent.command.verb is Verb.LIST:
            self._give_up(self._unsure)
            self._unsure = set()
        elif sent.command.verb is Verb.SUBSCRIBE and is_refused:
            self._give_up(streams)
        elif sent.command.verb is Verb.SUBSCRIBE:
            self._unsure |= streams
            self._list_ns = now_ns

    def _give_up(self, streams: set[str]) -> None:
        self._untold |= streams - self._given_up
        self._given_up |= streams
