"""Open pages of chats that other processes write into: what they wrote is read from the history, by its places.

A hint says which conversation to look at; without hints every chat with an open page is looked at once a second. Nothing is
missed, as all is compared with what was shown; nothing is doubled, as pages know messages by their places.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from adapters.web.render import render_item
from core.conversation import Conversation
from core.ports import Hints, HistoryItem, StorageFull

if TYPE_CHECKING:
    from adapters.web.room import Room

log = logging.getLogger("frontline.web")
LOOK_SECONDS = 1.0  # how often a chat with an open page is looked at, hints or not
WINDOW = 30  # the last messages, which may still be edited
TAIL = 100  # messages before a page's beginning that may still be under way
PAGE = 200  # messages of one read
SIDE_BY_SIDE = 8  # chats looked at at once


class Followed:
    """A chat with open pages: what its pages were shown."""

    def __init__(self) -> None:
        self.begun = False
        self.conversation = 0
        self.version = -1  # of the conversation, at the last look
        self.shown: dict[int, bytes] = {}  # place → digest of what was shown
        self.last = 0  # the last place that was read
        self.pending = 0  # the first place whose message is under way, 0 when none is
        self.lock = asyncio.Lock()

    def moved(self, versions: Mapping[int, int]) -> bool:
        """Whether it must be read: it is new, something was written, or something is under way."""
        return self.pending > 0 or versions.get(self.conversation, -1) != self.version or not self.conversation

    def start(self) -> int:
        """The place after which to read: a window back, and never past what is under way."""
        back = max(self.last - WINDOW, 0)
        return min(back, self.pending - 1) if self.pending else back

    def forget(self) -> None:
        """Keeps no more than may still change."""
        after = self.start()
        self.shown = {seq: digest for seq, digest in self.shown.items() if seq > after}


class Follower:
    """Follows the chats of one room that have open pages in this process."""

    def __init__(self, room: Room, hints: Hints) -> None:
        self._room, self._hints = room, hints
        self._topic = f"history:{room.name}"
        self._chats: dict[str, Followed] = {}
        self._told: set[str] = set()
        self._news = asyncio.Event()
        self._unlisten = hints.listen(self._topic, self._hear)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Nothing is looked at any more."""
        self._unlisten()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def tell(self, conversation: int) -> None:
        """Tells all processes that the conversation has something new."""
        self._hints.tell(self._topic, str(conversation))

    async def begin(self, chat: str) -> None:
        """Follows a chat whose page has just begun to listen: what comes from now on is shown. Raises `StorageFull`."""
        followed = self._chats.setdefault(chat, Followed())
        async with followed.lock:  # the second page waits until the first knows where it stands
            if not followed.begun:
                await self._look(chat, followed, show=False)
                followed.begun = True

    def _hear(self, data: str) -> None:
        """A conversation's number; nothing stands for all of them."""
        chats = self._chats.items()
        self._told.update(chat for chat, it in chats if not data or not it.conversation or str(it.conversation) == data)
        if self._told:
            self._news.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                await self._look_round()
            self._news.clear()
            chats, self._told = self._told, set()
            await self._look_at(chats)

    async def _look_round(self) -> None:
        """Finds chats that moved without a hint, with one small question for all of them."""
        here = {chat: it for chat, it in self._chats.items() if self._room.hub.listeners(chat)}
        self._chats = here
        known = [it.conversation for it in here.values() if it.conversation]
        try:
            versions = await self._room.gate.store.versions(known) if known else {}
        except StorageFull:
            return  # asked again in a second
        self._told.update(chat for chat, it in here.items() if it.moved(versions))

    async def _look_at(self, chats: set[str]) -> None:
        slots = asyncio.Semaphore(SIDE_BY_SIDE)

        async def look(chat: str) -> None:
            async with slots:
                await self._follow(chat)

        for error in await asyncio.gather(*map(look, chats), return_exceptions=True):
            if isinstance(error, Exception) and not isinstance(error, StorageFull):  # one chat does not stop the others
                log.error("a chat could not be followed", exc_info=error)

    async def _follow(self, chat: str) -> None:
        followed = self._chats.get(chat)
        if followed is None or not self._room.hub.listeners(chat):
            self._chats.pop(chat, None)
            return
        async with followed.lock:
            await self._look(chat, followed)

    async def _look(self, chat: str, followed: Followed, *, show: bool = True) -> None:
        """Shows what is new or changed."""
        conversation = await self._conversation(chat, followed)
        if conversation is None:
            return
        if not followed.begun:
            followed.last = max(conversation.seq - TAIL, 0)
        followed.conversation = conversation.id
        if conversation.version == followed.version and not followed.pending:
            return
        await self._read(chat, followed, show)
        followed.version = conversation.version

    async def _conversation(self, chat: str, followed: Followed) -> Conversation | None:
        if not followed.conversation:
            return await self._room.conversation(chat)
        return await self._room.gate.store.conversation(followed.conversation)

    async def _read(self, chat: str, followed: Followed, show: bool) -> None:
        after, more, followed.pending = followed.start(), True, 0
        while more:
            items = await self._room.gate.store.history(followed.conversation, after, PAGE)
            await self._compare(chat, followed, items, show)
            more = len(items) == PAGE
            after = items[-1].seq if items else after
        followed.last = max(followed.last, after)
        followed.forget()

    async def _compare(self, chat: str, followed: Followed, items: list[HistoryItem], show: bool) -> None:
        files = await self._room.files_of(items)
        for item in items:
            shown = render_item(item, files)
            if shown is None:
                followed.pending = followed.pending or item.seq
                continue
            digest = hashlib.blake2b(msgspec.json.encode(shown), digest_size=16).digest()
            if followed.shown.get(item.seq) != digest and show:
                self._room.hub.publish(chat, {"type": "item", "item": shown})
            followed.shown[item.seq] = digest
