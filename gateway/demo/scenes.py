"""The last half hour before the curtain: what whoever opens a demo finds in every list, and what was prepared before."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from core.accounts import User
from gateway.accounts.people import Place
from gateway.api.problems import Problem
from gateway.demo.cast import ADMIN, OPERATOR, SUPERVISOR, stories
from gateway.demo.channel import Played
from gateway.demo.chat import Chat
from gateway.demo.stage import PastStage
from gateway.demo.troupe import Troupe

DAY = 86_400.0
CANNED: tuple[dict[str, Any], ...] = (
    {
        "scope": "all",
        "shortcut": "hi",
        "title": "Приветствие",
        "text": 'Здравствуйте, {{ client.name | default("клиент") }}! Чем помочь?',
    },
    {"scope": "all", "shortcut": "wait", "title": "Минуту", "text": "Одну минуту, уточняю у коллег."},
    {
        "scope": "all",
        "shortcut": "bye",
        "title": "Прощание",
        "text": "Рады были помочь! Если что-то понадобится, ответьте прямо здесь.",
    },
    {
        "scope": "line",
        "line": "support",
        "shortcut": "order",
        "title": "Проверяю заказ",
        "text": "Проверяю заказ {{ Номер заказа }}, отвечу через пару минут.",
    },
    {
        "scope": "line",
        "line": "support",
        "shortcut": "return",
        "title": "Как вернуть",
        "text": "Вернуть товар можно за 14 дней: напишите боту «вернуть товар», он всё оформит.",
    },
    {
        "scope": "line",
        "line": "billing",
        "shortcut": "act",
        "title": "Акт сверки",
        "text": "Акт сверки по ИНН {{ ИНН }} подготовим в течение дня и пришлём сюда.",
    },
)
CARDS: tuple[tuple[int, dict[str, Any], str], ...] = (
    (0, {"tier": "vip", "tags": ["постоянный", "опт"]}, "Просит звонить только после обеда"),
    (4, {"tags": ["постоянный"]}, "Любит подробные ответы, не торопится"),
    (9, {"tier": "vip", "tags": ["опт", "договор"]}, "Менеджер договора: Нина"),
    (13, {"tags": ["жалобы"]}, "Две жалобы за квартал, отвечаем в первую очередь"),
    (18, {"tags": ["постоянный"]}, "Пишет из двух мессенджеров, карты объединены"),
)
JOINED = (0, 9, 18)  # clients of two messengers whom a supervisor has joined; others are only suggested
FEATURED = (*(number for number, _, _ in CARDS), *JOINED, 27)  # they have been here in all their messengers


class Scenes:
    """Over the troupe of the past, which ends `now` (seconds since the epoch)."""

    def __init__(self, troupe: Troupe, now: float) -> None:
        self._troupe, self._now, self._gateway = troupe, now, troupe.gateway
        self._free: list[Chat] = []
        self._operator, self._supervisor = troupe.crew[OPERATOR], troupe.crew[SUPERVISOR]

    async def play(self, stage: PastStage) -> None:
        """Until now."""
        await self._prepare()
        await stage.play(self._gateway, self._now - 1440)
        self._troupe.takes = False
        self._troupe.act_as(["oleg", "nina"])
        for chat in self._troupe.chats.values():
            session = await self._troupe.session(chat)
            if chat.client.number % 9 and session.owner == "bot":
                self._free.append(chat)
        self._cast()
        await stage.play(self._gateway, self._now)

    async def _prepare(self) -> None:
        admin, do = self._troupe.crew[ADMIN], self._troupe.hands.do
        await self._gateway.people.add_token(
            admin, "Выгрузка для таблиц", ("reports:read",), 0.0, Place()
        )  # nobody has it
        for canned in CANNED:
            await do(admin, "POST /replies", **canned)
        for number, card, note in CARDS:
            client = await self._client(number)
            if client:
                await self._write(client, card, note)
        for number in JOINED:
            await self._join(number)

    def _chats_of(self, number: int) -> list[Chat]:
        return [chat for chat in self._troupe.chats.values() if chat.client.number == number and chat.home]

    async def _client(self, number: int) -> int:
        """The client's own number; 0 for one who was never here."""
        for chat in self._chats_of(number):
            found = await self._gateway.store.conversation(chat.home)
            if found is not None:
                return found.client
        return 0

    async def _write(self, client: int, card: dict[str, Any], note: str) -> None:
        do = self._troupe.hands.do
        seen = await do(self._supervisor, "GET /clients/{id}", client)
        await do(self._supervisor, "PATCH /clients/{id}", client, version=seen.version, **card)
        await do(self._supervisor, "POST /clients/{id}/notes", client, text=note)

    async def _join(self, number: int) -> None:
        """The same person in two messengers, as a supervisor has seen."""
        found = []
        for chat in self._chats_of(number):
            home = await self._gateway.store.conversation(chat.home)
            if home is not None and home.client not in found:
                found.append(home.client)
        if len(found) == 2:
            reason = "Один телефон, подтвердил в чате"
            await self._troupe.hands.do(
                self._supervisor, "POST /clients/{id}/join", found[0], other=found[1], reason=reason
            )

    # --- the last minutes ---

    def _cast(self) -> None:
        self._mine(23, "курьер", answers=2)
        called = self._mine(17, "крышка", answers=1)
        self._at(9, partial(self._note, called, self._operator, "@supervisor можно отправить две крышки сразу?"))
        self._at(7, partial(self._note, called, self._supervisor, "@operator да, и предложи чехол в подарок"))
        self._mine(12, "чек", answers=1, silent=True)
        self._hold(20, "обмен")
        self._busy(15, "адрес", "oleg")
        self._busy(11, "недоволен", "oleg")
        self._busy(14, "не понял, позвал", "nina")
        self._busy(9, "опт", "nina")
        for minutes, name in ((7, "курьер"), (4, "обмен"), (2, "не понял, позвал"), (6, "дважды")):
            self._come(minutes, name, alone=True)
        for minutes, leaves in ((9, 1), (5, 2), (3, 1)):
            self._come(minutes, "возврат", leaves=leaves)
        self._come(2, "статус по меню", leaves=1)
        self._refused(19)

    def _pick(self, alone: bool) -> Chat:
        """Somebody who is not talked to elsewhere in these minutes."""
        chat = self._free.pop(self._troupe.dice.randrange(len(self._free)))
        chat.alone = alone
        return chat

    def _at(self, minutes: float, deed: Callable[[], Awaitable[None]]) -> None:
        self._troupe.stage.at(self._now - minutes * 60, deed)

    def _come(self, minutes: float, name: str, alone: bool = False, leaves: int = 0) -> Chat:
        chat = self._pick(alone)

        async def come() -> None:
            self._troupe.begin(chat, stories().named(name))
            chat.alone, chat.patience = alone, leaves

        self._at(minutes, come)
        return chat

    def _mine(self, minutes: float, name: str, answers: int, silent: bool = False) -> Chat:
        """The operator of the demo has it and has answered; the client has the last word, or is waited for."""
        chat = self._come(minutes, name, alone=True)
        self._at(minutes - 2.5, partial(self._take, chat, self._operator))
        for place in range(answers):
            last = silent and place == answers - 1
            self._at(minutes - 4 - 3 * place, partial(self._talk, chat, self._operator, last))
        return chat

    def _hold(self, minutes: float, name: str) -> None:
        chat = self._come(minutes, name, alone=True)
        self._at(minutes - 2, partial(self._take, chat, self._operator))
        self._at(minutes - 3, partial(self._talk, chat, self._operator, False))

        async def hold() -> None:
            until = datetime.fromtimestamp(self._now + DAY, UTC)
            await self._do(chat, self._operator, "hold", text="Ждём поступления на склад", until=until)

        self._at(minutes - 6, hold)

    def _busy(self, minutes: float, name: str, who: str) -> None:
        """A colleague has it and goes on with it."""
        chat = self._come(minutes, name, alone=True)

        async def take() -> None:
            await self._take(chat, self._troupe.crew[who])
            chat.alone = False
            await self._troupe.look(chat)

        self._at(minutes - 1.5, take)

    def _refused(self, minutes: float) -> None:
        """A client who has turned the bot away: the answer did not arrive, and there is another way."""
        found = [chat for number in JOINED for chat in self._chats_of(number)]
        channels = self._gateway.channels
        chat = next((it for it in found if isinstance(channels[it.channel], Played)), None)
        if chat is None:
            return

        async def come() -> None:
            self._troupe.begin(chat, stories().named("чек"))
            chat.alone = True

        async def block() -> None:
            channel = self._gateway.channels[chat.channel]
            assert isinstance(channel, Played)
            channel.blocked.add(chat.id)

        self._at(minutes, come)
        self._at(minutes - 2, partial(self._take, chat, self._operator))
        self._at(minutes - 3, block)
        self._at(minutes - 4, partial(self._talk, chat, self._operator, False))

    async def _take(self, chat: Chat, user: User) -> None:
        await self._do(chat, user, "take")

    async def _note(self, chat: Chat, user: User, text: str) -> None:
        with contextlib.suppress(Problem):
            await self._troupe.act(user, "note", chat, text=text)

    async def _talk(self, chat: Chat, user: User, last: bool) -> None:
        """The next words of the story; `last`: the client says nothing to it for now."""
        entry = next((it for it in chat.talk[chat.told :] if "them" in it), None)
        if entry is None:
            return
        chat.told = chat.talk.index(entry) + 1
        if last:
            entry = {"them": entry["them"]}
            chat.patience = 1
            chat.count = 1
        session = await self._troupe.session(chat)
        with contextlib.suppress(Problem):
            await self._troupe.deed(chat, user, session, entry)
            seen = await self._gateway.store.history(chat.home, 0, 1000)
            await self._troupe.act(user, "read", chat, seq=seen[-1].seq)

    async def _do(self, chat: Chat, user: User, name: str, **said: Any) -> None:
        """What is refused is left out: the scene goes on without it."""
        session = await self._troupe.session(chat)
        with contextlib.suppress(Problem):
            await self._troupe.act(user, name, chat, epoch=session.epoch, **said)
