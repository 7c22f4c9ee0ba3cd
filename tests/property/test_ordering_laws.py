"""What both orders promise, for every sequence of frames, pages and pauses."""

import hypothesis.strategies as st
from hypothesis import given

from foxtrot.transport.base import Cursor, Item, Quote
from foxtrot.transport.ordering import IdOrder, Standing
from foxtrot.transport.quote_order import QuoteOrder
from foxtrot.util.clock import NS_PER_S

arrivals = st.lists(st.integers(1, 40), max_size=80)


def item(number: int) -> Item:
    return Item(number, number, None)


@given(arrivals, st.integers(1, 7))
def test_frames_in_any_order_with_pages_give_every_id_once(frames: list[int], size: int) -> None:
    """Duplicates, holes and reordering: what comes out counts up from the cursor without a break."""
    order, out = IdOrder(Cursor(0, 0)), []
    order.open()
    for number in frames:
        if order.accept(number, number, 0):
            out.append(number)
        else:
            out += [found.id for found in order.offer(item(number), 0)]
        if hole := order.hole():
            page = [item(k) for k in range(hole[0], min(hole[0] + size, 41))]
            out += [found.id for found in order.fill(page, is_full=len(page) == size).items]
            out += [found.id for found in order.ready()]
    assert out == list(range(1, len(out) + 1))
    assert order.delivered == len(out)


@given(st.sets(st.integers(1, 60), min_size=1), arrivals, st.integers(1, 5))
def test_what_comes_out_and_the_gaps_make_a_whole(exists: set[int], frames: list[int], size: int) -> None:
    """Where the venue lacks ids: each id comes once, or stands in one gap, in order."""
    order, out = IdOrder(Cursor(0, 0)), []
    order.open()
    for number in [number for number in frames if number in exists]:
        found = [number] if order.accept(number, number, 0) else [one.id for one in order.offer(item(number), 0)]
        out += found
        while hole := order.hole():
            page = [item(k) for k in sorted(exists) if k >= hole[0]][:size]
            filled = order.fill(page, is_full=len(page) == size)
            if filled.gap:
                out += range(filled.gap[0], filled.gap[1] + 1)
                assert not exists & set(range(filled.gap[0], filled.gap[1] + 1))
            out += [one.id for one in filled.items] + [one.id for one in order.ready()]
    assert out == list(range(1, len(out) + 1))


@given(st.lists(st.one_of(st.integers(1, 40), st.sampled_from(["pause", "resume", "shut", "open"])), max_size=60))
def test_nothing_passes_the_door_but_the_next_id(events: list[int | str]) -> None:
    """Whatever was paused, shut or opened between: the door admits the next id or none."""
    order, following = IdOrder(Cursor(0, 0)), 1
    for event in events:
        if event == "pause":
            order.pause()
        elif event == "resume":
            order.resume()
        elif event == "shut":
            order.shut()
        elif event == "open":
            following += len(order.open())
        elif isinstance(event, int):
            if order.accept(event, event, 0):
                assert event == following
                following += 1
            else:
                following += len(order.offer(item(event), 0))
        assert order.next_id == following


@given(st.lists(st.tuples(st.integers(1, 5 * NS_PER_S), st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_a_stream_is_dead_after_five_seconds_behind_and_not_before(beats: list[tuple[int, int, int]]) -> None:
    """Against brute force: never before something shown was owed for 5 s, always when nothing at all came for 5 s of polls."""
    order, now, newest, shown = IdOrder(Cursor(0, 0)), 0, 0, list[tuple[int, int]]()
    stalled_since: int | None = None
    order.open()
    for pause_ns, made, heard in beats:
        now += pause_ns
        newest += made
        for number in range(order.next_id, min(order.next_id + heard, newest + 1)):
            order.accept(number, number, now)
            stalled_since = None
        standing = order.polled(newest, now)
        assert (standing is Standing.LEVEL) is (newest <= order.last_trade_id)
        shown = [(number, since) for number, since in shown if number > order.last_trade_id] + [(newest, now)]
        if standing is Standing.LEVEL:
            continue
        stalled_since = now if stalled_since is None else stalled_since
        if standing is Standing.DEAD:
            assert now - min(since for _, since in shown) >= IdOrder.PATIENCE_NS
        else:
            assert now - stalled_since < IdOrder.PATIENCE_NS


@given(
    st.lists(
        st.tuples(st.sampled_from(["frame", "poll", "anchor", "shut"]), st.integers(1, 30), st.integers(0, 3)),
        max_size=80,
    )
)
def test_update_ids_never_go_back(events: list[tuple[str, int, int]]) -> None:
    """Frames in any order, polls, anchors that trail, ends and new beginnings."""
    order, last, admitted = QuoteOrder(), 0, -1
    for now, (kind, number, age) in enumerate(events, 1):
        asked = now - age
        if kind == "frame" and order.accept(number, (float(number), 1.0, 2.0, 1.0), now):
            assert number > last
            last, admitted = number, now
        elif kind == "frame":
            order.offer(Quote(number, float(number), 1.0, 2.0, 1.0, now))
        elif kind == "poll" and not order.is_live and order.poll(Quote(0, float(number), 1.0, 2.0, 1.0, now, asked)):
            assert asked > admitted
            admitted = asked
        elif kind == "anchor" and not order.is_live:
            anchor = Quote(number, float(number), 1.0, 2.0, 1.0, now, asked)
            if order.is_admissible(anchor):
                ids = [number, *(quote.update_id for quote in order.open(anchor))]
                assert ids == sorted(set(ids))
                assert number >= last
                last, admitted = ids[-1], max(admitted, asked)
        elif kind == "shut":
            order.shut()
