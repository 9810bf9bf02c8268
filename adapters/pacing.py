"""Rates of platforms, kept ahead of time: how they are written, token buckets, and pauses that a 429 asked for."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

RATE = re.compile(r"(\d+)\s*/\s*(\d+)?\s*(s|min|m|h)")
SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
OFF = "off"
MARGIN = 1.1  # calls do not arrive as evenly as they leave
# A short burst into one chat: an answer of several parts need not crawl.
CHAT_BURST = 3
# So many chats refused within so many seconds: it is the account that is too fast, not the chats.
STORM_CHATS = 3
STORM_SECONDS = 10.0
MOST_CHATS = 10_000


class Rate(NamedTuple):
    """At most `most` calls in `seconds`."""

    most: int
    seconds: float


def parse_rate(value: Any) -> Rate | None:
    """`30/s`, `20/min`, a value with `count` and `seconds`; `off` and None are no limit. Raises ValueError."""
    if value is None or value == OFF:
        return None
    if hasattr(value, "count") and hasattr(value, "seconds"):
        return Rate(int(value.count), float(value.seconds))
    found = RATE.fullmatch(str(value).strip())
    if found is None or not int(found[1]):
        raise ValueError(f"{value!r} is not a rate: write 30/s, 20/min or off")
    return Rate(int(found[1]), float(found[2] or 1) * SECONDS[found[3]])


class Bucket:
    """A token bucket that may go into debt: `take` says how long to wait for the token that was just taken."""

    __slots__ = ("at", "burst", "per_second", "tokens")

    def __init__(self, rate: Rate, burst: int, now: float) -> None:
        self.per_second = rate.most / rate.seconds
        self.burst, self.tokens, self.at = float(burst), float(burst), now

    def take(self, now: float) -> float:
        """Takes a token; the answer is in seconds, 0 when it was there."""
        self._fill(now)
        self.tokens -= 1
        return max(0.0, -self.tokens / self.per_second)

    def give_back(self) -> None:
        self.tokens += 1

    def free(self, now: float) -> float:
        """Tokens that are there now; below 0 while calls wait for theirs."""
        self._fill(now)
        return self.tokens

    def full(self, now: float) -> bool:
        self._fill(now)
        return self.tokens >= self.burst

    def _fill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second)
        self.at = now


class Limits(NamedTuple):
    """The rates of an account, of a private chat, of a group. As they stand here they are Telegram's."""

    total: Rate | None = Rate(30, 1.0)
    chat: Rate | None = Rate(1, 1.0)
    group: Rate | None = Rate(20, 60.0)


USUAL = Limits()


def parse_limits(value: Any, usual: Limits = USUAL) -> Limits:
    """`off`, a mapping or an object with `total`, `chat`, `group`; what is missing is `usual`. Raises ValueError."""
    if value == OFF:
        return Limits(None, None, None)
    if value is None:
        return usual
    given = value if isinstance(value, Mapping) else {name: getattr(value, name, None) for name in Limits._fields}
    return usual._replace(**{name: parse_rate(given[name]) for name in Limits._fields if name in given})


class Pacer:
    """When the next call into a chat may go out. `clock` gives seconds that only grow.

    `even`: calls leave one by one, so that no window of the platform's holds more than the rate, wherever it begins.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float], even: bool = False) -> None:
        self._limits, self._clock, self._even = limits, clock, even
        self._total = self._bucket(limits.total, limits.total.most, clock()) if limits.total else None
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
        buckets = [bucket for bucket in (self._total, self._chat(chat, now)) if bucket]
        wait = 0.0
        for bucket in buckets:  # the chat's own counts from when the call leaves, not from now
            wait += bucket.take(now + wait)
        if wait > patience:
            for bucket in buckets:
                bucket.give_back()
        return wait

    def spare(self, chat: str) -> bool:
        """Takes a place for a call that nobody waits for (“typing…”). False, and none is taken, while a 429 closes the chat
        or the messages of others may need it soon."""
        if self.closed(chat):
            return False
        if self._total is None:
            return True
        if self._total.free(self._clock()) < max(1.0, self._total.burst / 2):
            return False
        self._total.take(self._clock())
        return True

    def refused(self, chat: str, after: float) -> Literal["chat", "account"]:
        """Notes a 429 and says whom it is about: platforms do not tell, but many chats at once are the account."""
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
            burst = rate.most if group else max(CHAT_BURST, rate.most)
            bucket = self._chats[chat] = self._bucket(rate, burst, now)
        return bucket

    def _bucket(self, rate: Rate, burst: int, now: float) -> Bucket:
        return Bucket(Rate(rate.most, rate.seconds * MARGIN), 1, now) if self._even else Bucket(rate, burst, now)
