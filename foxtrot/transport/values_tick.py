"""What a tick lane does with its values: quotes of either source, 24 h figures (design, section 5, "The tick").

1. Quotes are delivered from the source that serves; the other source's are only compared.
2. From poll to stream there is an anchor; while one is under way polled quotes make way for it.
3. A stream is judged by quotes: what a poll shows must have stood on the stream at about that time.
4. 24 h figures with a newer key are taken from either source in every state; they confirm nothing.
"""

from typing import ClassVar, Final

from typing_extensions import override

from foxtrot.transport import steps
from foxtrot.transport.audit import Lateness, QuoteAudit, Verdict
from foxtrot.transport.base import Answer, Quote, Stats
from foxtrot.transport.question import Question
from foxtrot.transport.quote_order import QuoteOrder
from foxtrot.transport.values import Answered, Shown, Told, Values, told
from foxtrot.util.clock import NS_PER_S
from foxtrot.util.constants import Source

SETTLE_NS: Final = NS_PER_S
"""How long a subscription may take to come into force: an anchor asked before that may have frames missing after it."""

ALONE_NS: Final = NS_PER_S
"""Without REST, the first frame received so long after the last answer opens the stream: the audit's window."""


class TickValues(Values):
    """The values of one lane."""

    has_cursor: ClassVar = False
    yields_to_poll: ClassVar = True
    trips_on_misses: ClassVar = True

    def __init__(self) -> None:
        super().__init__()
        self._audit: Final = QuoteAudit()
        self._order: Final = QuoteOrder(self._audit.note)
        self._anchor: Final = Question()
        self._up_ns = 0

    # --- what the lane asks -------------------------------------------------------------------------------------------------

    @property
    @override
    def order(self) -> QuoteOrder:
        """Both halves."""
        return self._order

    @property
    @override
    def is_current(self) -> bool:
        """Quotes in between need not arrive."""
        return True

    @property
    @override
    def is_suspect(self) -> bool:
        """Whether the newest poll showed a quote that the stream has not."""
        return self._audit.misses > 0

    @override
    def lateness(self, now_ns: int, timely: int) -> Lateness:
        """How late the stream is; so many hits must show it in time before they are believed."""
        return self._audit.lateness(now_ns, timely)

    @override
    def verdicts(self, now_ns: int) -> list[Verdict]:
        """What polls have shown of the stream since this was asked last."""
        return self._audit.verdicts(now_ns)

    @override
    def is_calm(self, now_ns: int) -> bool:
        """Whether nothing has become due."""
        return self._audit.is_calm(now_ns)

    # --- the stream's life --------------------------------------------------------------------------------------------------

    @override
    def up(self, now_ns: int) -> None:
        """A connection carries the stream."""
        self._up_ns = now_ns
        self._audit.begin(now_ns)

    @override
    def open_alone(self, answered_ns: int) -> list[steps.Effect] | None:
        """The first frame received long enough after REST's last answer opens the stream; None while none came."""
        return told([*self.order.open_unanchored(answered_ns + ALONE_NS)], Source.STREAM) or None

    @override
    def pause(self) -> None:
        """Nothing streamed from here on: a polled value comes next."""
        self.order.shut()

    @override
    def resume(self) -> list[steps.Effect]:
        """It serves on after all."""
        return told([*self.order.resume()], Source.STREAM)

    @override
    def stalled(self, span_ns: int, now_ns: int) -> None:
        """Our loop stood still: the stream has so much longer to show what polls did."""
        self._audit.stalled(span_ns)

    @override
    def shut(self) -> None:
        """The stream serves no longer, or its attempt is over."""
        self.order.shut()
        self._audit.end()
        self._anchor.reset()
        self._up_ns = 0

    # --- what comes ---------------------------------------------------------------------------------------------------------

    @override
    def offered(self, given: steps.Offered, now_ns: int, *, is_kept: bool) -> list[steps.Effect]:
        """A streamed quote that the door did not accept."""
        if isinstance(given.value, Quote):
            self.order.offer(given.value, is_kept=is_kept)
        return []

    @override
    def polled(self, answer: Answer, asked_ns: int, now_ns: int, *, is_proving: bool) -> Shown:
        """A poll has come: it confirms when its quote was admitted as the newest one known."""
        effects: list[steps.Effect] = []
        is_admitted = False
        quote = answer.quote
        if quote is not None and not self.order.is_cached(answer.stats, asked_ns):
            self._audit.polled(quote.levels, quote.asked_ns, now_ns)
            makes_way = is_proving and self._anchor.is_fresh(now_ns)
            if not self.order.is_live and not makes_way and self.order.is_admissible(quote):
                is_admitted = True
                if self.order.poll(quote):
                    effects.append(steps.Deliver([quote], Source.POLL))
        if answer.stats is not None:  # after the quote that came with them, or they would be told with the one before it
            effects += self.figured(answer.stats, Source.POLL)
        return Shown(effects, is_admitted)

    @override
    def figured(self, stats: Stats, source: Source) -> list[steps.Effect]:
        """24 h figures of either source."""
        return [steps.Deliver([stats], source)] if self.order.stats(stats) else []

    @override
    def asks(self, now_ns: int, *, is_streaming: bool, is_joining: bool) -> list[steps.Effect]:
        """The anchor, where none is under way."""
        is_wanted = is_joining and not is_streaming
        return [steps.FetchAnchor()] if is_wanted and self._anchor.ask(now_ns) else []

    @override
    def answered(self, given: Answered, now_ns: int, *, is_wanted: bool) -> Told:
        """The anchor has come."""
        if not isinstance(given, steps.Anchored):
            return Told([])
        anchor = given.quote
        is_useful = anchor is not None and self._up_ns > 0 and anchor.asked_ns >= self._up_ns + SETTLE_NS
        if not is_wanted or anchor is None or not is_useful or not self.order.is_admissible(anchor):
            self._anchor.answered(now_ns, is_useful=not is_wanted)
            return Told([])
        self._anchor.answered(now_ns, is_useful=True)
        following = self.order.open(anchor)
        return Told([*told([anchor], Source.POLL), *told([*following], Source.STREAM)], is_open=True)
