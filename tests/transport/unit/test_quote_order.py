"""Quotes and 24 h figures of one lane: what is newer."""

from foxtrot.transport.base import Quote, Stats
from foxtrot.transport.quote_order import QuoteOrder

FIGURES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def quote(update_id: int, bid: float, received_ns: int, asked_ns: int = 0) -> Quote:
    return Quote(update_id, bid, 1.0, bid + 1, 1.0, received_ns, asked_ns)


def polled(bid: float, asked_ns: int) -> Quote:
    return quote(0, bid, asked_ns + 1, asked_ns)


def serving(update_id: int = 100, asked_ns: int = 1_000) -> QuoteOrder:
    order = QuoteOrder()
    order.open(quote(update_id, 1.0, asked_ns + 1, asked_ns))
    return order


def test_newer_quotes_pass_the_door() -> None:
    """A greater update id; ids in between need not arrive."""
    order = serving()
    levels = (2.0, 1.0, 3.0, 1.0)
    assert [order.accept(number, levels, 2_000) for number in (100, 103, 101, 104)] == [False, True, False, True]
    assert (order.levels, order.heard_ns, order.delivered) == (levels, 2_000, 3)


def test_no_quote_passes_before_the_anchor() -> None:
    """What comes earlier waits for it."""
    order = QuoteOrder()
    assert not order.accept(5, (1.0, 1.0, 2.0, 1.0), 0)
    assert order.offer(quote(5, 1.0, 0))
    assert order.waiting == 1


def test_only_newer_quotes_follow_the_anchor() -> None:
    """Older and reordered ones that waited are let go."""
    order = QuoteOrder()
    for number in (99, 100, 103, 102, 104):
        order.offer(quote(number, float(number), 2_000))
    following = order.open(quote(100, 1.0, 1_500, 1_000))
    assert [found.update_id for found in following] == [103, 104]
    assert (order.delivered, order.duplicates, order.waiting) == (3, 3, 0)


def test_an_old_frame_refreshes_nothing() -> None:
    """While live, and after: a replay is no sign of life."""
    order = serving()
    assert not order.offer(quote(100, 1.0, 9_000))
    order.shut()
    assert not order.offer(quote(100, 1.0, 9_000))
    assert order.offer(quote(101, 1.0, 9_000))
    assert (order.duplicates, order.waiting) == (2, 1)


def test_a_polled_quote_must_have_been_asked_after_what_is_known() -> None:
    """After the last streamed quote was received, or the last poll asked."""
    order = serving()
    order.accept(101, (2.0, 1.0, 3.0, 1.0), 5_000)
    order.shut()
    assert not order.poll(polled(3.0, 5_000))
    assert order.poll(polled(3.0, 5_001))
    assert not order.poll(polled(4.0, 5_001))


def test_an_equal_polled_quote_is_not_repeated() -> None:
    """It confirms; the next must still have been asked later."""
    order = QuoteOrder()
    assert order.poll(polled(1.0, 1))
    assert not order.poll(polled(1.0, 3))
    assert not order.poll(polled(2.0, 2))
    assert order.delivered == 1


def test_an_anchor_behind_the_stream_is_not_admitted() -> None:
    """A replica that trails, known by its update id."""
    order = serving()
    order.accept(110, (2.0, 1.0, 3.0, 1.0), 5_000)
    order.shut()
    assert not order.is_admissible(quote(109, 1.0, 7_000, 6_000))
    assert order.is_admissible(quote(110, 1.0, 7_000, 6_000))


def test_a_stream_can_go_on_where_it_was() -> None:
    """Nothing was delivered since: no anchor is needed."""
    order = serving()
    order.shut()
    order.offer(quote(101, 2.0, 5_000))
    assert [found.update_id for found in order.resume()] == [101]
    assert order.accept(102, (3.0, 1.0, 4.0, 1.0), 6_000)


def test_figures_never_go_back() -> None:
    """A smaller or equal key is an old answer."""
    order = QuoteOrder()
    keys = [(-1, 5), (-1, 5), (3, 4), (3, 3), (3, 5), (2, 9)]
    assert [order.stats(Stats(*key, FIGURES, 0)) for key in keys] == [True, False, True, False, True, False]


def test_a_window_that_empties_goes_on_by_its_time() -> None:
    """The last trade left it: newer figures are newer, and figures that still hold the trade are old."""
    order = QuoteOrder()
    keys = [(500, 10), (-1, 9), (-1, 11), (500, 10), (-1, 12), (-1, 12), (501, 12), (-1, 11)]
    assert [order.stats(Stats(*key, FIGURES, 0)) for key in keys] == [True, False, True, False, True, False, True, False]


