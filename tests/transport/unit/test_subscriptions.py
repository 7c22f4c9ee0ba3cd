"""What a connection asks for, and what it makes of the answers (BN-5)."""

import itertools

import pytest

from foxtrot.transport.subscriptions import PAUSE_NS, Command, Subscriptions, Verb
from foxtrot.util.clock import NS_PER_MS, NS_PER_S

SUB, UNSUB, LIST = Verb.SUBSCRIBE, Verb.UNSUBSCRIBE, Verb.LIST


class Venue:
    """Looks every 100 ms, and answers as told. ``ignored`` streams are acknowledged and not listed."""

    def __init__(self, *streams: str) -> None:
        self.now = 1_000 * NS_PER_S
        self.start = self.now
        self.subscriptions = Subscriptions(streams, self.now)
        self.wanted = set(streams)
        self.listed = set(streams)
        self.ignored: set[str] = set()
        self.mute: set[Verb] = set()
        self.refused: set[Verb] = set()
        self.log: list[tuple[float, Command]] = []
        self.given_up: list[tuple[float, set[str]]] = []
        self.numbers = itertools.count(1)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            number = next(self.numbers)
            command = self.subscriptions.next(self.wanted, number, self.now)
            if command is not None:
                self.log.append((self.elapsed, command))
                self._obey(command, number)
            if streams := self.subscriptions.take_given_up():
                self.given_up.append((self.elapsed, streams))
            self.now += 100 * NS_PER_MS

    @property
    def elapsed(self) -> float:
        return (self.now - self.start) / NS_PER_S

    def sent(self, verb: Verb) -> list[tuple[str, ...]]:
        return [command.streams for _, command in self.log if command.verb is verb]

    def times(self, verb: Verb) -> list[float]:
        return [at for at, command in self.log if command.verb is verb]

    def _obey(self, command: Command, number: int) -> None:
        if command.verb in self.mute:
            return
        if command.verb in self.refused:
            assert self.subscriptions.answered(number, self.now, is_refused=True)
            return
        self.listed |= set(command.streams) - self.ignored if command.verb is SUB else set()
        self.listed -= set(command.streams) if command.verb is UNSUB else set()
        if command.verb is LIST:
            assert self.subscriptions.listed(number, self.listed, self.now)
        else:
            assert self.subscriptions.answered(number, self.now, is_refused=False)


def test_what_is_wanted_is_subscribed_and_what_is_not_is_dropped() -> None:
    """Each in one command; what stood in the address needs none."""
    venue = Venue("a", "b")
    venue.wanted = {"b", "c", "d"}
    venue.run(2)
    assert [command for _, command in venue.log] == [Command(SUB, ("c", "d")), Command(UNSUB, ("a",))]


def test_commands_keep_their_pause() -> None:
    """With pings and pongs never more than five messages a second, whatever is wanted and however it is answered."""
    venue = Venue("a")
    venue.refused = {SUB}
    for step in range(200):
        venue.wanted = {f"s{step % 7}", f"s{step % 5}"}
        venue.run(0.1)
    times = [at for at, _ in venue.log]
    assert len(times) > 10
    assert all(later - earlier >= PAUSE_NS / NS_PER_S - 1e-9 for earlier, later in itertools.pairwise(times))


def test_a_list_is_asked_for_after_five_seconds_and_every_minute() -> None:
    """It agrees: nothing follows from it."""
    venue = Venue("a")
    venue.run(200)
    assert [round(at) for at in venue.times(LIST)] == [5, 65, 125, 185]
    assert venue.sent(SUB) == venue.sent(UNSUB) == []


def test_subscriptions_do_not_put_the_list_off() -> None:
    """One a second, each answered: what they would have shown is looked at all the same."""
    venue = Venue("a")
    for second in range(20):
        venue.wanted.add(f"s{second}")
        venue.run(1)
    assert venue.times(LIST)[0] <= 5
    assert len(venue.times(LIST)) > 5


