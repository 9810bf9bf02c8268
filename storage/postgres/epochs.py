"""Epochs of conversations: those who ask at the same time share one question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from storage.postgres.statements import EPOCHS


class Epochs:
    """`ask` runs a statement. Who asks while a question is under way is in the next one."""

    def __init__(self, ask: Callable[..., Awaitable[list[Any]]]) -> None:
        self._ask = ask
        self._asked: dict[int, list[asyncio.Future[int]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def of(self, conversation: int) -> int:
        """0 for one that is not there. Raises what `ask` raises."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(conversation, []).append(future)
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                await self._answer(asked)
        finally:
            self._asking = None

    async def _answer(self, asked: dict[int, list[asyncio.Future[int]]]) -> None:
        waiting = [(home, future) for home, futures in asked.items() for future in futures if not future.done()]
        try:
            known = dict(await self._ask(EPOCHS, list(asked)))
        except Exception as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for home, future in waiting:
            if not future.done():
                future.set_result(known.get(home, 0))
