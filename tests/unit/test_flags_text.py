"""What flags.toml may say, and how each mistake is refused."""

from hashlib import sha256
from pathlib import Path

import pytest

from foxtrot.transport import flags
from foxtrot.transport.flag_intake import located
from foxtrot.util.constants import Transport
from foxtrot.util.errors import FlagsError

SHIPPED = (Path(__file__).parents[2] / "flags.toml").read_text(encoding="utf-8")


def refusals(text: str) -> list[str]:
    return [located("flags.toml", error) for error in flags.read(text)[1]]


def test_the_shipped_file_is_valid() -> None:
    """The commented example is accepted and whole."""
    assert flags.parse(SHIPPED).has_end_mark


def test_the_shipped_file_gives_a_first_run_five_symbols() -> None:
    """The example pins five symbols, some to streaming and some to polling."""
    pins = flags.parse(SHIPPED).pins.values()
    assert len(pins) == 5
    assert {pin.transport for pin in pins} >= {Transport.STREAMING, Transport.POLLING}


def test_the_hash_tells_texts_apart() -> None:
    """The hash is the SHA-256 of the text."""
    assert flags.parse("schema = 1").hash == sha256(b"schema = 1").hexdigest()


def test_a_minimal_file_polls() -> None:
    """Everything but schema may be left out."""
    parsed = flags.parse("schema = 1\n")
    assert (parsed.defaults.transport, parsed.defaults.lines, parsed.rollout, parsed.has_end_mark) == (
        Transport.POLLING,
        1,
        None,
        False,
    )


def test_an_empty_rollout_is_none() -> None:
    """A section whose keys are all commented out is not there."""
    assert flags.parse("schema = 1\n[rollout]\n").rollout is None


@pytest.mark.parametrize("end", ["# end of flags", "# end of flags\n", "# end of flags\r\n\n", "  # end of flags  "])
def test_the_end_mark_is_the_last_line(end: str) -> None:
    """White space around the mark does not matter."""
    assert flags.parse("schema = 1\n" + end).has_end_mark


@pytest.mark.parametrize("end", ["", "# end of flag", "# end of flags\n[kill]", "# the end of flags"])
def test_anything_else_is_no_end_mark(end: str) -> None:
    """The mark stands alone on the last line."""
    assert not flags.parse("schema = 1\n" + end).has_end_mark


@pytest.mark.parametrize("form", ['"BTC/USDT"', "BTCUSDT", '"BTCUSDT.BINANCE"', "btcusdt"])
def test_every_form_of_a_symbol_is_accepted(form: str) -> None:
    """All three forms compare in the venue's form."""
    assert list(flags.parse(f'schema = 1\n[symbols]\n{form} = "streaming"').pins) == ["BTCUSDT"]


