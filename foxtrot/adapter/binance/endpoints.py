"""Where each environment lives, and the settings that may move it (binance.md, section 1)."""

import contextlib
import os
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from typing_extensions import override

from foxtrot.util.errors import ConfigError, unknown

SANDBOX: Final = "sandbox"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Endpoints(msgspec.Struct, frozen=True):
    """Base addresses: REST without ``/api``, streams without ``/stream``, the WebSocket API whole.

    ``more_streams`` bring the same streams by another port or host: a second line goes there, or a dial after failed ones.
    """

    rest: str
    stream: str
    ws_api: str
    more_streams: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[str, ...]:
        """Every address of the streams."""
        return (self.stream, *self.more_streams)


ENVIRONMENTS: Final[Mapping[str, Endpoints | None]] = {
    "sandbox": None,  # started on connect, unless the setting names a running one
    "testnet": Endpoints(
        "https://testnet.binance.vision", "wss://stream.testnet.binance.vision", "wss://ws-api.testnet.binance.vision/ws-api/v3"
    ),
    "demo": Endpoints("https://demo-api.binance.com", "wss://demo-stream.binance.com", "wss://demo-ws-api.binance.com/ws-api/v3"),
    "live": Endpoints(
        "https://api.binance.com",
        "wss://stream.binance.com:9443",
        "wss://ws-api.binance.com:443/ws-api/v3",
        ("wss://stream.binance.com:443", "wss://data-stream.binance.vision"),
    ),
}

DEFAULT_SETTING: Final[Mapping[str, object]] = {
    "environment": "",
    "rest_url": "",
    "stream_url": "",
    "ws_api_url": "",
    "allow_plain": False,
    "flags": "flags.toml",
    "state_dir": "state",
    "proxy": "",
    "ca_file": "",
    "api_key": "",
    "secret": "",
}


class Secret:
    """Text that shows itself to nobody by accident: not in a repr, a format, a pickle, a traceback's locals."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @override
    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __bool__(self) -> bool:
        return bool(self._text)

    @override
    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text


class BinanceSetting(msgspec.Struct, frozen=True):
    """What ``connect`` was given, checked. Empty addresses are those of the environment; a proxy's may carry a password."""

    environment: str
    flags: str
    state_dir: str
    rest_url: str
    stream_url: str
    ws_api_url: str
    proxy: Secret
    ca_file: str
    api_key: Secret
    secret: Secret

    @property
    def starts_sandbox(self) -> bool:
        """Whether an embedded exchange has to be started."""
        return self.environment == SANDBOX and not (self.rest_url and self.stream_url)

    def endpoints(self, sandbox: Endpoints | None = None) -> Endpoints:
        """The addresses in force."""
        base = sandbox or ENVIRONMENTS[self.environment] or Endpoints(self.rest_url, self.stream_url, self.ws_api_url)
        return Endpoints(
            self.rest_url or base.rest,
            self.stream_url or base.stream,
            self.ws_api_url or base.ws_api,
            () if self.stream_url else base.more_streams,
        )


def parse_setting(setting: Mapping[str, object], environ: Mapping[str, str] | None = None) -> BinanceSetting:
    """Checks a setting; raises ConfigError naming the key, what was found and what is allowed."""
    for key in setting:
        if key not in DEFAULT_SETTING:
            raise ConfigError(unknown("setting", key, DEFAULT_SETTING))
    given = {**DEFAULT_SETTING, **setting}
    environment = _text(given, "environment")
    if environment not in ENVIRONMENTS:
        what = unknown("environment", environment, ENVIRONMENTS) if environment else "setting 'environment' must be said"
        raise ConfigError(f"{what}; one of: {', '.join(ENVIRONMENTS)}")
    allow_plain = given["allow_plain"]
    if not isinstance(allow_plain, bool):
        raise ConfigError(f"setting 'allow_plain' is true or false; found {allow_plain!r}")
    # The sandbox reads no key from the environment: a rehearsal never touches the real one.
    outside = {} if environment == SANDBOX else (os.environ if environ is None else environ)
    rest, stream, ws_api = (
        _address(_text(given, key), key, schemes, allow_plain=allow_plain)
        for key, schemes in (("rest_url", ("https", "http")), ("stream_url", ("wss", "ws")), ("ws_api_url", ("wss", "ws")))
    )
    if environment == SANDBOX and bool(rest) != bool(stream):
        raise ConfigError("a running sandbox is named by both 'rest_url' and 'stream_url'; leave both out to have one started")
    return BinanceSetting(
        environment=environment,
        flags=_text(given, "flags"),
        state_dir=_text(given, "state_dir"),
        rest_url=rest,
        stream_url=stream,
        ws_api_url=ws_api,
        proxy=Secret(_proxy(_text(given, "proxy"))),
        ca_file=_ca_file(_text(given, "ca_file")),
        api_key=Secret(_text(given, "api_key") or outside.get("FOXTROT_BINANCE_API_KEY", "")),
        secret=Secret(_text(given, "secret") or outside.get("FOXTROT_BINANCE_SECRET", "")),
    )


def _text(given: Mapping[str, object], key: str) -> str:
    value = given[key]
    if not isinstance(value, str):
        # The value is not shown: it may be a key that went into the wrong place.
        raise ConfigError(f"setting {key!r} is a text; found {type(value).__name__}")
    return value


def _address(url: str, key: str, schemes: tuple[str, str], *, allow_plain: bool) -> str:
    """A base address without its last slash; unencrypted only on loopback, or where the setting allows it."""
    if not url:
        return ""
    if "@" in url:
        raise ConfigError(f"setting {key!r} carries a name or a password; addresses are shown in logs: leave it out")
    parts = _split(url)
    secure, plain = schemes
    if parts is None or parts.scheme not in schemes or parts.query or parts.fragment:
        raise ConfigError(
            f"setting {key!r} is an address like {secure}://host or {plain}://127.0.0.1:9000; found {_shown(parts)}"
        )
    if parts.scheme == plain and parts.hostname not in _LOOPBACK and not allow_plain:
        raise ConfigError(
            f"setting {key!r} is unencrypted outside of loopback: {_shown(parts)}; use {secure}://, or set allow_plain=True"
        )
    return url.rstrip("/")


def _shown(parts: SplitResult | None) -> str:
    """Scheme and host of an address that is refused: the rest may hold a key."""
    if parts is None:
        return "no scheme and host, or a port that cannot be"
    more = f" with {'a query' if parts.query else 'a fragment'}" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{parts.hostname}{more}"


def _split(url: str) -> SplitResult | None:
    """Its parts; None for what has no host, or a port that cannot be."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0:
            return parts
    return None


def _proxy(url: str) -> str:
    parts = _split(url)
    if url and (parts is None or parts.scheme not in {"http", "https"}):
        # The value is not shown: it may carry a password.
        raise ConfigError("setting 'proxy' is an address like http://host:3128 (http or https)")
    return url


def _ca_file(path: str) -> str:
    if path:
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            raise ConfigError(f"setting 'ca_file' names a file of certificates (PEM); {path!r} is none: {error}") from error
    return path
