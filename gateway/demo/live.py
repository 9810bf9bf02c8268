"""A demo at work: clients come at a human pace, colleagues answer some of them, enough is left for whoever looks."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from core.accounts import Deed
from core.conversation import Session
from gateway.accounts.passwords import generate
from gateway.api.problems import Problem
from gateway.app import Gateway
from gateway.config.model import Config
from gateway.demo.cast import CREW, stories
from gateway.demo.channel import live_channels
from gateway.demo.chat import Chat
from gateway.demo.place import demo_config
from gateway.demo.stage import Stage
from gateway.demo.troupe import Troupe

WAITING = 3  # clients in the queue: with fewer somebody comes soon
MOST_WAITING = 6  # with so many nobody else comes for a person
WITH_BOT = 3  # clients in the middle of something with the bot
COMING = 40.0  # seconds after which who began a story is where it leads
REST = 600.0  # seconds until a client comes with something else
SOON, LATER = (2.0, 6.0), (25.0, 70.0)  # seconds until the next client
LOOK = 2.0  # seconds between looks at what has changed
READY_SECONDS = 30.0
SIGN = 15.0  # seconds between signs of life of colleagues
PACES = (0.1, 20.0)


class Show:
    """The living part of a demo over its gateway."""

    def __init__(self, gateway: Gateway, seed: int | None = None) -> None:
        self._gateway = gateway
        self._dice = random.Random(seed)  # noqa: S311  (a story, not a secret)
        self.stage = Stage(time.time)
        self.troupe: Troupe | None = None
        self._ready = asyncio.Event()  # everybody is on the stage
        self._begun: dict[int, float] = {}  # client → when they came last
        self._versions: dict[int, int] = {}
        self._sessions: dict[int, Session] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        users = [await self._gateway.people.accounts.user_named(member.name) for member in CREW]
        self.troupe = troupe = Troupe(self._gateway, self.stage, [it for it in users if it is not None], self._dice)
        troupe.act_as([member.name for member in CREW if member.presence == "online"])
        for chat in troupe.chats.values():
            found = await self._gateway.store.find_conversation(chat.channel, chat.account, chat.id)
            chat.home = found.id if found is not None else 0
        await self._clock_in(troupe)
        self.stage.later(0.5, self._feed)
        self._ready.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stage.run())
            group.create_task(self._watch(troupe))

    async def _clock_in(self, troupe: Troupe) -> None:
        """Colleagues say whether they are there, and how much they take: so little that others are left."""
        for member in CREW:
            if member.presence:
                await self._gateway.floor.presence.set_capacity(troupe.crew[member.name].id, member.capacity)
                await troupe.hands.do(troupe.crew[member.name], "PUT /me/presence", state=member.presence)

    # --- colleagues ---

    async def _watch(self, troupe: Troupe) -> None:
        """Whatever has changed is looked at; who is there shows it."""
        told = 0.0
        while True:
            await self._look(troupe)
            if time.monotonic() - told > SIGN:
                told = time.monotonic()
                for member in CREW:
                    if member.presence:
                        self._gateway.floor.presence.seen(troupe.crew[member.name].id)
                await self._give_back(troupe)
            await asyncio.sleep(LOOK)

    async def _look(self, troupe: Troupe) -> None:
        homes = {chat.home: chat for chat in troupe.chats.values() if chat.home}
        for home, version in (await self._gateway.store.versions(list(homes))).items():
            if self._versions.get(home) != version:
                self._versions[home] = version
                self._sessions[home] = await troupe.session(homes[home])
                await troupe.look(homes[home])

    async def _give_back(self, troupe: Troupe) -> None:
        """What a real visitor asks is left to real people."""
        invented = {chat.home for chat in troupe.chats.values()}
        for user in troupe.acting.values():
            mine = await troupe.hands.do(user, "GET /conversations", view="mine")
            for row in mine.items:
                if row.conversation not in invented:
                    await self._return(troupe, user, row)

    async def _return(self, troupe: Troupe, user: Any, row: Any) -> None:
        try:
            await troupe.hands.do(user, "POST /conversations/{id}/return", row.conversation, epoch=row.epoch)
        except Problem:
            return

    # --- clients ---

    async def _feed(self) -> None:
        """The next client, and when the one after them comes."""
        troupe = self.troupe
        assert troupe is not None
        waiting, with_bot = self._count(troupe)
        short = waiting < WAITING or with_bot < WITH_BOT
        try:
            if waiting < WAITING:
                self.come(people=True)
            elif waiting >= MOST_WAITING or with_bot < WITH_BOT:
                self.come(people=False)
            else:
                self.come(people=None)
        finally:
            low, high = SOON if short else LATER
            self.stage.later(self._dice.uniform(low, high) / self.stage.pace, self._feed)

    def _count(self, troupe: Troupe) -> tuple[int, int]:
        """How many wait for a person or are about to, and how many are with the bot."""
        now, waiting, with_bot = time.time(), 0, 0
        for chat in troupe.chats.values():
            session = self._sessions.get(chat.home, Session())
            fresh = now - self._begun.get(chat.client.number, 0.0) < COMING / self.stage.pace
            if session.status == "queued" or (fresh and chat.story.people and session.owner == "bot"):
                waiting += 1
            elif session.owner == "bot" and fresh:
                with_bot += 1
        return waiting, with_bot

    def come(self, people: bool | None) -> bool:
        """A client who is free comes with something; False when nobody is."""
        troupe, now = self.troupe, time.time()
        if troupe is None:
            return False
        free = [chat for chat in troupe.chats.values() if self._is_free(chat, now)]
        if not free:
            return False
        chat = self._dice.choice(free)
        self._begun[chat.client.number] = now
        troupe.begin(chat, stories().pick(self._dice, people))
        return True

    def _is_free(self, chat: Chat, now: float) -> bool:
        session = self._sessions.get(chat.home, Session())
        rested = now - self._begun.get(chat.client.number, 0.0) > REST / self.stage.pace
        return session.owner == "bot" and rested

    # --- what `frontline demo` asks ---

    async def demo(self, clients: int = 0, people: bool | None = None, pace: float = 0.0) -> dict[str, Any]:
        """So many clients come now, at another pace from now on. How it stands. Raises ValueError for a pace beyond bounds,
        TimeoutError when the demo does not come to begin."""
        if pace:
            if not PACES[0] <= pace <= PACES[1]:
                raise ValueError("pace")
            self.stage.hurry(pace)
        async with asyncio.timeout(READY_SECONDS):
            await self._ready.wait()
        came = sum(self.come(people) for _ in range(clients))
        waiting, with_bot = self._count(self.troupe) if self.troupe is not None else (0, 0)
        return {"came": came, "waiting": waiting, "with_bot": with_bot, "pace": self.stage.pace}

    async def passwords(self) -> dict[str, str]:
        """New ones for those who sign in; the old ones are of no use any more."""
        return await renew(self._gateway)


async def renew(gateway: Gateway) -> dict[str, str]:
    """New passwords of the demo's accounts, by their names."""
    found = {}
    for member in CREW:
        user = await gateway.people.accounts.user_named(member.name) if member.signs_in else None
        if user is not None:
            found[member.name] = generate()
            await gateway.people.change(user.id, {"active": True}, Deed("demo", "user_changed"), found[member.name])
    return found


def build_demo(config: Config) -> tuple[Gateway, Show]:
    """The gateway of a demo beside the installation of a configuration, with its show."""
    played = demo_config(config)
    gateway = Gateway(played, channels=live_channels(played), demo=config)
    show = Show(gateway)
    gateway.beside["demo"] = show.run
    return gateway, show
