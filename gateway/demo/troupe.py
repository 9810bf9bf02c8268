"""The troupe: invented clients who answer what they are asked, and colleagues who take, answer, pass on and close."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from core.accounts import User
from core.conversation import Session
from core.events import Event, Inbound
from core.files import StoredFile
from core.messages import Attachment, Outgoing
from core.outbox import OutboxRow
from core.rich import plain
from gateway.api.problems import Problem
from gateway.app import Gateway
from gateway.demo.cast import Client, Story, clients, stories
from gateway.demo.channel import listen
from gateway.demo.chat import PHOTO, Chat, read_reply
from gateway.demo.hands import Hands
from gateway.demo.pictures import draw_photo
from gateway.demo.stage import Stage

READS = (6.0, 45.0)  # seconds that a client takes to answer
WRITES = (15.0, 70.0)  # and a colleague
GREETS = (20.0, 200.0)  # until a colleague takes what waits
WITH_PEOPLE = "operator"
NOTHING = Outgoing(plain(""))
SETTLE_SECONDS = 0.3


class Troupe:
    """Over a gateway and a stage. `acting` are the accounts that act by themselves, by their operator's name; with `takes` they
    also take what waits, where nothing is given out."""

    def __init__(self, gateway: Gateway, stage: Stage, crew: Iterable[User], dice: random.Random) -> None:
        self.gateway, self.stage, self.dice = gateway, stage, dice
        self.hands = Hands(gateway.people, gateway.floor)
        self.crew = {user.name: user for user in crew}
        self.acting: dict[str, User] = {}
        self.takes = False
        self.chats = {(chat.channel, chat.id): chat for client in clients() for chat in self._chats(client)}
        listen(gateway.channels, self._hear)

    def _chats(self, client: Client) -> Iterable[Chat]:
        kinds = {it.kind: (name, it.account) for name, it in reversed(self.gateway.channels.items())}
        for kind in client.kinds:
            if kind in kinds:
                yield Chat(client, *kinds[kind], random.Random(client.number), stories().stories[0])  # noqa: S311

    def act_as(self, names: Collection[str]) -> None:
        """These colleagues act by themselves from now on."""
        self.acting = {f"user:{user.id}": user for name, user in self.crew.items() if name in names}

    # --- clients ---

    def begin(self, chat: Chat, story: Story) -> None:
        """A client comes with a story."""
        opens = chat.begin(story)
        for place, text in enumerate(opens):
            self.stage.later(place * self._some((3.0, 12.0)), partial(self.say, chat, text))

    async def say(self, chat: Chat, text: str) -> None:
        """A client writes."""
        photo = await self._photo(chat) if text.startswith(PHOTO) else None
        await self.put(chat, read_reply(text, NOTHING, photo))

    async def put(self, chat: Chat, event: Event) -> None:
        """Something of a client comes in, as from a messenger."""
        now = datetime.fromtimestamp(self.stage.now(), UTC)
        key = f"demo:{secrets.token_hex(8)}"
        inbound = Inbound(
            channel=chat.channel,
            account=chat.account,
            external_id=key,
            chat=chat.id,
            event=event,
            sent_at=now,
            sender_id=chat.id,
            sender_name=chat.client.name,
            message_id=key,
        )
        (receipt,) = await self.gateway.intake.accept([inbound])
        chat.home = receipt.conversation
        self._look_soon(chat)

    async def _photo(self, chat: Chat) -> Attachment:
        """A picture of the client's, kept as an upload is."""
        files, store = self.gateway.files, self.gateway.store
        data = await asyncio.to_thread(draw_photo, chat.client.number)
        sha256 = await files.keep(data)
        id, name = secrets.token_urlsafe(16), f"foto-{chat.client.number}.jpg"
        await store.add_file(StoredFile(id, chat.home, name, "image/jpeg", len(data), "photo", chat.channel))
        await store.store_file(id, sha256, len(data), "image/jpeg")
        return Attachment("photo", id, name=name, mime="image/jpeg", size=len(data))

    def _hear(self, row: OutboxRow) -> None:
        """Something goes out to somebody; an invented client will answer."""
        chat = self.chats.get((row.channel, row.chat))
        if chat is not None and row.kind == "send" and row.message is not None:
            self.stage.later(self._some(READS), partial(self._answer, chat, row))

    async def _answer(self, chat: Chat, row: OutboxRow) -> None:
        assert row.message is not None
        items = await self.gateway.store.history(row.conversation, row.seq - 1, 1)
        person = bool(items) and items[0].author == WITH_PEOPLE
        reply = chat.answer(row.message, person)
        if reply:
            photo = await self._photo(chat) if reply.startswith(PHOTO) else None
            await self.put(chat, read_reply(reply, row.message, photo))
        elif person:
            self._look_soon(chat)

    async def session(self, chat: Chat) -> Session:
        """Where their conversation stands; a new one where there is none."""
        found = await self.gateway.store.conversation(chat.home) if chat.home else None
        return found.session if found is not None else Session(status="closed")

    # --- colleagues ---

    async def look(self, chat: Chat) -> None:
        """Whether a colleague has something to do."""
        if chat.alone or chat.busy:
            return
        session = await self.session(chat)
        if session.status == "queued" and self.takes:
            self._plan(chat, GREETS, self._take)
        elif session.owner == WITH_PEOPLE and session.operator in self.acting and session.status != "closed":
            self._plan(chat, WRITES, self._work)

    def _look_soon(self, chat: Chat) -> None:
        """When everything that follows from a deed is done."""
        self.stage.later(SETTLE_SECONDS, partial(self.look, chat))

    def _plan(self, chat: Chat, pause: tuple[float, float], deed: Callable[[Chat], Any]) -> None:
        chat.busy = True
        self.stage.later(self._some(pause), partial(self._do, chat, deed))

    async def _do(self, chat: Chat, deed: Callable[[Chat], Any]) -> None:
        """What is refused was done by somebody else meanwhile: a moment later it is looked at anew."""
        chat.busy = False
        try:
            await deed(chat)
        except Problem:
            self.stage.later(self._some(WRITES), partial(self.look, chat))

    async def _take(self, chat: Chat) -> None:
        session = await self.session(chat)
        able = [user for user in self.acting.values() if user.lines.get(session.line) == "operator"]
        if session.status == "queued" and able:
            await self.act(self.dice.choice(able), "take", chat, epoch=session.epoch)
        if able:
            self._look_soon(chat)

    async def _work(self, chat: Chat) -> None:
        """The next thing of the talk, or its end."""
        session = await self.session(chat)
        user = self.acting.get(session.operator)
        if user is None or session.status in ("closed", "bot", "queued"):
            return
        if chat.told >= len(chat.talk):
            await self._close(chat, user, session)
            return
        entry = chat.talk[chat.told]
        chat.told += 1
        await self.deed(chat, user, session, entry)
        if "them" not in entry:
            self._look_soon(chat)

    async def deed(self, chat: Chat, user: User, session: Session, entry: dict[str, Any]) -> None:
        """One entry of a talk: words, a note, a ticket, a transfer, its return. Raises `Problem`."""
        said = {name: _filled(chat, value) for name, value in entry.items()}
        if "them" in said:
            if "us" in entry:
                chat.expect(said["them"], entry["us"])
            await self.act(user, "reply", chat, epoch=session.epoch, text=said["them"])
        elif "note" in said:
            await self.act(user, "note", chat, text=said["note"])
        elif "ticket" in said:
            await self.act(user, "tickets", chat, **said["ticket"])
        elif "transfer" in said:
            await self.act(user, "transfer", chat, epoch=session.epoch, **said["transfer"])
        elif "send_back" in said:
            await self.act(user, "send_back", chat, epoch=session.epoch, text=said["send_back"])

    async def act(self, user: User, name: str, chat: Chat, **said: Any) -> None:
        """A deed in the chat's conversation. Raises `Problem`."""
        await self.hands.do(user, f"POST /conversations/{{id}}/{name}", chat.home, **said)

    async def _close(self, chat: Chat, user: User, session: Session) -> None:
        line = self.gateway.house.lines.get(session.line)
        category = self.dice.choice(line.categories) if line is not None and line.categories else ""
        await self.act(user, "close", chat, epoch=session.epoch, category=category)

    def _some(self, between: tuple[float, float]) -> float:
        return self.dice.uniform(*between) / self.stage.pace


def _filled(chat: Chat, value: Any) -> Any:
    """Values of an entry in the client's words."""
    if isinstance(value, dict):
        return {name: _filled(chat, it) for name, it in value.items()}
    return chat.words(value) if isinstance(value, str) else value
