"""Small faults for the pure modules, each of which the tests must notice: one a line of thought that somebody could have had."""

from typing import Final, NamedTuple


class Fault(NamedTuple):
    """``old`` stands exactly once in ``foxtrot/transport/<module>.py`` and becomes ``new``."""

    name: str
    module: str
    old: str
    new: str


FAULTS: Final = (
    # --- breaker, permits, waits ----------------------------------------------------------------------------------------------
    Fault(
        "no generation: a late success closes",
        "breaker",
        "if permit == self._permit:\n            self._forget",
        "if True:\n            self._forget",
    ),
    Fault("permits unlimited", "breaker", "self._permit is not None or now_ns < self.retry_at_ns", "now_ns < self.retry_at_ns"),
    Fault(
        "an attempt before retry_at", "breaker", "or now_ns < self.retry_at_ns:", "or now_ns < self.retry_at_ns - 1_000_000_000:"
    ),
    Fault(
        "a decision shortens nothing, but revive does not either",
        "breaker",
        "self.retry_at_ns = min(self.retry_at_ns, now_ns)\n\n    def _forget",
        "pass\n\n    def _forget",
    ),
    Fault("openings never forgotten", "breaker", "self.openings = 0\n\n    def _to", "pass\n\n    def _to"),
    Fault("no jitter", "backoff", "return half + half * chance()", "return half + half * 0.5"),
    Fault(
        "jitter lost at the cap",
        "backoff",
        "return base + (ceiling - base) * chance()",
        "return ceiling if ceiling == cap else base + (ceiling - base) * chance()",
    ),
    Fault("no cap", "backoff", "return min(cap, base * 2.0 ** min(attempt, 60))", "return base * 2.0 ** min(attempt, 60)"),
    # --- switches -------------------------------------------------------------------------------------------------------------
    Fault("one switch an hour too many", "switch_log", "MOST: Final = 4", "MOST: Final = 5"),
    Fault("switches never counted", "lane_record", "self.switch_log.add(self._now)", "pass"),
    Fault("decisions counted as switches", "lane_record", "return state is LaneState.FALLBACK", "return True"),
    # --- audit and proof ------------------------------------------------------------------------------------------------------
    Fault("audit window too wide", "audit", "return self.asked_ns - WINDOW_NS", "return self.asked_ns - 5 * WINDOW_NS"),
    Fault("one miss is enough", "proof", "MISSES: Final = 2", "MISSES: Final = 1"),
    Fault("three misses are needed", "proof", "MISSES: Final = 2", "MISSES: Final = 3"),
    Fault(
        "hits need not be running",
        "proof",
        "self._hits, self._misses = 0, self._misses + 1",
        "self._hits, self._misses = self._hits, self._misses + 1",
    ),
    Fault("after a trip proved like at a start", "lane", "OWN if self.is_probing else FIRST", "FIRST"),
    Fault("trusted on the acknowledgement", "proof", "or self._hits < self.need.hits:", "or self._hits < 0:"),
    Fault("late streams are let in", "proof", "return self._lateness is not Lateness.LATE", "return True"),
    Fault(
        "an attempt never ends",
        "proof",
        "if self._answered_ns >= LIMIT_NS and not self.is_met(now_ns):",
        "if self._answered_ns >= 1_000 * LIMIT_NS and not self.is_met(now_ns):",
    ),
    Fault(
        "a baseline before the subscription is in force",
        "audit",
        "if not self._history and asked_ns >= self._up_ns + SETTLE_NS:",
        "if not self._history and asked_ns >= self._up_ns:",
    ),
    Fault(
        "gaps of a stream under proof are overlooked",
        "holes",
        "return bool(self._holes) and",
        "return False and bool(self._holes) and",
    ),
    # --- ids ------------------------------------------------------------------------------------------------------------------
    Fault("dedup off by one", "ordering", "is_known = item.id < self.next_id or", "is_known = item.id < self.next_id - 1 or"),
    Fault("the hot door lets jumps through", "ordering", "if first != self._door:", "if first < self._door or self._door < 0:"),
    Fault(
        "freshness from a replayed frame",
        "ordering",
        "if is_known and (self.is_live or item.last_trade_id <= self.heard_trade_id):",
        "if is_known and self.is_live:",
    ),
    Fault("backfill skipped", "values_ids", "self._owed.append(hole)", "pass"),
    Fault(
        "the hold is not kept",
        "values_ids",
        "now_ns - self._waits[0][0] < self.hold_ns",
        "now_ns - self._waits[0][0] < 20 * self.hold_ns",
    ),
    Fault("an infinite hold ends", "values_ids", "if self.hold_ns is None or", "if self.hold_ns is not None and"),
    Fault(
        "the buffer has no bound",
        "ordering",
        "or (len(self._buffer) >= self.CAPACITY and not is_next)",
        "or (len(self._buffer) >= 1_000 * self.CAPACITY and not is_next)",
    ),
    Fault("a full page is taken for all", "ordering", "self.is_incomplete = is_full", "self.is_incomplete = False"),
    Fault(
        "a slow consumer gets frames all the same",
        "ordering",
        "self._next, self._door = self.next_id, -1\n        self._is_paused = True",
        "self._next = self.next_id\n        self._is_paused = True",
    ),
    Fault(
        "a slow consumer's frames are forgotten",
        "ordering",
        "self._set_next(self.next_id)\n        self.is_incomplete = True",
        "self._set_next(self.next_id)",
    ),
    Fault(
        "a replica behind the stream ends a slow consumer's excuse",
        "ordering",
        "is_full or (self.is_live and self.last_trade_id < self._let_go_id)",
        "is_full",
    ),
    Fault("patience of a minute with a silent stream", "ordering", "PATIENCE_NS = 5 * NS_PER_S", "PATIENCE_NS = 60 * NS_PER_S"),
    # --- quotes ---------------------------------------------------------------------------------------------------------------
    Fault(
        "older quotes pass the door",
        "quote_order",
        "if not self.is_live or update_id <= self._door:",
        "if not self.is_live or update_id < self._door:",
    ),
    Fault(
        "a poll asked too early is taken",
        "quote_order",
        "if quote.asked_ns <= self._admitted_ns:",
        "if quote.asked_ns <= self._admitted_ns - 1_000_000_000:",
    ),
    Fault("cached answers are taken", "quote_order", "return stats.last_id < known", "return False"),
    Fault("figures go back", "quote_order", "if key <= self._stats_key:", "if key == self._stats_key:"),
    Fault("no anchor is asked in time", "values_tick", "anchor.asked_ns >= self._up_ns + SETTLE_NS", "anchor.asked_ns >= 0"),
    Fault("an anchor opens what is not proved", "values_tick", "if not is_wanted or anchor is None or", "if anchor is None or"),
    # --- what polls say -------------------------------------------------------------------------------------------------------
    Fault(
        "a trade that came too late is a hit",
        "audit",
        "        if self._polls:\n            self._judge(now_ns)  # what comes too late must not count\n",
        "",
    ),
    Fault(
        "time without answers counts",
        "proof",
        "min(now_ns - (self._answered_at_ns or self.up_ns), ANSWER_NS)",
        "now_ns - (self._answered_at_ns or self.up_ns)",
    ),
    Fault(
        "the least lag is forgotten in the oldest one's place",
        "event_lag",
        "del self._ordered[bisect_left(self._ordered, lag_ns)]",
        "del self._ordered[0]",
    ),
    Fault(
        "days without trades are new ids",
        "id_spaces",
        "if stats.last_id < 0 or self._raise",
        "if self._raise",
    ),
    Fault(
        "the newest window goes back",
        "id_spaces",
        "space.newest = max(space.newest, key)",
        "space.newest = key",
    ),
    Fault(
        "an old answer does not end the doubt",
        "id_spaces",
        "if stats.close_ms <= space.newest[1]:\n            space.since_ns = 0",
        "if stats.close_ms <= space.newest[1]:\n            pass",
    ),
    Fault(
        "who begins anew never moves on",
        "old_answers",
        "        self._polled.pop(symbol, None)\n",
        "",
    ),
    Fault(
        "who stood still is known for it for ever",
        "old_answers",
        "        self._stuck.pop(symbol, None)\n",
        "",
    ),
    Fault(
        "an answer is judged by when it came",
        "answer_check",
        "self._old.late(answers, asked_ns)",
        "self._old.late(answers, now_ns)",
    ),
    Fault(
        "old ids are held against new ones",
        "answer_check",
        "        self._old.forget(symbol)\n",
        "",
    ),
    # --- the canary, its connection -------------------------------------------------------------------------------------------
    Fault(
        "a doubt outlasts the poll that agrees",
        "canary",
        "levels == self._last:\n            self._evidence_ns, self._doubt = 0, None",
        "levels == self._last:\n            self._evidence_ns = 0",
    ),
    Fault(
        "a doubt outlasts the next frame",
        "canary",
        "levels, received_ns, received_ns\n        self._evidence_ns, self._doubt = 0, None",
        "levels, received_ns, received_ns\n        self._evidence_ns = 0",
    ),
    Fault(
        "a quote stood when it stood first",
        "canary",
        "stood_ns = max((until for",
        "stood_ns = min((until for",
    ),
    Fault(
        "the old line's newest frame counts",
        "rotation",
        "self._old.setdefault(stream, received_ns)",
        "self._old[stream] = received_ns",
    ),
    Fault(
        "the oldest switch remembered is the one to wait for",
        "switch_log",
        "self._times[-1 - MOST] + SPAN_NS",
        "self._times[0] + SPAN_NS",
    ),
    Fault(
        "each subscription puts the list off",
        "subscriptions",
        "self._list_ns = min(self._list_ns, now_ns + CHECK_NS)",
        "self._list_ns = now_ns + CHECK_NS",
    ),
    Fault(
        "what is on its way is missing in the list",
        "subscriptions",
        "frozenset(self._asked - self._under_way()) if",
        "frozenset(self._asked) if",
    ),
    Fault(
        "what was given up once is never told again",
        "subscriptions",
        "        self._given_up &= wanted\n",
        "",
    ),
    Fault(
        "a list clears no doubt",
        "subscriptions",
        "        self._unsure.clear()\n",
        "",
    ),
    Fault(
        "what was dropped is given up",
        "subscriptions",
        "streams = self._asked.intersection(sent.command.streams)",
        "streams = set(sent.command.streams)",
    ),
    Fault(
        "a refused retry counts as one",
        "retry_budget",
        "            return False\n        self._retries.append(now_ns)",
        "            return self._retries.append(now_ns) is not None\n        self._retries.append(now_ns)",
    ),
    # --- the machine ----------------------------------------------------------------------------------------------------------
    Fault(
        "frames of an older connection are taken",
        "lane",
        "if not self._evidence.is_up:\n            return  # no connection carries the stream: a frame of an older one",
        "if False:\n            return  # no connection carries the stream: a frame of an older one",
    ),
    Fault(
        "a kill waits for the polled value",
        "lane",
        "if not self.values.yields_to_poll or self.decision.reason is Reason.KILL:",
        "if not self.values.yields_to_poll:",
    ),
    Fault(
        "a trip asks for no poll",
        "lane",
        "        if was_streamed:\n            self._out.append(steps.PollNow())\n\n    def _end_attempt",
        "\n    def _end_attempt",
    ),
    Fault(
        "a lost connection blames the lane",
        "lane",
        "was_streamed = self.serving is Serving.STREAM\n        self._end_attempt(is_shut=False)",
        "was_streamed = self.serving is Serving.STREAM\n        self.breaker.trip(self._now, self._chance)\n"
        "        self._end_attempt(is_shut=False)",
    ),
    Fault(
        "shadow serves",
        "lane",
        "elif self.state is LaneState.SHADOW:\n            self.breaker.succeed",
        "elif False:\n            self.breaker.succeed",
    ),
    # --- the fleet ------------------------------------------------------------------------------------------------------------
    Fault(
        "the fleet has no generations",
        "fleet",
        "return connection if connection is not None and connection.generation == generation else None",
        "return connection",
    ),
    Fault("ten dials a second", "dials", "PACE_NS: Final = NS_PER_S", "PACE_NS: Final = NS_PER_S // 10"),
    Fault("a successor is trusted at once", "rotation", "PROVE_NS: Final = 2 * NS_PER_S", "PROVE_NS: Final = 0"),
    Fault(
        "lanes hear of a lost line though another carries them",
        "fleet",
        "any(bundle.is_open for bundle in self._homes[lane].values())",
        "all(bundle.is_open for bundle in self._homes[lane].values())",
    ),
    Fault("a canary's frame on its way is death", "canary", "ON_ITS_WAY_NS: Final = 250 * NS_PER_MS", "ON_ITS_WAY_NS: Final = 0"),
    # --- books and bars -------------------------------------------------------------------------------------------------------
    Fault("a book goes back", "book_order", "return update_id > self._told_id or (", "return update_id > 0 or ("),
    Fault(
        "an invalid book is confirmed",
        "book_order",
        "return depth.update_id == self._told_id and self._is_final",
        "return depth.update_id == self._told_id",
    ),
    Fault(
        "what comes during a snapshot is let go",
        "book_order",
        "while len(self._diffs) > MEMORY and not self.keeps_all:",
        "while len(self._diffs) > MEMORY:",
    ),
    Fault(
        "a valid book makes way for an older one",
        "book_order",
        "if fresh is None or (self.book.is_valid and fresh.update_id < self.book.update_id):",
        "if fresh is None:",
    ),
    Fault(
        "a book is compared with one that has ended",
        "book_order",
        "            if not self._compared.is_valid:\n                self._compared = None\n",
        "",
    ),
    Fault("the door ends a book", "book_order", "diff.first_id > following or diff.last_id", "diff.last_id"),
    Fault(
        "a comparison is made again at once",
        "values_book",
        "self._audit_at_ns = now_ns + (AUDIT_NS if is_fit else AUDIT_AGAIN_NS)",
        "pass",
    ),
    Fault(
        "a crossed book is no gap",
        "values_book",
        "self._note_ends(now_ns)\n        if not order.is_comparable:",
        "if not order.is_comparable:",
    ),
    Fault("a stream is waited for that no snapshot fits", "values_book", "self._misfits += 1", "pass"),
    Fault(
        "a stream may stay behind a snapshot",
        "values_book",
        "self._order.is_behind and now_ns >= self._compared_ns + PATIENCE_NS",
        "False",
    ),
    Fault(
        "REST proves the stream",
        "book_audit",
        "is_comparable = top is not None and asked_ns >= self._based_ns",
        "is_comparable = top is not None",
    ),
    Fault(
        "pages speak for the stream of bars",
        "bar_order",
        "        return self.heard_trade_id\n",
        "        return max(self.heard_trade_id, self.last_trade_id)\n",
    ),
    Fault("a second line is news", "bar_order", "or shown <= (self._draft_id", "or shown < (self._draft_id"),
    Fault(
        "the open bar is measured by the one before",
        "bar_order",
        "self.heard_trade_id = max(self.heard_trade_id, last)\n        self._rank = -1",
        "self.heard_trade_id = max(self.heard_trade_id, last)",
    ),
    Fault(
        "a replica that has not closed a bar is asked again at once",
        "values_bars",
        "return is_news or not (self._was_closing or is_behind)",
        "return True",
    ),
    Fault(
        "pages are credited with what was traded just now",
        "values_bars",
        "since_ns + TRAIL_NS <= given.asked_ns",
        "since_ns <= given.asked_ns",
    ),
    Fault("a full page ends with the open bar", "values_bars", "if is_late or given.is_full:", "if is_late:"),
    Fault("bars close by our own clock", "values_bars", "* NS_PER_MS - offset_ns", "* NS_PER_MS"),
    Fault("a stream owes what was traded before it", "bar_order", "max(self.heard_trade_id, self.venue_trade_id)", "-1"),
    Fault("a book is asked for before its start", "lane", "if self.is_started:  # nothing", "if True:  # nothing"),
    # --- the budget -----------------------------------------------------------------------------------------------------------
    Fault("silence is not kept", "budget", "self.silenced_until_ns = max(self.silenced_until_ns, until_ns)", "pass"),
    Fault("the whole limit is ours", "budget", "SHARE = 0.5", "SHARE = 1.0"),
    # --- health ---------------------------------------------------------------------------------------------------------------
    Fault("blind after half a minute", "health", "BLIND_NS: Final = 3 * NS_PER_S", "BLIND_NS: Final = 30 * NS_PER_S"),
    Fault("doubt is not told", "health", "elif status.is_suspect:", "elif False:"),
)
