"""On which line a key of a TOML text stands."""

import tomllib

import pytest

from foxtrot.transport.toml_lines import KeyLines, KeyPath, dotted

TEXT = '''# a comment with = and [brackets]
first = """
not = "a key"
[neither]
"""  # 2
second.inner = 'x # y'
"quoted = key" = 1
[table]
list = [ # 9
  "a", [1, 2],
  { deep = """q"""" },   # 11

  "]",
]
other = { a = 1, "b" = { c = [ { d = 2 } ] } }
[ table . "sub.table" ]
same = 1
[other]
same = 2 # 18
"tab\\tkey" = ''
[[many]]
x = 1
[[many]]
x = 2  # 23
last = 1979-05-27T07:32:00Z'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("first",), 2),
        (("second", "inner"), 6),
        (("second",), 6),
        (("quoted = key",), 7),
        (("table",), 8),
        (("table", "list"), 9),
        (("table", "list", 0), 10),
        (("table", "list", 1, 1), 10),
        (("table", "list", 2, "deep"), 11),
        (("table", "list", 3), 13),
        (("table", "other"), 15),
        (("table", "other", "b", "c", 0, "d"), 15),
        (("table", "sub.table", "same"), 17),
        (("other", "same"), 19),
        (("other", "tab\tkey"), 20),
        (("many", 0, "x"), 22),
        (("many", 1, "x"), 24),
        (("many", 1, "last"), 25),
    ],
)
def test_line_of_a_key(path: KeyPath, line: int) -> None:
    """Strings, comments, lists over lines, inline tables, dotted and quoted keys do not lead astray."""
    tomllib.loads(TEXT)
    assert KeyLines(TEXT).line(path) == line


def test_what_has_no_line_stands_where_its_table_does() -> None:
    """The line of a missing key is that of the nearest thing around it."""
    lines = KeyLines(TEXT)
    assert (lines.line(("other", "missing")), lines.line(("nothing", "here")), lines.line(())) == (18, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\na = 2",
        "[t]\nx = 1\n[t]\nx = 2",
        "t = { a = 1, a = 2 }",
        "a.b = 1\na.b = 2",
    ],
)
def test_a_key_given_twice_is_reported(text: str) -> None:
    """Repeats carry both lines."""
    assert KeyLines(text).repeats


def test_array_tables_are_no_repeats() -> None:
    """[[many]] may stand many times."""
    assert KeyLines(TEXT).repeats == []


@pytest.mark.parametrize(
    "broken",
    ["b", "b =", "b = [1 2]", "b = {c}", 'b = "open', "[b", "[[b]", "= 1", "b = {c = 1", "b = [" * 40, '"\\q" = 1\nb', "b = ]"],
)
def test_broken_text_keeps_what_stands_before(broken: str) -> None:
    """Where the text is no TOML, the lines before that place are still known."""
    assert KeyLines("a = 1\nz = 2\n" + broken).line(("z",)) == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("symbols", "BTC/USDT", "tick"), 'symbols."BTC/USDT".tick'),
        (("rollout", "include", 1), "rollout.include[1]"),
        (("a", 'q"\\\n'), 'a."q\\"\\\\\\u000a"'),
        ((), ""),
    ],
)
def test_a_path_reads_as_toml_writes_it(path: KeyPath, text: str) -> None:
    """Keys that need quotes get them."""
    assert dotted(path) == text