def test_an_answer_whose_newest_trade_went_back_is_cached() -> None:
    """Behind what was known when it was asked; an equal one is not, nor one without figures or of a day without trades."""
    order = QuoteOrder()
    order.stats(Stats(3, 5, FIGURES, 10))
    order.stats(Stats(4, 6, FIGURES, 20))
    assert order.is_cached(Stats(2, 9, FIGURES, 30), 15)
    assert order.is_cached(Stats(3, 9, FIGURES, 30), 20)
    assert not order.is_cached(Stats(3, 9, FIGURES, 30), 19)
    assert not order.is_cached(Stats(4, 1, FIGURES, 30), 20)
    assert not order.is_cached(Stats(-1, 9, FIGURES, 30), 20)
    assert not order.is_cached(None, 20)


def test_a_day_without_trades_moves_the_window_alone() -> None:
    """Its figures are newer by their time; the newest trade known stays known."""
    order = QuoteOrder()
    order.stats(Stats(3, 5, FIGURES, 0))
    assert order.stats(Stats(-1, 6, FIGURES, 0))
    assert not order.stats(Stats(2, 7, FIGURES, 0))
    assert order.stats(Stats(4, 6, FIGURES, 0))


def test_what_the_stream_shows_is_noted_once() -> None:
    """Through the door, or offered: with its time, for the audit; a replay shows nothing."""
    shown: list[tuple[int, tuple[float, float, float, float]]] = []
    order = QuoteOrder(shown.append)
    order.offer(quote(99, 1.0, 500))
    order.offer(quote(99, 1.0, 600))
    order.open(quote(100, 1.0, 1_001, 1_000))
    order.accept(101, (2.0, 1.0, 3.0, 1.0), 2_000)
    order.accept(101, (2.0, 1.0, 3.0, 1.0), 3_000)
    assert shown == [(500, (1.0, 1.0, 2.0, 1.0)), (2_000, (2.0, 1.0, 3.0, 1.0))]


def test_a_quote_that_is_only_watched_does_not_wait() -> None:
    """The stream is in the shadow: it is heard of."""
    order = QuoteOrder()
    assert order.offer(quote(5, 1.0, 700), is_kept=False)
    assert (order.waiting, order.heard_ns) == (0, 700)


def test_what_the_anchor_was_ahead_of_is_noted_when_it_comes() -> None:
    """The anchor's own frame is no news, and yet shows what the stream has; behind a newer one it is a replay."""
    noted: list[tuple[int, tuple[float, float, float, float]]] = []
    order = QuoteOrder(noted.append)
    order.offer(quote(98, 8.0, 1_000))
    order.open(quote(100, 1.0, 1_500, 1_200))
    for number in (98, 100, 100):
        assert not order.offer(quote(number, 1.0, 1_600))
    assert order.accept(101, (2.0, 1.0, 3.0, 1.0), 1_700)
    assert not order.offer(quote(99, 9.0, 1_800))
    assert [at for at, _ in noted] == [1_000, 1_600, 1_700]


def test_without_an_anchor_the_first_quote_after_an_instant_opens() -> None:
    """Those before it are let go, and do not come back; nothing received before the last admitted value follows it."""
    order = QuoteOrder()
    order.poll(polled(1.0, 2_000))
    for number, received_ns in ((7, 1_500), (8, 2_500), (9, 3_000), (10, 3_500)):
        order.offer(quote(number, float(number), received_ns))
    assert [found.update_id for found in order.open_unanchored(2_500)] == [9, 10]
    assert not order.accept(8, (1.0, 1.0, 2.0, 1.0), 4_000)
    assert order.accept(11, (1.0, 1.0, 2.0, 1.0), 4_000)


def test_without_a_quote_after_that_instant_nothing_opens() -> None:
    """The stream may be as old as the polls."""
    order = QuoteOrder()
    order.poll(polled(1.0, 2_000))
    order.offer(quote(8, 2.0, 2_000))
    assert order.open_unanchored(1_000) == []
    assert not order.is_live


def test_the_oldest_quotes_that_wait_make_room() -> None:
    """Only the newest are worth anything."""
    order = QuoteOrder()
    for number in range(order.CAPACITY + 3):
        order.offer(quote(number, 1.0, number))
    assert order.waiting == order.CAPACITY
    assert order.open(quote(0, 1.0, 0, 0))[0].update_id == 3
