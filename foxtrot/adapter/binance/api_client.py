"""The only place that knows ccxt, and the only one that sends REST requests.

ccxt is fenced: every address of its table is rewritten (what is not used points to one that refuses), its currency and
margin calls and its rate limiter are off, and public data goes through its raw ``fetch``, decoded by ourselves.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import tenacity

from foxtrot.adapter.binance.endpoints import Endpoints, Secret
from foxtrot.adapter.binance.error_codes import to_error
from foxtrot.transport.backoff import full_jitter
from foxtrot.transport.retry_budget import RetryBudget
from foxtrot.util.clock import Clock
from foxtrot.util.errors import BadAnswer, Closed, Unavailable

if TYPE_CHECKING:
    import ccxt.async_support as ccxt

ATTEMPTS: Final = 3
RETRY_BASE: Final = 0.25
RETRY_CAP: Final = 5.0
RETRY_TOTAL: Final = 10.0
REFUSES: Final = "http://127.0.0.1:9"
"""Where every address goes that Foxtrot does not use: the discard port of this machine."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

UsedWeight = Callable[[int], None]


class BinanceApiClient:
    """REST requests to one environment."""

    def __init__(
        self,
        endpoints: Endpoints,
        clock: Clock,
        *,
        on_used_weight: UsedWeight,
        api_key: Secret | None = None,
        secret: Secret | None = None,
        proxy: str = "",
        ca_file: str = "",
    ) -> None:
        self._endpoints = endpoints
        self._clock = clock
        self._on_used_weight = on_used_weight
        self._api_key = api_key or Secret("")
        self._secret = secret or Secret("")
        self._proxy = proxy
        self._ca_file = ca_file
        self._chance = random.Random()  # noqa: S311 -- jitter is no secret
        self._exchange: ccxt.binance | None = None
        self._is_closed = False
        self.retries: Final = RetryBudget()

    async def open(self) -> None:
        """Imports and builds ccxt in a worker: it takes a second that the loop does not have."""
        self._exchange = await asyncio.to_thread(self._build)

    async def close(self) -> None:
        """Ends its connections."""
        self._is_closed = True
        if self._exchange is not None:
            await self._exchange.close()

    async def get(self, path: str, params: Mapping[str, str | int] | None = None, *, timeout: float) -> str:  # noqa: ASYNC109 -- part of the request
        """The body of one public GET, sent once. Raises VenueError, RequestError or Closed.

        ``path`` is below ``/api/v3``; ``timeout`` is seconds for the whole of it.
        """
        import ccxt.async_support as ccxt  # noqa: PLC0415 -- a second of import belongs into open()'s worker, where it has happened

        if self._exchange is None or self._is_closed:
            raise Closed("the REST client is not open")
        url = f"{self._endpoints.rest}/api/v3/{path}"
        if params:
            url += "?" + urlencode(params, quote_via=quote, safe='[]",')
            url = url.replace('"', "%22")
        try:
            async with asyncio.timeout(timeout):
                return str(await self._exchange.fetch(url, "GET"))
        except ccxt.ExchangeClosedByUser as error:
            raise Closed("the REST client has been closed") from error
        except TimeoutError as error:
            raise Unavailable(f"GET {path}: no answer within {timeout:g} s from {self._endpoints.rest}") from error
        except ccxt.BaseError as error:
            raise Unavailable(f"GET {path}: {self._endpoints.rest} cannot be reached ({_cause(error)})") from error

    async def retried(self, call: Callable[[], Awaitable[_T]], before_retry: Callable[[], None]) -> _T:
        """Tries a read again on what may pass: 3 attempts, full jitter, 10 s in all (RT-2). ``before_retry`` books its weight.

        Fewer where so much else has been tried again lately that the retry budget is used up (RT-4).
        """
        self.retries.request(self._clock.now_ns())
        waits = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            stop=lambda state: state.attempt_number >= ATTEMPTS or not self.retries.may_retry(self._clock.now_ns()),
            wait=lambda state: full_jitter(state.attempt_number - 1, RETRY_BASE, RETRY_CAP, self._chance.random),
            sleep=self._clock.sleep,
            before_sleep=lambda _: before_retry(),
            reraise=True,
        )
        try:
            async with asyncio.timeout(RETRY_TOTAL):
                return await waits(call)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {RETRY_TOTAL:g} s") from error

    def _build(self) -> "ccxt.binance":
        import ccxt.async_support as ccxt  # noqa: PLC0415 -- see open()

        client = self

        class Fenced(ccxt.binance):  # type: ignore[misc]  # -- ccxt is untyped
            """ccxt's Binance with its answers left as text and its errors translated where they arise."""

            def open(self, lazy: bool = False) -> None:
                """Opens the session. A redirect is not followed: it would lead to an address that nobody named."""
                before = self.session
                super().open(lazy)
                if self.session is not before:
                    self.session.trace_configs.append(_refusing_redirects())

            def parse_json(self, http_response: str) -> str:
                """Leaves the body as it is: decoding is typed, and ours."""
                return http_response

            def handle_errors(
                self,
                code: int,
                reason: str,  # noqa: ARG002 -- ccxt's signature
                url: str,
                method: str,
                headers: Mapping[str, str],
                body: str,
                response: Any,  # noqa: ARG002 -- ccxt's signature
                request_headers: Any,  # noqa: ARG002 -- ccxt's signature
                request_body: Any,  # noqa: ARG002 -- ccxt's signature
            ) -> None:
                """Reads the used weight; translates a refusal once, without its parameters."""
                client.read_headers(headers)
                if code >= 400:  # noqa: PLR2004 -- HTTP's own number
                    raise to_error(f"{method} {url.partition('?')[0].rpartition('/api/v3/')[2]}", code, headers, body)

        exchange = Fenced(
            {
                "enableRateLimit": False,
                "timeout": int(RETRY_TOTAL * 1000),
                "apiKey": self._api_key.reveal(),
                "secret": self._secret.reveal(),
                "options": {"fetchCurrencies": False, "fetchMargins": False, "defaultType": "spot"},
            }
        )
        exchange.has["fetchCurrencies"] = False
        exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], REFUSES)
        exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = f"{self._endpoints.rest}/api/v3"
        exchange.logger.setLevel(logging.INFO)  # at DEBUG ccxt writes request headers, and with them the key
        exchange.aiohttp_proxy = self._proxy or None
        if self._ca_file:
            exchange.cafile = self._ca_file
        exchange.ssl_context = ssl.create_default_context(cafile=exchange.cafile)
        exchange.timeout_on_exit = 0
        return exchange

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Passes on what the venue counted of this minute's weight."""
        for name, value in headers.items():
            if name.lower() == "x-mbx-used-weight-1m" and value.isascii() and value.isdigit():
                self._on_used_weight(int(value[:12]))


def _refusing_redirects() -> aiohttp.TraceConfig:
    async def refuse(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        raise BadAnswer(
            f"GET {params.url.path}: the venue's address answers with a redirect, which is not followed; check rest_url"
        )

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    trace.freeze()
    return trace


def _cause(error: BaseException) -> str:
    """The kinds of what went wrong, innermost last; texts are left out, ccxt puts whole addresses into them."""
    kinds = []
    at: BaseException | None = error
    while at is not None:
        kinds.append(type(at).__name__)
        at = at.__cause__
    return " <- ".join(kinds)
