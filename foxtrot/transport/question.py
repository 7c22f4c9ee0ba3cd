"""Paces what one lane asks of REST: one question at a time, and not at once again after one that brought nothing."""

from typing import Final

from foxtrot.util.clock import NS_PER_MS, NS_PER_S

AGAIN_NS: Final = 250 * NS_PER_MS
"""How long after a question that brought nothing the next one waits; doubled up to 8 times that."""

FRESH_NS: Final = 2 * NS_PER_S
"""How long polled quotes make way for an anchor under way: one asked after it would make it worthless."""


class Question:
    """A page or an anchor under way, or the wait before the next one."""

    __slots__ = ("_failures", "_not_before_ns", "asked_ns", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self.asked_ns = 0
        self._not_before_ns = 0
        self._failures = 0

    def may_ask(self, now_ns: int) -> bool:
        """Whether a question may go out now."""
        return not self.is_open and now_ns >= self._not_before_ns

    def ask(self, now_ns: int) -> bool:
        """Whether a question may go out now; if so it is under way."""
        if not self.may_ask(now_ns):
            return False
        self.is_open = True
        self.asked_ns = now_ns
        return True

    def is_fresh(self, now_ns: int) -> bool:
        """Whether a question is under way, and has not been for long."""
        return self.is_open and now_ns < self.asked_ns + FRESH_NS

    def answered(self, now_ns: int, *, is_useful: bool) -> None:
        """The question under way has come to its end."""
        self.is_open = False
        if is_useful:
            self.reset()
            return
        self._not_before_ns = now_ns + (AGAIN_NS << min(self._failures, 3))
        self._failures += 1

    def reset(self) -> None:
        """What comes next need not wait for the past; a question under way stays so."""
        self._not_before_ns = self._failures = 0
