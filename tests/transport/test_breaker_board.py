"""pybreaker kept in step with our breakers, whatever its listeners do (CB-8; reliability P11, P12)."""

import threading
from collections.abc import Iterator

import pybreaker
import pytest
from typing_extensions import override

from foxtrot.transport.breaker_board import CAPACITY, BreakerBoard
from foxtrot.util.constants import BreakerState
from tests.core.waiting import wait_until


class Listening(pybreaker.CircuitBreakerListener):
    """Writes down what it hears, and the state that it finds then."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.found: list[str] = []
        self.threads: set[str] = set()

    @override
    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        self.heard.append((str(cb.name), old_state.name if old_state else "", new_state.name))
        self.found.append(cb.current_state)
        self.threads.add(threading.current_thread().name)


class Raising(Listening):
    """Hears, and raises."""

    @override
    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        super().state_change(cb, old_state, new_state)
        raise ZeroDivisionError("a listener's own bug")


class Blocking(Listening):
    """Hears, and does not come back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = threading.Event()

    @override
    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        super().state_change(cb, old_state, new_state)
        self.may_go.wait(30)


@pytest.fixture
def board() -> Iterator[BreakerBoard]:
    made = BreakerBoard()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (BreakerState.CLOSED, "closed"),
        (BreakerState.OPEN, "open"),
        (BreakerState.HALF_OPEN, "half-open"),
        (BreakerState.FORCED_OPEN, "open"),
    ],
)
def test_a_pybreaker_follows(board: BreakerBoard, state: BreakerState, name: str) -> None:
    """From every state; forced open is open to it."""
    for before in BreakerState:
        board.move("x", before)
        board.move("x", state)
        assert board.states() == {"x": name}


def test_an_open_pybreaker_refuses_calls(board: BreakerBoard) -> None:
    """Whoever uses it for their own calls is told."""
    board.move("x", BreakerState.OPEN)
    with pytest.raises(pybreaker.CircuitBreakerError):
        board.breaker("x").call(lambda: 1)


def test_a_breaker_is_made_once(board: BreakerBoard) -> None:
    """Closed, when first asked for."""
    assert board.breaker("x") is board.breaker("x")
    assert board.states() == {"x": "closed"}


def test_listeners_hear_of_what_stands(board: BreakerBoard) -> None:
    """On a thread of their own, with the new state in force."""
    listening = Listening()
    board.add_listener(listening)
    board.move("x", BreakerState.OPEN)
    wait_until(lambda: bool(listening.found))
    assert listening.heard == [("x", "closed", "open")]
    assert listening.found == ["open"]
    assert listening.threads == {"breaker listeners"}


def test_a_listener_of_one_pybreaker_hears_the_same_way(board: BreakerBoard) -> None:
    """And of no other one; it stays where it was added."""
    listening = Listening()
    board.breaker("x").add_listener(listening)
    board.move("x", BreakerState.OPEN)
    board.move("y", BreakerState.OPEN)
    wait_until(lambda: bool(listening.found))
    assert listening.heard == [("x", "closed", "open")]
    assert board.breaker("x").listeners == (listening,)


def test_listeners_that_raise_keep_nothing_from_happening(board: BreakerBoard) -> None:
    """P12: the breaker opens, and the others hear of it."""
    raising, own, listening = Raising(), Raising(), Listening()
    board.add_listener(raising)
    board.add_listener(listening)
    board.breaker("x").add_listener(own)
    board.move("x", BreakerState.OPEN)
    assert board.states() == {"x": "open"}
    wait_until(lambda: bool(own.found))
    assert len(raising.heard) == len(listening.heard) == len(own.heard) == 1


def test_a_listener_that_wants_to_exit_ends_nothing(board: BreakerBoard) -> None:
    """Not even the thread on which listeners hear: the next change is told too."""

    class Exiting(Listening):
        """Hears, and calls sys.exit()."""

        @override
        def state_change(
            self,
            cb: pybreaker.CircuitBreaker,
            old_state: pybreaker.CircuitBreakerState | None,
            new_state: pybreaker.CircuitBreakerState,
        ) -> None:
            super().state_change(cb, old_state, new_state)
            raise SystemExit

    exiting, listening = Exiting(), Listening()
    board.add_listener(exiting)
    board.add_listener(listening)
    board.move("x", BreakerState.OPEN)
    board.move("x", BreakerState.CLOSED)
    wait_until(lambda: len(listening.found) == 2)
    assert len(exiting.heard) == 2
    assert board.states() == {"x": "closed"}


def test_a_listener_that_blocks_holds_nothing_up(board: BreakerBoard) -> None:
    """Changes that it is too slow to hear of are dropped, and counted."""
    blocking = Blocking()
    board.add_listener(blocking)
    board.move("x", BreakerState.OPEN)
    wait_until(lambda: bool(blocking.found))
    for number in range(CAPACITY + 3):
        board.move("x", BreakerState.CLOSED if number % 2 == 0 else BreakerState.OPEN)
    assert board.dropped == 3
    board.close()
    blocking.may_go.set()


def test_a_board_that_nobody_hears_starts_no_thread(board: BreakerBoard) -> None:
    """Nor does closing it wait for one."""
    board.move("x", BreakerState.OPEN)
    assert (
        "breaker listeners" not in {thread.name for thread in threading.enumerate() if thread.is_alive()} or board._teller is None
    )
    board.close()
