"""The planted faults stay plantable: their places are there, and what they make is still Python."""

import ast
from pathlib import Path

import pytest

from tests.planted.faults import FAULTS, Fault

TRANSPORT = Path(__file__).resolve().parents[2] / "foxtrot" / "transport"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_has_its_place(fault: Fault) -> None:
    """Once, and the module can be read with it."""
    text = (TRANSPORT / f"{fault.module}.py").read_text()
    assert text.count(fault.old) == 1
    ast.parse(text.replace(fault.old, fault.new))


def test_there_are_enough_of_them() -> None:
    """Thirty at least, none twice."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30
