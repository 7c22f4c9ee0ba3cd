"""Which rule wins for a lane, and how the winner is told."""

import pytest

from foxtrot.transport import flags
from foxtrot.transport.flags import Decision, KillList, Membership
from foxtrot.util.constants import Reason, Transport

NOTHING_KILLED = KillList()

TEXT = """
schema = 1
[defaults]
transport = "shadow"
[symbols]
"BTC/USDT" = "streaming"
"SOL/USDT" = { tick = "streaming", "book:20" = "polling", book = "shadow", lines = 2 }
"ADA/USDT" = { transport = "streaming", trades = "polling", note = "trades are few" }
"XRP/USDT" = { lines = 2 }
[rollout]
transport = "streaming"
salt = "2026-11"
percent = 25
include = ["*/USDT", "ETH/EUR"]
exclude = ["USDC/USDT"]
"""


def decide(
    text: str, symbol: str, channel: str = "tick", unified: str | None = None, kill: KillList = NOTHING_KILLED
) -> Decision:
    return flags.decide(flags.parse(text), kill, symbol, channel, unified)


def rollout_of(*lines: str) -> flags.Rollout:
    rollout = flags.parse("\n".join(["schema = 1", "[rollout]", 'salt = "2026-11"', *lines])).rollout
    assert rollout is not None
    return rollout


@pytest.mark.parametrize(("symbol", "value"), [("BTCUSDT", 6054), ("ETHUSDT", 4386), ("DOGEUSDT", 426)])
def test_buckets_are_pinned(symbol: str, value: int) -> None:
    """A bucket is the same in every version: otherwise an upgrade would move symbols."""
    assert flags.bucket("2026-11", symbol) == value


def test_nothing_known_polls() -> None:
    """Without a file everything polls, and says that no file is the reason."""
    assert flags.decide(flags.EMPTY, NOTHING_KILLED, "BTCUSDT", "tick", None) == Decision(
        Transport.POLLING, Reason.NO_FLAGS, 1, "no flags file"
    )


def test_kill_file_beats_a_pin() -> None:
    """A symbol in KILL polls although it is pinned to streaming."""
    decision = decide(TEXT, "BTCUSDT", kill=KillList(symbols=frozenset({"BTCUSDT"})))
    assert decision == Decision(Transport.POLLING, Reason.KILL, 1, "file KILL: BTCUSDT")


def test_kill_file_needs_no_flags() -> None:
    """KILL acts while nothing else is known."""
    decision = flags.decide(flags.EMPTY, KillList(all=True), "BTCUSDT", "tick", None)
    assert (decision.reason, decision.rule) == (Reason.KILL, "file KILL: all")


def test_kill_switch_stops_every_symbol() -> None:
    """[kill] streams = true beats a pin."""
    decision = decide(TEXT + "[kill]\nstreams = true", "BTCUSDT")
    assert (decision.transport, decision.rule) == (Transport.POLLING, "[kill] streams")


def test_kill_list_stops_its_symbols_alone() -> None:
    """[kill] symbols, in any form, stops those and no others."""
    text = TEXT + '[kill]\nsymbols = ["btc/usdt"]'
    assert decide(text, "BTCUSDT") == Decision(Transport.POLLING, Reason.KILL, 1, '[kill] symbols "btc/usdt"')
    assert decide(text, "ADAUSDT").reason is Reason.PIN


def test_a_star_in_the_kill_list_stops_everything() -> None:
    """In the kill list "*" means all, as it does in the file KILL."""
    assert decide('schema = 1\n[kill]\nsymbols = ["*"]', "BTCUSDT").reason is Reason.KILL


def test_pin_names_its_entry() -> None:
    """A pinned symbol is decided by its pin, named as it stands in the file."""
    assert decide(TEXT, "BTCUSDT", "trades") == Decision(Transport.STREAMING, Reason.PIN, 1, '[symbols] "BTC/USDT"')


@pytest.mark.parametrize(
    ("channel", "transport", "key"),
    [("tick", Transport.STREAMING, "tick"), ("book:20", Transport.POLLING, "book:20"), ("book:5", Transport.SHADOW, "book")],
)
def test_a_channel_is_pinned_by_itself_or_by_its_kind(channel: str, transport: Transport, key: str) -> None:
    """An exact channel key beats its kind, and the kind speaks for every parameter."""
    assert decide(TEXT, "SOLUSDT", channel) == Decision(transport, Reason.PIN, 2, f'[symbols] "SOL/USDT" {key}')


def test_a_channel_beats_the_transport_of_its_pin() -> None:
    """Inside one pin the channel's own transport wins, and transport speaks for the others."""
    assert decide(TEXT, "ADAUSDT", "trades").transport is Transport.POLLING
    assert decide(TEXT, "ADAUSDT", "tick").transport is Transport.STREAMING


