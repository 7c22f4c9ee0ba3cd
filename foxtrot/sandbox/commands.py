"""The commands of a stream connection: what a text frame asks, and how it is answered."""

import re
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from foxtrot.sandbox.limits import STREAMS_PER_CONNECTION

Method = Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")

UNKNOWN_PROPERTY = 0
WRONG_VALUE = 1
WRONG_REQUEST = 2
WRONG_JSON = 3

_ID_TEXT = re.compile(r"^[A-Za-z0-9-]{1,36}$")
_INT64 = 1 << 63
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Command:
    """A well-formed command; ``streams`` for the two subscription commands, ``value`` for SET_PROPERTY."""

    method: Method
    request_id: int | str | None
    streams: tuple[str, ...] = ()
    value: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a frame, in the venue's numbers and words; ``request_id`` where it could be read."""

    code: int
    message: str
    request_id: int | str | None = None
    has_id: bool = False


def parse(text: str | bytes) -> Command | Refusal:
    """Reads one frame."""
    try:
        asked = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Refusal(WRONG_JSON, f"Invalid JSON: {error}")
    if not isinstance(asked, dict):
        return Refusal(WRONG_REQUEST, "Invalid request: expected a JSON object")
    request_id = asked.get("id")
    if not _is_id(request_id):
        return Refusal(
            WRONG_REQUEST, "Invalid request: request ID must be a signed 64-bit integer, a string of 1 to 36 characters or null"
        )
    made = _command(asked, request_id)
    if isinstance(made, Refusal):
        return Refusal(made.code, made.message, request_id, has_id="id" in asked)
    return made


def _command(asked: dict[str, Any], request_id: int | str | None) -> Command | Refusal:
    if "method" not in asked:
        return Refusal(WRONG_REQUEST, "Invalid request: missing field `method`")
    method = asked["method"]
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        return Refusal(WRONG_REQUEST, f"Invalid request: unknown variant `{method}`, expected one of {known}")
    if unknown := set(asked) - {"method", "params", "id"}:
        return Refusal(
            WRONG_REQUEST, f"Invalid request: unknown field `{min(unknown)}`, expected one of `method`, `params`, `id`"
        )
    params = asked.get("params")
    if method == "LIST_SUBSCRIPTIONS":
        return Command("LIST_SUBSCRIPTIONS", request_id)
    if method in {"SUBSCRIBE", "UNSUBSCRIBE"}:
        return _streams(cast("Method", method), params, request_id)
    return _property(method, params, request_id)


def _streams(method: Method, params: object, request_id: int | str | None) -> Command | Refusal:
    if not isinstance(params, list):
        return Refusal(WRONG_REQUEST, "Invalid request: streams must be an array")
    if not all(isinstance(name, str) for name in params):
        return Refusal(WRONG_REQUEST, "Invalid request: stream names must be strings")
    if len(params) > STREAMS_PER_CONNECTION:
        return Refusal(WRONG_REQUEST, "Invalid request: too many parameters")
    if any(len(name) > _LONGEST_NAME for name in params):
        return Refusal(WRONG_REQUEST, "Invalid request: stream name too long")
    return Command(method, request_id, tuple(params))


def _property(method: str, params: object, request_id: int | str | None) -> Command | Refusal:
    if not isinstance(params, list) or not params:
        return Refusal(WRONG_REQUEST, "Invalid request: property name must be a string")
    if params[0] != "combined":
        return Refusal(UNKNOWN_PROPERTY, "Unknown property")
    if method == "GET_PROPERTY":
        return (
            Command("GET_PROPERTY", request_id)
            if len(params) == 1
            else Refusal(WRONG_REQUEST, "Invalid request: too many parameters")
        )
    if len(params) > 2:  # noqa: PLR2004 -- a name and a value
        return Refusal(WRONG_REQUEST, "Invalid request: too many parameters")
    if len(params) == 1 or not isinstance(params[1], bool):
        return Refusal(WRONG_VALUE, "Invalid value type: expected Boolean")
    return Command("SET_PROPERTY", request_id, value=params[1])


def _is_id(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return bool(_ID_TEXT.match(value))
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def answer(result: object, request_id: int | str | None) -> bytes:
    """``{"result":...,"id":...}``."""
    return msgspec.json.encode({"result": result, "id": request_id})


def refuse(refusal: Refusal) -> bytes:
    """``{"error":{"code":...,"msg":...},"id":...}``: the nested form that is seen on the wire."""
    body: dict[str, object] = {"error": {"code": refusal.code, "msg": refusal.message}}
    if refusal.has_id:
        body["id"] = refusal.request_id
    return msgspec.json.encode(body)
