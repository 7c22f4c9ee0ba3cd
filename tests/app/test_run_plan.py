"""Options become a plan, or an error that says what to write."""

from pathlib import Path

import pytest

from foxtrot.app.run_plan import LIQUID, RunPlan, channels_of, default_symbols, symbols_of


def test_symbols_in_every_form() -> None:
    """All three forms, each symbol once, in their order."""
    assert symbols_of("BTC/USDT, ethusdt,BTCUSDT.BINANCE,") == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize(
    ("text", "says"), [(" , ", "names none"), ("BTC USDT", "not a symbol"), ("BTCUSDT.KRAKEN", "another venue")]
)
def test_wrong_symbols(text: str, says: str) -> None:
    """Each mistake is named."""
    with pytest.raises(ValueError, match=says):
        symbols_of(text)


def test_channels() -> None:
    """Each once, whatever their case."""
    assert channels_of("Trades,tick,trades") == ("trades", "tick")


def test_intervals_keep_their_case() -> None:
    """A minute is no month."""
    assert channels_of("BOOK:50,bars:1m,bars:1M,Bars:10s") == ("book:50", "bars:1m", "bars:1M", "bars:10s")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names none"),
        ("tik", "did you mean 'tick'"),
        ("book:0", "1 to 1000"),
        ("bars", "bars take an interval"),
        ("tick,bars:1y", "bars take an interval"),
        ("bars:60s", "say bars:1m"),
        ("bars:2d", "longer than a day"),
    ],
)
def test_wrong_channels(text: str, says: str) -> None:
    """Each mistake is named."""
    with pytest.raises(ValueError, match=says):
        channels_of(text)


def flags(folder: Path, symbols: str) -> Path:
    path = folder / "flags.toml"
    path.write_text(f"schema = 1\n[symbols]\n{symbols}\n# end of flags\n")
    return path


def test_pinned_symbols_come_first(tmp_path: Path) -> None:
    """Filled up to five with liquid ones, none of them twice."""
    path = flags(tmp_path, '"LTC/USDT" = "polling"\n"ETH/USDT" = "streaming"')
    assert default_symbols(path) == ("LTCUSDT", "ETHUSDT", "BTCUSDT", "BNBUSDT", "SOLUSDT")


def test_many_pinned_symbols(tmp_path: Path) -> None:
    """All of them, and nothing else."""
    names = [f"A{number}USDT" for number in range(7)]
    assert default_symbols(flags(tmp_path, "\n".join(f'"{name}" = "polling"' for name in names))) == tuple(names)


def test_no_pins_to_be_had(tmp_path: Path) -> None:
    """A file that is absent or refused pins none."""
    assert default_symbols(tmp_path / "none.toml") == LIQUID
    assert default_symbols(flags(tmp_path, '"BTC/USDT" = "straeming"')) == LIQUID


def test_lanes_of_a_plan() -> None:
    """Every channel of every symbol, symbol by symbol."""
    plan = RunPlan("sandbox", ("A", "B"), ("tick", "trades"), {})
    assert plan.keys == [("A", "tick"), ("A", "trades"), ("B", "tick"), ("B", "trades")]
    assert RunPlan("sandbox", ("A",), ("book:5", "book", "bars:1m"), {}).keys == [("A", "book"), ("A", "bars:1m")]
