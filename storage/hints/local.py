"""Hints that stay in the process: what one process needs, and the twin that tests use."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable

Heard = Callable[[str], None]
REMEMBERED = 10_000  # counted keys; the one longest not counted is forgotten first


class LocalHints:
    """`core.ports.Hints` within one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listeners: dict[str, list[Heard]] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._counts = Counts()
        self._here: dict[str, float] = {}

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing is heard any more."""
        self._listeners.clear()
        self._told.clear()

    def tell(self, topic: str, data: str = "") -> None:
        """Tells the listeners when the loop is free. What is told twice until then is heard once."""
        if topic not in self._listeners:
            return
        if not self._told:
            asyncio.get_running_loop().call_soon(self._hear)
        self._told[topic, data] = None

    def tell_all(self) -> None:
        """Tells every listener that something may have been missed."""
        for topic in self.topics():
            self.tell(topic)

    def _hear(self) -> None:
        told, self._told = self._told, {}
        loop = asyncio.get_running_loop()
        for topic, data in told:
            for heard in self._listeners.get(topic, ()):
                loop.call_soon(heard, data)  # each by itself: one that raises does not silence the others

    def listen(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Calls `heard` for everything told from now on; the answer takes it back, once or more often."""
        self._listeners.setdefault(topic, []).append(heard)

        def unlisten() -> None:
            listeners = self._listeners.get(topic, [])
            if heard in listeners:
                listeners.remove(heard)
            if not listeners:
                self._listeners.pop(topic, None)

        return unlisten

    def topics(self) -> frozenset[str]:
        """What somebody listens to."""
        return frozenset(self._listeners)

    async def count(self, key: str, seconds: float) -> int | None:
        """Times within the last `seconds`, this one included. Never None: the process knows."""
        return self._counts.add(key, seconds, self._clock())

    async def present(self, key: str, seconds: float) -> None:
        now = self._clock()
        self._here = {one: until for one, until in self._here.items() if until > now} | {key: now + seconds}

    async def who(self, prefix: str) -> frozenset[str]:
        now = self._clock()
        return frozenset(key for key, until in self._here.items() if until > now and key.startswith(prefix))


class Counts:
    """A sliding window for each key, in memory."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, key: str, seconds: float, now: float) -> int:
        """Counts once more; how many there are within the last `seconds`."""
        seen = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        seen.append(now)
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return len(seen)
