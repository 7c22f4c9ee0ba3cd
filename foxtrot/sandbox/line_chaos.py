"""Strikes whole connections: closes, resets, stalls and silences them as the faults in force say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from foxtrot.sandbox.connection import StreamConnection, shutdown_notice
from foxtrot.sandbox.faults import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from foxtrot.sandbox.fault_board import Fault, FaultBoard
    from foxtrot.sandbox.stream_chaos import Later


class Field(Protocol):
    """What it needs of the exchange."""

    board: FaultBoard
    connections: dict[StreamConnection, None]

    def venue_us(self) -> int:
        """The time that the venue shows."""
        ...


class LineChaos:
    """Keeps each connection in the state that the faults ask for; each fault draws once for each connection."""

    def __init__(self, field: Field, later: Later) -> None:
        self._field = field
        self._later = later

    def strike(self, fault: Fault, connections: Iterable[StreamConnection]) -> None:
        """Does at once what an instant fault does."""
        for connection in tuple(connections):
            if carries(connection, fault) and fault.strikes():
                self._act(fault, connection)

    def joined(self, connection: StreamConnection) -> None:
        """A connection has opened or subscribed: faults in force may meet it now."""
        for fault in self._field.board.active(Side.CONNECTION):
            if fault.spec.is_instant:
                self.strike(fault, (connection,))
        self.refresh((connection,))

    def refresh(self, connections: Iterable[StreamConnection] | None = None) -> None:
        """Brings connections into the state that the faults in force ask for."""
        faults = [each for each in self._field.board.active(Side.CONNECTION) if not each.spec.is_instant]
        for connection in tuple(self._field.connections if connections is None else connections):
            struck = {each.spec.name: each for each in faults if self._is_struck(each, connection)}
            if "black-hole" in struck:
                connection.fall_silent()
            elif connection.is_silent:
                connection.reset()
                continue
            connection.hold(is_held="stall" in struck)
            connection.delay_s = struck["delay-connection"].params["ms"] / 1_000 if "delay-connection" in struck else 0.0

    def flood(self, elapsed_s: float) -> None:
        """Sends the pings of a ping flood that ``elapsed_s`` brings."""
        for fault in self._field.board.active(Side.CONNECTION):
            if fault.spec.name == "ping-flood":
                for connection in tuple(self._field.connections):
                    if self._is_struck(fault, connection):
                        connection.ping_often(max(1, int(fault.params["per_second"] * elapsed_s)))

    def _is_struck(self, fault: Fault, connection: StreamConnection) -> bool:
        if not carries(connection, fault):
            return False
        if fault.fault_id not in connection.drawn:
            connection.drawn[fault.fault_id] = fault.strikes()
        return connection.drawn[fault.fault_id]

    def _act(self, fault: Fault, connection: StreamConnection) -> None:
        if fault.spec.name == "close":
            connection.close(int(fault.params["code"]), "Going away")
        elif fault.spec.name == "reset":
            connection.reset()
        elif fault.spec.name == "cut-24h":
            connection.close(1001, "24 hours are over")
        else:
            connection.send(shutdown_notice(self._field.venue_us(), is_combined=connection.is_combined))
            self._later(fault.params["lead"], lambda: connection.close(1001, "Server shutdown"))


def carries(connection: StreamConnection, fault: Fault) -> bool:
    """Whether a connection has a stream that the fault concerns; a fault without symbol and stream concerns every one."""
    if not fault.symbol and not fault.stream:
        return True
    return any(fault.meets(name.partition("@")[0].upper(), name) for name in connection.streams)
