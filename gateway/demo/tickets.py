"""What becomes of the tickets of a demo: somebody takes them, asks back, writes a note, solves them; some stay."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from core.accounts import User
from gateway.api.problems import Problem
from gateway.demo.troupe import Troupe

HOUR = 3600.0
ROUND = 2 * HOUR  # between looks at what is new
ASKS = (
    "Пришлите, пожалуйста, фото упаковки с двух сторон.",
    "Уточните, пожалуйста, удобный день для курьера.",
    "Подтвердите, пожалуйста, что деньги возвращать на ту же карту.",
)
ANSWERS = (
    "Деньги отправили, придут в течение трёх рабочих дней.",
    "Замену отправили, курьер позвонит за час.",
    "Разобрались: это была ошибка склада, всё исправили.",
    "Документы отправили на почту.",
)
NOTES = (
    "Склад подтвердил брак партии",
    "Звонил клиенту, не ответил, попробую вечером",
    "Жду ответ бухгалтерии до завтра",
)


class TicketPlay:
    """Plans the life of every ticket that appears."""

    def __init__(self, troupe: Troupe) -> None:
        self._troupe, self._stage, self._known = troupe, troupe.stage, set[int]()
        self._dice = random.Random(7)  # noqa: S311  (a story, not a secret)

    async def look(self) -> None:
        """New tickets are planned; then again after a while."""
        for ticket in await self._troupe.gateway.store.tickets(limit=50):
            if ticket.number not in self._known:
                self._known.add(ticket.number)
                self._plan(ticket.number, ticket.line)
        self._stage.later(ROUND, self.look)

    def _plan(self, number: int, line: str) -> None:
        able = [user for user in self._troupe.acting.values() if line in user.lines]
        if not able:
            return
        user, dice = self._dice.choice(able), self._dice
        at = dice.uniform(1, 9) * HOUR
        self._edit(at, user, number, status="open", assignee=user.id)
        if dice.random() < 0.3:
            self._later(
                at + dice.uniform(0.2, 2) * HOUR, user, "POST /tickets/{id}/note", number, text=dice.choice(NOTES)
            )
        if dice.random() < 0.35:
            at += dice.uniform(2, 10) * HOUR
            self._edit(at, user, number, status="waiting", comment=dice.choice(ASKS))
            at += dice.uniform(10, 30) * HOUR
        if dice.random() < 0.85:
            self._edit(at + dice.uniform(3, 26) * HOUR, user, number, status="done", comment=dice.choice(ANSWERS))

    def _edit(self, seconds: float, user: User, number: int, **said: Any) -> None:
        self._stage.later(seconds, partial(self._do, user, "PATCH /tickets/{id}", number, True, said))

    def _later(self, seconds: float, user: User, what: str, number: int, **said: Any) -> None:
        self._stage.later(seconds, partial(self._do, user, what, number, False, said))

    async def _do(self, user: User, what: str, number: int, versioned: bool, said: dict[str, Any]) -> None:
        """Whatever was refused was changed by somebody else: it is left to them."""
        hands = self._troupe.hands
        try:
            if versioned:
                seen = await hands.do(user, "GET /tickets/{id}", number)
                said = {**said, "version": seen.version}
            await hands.do(user, what, number, **said)
        except Problem:
            return
