"""The venue's limits, counted on the exchange's own clock (microseconds since 1970 UTC)."""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

import msgspec

WEIGHT_PER_MINUTE = 6_000
RAW_PER_5_MINUTES = 300_000
CONNECTS_PER_5_MINUTES = 300
MESSAGES_PER_SECOND = 5
STREAMS_PER_CONNECTION = 1_024
PING_EVERY_US = 20_000_000
PONG_WITHIN_US = 60_000_000
LIFE_US = 86_400_000_000

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
_LONGEST_WINDOW_US = 5 * MINUTE_US
_FIRST_BAN_US = 2 * MINUTE_US
_LONGEST_BAN_US = 3 * 86_400 * SECOND_US
_PATIENCE = 10
"""Requests sent into a 429, or connections ended for their messages within 5 minutes, before it becomes a ban."""

_KEPT_VIOLATIONS = 1_000
_KEPT_ADDRESSES = 10_000
"""Addresses that are kept for nothing; beyond them only those that a limit still concerns."""

_LOOKED_AT = 2
"""Addresses that may be let go for each new one: more than come, so that there are ever fewer, but never many at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: HTTP ``status`` (200, 429, 418), seconds to wait, weight used in this minute."""

    status: int
    used: int
    retry_after: int = 0
    until_ms: int = 0
    limit: str = ""


class _Address(msgspec.Struct, gc=False):
    """The counters of one IP address. Numbers and tuples of them only: the search for garbage passes them by."""

    used_us: int = 0
    minute: int = -1
    weight: int = 0
    raw_window: int = -1
    raw: int = 0
    refused: int = 0
    banned_until_us: int = 0
    bans: int = 0
    connects: tuple[int, ...] = ()
    offences: tuple[int, ...] = ()


