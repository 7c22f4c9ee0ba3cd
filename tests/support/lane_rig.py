"""A lane with a clock for example tests: what it is told, and what it asks for."""

from collections.abc import Iterable
from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Item, LaneKey, Quote, Stats
from foxtrot.transport.breaker import Breaker
from foxtrot.transport.lane import Lane
from foxtrot.transport.switch_log import SwitchLog
from foxtrot.transport.values import HOLD_NS
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Transport

START: Final = 10_000 * NS_PER_S
FIGURES: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
STREAM: Final = steps.Decide(Transport.STREAMING, Reason.PIN)
SHADOW: Final = steps.Decide(Transport.SHADOW, Reason.PIN)
POLL: Final = steps.Decide(Transport.POLLING, Reason.PIN)
KILL: Final = steps.Decide(Transport.POLLING, Reason.KILL)


class Rig:
    """One lane at a time of ours."""

    def __init__(
        self,
        *,
        is_tick: bool = False,
        hold_ns: int | None = HOLD_NS,
        breaker: Breaker | None = None,
        switches: Iterable[int] = (),
    ) -> None:
        self.now = START
        self.lane = Lane(
            LaneKey("BTCUSDT", "tick" if is_tick else "trades"),
            TickValues() if is_tick else IdValues(hold_ns),
            now_ns=START,
            chance=lambda: 1.0,
            breaker=breaker,
            switches=SwitchLog(switches),
        )

    def tell(self, *given: steps.Input) -> list[steps.Effect]:
        """The effects of all these inputs, in the same moment."""
        return [effect for one in given for effect in self.lane.step(one, self.now)]

    def wait(self, seconds: float, **pulse: bool) -> list[steps.Effect]:
        """Time passes, and a pulse comes."""
        self.now += round(seconds * NS_PER_S)
        return self.tell(steps.Pulse(**pulse))

    def poll(self, bid: float, last_id: int | None = None) -> list[steps.Effect]:
        """A poll asked and answered now."""
        stats = None if last_id is None else Stats(last_id, self.now, FIGURES, self.now)
        return self.tell(steps.Polled(Answer("BTCUSDT", polled(bid, self.now), stats), self.now))

    def traded(self, last_id: int) -> list[steps.Effect]:
        """A poll asked and answered now, of the figures alone."""
        stats = Stats(last_id, self.now, FIGURES, self.now)
        return self.tell(steps.Polled(Answer("BTCUSDT", None, stats), self.now))

    def bring(self, *ids: int, late_ms: int | None = None) -> list[steps.Effect]:
        """Frames that the stream brings now, the venue's time so many milliseconds ago (None: they carry none)."""
        event_ms = 0 if late_ms is None else self.now // NS_PER_MS - late_ms
        return self.tell(*(steps.Offered(item, self.now, event_ms) for item in items(*ids)))

    def show(self, update_id: int, bid: float) -> list[steps.Effect]:
        """A quote that the stream brings now: through the door, or else offered."""
        assert self.lane.quotes is not None
        given = quote(update_id, bid, received_ns=self.now)
        is_in = self.lane.quotes.accept(update_id, given.levels, self.now)
        return [] if is_in else self.tell(steps.Offered(given, self.now))

    def beat(self, last_id: int, count: int = 1) -> list[steps.Effect]:
        """So many seconds of polls that show this trade; the effects of all."""
        return [effect for _ in range(count) for effect in (*self.wait(1), *self.traded(last_id))]

    def anchor(self, update_id: int, bid: float) -> list[steps.Effect]:
        """The anchor, asked and answered now."""
        return self.tell(steps.Anchored(quote(update_id, bid, self.now, self.now)))


def polled(bid: float, asked_ns: int) -> Quote:
    """A quote of a poll that was answered at once."""
    return quote(0, bid, asked_ns, asked_ns)


def quote(update_id: int, bid: float, asked_ns: int = 0, received_ns: int = 0) -> Quote:
    """A quote; streamed ones have no ``asked_ns``."""
    return Quote(update_id, bid, 1.0, bid + 1, 1.0, received_ns, asked_ns)


def items(*ids: int) -> list[Item]:
    """Items that contain the trade of their own id."""
    return [Item(number, number, number) for number in ids]


def page(*ids: int, is_full: bool = False) -> steps.Paged:
    """A page's answer."""
    return steps.Paged(items(*ids), is_full)


def late_page(*ids: int) -> steps.Paged:
    """The answer to a question for backfill."""
    return steps.Paged(items(*ids), is_full=False, is_late=True)


def started(cursor: int = 10, hold_ns: int | None = HOLD_NS) -> Rig:
    """A lane of trades that polls."""
    made = Rig(hold_ns=hold_ns)
    made.tell(steps.Start(Cursor(cursor, cursor)))
    return made


def proving(cursor: int = 10, hold_ns: int | None = HOLD_NS) -> Rig:
    """Its stream has just come up for the first time."""
    made = started(cursor, hold_ns)
    made.tell(STREAM, steps.StreamUp())
    return made


def streaming(hold_ns: int | None = HOLD_NS) -> Rig:
    """Serves its stream since just now, the last id delivered is 11; no question is under way."""
    made = proving(hold_ns=hold_ns)
    made.bring(11)
    made.beat(10)
    made.wait(1)
    assert made.lane.state is LaneState.STREAMING
    return made


def fallen() -> Rig:
    """Tripped; the breaker opens for 5 s. The last id delivered is 11."""
    made = streaming()
    made.tell(steps.Stray())
    return made


def tick_started() -> Rig:
    """A tick that polls."""
    made = Rig(is_tick=True)
    made.poll(1.0)
    made.now += NS_PER_MS
    return made


def tick_proving() -> Rig:
    """Its stream has just come up for the first time, and shows what polls do."""
    made = tick_started()
    made.tell(STREAM, steps.StreamUp())
    made.show(97, 1.0)
    return made


def tick_joined() -> tuple[Rig, list[steps.Effect]]:
    """A tick that has just proved itself, and what it asked for then. The polled quote left the stream soon: it was in time."""
    made = tick_proving()
    made.wait(1)
    made.poll(1.0)
    made.now += NS_PER_S // 10
    made.show(98, 1.5)
    effects = made.wait(0.9)
    made.show(99, 1.0)
    return made, effects


def tick_streaming() -> Rig:
    """Serves since just now, from an anchor with the update id 100."""
    made, _ = tick_joined()
    made.anchor(100, 1.0)
    assert made.lane.state is LaneState.STREAMING
    made.now += NS_PER_S
    return made


def kinds(effects: list[steps.Effect]) -> list[type[steps.Effect]]:
    """What was asked for, without the details."""
    return [type(effect) for effect in effects]


def moved(effects: list[steps.Effect]) -> list[tuple[LaneState, Reason]]:
    """Where the lane went, and why."""
    return [(effect.new, effect.reason) for effect in effects if isinstance(effect, steps.Announce)]


def delivered(effects: list[steps.Effect]) -> list[int]:
    """The ids handed out, in order."""
    values = [value for effect in effects if isinstance(effect, steps.Deliver) for value in effect.values]
    return [value.id for value in values if isinstance(value, Item)]
