"""Makes a script happen: begins each fault at its time, ends it, and knows who had reason to fall."""

from typing import Final, Protocol

from foxtrot.transport.base import LaneKey
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Channel, Reason, Transport
from tests.simulation import sim_feed
from tests.simulation.history import History
from tests.simulation.impairment import CLEAN, DialTrouble, Impairment, Impairments
from tests.simulation.market import Market
from tests.simulation.script import REST_KINDS, STREAM_KINDS, Fault
from tests.simulation.sim_loop import EPOCH_NS, SimLoop
from tests.simulation.sim_wire import SimDialler, SimWire

GRACE: Final = 65.0
"""Seconds after a fault in which a lane may still fall for it: three gaps in a minute, lag over half a minute."""

MEMORY: Final = 5.0
"""Seconds for which an old answer is believed at most."""

AGED_KINDS: Final = frozenset({"trailing", "cached"})
LATE_KINDS: Final = frozenset({"late", "lag_all", "stall"})

CACHED_NS: Final = 1_500_000_000


class Stage(Protocol):
    """What a script plays on."""

    loop: SimLoop
    market: Market
    troubles: Impairments
    dialler: SimDialler
    history: History

    def override(self, kind: str, symbol: str, decision: tuple[Transport, Reason] | None) -> None:
        """The flags say otherwise for a symbol ("" for all), until None is said."""
        ...

    def subscribe(self, symbol: str, *, is_on: bool) -> None:
        """Opens or closes all lanes of a symbol."""
        ...

    def hold(self, is_on: bool) -> None:
        """The consumer is slow, or no longer."""
        ...

    def revive(self) -> None:
        """Every stream is tried now."""
        ...