def test_lists_of_connections_are_spread() -> None:
    """Not all of them ask in the same moment."""
    venue = Venue("a")
    venue.subscriptions = Subscriptions(["a"], venue.now, spread=0.5)
    venue.run(10)
    assert venue.times(LIST) == [7.5]


@pytest.mark.parametrize("trouble", ["mute", "refused"])
def test_a_command_that_fails_once_is_sent_again(trouble: str) -> None:
    """Nothing is given up."""
    venue = Venue("a")
    setattr(venue, trouble, {SUB})
    venue.wanted = {"a", "b"}
    venue.run(0.1)
    setattr(venue, trouble, set())
    venue.run(30)
    assert venue.sent(SUB) == [("b",), ("b",)]
    assert venue.given_up == []


def test_streams_refused_twice_are_given_up() -> None:
    """Within a second; told once, tried again with each list."""
    venue = Venue("a")
    venue.refused = {SUB}
    venue.wanted = {"a", "b", "c"}
    venue.run(150)
    (at, streams), *more = venue.given_up
    assert (at <= 1, streams, more) == (True, {"b", "c"}, [])
    assert len(venue.sent(SUB)) > 3


def test_streams_without_an_answer_are_decided_by_the_list() -> None:
    """Answers to subscriptions are lost, the list shows that they were carried out."""
    venue = Venue("a")
    venue.mute = {SUB}
    venue.listed |= {"b"}
    venue.wanted = {"a", "b"}
    venue.run(150)
    assert venue.sent(SUB) == [("b",), ("b",)]
    assert venue.given_up == []


def test_streams_without_an_answer_that_no_list_shows_are_given_up() -> None:
    """The commands were lost: seen right after the second one."""
    venue = Venue("a")
    venue.mute = {SUB}
    venue.wanted = {"a", "b"}
    venue.run(20)
    (at, streams), *more = venue.given_up
    assert (at <= 11, streams, more) == (True, {"b"}, [])


def test_streams_are_given_up_where_no_command_is_answered() -> None:
    """Not even the list; what stood in the address is not doubted for it."""
    venue = Venue("a")
    venue.mute = {SUB, LIST}
    venue.wanted = {"a", "b"}
    venue.run(120)
    (at, streams), *more = venue.given_up
    assert (at <= 25, streams, more) == (True, {"b"}, [])


def test_a_stream_without_an_answer_that_brings_frames_is_not_given_up() -> None:
    """All answers are lost; the data say enough."""
    venue = Venue("a")
    venue.mute = {SUB, LIST}
    venue.wanted = {"a", "b"}
    venue.run(11)
    assert venue.subscriptions.unsure == {"b"}
    venue.subscriptions.brought("b", venue.now)
    venue.run(120)
    assert venue.subscriptions.unsure == frozenset()
    assert venue.given_up == []


def test_a_stream_that_the_list_lacks_is_subscribed_once_more() -> None:
    """The venue acknowledged it and forgot it: noticed two seconds after the answer, and mended."""
    venue = Venue("a")
    venue.ignored = {"c"}
    venue.wanted = {"a", "b", "c"}
    venue.run(0.1)
    venue.ignored = set()
    venue.run(30)
    assert venue.sent(SUB) == [("b", "c"), ("c",)]
    assert venue.times(SUB)[1] <= 3
    assert venue.given_up == []


def test_a_stream_that_lists_lack_twice_is_given_up() -> None:
    """Ten seconds after it was asked for; told once."""
    venue = Venue("a")
    venue.ignored = {"c"}
    venue.wanted = {"a", "b", "c"}
    venue.run(150)
    (at, streams), *more = venue.given_up
    assert (at <= 10, streams, more) == (True, {"c"}, [])


