"""Finds the pinned bars whose pin decides nothing."""

from foxtrot.adapter.binance.claims import is_built
from foxtrot.adapter.binance.intervals import parse
from foxtrot.transport.flags import Flags
from foxtrot.transport.toml_lines import KeyLines, dotted
from foxtrot.util.channel import interval_of
from foxtrot.util.constants import Channel


def decider(channel: str) -> str:
    """The channel whose decision holds for ``channel``: ``agg_trades`` for bars that the venue does not have, else itself."""
    return Channel.AGG_TRADES if is_built(channel) else channel


def misnamed(channel: str) -> str:
    """Why no subscription can be to these bars (``bars:60s``: it is called 1m); "" for all others."""
    try:
        if interval := interval_of(channel):
            parse(interval)
    except ValueError as error:
        return str(error)
    return ""


def warnings(flags: Flags, symbol: str | None = None) -> list[str]:
    """One line, with its place and what to write instead, for each such pin of ``symbol`` (venue form; None: of any)."""
    pins = [pin for key, pin in flags.pins.items() if symbol in {None, key}]
    idle = [(("symbols", pin.written, channel), channel) for pin in pins for channel in pin.channels if is_built(channel)]
    if not idle:
        return []
    lines = KeyLines(flags.text)
    return [f"line {lines.line(path)}: {dotted(path)}: {_instead(channel)}" for path, channel in idle]


def _instead(channel: str) -> str:
    built_of = Channel.AGG_TRADES
    return misnamed(channel) or f"{channel} are built of {built_of}: pin {built_of} instead"
