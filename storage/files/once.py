"""Work that many ask for at the same moment and one does: it goes on when those who asked leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Tasks under way, by name."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def do(self, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the work returns or raises, begun now or by another before."""
        return await asyncio.shield(self.task(name, work))

    def task(self, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """The work itself, for who will not wait for its end."""
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._end(name, done))
        return task

    def _end(self, name: str, done: asyncio.Task[T]) -> None:
        self._under_way.pop(name, None)
        if not done.cancelled():
            done.exception()  # whoever asked has it, or has left
