"""Spoils REST answers as the faults in force say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from foxtrot.sandbox.faults import Side
from foxtrot.sandbox.query import Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from foxtrot.sandbox.fault_board import Fault, FaultBoard

_JSON = "application/json"
_WAF_PAGE = "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>"


class RestChaos:
    """Looks at each request before it is answered, and at each answer before it leaves."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board

    def instead(self, symbols: Collection[str]) -> web.Response | None:
        """An error that is answered instead; None: the request may pass. ``symbols`` empty: the request concerns all."""
        for fault in self._met(symbols):
            name = fault.spec.name
            if name in {"rest-429", "rest-418", "rest-403", "rest-5xx"} and fault.strikes():
                return _refusal(fault)
        return None

    def is_down(self, symbols: Collection[str]) -> bool:
        """Whether the connection is cut without an answer."""
        return any(each.spec.name == "rest-down" and each.strikes() for each in self._met(symbols))

    def wait_s(self, symbols: Collection[str]) -> float:
        """How much later the answer leaves."""
        return sum(
            (each.params["ms"] + each.rng.uniform(0, each.params["jitter_ms"])) / 1_000
            for each in self._met(symbols)
            if each.spec.name == "rest-slow" and each.strikes()
        )

    def behind(self, symbols: Collection[str]) -> Fault | None:
        """The fault that answers from a replica."""
        return next((each for each in self._met(symbols) if each.spec.name == "rest-replica" and each.strikes()), None)

    def clock_error_us(self) -> int:
        """How wrong the venue's time is."""
        fault = self._board.named("wrong-clock")
        return int(fault.params["ms"] * 1_000) if fault and fault.strikes() else 0

    def alter(self, url: str, symbols: Collection[str], body: bytes) -> bytes:
        """The answer that leaves."""
        for fault in self._met(symbols):
            if fault.spec.name == "rest-cached" and fault.strikes():
                body = fault.memory.setdefault(url, body)
            elif fault.spec.name == "rest-missing-symbol" and body.startswith(b'[{"symbol"') and fault.strikes():
                body = _without_symbol(fault, body)
        return body

    def _met(self, symbols: Collection[str]) -> list[Fault]:
        faults = self._board.active(Side.REST)
        return [each for each in faults if not each.symbol or not symbols or each.symbol in symbols]


def _refusal(fault: Fault) -> web.Response:
    name = fault.spec.name
    if name == "rest-403":
        return web.Response(status=403, text=_WAF_PAGE, content_type="text/html")
    if name == "rest-5xx":
        status = min(599, max(500, int(fault.params["status"])))
        refused = Refused(-1001, "Internal error; unable to process your request. Please try again.", status)
        return web.Response(status=status, body=refused.body, content_type=_JSON)
    status = 418 if name == "rest-418" else 429
    words = "Way too much request weight used; IP banned." if status == 418 else "Too much request weight used."  # noqa: PLR2004 -- HTTP
    refused = Refused(-1003, f"{words} Please use WebSocket Streams for live updates to avoid polling the API.", status)
    headers = {"Retry-After": str(int(fault.params["retry_after"]))}
    return web.Response(status=status, body=refused.body, content_type=_JSON, headers=headers)


def _without_symbol(fault: Fault, body: bytes) -> bytes:
    rows: list[dict[str, object]] = msgspec.json.decode(body)
    symbol = fault.symbol or rows[fault.rng.randrange(len(rows))]["symbol"]
    return msgspec.json.encode([row for row in rows if row["symbol"] != symbol])
