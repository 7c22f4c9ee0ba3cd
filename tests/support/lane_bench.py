"""One lane on a bench: few inputs, any order, each followed by the checks that hold for every node of a search."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.base import Answer, Cursor, Item, LaneKey, Quote, Stats
from foxtrot.transport.lane import Lane
from foxtrot.transport.values import HOLD_NS
from foxtrot.transport.values_ids import IdValues
from foxtrot.transport.values_tick import TickValues
from foxtrot.util.clock import NS_PER_MS, NS_PER_S
from foxtrot.util.constants import LaneState, Reason, Serving, Source, Transport
from tests.support import lawful
from tests.support.fingerprint import FIRST_ID, FIRST_SIZE, START_NS, Fingerprint
from tests.support.model_venue import FIGURES, Levels

PAGE: Final = 2

DECISIONS: Final = {
    "streaming": steps.Decide(Transport.STREAMING, Reason.PIN),
    "shadow": steps.Decide(Transport.SHADOW, Reason.PIN),
    "polling": steps.Decide(Transport.POLLING, Reason.PIN),
    "kill": steps.Decide(Transport.POLLING, Reason.KILL),
    "two lines": steps.Decide(Transport.STREAMING, Reason.PIN, lines=2),
}
BY_HAND: Final[Mapping[str, steps.Input]] = {
    "stray": steps.Stray(),
    "unlisted": steps.Unlisted(),
    "forgiven": steps.Forgiven(),
    "forced open": steps.ForceOpen(),
    "revive": steps.Revive(),
    "close": steps.Close(Reason.UNSUBSCRIBED),
    "no permit": steps.Pulse(may_probe=False),
    "hold on": steps.Hold(is_on=True),
    "hold off": steps.Hold(is_on=False),
}


def _always() -> float:
    return 0.5


class Bench(ABC):
    """A lane, its stream and its questions. ``do`` gives one input by its name."""

    inputs: ClassVar[Mapping[str, str]]

    def __init__(self, *, is_tick: bool) -> None:
        self.now = START_NS
        key = LaneKey("BTCUSDT", "tick" if is_tick else "trades")
        self.lane = Lane(key, TickValues() if is_tick else IdValues(HOLD_NS), now_ns=self.now, chance=_always)
        self.lines = 0
        self.is_up = False
        self.serving = Serving.NONE
        self.state = LaneState.POLLING
        self.pages: list[steps.FetchPage] = []
        self.anchor_asked_ns = 0
        self.newest = FIRST_ID  # the id of the venue's newest trade, the update id of its newest quote
        self.is_checked = True

    def do(self, name: str) -> bool:
        """One input; false where it cannot come: then nothing has happened."""
        given: steps.Input | None = DECISIONS.get(name) or BY_HAND.get(name)
        if given is not None:
            self.tell(given)
            return True
        act: Callable[[], bool] = getattr(self, self.inputs[name])
        return act()

    def tell(self, given: steps.Input) -> None:
        """One step of the lane, its effects, and what has to hold after it."""
        was_closed, served = self.state is LaneState.CLOSED, self.serving
        effects = lawful.step(self.lane, given, self.now)
        assert not (was_closed and effects), "nothing follows the closing event"
        for effect in effects:
            self._perform(effect)
        if served is Serving.STREAM and self.serving is Serving.POLL:
            assert any(isinstance(effect, steps.PollNow) for effect in effects), "who falls is polled at once"
        if self.is_checked:
            self.check()

    def check(self) -> None:
        """The table: state, what serves, stream, breaker."""
        lane = self.lane
        assert (lane.state, lane.serving) == (self.state, self.serving), "what is told is what is"
        lawful.check_serving(lane)
        lawful.check_stream(lane, is_wanted=self.lines > 0, is_up=self.is_up, now_ns=self.now)

    def _perform(self, effect: steps.Effect) -> None:
        match effect:
            case steps.OpenStream(lines):
                assert lines != self.lines, "a stream is asked for once"
                if not self.lines:
                    assert self.now >= self.lane.breaker.retry_at_ns, "no attempt before retry_at"
                self.lines = lines
            case steps.ShutStream():
                assert self.lines, "only what is open is shut"
                self.lines, self.is_up = 0, False
            case steps.FetchPage(last=last):
                assert all((page.last < 0) is not (last < 0) for page in self.pages), "one page of each kind at a time"
                self.pages.append(effect)
            case steps.FetchAnchor():
                assert not self.anchor_asked_ns, "one anchor at a time"
                self.anchor_asked_ns = self.now
            case steps.Announce(old, new, serving):
                assert old is self.state
                self.state, self.serving = new, serving
            case _:
                self._took(effect)

    # --- time and connection --------------------------------------------------------------------------------------------------

    def soon(self) -> bool:
        """The next pulse."""
        return self._pass(100 * NS_PER_MS)

    def second(self) -> bool:
        """A second and a bit: beats, holds and settling times are over."""
        return self._pass(1_100 * NS_PER_MS)

    def retry(self) -> bool:
        """When the stream may be tried again; half a minute without anything to wait for."""
        return self._pass(max(self.lane.retry_at_ns - self.now, 31 * NS_PER_S))

    def _pass(self, span_ns: int) -> bool:
        self.now += span_ns
        self.tell(steps.Pulse())
        return True

    def up(self) -> bool:
        """A connection carries the stream."""
        if not self.lines or self.is_up:
            return False
        self.now += 1
        self.is_up = True
        self.tell(steps.StreamUp())
        return True

    def down(self) -> bool:
        """It is lost, or a dial failed."""
        if not self.lines:
            return False
        self.is_up = False
        self.tell(steps.StreamDown())
        return True

    def fingerprint(self) -> int:
        """Equal for two benches with the same future, as far as the rules tell ages and ids apart."""
        own = (self.state, self.serving, self.lines, self.is_up, self.pages, self.anchor_asked_ns, *self._facts())
        image = Fingerprint(self.now, self.newest)
        return hash((image.of(self.lane), image.of(own)))

    @abstractmethod
    def _facts(self) -> tuple[object, ...]: ...

    @abstractmethod
    def _took(self, effect: steps.Effect) -> None: ...


class IdBench(Bench):
    """Trades. ``expected`` is what has to be delivered next."""

    inputs: ClassVar = {
        name: name.replace(" ", "_")
        for name in ("start", "soon", "second", "retry", "up", "down", "next", "twice", "ahead", "unheard", "poll", "cached poll")
    } | {"page": "page", "empty page": "empty_page", "failed page": "failed_page"}

    def __init__(self) -> None:
        super().__init__(is_tick=False)
        self.expected = FIRST_ID
        self.owed: set[int] = set()

    def start(self) -> bool:
        """The start answer."""
        if self.lane.is_started:
            return False
        self.expected = self.newest + 1
        self.tell(steps.Start(Cursor(self.newest, self.newest)))
        return True

    def next(self) -> bool:
        """A trade, and its frame."""
        self.newest += 1
        return self._frame(self.newest)

    def twice(self) -> bool:
        """The newest frame again."""
        return self._frame(self.newest)

    def ahead(self) -> bool:
        """Two trades, the frame of the second."""
        self.newest += 2
        return self._frame(self.newest)

    def unheard(self) -> bool:
        """A trade without a frame."""
        self.newest += 1
        return True

    def _frame(self, item_id: int) -> bool:
        if not self.is_up:
            return False
        ids = self.lane.ids
        if ids is not None and ids.accept(item_id, item_id, self.now):
            assert self.serving is Serving.STREAM, "the door is open only while the stream serves"
            self._arrive(item_id)
            self.check()
        else:
            self.tell(steps.Offered(Item(item_id, item_id, None), self.now))
        return True

    def poll(self) -> bool:
        """The beat shows the newest trade."""
        return self._poll(self.newest)

    def cached_poll(self) -> bool:
        """A replica shows the one before."""
        return self._poll(self.newest - 1)

    def _poll(self, last_id: int) -> bool:
        if not self.lane.is_started:
            return False
        stats = Stats(last_id, self.now // NS_PER_MS, FIGURES, self.now)
        self.tell(steps.Polled(Answer("BTCUSDT", None, stats), self.now))
        return True

    def page(self) -> bool:
        """The oldest question is answered."""
        return self._answer(self.newest)

    def empty_page(self) -> bool:
        """By a replica that knows nothing of it."""
        return self._answer(0)

    def failed_page(self) -> bool:
        """Not at all."""
        if not self.pages:
            return False
        self.tell(steps.PageFailed(self.pages.pop(0).last >= 0))
        return True

    def _answer(self, known: int) -> bool:
        if not self.pages:
            return False
        page = self.pages.pop(0)
        ids = range(page.first, min(known, page.first + PAGE - 1) + 1)
        items = [Item(item_id, item_id, None) for item_id in ids]
        self.tell(steps.Paged(items, len(items) == PAGE, page.last >= 0))
        return True

    @override
    def _facts(self) -> tuple[object, ...]:
        return (self.expected, self.owed)

    @override
    def _took(self, effect: steps.Effect) -> None:
        match effect:
            case steps.Deliver(values, source):
                assert source is not Source.STREAM or self.serving is Serving.STREAM, "nothing streamed unless it serves"
                for value in values:
                    assert isinstance(value, Item)
                    self._arrive(value.id)
            case steps.Missing(first, last, reason):
                assert (first, reason) == (self.expected, Reason.HOLD), "this venue has every id"
                self.owed.update(range(first, last + 1))
                self.expected = last + 1
            case steps.Backfill(items):
                assert {item.id for item in items} <= self.owed, "backfill brings what a gap named, once"
                self.owed.difference_update(item.id for item in items)
            case _:
                pass

    def _arrive(self, item_id: int) -> None:
        assert not self.lane.is_held, "a slow consumer gets nothing"
        assert item_id == self.expected, "every id once, in order"
        self.expected += 1


class TickBench(Bench):
    """A quote that changes: its size is its version, so that a delivered one tells where it stands."""

    inputs: ClassVar = {
        name: name.replace(" ", "_")
        for name in ("soon", "second", "retry", "up", "down", "next", "twice", "unheard", "poll", "crossed poll", "figures")
    } | {"anchor": "anchor", "old anchor": "old_anchor", "failed anchor": "failed_anchor"}

    def __init__(self) -> None:
        super().__init__(is_tick=True)
        self.delivered = -1
        self.brought = -1  # by a frame
        self.last_ns = START_NS  # before the newest quote came to be

    def levels(self, version: int) -> Levels:
        """What the quote of this version says."""
        return (1.0, FIRST_SIZE + (version - FIRST_ID), 2.0, 1.0)

    def next(self) -> bool:
        """The quote changes, and its frame comes."""
        self.unheard()
        return self._frame()

    def twice(self) -> bool:
        """The newest frame again, if it has come."""
        return self.brought == self.newest and self._frame()

    def unheard(self) -> bool:
        """The quote changes without a frame."""
        self.now += 1
        self.last_ns = self.now
        self.now += 1
        self.newest += 1
        return True

    def _frame(self) -> bool:
        if not self.is_up:
            return False
        self.brought = self.newest
        quotes = self.lane.quotes
        assert quotes is not None
        if quotes.accept(self.newest, self.levels(self.newest), self.now):
            assert self.serving is Serving.STREAM, "the door is open only while the stream serves"
            self._arrive(self.newest, is_streamed=True)
            self.check()
        else:
            self.tell(steps.Offered(Quote(self.newest, *self.levels(self.newest), self.now), self.now))
        return True

    def poll(self) -> bool:
        """The beat shows the quote, asked just now."""
        self.now += 1
        return self._poll(self.newest, self.now)

    def crossed_poll(self) -> bool:
        """A poll that was asked before the newest quote came to be."""
        return self._poll(self.newest - 1, self.last_ns)

    def _poll(self, version: int, asked_ns: int) -> bool:
        quote = Quote(0, *self.levels(version), self.now, asked_ns)
        self.tell(steps.Polled(Answer("BTCUSDT", quote, None), asked_ns))
        return True

    def figures(self) -> bool:
        """The stream's 24 h figures: no part of what is proved."""
        self.tell(steps.OfferedStats(Stats(self.newest, self.now // NS_PER_MS, FIGURES, self.now)))
        return True

    def anchor(self) -> bool:
        """The anchor comes, of this moment."""
        return self._anchored(self.newest)

    def old_anchor(self) -> bool:
        """The anchor comes, of before the newest quote."""
        return self._anchored(self.newest - 1)

    def failed_anchor(self) -> bool:
        """It cannot be had."""
        return self._anchored(None)

    def _anchored(self, version: int | None) -> bool:
        if not self.anchor_asked_ns:
            return False
        asked_ns, self.anchor_asked_ns = self.anchor_asked_ns, 0
        if version is None:
            self.tell(steps.Anchored(None))
        elif version < self.newest:
            asked_ns = min(asked_ns, self.last_ns)
            self.tell(steps.Anchored(Quote(version, *self.levels(version), self.now, asked_ns)))
        else:
            asked_ns = max(asked_ns, self.now)
            self.tell(steps.Anchored(Quote(version, *self.levels(version), self.now, asked_ns)))
        return True

    @override
    def _facts(self) -> tuple[object, ...]:
        return (self.delivered, self.brought, self.last_ns)

    @override
    def _took(self, effect: steps.Effect) -> None:
        match effect:
            case steps.Deliver(values, source):
                for value in values:
                    if isinstance(value, Quote):
                        is_streamed = source is Source.STREAM
                        assert not is_streamed or self.serving is Serving.STREAM, "nothing streamed unless it serves"
                        self._arrive(FIRST_ID + int(value.bid_volume - FIRST_SIZE), is_streamed=is_streamed)
            case steps.Missing() | steps.Backfill():
                raise AssertionError("quotes have no gaps")
            case _:
                pass

    def _arrive(self, version: int, *, is_streamed: bool) -> None:
        assert version > self.delivered if is_streamed else version >= self.delivered, "quotes never go back"
        self.delivered = version
