"""Limits in memory: token buckets for messages, sliding quotas for files. Bounded, so that a crowd cannot fill the process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import ip_address, ip_network

KEYS = 50_000  # clients remembered at once; the longest silent one is forgotten first


class Buckets:
    """A token bucket for each key: `burst` at once, refilled evenly over `seconds`."""

    def __init__(self, rate: tuple[float, float] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._state: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Takes one token. Returns 0 when there was one, else the seconds until there will be."""
        if self._rate is None:
            return 0.0
        burst, seconds = self._rate
        now = self._clock()
        left, at = self._state.pop(key, (burst, now))
        left = min(burst, left + (now - at) * burst / seconds)
        taken = left >= 1
        self._state[key] = (left - 1 if taken else left, now)
        if len(self._state) > KEYS:
            self._state.popitem(last=False)
        return 0.0 if taken else (1 - left) * seconds / burst


def address_key(address: str) -> str:
    """Whom an address stands for: with IPv6 a household has 2^64 of them, all with the same first half."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((int(ip) >> 64 << 64, 64)))


class Quota:
    """How many files, and bytes of files, a key may bring in an hour."""

    HOUR = 3600.0

    def __init__(self, files: int, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._bytes, self._clock = files, size, clock
        self._past: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()

    def left(self, key: str) -> int:
        """Bytes that still fit; 0 when the hour's files are used up."""
        past = self._past.get(key)
        if past is None:
            return self._bytes
        while past and past[0][0] <= self._clock() - self.HOUR:
            past.popleft()
        if len(past) >= self._files:
            return 0
        return max(0, self._bytes - sum(size for _, size in past))

    def add(self, key: str, size: int) -> None:
        """Writes a file of `size` bytes down."""
        self._past.setdefault(key, deque()).append((self._clock(), size))
        self._past.move_to_end(key)
        if len(self._past) > KEYS:
            self._past.popitem(last=False)
