"""Warnings of ours become lines; libraries are silent."""

import logging

import pytest

from foxtrot.app.foreign_logs import ForeignLogs


@pytest.fixture
def told() -> list[tuple[int, str]]:
    return []


def test_ours(told: list[tuple[int, str]]) -> None:
    """From a warning on, with its fields, the exception as its name and text, in one line."""
    log = logging.getLogger("foxtrot.transport.streaming")
    with ForeignLogs(lambda level, text: told.append((level, text))):
        log.info("not this")
        log.warning("lost %d", 3, extra={"symbol": "BTCUSDT"})
        log.error("raised", exc_info=ValueError("why\nso"))
    log.warning("not this either")
    assert told == [(logging.WARNING, "lost 3 symbol=BTCUSDT"), (logging.ERROR, "raised (ValueError: why so)")]


def test_what_comes_as_an_event_anyway(told: list[tuple[int, str]]) -> None:
    """Is not told twice."""
    with ForeignLogs(lambda level, text: told.append((level, text))):
        logging.getLogger("foxtrot.core.event_engine").warning("event_engine: slow")
    assert told == []


def test_libraries(told: list[tuple[int, str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Say nothing, neither to us nor on stderr."""
    with ForeignLogs(lambda level, text: told.append((level, text))):
        logging.getLogger("picows").error("noise")
    assert told == []
    assert capsys.readouterr().err == ""
