"""Rates of platforms, kept ahead of time: how they are written, and token buckets. Each channel has pauses of its own."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

RATE = re.compile(r"(\d+)\s*/\s*(\d+)?\s*(s|min|m|h)")
SECONDS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
OFF = "off"


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

    def full(self, now: float) -> bool:
        self._fill(now)
        return self.tokens >= self.burst

    def _fill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second)
        self.at = now
