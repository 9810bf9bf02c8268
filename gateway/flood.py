"""The flood limit across processes: counts of fast clients are shared beside the turn, never awaited by it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TypeVar

from core.ports import Hints

Value = TypeVar("Value")
WAITING = 1000  # conversations whose counts may wait to be shared; beyond, a count stays in the process
FAST = 2  # messages within a window from which a client's count is shared: most clients never cost anything
TOPIC = "flood"  # data: a conversation that is over the limit somewhere


class FloodShare:
    """What other processes have counted of a conversation, a moment late. Without an answer: nothing (fail open)."""

    def __init__(self, hints: Hints, seconds: float, remembered: int = 10_000) -> None:
        self._hints, self._seconds, self._remembered = hints, seconds, remembered
        self._waiting: dict[
            int, tuple[int, int, float]
        ] = {}  # conversation → new ones, all of ours, the time of the last
        self._elsewhere: OrderedDict[int, tuple[int, float]] = OrderedDict()
        self._waves: OrderedDict[int, float] = OrderedDict()
        self._at = 0.0
        self._news = asyncio.Event()

    def elsewhere(self, conversation: int, count: int, at: float) -> int:
        """How many messages others have counted within the window; passes on that we have `count`, this one included.

        `at` is the time of the message in seconds.
        """
        self._at = max(self._at, at)
        if count >= FAST:
            self._share(conversation, count, at)
        known, until = self._elsewhere.get(conversation, (0, 0.0))
        return known if until > at else 0

    def _share(self, conversation: int, count: int, at: float) -> None:
        new = FAST if count == FAST else 1  # with the first that is shared go those before it
        if conversation in self._waiting:
            new += self._waiting[conversation][0]
        elif len(self._waiting) >= WAITING:
            return
        self._waiting[conversation] = (new, count, at)
        self._news.set()

    async def run(self) -> None:
        """Passes counts on, one conversation after another, and hears of waves elsewhere; until it is cancelled."""
        unlisten = self._hints.listen(TOPIC, self._hear)
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._waiting:
                    conversation = next(iter(self._waiting))
                    await self._pass_on(conversation, *self._waiting.pop(conversation))
        finally:
            unlisten()

    async def _pass_on(self, conversation: int, new: int, count: int, at: float) -> None:
        total: int | None = None
        for _ in range(new):
            total = await self._hints.count(f"flood:{conversation}", self._seconds)
            if total is None:
                return
        elsewhere = max(0, (total or 0) - count)
        _keep(self._elsewhere, conversation, (elsewhere, at + self._seconds), self._remembered)

    def begins(self, conversation: int, at: float) -> bool:
        """Whether no other process has had a message of this wave; tells them of this one."""
        self._hints.tell(TOPIC, str(conversation))
        return self._waves.get(conversation, at - self._seconds) <= at - self._seconds

    def _hear(self, data: str) -> None:
        """Our own are heard, too: it is the same wave."""
        if data.isdecimal() and len(data) < 20:
            _keep(self._waves, int(data), self._at, self._remembered)


def _keep(kept: OrderedDict[int, Value], key: int, value: Value, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
