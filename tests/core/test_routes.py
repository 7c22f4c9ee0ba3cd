"""Which handlers an event type reaches."""

import pytest

from foxtrot.core.event import Event
from foxtrot.core.routes import Handler, Routes
from foxtrot.util.event_type import EVENT_ACCOUNT, EVENT_ORDER, EVENT_TICK


def first(event: Event) -> None: ...
def second(event: Event) -> None: ...
def third(event: Event) -> None: ...


def reached(routes: Routes, event_type: str, key: str = "") -> tuple[Handler, ...]:
    route = routes.table.get(event_type)
    return routes.general if route is None else route.by_key.get(key, route.plain)


def test_a_type_reaches_its_handlers_in_the_order_of_registration() -> None:
    """Handlers of one type run in the order in which they came."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.register(EVENT_TICK, second)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (first, second)


def test_a_key_reaches_type_key_and_general_handlers() -> None:
    """An event of a key goes to its type's, then its key's, then the general handlers."""
    routes = Routes()
    routes.register_general(third)
    routes.register(EVENT_TICK + "X.LOCAL", second)
    routes.register(EVENT_TICK, first)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (first, second, third)
    assert reached(routes, EVENT_TICK, "Y.LOCAL") == (first, third)


def test_a_key_alone_is_enough() -> None:
    """Nobody needs to listen to the whole type."""
    routes = Routes()
    routes.register(EVENT_TICK + "X.LOCAL", first)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (first,)
    assert reached(routes, EVENT_TICK, "Y.LOCAL") == ()


def test_a_general_handler_that_comes_later_is_added_everywhere() -> None:
    """General handlers may be registered in any order."""
    routes = Routes()
    routes.register(EVENT_TICK + "X.LOCAL", first)
    routes.register_general(third)
    routes.register_general(third)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (first, third)
    assert reached(routes, EVENT_TICK, "Y.LOCAL") == (third,)
    assert reached(routes, "eUnheard") == (third,)


def test_an_unregistered_general_handler_is_gone_everywhere() -> None:
    """A general handler leaves every route."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.register_general(third)
    routes.unregister_general(third)
    routes.unregister_general(third)
    assert reached(routes, EVENT_TICK) == (first,)
    assert reached(routes, "eUnheard") == ()


def test_registering_twice_changes_nothing() -> None:
    """A handler is called once for one registration, however often it was repeated."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.register(EVENT_TICK, first)
    assert reached(routes, EVENT_TICK) == (first,)


def test_unregistering_one_leaves_the_other() -> None:
    """Only the handler named goes."""
    routes = Routes()
    routes.register(EVENT_TICK + "X.LOCAL", first)
    routes.register(EVENT_TICK + "X.LOCAL", second)
    routes.unregister(EVENT_TICK + "X.LOCAL", first)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (second,)


def test_unregistering_what_is_not_there_is_no_error() -> None:
    """Unregistering is idempotent."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.unregister(EVENT_TICK, second)
    routes.unregister("eUnheard", second)
    assert reached(routes, EVENT_TICK) == (first,)


def test_nothing_is_kept_of_what_was_unregistered() -> None:
    """Handlers of single orders leave no trace, however many orders there were."""
    routes = Routes()
    for number in range(100):
        routes.register(f"{EVENT_ORDER}BINANCE.{number}", first)
        routes.unregister(f"{EVENT_ORDER}BINANCE.{number}", first)
    assert routes.table == {}


def test_a_key_that_goes_leaves_the_handlers_of_its_type() -> None:
    """The type is heard on after its last key has gone."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.register(EVENT_TICK + "X.LOCAL", second)
    routes.unregister(EVENT_TICK + "X.LOCAL", second)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (first,)


def test_a_type_that_goes_leaves_the_handlers_of_its_keys() -> None:
    """The keys are heard on after the handlers of the whole type have gone."""
    routes = Routes()
    routes.register(EVENT_TICK, first)
    routes.register(EVENT_TICK + "X.LOCAL", second)
    routes.unregister(EVENT_TICK, first)
    assert reached(routes, EVENT_TICK, "X.LOCAL") == (second,)
    assert reached(routes, EVENT_TICK, "Y.LOCAL") == ()


@pytest.mark.parametrize(
    ("event_type", "attribute"), [(EVENT_ORDER, "vt_orderid"), (EVENT_ACCOUNT, "vt_accountid"), (EVENT_TICK, "vt_symbol")]
)
def test_the_key_is_the_one_of_the_type(event_type: str, attribute: str) -> None:
    """Orders are told apart by order, accounts by account, the rest by symbol."""
    routes = Routes()
    routes.register(event_type, first)
    assert routes.table[event_type].key_attribute == attribute


def test_a_type_without_its_dot_is_refused() -> None:
    """What would never be called is an error that says how to write it."""
    with pytest.raises(ValueError, match=r"write 'eTick\.'"):
        Routes().register("eTick", first)
