"""Answers REST requests: weight first, then the answer, the venue's headers on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from foxtrot.sandbox.answers import ENDPOINTS, Endpoint, Scene
from foxtrot.sandbox.query import Query, Refused

if TYPE_CHECKING:
    from foxtrot.sandbox.limits import Limits, Verdict
    from foxtrot.sandbox.source import Source

_OK = 200
_BANNED = 418
_JSON = "application/json"

_REMOVED = frozenset({"/api/v3/userDataStream"})


class Desk(Protocol):
    """What the REST side needs of the exchange."""

    limits: Limits
    source: Source

    def limit_us(self) -> int:
        """Now, on the clock that limits are counted on."""
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
        if endpoint is None or query is None:
            return _respond(refused or Refused(-1000, "An unknown error occurred while processing the request.", 404), verdict)
        try:
            body = endpoint.answer(Scene(desk.source.instruments, desk.source.now_us()), query)
        except Refused as error:
            return _respond(error, verdict)
        response = web.Response(body=body, content_type=_JSON, headers=_headers(verdict))
        if endpoint.is_market:
            await response.prepare(request)
            await response.write_eof()
            desk.source.touch(query.symbols() or desk.source.instruments)
        return response

    def _read(self, request: web.Request, endpoint: Endpoint | None) -> tuple[Query | None, Refused | None]:
        if endpoint is None or request.method != "GET":
            return None, _no_such_path(request)
        try:
            query = Query(list(request.query.items()), endpoint.params, self._desk.source.instruments)
            endpoint.weight(query)
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
    return Refused(-1000, f"No such path: {request.path}", 404)


def _respond(refused: Refused, verdict: Verdict) -> web.Response:
    return web.Response(status=refused.status, body=refused.body, content_type=_JSON, headers=_headers(verdict))


def _headers(verdict: Verdict) -> dict[str, str]:
    used = str(verdict.used)
    return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used, "Server": "foxtrot-sandbox"}
