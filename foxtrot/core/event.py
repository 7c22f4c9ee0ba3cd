"""What travels from a producer to its handlers."""

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened.

    ``type`` is one of ``foxtrot.util.event_type`` or a word of your own; where it ends with a dot, the event is also handled
    under ``type`` + the key of its data (``vt_symbol``; orders ``vt_orderid``, accounts ``vt_accountid``). ``data`` is what
    that type carries, ``None`` for a timer.
    """

    type: str
    data: Any = None
