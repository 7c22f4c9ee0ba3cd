"""What may be wrong with a symbol's streams, with one connection, with REST and with dials, at this moment."""

from dataclasses import dataclass, field


@dataclass
class Impairment:
    """Of a symbol's streams on every connection, or of all streams on one connection. Probabilities, and nanoseconds."""

    loss: float = 0.0
    duplicate: float = 0.0
    reorder_ns: int = 0  # frames arrive in another order, spread over so long
    late_ns: int = 0
    mute: str = ""  # nothing of this kind comes; "all"
    wrong: int = 0  # so many frames to come speak of another symbol
    malformed: int = 0  # so many frames to come cannot be read

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self == CLEAN


CLEAN = Impairment()


@dataclass
class RestTrouble:
    """Of the whole REST side."""

    latency: float = 0.0  # seconds on top of the usual
    errors: float = 0.0  # this share of requests fails
    is_down: bool = False  # nobody answers
    trailing_ns: int = 0  # answers are so old
    cached: float = 0.0  # this share of answers is older still
    cached_ns: int = 0  # by so much
    missing: set[str] = field(default_factory=set)  # symbols that answers lack
    refuse_next: tuple[int, float] | None = None  # the next request is answered with this status and Retry-After


@dataclass
class DialTrouble:
    """Of every attempt to connect: refused, hanging, or told 429 with that Retry-After."""

    is_refused: bool = False
    hangs: bool = False
    retry_after: float = 0.0


@dataclass
class Impairments:
    """All that is wrong now. ``unlisted``: symbols whose subscriptions are acknowledged and dropped."""

    symbols: dict[str, Impairment] = field(default_factory=dict)
    rest: RestTrouble = field(default_factory=RestTrouble)
    dials: DialTrouble = field(default_factory=DialTrouble)
    unlisted: set[str] = field(default_factory=set)

    def of(self, symbol: str) -> Impairment:
        """A symbol's, to be changed."""
        return self.symbols.setdefault(symbol, Impairment())

    def heal(self) -> None:
        """All is well again."""
        self.symbols.clear()
        self.unlisted.clear()
        self.rest = RestTrouble()
        self.dials = DialTrouble()
