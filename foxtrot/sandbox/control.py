"""The exchange's own interface under ``/sandbox``: faults, violations, status. For loopback only."""

from __future__ import annotations

import ipaddress
import logging
import re
from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import web

from foxtrot.sandbox import faults
from foxtrot.util.errors import ConfigError, unknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from foxtrot.sandbox.fault_board import Fault, FaultBoard
    from foxtrot.sandbox.limits import Violations
    from foxtrot.sandbox.source import Source
    from foxtrot.util.clock import Clock


_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[0-9]{1,18}")


class Floor(Protocol):
    """What the controls need of the exchange."""

    board: FaultBoard
    clock: Clock
    source: Source
    violations: Violations

    def armed(self, fault: Fault) -> None:
        """A fault has been armed: it takes effect."""
        ...

    def faults_changed(self) -> None:
        """Faults have ended."""
        ...

    def describe(self) -> dict[str, object]:
        """What the exchange does now."""
        ...


class Control:
    """GET status, violations and faults; POST a fault; DELETE one or all."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds the routes."""
        for method, path, handler in (
            ("GET", "/sandbox/status", self._status),
            ("GET", "/sandbox/violations", self._violations),
            ("GET", "/sandbox/faults", self._list),
            ("POST", "/sandbox/faults", self._arm),
            ("DELETE", "/sandbox/faults", self._clear),
            ("DELETE", "/sandbox/faults/{fault_id}", self._clear),
        ):
            router.add_route(method, path, _local(handler))

    async def _status(self, _request: web.Request) -> web.Response:
        return _json(self._floor.describe())

    async def _violations(self, _request: web.Request) -> web.Response:
        found = self._floor.violations
        return _json({"total": sum(found.counts.values()), "counts": dict(found.counts), "recent": list(found.recent)})

    async def _list(self, _request: web.Request) -> web.Response:
        board, now_ns = self._floor.board, self._floor.clock.monotonic_ns()
        active = [each.to_dict(now_ns) for each in board.active()]
        return _json({"active": active, "ended": dict(board.hits), "known": faults.describe()})

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=dict[str, object])
            fault = self._floor.board.arm(asked, self._floor.clock.monotonic_ns())
            self._check_symbol(fault)
            self._floor.armed(fault)
        except (msgspec.DecodeError, ConfigError) as error:
            return _json({"error": str(error)}, 400)
        return _json({**fault.to_dict(self._floor.clock.monotonic_ns()), "struck": fault.hits})

    async def _clear(self, request: web.Request) -> web.Response:
        text = request.match_info.get("fault_id")
        if text is not None and not _ID.fullmatch(text):
            return _json({"error": f"a fault's id is a number; found {text!r}"}, 400)
        ended = self._floor.board.clear(int(text) if text else None)
        self._floor.faults_changed()
        return _json({"cleared": ended})

    def _check_symbol(self, fault: Fault) -> None:
        known = self._floor.source.instruments
        of_stream = "" if fault.stream.startswith("!") else fault.stream.partition("@")[0].upper()
        for symbol in (fault.symbol, of_stream):
            if symbol and symbol not in known:
                self._floor.board.clear(fault.fault_id)
                raise ConfigError(unknown("symbol", symbol, known))
        if fault.symbol and of_stream not in {"", fault.symbol}:
            self._floor.board.clear(fault.fault_id)
            raise ConfigError(f"{fault.stream} is no stream of {fault.symbol}; name one of both")


def _local(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Refuses callers from elsewhere, and pages of other hosts (a rebound name arrives with its own Host)."""

    async def guarded(request: web.Request) -> web.Response:
        host = request.host.rpartition(":")[0] or request.host
        if not _is_loopback(request.remote or "") or not (host == "localhost" or _is_loopback(host.strip("[]"))):
            return _json({"error": "the controls of the sandbox answer loopback only"}, 403)
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 -- a mistake of the sandbox's own is told as such to whoever asked
            _LOG.exception("sandbox.control_failed")
            return _json({"error": f"a mistake of the sandbox's own, please report it: {type(error).__name__}: {error}"}, 500)

    return guarded


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _json(body: Mapping[str, object], status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
