"""Knows which handlers an event type reaches."""

import threading
from collections.abc import Callable, Iterator
from typing import Final

from foxtrot.core.event import Event
from foxtrot.util import event_type as types

Handler = Callable[[Event], object]
"""Takes the event; what it returns is ignored."""

_KEY_ATTRIBUTES: Final = {types.EVENT_ORDER: "vt_orderid", types.EVENT_ACCOUNT: "vt_accountid"}
_KEYED_TYPES: Final = frozenset(value for name, value in vars(types).items() if name.startswith("EVENT_") and value.endswith("."))


class Route:
    """Where events of one type go: ``plain`` handlers, or those of ``by_key`` when somebody asked for that key.

    ``by_symbol`` is ``by_key`` once more, by symbol and exchange: market data finds its handlers without building a key.
    Every tuple is complete (type, key and general handlers, in this order) and is replaced, never changed, so that the event
    thread may read it while others register.
    """

    __slots__ = ("by_key", "by_symbol", "key_attribute", "plain")

    def __init__(self, event_type: str) -> None:
        self.plain: tuple[Handler, ...] = ()
        self.by_key: dict[str, tuple[Handler, ...]] = {}
        self.by_symbol: dict[str, dict[str, tuple[Handler, ...]]] = {}
        self.key_attribute: Final = _KEY_ATTRIBUTES.get(event_type, "vt_symbol")

    def set(self, key: str, handlers: tuple[Handler, ...]) -> None:
        """Puts a key's handlers in the place of those before; none: the key is forgotten."""
        symbol, _, exchange = key.rpartition(".")
        if handlers:
            self.by_key[key] = handlers
            self.by_symbol[symbol] = {**self.by_symbol.get(symbol, {}), exchange: handlers}
        else:
            self.by_key.pop(key, None)
            self.by_symbol[symbol] = {name: kept for name, kept in self.by_symbol.get(symbol, {}).items() if name != exchange}


class Routes:
    """Handlers by event type and key. Registering is safe from any thread, also from inside a handler.

    ``table`` and ``general`` are for the dispatching thread alone to read.
    """

    def __init__(self) -> None:
        self.table: Final[dict[str, Route]] = {}
        self.general: tuple[Handler, ...] = ()
        self._lock: Final = threading.Lock()
        self._registered: Final[dict[str, tuple[Handler, ...]]] = {}

    def register(self, event_type: str, handler: Handler) -> None:
        """Adds a handler, once; raises ValueError for a known type that lacks its closing dot: it would never be called."""
        if event_type + "." in _KEYED_TYPES:
            raise ValueError(f"event type {event_type!r} ends with a dot; write {event_type + '.'!r} or add the key after it")
        with self._lock:
            present = self._registered.get(event_type, ())
            if handler not in present:
                self._registered[event_type] = (*present, handler)
                self._refresh(event_type)

    def unregister(self, event_type: str, handler: Handler) -> None:
        """Takes a handler away; an event that is being handled may still reach it. One that is not there is no error."""
        with self._lock:
            present = self._registered.pop(event_type, ())
            rest = _without(present, handler)
            if rest:
                self._registered[event_type] = rest
            if rest != present:
                self._refresh(event_type)

    def register_general(self, handler: Handler) -> None:
        """Adds a handler of every event, once."""
        with self._lock:
            if handler not in self.general:
                self._set_general((*self.general, handler))

    def unregister_general(self, handler: Handler) -> None:
        """Takes a handler of every event away; one that is not there is no error."""
        with self._lock:
            self._set_general(_without(self.general, handler))

    def _set_general(self, handlers: tuple[Handler, ...]) -> None:
        self.general = handlers
        for event_type in list(self.table):
            self._refresh(event_type)

    def _refresh(self, event_type: str) -> None:
        """Brings the type's own route, and its place as a key in others, up to date."""
        own = self._registered.get(event_type, ())
        for prefix, key in _splits(event_type):
            route = self._route(prefix)
            route.set(key, self._registered.get(prefix, ()) + own + self.general if own else ())
            if not own:
                self._forget_unused(prefix)
        route = self._route(event_type)
        route.plain = own + self.general
        for key in list(route.by_key):
            route.set(key, own + self._registered.get(event_type + key, ()) + self.general)
        self._forget_unused(event_type)

    def _route(self, event_type: str) -> Route:
        route = self.table.get(event_type)
        if route is None:
            route = self.table[event_type] = Route(event_type)
            route.plain = self._registered.get(event_type, ()) + self.general
        return route

    def _forget_unused(self, event_type: str) -> None:
        route = self.table.get(event_type)
        if route is not None and not route.by_key and event_type not in self._registered:
            del self.table[event_type]


def _splits(event_type: str) -> Iterator[tuple[str, str]]:
    """Each way to read a type as (type with its dot, key)."""
    position = event_type.find(".")
    while 0 <= position < len(event_type) - 1:
        yield event_type[: position + 1], event_type[position + 1 :]
        position = event_type.find(".", position + 1)


def _without(handlers: tuple[Handler, ...], handler: Handler) -> tuple[Handler, ...]:
    return tuple(present for present in handlers if present != handler)
