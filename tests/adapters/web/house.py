"""A small house for the web chat: a real channel on a real server, the in-memory store, and a bot that follows a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from adapters.web.channel import Web
from adapters.web.settings import Settings
from core.effects import Send
from core.events import Event, Inbound, Message, Opened, Press
from core.messages import Button, Outgoing
from core.outbox import OutboxRow, Settled
from core.ports import Cursor, Done, Receipt, Result, StorageFull, Store, Work
from core.rich import Mark, Rich, plain
from storage.memory import MemoryStore

Script = Callable[[Event], Sequence[Outgoing]]


def echo(event: Event) -> Sequence[Outgoing]:
    """A bot that greets, shows its buttons on «menu», and says back what it hears."""
    match event:
        case Opened(link=link):
            return [Outgoing(plain(f"Hello! {link}".strip()), ((Button("Yes", "1.1.0"), Button("No", "1.1.1")),))]
        case Press(label=label):
            return [Outgoing(plain(f"You pressed {label}"))]
        case Message(contact=contact) if contact is not None:
            return [Outgoing(plain(f"Phone {contact.phone}"))]
        case Message(location=place) if place is not None:
            return [Outgoing(plain(f"Place {place.latitude:.2f} {place.longitude:.2f}"))]
        case Message(text="menu"):
            return [Outgoing(plain("What next?"), MENU)]
        case Message(text="bold"):
            return [Outgoing(Rich("😀 bold and link", (Mark("bold", 2, 6), Mark("link", 11, 15, "https://example.org/"))))]
        case Message(text=text, attachments=files):
            return [Outgoing(plain(f"Echo: {text}" if text else f"Files: {len(files)}"))]
    return []


MENU = (
    (Button("Where is my order", "2.1.0"), Button("Return", "2.1.1")),
    (Button("Open the shop", url="https://example.org/shop"),),
    (Button("Share the phone", ask="contact"), Button("Share the place", ask="location")),
)


@dataclass
class House:
    """The gate of one channel: accepts like the gateway does, sends like its sender does."""

    name: str
    settings: Settings
    script: Script = echo
    store: Store = field(default_factory=MemoryStore)
    full: bool = False                   # the disk is full: nothing is accepted
    asleep: bool = False                 # the worker sleeps: events wait in the inbox
    holding: bool = False                # the sender waits: messages are committed, not sent
    accepted: list[Inbound] = field(default_factory=list)
    held: list[OutboxRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.channel = Web(self.name, self.settings)

    async def open(self) -> web.Application:
        """The application with the channel's routes; the channel is started."""
        await self.store.open()
        await self.channel.start(self)
        app = web.Application()
        for method, path, handler in self.channel.routes():
            app.router.add_route(method, path, handler)
        return app

    def decide(self, work: Work) -> Result:
        """The turn of a conversation: the script's answers to each event."""
        done = [
            Done(pending, tuple(Send(message) for message in self.script(pending.event)), epoch=work.conversation.session.epoch)
            for pending in work.events
        ]
        return Result(work.conversation, done)

    async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
        """Commit, answer, send."""
        if self.full:
            raise StorageFull("disk full")
        self.accepted += inbounds
        receipts = await self.store.accept(inbounds, None if self.asleep else self.decide, cursor)
        for receipt in receipts:
            await self.send(receipt.outbox)
        return receipts

    async def wake(self) -> None:
        """The worker takes up what waits."""
        for receipt in await self.store.work(self.decide):
            await self.send(receipt.outbox)

    async def release(self) -> None:
        """The sender goes on."""
        rows, self.held, self.holding = self.held, [], False
        await self.send(rows)

    async def send(self, rows: Sequence[OutboxRow]) -> None:
        """Send the rows one after another and write each down; then those that waited behind them."""
        if self.holding:
            self.held += rows
            return
        for row in rows:
            await self.store.mark([Settled(row, await self.channel.send(row))])
        if rows:
            await self.send(await self.store.lease())

    async def say(self, chat: str, *messages: Outgoing) -> None:
        """The bot speaks by itself, as after a timer."""
        script, self.script = self.script, lambda event: messages
        key = f"say:{time.monotonic_ns()}"
        inbound = Inbound(
            channel=self.name, account=self.name, external_id=key, chat=chat, event=Opened("say"),
            sent_at=self.accepted[0].sent_at, sender_id=chat,
        )
        try:
            await self.accept([inbound])
        finally:
            self.script = script

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        """The web chat stores no unread payloads: it answers 400."""
        raise AssertionError("nothing of the web chat goes to quarantine")

    async def cursor(self, channel: str) -> str:
        """No poller here."""
        return ""


def settings(root: Any, **changes: Any) -> Settings:
    """Settings for tests: files under `root`."""
    return msgspec.structs.replace(Settings(files_root=str(root), title="Support"), **changes)
