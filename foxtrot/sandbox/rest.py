"""Answers REST requests: weight first, then the answer, the venue's headers on each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from foxtrot.sandbox.answers import ENDPOINTS, Endpoint, Scene
from foxtrot.sandbox.query import Query, Refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from foxtrot.sandbox.limits import Limits, Verdict
    from foxtrot.sandbox.rest_chaos import RestChaos
    from foxtrot.sandbox.source import Source
    from foxtrot.util.clock import Clock

_OK = 200
_BANNED = 418
_NOT_FOUND = 404
_NO_PAGE = "<html><body><h2>404 Not found</h2></body></html>"
_JSON = "application/json"

_REMOVED = frozenset({"/api/v3/userDataStream"})
_WITH_A_KEY = frozenset(
    f"/api/v3/{name}"
    for name in (
        "account",
        "order",
        "order/test",
        "openOrders",
        "allOrders",
        "myTrades",
        "rateLimit/order",
        "orderList",
        "sor/order",
    )
)
_UNKNOWN = "An unknown error occurred while processing the request."
_LOG = logging.getLogger(__name__)


class Desk(Protocol):
    """What the REST side needs of the exchange."""

    clock: Clock
    limits: Limits
    rest_chaos: RestChaos
    source: Source

    def limit_us(self) -> int:
        """Now, on the clock that limits are counted on."""
        ...

    def scene(self, symbols: Collection[str]) -> Scene:
        """What a request about these symbols (none: all) is answered from."""
        ...


class RestSide:
    """Every path that is neither a stream nor a control."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        desk, address = self._desk, request.remote or ""
        endpoint = ENDPOINTS.get(request.path)
        query, refused = self._read(request, endpoint)
        weight = endpoint.weight(query) if endpoint and query else 1
        verdict = desk.limits.charge(address, weight, desk.limit_us())
        if verdict.status != _OK:
            return over_limit(verdict)
        symbols = (query.symbols() or ()) if query else ()
        if desk.rest_chaos.is_down(symbols) and request.transport is not None:
            request.transport.abort()
        if (spoiled := desk.rest_chaos.instead(symbols)) is not None:
            return spoiled
        if endpoint is None or query is None:
            return _respond(refused or Refused(-1000, _UNKNOWN, 500), verdict)
        if wait_s := desk.rest_chaos.wait_s(symbols):
            await desk.clock.sleep(wait_s)
        try:
            body = endpoint.answer(desk.scene(symbols), query)
        except Refused as error:
            return _respond(error, verdict)
        except Exception:  # noqa: BLE001 -- one request that fails is answered as such, the exchange goes on
            _LOG.exception("sandbox.answer_failed", extra={"path": request.path_qs})
            return _respond(Refused(-1000, _UNKNOWN, 500), verdict)
        body = desk.rest_chaos.alter(request.path_qs, symbols, body)
        response = web.Response(body=body, content_type=_JSON, headers=_headers(verdict))
        if endpoint.is_market:
            await response.prepare(request)
            await response.write_eof()
            desk.source.touch(symbols or desk.source.instruments)
        return response

    def _read(self, request: web.Request, endpoint: Endpoint | None) -> tuple[Query | None, Refused | None]:
        if endpoint is None or request.method != "GET":
            return None, _no_such_path(request)
        try:
            query = Query(list(request.query.items()), endpoint.params, endpoint.mandatory, self._desk.source.instruments)
            endpoint.weight(query)
            query.symbols()
        except Refused as error:
            return None, error
        return query, None


def over_limit(verdict: Verdict) -> web.Response:
    """HTTP 429 or 418 with Retry-After in seconds."""
    if verdict.status == _BANNED:
        text = (
            f"Way too much request weight used; IP banned until {verdict.until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
    elif verdict.limit == "connects":
        text = "Too many connection attempts; current limit is 300 connections per 5 MINUTE."
    elif verdict.limit == "raw_requests":
        text = (
            "Too many requests; current limit of IP is 300000 requests per 5 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
    else:
        text = (
            "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
    refused = Refused(-1003, text, verdict.status)
    headers = {**_headers(verdict), "Retry-After": str(verdict.retry_after)}
    return web.Response(status=refused.status, body=refused.body, content_type=_JSON, headers=headers)


def _no_such_path(request: web.Request) -> Refused:
    if request.path in ENDPOINTS:
        return Refused(-1000, f"Request method '{request.method}' not supported", 405)
    if request.path in _REMOVED:
        return Refused(-1000, "This endpoint has been removed; use the WebSocket API's userDataStream.subscribe.", 410)
    if request.path in _WITH_A_KEY:
        return _no_account(request)
    return Refused(-1000, "Not found", _NOT_FOUND)


def _no_account(request: web.Request) -> Refused:
    """No account has been opened here, so no key is right."""
    if request.headers.get("X-MBX-APIKEY"):
        return Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    return Refused(-2014, "API-key format invalid.", 401)


def _respond(refused: Refused, verdict: Verdict) -> web.Response:
    if refused.status == _NOT_FOUND:
        return web.Response(status=_NOT_FOUND, text=_NO_PAGE, content_type="text/html", headers=_headers(verdict))
    return web.Response(status=refused.status, body=refused.body, content_type=_JSON, headers=_headers(verdict))


def _headers(verdict: Verdict) -> dict[str, str]:
    used = str(verdict.used)
    return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used, "Server": "foxtrot-sandbox"}
