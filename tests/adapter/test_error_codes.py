"""From (HTTP status, code) to our errors (reliability, 4.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.error_codes import to_error
from foxtrot.util import retry_after
from foxtrot.util.errors import Banned, Denied, FoxtrotError, RateLimited, RequestError, Unavailable, UnknownSymbol


def body(code: int, msg: str = "words") -> str:
    return f'{{"code":{code},"msg":"{msg}"}}'


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        # the address is to be silent
        (429, -1003, RateLimited),
        (429, 0, RateLimited),
        (400, -1003, RateLimited),
        (400, -1008, RateLimited),
        (503, -1008, RateLimited),
        (400, -1015, RateLimited),
        (400, -1034, RateLimited),
        (418, -1003, Banned),
        (418, 0, Banned),
        # may pass
        (400, -1000, Unavailable),
        (400, -1001, Unavailable),
        (400, -1006, Unavailable),
        (408, -1007, Unavailable),
        (400, -1016, Unavailable),
        (500, 0, Unavailable),
        (502, 0, Unavailable),
        (503, -1001, Unavailable),
        (504, -1007, Unavailable),
        # the key, its rights, a firewall
        (401, -2015, Denied),
        (400, -2014, Denied),
        (400, -2015, Denied),
        (400, -1002, Denied),
        (403, 0, Denied),
        # the request
        (400, -1121, UnknownSymbol),
        (400, -1021, RequestError),
        (400, -1022, RequestError),
        (400, -1100, RequestError),
        (400, -1122, RequestError),
        (400, -1130, RequestError),
        (400, -1220, RequestError),
        (400, -9999, RequestError),
        (404, 0, Unavailable),
        (409, 0, Unavailable),
        (451, 0, Unavailable),
    ],
)
def test_what_each_code_means(status: int, code: int, kind: type[FoxtrotError]) -> None:
    """The kind drives what is done: retry, silence, give up."""
    error = to_error("GET depth", status, {}, body(code) if code else "")
    assert type(error) is kind
    assert str(error).startswith(f"GET depth: HTTP {status}")


def test_the_venues_own_code_is_kept() -> None:
    """For whoever looks it up."""
    error = to_error("GET depth", 400, {}, body(-1121, "Invalid symbol."))
    assert isinstance(error, RequestError)
    assert error.code == -1121
    assert str(error) == "GET depth: HTTP 400, -1121 Invalid symbol."


@pytest.mark.parametrize("status", [418, 429])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({}, retry_after.DEFAULT),
        ({"Retry-After": ""}, retry_after.DEFAULT),
        ({"Retry-After": "-1"}, retry_after.DEFAULT),
        ({"Retry-After": "1.5"}, retry_after.DEFAULT),
        ({"Retry-After": "\xb2"}, retry_after.DEFAULT),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, retry_after.DEFAULT),
        ({"Retry-After": "9" * 400}, retry_after.LONGEST),
    ],
)
def test_retry_after_is_seconds(status: int, headers: dict[str, str], seconds: float) -> None:
    """What is no such number is not guessed at: a minute."""
    error = to_error("GET time", status, headers, body(-1003))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    "page", ["<html><h1>403 Forbidden</h1></html>", "", "null", "[1]", '"x"', '{"code":"x"}', '{"x":' + "[" * 9_000]
)
def test_a_body_that_is_no_error_leaves_the_status(page: str) -> None:
    """A firewall's page is not shown."""
    assert str(to_error("GET time", 403, {}, page)) == "GET time: HTTP 403"


def test_a_venues_text_writes_no_lines_into_a_log() -> None:
    """Control characters go, and what is too long."""
    text = str(to_error("GET time", 400, {}, body(-1100, r"a\nb\u001b[31mc\u2028d\u0000" + "x" * 500)))
    assert text.startswith("GET time: HTTP 400, -1100 ab[31mcd")
    assert text.isprintable()
    assert len(text) < 240


@given(st.integers(400, 599), st.text(), st.dictionaries(st.just("Retry-After"), st.text()))
def test_whatever_comes_becomes_one_of_our_errors(status: int, text: str, headers: dict[str, str]) -> None:
    """No answer of a venue raises here; every wait is finite."""
    error = to_error("GET time", status, headers, text)
    assert isinstance(error, FoxtrotError)
    assert not isinstance(error, RateLimited) or 0 <= error.retry_after <= retry_after.LONGEST
