"""The settings of an adapter: what is allowed, what is refused, and that secrets stay secret."""

import copy
import pickle
import traceback
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.binance.binance import BinanceAdapter
from foxtrot.adapter.binance.endpoints import DEFAULT_SETTING, ENVIRONMENTS, Endpoints, Secret, parse_setting
from foxtrot.util.errors import ConfigError

CANARY = "canary-7f3a"
REST, STREAM, WS_API = "http://127.0.0.1:9000", "ws://127.0.0.1:9000", "ws://127.0.0.1:9000/ws-api/v3"


def refused(setting: Mapping[str, object], **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse_setting(setting, environ)
    return str(error.value)


# environments and addresses


def test_the_environment_must_be_said() -> None:
    """Nobody reaches a live venue by leaving something out."""
    assert refused({}) == "setting 'environment' must be said; one of: sandbox, testnet, demo, live"


@pytest.mark.parametrize(("wrong", "right"), [("tesnet", "testnet"), ("Live", "live"), ("sandbx", "sandbox")])
def test_an_unknown_environment_names_the_nearest(wrong: str, right: str) -> None:
    """A typing error is mended at a glance."""
    assert f"did you mean '{right}'?" in refused({"environment": wrong})


@pytest.mark.parametrize(
    ("wrong", "right"), [("enviroment", "environment"), ("rest", "rest_url"), ("apikey", "api_key"), ("flag", "flags")]
)
def test_an_unknown_key_names_the_nearest(wrong: str, right: str) -> None:
    """A key that nobody reads would be a setting that silently does nothing."""
    assert refused({"environment": "sandbox", wrong: "x"}) == f"unknown setting {wrong!r}; did you mean {right!r}?"


@pytest.mark.parametrize("environment", [name for name in ENVIRONMENTS if name != "sandbox"])
def test_an_environment_brings_its_encrypted_addresses(environment: str) -> None:
    """Outside of the sandbox everything is https and wss."""
    found = parse_setting({"environment": environment}, {}).endpoints()
    assert found == ENVIRONMENTS[environment]
    assert [url.partition("://")[0] for url in (found.rest, found.stream, found.ws_api)] == ["https", "wss", "wss"]


def test_live_streams_have_several_addresses() -> None:
    """Other ports and hosts bring the same streams; an address of one's own is the only one."""
    live = parse_setting({"environment": "live"}, {}).endpoints()
    assert len(set(live.streams)) == 3
    assert all(url.startswith("wss://") for url in live.streams)
    assert live.streams[0] == live.stream
    assert parse_setting({"environment": "live", "stream_url": "wss://mine"}, {}).endpoints().streams == ("wss://mine",)


def test_addresses_move_an_environment() -> None:
    """What is named replaces, without its last slash; the rest stays."""
    found = parse_setting({"environment": "testnet", "rest_url": REST + "/", "ws_api_url": WS_API}, {}).endpoints()
    usual = ENVIRONMENTS["testnet"]
    assert usual is not None
    assert found == Endpoints(REST, usual.stream, WS_API)


def test_a_running_sandbox_is_named_by_both_addresses() -> None:
    """Then none is started."""
    setting = parse_setting({"environment": "sandbox", "rest_url": REST, "stream_url": STREAM}, {})
    assert not setting.starts_sandbox
    assert setting.endpoints() == Endpoints(REST, STREAM, "")


@pytest.mark.parametrize("named", [{"rest_url": REST}, {"stream_url": STREAM}])
def test_a_half_named_sandbox_is_refused(named: dict[str, object]) -> None:
    """REST of one exchange and streams of another would make nonsense."""
    assert "both 'rest_url' and 'stream_url'" in refused({"environment": "sandbox", **named})


def test_without_addresses_a_sandbox_is_started() -> None:
    """Its addresses are known once it runs."""
    setting = parse_setting({"environment": "sandbox"}, {})
    assert setting.starts_sandbox
    assert setting.endpoints(Endpoints(REST, STREAM, WS_API)) == Endpoints(REST, STREAM, WS_API)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_is_allowed_on_loopback(host: str) -> None:
    """Nothing leaves the machine there."""
    assert parse_setting({"environment": "live", "rest_url": f"http://{host}:9000"}, {}).rest_url == f"http://{host}:9000"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("rest_url", "http://api.binance.com"),
        ("stream_url", "ws://127.0.0.1.example.com"),
        ("ws_api_url", "ws://10.0.0.1:9000"),
    ],
)
def test_plain_elsewhere_needs_a_word(key: str, url: str) -> None:
    """``allow_plain`` is that word."""
    assert "unencrypted outside of loopback" in refused({"environment": "live", key: url})
    assert getattr(parse_setting({"environment": "live", key: url, "allow_plain": True}, {}), key) == url


@pytest.mark.parametrize(
    "url",
    [
        "api.binance.com",
        "ftp://127.0.0.1",
        "ws://127.0.0.1:9000",
        "http://",
        "http:///path",
        "http://127.0.0.1:port",
        "http://127.0.0.1:70000",
        "http://127.0.0.1:0",
        "http://[::1",
        "http://127.0.0.1?a=b",
        "http://127.0.0.1#a",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """The message shows what an address looks like."""
    assert "is an address like https://host or http://127.0.0.1:9000" in refused({"environment": "live", "rest_url": url})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://host/path?apiKey={CANARY}", "found https://host with a query"),
        (f"https://host/#{CANARY}", "found https://host with a fragment"),
        (f"ftp://host/{CANARY}", "found ftp://host"),
        (f"http://host/{CANARY}", "outside of loopback: http://host;"),
        (CANARY, "found no scheme and host"),
    ],
)
def test_a_refused_address_is_shown_by_scheme_and_host(url: str, shown: str) -> None:
    """A query, a path, or what stands there by mistake may be a key."""
    text = refused({"environment": "live", "rest_url": url})
    assert shown in text
    assert CANARY not in text


