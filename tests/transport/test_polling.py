"""The beat on a virtual clock: who is asked when, what is shared, what is left out."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping

import pytest

from foxtrot.transport.base import Answer
from foxtrot.transport.budget import WeightBudget
from foxtrot.transport.polling import INTERVAL_NS, SHARE_NS, UNDER_WAY, Polling
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.errors import RateLimited, Unavailable
from tests.support.fake_transports import FakeRest
from tests.support.virtual_clock import VirtualClock, settle


class Rig:
    """A beat, the venue that it asks, and what came of it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rest = FakeRest(self.clock)
        self.budget = WeightBudget(6_000, self.clock.now_ns())
        self.polling = Polling(self.rest, self.budget, self.clock, self)
        self.polls: list[tuple[int, Mapping[str, Answer], int]] = []  # when they came, and when they were asked
        self.problems: list[str] = []
        self.given_up: list[tuple[str, str]] = []
        self.unwatched_symbols: list[str] = []
        self.raises: Exception | None = None

    def polled(self, answers: Mapping[str, Answer], asked_ns: int) -> None:
        self.polls.append((self.clock.now_ns(), answers, asked_ns))

    def poll_failed(self, problem: str) -> None:
        self.problems.append(problem)
        if self.raises is not None:
            raise self.raises

    def refused(self, symbol: str, problem: str) -> None:
        self.given_up.append((symbol, problem))

    def unwatched(self, symbol: str) -> None:
        self.unwatched_symbols.append(symbol)

    def add(self, *symbols: str) -> None:
        """The venue knows these, and they are in the beat."""
        for symbol in symbols:
            self.rest.trades[symbol] = 1
            self.polling.add(symbol)

    def seen(self, symbol: str, since_ns: int = 0) -> list[int]:
        """When answers of a symbol came."""
        return [at for at, answers, _ in self.polls if symbol in answers and at >= since_ns]

    def asked_alone(self, symbol: str) -> int:
        return sum(names == (symbol,) for call, names, _ in self.rest.asked if call == "ticker")


def names(count: int) -> list[str]:
    return [f"S{number}" for number in range(count)]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    await made.polling.close()


async def begin(rig: Rig, *symbols: str) -> None:
    """The first beat is over."""
    rig.add(*symbols)
    rig.polling.start()
    await rig.clock.advance(0.5)
    rig.polls.clear()
    rig.rest.asked.clear()


# the beat


async def test_an_empty_beat_asks_nothing(rig: Rig) -> None:
    """It goes on, though."""
    await begin(rig)
    await rig.clock.advance(3.0)
    assert rig.rest.asked == []
    assert rig.polling.beats == 4


async def test_two_hundred_symbols_are_never_older_than_a_second_and_a_half(rig: Rig) -> None:
    """One book_ticker a beat, two chunks of figures; within the share."""
    rig.rest.delay = 0.3
    await begin(rig, *names(200))
    await rig.clock.advance(10.0)
    assert rig.rest.times("book_ticker") == 10
    assert rig.rest.times("ticker") == 20
    for name in names(200):
        came = [at - asked for at, answers, asked in rig.polls if name in answers]
        assert len(came) >= 9
        assert max(came) <= 0.3 * NS_PER_S
        at = rig.seen(name)
        assert max(later - earlier for earlier, later in itertools.pairwise(at)) <= 1.5 * NS_PER_S


@pytest.mark.parametrize(("count", "beats"), [(40, 1), (41, 2), (200, 5)])
async def test_the_rotation_is_as_long_as_the_figures_of_all_take(rig: Rig, count: int, beats: int) -> None:
    """Two chunks of twenty a beat."""
    rig.add(*names(count))
    assert rig.polling.rotation_ns == beats * INTERVAL_NS


@pytest.mark.parametrize(("count", "quotes"), [(40, 0), (41, 3)])
async def test_the_quotes_of_all_are_asked_for_many_alone(rig: Rig, count: int, quotes: int) -> None:
    """Up to forty, the figures of each beat hold them."""
    await begin(rig, *names(count))
    await rig.clock.advance(3.0)
    assert rig.rest.times("book_ticker") == quotes


async def test_a_dropped_symbol_is_not_asked(rig: Rig) -> None:
    """From the next beat on."""
    await begin(rig, "A", "B")
    rig.polling.drop("A")
    await rig.clock.advance(1.0)
    assert {asked for _, asked, _ in rig.rest.asked} == {("B",)}


async def test_a_slow_venue_does_not_stop_the_beat(rig: Rig) -> None:
    """Three beats may be unanswered; the fourth is left out, and told."""
    await begin(rig, *names(50))
    rig.rest.delay = 10.0
    await rig.clock.advance(6.0)
    assert rig.rest.times("book_ticker") == UNDER_WAY
    assert rig.rest.times("ticker") == 2 * UNDER_WAY
    assert "polls of quotes are left out: the last 3 are not answered yet" in rig.problems
    assert "polls of figures are left out: the last 3 are not answered yet" in rig.problems
    rig.rest.delay = 0.0
    await rig.clock.advance(10.0)
    rig.polls.clear()
    await rig.clock.advance(1.0)
    assert len(rig.polls) == 3


