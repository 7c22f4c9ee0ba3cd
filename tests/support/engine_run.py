"""A whole engine on a sandbox, and all that reached its handlers."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from foxtrot.adapter.binance import BinanceAdapter
from foxtrot.core.event import Event
from foxtrot.core.event_engine import EventEngine
from foxtrot.sandbox.launcher import Sandbox
from foxtrot.server.engine import MainEngine
from foxtrot.util.constants import Exchange, LaneState, Reason, Serving, Source
from foxtrot.util.event_type import (
    EVENT_AGG_TRADE,
    EVENT_BAR,
    EVENT_BOOK,
    EVENT_GAP,
    EVENT_LOG,
    EVENT_PUBLIC_TRADE,
    EVENT_TICK,
    EVENT_TRANSPORT,
)
from foxtrot.util.object import (
    AggTradeData,
    BarData,
    GapData,
    LogData,
    OrderBookData,
    PublicTradeData,
    SubscribeRequest,
    TickData,
    TransportData,
)

WAIT = 90.0
"""A stream whose first proof fails, as on a machine that stands still for a moment, has 30 s to prove itself in the next one."""


def eventually(condition: Callable[[], object], what: str, seconds: float = WAIT) -> None:
    """Waits until a condition holds; fails, saying what was waited for, when it does not within ``seconds``."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        pause.wait(0.005)


def flags_text(pins: Mapping[str, str], default: str = "polling", *, kill: bool = False) -> str:
    """A flags.toml."""
    lines = ["schema = 1", "[kill]", f"streams = {str(kill).lower()}", "[defaults]", f'transport = "{default}"', "[symbols]"]
    return "\n".join([*lines, *(f'"{symbol}" = "{transport}"' for symbol, transport in pins.items()), "# end of flags", ""])


class Seen:
    """What the handlers were given, in order, by symbol."""

    def __init__(self) -> None:
        self.trades: dict[str, list[PublicTradeData]] = defaultdict(list)
        self.agg_trades: dict[str, list[AggTradeData]] = defaultdict(list)
        self.ticks: dict[str, list[TickData]] = defaultdict(list)
        self.books: dict[str, list[OrderBookData]] = defaultdict(list)
        self.bars: dict[tuple[str, str], list[BarData]] = defaultdict(list)  # by symbol and interval
        self.transports: list[TransportData] = []
        self.gaps: list[GapData] = []
        self.logs: list[LogData] = []
        self.events: list[tuple[float, object]] = []

    def take(self, event: Event) -> None:
        """The one handler."""
        data = event.data
        match event.type:
            case t if t == EVENT_TICK:
                self.ticks[data.symbol].append(data)
            case t if t == EVENT_PUBLIC_TRADE:
                self.trades[data.symbol].append(data)
            case t if t == EVENT_AGG_TRADE:
                self.agg_trades[data.symbol].append(data)
            case t if t == EVENT_BOOK:
                self.books[data.symbol].append(data)
            case t if t == EVENT_BAR:
                self.bars[data.symbol, data.interval].append(data)
            case t if t == EVENT_TRANSPORT:
                self.transports.append(data)
            case t if t == EVENT_GAP:
                self.gaps.append(data)
            case t if t == EVENT_LOG:
                self.logs.append(data)
            case _:
                return
        self.events.append((time.monotonic(), data))

    def changes(self, symbol: str, channel: str) -> list[tuple[LaneState, LaneState, Reason]]:
        """The ways of one lane."""
        return [(t.old, t.new, t.reason) for t in list(self.transports) if (t.symbol, t.channel) == (symbol, channel)]

    def serving(self, symbol: str, channel: str) -> Serving:
        """What serves a lane, as the last transport event said."""
        said = [t.serving for t in list(self.transports) if (t.symbol, t.channel) == (symbol, channel)]
        return said[-1] if said else Serving.NONE

    def told(self) -> str:
        """The last logs and ways of lanes, a line each, with the seconds before now: for a failure's report."""
        now = time.monotonic()
        told = [(at, data) for at, data in list(self.events) if isinstance(data, LogData | TransportData | GapData)]
        return "\n".join(f"{at - now:8.3f} s: {data}" for at, data in told[-40:])

    def is_at(self, state: LaneState, symbol: str, *channels: str) -> bool:
        """Whether lanes stand where they should."""
        last = {(t.symbol, t.channel): t.new for t in list(self.transports)}
        return all(last.get((symbol, channel)) is state for channel in channels)


class EngineRun:
    """An engine with one adapter, its flags file and what was seen."""

    def __init__(self, folder: Path, sandbox: Sandbox | None, flags: str, **setting: object) -> None:
        self.folder = folder
        self.flags_path = folder / "flags.toml"
        self.set_flags(flags)
        self.seen = Seen()
        self.engine = MainEngine(EventEngine())
        self.adapter = self.engine.add_adapter(BinanceAdapter, "BINANCE")
        self.engine.event_engine.register_general(self.seen.take)
        self.setting: dict[str, object] = {
            "environment": "sandbox",
            "flags": str(self.flags_path),
            "state_dir": str(folder / "state"),
            **({"rest_url": sandbox.rest_url, "stream_url": sandbox.stream_url} if sandbox else {}),
            **setting,
        }

    def connect(self) -> None:
        """Starts to connect."""
        self.engine.connect(self.setting, "BINANCE")

    def set_flags(self, text: str) -> None:
        """Saves flags.toml as an editor does: beside it, then renamed over it."""
        beside = self.flags_path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.flags_path)

    def subscribe(self, symbol: str, *channels: str) -> None:
        """Subscribes."""
        self.engine.subscribe(request(symbol, *channels), "BINANCE")


def request(symbol: str, *channels: str) -> SubscribeRequest:
    """A subscription at Binance."""
    return SubscribeRequest(symbol=symbol, exchange=Exchange.BINANCE, channels=channels)


@contextmanager
def engine_run(folder: Path, sandbox: Sandbox | None, flags: str, **setting: object) -> Iterator[EngineRun]:
    """An engine that has begun to connect; closed at the end, whatever happens."""
    run = EngineRun(folder, sandbox, flags, **setting)
    try:
        run.connect()
        yield run
    except AssertionError as error:
        error.add_note(run.seen.told())
        raise
    finally:
        run.engine.close()


def streamed(ticks: list[TickData]) -> list[TickData]:
    """Ticks whose quote came by stream, one for each quote (the 24 h figures repeat the last one)."""
    taken: list[TickData] = []
    for tick in ticks:
        if tick.source is Source.STREAM and (not taken or taken[-1].update_id != tick.update_id):
            taken.append(tick)
    return taken
