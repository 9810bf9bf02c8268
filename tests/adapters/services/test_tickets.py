"""The built-in service `tickets`."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.services import build_service, call_info
from adapters.services.tickets import public_comments
from core.deployment import Take
from core.locale import texts
from core.ports import Store, Ticket
from core.tickets import Desk, TicketStatus


def ticket(number: int, status: str = "new", done: bool = False, client: int = 7) -> Ticket:
    return Ticket(
        number=number,
        desk="general",
        title=f"Вопрос {number}",
        text="",
        fields={},
        files=(),
        priority="",
        status=status,
        done=done,
        client=client,
        conversation=1,
        created_at=0.0,
        updated_at=0.0,
    )


class Rows:
    """The tickets of a store."""

    def __init__(self, *tickets: Ticket) -> None:
        self.rows = tickets

    async def tickets(self, client: int | None = None, **other: Any) -> list[Ticket]:
        return [row for row in self.rows if row.client == client]

    async def ticket(self, number: int) -> Ticket | None:
        return next((row for row in self.rows if row.number == number), None)


async def test_a_client_sees_their_own_tickets_open_ones_first() -> None:
    rows = Rows(ticket(1), ticket(2, "done", True), ticket(3, "Ждём склад"), ticket(4, client=8))
    service = build_service("tickets", {"language": "ru"}, cast(Store, rows))
    outcome = await service.call("mine", {"client": 8}, "k", 7)
    t = texts("ru")
    assert outcome.take == {
        "есть": True,
        "одна": False,
        "номер": "3",
        "список": f"№ 3 · Вопрос 3 — Ждём склад\n№ 1 · Вопрос 1 — {t('new')}\n№ 2 · Вопрос 2 — {t('solved')}",
    }
    await service.close()


async def test_no_tickets_and_no_such_call() -> None:
    service = build_service("tickets", {}, cast(Store, Rows()))
    assert (await service.call("mine", {}, "k", 7)).take == {
        "есть": False,
        "одна": False,
        "номер": "",
        "список": "",
    }
    assert (await service.call("all", {}, "k", 7)).status == "failed"


async def test_a_long_list_is_cut() -> None:
    service = build_service("tickets", {}, cast(Store, Rows(*(ticket(n) for n in range(1, 30)))))
    lines = (await service.call("mine", {}, "k", 7)).take["список"].split("\n")
    assert len(lines) == 10
    assert lines[0].startswith("№ 29 ")


def test_what_flows_are_told() -> None:
    calls = call_info({"kind": "tickets"})
    assert calls["mine"].take["список"] == Take("text")
    assert {name: call.safe for name, call in calls.items()} == {
        "mine": True,
        "get": True,
        "comment": False,
        "reopen": False,
        "rate": False,
    }


@pytest.mark.parametrize("call", ["get", "comment", "reopen", "rate"])
@pytest.mark.parametrize("number", ["4", 4, "99", "", None, "12x", "²", "9" * 40])
async def test_another_clients_number_is_none(call: str, number: Any) -> None:
    """The rows cannot change anything, so whoever tried would fail."""
    service = build_service("tickets", {}, cast(Store, Rows(ticket(1), ticket(4, "done", True, client=8))))
    asked = {"number": number, "text": "мне", "rating": "5", "client": 8}
    assert (await service.call(call, asked, "k", 7)).status == "missing"


async def test_a_joined_ticket_shows_the_state_of_its_master_and_nobody_elses_words() -> None:
    """The master is another client's: their words stay theirs, what people say to all is read."""
    own, master = ticket(1), ticket(4, "done", True, client=8)
    own.master = 4
    own.history = [{"at": 1.0, "what": "comment", "by": "client", "comment": "моё", "told": False}]
    master.history = [
        {"at": 2.0, "what": "comment", "by": "user:1", "comment": "починили", "told": True},
        {"at": 3.0, "what": "comment", "by": "client", "comment": "чужое", "told": False},
    ]
    service = build_service("tickets", {}, cast(Store, Rows(own, master)))
    card = (await service.call("get", {"number": "№ 1"}, "k", 7)).take
    assert (card["номер"], card["решена"], card["комментарий"]) == ("1", True, "починили")
    assert public_comments(own, master) == ["моё", "починили"]


async def test_titles_of_the_desk() -> None:
    desk = Desk(
        "general", "Общие", statuses=(TicketStatus("new", "принята"), TicketStatus("fixed", "починена", "done"))
    )
    service = build_service("tickets", {"desks": {"general": desk}}, cast(Store, Rows(ticket(1, "fixed", True))))
    assert (await service.call("get", {"number": 1}, "k", 7)).take["статус"] == "починена"