async def test_polls_left_out_are_told_once_a_minute(rig: Rig) -> None:
    """Though others are answered between them."""
    await begin(rig, *names(50))
    rig.rest.delay = 10.0
    await rig.clock.advance(50.0)
    assert rig.problems.count("polls of quotes are left out: the last 3 are not answered yet") == 1
    await rig.clock.advance(60.0)
    assert rig.problems.count("polls of quotes are left out: the last 3 are not answered yet") == 2
    assert rig.polling.left_out > 100


async def test_a_failing_poll_is_told_and_the_next_beat_tries_again(rig: Rig) -> None:
    """Whatever it failed of."""
    await begin(rig, "A")
    rig.rest.failing["ticker"] = Unavailable("HTTP 503")
    await rig.clock.advance(1.0)
    rig.rest.failing["ticker"] = ZeroDivisionError("a bug")
    await rig.clock.advance(1.0)
    del rig.rest.failing["ticker"]
    await rig.clock.advance(1.0)
    assert rig.problems == ["HTTP 503", "ZeroDivisionError: a bug"]
    assert len(rig.seen("A")) == 1


async def test_a_failing_poll_of_quotes_is_told(rig: Rig) -> None:
    """The figures come all the same."""
    await begin(rig, *names(41))
    rig.rest.failing["book_ticker"] = Unavailable("HTTP 503")
    await rig.clock.advance(1.0)
    assert rig.problems == ["HTTP 503"]
    assert len(rig.polls) == 2


async def test_silence_is_obeyed(rig: Rig) -> None:
    """After 429 no beat and no extra poll before its end; each that is left out is counted."""
    await begin(rig, *names(50))
    rig.rest.failing["book_ticker"] = RateLimited("429", retry_after=5.0)
    await rig.clock.advance(1.0)
    del rig.rest.failing["book_ticker"]
    rig.rest.asked.clear()
    rig.polling.now("S1")
    await rig.clock.advance(4.0)
    assert rig.rest.asked == []
    assert rig.polling.left_out == 13
    assert "it asked for silence" in rig.problems[-1]
    await rig.clock.advance(2.0)
    assert rig.rest.asked


async def test_a_listener_that_raises_does_not_stop_the_beat(rig: Rig) -> None:
    """What it is told of is its own affair."""
    await begin(rig, "A")
    rig.rest.delay, rig.raises = 30.0, ZeroDivisionError("a listener's own bug")
    await rig.clock.advance(4.0)
    rig.rest.delay, rig.raises = 0.0, None
    await rig.clock.advance(40.0)
    assert rig.seen("A", rig.clock.now_ns() - 2 * NS_PER_S)


# extra polls


@pytest.mark.parametrize(
    ("count", "calls"), [(1, ["ticker"]), (40, ["ticker", "ticker"]), (41, ["book_ticker"]), (200, ["book_ticker"])]
)
async def test_lanes_that_fall_together_share_one_poll(rig: Rig, count: int, calls: list[str]) -> None:
    """Asked at once, with the least weight that serves them all."""
    await begin(rig, *names(200))
    start = rig.clock.now_ns()
    for name in names(count):
        rig.polling.now(name)
    await settle()
    assert [call for call, _, _ in rig.rest.asked] == calls
    assert all(rig.seen(name) == [start] for name in names(count))


async def test_who_falls_a_moment_later_waits_for_the_next_shared_poll(rig: Rig) -> None:
    """A quarter of a second after the one before."""
    await begin(rig, *names(3))
    start = rig.clock.now_ns()
    for name in names(3):
        rig.polling.now(name)
        await rig.clock.advance(0.1)
    await rig.clock.advance(0.1)
    assert rig.seen("S0") == [start]
    assert rig.seen("S1") == rig.seen("S2") == [start + SHARE_NS]


async def test_one_extra_poll_is_under_way_at_most(rig: Rig) -> None:
    """Whoever falls meanwhile is asked for when it is over; the beats go on."""
    await begin(rig, *names(50))
    rig.rest.delay = 2.0
    rig.polling.now("S1")
    await rig.clock.advance(0.3)
    for _ in range(5):
        rig.polling.now("S2")
        await rig.clock.advance(0.02)
    assert [asked for call, asked, _ in rig.rest.asked if call == "ticker"] == [("S1",)]
    await rig.clock.advance(2.0)
    assert ("ticker", ("S2",)) in [(call, asked) for call, asked, _ in rig.rest.asked]
    assert rig.rest.times("book_ticker") == 2


async def test_an_extra_poll_for_nobody_asks_nothing(rig: Rig) -> None:
    """The symbol was dropped, or never added; the next one is asked for all the same."""
    await begin(rig, "A")
    rig.polling.now("B")
    await settle()
    assert rig.rest.asked == []
    await rig.clock.advance(0.3)
    rig.polling.now("A")
    await settle()
    assert len(rig.rest.asked) == 1


