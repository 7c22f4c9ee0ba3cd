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
    assert told == [(logging.WARNING, "lost 3: BTCUSDT"), (logging.ERROR, "raised (ValueError: why so)")]


def test_names_of_events_are_told_as_words(told: list[tuple[int, str]]) -> None:
    """A person reads no component.event, and no field=value."""
    with ForeignLogs(lambda level, text: told.append((level, text))):
        logging.getLogger("foxtrot.transport.directory_watch").warning(
            "directory_watch.failed", extra={"error": "no more watches"}
        )
    assert told == [(logging.WARNING, "directory watch failed: no more watches")]


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