def test_a_stream_that_the_list_lacks_and_that_brings_frames_is_not_given_up() -> None:
    """Data proves more than a list, however often it is wrong; what stops to bring any is given up after all."""
    venue = Venue("a")
    venue.ignored = {"c"}
    venue.wanted = {"a", "c"}
    for _ in range(900):
        venue.run(0.1)
        if "c" in venue.subscriptions.unsure:
            venue.subscriptions.brought("c", venue.now)
    assert venue.given_up == []
    venue.run(80)
    assert [streams for _, streams in venue.given_up] == [{"c"}]


def test_a_stream_that_vanishes_is_noticed_with_the_next_list() -> None:
    """Also one that came with the address; within 70 seconds it is given up."""
    venue = Venue("a", "b")
    venue.run(6)
    venue.listed -= {"b"}
    venue.ignored = {"b"}
    venue.run(70)
    (at, streams), *more = venue.given_up
    assert (at <= 76, streams, more) == (True, {"b"}, [])


def test_what_is_given_up_and_comes_back_may_be_given_up_again() -> None:
    """A list that shows it clears it."""
    venue = Venue("a", "b")
    venue.listed -= {"b"}
    venue.ignored = {"b"}
    venue.run(20)
    venue.ignored = set()
    venue.run(120)
    venue.ignored = {"b"}
    venue.listed -= {"b"}
    venue.run(120)
    assert [streams for _, streams in venue.given_up] == [{"b"}, {"b"}]


def test_what_is_given_up_and_wanted_anew_is_asked_for_anew() -> None:
    """Its lane has waited for its retry."""
    venue = Venue("a")
    venue.refused = {SUB}
    venue.wanted = {"a", "b"}
    venue.run(2)
    venue.wanted = {"a"}
    venue.run(1)
    venue.refused = set()
    venue.wanted = {"a", "b"}
    venue.run(10)
    assert venue.listed == {"a", "b"}
    assert len(venue.given_up) == 1


def test_what_is_given_up_and_wanted_anew_may_be_given_up_again() -> None:
    """The lane that asked for it anew is told as the first one was."""
    venue = Venue("a")
    venue.refused = {SUB}
    for wanted in ({"a", "b"}, {"a"}, {"a", "b"}):
        venue.wanted = wanted
        venue.run(2)
    assert [streams for _, streams in venue.given_up] == [{"b"}, {"b"}]


def test_a_doubt_that_a_list_has_cleared_is_none_at_the_next() -> None:
    """A stream that found no answer and stood in the list: when it vanishes, it is first asked for once more."""
    venue = Venue("a")
    venue.mute = {SUB}
    venue.listed |= {"b"}
    venue.wanted = {"a", "b"}
    venue.run(20)
    venue.mute = set()
    venue.listed -= {"b"}
    venue.run(100)
    assert venue.listed == {"a", "b"}
    assert venue.given_up == []


@pytest.mark.parametrize(("trouble", "seconds"), [("ignored", 3), ("mute", 10.2)])
def test_a_doubt_ends_with_the_wish(trouble: str, seconds: float) -> None:
    """Asked for anew, a stream that a list had lacked, or that had found no answer, has its two chances again."""
    venue = Venue("a")
    setattr(venue, trouble, {"b"} if trouble == "ignored" else {SUB, LIST})
    venue.wanted = {"a", "b"}
    venue.run(seconds)
    assert venue.subscriptions.unsure == {"b"}
    venue.wanted = {"a"}
    venue.run(0.6)
    venue.mute, venue.ignored = set(), {"b"}
    venue.wanted = {"a", "b"}
    venue.run(1)
    venue.ignored = set()
    venue.run(60)
    assert "b" in venue.listed
    assert venue.given_up == []


def test_what_the_list_has_too_much_is_dropped() -> None:
    """An unsubscription that the venue forgot."""
    venue = Venue("a")
    venue.listed |= {"z"}
    venue.run(10)
    assert venue.sent(UNSUB) == [("z",)]
    assert venue.listed == {"a"}


