"""The best bids and asks of the recorded ETHUSDT, where the recording lies beside this checkout."""

import gzip
import json
from pathlib import Path

from foxtrot.transport.audit import Levels

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = [DATA / "ethusdt_20240808.gz", DATA / "ethusdt_20240809.gz"]


def recorded_quotes() -> list[tuple[int, Levels]]:
    """All 58,758, each with its time of arrival in nanoseconds from the first on."""
    quotes: list[tuple[int, Levels]] = []
    for path in FILES:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                if "@bookTicker" in line:
                    at, frame = line.split(" ", 1)
                    top = json.loads(frame)["data"]
                    quotes.append((int(at), (float(top["b"]), float(top["B"]), float(top["a"]), float(top["A"]))))
    return [(at - quotes[0][0], levels) for at, levels in quotes]
