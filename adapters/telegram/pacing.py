"""The platform's limits on sending, kept ahead of time: token buckets, and pauses that a 429 asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from adapters.pacing import OFF, Bucket, Rate, parse_rate

# Telegram takes a short burst into one chat: an answer of several parts need not crawl.
CHAT_BURST = 3
# So many chats refused within so many seconds: it is the account that is too fast, not the chats.
STORM_CHATS = 3
STORM_SECONDS = 10.0
MOST_CHATS = 10_000


class Limits(NamedTuple):
    """The rates of an account, of a private chat, of a group."""

    total: Rate | None = Rate(30, 1.0)
    chat: Rate | None = Rate(1, 1.0)
    group: Rate | None = Rate(20, 60.0)


def parse_limits(value: Any) -> Limits:
    """`off`, a mapping or an object with `total`, `chat`, `group`; what is missing is the platform's. Raises ValueError."""
    if value == OFF:
        return Limits(None, None, None)
    if value is None:
        return Limits()
    given = value if isinstance(value, Mapping) else {name: getattr(value, name) for name in Limits._fields}
    return Limits(**{name: parse_rate(given[name]) for name in Limits._fields if name in given})


class Pacer:
    """When the next call into a chat may go out. `clock` gives seconds that only grow."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._total = Bucket(limits.total, limits.total.most, clock()) if limits.total else None
        self._chats: dict[str, Bucket] = {}
        self._closed: dict[str, float] = {}
        self._all_closed = 0.0
        self._refused: deque[tuple[float, str]] = deque(maxlen=STORM_CHATS * 8)

    def closed(self, chat: str) -> float:
        """Seconds for which a 429 forbids this chat."""
        if not self._closed and not self._all_closed:
            return 0.0
        return max(0.0, self._closed.get(chat, 0.0) - self._clock(), self._all_closed - self._clock())

    def take(self, chat: str, patience: float) -> float:
        """Takes a place in the row for this chat and says how long to wait for it.

        Longer than `patience` and no place is taken: come again then.
        """
        now = self._clock()
        buckets = [bucket for bucket in (self._chat(chat, now), self._total) if bucket]
        wait = max((bucket.take(now) for bucket in buckets), default=0.0)
        if wait > patience:
            for bucket in buckets:
                bucket.give_back()
        return wait

    def refused(self, chat: str, after: float) -> Literal["chat", "account"]:
        """Notes a 429 and says whom it is about: Telegram does not tell, but many chats at once are the account."""
        now = self._clock()
        self._refused.append((now, chat))
        self._closed[chat] = now + after
        if len(self._closed) > MOST_CHATS:
            self._closed = {name: until for name, until in self._closed.items() if until > now}
        if len({name for at, name in self._refused if now - at < STORM_SECONDS}) < STORM_CHATS:
            return "chat"
        self._all_closed = max(self._all_closed, now + after)
        return "account"

    def _chat(self, chat: str, now: float) -> Bucket | None:
        group = chat.startswith(("-", "@"))
        rate = self._limits.group if group else self._limits.chat
        if rate is None:
            return None
        bucket = self._chats.get(chat)
        if bucket is None:
            if len(self._chats) >= MOST_CHATS:
                self._chats = {name: bucket for name, bucket in self._chats.items() if not bucket.full(now)}
            bucket = self._chats[chat] = Bucket(rate, rate.most if group else max(CHAT_BURST, rate.most), now)
        return bucket