def test_lists_may_run_over_lines() -> None:
    """Lists over several lines, with comments and a trailing comma, are read."""
    parsed = flags.parse('schema = 1\n[kill]\nsymbols = [\n  "BTC/USDT", # slow\n  "ETHUSDT",\n]')
    assert dict(parsed.kill.symbols) == {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETHUSDT"}


def test_a_kill_entry_may_stand_twice() -> None:
    """Nothing as harmless as naming a symbol twice stands in the way of a kill."""
    assert list(flags.parse('schema = 1\n[kill]\nsymbols = ["BTC/USDT", "BTCUSDT"]').kill.symbols) == ["BTCUSDT"]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "1: schema: schema is missing; begin the file with: schema = 1"),
        ("schema = 2", "1: schema: found 2; this version of Foxtrot reads schema = 1"),
        ("schema = true", "1: schema: found true; this version of Foxtrot reads schema = 1"),
        ("schema = 1\n\n[rolout]\n", "3: rolout: unknown section 'rolout'; did you mean 'rollout'?"),
        ("[kill]\nschema = 1", "2: kill.schema: schema stands above the first section"),
        ("schema = 1\nkill = 3", "2: kill: found 3; write it as a section: [kill]"),
        ("schema = 1\nsymbols = 'all'", '2: symbols: found "all"; write it as a section: [symbols]'),
        ("schema = 1\n[kill]\nstream = true", "3: kill.stream: unknown key 'stream'; did you mean 'streams'?"),
        ("schema = 1\n[kill]\nstreams = 'true'", '3: kill.streams: found "true"; write true or false, without quotes'),
        ("schema = 1\n[kill]\nsymbols = 'A'", '3: kill.symbols: found "A"; write a list: ["BTC/USDT", "ETH/USDT"]'),
        ("schema = 1\n[kill]\nsymbols = ['A',\n 5]", '4: kill.symbols[1]: found 5; a symbol is text, in quotes: "BTC/USDT"'),
        (
            "schema = 1\n[kill]\nsymbols = ['*/USDT']",
            (
                "3: kill.symbols[0]: names many; a pattern is allowed in [rollout] include and exclude only; "
                'write one symbol: "BTC/USDT"'
            ),
        ),
        ("schema = 1\n[kill]\n'A/B' = 'polling'", '3: kill."A/B": a pin stands under [symbols]'),
        (
            "schema = 1\n[defaults]\ntransport = 'poling'",
            '3: defaults.transport: found "poling"; a transport is polling, streaming or shadow; did you mean "polling"?',
        ),
        (
            "schema = 1\n[defaults]\ntransport = 1979-05-27",
            "3: defaults.transport: found a date or time; a transport is polling, streaming or shadow",
        ),
        (
            "schema = 1\n[defaults]\nlines = 3",
            "3: defaults.lines: found 3; lines is 1 or 2 (two stream connections, the first arrival wins)",
        ),
        (
            "schema = 1\n[defaults]\nlines = true",
            "3: defaults.lines: found true; lines is 1 or 2 (two stream connections, the first arrival wins)",
        ),
        (
            "schema = 1\n[symbols]\n'A B' = 'polling'",
            "3: symbols.\"A B\": 'A B' is not a symbol; write BTC/USDT, BTCUSDT or BTCUSDT.BINANCE",
        ),
        (
            "schema = 1\n[symbols]\n'AB.BINANCD' = 'polling'",
            "3: symbols.\"AB.BINANCD\": unknown exchange 'BINANCD'; did you mean 'BINANCE'?",
        ),
        (
            "schema = 1\n[symbols]\nAB.BINANCE = 'polling'",
            '3: symbols.AB.BINANCE: a symbol with a dot stands in quotes: "AB.BINANCE"',
        ),
        (
            "schema = 1\n[symbols]\n'A/B' = 'polling'\n# again\nAB = 'polling'",
            '5: symbols.AB: is the same symbol as "A/B"; keep one of the two',
        ),
        ("schema = 1\n[symbols]\nAB = ['polling']", "3: symbols.AB: found a list; a transport is polling, streaming or shadow"),
        ("schema = 1\n[symbols]\nAB = {tik = 'polling'}", "3: symbols.AB.tik: unknown key 'tik'; did you mean 'tick'?"),
        (
            "schema = 1\n[symbols]\nAB = {'book:x' = 'polling'}",
            '3: symbols.AB."book:x": book takes a depth (book:20), bars an interval (bars:1m), the other channels nothing',
        ),
        (
            "schema = 1\n[symbols]\nAB = {'tick:5' = 'polling', lines = 2}",
            '3: symbols.AB."tick:5": book takes a depth (book:20), bars an interval (bars:1m), the other channels nothing',
        ),
        (
            "schema = 1\n[symbols]\nAB = {note = 'hm'}",
            "3: symbols.AB: says nothing; name a transport, lines, or a channel (tick, trades, agg_trades, book or bars)",
        ),
        ("schema = 1\n[symbols.AB]\nnote = 5\ntick = 'polling'", "3: symbols.AB.note: found 5; write text, in quotes"),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = '25'",
            '4: rollout.percent: found "25"; percent is a number from 0 to 100, without quotes',
        ),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = nan",
            "4: rollout.percent: found nan; percent is a number from 0 to 100, without quotes",
        ),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = 100.1",
            "4: rollout.percent: found 100.1; percent is a number from 0 to 100, without quotes",
        ),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = true",
            "4: rollout.percent: found true; percent is a number from 0 to 100, without quotes",
        ),
        ("schema = 1\n[rollout]\npercent = 5", "2: rollout: salt is missing from [rollout]"),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = 5\ninclude = ['*USDT']",
            '5: rollout.include[0]: found "*USDT"; a pattern is BASE/QUOTE with * and ?: "*/USDT", "BTC/*", "*/*"',
        ),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = 5\nexclude = ['A/B',\n'AB']",
            '6: rollout.exclude[1]: is the same as "A/B"; keep one of the two',
        ),
        (
            "schema = 1\n[rollout]\nsalt = ''\npercent = 5\ninclude = [{}]",
            '5: rollout.include[0]: found a table; a symbol is text, in quotes: "BTC/USDT"',
        ),
        (
            "schema = 1\nBTC/USDT = 'polling'",
            (
                "2: expected '=' after a key in a key/value pair in: BTC/USDT = 'polling'; "
                'a symbol with a slash stands in quotes: "BTC/USDT"'
            ),
        ),
        ("schema = 1\n[kill]\nstreams = True", "3: invalid value in: streams = True; write true"),
        ("schema = 1\n[symbols]\nA = polling", '3: invalid value in: A = polling; text stands in quotes: "polling"'),
        ("schema = 1\n[symbols", "2: expected ']' at the end of a table declaration in: [symbols"),
        (
            "schema = 1\n[symbols]\n'A/B' = 'polling'\n\n'A/B' = 'streaming'",
            '5: symbols."A/B": is given twice, first on line 3; keep one of the two',
        ),
        ("schema = 1\n" + "a." * 17 + "a = 1", "2: a key has more parts than any in this file"),
        ("a = nope\nb = 1\nb = 2", '1: invalid value in: a = nope; text stands in quotes: "nope"'),
        ("schema = 1\n[kill]\n[kill]", "3: kill: is given twice, first on line 2; keep one of the two"),
        ("a = " + "[" * 5000, "1: a value is too long or nested too deeply in: " + ("a = " + "[" * 56)),
        ("a = " + "9" * 5000, "1: a value is too long or nested too deeply in: " + ("a = " + "9" * 56)),
    ],
)
def test_a_mistake_is_refused_with_line_key_and_remedy(text: str, refusal: str) -> None:
    """Each mistake is told in one line that says where it is and what to write."""
    assert "flags.toml:" + refusal in refusals(text)


def test_everything_wrong_is_told_in_one_go() -> None:
    """All mistakes are listed by line, so that a person mends them together."""
    assert [
        line.split(":")[1] for line in refusals("schema = 3\n[kill]\nstreams = 1\n[defaults]\nlines = 0\ntransport = ''")
    ] == [
        "1",
        "3",
        "5",
        "6",
    ]


def test_parse_raises_the_first_mistake() -> None:
    """The error knows its line and key."""
    with pytest.raises(FlagsError, match="unknown key") as caught:
        flags.parse("schema = 1\n[kill]\nx = 1\ny = 2")
    assert (caught.value.line, caught.value.key) == (3, "kill.x")


def test_a_message_stays_on_one_line() -> None:
    """Control characters of a file never reach a terminal or a log."""
    text = 'schema = 1\n[symbols]\n"A\\u001b[31m\\nB" = "polling\\u0007"'
    assert all(message.isprintable() for message in refusals(text))


def test_a_long_value_is_shortened() -> None:
    """A message stays readable whatever stands in the file."""
    (message,) = refusals(f"schema = 1\n[defaults]\ntransport = '{'x' * 500}'")
    assert len(message) < 200
