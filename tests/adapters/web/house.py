"""A small house for the web chat: a real channel on a real server, the in-memory store, and a bot that follows a script."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from adapters.web.channel import Web
from adapters.web.settings import Settings
from core.effects import Author, Send
from core.events import Event, Inbound, Message, Opened, Press, TimerFired
from core.hold import Hold
from core.messages import Button, Outgoing
from core.outbox import OutboxRow, Settled
from core.ports import Cursor, Done, Files, Hints, Receipt, Result, StorageFull, Store, Work
from core.rich import Mark, Rich, plain
from gateway.leases import Alone

Script = Callable[[Event], Sequence[Outgoing]]


def echo(event: Event) -> Sequence[Outgoing]:
    """A bot that greets, shows its buttons on «menu», and says back what it hears."""
    match event:
        case Opened(link=link):
            return [Outgoing(plain(f"Hello! {link}".strip()), ((Button("Yes", "1.1.0"), Button("No", "1.1.1")),))]
        case Press(label=label):
            return [Outgoing(plain(f"You pressed {label}"))]
        case Message():
            return [_answer(event)]
    return []


def _answer(said: Message) -> Outgoing:
    if said.text in _SET_PIECES:
        return _SET_PIECES[said.text]
    if said.contact is not None:
        return Outgoing(plain(f"Phone {said.contact.phone}"))
    if said.location is not None:
        return Outgoing(plain(f"Place {said.location.latitude:.2f} {said.location.longitude:.2f}"))
    return Outgoing(plain(f"Echo: {said.text}" if said.text else f"Files: {len(said.attachments)}"))


MENU = (
    (Button("Where is my order", "2.1.0"), Button("Return", "2.1.1")),
    (Button("Open the shop", url="https://example.org/shop"),),
    (Button("Share the phone", ask="contact"), Button("Share the place", ask="location")),
)

_SET_PIECES = {
    "menu": Outgoing(plain("What next?"), MENU),
    "bold": Outgoing(Rich("😀 bold and link", (Mark("bold", 2, 6), Mark("link", 11, 15, "https://example.org/")))),
}


@dataclass
class House:
    """The gate of one channel: accepts like the gateway does, sends like its sender does."""

    name: str
    settings: Settings
    store: Store
    files: Files
    script: Script = echo
    hears: bool = True
    full: bool = False  # the disk is full: nothing is accepted
    asleep: bool = False  # the worker sleeps: events wait in the inbox
    holding: bool = False  # the sender waits: messages are committed, not sent
    accepted: list[Inbound] = field(default_factory=list)
    held: list[OutboxRow] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    hints: Hints | None = None  # the way to other processes over the same store

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
            Done(
                pending,
                tuple(Send(message) for message in self.script(pending.event)),
                epoch=work.conversation.session.epoch,
            )
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
            receipts = await self.store.mark([Settled(row, await self.channel.send(row))])
            if self.hints is not None:
                self.hints.tell(f"history:{self.name}", str(row.conversation))
            for receipt in receipts:
                await self.send(receipt.outbox)

    async def say(
        self,
        chat: str,
        *messages: Outgoing,
        author: Author = "bot",
        slot: str = "",
        replace: bool = False,
    ) -> None:
        """Somebody speaks without being asked: after a timer, or a person of a line."""
        conversation = await self.store.find_conversation(self.name, self.name, chat)
        if conversation is None:
            raise LookupError(chat)
        await self.store.push(conversation.id, TimerFired("say"), f"say:{time.monotonic_ns()}")
        effects = tuple(Send(message, author, slot=slot, replace=replace) for message in messages)

        def speak(work: Work) -> Result:
            return Result(work.conversation, [Done(pending, effects) for pending in work.events])

        for receipt in await self.store.work(speak):
            await self.send(receipt.outbox)

    def count(self, channel: str, what: str) -> None:
        """Counts what was turned away at the door."""
        self.counted[what] += 1

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        """The web chat stores no unread payloads: it answers 400."""
        raise AssertionError("nothing of the web chat goes to quarantine")

    async def turn(self, channel: str) -> Hold:
        """No poller here."""
        return Alone()

    async def cursor(self, channel: str) -> str:
        """No poller here."""
        return ""


def settings(**changes: Any) -> Settings:
    """Settings for tests."""
    return msgspec.structs.replace(Settings(title="Support"), **changes)
