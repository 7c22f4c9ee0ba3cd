"""Which errors of a handler are told, and under which name."""

import functools

import pytest

from foxtrot.core.event import Event
from foxtrot.core.handler_errors import HandlerErrors, name_of


class Strategy:
    def on_tick(self, event: Event) -> None: ...
    def __call__(self, event: Event) -> None: ...


def handle(event: Event) -> None: ...


def test_the_first_error_is_told() -> None:
    """One error is told at once."""
    assert HandlerErrors(quiet_ns=10).is_told("a", now_ns=0)


def test_the_rest_of_the_second_is_told_as_a_count() -> None:
    """A thousand errors in one second make two lines."""
    errors = HandlerErrors(quiet_ns=10)
    told = sum(errors.is_told("a", now_ns=0) for _ in range(1_000))
    assert (told, errors.total, errors.due(9), errors.due(10), errors.due(20)) == (1, 1_000, [], [("a", 999)], [])


def test_an_error_after_the_quiet_time_is_told_again() -> None:
    """An error a minute is told each time."""
    errors = HandlerErrors(quiet_ns=10)
    assert errors.is_told("a", now_ns=0)
    assert errors.is_told("a", now_ns=10)


def test_a_count_opens_another_quiet_time() -> None:
    """A handler that goes on raising is told as one count a second."""
    errors = HandlerErrors(quiet_ns=10)
    for now_ns in range(30):
        errors.is_told("a", now_ns) if now_ns == 0 else errors.is_told("a", min(now_ns, 9))
        if now_ns == 9:
            assert errors.due(10) == [("a", 9)]
            break
    assert not errors.is_told("a", 11)
    assert errors.due(20) == [("a", 1)]


def test_handlers_are_told_apart() -> None:
    """The quiet time of one handler hides no other."""
    errors = HandlerErrors(quiet_ns=10)
    assert errors.is_told("a", now_ns=0)
    assert errors.is_told("b", now_ns=1)


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (handle, "handle"),
        (Strategy().on_tick, "Strategy.on_tick"),
        (functools.partial(functools.partial(handle)), "handle"),
        (Strategy(), "Strategy"),
    ],
)
def test_a_handler_is_named_as_a_person_wrote_it(handler: object, name: str) -> None:
    """Functions, methods, partials and callable objects all have a name."""
    assert name_of(handler) == f"{__name__}.{name}"