class Director:
    """Plays one script. ``detections``: (kind, seconds from the first wrong value to the fall it caused)."""

    def __init__(self, stage: Stage, script: list[Fault]) -> None:
        self._stage = stage
        self._script = script
        self._wires: dict[Fault, SimWire] = {}
        self._noticed: set[Fault] = set()
        self._draw = stage.dialler.draw
        self._canary = max(stage.market.instruments.values(), key=lambda instrument: instrument.rate).symbol
        self.detections: list[tuple[str, float]] = []
        self.false_trips: list[str] = []
        self.played: dict[str, int] = {}

    def start(self) -> None:
        """Books every beginning and every end."""
        base = self._stage.loop.now_ns
        for fault in self._script:
            self._stage.loop.at(base + int(fault.at * NS_PER_S), self._begin, fault)
            self._stage.loop.at(base + int(fault.ends * NS_PER_S) + 1, self._end, fault)

    def rest_was_ill(self, since: float, until: float) -> bool:
        """Whether REST had reason not to answer in such a span (seconds)."""
        return any(
            fault.kind in REST_KINDS and fault.at <= until and fault.ends + 2 * fault.amount >= since for fault in self._script
        )

    def allowance_ns(self) -> int:
        """How old news may be without anybody knowing: REST's own answers of late, or a late stream while REST does not answer.

        The venue's quotes carry no time: without an answer to hold them against, a late one looks like any other.
        """
        now = self._stage.loop.time()
        near = [fault for fault in self._script if fault.at <= now <= fault.ends + MEMORY]
        old = [
            CACHED_NS if fault.kind == "cached" else int(fault.amount * NS_PER_S) for fault in near if fault.kind in AGED_KINDS
        ]
        if self.rest_was_ill(now - 2 * MEMORY, now):
            old += [
                int((fault.lasts if fault.kind == "stall" else fault.amount) * NS_PER_S)
                for fault in near
                if fault.kind in LATE_KINDS
            ]
        return sum(old)

    def fell(self, key: LaneKey, reason: Reason) -> None:
        """A lane lost its stream: was there a reason?"""
        now = self._stage.loop.time()
        # A connection falls for the symbol that all its connections are watched by, too.
        struck = {"", key.symbol} | ({self._canary} if reason is Reason.CONNECTION else set())
        causes = [fault for fault in self._script if fault.at <= now <= fault.ends + GRACE and fault.target in struck]
        if not any(fault.kind in STREAM_KINDS or fault.kind == "cached" for fault in causes):
            self.false_trips.append(f"{now:.3f} s: {key.symbol} {key.channel} fell for nothing ({reason})")
        for fault in causes:
            if fault.kind in STREAM_KINDS and now <= fault.ends + 1.0 and fault not in self._noticed:
                self._noticed.add(fault)
                self.detections.append((fault.kind, now - self._first_wrong(fault, key)))

    def refused_proof(self, key: LaneKey, reason: Reason) -> None:
        """A stream was not let in: had anything been wrong of late, with whomever?"""
        now = self._stage.loop.time()
        if not any(fault.at <= now <= fault.ends + GRACE for fault in self._script):
            self.false_trips.append(f"{now:.3f} s: {key.symbol} {key.channel} failed its proof for nothing ({reason})")

    def _first_wrong(self, fault: Fault, key: LaneKey) -> float:
        """When something happened first that the fault kept from the lane, or told it late."""
        instrument = self._stage.market.instruments[key.symbol]
        since = EPOCH_NS + int(fault.at * NS_PER_S)
        before = instrument.at(since)
        for moment in instrument.moments[instrument.index_at(since) :]:
            is_news = (
                moment.levels != before.levels if key.channel == Channel.TICK else moment.last_trade_id > before.last_trade_id
            )
            if is_news:
                return (moment.at_ns - EPOCH_NS) / NS_PER_S
        return fault.at

    # --- the faults -------------------------------------------------------------------------------------------------------

    def _begin(self, fault: Fault) -> None:
        self.played[fault.kind] = self.played.get(fault.kind, 0) + 1
        self._stage.history.note("fault", fault.kind, fault.target, fault.lasts, fault.amount)
        if not (self._strike_symbol(fault) or self._strike_wires(fault) or self._strike_dials(fault) or self._strike_rest(fault)):
            self._act(fault, is_on=True)

    def _strike_symbol(self, fault: Fault) -> bool:
        symbol, ns = fault.target, int(fault.amount * NS_PER_S)
        match fault.kind:
            case "loss":
                self._of(symbol).loss = fault.amount
            case "duplicate":
                self._of(symbol).duplicate = fault.amount
            case "reorder":
                self._of(symbol).reorder_ns = ns
            case "late":
                self._of(symbol).late_ns = ns
            case "mute" | "mute_quote" | "mute_trades":
                self._of(symbol).mute = fault.kind.partition("_")[2] or "all"
            case "wrong_symbol":
                self._of(symbol).wrong = round(fault.amount)
            case "malformed":
                self._of(symbol).malformed = round(fault.amount)
            case "unlisted":
                self._stage.troubles.unlisted.add(symbol)
                for wire in self._stage.dialler.open_wires():
                    wire.streams = self._stage.dialler.listed(wire.streams)
            case _:
                return False
        return True

    def _strike_wires(self, fault: Fault) -> bool:
        wires = list(self._stage.dialler.open_wires())
        match fault.kind:
            case "cut":
                for wire in wires:
                    wire.end("connection reset")
            case "flap":
                self._flap(fault)
            case "lag_all":
                for wire in wires:
                    wire.impairment = Impairment(late_ns=int(fault.amount * NS_PER_S))
            case "cut_one" | "half_open" | "stall" | "shutdown":
                if wires:
                    self._strike_wire(fault, self._draw.choice(wires))
            case _:
                return False
        return True

    def _strike_wire(self, fault: Fault, wire: SimWire) -> None:
        self._wires[fault] = wire
        if fault.kind == "cut_one":
            wire.end("closed by the venue: 1001")
        elif fault.kind == "half_open":
            wire.half_open()
        elif fault.kind == "stall":
            wire.stall()
        else:
            wire.notify(sim_feed.SHUTDOWN)
            self._stage.loop.call_later(fault.amount, wire.end, "closed by the venue: 1001 shutdown")

    def _flap(self, fault: Fault) -> None:
        if self._stage.loop.time() < fault.ends:
            for wire in self._stage.dialler.open_wires():
                wire.end("connection reset")
            self._stage.loop.call_later(fault.amount, self._flap, fault)

    def _strike_dials(self, fault: Fault) -> bool:
        dials = self._stage.troubles.dials
        match fault.kind:
            case "dial_refused":
                dials.is_refused = True
            case "dial_hang":
                dials.hangs = True
            case "dial_429":
                dials.retry_after = fault.amount
            case _:
                return False
        return True

    def _strike_rest(self, fault: Fault) -> bool:
        rest = self._stage.troubles.rest
        match fault.kind:
            case "rest_slow":
                rest.latency = fault.amount
            case "rest_errors":
                rest.errors = fault.amount
            case "rest_down":
                rest.is_down = True
            case "rest_429" | "rest_418":
                rest.refuse_next = (int(fault.kind[-3:]), float(round(fault.amount)))
            case "trailing":
                rest.trailing_ns = int(fault.amount * NS_PER_S)
            case "cached":
                rest.cached, rest.cached_ns = fault.amount, CACHED_NS
            case "missing":
                rest.missing.add(fault.target)
            case _:
                return False
        return True

    def _act(self, fault: Fault, *, is_on: bool) -> None:
        stage = self._stage
        match fault.kind:
            case "kill" | "kill_all":
                stage.override("kill", fault.target, (Transport.POLLING, Reason.KILL) if is_on else None)
            case "to_polling":
                stage.override("pin", fault.target, (Transport.POLLING, Reason.PIN) if is_on else None)
            case "to_shadow":
                stage.override("shadow", fault.target, (Transport.SHADOW, Reason.PIN) if is_on else None)
            case "resubscribe":
                stage.subscribe(fault.target, is_on=not is_on)
            case "hold":
                stage.hold(is_on)
            case "burst":
                stage.market.lift(fault.target, fault.amount if is_on else 1.0)
            case "revive":
                if is_on:
                    stage.revive()
            case _:
                pass

    def _end(self, fault: Fault) -> None:
        self._stage.history.note("fault over", fault.kind, fault.target)
        troubles, symbol = self._stage.troubles, fault.target
        if symbol in troubles.symbols:
            self._heal_symbol(fault, troubles.symbols[symbol])
        match fault.kind:
            case "unlisted":
                troubles.unlisted.discard(symbol)
            case "half_open" | "stall" | "lag_all":
                self._heal_wires(fault)
            case "dial_refused" | "dial_hang" | "dial_429":
                troubles.dials = DialTrouble(
                    is_refused=troubles.dials.is_refused and fault.kind != "dial_refused",
                    hangs=troubles.dials.hangs and fault.kind != "dial_hang",
                    retry_after=0.0 if fault.kind == "dial_429" else troubles.dials.retry_after,
                )
            case _:
                self._heal_rest(fault)
                self._act(fault, is_on=False)

    def _heal_wires(self, fault: Fault) -> None:
        if (wire := self._wires.pop(fault, None)) is not None:
            if fault.kind == "half_open":
                wire.end("connection reset")
            else:
                wire.go_on()
        if fault.kind == "lag_all":
            for other in self._stage.dialler.open_wires():
                other.impairment = CLEAN

    def _heal_symbol(self, fault: Fault, trouble: Impairment) -> None:
        name = {"reorder": "reorder_ns", "late": "late_ns", "wrong_symbol": "wrong"}.get(fault.kind, fault.kind.partition("_")[0])
        if hasattr(trouble, name):
            setattr(trouble, name, getattr(CLEAN, name))
        if trouble.is_clean:
            del self._stage.troubles.symbols[fault.target]

    def _heal_rest(self, fault: Fault) -> None:
        rest = self._stage.troubles.rest
        match fault.kind:
            case "rest_slow":
                rest.latency = 0.0
            case "rest_errors":
                rest.errors = 0.0
            case "rest_down":
                rest.is_down = False
            case "rest_429" | "rest_418":
                rest.refuse_next = None
            case "trailing":
                rest.trailing_ns = 0
            case "cached":
                rest.cached = 0.0
            case "missing":
                rest.missing.discard(fault.target)
            case _:
                pass

    def _of(self, symbol: str) -> Impairment:
        return self._stage.troubles.of(symbol)
