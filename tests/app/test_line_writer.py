"""Lines leave in order; nobody hangs on a reader that stalls or has gone."""

import threading

from foxtrot.app.line_writer import END_S, LineWriter
from tests.app.samples import FakeClock


def test_lines_in_order() -> None:
    """All of them, before the close returns."""
    written: list[str] = []
    writer = LineWriter(written.append, lambda: None, FakeClock())
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

    writer = LineWriter(write, on_broken, FakeClock())
    writer.put("one")
    assert is_told.wait(10)
    writer.put("two")
    writer.close()
    assert told == ["broken"]


def full_writer(clock: FakeClock) -> tuple[LineWriter, list[str], threading.Event]:
    """A writer with room for one line, which waits while the first is being written; what is written; what lets it go on."""
    is_writing, goes_on = threading.Event(), threading.Event()
    written: list[str] = []

    def write(text: str) -> None:
        is_writing.set()
        goes_on.wait(10)
        written.append(text)

    writer = LineWriter(write, lambda: None, clock, capacity=1)
    writer.put("one")
    assert is_writing.wait(10)
    writer.put("two")
    return writer, written, goes_on


def test_reader_that_stalls() -> None:
    """While the run goes on put waits; from the end on lines are let go and the close returns."""
    clock, has_returned = FakeClock(), threading.Event()
    writer, _, goes_on = full_writer(clock)

    def put_more() -> None:
        writer.put("three")
        has_returned.set()

    putter = threading.Thread(target=put_more)
    putter.start()
    assert not has_returned.is_set()
    writer.end_soon()
    assert has_returned.wait(10)
    clock.ns += int(END_S * 1e9)
    writer.close(["last"])
    assert writer.let_go == 1
    goes_on.set()
    putter.join()


def test_offer_never_waits() -> None:
    """What finds no room is let go, and counted."""
    writer, _, goes_on = full_writer(FakeClock())
    assert (writer.offer("three"), writer.offer("four"), writer.let_go) == (False, False, 2)
    goes_on.set()
    writer.close()


def test_last_lines_wait_for_a_reader_that_is_slow() -> None:
    """They are written behind what waits, when the reader goes on in time."""
    writer, written, goes_on = full_writer(FakeClock())
    writer.end_soon()
    threading.Timer(0.05, goes_on.set).start()
    writer.close(["three", "four"])
    assert "".join(written) == "one\ntwo\nthree\nfour\n"
