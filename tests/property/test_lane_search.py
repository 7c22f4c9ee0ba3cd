"""Every order of a lane's inputs, breadth first, to a depth; equal states are searched on once."""

import os
import pickle
from typing import Final

import pytest

from tests.support.lane_bench import BY_HAND, DECISIONS, Bench, IdBench, TickBench

IS_NIGHTLY: Final = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SPAN: Final = 3_600 if IS_NIGHTLY else 120
"""Seconds that one search may take on a busy machine."""

Kind = type[IdBench] | type[TickBench]

CORE: Final[dict[Kind, tuple[str, ...]]] = {
    IdBench: ("streaming", "polling", "second", "retry", "up", "down", "next", "ahead", "poll", "page"),
    TickBench: ("polling", "second", "up", "down", "next", "poll", "anchor"),
}
"""What can happen without anybody's hand and without hiccups of REST."""

BEGUN: Final[dict[type[Bench], tuple[str, ...]]] = {IdBench: ("start",), TickBench: ("poll", "streaming", "up", "next")}
"""From here the core inputs lead through every state."""

ROOTS: Final[dict[Kind, dict[str, tuple[str, ...]]]] = {
    IdBench: {
        "new": (),
        "streaming": ("start", "streaming", "poll", "up", "second", "poll", "second", "poll", "next"),
        "behind a hole": ("start", "streaming", "poll", "up", "second", "poll", "second", "poll", "ahead"),
        "after a trip": ("start", "streaming", "poll", "up", "next", "stray", "retry", "up"),
        "shadow": ("start", "shadow", "poll", "up", "next", "second", "poll"),
        "polls down": ("start", "streaming", "up", "second", "second", "next", "second"),
    },
    TickBench: {
        "new": (),
        "streaming": ("poll", "streaming", "up", "next", "second", "poll", "next", "second", "poll", "anchor", "next"),
        "before its anchor": ("poll", "streaming", "up", "next", "second", "poll", "next", "second", "poll"),
        "after a trip": ("poll", "streaming", "up", "next", "stray", "retry", "up"),
        "shadow": ("poll", "shadow", "up", "next", "second", "poll"),
        "polls down": ("poll", "streaming", "up", "second", "second", "second", "next"),
    },
}
"""Ways into the situations in which most can go wrong."""


def all_inputs(kind: Kind) -> tuple[str, ...]:
    """All that a lane of this kind can be told."""
    hand = (name for name in BY_HAND if kind is IdBench or not name.startswith("hold"))
    return (*DECISIONS, *hand, *kind.inputs)


def reached(kind: Kind, path: tuple[str, ...]) -> Bench:
    """The bench after these inputs, which have been checked before."""
    bench = kind()
    bench.is_checked = False
    for name in path:
        bench.do(name)
    bench.is_checked = True
    return bench


def search(kind: Kind, root: tuple[str, ...], inputs: tuple[str, ...], depth: int) -> tuple[int, int]:
    """How many states and how many transitions there are within so many inputs of the root."""
    known = {reached(kind, root).fingerprint()}
    frontier, transitions = [root], 0
    for _ in range(depth):
        paths, frontier = frontier, []
        for path in paths:
            image = pickle.dumps(reached(kind, path))  # a copy costs a third of the way there
            for name in inputs:
                bench: Bench = pickle.loads(image)
                try:
                    is_possible = bench.do(name)
                except Exception as error:
                    error.add_note(f"after {', '.join((*path, name))}")
                    raise
                if not is_possible:
                    continue
                transitions += 1
                mark = bench.fingerprint()
                if mark not in known:
                    known.add(mark)
                    frontier.append((*path, name))
    return len(known), transitions


@pytest.mark.parametrize("kind", CORE)
@pytest.mark.timeout(SPAN)
def test_the_core_inputs_in_every_order(kind: Kind) -> None:
    """Eight inputs deep from a lane that has begun, nothing raises and every node is lawful."""
    states, _ = search(kind, BEGUN[kind], CORE[kind], 9 if IS_NIGHTLY else 8)
    assert states > 10_000, "the search has become blind"


@pytest.mark.parametrize(("kind", "root"), [(kind, root) for kind, roots in ROOTS.items() for root in roots])
@pytest.mark.timeout(SPAN)
def test_all_inputs_in_every_order(kind: Kind, root: str) -> None:
    """Whatever a lane is told wherever it stands: nothing raises, and every node is lawful."""
    depth = (8 if root == "new" else 6) if IS_NIGHTLY else 3
    states, _ = search(kind, ROOTS[kind][root], all_inputs(kind), depth)
    assert states > 100, "the search has become blind"


@pytest.mark.parametrize("kind", ROOTS)
def test_the_roots_lead_where_they_say(kind: Kind) -> None:
    """Each root is the situation after which it is called."""
    found = {
        name: (bench.state.value, bench.serving.value) for name, root in ROOTS[kind].items() for bench in [reached(kind, root)]
    }
    common = {
        "new": ("polling", "none"),
        "streaming": ("streaming", "stream"),
        "after a trip": ("proving", "poll"),
        "shadow": ("shadow", "poll"),
        "polls down": ("proving", "stream"),
    }
    own = {"behind a hole": ("streaming", "stream")} if kind is IdBench else {"before its anchor": ("proving", "poll")}
    assert found == common | own
