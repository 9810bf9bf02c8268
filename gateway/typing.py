"""“Typing…” while a client waits for what takes its time: a service that is asked, a file on its way to the messenger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from core.outbox import OutboxRow
from core.ports import Channel

FIRST_SECONDS = 0.3  # what is quicker needs no sign
AGAIN_SECONDS = 4.0  # messengers show it for five


class Typing:
    """`hands` says whether this process sends for a channel: the platform's limits are known in one place."""

    def __init__(self, channels: Mapping[str, Channel], hands: Callable[[str], bool] = lambda channel: True) -> None:
        self._channels, self._hands = channels, hands
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def shown(self, row: OutboxRow) -> AsyncIterator[None]:
        """While it lasts, the client of the row sees that somebody is busy. Whoever does the work waits for none of it."""
        channel = self._channels.get(row.channel)
        if channel is None or not channel.capabilities.typing or not self._hands(row.channel):
            yield
            return
        over = asyncio.Event()
        task = asyncio.create_task(self._keep(channel, row.chat, over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            yield
        finally:
            over.set()

    async def _keep(self, channel: Channel, chat: str, over: asyncio.Event) -> None:
        pause = FIRST_SECONDS
        while not await _within(over, pause):
            await channel.typing(chat)
            pause = AGAIN_SECONDS


async def _within(over: asyncio.Event, seconds: float) -> bool:
    """Whether it was over in time."""
    try:
        async with asyncio.timeout(seconds):
            await over.wait()
    except TimeoutError:
        return False
    return True
