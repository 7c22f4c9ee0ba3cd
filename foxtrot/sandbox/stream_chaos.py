"""Alters, delays or loses single events on their way to one connection, as the faults in force say."""

from foxtrot.sandbox.fanout import Fanout, Subscriber, Topic
from foxtrot.sandbox.faults import FaultBoard, Side
from foxtrot.sandbox.frames import frame, wrap


class StreamChaos:
    """Stands between the fan-out and the connections; idle (``is_active`` false) it is not asked at all."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board
        self.is_active = False
        self.fanout: Fanout | None = None

    def refresh(self) -> None:
        """Looks again whether anything is in force."""
        self.is_active = bool(self._board.active(Side.STREAM))

    def shape(self, subscriber: Subscriber, topic: Topic, payload: bytes) -> None:
        """Delivers one event to one connection, or does not."""
        for fault in self._board.active(Side.STREAM):
            if fault.meets(topic.symbol, topic.name) and fault.spec.name == "mute" and fault.strikes():
                return
        self._send(subscriber, frame(wrap(topic.name, payload) if subscriber.is_combined else payload))

    def _send(self, subscriber: Subscriber, whole: bytes) -> None:
        if self.fanout is not None:
            self.fanout.send(subscriber, whole)