def test_what_is_subscribed_while_the_list_is_under_way_is_not_too_much() -> None:
    """The list may show it or not: it says nothing of it."""
    subscriptions = Subscriptions(["a"], 0)
    asked = subscriptions.next({"a"}, 1, 6 * NS_PER_S)
    subscriptions.next({"a", "b"}, 2, 7 * NS_PER_S)
    assert asked == Command(LIST)
    subscriptions.listed(1, ["a", "b"], 8 * NS_PER_S)
    assert subscriptions.next({"a", "b"}, 3, 9 * NS_PER_S) is None


def test_what_is_subscribed_while_the_list_is_under_way_is_not_missing() -> None:
    """The answer is of before."""
    subscriptions = Subscriptions(["a"], 0)
    subscriptions.next({"a"}, 1, 6 * NS_PER_S)
    subscriptions.next({"a", "b"}, 2, 7 * NS_PER_S)
    subscriptions.listed(1, ["a"], 8 * NS_PER_S)
    assert subscriptions.next({"a", "b"}, 3, 9 * NS_PER_S) is None


def test_what_is_under_way_when_the_list_is_asked_for_is_not_missing() -> None:
    """The venue may list it or not; its own answer will tell."""
    subscriptions = Subscriptions(["a"], 0)
    subscriptions.next({"a", "b"}, 1, 5 * NS_PER_S)
    assert subscriptions.next({"a", "b"}, 2, 6 * NS_PER_S) == Command(LIST)
    subscriptions.listed(2, ["a"], 7 * NS_PER_S)
    assert subscriptions.next({"a", "b"}, 3, 8 * NS_PER_S) is None


def test_what_is_refused_after_it_was_dropped_is_not_given_up() -> None:
    """Nobody wants to hear of it."""
    subscriptions = Subscriptions([], 0)
    subscriptions.next({"b"}, 1, 0)
    subscriptions.answered(1, NS_PER_S, is_refused=True)
    subscriptions.next({"b"}, 2, NS_PER_S)
    assert subscriptions.next(set(), 3, 2 * NS_PER_S) == Command(UNSUB, ("b",))
    subscriptions.answered(2, 3 * NS_PER_S, is_refused=True)
    assert subscriptions.take_given_up() == set()


def test_what_nobody_wants_any_more_is_not_asked_for_again() -> None:
    """Neither a refused subscription nor a refused unsubscription of what is wanted anew."""
    subscriptions = Subscriptions([], 0)
    subscriptions.next({"a", "b"}, 1, 0)
    subscriptions.answered(1, NS_PER_S, is_refused=True)
    assert subscriptions.next({"b"}, 2, NS_PER_S) == Command(SUB, ("b",))
    assert subscriptions.next({"b"}, 3, 2 * NS_PER_S) == Command(UNSUB, ("a",))
    subscriptions.answered(3, 3 * NS_PER_S, is_refused=True)
    assert subscriptions.next({"a", "b"}, 4, 3 * NS_PER_S) == Command(SUB, ("a",))


def test_an_unsubscription_that_fails_twice_is_let_go() -> None:
    """The next list shows it."""
    venue = Venue("a", "b")
    venue.refused = {UNSUB}
    venue.wanted = {"a"}
    venue.run(4)
    assert venue.sent(UNSUB) == [("b",), ("b",)]
    venue.run(4)
    assert len(venue.sent(UNSUB)) == 3


def test_a_list_that_does_not_come_changes_nothing() -> None:
    """Asked for once more, then a minute later."""
    venue = Venue("a")
    venue.mute = {LIST}
    venue.run(80)
    assert [round(at) for at in venue.times(LIST)] == [5, 10, 65, 70]
    assert venue.given_up == []


def test_answers_to_other_numbers_are_not_ours() -> None:
    """Nor a list that nobody asked for."""
    subscriptions = Subscriptions(["a"], 0)
    subscriptions.next({"a", "b"}, 7, 0)
    assert not subscriptions.answered(8, 0, is_refused=False)
    assert not subscriptions.listed(8, ["a"], 0)
    assert not subscriptions.listed(7, ["a"], 0)