class Violations:
    """What clients did that a real venue would hold against them; the newest thousand, and counts of all."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.recent: deque[dict[str, object]] = deque(maxlen=_KEPT_VIOLATIONS)

    def add(self, kind: str, address: str, now_us: int, detail: str) -> None:
        """Records one."""
        self.counts[kind] += 1
        self.recent.append({"time": now_us // 1_000, "kind": kind, "address": address, "detail": detail})


class Limits:
    """Request weight and raw requests in windows aligned to the clock, connects in a sliding one; bans that double."""

    def __init__(self, violations: Violations) -> None:
        self._violations = violations
        self._addresses: OrderedDict[str, _Address] = OrderedDict()  # the longest unused first

    def charge(self, address: str, weight: int, now_us: int) -> Verdict:
        """Counts a request of ``weight`` before it is answered."""
        state = self._state(address, now_us)
        if state.banned_until_us > now_us:
            self._violations.add("request_while_banned", address, now_us, f"weight {weight}")
            return self._banned(state, now_us)
        state.weight += weight
        state.raw += 1
        if state.weight > WEIGHT_PER_MINUTE:
            return self._over(state, address, now_us, "weight", (state.minute + 1) * MINUTE_US)
        if state.raw > RAW_PER_5_MINUTES:
            return self._over(state, address, now_us, "raw_requests", (state.raw_window + 1) * 5 * MINUTE_US)
        return Verdict(200, state.weight)

    def connect(self, address: str, now_us: int) -> Verdict:
        """Counts an attempt to open a WebSocket."""
        state = self._state(address, now_us)
        if state.banned_until_us > now_us:
            self._violations.add("connect_while_banned", address, now_us, "websocket")
            return self._banned(state, now_us)
        state.connects = _recent(state.connects, now_us)
        if len(state.connects) >= CONNECTS_PER_5_MINUTES:
            return self._over(state, address, now_us, "connects", state.connects[0] + _LONGEST_WINDOW_US)
        state.connects += (now_us,)
        return Verdict(200, state.weight)

    def offend(self, address: str, now_us: int) -> None:
        """Counts a connection that was ended for its messages: who repeats it is banned."""
        state = self._state(address, now_us)
        state.offences = (*_recent(state.offences, now_us), now_us)
        if len(state.offences) > _PATIENCE:
            state.offences = ()
            self._ban(state, address, now_us)

    def used(self, address: str, now_us: int) -> int:
        """Weight used in the current minute."""
        return self._state(address, now_us).weight

    def _state(self, address: str, now_us: int) -> _Address:
        if address not in self._addresses:
            self._forget_idle(now_us)
            self._addresses[address] = _Address()
        self._addresses.move_to_end(address)
        state = self._addresses[address]
        state.used_us = now_us
        if state.minute != now_us // MINUTE_US:
            state.minute, state.weight, state.refused = now_us // MINUTE_US, 0, 0
        if state.raw_window != now_us // (5 * MINUTE_US):
            state.raw_window, state.raw = now_us // (5 * MINUTE_US), 0
        return state

    def _forget_idle(self, now_us: int) -> None:
        """Lets go of the longest unused, if there are too many, while no limit concerns them any more."""
        for _ in range(_LOOKED_AT):
            if len(self._addresses) < _KEPT_ADDRESSES:
                return
            address, state = next(iter(self._addresses.items()))
            if state.banned_until_us > now_us:
                self._addresses.move_to_end(address)
            elif state.used_us <= now_us - _LONGEST_WINDOW_US:
                del self._addresses[address]
            else:
                return

    def _over(self, state: _Address, address: str, now_us: int, limit: str, free_us: int) -> Verdict:
        state.refused += 1
        self._violations.add(limit, address, now_us, f"used {state.weight} of {WEIGHT_PER_MINUTE} in this minute")
        if state.refused > _PATIENCE:
            self._ban(state, address, now_us)
            return self._banned(state, now_us)
        return Verdict(429, state.weight, _whole_seconds(free_us - now_us), limit=limit)

    def _ban(self, state: _Address, address: str, now_us: int) -> None:
        state.banned_until_us = now_us + min(_FIRST_BAN_US << min(state.bans, 20), _LONGEST_BAN_US)
        state.bans += 1
        self._violations.add("ban", address, now_us, f"until {state.banned_until_us // 1_000}")

    @staticmethod
    def _banned(state: _Address, now_us: int) -> Verdict:
        wait = _whole_seconds(state.banned_until_us - now_us)
        return Verdict(418, state.weight, wait, state.banned_until_us // 1_000, "ban")


class MessageGate:
    """The messages a client may send on one connection: five in any second, pings and pongs included."""

    def __init__(self) -> None:
        self._sent_us: deque[int] = deque(maxlen=MESSAGES_PER_SECOND)

    def admit(self, now_us: int) -> bool:
        """Counts a message; False when it is one too many."""
        is_over = len(self._sent_us) == MESSAGES_PER_SECOND and self._sent_us[0] > now_us - SECOND_US
        self._sent_us.append(now_us)
        return not is_over


class KeepAlive:
    """When to ping a connection, and whether it still answers: every 20 s, a pong with the same payload within 60 s."""

    def __init__(self, now_us: int) -> None:
        self.opened_us = now_us
        self._next_ping_us = now_us + PING_EVERY_US
        self._unanswered: dict[bytes, int] = {}

    def ping_due(self, now_us: int) -> bytes | None:
        """The payload of the ping to send now, if one is due."""
        if now_us < self._next_ping_us:
            return None
        self._next_ping_us = now_us + PING_EVERY_US
        payload = str(now_us // 1_000).encode()
        self._unanswered[payload] = now_us
        return payload

    def pong(self, payload: bytes) -> None:
        """Takes an answer; an unsolicited pong changes nothing. An answer vouches for the pings before it, too."""
        if payload not in self._unanswered:
            return
        sent = self._unanswered[payload]
        self._unanswered = {each: at for each, at in self._unanswered.items() if at > sent}

    def is_lost(self, now_us: int) -> bool:
        """Whether a ping has waited for more than a minute."""
        return any(now_us - at > PONG_WITHIN_US for at in self._unanswered.values())

    def is_old(self, now_us: int) -> bool:
        """Whether the connection has lived its 24 hours."""
        return now_us - self.opened_us >= LIFE_US


def _recent(times_us: tuple[int, ...], now_us: int) -> tuple[int, ...]:
    """Those of the last five minutes."""
    return tuple(each for each in times_us if each > now_us - _LONGEST_WINDOW_US)


def _whole_seconds(span_us: int) -> int:
    return max(1, -(-span_us // SECOND_US))