async def test_an_extra_poll_that_fails_is_followed_by_others(rig: Rig) -> None:
    """Failure does not end the service."""
    await begin(rig, "A")
    rig.rest.failing["ticker"] = Unavailable("HTTP 503")
    rig.polling.now("A")
    await settle()
    del rig.rest.failing["ticker"]
    await rig.clock.advance(0.3)
    rig.polling.now("A")
    await settle()
    assert len(rig.polls) == 1


# the watched symbol


@pytest.mark.parametrize("count", [1, 50])
async def test_the_watched_symbol_is_in_the_beat(rig: Rig, count: int) -> None:
    """Its answers come like any other's, though nobody subscribed it."""
    await begin(rig, *names(count))
    rig.rest.trades["CANARY"] = 1
    rig.polling.watch("CANARY")
    await rig.clock.advance(3.0)
    assert len({at // NS_PER_S for at in rig.seen("CANARY")}) == 3
    rig.polling.watch("")
    await rig.clock.advance(0.6)
    rig.polls.clear()
    await rig.clock.advance(3.0)
    assert rig.seen("CANARY") == []


async def test_a_watched_symbol_that_nobody_subscribed_ends_nobodys_lane(rig: Rig) -> None:
    """It is told that it is watched no longer."""
    await begin(rig, "A")
    rig.polling.watch("GONE")
    await rig.clock.advance(100.0)
    assert rig.given_up == []
    assert rig.unwatched_symbols == ["GONE"]
    assert len(rig.problems) == 1
    before = len(rig.rest.asked)
    await rig.clock.advance(10.0)
    assert [asked for _, asked, _ in rig.rest.asked[before:]] == [("A",)] * 10


# refused and missing symbols


@pytest.mark.parametrize("count", [5, 60])
async def test_a_refused_symbol_blinds_no_other(rig: Rig, count: int) -> None:
    """The same beat serves them; the refused one is asked alone and given up after a minute, with the venue's words."""
    await begin(rig, *names(count))
    del rig.rest.trades["S3"]
    start = rig.clock.now_ns()
    await rig.clock.advance(5.0)
    assert all(len(rig.seen(name)) >= 5 for name in names(count) if name != "S3")
    assert rig.given_up == []
    assert len([text for text in rig.problems if "S3 is refused" in text]) == 1
    alone = rig.asked_alone("S3")
    await rig.clock.advance_until(lambda: rig.given_up, 80)
    assert rig.clock.now_ns() - start > 59 * NS_PER_S
    assert rig.given_up == [("S3", "Invalid symbol: S3")]
    assert rig.asked_alone("S3") == alone + 3
    await rig.clock.advance(60.0)
    assert rig.asked_alone("S3") == alone + 3
    assert len(rig.given_up) == 1


async def test_a_symbol_that_is_listed_again_is_served_again(rig: Rig) -> None:
    """A refusal that lasted less than a minute ended nothing."""
    await begin(rig, "A", "B")
    del rig.rest.trades["A"]
    await rig.clock.advance(30.0)
    rig.rest.trades["A"] = 1
    await rig.clock.advance(60.0)
    assert rig.given_up == []
    recent = rig.clock.now_ns() - 10 * NS_PER_S
    assert len(rig.seen("A", recent)) >= 9


async def test_a_missing_symbol_blinds_no_other_and_is_asked_alone(rig: Rig) -> None:
    """Of the one that a batch lacks each beat has an answer of its own, if the venue gives one; it is told once."""
    await begin(rig, *names(5))
    rig.rest.shy.add("S3")
    await rig.clock.advance(10.0)
    assert all(len(rig.seen(name)) == 10 for name in names(5) if name != "S3")
    assert len(rig.seen("S3")) >= 8
    assert rig.problems == ["S3 is missing from the venue's answer to a poll of many; it is asked for alone"]
    rig.rest.shy.clear()
    await rig.clock.advance(2.0)
    rig.rest.asked.clear()
    await rig.clock.advance(5.0)
    assert rig.asked_alone("S3") == 0


async def test_a_symbol_that_no_answer_holds_is_asked_alone_now_and_then(rig: Rig) -> None:
    """Every 20 s: it costs weight, and brings nothing."""
    await begin(rig, *names(5))
    rig.rest.absent.add("S3")
    await rig.clock.advance(50.0)
    assert rig.asked_alone("S3") == 3
    assert len(rig.problems) == 1


async def test_a_symbol_missing_from_the_quotes_of_all_is_asked_alone(rig: Rig) -> None:
    """Its figures hold a quote too."""
    await begin(rig, *names(100))
    rig.rest.shy.add("S3")
    await rig.clock.advance(10.0)
    assert len(rig.seen("S3")) >= 8
    assert len(rig.problems) == 1


async def test_closing_ends_all_that_is_under_way(rig: Rig) -> None:
    """Nothing comes afterwards."""
    await begin(rig, *names(50))
    rig.rest.delay = 1.0
    rig.polling.now("S1")
    await rig.clock.advance(0.6)
    await rig.polling.close()
    rig.polls.clear()
    await rig.clock.advance(5.0)
    assert rig.polls == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(("poll", "beat", "extra"))]