def test_what_a_pin_leaves_open_goes_on_to_the_rollout() -> None:
    """A pin that is silent on a channel leaves it to the next rule, but its lines hold."""
    assert decide(TEXT, "SOLUSDT", "trades", "SOL/USDT") == Decision(Transport.SHADOW, Reason.DEFAULTS, 2, "[defaults] transport")
    assert decide(TEXT, "XRPUSDT", "tick").lines == 2


def test_a_drawn_symbol_follows_the_rollout() -> None:
    """Bucket 426 is below 2,500 and the pattern fits."""
    assert decide(TEXT, "DOGEUSDT", unified="DOGE/USDT") == Decision(Transport.STREAMING, Reason.ROLLOUT, 1, '[rollout] "*/USDT"')


def test_the_defaults_take_what_is_left() -> None:
    """Bucket 4,386 is not drawn at 25 percent."""
    assert decide(TEXT, "ETHUSDT", unified="ETH/USDT") == Decision(Transport.SHADOW, Reason.DEFAULTS, 1, "[defaults] transport")


def test_what_only_a_glob_admits_polls_until_markets_are_known() -> None:
    """Without the unified form a glob cannot be asked; polling is the safe side."""
    assert decide(TEXT, "DOGEUSDT") == Decision(
        Transport.POLLING, Reason.ROLLOUT, 1, '[rollout] "*/USDT" waits for the market list'
    )


def test_the_defaults_need_no_market_list() -> None:
    """What the defaults admit anyway does not wait for a glob."""
    decision = decide(TEXT.replace('"shadow"\n[symbols]', '"streaming"\n[symbols]'), "DOGEUSDT")
    assert (decision.transport, decision.reason) == (Transport.STREAMING, Reason.DEFAULTS)


@pytest.mark.parametrize(
    ("lines", "symbol", "unified", "expected"),
    [
        (["percent = 100"], "ETHUSDT", "ETH/USDT", (Membership.MEMBER, "*/*")),
        (["percent = 43.87"], "ETHUSDT", "ETH/USDT", (Membership.MEMBER, "*/*")),
        (["percent = 43.86"], "ETHUSDT", "ETH/USDT", (Membership.NOT_DRAWN, "")),
        (["percent = 100", 'include = ["*"]'], "ETHUSDT", "ETH/USDT", (Membership.MEMBER, "*")),
        (["percent = 100", 'include = ["ETHUSDT"]'], "ETHUSDT", None, (Membership.MEMBER, "ETHUSDT")),
        (["percent = 100", 'include = ["BTC/*"]'], "ETHUSDT", "ETH/USDT", (Membership.NOT_INCLUDED, "")),
        (["percent = 100", 'include = ["et?/usd?"]'], "ETHUSDT", "ETH/USDT", (Membership.MEMBER, "et?/usd?")),
        (["percent = 100", 'include = ["*/USD"]'], "ETHUSDT", "ETH/USDT", (Membership.NOT_INCLUDED, "")),
        (["percent = 100", 'include = ["*/USDT"]'], "ETHUSDT", "ETH/USDT:USDT", (Membership.MEMBER, "*/USDT")),
        (["percent = 100", 'exclude = ["ETH/*"]'], "ETHUSDT", "ETH/USDT", (Membership.EXCLUDED, "ETH/*")),
        (["percent = 100", 'exclude = ["ETH/*"]'], "ETHUSDT", None, (Membership.UNKNOWN, "*/*")),
        (["percent = 100", 'include = ["ETHUSDT"]', 'exclude = ["*/BTC"]'], "ETHUSDT", None, (Membership.UNKNOWN, "*/BTC")),
        (["percent = 100", 'include = ["*/BTC", "ETHUSDT"]'], "ETHUSDT", None, (Membership.MEMBER, "ETHUSDT")),
    ],
)
def test_membership(lines: list[str], symbol: str, unified: str | None, expected: tuple[Membership, str]) -> None:
    """Drawn, included and not excluded makes a member; the entry that says so is named."""
    assert flags.member(rollout_of(*lines), symbol, unified) == expected


def test_every_rule_tells_why_it_lost() -> None:
    """The explanation has all four steps, strongest first, each with a remark."""
    steps = list(flags.judgements(flags.parse(TEXT), NOTHING_KILLED, "USDCUSDT", "tick", "USDC/USDT"))
    assert [(step.step, step.decision is None) for step in steps] == [
        ("kill", True),
        ("pin", True),
        ("rollout", True),
        ("defaults", False),
    ]
    assert steps[2].remark == "bucket 6903 of 10000, members are below 2500 (25 %): not drawn"


def test_an_excluded_symbol_names_the_entry_that_excludes_it() -> None:
    """Who is left out by exclude reads which entry does it."""
    steps = list(flags.judgements(flags.parse(TEXT.replace("25", "100")), NOTHING_KILLED, "USDCUSDT", "tick", "USDC/USDT"))
    assert steps[2].remark.endswith(': excluded by "USDC/USDT"')


