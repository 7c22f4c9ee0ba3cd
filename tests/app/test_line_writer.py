"""Lines leave in order; nobody hangs on a reader that stalls or has gone."""

import threading

from foxtrot.app.line_writer import LineWriter


def test_lines_in_order() -> None:
    """All of them, before the close returns."""
    written: list[str] = []
    writer = LineWriter(written.append, lambda: None)
    for number in range(1_200):
        writer.put(str(number))
    writer.close()
    assert "".join(written) == "".join(f"{number}\n" for number in range(1_200))


def test_reader_that_has_gone() -> None:
    """It is told once; what follows is let go."""
    told: list[str] = []
    is_told = threading.Event()

    def write(_text: str) -> None:
        raise BrokenPipeError

    def on_broken() -> None:
        told.append("broken")
        is_told.set()

    writer = LineWriter(write, on_broken)
    writer.put("one")
    assert is_told.wait(10)
    writer.put("two")
    writer.close()
    assert told == ["broken"]


def test_reader_that_stalls() -> None:
    """While the run goes on put waits; from the end on lines are let go and the close returns."""
    is_writing, goes_on, has_returned = threading.Event(), threading.Event(), threading.Event()

    def write(_text: str) -> None:
        is_writing.set()
        goes_on.wait(10)

    def put_more() -> None:
        writer.put("three")
        has_returned.set()

    writer = LineWriter(write, lambda: None, capacity=1)
    writer.put("one")
    assert is_writing.wait(10)
    writer.put("two")
    putter = threading.Thread(target=put_more)
    putter.start()
    assert not has_returned.is_set()
    writer.end_soon()
    assert has_returned.wait(10)
    writer.close(timeout=0.01)
    goes_on.set()
    putter.join()
