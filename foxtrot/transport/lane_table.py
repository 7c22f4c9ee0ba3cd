"""The moves that a lane may make: the machine refuses any other, the documentation's diagram is drawn from this.

Anything else that comes is ignored in its state, never an error. A move from a state to itself is told when its reason changes.
"""

from typing import Final, NamedTuple

from foxtrot.util.constants import LaneState


class Move(NamedTuple):
    """From one state to another, and when."""

    old: LaneState
    new: LaneState
    when: str


MOVES: Final = (
    Move(LaneState.POLLING, LaneState.POLLING, "the lane has started"),
    Move(LaneState.POLLING, LaneState.SHADOW, "decision: shadow"),
    Move(LaneState.POLLING, LaneState.PROVING, "decision: streaming"),
    Move(LaneState.POLLING, LaneState.FALLBACK, "decision: streaming, after a trip or while retry_at is ahead"),
    Move(LaneState.SHADOW, LaneState.POLLING, "decision: polling"),
    Move(LaneState.SHADOW, LaneState.PROVING, "decision: streaming"),
    Move(LaneState.SHADOW, LaneState.FALLBACK, "decision: streaming, after a trip or without its connection"),
    Move(LaneState.PROVING, LaneState.PROVING, "polls are not answered any more: the stream serves (POLL_DOWN)"),
    Move(LaneState.PROVING, LaneState.STREAMING, "proof, and both sides meet"),
    Move(LaneState.PROVING, LaneState.FALLBACK, "the attempt fails, or its connection"),
    Move(LaneState.PROVING, LaneState.POLLING, "decision: polling"),
    Move(LaneState.PROVING, LaneState.SHADOW, "decision: shadow"),
    Move(LaneState.STREAMING, LaneState.FALLBACK, "trip, or a lost connection"),
    Move(LaneState.STREAMING, LaneState.POLLING, "decision: polling (a polled value first; a kill at once)"),
    Move(LaneState.STREAMING, LaneState.SHADOW, "decision: shadow (a polled value first)"),
    Move(LaneState.FALLBACK, LaneState.PROVING, "retry_at and a permit, or its connection is back"),
    Move(LaneState.FALLBACK, LaneState.FALLBACK, "the bound on switches holds it back; its trip was the connection's"),
    Move(LaneState.FALLBACK, LaneState.POLLING, "decision: polling"),
    Move(LaneState.FALLBACK, LaneState.SHADOW, "decision: shadow"),
    *(Move(state, LaneState.CLOSED, "unsubscribed, or closed") for state in LaneState if state is not LaneState.CLOSED),
)

LAWFUL: Final = frozenset((move.old, move.new) for move in MOVES)
