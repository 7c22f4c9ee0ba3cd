"""The table's rows, in the catalogue's order."""

from typing import Final

from tests.chaos import recorded, rows_client, rows_connection, rows_data
from tests.chaos.measure import Outcome
from tests.chaos.scenario import Scenario, perform

_FAULTS: Final = 30
_SPEED: Final = 4.0


def _recorded_infinite(seed: int) -> Outcome:
    return recorded.replayed(seed, hold=float("inf"), faults=_FAULTS, speed=_SPEED)


def _recorded_default(seed: int) -> Outcome:
    return recorded.replayed(seed, hold=None, faults=_FAULTS, speed=_SPEED)


_ABSENT: Final = "" if recorded.is_here() else recorded.NOT_HERE
_RECORDED: Final = (
    Scenario("rec-i", "recording, 30 faults, infinite hold", "-", None, alone=_recorded_infinite, most=1, absent=_ABSENT),
    Scenario("rec-d", "recording, 30 faults, default hold", "-", None, alone=_recorded_default, most=1, absent=_ABSENT),
)
_ALL: Final = (*rows_connection.ROWS, *rows_data.ROWS, *rows_client.ROWS, *_RECORDED)

ROWS: Final[dict[str, Scenario]] = {row.key: row for row in sorted(_ALL, key=lambda row: (row.number, row.key))}


def play(key: str, seed: int) -> Outcome:
    """One repetition of a row; by name, so that another process can be asked for it."""
    return perform(ROWS[key], seed)
