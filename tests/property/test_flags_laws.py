"""Laws of the flags that hold for every file, symbol and salt."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.transport import flags
from foxtrot.transport.flag_intake import Reading, judge, located
from foxtrot.transport.flags import KillList, Rollout
from foxtrot.transport.toml_lines import KeyLines, dotted
from foxtrot.util.constants import Channel, Reason, Transport

SHIPPED = (Path(__file__).parents[2] / "flags.toml").read_text(encoding="utf-8")
IN_FORCE = flags.parse(SHIPPED)

BASES = ("BTC", "ETH", "SOL", "BNB", "XRP", "DOGE", "USDC", "1000SATS", "币安人生")
symbols = st.sampled_from(BASES)
percents = st.floats(0, 100) | st.integers(0, 100)
transports = st.sampled_from(Transport)
channels = st.sampled_from([*Channel, "book:20", "bars:1m"])
keys = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A valid file over a few symbols."""
    lines = ["schema = 1", f"[kill]\nstreams = {str(draw(st.booleans())).lower()}"]
    lines += [f"symbols = {[base + '/USDT' for base in draw(st.lists(symbols, max_size=2))]}"]
    lines += [f'[defaults]\ntransport = "{draw(transports)}"\nlines = {draw(st.integers(1, 2))}', "[symbols]"]
    lines += [f'"{base}/USDT" = "{draw(transports)}"' for base in draw(st.lists(symbols, max_size=3, unique=True))]
    if draw(st.booleans()):
        lines += [f'[rollout]\ntransport = "{draw(transports)}"\nsalt = "s"\npercent = {draw(percents)}']
        lines += [f"exclude = {draw(st.lists(st.sampled_from(['BTC/*', 'ETHUSDT', '*/EUR']), max_size=2, unique=True))}"]
    return "\n".join(lines)


@given(st.text(), symbols, percents, percents)
def test_raising_the_percentage_never_removes_a_symbol(salt: str, base: str, one: float, other: float) -> None:
    """Whoever is a member at a lower share is one at a higher share."""
    low, high = sorted((one, other))
    is_low, is_high = (
        flags.member(Rollout(percent=percent, salt=salt), base + "USDT", base + "/USDT")[0] is flags.Membership.MEMBER
        for percent in (low, high)
    )
    assert is_high or not is_low


@given(st.text(), st.text())
def test_a_bucket_is_a_hundredth_of_a_percent(salt: str, symbol: str) -> None:
    """Every bucket lies in 0 to 9,999, so that 0 percent has no member and 100 percent everyone."""
    assert 0 <= flags.bucket(salt, symbol) < 10_000


@given(files(), symbols, channels, st.booleans())
def test_kill_beats_everything(text: str, base: str, channel: str, knows_markets: bool) -> None:
    """A killed symbol polls, whatever the file says."""
    unified = base + "/USDT" if knows_markets else None
    decision = flags.decide(flags.parse(text), KillList(symbols=frozenset({base + "USDT"})), base + "USDT", channel, unified)
    assert (decision.transport, decision.reason) == (Transport.POLLING, Reason.KILL)


@given(files(), symbols, channels)
def test_a_pin_beats_rollout_and_defaults(text: str, base: str, channel: str) -> None:
    """What is pinned and not killed gets the transport of its pin."""
    parsed = flags.parse(text)
    decision = flags.decide(parsed, KillList(), base + "USDT", channel, None)
    pin = parsed.pins.get(base + "USDT")
    if decision.reason is not Reason.KILL and pin is not None:
        assert (decision.reason, decision.transport) == (Reason.PIN, pin.transport)


@given(files(), symbols, channels)
def test_unknown_markets_never_stream_what_known_ones_would_not(text: str, base: str, channel: str) -> None:
    """Until the market list is known a symbol streams only if it will stream afterwards."""
    parsed = flags.parse(text)
    before = flags.decide(parsed, KillList(), base + "USDT", channel, None)
    after = flags.decide(parsed, KillList(), base + "USDT", channel, base + "/USDT")
    assert before.transport in {Transport.POLLING, after.transport}


@given(files(), symbols, channels)
def test_the_explanation_is_the_decision(text: str, base: str, channel: str) -> None:
    """The first step that speaks in the explanation is what is in force."""
    parsed = flags.parse(text)
    steps = flags.judgements(parsed, KillList(), base + "USDT", channel, None)
    winner = next(step.decision for step in steps if step.decision is not None)
    assert winner == flags.decide(parsed, KillList(), base + "USDT", channel, None)


@given(st.text() | st.text(alphabet="[]{}\"'\\=.,# \nab1"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader raise anything but its own error."""
    _, errors = flags.read(text)
    assert all(error.line >= 1 and located("flags.toml", error).isprintable() for error in errors)


@given(st.integers(0, len(SHIPPED)), st.integers(0, 40), st.text(max_size=20))
def test_a_damaged_file_is_read_or_refused(start: int, length: int, put: str) -> None:
    """A piece replaced anywhere in the shipped file never makes the reader raise anything but its own error."""
    flags.read(SHIPPED[:start] + put + SHIPPED[start + length :])


@given(st.text() | st.text(alphabet="[]{}\"'\\=.,# \nab1"))
def test_no_text_without_the_mark_replaces_one_with_it(text: str) -> None:
    """Any text in place of a marked file leaves that one in force, unless it is whole and valid itself."""
    verdict = judge(Reading(text=text), IN_FORCE, "flags.toml")
    assert verdict.flags is None or verdict.flags.has_end_mark


@given(st.text())
def test_a_kill_file_always_kills_something(text: str) -> None:
    """Whatever stands in KILL, it is everything or at least one symbol."""
    kill = flags.parse_kill(text)
    assert kill.all or kill.symbols


@given(
    st.dictionaries(keys, st.dictionaries(keys, st.integers(), max_size=4), max_size=4),
    st.sampled_from(["table", "dotted", "inline"]),
)
def test_every_key_is_found_on_its_line(document: dict[str, dict[str, int]], form: str) -> None:
    """However the tables are written, each key is found where it stands."""
    text, places = "", {}
    for name, table in document.items():
        quoted = dotted(("", name))[3:]
        text += f"# {name!r}\n"
        text += f"[{quoted}]\n" if form == "table" else ""
        pairs = []
        for key, value in table.items():
            quoted_key = dotted(("", key))[3:]
            places[name, key] = text.count("\n") + 1
            if form == "inline":
                pairs.append(f"{quoted_key} = {value}")
            else:
                text += (f"{quoted}." if form == "dotted" else "") + f"{quoted_key} = {value}\n"
        text += f"{quoted} = {{ {', '.join(pairs)} }}\n" if form == "inline" else ""
    tomllib.loads(text)
    lines = KeyLines(text)
    assert {path: lines.line(path) for path in places} == places
    assert lines.repeats == []


@pytest.mark.parametrize("share", [5, 25, 75])
def test_a_share_is_about_that_share(share: int) -> None:
    """Buckets are spread evenly: of 2,000 symbols a share within two points is drawn."""
    rollout = Rollout(percent=share, salt="2026-11")
    drawn = sum(flags.bucket(rollout.salt, f"C{number}USDT") < rollout.drawn for number in range(2000))
    assert abs(drawn / 20 - share) < 2.5
