"""Reads recorded frames: lines of ``<local ns> <raw JSON>``, gzipped or plain, several files in sequence."""

import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from foxtrot.util.errors import ConfigError

_HEAD = b'{"stream":"'
_DATA = b'","data":'
_EVENT_TIME = re.compile(rb'"E":(\d{13})')
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(slots=True)
class Recording:
    """Frames in order of arrival: when (ns on the recorder's clock), on which stream ("" for a REST answer), and the bytes."""

    times_ns: list[int] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    first_venue_us: int = 0

    @property
    def names(self) -> frozenset[str]:
        """The streams that were recorded."""
        return frozenset(self.streams) - {""}


def load(paths: Sequence[Path]) -> Recording:
    """Reads the files. Raises ConfigError for a missing, unreadable or empty one, naming file and line."""
    made = Recording()
    names: dict[bytes, str] = {}
    for path in paths:
        try:
            with _open(path) as lines:
                for number, line in enumerate(lines, 1):
                    _take(made, names, line, f"{path}:{number}")
        except (OSError, EOFError) as error:
            raise ConfigError(f"cannot read the recording {path}: {error}") from error
    if not made.names:
        raise ConfigError(f"no frames in {', '.join(str(path) for path in paths)}; lines are '<local ns> <raw JSON>'")
    made.symbols = sorted({name.partition("@")[0].upper() for name in made.names if not name.startswith("!")})
    made.first_venue_us = _first_venue_us(made)
    return made


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as probe:
        is_gzip = probe.read(2) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path, "rb")) if is_gzip else path.open("rb")


def _take(made: Recording, names: dict[bytes, str], line: bytes, where: str) -> None:
    head, _, body = line.strip().partition(b" ")
    if not head:
        return
    if not head.isdigit() or not body.startswith(b"{") or not body.endswith(b"}"):
        raise ConfigError(f"{where}: a line of a recording is '<local ns> <raw JSON>'; found {line[:60]!r}")
    stream = b""
    if body.startswith(_HEAD):
        stream, _, payload = body[len(_HEAD) :].partition(_DATA)
        body = payload[:-1]
    if stream not in names:
        names[stream] = stream.decode()
    made.times_ns.append(int(head))
    made.streams.append(names[stream])
    made.payloads.append(body)


def _first_venue_us(made: Recording) -> int:
    """The venue's time of the first frame: that of the first frame that carries one, less what passed between."""
    for at, payload in enumerate(_heads(made.payloads)):
        if found := _EVENT_TIME.search(payload):
            return int(found[1]) * 1_000 - (made.times_ns[at] - made.times_ns[0]) // 1_000
    return made.times_ns[0] // 1_000


def _heads(payloads: list[bytes]) -> Iterator[bytes]:
    for payload in payloads:
        yield payload[:80]