def test_a_pin_for_other_channels_says_so() -> None:
    """A pin that is silent on this channel is not called absent."""
    steps = list(flags.judgements(flags.parse(TEXT), NOTHING_KILLED, "SOLUSDT", "trades", None))
    assert steps[1].remark == "pinned, but not for this channel"


def test_a_file_without_rollout_says_so() -> None:
    """Without [rollout] the defaults follow the pins."""
    steps = list(flags.judgements(flags.parse("schema = 1"), NOTHING_KILLED, "SOLUSDT", "trades", None))
    assert steps[2].remark == "no rollout"


def test_named_symbols_begin_with_the_pins() -> None:
    """The symbols of a file, each once: pins in their order, then kill, include and exclude."""
    names = flags.named(flags.parse(TEXT + '[kill]\nsymbols = ["LTC/USDT", "BTCUSDT"]'))
    assert list(names.items()) == [
        ("BTCUSDT", "BTC/USDT"),
        ("SOLUSDT", "SOL/USDT"),
        ("ADAUSDT", "ADA/USDT"),
        ("XRPUSDT", "XRP/USDT"),
        ("LTCUSDT", "LTC/USDT"),
        ("ETHEUR", "ETH/EUR"),
        ("USDCUSDT", "USDC/USDT"),
    ]


def test_a_file_without_rollout_names_its_pins() -> None:
    """Naming works without [rollout]."""
    assert flags.named(flags.parse('schema = 1\n[symbols]\nBTCUSDT = "polling"')) == {"BTCUSDT": "BTCUSDT"}


def test_unlisted_symbols_are_warned_of_with_line_and_nearest() -> None:
    """A symbol that the venue does not list is a warning that names its line and what was probably meant."""
    text = 'schema = 1\n[kill]\nsymbols = ["QQQ"]\n[symbols]\n"BTC/USDTT" = "streaming"\nETHUSDT = "polling"\n'
    assert flags.unlisted(flags.parse(text), ["BTCUSDT", "ETHUSDT"]) == [
        'line 5: symbols."BTC/USDTT": the venue does not list BTCUSDTT; did you mean BTCUSDT?',
        "line 3: kill.symbols: the venue does not list QQQ",
    ]


def test_a_swapped_first_letter_is_recognised() -> None:
    """The nearest name is found although its beginning differs."""
    (warning,) = flags.unlisted(flags.parse("schema = 1\n[symbols]\nTBCUSDT = 'polling'"), ["BTCUSDT", "LTCUSDT", "TUSDUSDT"])
    assert warning.endswith("did you mean BTCUSDT?")


def test_listed_symbols_give_no_warning() -> None:
    """A file whose symbols the venue all lists is not commented."""
    listed = {"BTCUSDT", "SOLUSDT", "ADAUSDT", "XRPUSDT", "ETHEUR", "USDCUSDT"}
    assert flags.unlisted(flags.parse(TEXT), listed) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTCUSDT\n", KillList(symbols=frozenset({"BTCUSDT"}))),
        ("BTC/USDT\r\n\n  ethusdt.BINANCE", KillList(symbols=frozenset({"BTCUSDT", "ETHUSDT"}))),
        ("*\n", KillList(all=True)),
        ("BTCUSDT\n*\n", KillList(all=True)),
        ("*/USDT\n", KillList(all=True)),
        ("", KillList(all=True)),
        (" \n\n", KillList(all=True)),
        ("BTCUSDT ETHUSDT\n", KillList(all=True)),
        ("# stop\n", KillList(all=True)),
        (None, KillList(all=True)),
    ],
)
def test_kill_file(text: str | None, expected: KillList) -> None:
    """KILL names one symbol a line; whatever else it says stops everything."""
    assert flags.parse_kill(text) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "[symbols]\nA = 'polling'", False),
        ("[symbols]\nA = 'polling'", "", True),
        ("[symbols]\nA = 'polling'", "[symbols]\nA = 'streaming'", False),
        ("[symbols]\nA = {tick = 'polling', trades = 'polling'}", "[symbols]\nA = {tick = 'polling'}", True),
        ("[kill]\nsymbols = ['A']", "[kill]\nsymbols = []", True),
        ("[kill]\nstreams = true", "[kill]\nstreams = false", True),
        ("[rollout]\npercent = 1\nsalt = ''\nexclude = ['A']", "[rollout]\npercent = 1\nsalt = ''", True),
        ("[rollout]\npercent = 1\nsalt = ''\nexclude = ['A']", "", True),
        ("[rollout]\npercent = 1\nsalt = ''", "", False),
    ],
)
def test_loosening(old: str, new: str, expected: bool) -> None:
    """A text that lacks a pin, an exclude or a kill entry looks like a cut one."""
    assert flags.loosens(flags.parse("schema = 1\n" + old), flags.parse("schema = 1\n" + new)) is expected
