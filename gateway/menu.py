"""The menu of commands: collected from the flows that serve, told to each messenger that has one, and only when it changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

from bot.book import Book
from bot.triggers import Command
from core.ports import Channel
from gateway.logs import logger

log = logger()
LOOK_SECONDS = 1.0
# The narrowest of the platforms (Telegram, setMyCommands); a name that does not fit stays a command that can be typed.
NAME = re.compile(r"[a-z0-9_]{1,32}")
MOST = 100
ABOUT = 256
START = "start"  # messengers have a button of their own for it

Commands = tuple[tuple[str, str], ...]


def collect_commands(book: Book) -> Commands:
    """(name, what it does) of each command that begins a flow, in the order of the flows; the first flow of a name has it."""
    found: dict[str, str] = {}
    for flow in book.library.flows.values():
        for trigger in flow.triggers:
            if isinstance(trigger, Command) and trigger.key != START and NAME.fullmatch(trigger.key):
                found.setdefault(trigger.key, _about(flow.title) or trigger.key)
    return tuple(found.items())[:MOST]


def _about(title: str) -> str:
    one = " ".join(title.split())
    return one if len(one) <= ABOUT else f"{one[: ABOUT - 1].rstrip()}…"


class Menus:
    """`hands` says whether this process sends for a channel: only one of a deployment tells the messenger."""

    def __init__(self, channels: Mapping[str, Channel], book: Callable[[], Book], hands: Callable[[str], bool]) -> None:
        self._channels, self._book, self._hands = channels, book, hands
        self._told: dict[str, Commands] = {}
        self._news = asyncio.Event()
        self._seen: tuple[str, Commands] = ("", ())

    def wake(self) -> None:
        """Other flows serve now."""
        self._news.set()

    async def run(self) -> None:
        """Tells whoever has not been told yet; also looks once a second, because leases move silently."""
        while True:
            self._news.clear()
            await self.tell()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def tell(self) -> None:
        """Each messenger once; one whose sender has moved to another process is forgotten, and told anew should it come back."""
        commands = self._commands()
        for name, channel in self._channels.items():
            if not self._hands(name):
                self._told.pop(name, None)
            elif self._told.get(name) != commands:
                self._told[name] = commands
                await channel.menu(commands)

    def _commands(self) -> Commands:
        book = self._book()
        if self._seen[0] != book.id:
            self._seen = (book.id, collect_commands(book))
        return self._seen[1]
