"""Wake-ups: from a commit to the loops that wait for it, here and in other processes. Losing one costs a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.ports import Hints, Store

PAUSE_SECONDS = 0.015  # between two hints of one topic: a burst is one hint


class Bell:
    """Rings at once, then at most once in a pause; the last ring of a burst is never swallowed."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._rung = -PAUSE_SECONDS
        self._later: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """Somebody has to know."""
        if self._later is not None:
            return
        loop = asyncio.get_running_loop()
        left = self._rung + PAUSE_SECONDS - loop.time()
        if left <= 0:
            self._now()
        else:
            self._later = loop.call_later(left, self._now)

    def _now(self) -> None:
        self._later = None
        self._rung = asyncio.get_running_loop().time()
        self._ring()

    def stop(self) -> None:
        """What would have been rung later is not."""
        if self._later is not None:
            self._later.cancel()


class Wakeups:
    """Tells other processes what a commit left to them; `on_events` and `on_rows` of a shared store."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._bells: dict[str, Bell] = {}
        self._unlisten: list[Callable[[], None]] = []

    def tell(self, topic: str) -> None:
        """Tells all processes, this one too."""
        if topic not in self._bells:
            self._bells[topic] = Bell(lambda: self._hints.tell(topic))
        self._bells[topic].ring()

    def events(self) -> None:
        """An inbox has pending events."""
        self.tell("events")

    def rows(self, channels: frozenset[str]) -> None:
        """Rows of these channels wait for whoever sends for them."""
        for channel in channels:
            self.tell(f"rows:{channel}")

    def listen(self, topic: str, heard: Callable[[], None]) -> None:
        """Calls `heard` for what any process tells, until `stop`."""
        self._unlisten.append(self._hints.listen(topic, lambda _: heard()))

    def connect(self, store: Store) -> None:
        """From now on the store's commits are told to all."""
        store.on_events, store.on_rows = self.events, self.rows

    def stop(self) -> None:
        for unlisten in self._unlisten:
            unlisten()
        for bell in self._bells.values():
            bell.stop()
