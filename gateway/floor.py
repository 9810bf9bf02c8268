"""The floor: what people at work reach through the API. The store, the lines, and the way of a deed into a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from bot.book import Book
from core.access import Sight, Who
from core.events import Event
from core.ports import Channel, Done, Files, Store
from gateway.config.model import Config
from gateway.desks import build_desks
from gateway.dispatch.presence import PresenceBook
from gateway.flownumbers import FlowNumbers
from handoff.access import access_conversations
from handoff.lines import House
from storage.rows import Row
from storage.work.outcomes import outcome
from storage.work.sessions import current_session
from storage.work.units import Based, Units

if TYPE_CHECKING:
    from gateway.api.live.live import Live
    from gateway.indexer import Indexer
    from gateway.publish import Publisher
    from gateway.watch.beat import Watch

PATIENCE = 10.0  # seconds that a deed may take, then whoever asked hears that it is still under way
PAUSES = (0.002, 0.004, 0.008, 0.015, 0.03, 0.05)  # between looks at what became of it; the last one again and again


class StillUnderWay(Exception):
    """The deed is in the inbox and will be done; it takes longer than one waits for it."""


class Floor:
    """One for a process. `house` gives the lines as they are now, `wake` tells the worker that there is something to do."""

    def __init__(
        self,
        store: Store,
        config: Config,
        house: Callable[[], House],
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self.store, self.config, self.house, self.now, self.wake = store, config, house, now, wake
        self.units = Units(cast(Based, store))
        self.channels: Mapping[str, Channel] = {}  # those of this process, with what they can do
        self.book: Callable[[], Book | None] = lambda: None  # the flows that serve now
        self.publisher: Publisher | None = None  # what puts flows live, and knows editions by their files
        self.steps = FlowNumbers(self.units, ZoneInfo(config.timezone))
        self.files: Files | None = None
        self.presence = PresenceBook(self.units, lambda: now().timestamp(), config.presence.grace)
        self.live: Live | None = None  # the live feed of this process
        self.desks = build_desks(config)
        self.indexer: Indexer | None = None  # what people search in, and what fills it
        self.watch: Watch | None = None  # how this process fares
        self.channel_lines: Mapping[str, str] = {name: channel.line for name, channel in config.channels.items()}

    def sight(self, who: Who) -> Sight:
        """The conversations that somebody may see."""
        return access_conversations(who, self.channel_lines)

    def lookers(self, conversation: int) -> list[int]:
        """Accounts that have a conversation open now, as far as this process knows."""
        return self.live.signs.lookers(conversation) if self.live is not None else []

    async def session(self, who: Who, conversation: int) -> Row | None:
        """The row of the conversation's last session, None when there is none that may be seen."""
        sight = self.sight(who)
        return await self.units.ask(lambda reads: current_session(reads, sight, conversation))

    async def act(self, conversation: int, event: Event, key: str) -> Done:
        """Put an event through the one door, once per key, and wait for what became of it.

        Raises `StillUnderWay`, `storage.work.outcomes.EventFailed`, `StorageFull`.
        """
        await self.store.push(conversation, event, key)
        self.wake()
        look = partial(self.units.ask, lambda reads: outcome(reads, conversation, key))
        waited, place = 0.0, 0
        while (done := await look()) is None:
            if waited >= PATIENCE:
                raise StillUnderWay(key)
            pause = PAUSES[min(place, len(PAUSES) - 1)]
            await asyncio.sleep(pause)
            waited, place = waited + pause, place + 1
        return done
