"""What one lane is, shows and reports; how it moves is the machine's (``lane``)."""

from typing import Final

from foxtrot.transport import steps
from foxtrot.transport.backoff import Chance
from foxtrot.transport.base import LaneKey, LaneStatus
from foxtrot.transport.breaker import Breaker, Permit
from foxtrot.transport.evidence import Evidence
from foxtrot.transport.lane_table import LAWFUL
from foxtrot.transport.ordering import IdOrder
from foxtrot.transport.quote_order import QuoteOrder
from foxtrot.transport.switch_log import SwitchLog
from foxtrot.transport.values import Values
from foxtrot.util.constants import BreakerState, LaneState, Reason, Serving, Transport


class LaneRecord:
    """One lane; ``values`` keeps what is next of its channel."""

    def __init__(
        self,
        key: LaneKey,
        values: Values,
        *,
        now_ns: int,
        chance: Chance,
        breaker: Breaker | None = None,
        switches: SwitchLog | None = None,
    ) -> None:
        self.key: Final = key
        self.values: Final = values
        self.state = LaneState.POLLING
        self.serving = Serving.NONE
        self.reason = Reason.SUBSCRIBED
        self.breaker: Final = breaker or Breaker()
        self.switch_log: Final = switches or SwitchLog()
        self.decision = steps.Decide(Transport.POLLING, Reason.NO_FLAGS)
        self.switches = 0
        self.changed_ns = 0
        self.confirmed_ns = now_ns
        self.is_started = False
        self._chance = chance
        self._now = now_ns
        self._out: list[steps.Effect] = []
        self._reported = self.breaker.state
        self._permit: Permit | None = None
        self._evidence: Final = Evidence(values)
        self._lines = 0  # on how many connections the stream has been asked for; 0: not, or shut
        self._is_counted = False  # whether the attempt under way will be a counted switch
        self._awaits_connection = False
        self._answered_ns = now_ns  # when a poll was answered last
        self._leave_ns = 0  # until when a leaving stream waits for the polled value; 0: it is not leaving

    # --- what others read -------------------------------------------------------------------------------------------------

    @property
    def ids(self) -> IdOrder | None:
        """The order of a lane of ids, once started."""
        return self.values.order if isinstance(self.values.order, IdOrder) else None

    @property
    def quotes(self) -> QuoteOrder | None:
        """The order of a tick."""
        return self.values.order if isinstance(self.values.order, QuoteOrder) else None

    @property
    def is_held(self) -> bool:
        """Whether a slow consumer keeps it waiting."""
        return self.values.is_held

    @property
    def wants_stream(self) -> bool:
        """Whether the decision asks to be served by the stream."""
        return self.decision.transport is Transport.STREAMING

    @property
    def retry_at_ns(self) -> int:
        """Before this the stream is not tried again: the breaker's wait, or the bound on switches."""
        return max(self.breaker.retry_at_ns, self.switch_log.free_at() if self.wants_stream else 0)

    @property
    def is_probing(self) -> bool:
        """Whether it tries its stream after a trip of its own."""
        return self.breaker.state is BreakerState.HALF_OPEN

    def is_calm(self, now_ns: int, offset_ns: int | None = None) -> bool:
        """Whether a ``Pulse`` now, with this offset, would have no effect and leave all as it is: then it may be left out."""
        is_proving = self._permit is not None and self._evidence.is_up
        if is_proving or self._leave_ns or self._may_retry(now_ns) or self.values.is_closing(now_ns, offset_ns):
            return False
        return self._evidence.is_calm(now_ns, is_serving=self.serving is Serving.STREAM)

    @property
    def status(self) -> LaneStatus:
        """How the lane stands."""
        order = self.values.order
        heard = self._heard_ns
        return LaneStatus(
            key=self.key,
            state=self.state,
            serving=self.serving,
            reason=self.reason,
            delivered=order.delivered if order else 0,
            duplicates_dropped=order.duplicates if order else 0,
            gaps=self.values.gaps,
            switches=self.switches,
            changed_ns=max(self.changed_ns, heard),
            confirmed_ns=max(self.confirmed_ns, heard),
            is_suspect=self.serving is Serving.STREAM and self.values.is_suspect,
            retry_at_ns=self.retry_at_ns,
            is_whole=self.values.is_current,
        )

    def _may_retry(self, now_ns: int) -> bool:
        """Whether it is time to try the stream again, or to tell of a bound that holds it back longer."""
        if self._is_open or not self.is_started or now_ns < self.breaker.retry_at_ns:
            return False
        if self.state is LaneState.FALLBACK:
            return self.wants_stream and self.reason is not self._bar(now_ns)
        return self.state is LaneState.SHADOW and self.breaker.state is not BreakerState.FORCED_OPEN

    def _bar(self, now_ns: int) -> Reason | None:
        """What forbids an attempt now; None: nothing."""
        if now_ns < self.switch_log.free_at():
            return Reason.QUARANTINE
        if self.breaker.state is BreakerState.FORCED_OPEN:
            return Reason.FORCED_OPEN
        return Reason.BREAKER_OPEN if now_ns < self.breaker.retry_at_ns else None

    @property
    def _is_open(self) -> bool:
        return self._lines > 0

    @property
    def _heard_ns(self) -> int:
        """When the serving stream brought what was delivered last; 0 while it does not serve, or what it brought waits."""
        return self.values.fresh_ns if self.serving is Serving.STREAM else 0

    # --- what it reports --------------------------------------------------------------------------------------------------

    def _go(self, state: LaneState, reason: Reason, serving: Serving) -> None:
        assert (self.state, state) in LAWFUL, f"{self.state} -> {state} is not in the table"
        if {self.serving, serving} == {Serving.POLL, Serving.STREAM}:
            self.switches += 1
            if self._is_counted_switch(state, reason, serving):
                self.switch_log.add(self._now)
        old, self.state, self.reason, self.serving = self.state, state, reason, serving
        self._out.append(steps.Announce(old, state, serving, reason))

    def _is_counted_switch(self, state: LaneState, reason: Reason, serving: Serving) -> bool:
        """Switches that a decision, a kill, a hand or POLL_DOWN caused are not counted."""
        if serving is Serving.STREAM:
            return reason is not Reason.POLL_DOWN and self._is_counted
        return state is LaneState.FALLBACK and reason is not Reason.FORCED_OPEN

    def _keep_heard(self) -> None:
        """What the door has delivered since the last step stays told, whatever comes next."""
        self.changed_ns = max(self.changed_ns, self._heard_ns)
        self.confirmed_ns = max(self.confirmed_ns, self._heard_ns)

    def _confirm(self, is_confirmed: bool) -> None:
        if is_confirmed:
            self.confirmed_ns = self._now

    def _tell(self, effects: list[steps.Effect], *, is_proof: bool = True) -> None:
        """Passes effects on. ``is_proof``: values in them confirm that the lane is alive."""
        for effect in effects:
            if isinstance(effect, steps.Deliver):
                self.changed_ns = self._now
                self._confirm(is_proof)
        self._out += effects

    def _note_breaker(self) -> None:
        """Says what has become of the breaker."""
        if self.breaker.state is not self._reported:
            self._out.append(steps.BreakerMoved(self._reported, self.breaker.state))
            self._reported = self.breaker.state

    def _told(self) -> list[steps.Effect]:
        """The effects of one step, with what became of the breaker."""
        self._note_breaker()
        return self._out
