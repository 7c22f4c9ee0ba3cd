"""The reasons of switches, healths and gaps, in plain words."""

from typing import Final

from foxtrot.util.constants import Reason

BECAUSE: Final = {
    Reason.NO_FLAGS: "there is no flags file",
    Reason.DEFAULTS: "by the defaults of flags.toml",
    Reason.PIN: "by its pin in flags.toml",
    Reason.ROLLOUT: "by the rollout of flags.toml",
    Reason.KILL: "killed by hand",
    Reason.SUBSCRIBED: "subscribed",
    Reason.UNSUBSCRIBED: "nobody wants it any more",
    Reason.UNKNOWN_SYMBOL: "the venue does not know the symbol",
    Reason.DECISION: "decided",
    Reason.RETRY: "its stream is tried again",
    Reason.PROOF: "its stream has proved itself",
    Reason.CLOSING: "the program ends",
    Reason.IDS_BEGAN_ANEW: "the venue's ids have begun anew",
    Reason.CONNECTION: "its connection is lost",
    Reason.SILENCE: "its stream is silent while the venue trades",
    Reason.GAP: "its stream loses frames",
    Reason.WRONG_SYMBOL: "its stream brings another symbol",
    Reason.AUDIT: "polls show what its stream does not",
    Reason.LAG: "its stream is late",
    Reason.FIRST_DATA: "its stream brought nothing in time",
    Reason.UNLISTED: "the venue does not list its subscription",
    Reason.HOLD: "not found within the hold",
    Reason.POLL_DOWN: "polls are not answered",
    Reason.RATE_LIMITED: "the venue wants no requests now",
    Reason.QUARANTINE: "switched too often within the hour (foxtrot flags revive lets it go at once)",
    Reason.BREAKER_OPEN: "its wait after a failure is not over",
    Reason.FORCED_OPEN: "its stream is switched off until it is revived",
    Reason.STARTING: "starting",
    Reason.CONFIRMED: "confirmed",
    Reason.STALE: "nothing confirms it",
    Reason.CONSUMER_SLOW: "the handlers are too slow",
    Reason.HALTED: "the venue does not trade it",
}
"""Each completes "BTCUSDT is served by polling: ..."."""

DECIDED: Final = frozenset({Reason.DEFAULTS, Reason.PIN, Reason.ROLLOUT, Reason.DECISION, Reason.RETRY, Reason.BREAKER_OPEN})
"""The reasons with which a lane sets out for its stream: degraded for one of them, it is proving its stream or waits to."""


def short(why: Reason) -> str:
    """For the columns of a table: ``poll down``."""
    return why.replace("_", " ")


def because(why: Reason) -> str:
    """For a line of text: ``polls are not answered``."""
    return BECAUSE[why]
