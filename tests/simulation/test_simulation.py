"""Whole runs from seeds: the real hub, lanes, beat and streams against a simulated venue that fails in every way it knows."""

import os
import subprocess
import sys

import msgspec
import pytest

from tests.simulation.report import failure
from tests.simulation.script import KINDS, Fault, draw_script
from tests.simulation.world import Plan, plan_of, play

SHORT = Plan(seed=0, minutes=6.0, symbols=4)
"""Twenty seconds of warmth, forty of faults, five minutes to be whole again."""


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_seed_breaks_no_rule(seed: int) -> None:
    """Ten virtual minutes of faults, decisions and silence; a failure prints its script and what came last."""
    plan = plan_of(seed, minutes=10.0, symbols=4)
    outcome = play(plan)
    if outcome.violations:
        pytest.fail("\n".join(failure(outcome, plan)))


@pytest.mark.parametrize("seed", [101, 102])
def test_the_same_seed_makes_the_same_history(seed: int) -> None:
    """Twice in this process, and in another one whose hashes are salted otherwise: one trace."""
    plan = msgspec.structs.replace(SHORT, seed=seed)
    code = f"from tests.simulation.world import Plan, play; print(play(Plan(seed={seed}, minutes=6.0, symbols=4)).trace)"
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", code]
    elsewhere = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=50)
    assert {play(plan).trace, play(plan).trace} == {elsewhere.stdout.strip()}


def test_another_seed_makes_another_history() -> None:
    """The hash is of what happened, not of the program."""
    assert play(msgspec.structs.replace(SHORT, seed=1)).trace != play(msgspec.structs.replace(SHORT, seed=2)).trace


def test_every_kind_of_fault_is_drawn() -> None:
    """Nothing that can be simulated is left out by chance."""
    script = draw_script(1, ["S0USDT", "S1USDT"], 0.0, 100_000.0)
    assert {fault.kind for fault in script} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_fault_is_overcome(kind: str) -> None:
    """Alone, and for as long as it may last."""
    longest, most = KINDS[kind].lasts[1], KINDS[kind].amount[1]
    target = "S0USDT" if KINDS[kind].of_symbol else ""
    plan = Plan(seed=7, minutes=7.0, symbols=1, mixed=False, script=(Fault(20.0, kind, target, longest, most),))
    outcome = play(plan)
    assert outcome.violations == []
    assert outcome.faults == {kind: 1}


@pytest.mark.parametrize("kind", ["mute", "unlisted"])
def test_no_symbol_falls_with_another(kind: str) -> None:
    """Half of a connection's lanes fall together, and are all of one symbol: the connection is not to blame."""
    script = (Fault(20.0, kind, "S1USDT", 90.0, 0.4),)
    outcome = play(Plan(seed=7, minutes=7.0, symbols=2, mixed=False, rates=(4.0, 2.0), script=script))
    assert outcome.trips == 3
    assert outcome.violations == []
