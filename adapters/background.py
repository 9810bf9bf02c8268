"""What a channel does beside its answers: its main task, short deeds nothing depends on, and a stop that does not wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

STOP_SECONDS = 1.5
MOST_TASKS = 200
MOST_SECONDS = 60.0


class Background:
    """The tasks of one channel."""

    def __init__(self) -> None:
        self._main: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def main(self, work: Coroutine[Any, Any, None]) -> None:
        """The task that lives as long as the channel."""
        self._main = asyncio.create_task(work)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """A deed that is not repeated and that nothing waits for; with too many under way it is left undone."""
        if len(self._tasks) >= MOST_TASKS:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        """Returns when the main task has ended by itself."""
        if self._main is not None:
            await asyncio.wait({self._main})

    async def stop(self, at_once: bool = False) -> None:
        """Waits a little for what is under way, then ends it; `at_once` ends the main task first."""
        if at_once and self._main is not None:
            self._main.cancel()
        tasks = {*self._tasks, *([self._main] if self._main else [])}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._main = None


async def until_done(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Tries again and again, ever more rarely, until it is done."""
    seconds = 1.0
    while True:
        await asyncio.sleep(seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, guards nothing
        if await attempt():
            return
        seconds = min(MOST_SECONDS, seconds * 2)
