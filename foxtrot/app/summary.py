"""What a run leaves behind: a summary for each lane, and the verdict."""

from enum import StrEnum
from typing import Final

import msgspec

from foxtrot.app.tally import Tally
from foxtrot.app.view import LaneView, View
from foxtrot.transport.base import LaneKey
from foxtrot.util.constants import LaneState, Serving

OK: Final = 0
FAILED: Final = 1


class Ending(StrEnum):
    """What ended a run."""

    DURATION = "duration"
    SIGNAL = "signal"
    NO_READER = "no_reader"  # stdout was closed
    NO_DATA = "no_data"  # none came while the duration had to begin
    NO_SYMBOL = "no_symbol"  # none of the symbols is listed


class Quantiles(msgspec.Struct, frozen=True):
    """Of the ages of one lane's values, in milliseconds; None where there are none."""

    p50: float | None
    p99: float | None


class LaneSummary(msgspec.Struct, frozen=True, tag="summary", tag_field="type", omit_defaults=True):
    """One lane's run.

    ``event_age_ms`` is from the venue's time of the value to the handler: for channels whose values carry one, and only if the
    venue's clock was known throughout; else ``local_age_ms``, from its arrival on this machine. ``gaps`` are holes in the
    ids of live values (of a book: how often it broke and began anew), ``missing`` the ids in them, ``backfilled`` those
    of them that came later; ``duplicates_delivered`` counts values that the handler had seen before.
    """

    symbol: str
    channel: str
    state: LaneState | None
    serving: Serving
    delivered: int
    gaps: int
    duplicates_dropped: int
    duplicates_delivered: int
    switches: int
    missing: int = 0
    backfilled: int = 0
    event_age_ms: Quantiles | None = None
    local_age_ms: Quantiles | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: seconds since its start, the lanes, the exit code and the sentence that gives its reason."""

    ending: Ending
    seconds: float
    lanes: tuple[LaneSummary, ...]
    exit_code: int
    verdict: str

    @property
    def delivered(self) -> int:
        """Values of all lanes."""
        return sum(lane.delivered for lane in self.lanes)


def conclude(ending: Ending, seconds: float, last: View, tally: Tally, allowance: float) -> Outcome:
    """Joins how the lanes stood before the close (``last``) with all that reached the handler until the close had ended."""
    lanes = tuple(_summary(lane, tally) for lane in last.lanes)
    exit_code, verdict = _verdict(ending, seconds, lanes, allowance)
    return Outcome(ending, seconds, lanes, exit_code, verdict)


def _summary(lane: LaneView, tally: Tally) -> LaneSummary:
    counted = tally.lanes[LaneKey(lane.symbol, lane.channel)]
    is_by_event = counted.has_event_ages
    histogram = counted.event_ages if is_by_event else counted.local_ages
    ages = Quantiles(_rounded(histogram.quantile_ms(0.50)), _rounded(histogram.quantile_ms(0.99)))
    return LaneSummary(
        symbol=lane.symbol,
        channel=lane.channel,
        state=lane.state,
        serving=lane.serving,
        delivered=counted.delivered,
        gaps=max(counted.gaps, lane.gaps),
        duplicates_dropped=lane.duplicates_dropped,
        duplicates_delivered=counted.duplicates,
        switches=lane.switches,
        missing=counted.missing.total,
        backfilled=counted.missing.found,
        event_age_ms=ages if is_by_event else None,
        local_age_ms=None if is_by_event else ages,
    )


def _verdict(ending: Ending, seconds: float, lanes: tuple[LaneSummary, ...], allowance: float) -> tuple[int, str]:
    if ending is Ending.NO_SYMBOL:
        return FAILED, "the venue lists none of these symbols; name others with --symbols"
    if ending is Ending.NO_DATA:
        return FAILED, (
            f"no data within {allowance:g} s and the duration; the lines above say why; check the address and the venue"
        )
    delivered = sum(lane.delivered for lane in lanes)
    gaps = sum(lane.gaps for lane in lanes)
    twice = sum(lane.duplicates_delivered for lane in lanes)
    symbols = len({lane.symbol for lane in lanes if lane.delivered})
    missing = sum(lane.missing for lane in lanes)
    found = sum(lane.backfilled for lane in lanes)
    backfilled = f" (backfilled {found:,} of {missing:,} ids)" if missing else ""
    verdict = (
        f"{delivered:,} values, symbols {symbols}, gaps {gaps}{backfilled}, duplicates delivered {twice}, in {seconds:.1f} s"
    )
    if not delivered and ending is not Ending.NO_READER:
        return FAILED, f"{verdict}: nothing was delivered"
    return (FAILED, f"{verdict}: please report this as a bug") if twice else (OK, verdict)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