def test_an_address_with_a_password_is_refused_unseen() -> None:
    """Addresses are shown in logs."""
    text = refused({"environment": "live", "rest_url": f"https://name:{CANARY}@host"})
    assert "leave it out" in text
    assert CANARY not in text


# the other keys


@pytest.mark.parametrize("key", [key for key, value in DEFAULT_SETTING.items() if isinstance(value, str)])
def test_a_text_must_be_a_text(key: str) -> None:
    """What was found is told by its type only: it may be a secret in the wrong place."""
    text = refused({"environment": "sandbox", key: [CANARY]})
    assert text == f"setting {key!r} is a text; found list"


def test_allow_plain_is_true_or_false() -> None:
    """A text that says no must not mean yes."""
    assert "'allow_plain' is true or false; found 'no'" in refused({"environment": "sandbox", "allow_plain": "no"})


def test_flags_and_state_have_defaults() -> None:
    """As the documentation says."""
    setting = parse_setting({"environment": "sandbox"}, {})
    assert (setting.flags, setting.state_dir) == ("flags.toml", "state")
    given = parse_setting({"environment": "sandbox", "flags": "f.toml", "state_dir": "s"}, {})
    assert (given.flags, given.state_dir) == ("f.toml", "s")


def test_every_key_of_the_setting_is_in_the_adapters_default() -> None:
    """A form made of it is complete."""
    assert BinanceAdapter.default_setting == DEFAULT_SETTING


@pytest.mark.parametrize("proxy", ["host:3128", "socks5://host:1080", "http://", "http://host:port"])
def test_a_proxy_is_http(proxy: str) -> None:
    """Others would fail much later, and worse."""
    assert "'proxy' is an address like http://host:3128" in refused({"environment": "live", "proxy": proxy})


def test_a_proxys_password_is_a_secret() -> None:
    """It works, and is not shown."""
    setting = parse_setting({"environment": "live", "proxy": f"http://name:{CANARY}@host:3128"}, {})
    assert setting.proxy.reveal() == f"http://name:{CANARY}@host:3128"
    assert CANARY not in repr(setting)
    assert CANARY not in refused({"environment": "live", "proxy": f"socks5://name:{CANARY}@host"})


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_must_hold_certificates(tmp_path: Path, content: str | None) -> None:
    """Said at the call, not at the first handshake."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    assert "'ca_file' names a file of certificates" in refused({"environment": "live", "ca_file": str(path)})


# keys


def test_keys_come_from_the_setting_before_the_environment() -> None:
    """What is said last counts."""
    environ = {"FOXTROT_BINANCE_API_KEY": "outer key", "FOXTROT_BINANCE_SECRET": "outer secret"}
    outer = parse_setting({"environment": "testnet"}, environ)
    assert (outer.api_key.reveal(), outer.secret.reveal()) == ("outer key", "outer secret")
    inner = parse_setting({"environment": "testnet", "api_key": "key", "secret": "secret"}, environ)
    assert (inner.api_key.reveal(), inner.secret.reveal()) == ("key", "secret")


def test_the_machines_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another is passed in."""
    monkeypatch.setenv("FOXTROT_BINANCE_API_KEY", CANARY)
    assert parse_setting({"environment": "testnet"}).api_key.reveal() == CANARY


def test_the_sandbox_reads_no_key_from_the_environment() -> None:
    """A rehearsal never touches the real key."""
    environ = {"FOXTROT_BINANCE_API_KEY": CANARY, "FOXTROT_BINANCE_SECRET": CANARY}
    setting = parse_setting({"environment": "sandbox"}, environ)
    assert not setting.api_key
    assert not setting.secret


def test_an_empty_secret_says_so() -> None:
    """Whether there is a key may be seen."""
    assert (repr(Secret("")), repr(Secret(CANARY))) == ("Secret()", "Secret(***)")


def test_a_secret_shows_itself_nowhere() -> None:
    """Not as text, in a format, in a struct or in a list."""
    setting = parse_setting({"environment": "testnet", "api_key": CANARY, "secret": CANARY}, {})
    shown = [repr(setting), str(setting), str(setting.api_key), f"{setting.secret}", f"{[setting.secret]!r}"]
    assert CANARY not in "".join(shown)
    assert not hasattr(setting.secret, "__dict__")


@pytest.mark.parametrize("store", [pickle.dumps, copy.deepcopy, msgspec.json.encode, msgspec.to_builtins])
def test_a_secret_is_not_stored(store: object) -> None:
    """Neither alone nor in its setting."""
    setting = parse_setting({"environment": "testnet", "api_key": CANARY}, {})
    assert callable(store)
    for value in (setting.api_key, setting):
        with pytest.raises(TypeError) as error:
            store(value)
        assert CANARY not in str(error.value)


def test_a_traceback_with_its_locals_does_not_show_a_secret() -> None:
    """Such tracebacks are what error trackers send away."""
    setting = parse_setting({"environment": "testnet", "api_key": CANARY}, {})
    found = ""
    try:
        _fail(setting.api_key)
    except ValueError as error:
        found = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(***)" in found
    assert CANARY not in found


def _fail(key: Secret) -> None:
    raise ValueError("no")
